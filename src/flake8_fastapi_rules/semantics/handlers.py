"""Exception handlers of a project: what each function is registered for."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.facts import ExceptionHandler
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.values import Class, External, Function, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.uses import Uses

#: Raised on WebSocket connections, where there is no response to answer with.
WEBSOCKET_EXCEPTIONS = (
    "starlette.exceptions.WebSocketException",
    "fastapi.WebSocketException",
    "starlette.websockets.WebSocketDisconnect",
    "fastapi.exceptions.WebSocketRequestValidationError",
)


def _gather(model: Model, uses: Uses) -> dict[ast.AST, list[ExceptionHandler]]:
    found: defaultdict[ast.AST, list[ExceptionHandler]] = defaultdict(list)
    for module in uses.modules:
        for handler in model.local(module, ExceptionHandler):
            if isinstance(handler.handler, Function):
                found[handler.handler.node].append(handler)
    return dict(found)


_registrations = PerProject(_gather)


def _gather_caught(model: Model, uses: Uses) -> frozenset[Value]:
    return frozenset(
        handler.caught
        for module in uses.modules
        for handler in model.local(module, ExceptionHandler)
        if isinstance(handler.caught, Class | External)
    )


_caught = PerProject(_gather_caught)


def exceptions_with_handlers(model: Model, module: Module) -> frozenset[Value]:
    """The exception classes that an app of the project has a handler for."""
    return _caught(model, module)


def registrations(model: Model, module: Module, function: ast.AST) -> tuple[ExceptionHandler, ...]:
    """Where a function of `module` is registered as an exception handler."""
    return tuple(_registrations(model, module).get(function, ()))
