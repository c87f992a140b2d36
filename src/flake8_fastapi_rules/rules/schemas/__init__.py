"""Requests, responses and schemas."""
