"""A linter that understands FastAPI code."""
