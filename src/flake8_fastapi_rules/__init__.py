"""A linter that understands FastAPI code."""

__version__ = "0.1.0"
