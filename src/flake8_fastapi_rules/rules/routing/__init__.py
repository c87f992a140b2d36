"""Routing and HTTP semantics."""
