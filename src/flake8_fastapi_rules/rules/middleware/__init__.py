"""Middleware, WebSockets and observability."""
