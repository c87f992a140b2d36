"""The engine: text, positions, findings and the running of rules; it knows nothing of FastAPI."""
