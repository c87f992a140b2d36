"""Comparison with what others wrote; see `benchmarks/conformance.py` for the table."""
