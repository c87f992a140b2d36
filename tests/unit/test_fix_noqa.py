"""`# noqa` comments added where flake8 looks for them."""

from __future__ import annotations

import pytest

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.engine.suppress import unsuppressed
from flake8_fastapi_rules.fixes.noqa import NoqaOutcome, add_noqa


def mark(code: str, *places: tuple[int, str], reason: str = "") -> NoqaOutcome:
    findings = [Finding("a.py", Range(line, 0, line, 1), name, "m") for line, name in places]
    outcome = add_noqa(Source("a.py", code), findings, reason)
    assert unsuppressed(outcome.after, outcome.added) == []
    return outcome


@pytest.mark.parametrize(
    ("code", "line", "after"),
    [
        ("x\n", 1, "x  # noqa: FAR301\n"),
        ("x", 1, "x  # noqa: FAR301"),
        ("x  # why\n", 1, "x  # why  # noqa: FAR301\n"),
        ("x  # noqa: E501\n", 1, "x  # noqa: E501, FAR301\n"),
        ("x  # noqa:E501,F401\n", 1, "x  # noqa:E501,F401,FAR301\n"),
        ("x  # noqa: E501 F401 - why\n", 1, "x  # noqa: E501 F401, FAR301 - why\n"),
        ("f(\n    a,\n    b,\n)\n", 2, "f(\n    a,  # noqa: FAR301\n    b,\n)\n"),
        ("f(\n    a,\n    b,\n)\n", 1, "f(  # noqa: FAR301\n    a,\n    b,\n)\n"),
        ("x = '''\na\n'''\ny\n", 1, "x = '''\na\n'''  # noqa: FAR301\ny\n"),
        ("x = 1 + \\\n    2\ny\n", 1, "x = 1 + \\\n    2  # noqa: FAR301\ny\n"),
        ("f('''\na''',\n  b)\n", 1, "f('''\na''',  # noqa: FAR301\n  b)\n"),
    ],
)
def test_where_it_counts(code: str, line: int, after: str) -> None:
    outcome = mark(code, (line, "FAR301"))
    assert outcome.after.text == after
    assert not outcome.left


def test_several_findings_and_a_reason() -> None:
    outcome = mark(
        "x\ny\n", (1, "FAR302"), (1, "FAR301"), (1, "FAR301"), (2, "FAR1"), reason="a\nb"
    )
    assert outcome.after.text == "x  # noqa: FAR301, FAR302 - a b\ny  # noqa: FAR1 - a b\n"
    assert len(outcome.added) == 4


def test_no_place() -> None:
    outcome = mark("x\n", (7, "FAR301"))
    assert outcome.after.text == "x\n"
    assert outcome.left[0][1] == "no comment can stand on its line"
