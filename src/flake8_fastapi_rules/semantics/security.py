"""Which dependencies keep strangers out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.facts import Dependency

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_SCHEME = "fastapi.security.base.SecurityBase"
_REFUSALS = frozenset({401, 403})


def refuses(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency by itself takes credentials or may answer 401 or 403.

    That is: a scheme of `fastapi.security` (or an object of the project's own subclass), one that
    is asked for with `Security`, or a function that raises such a status.
    """
    if dependency.is_security or model.is_instance(dependency.target, _SCHEME):
        return True
    function = model.callable_of(dependency.target)
    return function is not None and any(
        raised.status in _REFUSALS for raised in model.effects.raises(function)
    )


def is_security_dependency(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency refuses strangers, itself or through what it depends on."""
    seen: set[object] = set()
    stack = [dependency]
    while stack:
        current = stack.pop()
        key: object = current.target or current.node
        if key in seen:
            continue
        seen.add(key)
        if refuses(model, current):
            return True
        stack.extend(model.sub_dependencies(current)[0])
    return False


def security_dependencies(
    model: Model, dependencies: Iterable[Dependency]
) -> tuple[Dependency, ...]:
    """Those of a route's dependencies that refuse strangers, in order."""
    return tuple(d for d in dependencies if is_security_dependency(model, d))
