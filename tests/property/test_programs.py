"""No program makes the linter or the model crash."""

from __future__ import annotations

import importlib.util

from hypothesis import HealthCheck, example, given, settings

from tests.property.checking import check_model, check_rules
from tests.property.programs import mutated_fixtures, programs

#: With the group `fuzz` other programs are tried in every run; without it always the same.
FUZZING = importlib.util.find_spec("hypothesmith") is not None

relaxed = settings(
    deadline=None,
    max_examples=60,
    derandomize=not FUZZING,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@given(programs())
@relaxed
def test_random_programs(text: str) -> None:
    check_rules(text)
    check_model(text)


@given(mutated_fixtures())
@example("from fastapi import Request\n__all__ = [__all__, 'Request']")
@relaxed
def test_mutated_fixtures(text: str) -> None:
    check_rules(text)
    check_model(text)
