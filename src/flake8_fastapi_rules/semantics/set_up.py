"""Functions that are handed an app or router to set it up, without saying so in an annotation."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.passed_in import values_passed
from flake8_fastapi_rules.semantics.values import UNKNOWN, FunctionNode, Instance, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.resolve import Resolver

_SET_UP = ("fastapi.FastAPI", "fastapi.APIRouter")
#: What is done with an app to set it up, behind its name.
_METHODS = (
    ".add_", ".exception_handler(", ".include_router(", ".middleware(", ".mount(", ".on_event(",
)  # fmt: skip


def sets_up(module: Module, name: str) -> bool:
    """Whether the text may set up something of that name: `@name.get(...)`, `name.mount(...)`."""
    text = module.source.text
    return name in text and (
        f"@{name}." in text or any(f"{name}{method}" in text for method in _METHODS)
    )


def handed_in(resolver: Resolver, module: Module, function: FunctionNode, node: ast.arg) -> Value:
    """The app or router that all callers outside of tests hand to a function.

    Parameters:
        node: one of the function's parameters.

    Returns:
        An app or router of that class, but of no certain call; a false value when there is none,
        or when callers hand in others.
    """
    found: set[Instance] = set()
    for value in values_passed(resolver, module, function, node, None):
        if isinstance(value, Instance) and resolver.is_instance(value, *_SET_UP):
            found.add(Instance(value.of))
        elif value:
            return UNKNOWN
    return found.pop() if len(found) == 1 else UNKNOWN
