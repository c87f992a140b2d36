"""Programs from Python's own grammar; run with `pytest tests/property` in the group `fuzz`."""

from __future__ import annotations

import ast
import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.property.checking import check_model, check_rules

hypothesmith = pytest.importorskip(
    "hypothesmith", reason="hypothesmith is in the dependency group `fuzz`"
)


@given(hypothesmith.from_grammar() | hypothesmith.from_node())
@settings(
    deadline=None,
    max_examples=int(os.environ.get("FAR_FUZZ_EXAMPLES", "30")),
    suppress_health_check=list(HealthCheck),
)
def test_grammar(text: str) -> None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if "\f" in text or "\r" in text:
        return  # `Source` is given text with `\n` alone
    check_rules(text)
    check_model(text)
