"""No program makes the linter or the model crash."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.property.checking import check_model, check_rules
from tests.property.programs import mutated_fixtures, programs

relaxed = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@given(programs())
@relaxed
def test_random_programs(text: str) -> None:
    check_rules(text)
    check_model(text)


@given(mutated_fixtures())
@relaxed
def test_mutated_fixtures(text: str) -> None:
    check_rules(text)
    check_model(text)
