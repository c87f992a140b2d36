"""Async code, databases and other resources."""
