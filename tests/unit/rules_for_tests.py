"""Makes rule classes for a test and takes them out of the registry afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.rules.base import Rule

PAGE = """Say hello.

## What it does
Something.

## Why it matters
It does.

## Example
```python
x = 1
```

## Use instead
```python
x = 2
```

## Leaves alone
Nothing.

## Fix safety
Safe.

## Source
None.
"""


@contextmanager
def own_registry() -> Iterator[None]:
    """Forget the rules that are made inside."""
    all_rules()  # registers the real ones first
    before = dict(Rule.registry)
    try:
        yield
    finally:
        Rule.registry.clear()
        Rule.registry.update(before)


def make_rule(rule_code: str, rule_name: str | None = None, **attributes: Any) -> type[Rule]:
    """A complete rule with a code; `attributes` override and add to it."""
    name = (rule_name or f"rule-{rule_code.lower()}").replace("-", "_")
    body: dict[str, Any] = {
        "__doc__": PAGE,
        "__module__": f"rules.application.{name}",
        "code": rule_code,
        "message": "Message of " + rule_code,
        "profiles": ("recommended",),
        "is_bug": True,
        **attributes,
    }
    return type("Made" + rule_code, (Rule,), body)
