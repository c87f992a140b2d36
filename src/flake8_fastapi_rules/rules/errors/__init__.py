"""Errors and background work."""
