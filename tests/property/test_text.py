"""Positions agree with Python's for all texts."""

from __future__ import annotations

import ast

from hypothesis import given, settings
from hypothesis import strategies as st

from flake8_fastapi_rules.engine.source import Source

WORDS = st.text("aé€𝄞ß中 \u200b", min_size=1, max_size=6)
ATOMS = st.one_of(
    WORDS.map(repr), st.sampled_from(["x", "é", "f(x)", "[1, 'é']", "b''", "'''\né'''"])
)
LINES = st.lists(ATOMS, min_size=1, max_size=5).map(", ".join)


@given(st.lists(LINES, min_size=1, max_size=5).map("\n".join))
@settings(deadline=None)
def test_ranges_are_those_of_ast(text: str) -> None:
    source = Source("example.py", text)
    for node in ast.walk(source.parse()):
        if isinstance(node, ast.expr):
            assert source.segment(node) == ast.get_source_segment(text, node)
            where = source.range_of(node)
            start = source.offset(where.line, where.column)
            assert source.position(start) == (where.line, where.column)
