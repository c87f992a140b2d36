"""What handlers write down about the exceptions that they catch."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Literal

from flake8_fastapi_rules.engine.index import mentions, terminal_name
from flake8_fastapi_rules.semantics.libraries import (
    TRACEBACK_ARGUMENTS,
    TRACEBACK_LOG_CALLS,
    is_in,
)
from flake8_fastapi_rules.semantics.values import Constant, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: How authors say that nothing is lost with what fails.
_BEST_EFFORT = re.compile(r"(?i)\bbest[- ]effort\b|\bharmless\b|\bnever raises\b|\bnon-?critical\b")
_QUIET = frozenset({"print", "str", "repr", "type", "isinstance", "format", "getattr"})
_LEVELS = frozenset(
    {"debug", "info", "warn", "warning", "error", "critical", "fatal", "log", "trace", "success"}
)
#: Levels of what is expected to fail now and then.
_EXPECTED = frozenset({"debug", "trace"})
#: Exceptions that end what a routine waits for.
_EXPECTED_TYPES = re.compile(r"Cancel|Closed|Disconnect|Empty|Exit|Interrupt|Stop|Timeout")
_TRACED = frozenset(
    {"exception", "aexception", "capture_exception", "record_exception", "print_exc", "format_exc"}
)


def loss_of(
    model: Model, module: Module, handler: ast.ExceptHandler
) -> Literal["silent", "brief"] | None:
    """What is lost of an exception in a handler that does not raise it again.

    Returns:
        "silent" when nothing tells of it, "brief" when log lines do without the traceback; `None`
        when the traceback is logged, when the exception is handed to a function that may do so,
        and when lines at the level of `debug` say that it is expected.
    """
    levels: set[str] = set()
    for statement in handler.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute | ast.Name) and terminal_name(node) in _TRACED:
                return None
            if not isinstance(node, ast.Call):
                continue
            if _logs_traceback(model, module, node):
                return None
            name = terminal_name(node.func)
            if name in _LEVELS:
                levels.add(name)
            elif name not in _QUIET and (
                "fallback" in name.lower() or _gets_exception(node, handler)
            ):
                return None
    if levels and levels <= _EXPECTED:
        return None
    return "brief" if levels else "silent"


def speaks_of_error(handler: ast.ExceptHandler) -> bool:
    """Whether a handler of certain exceptions tells of one as of an error: it is not expected."""
    if handler.type is not None and _EXPECTED_TYPES.search(ast.unparse(handler.type)):
        return False
    return any(
        isinstance(node, ast.Call) and terminal_name(node.func) in {"critical", "error", "print"}
        for statement in handler.body
        for node in ast.walk(statement)
    )


def says_best_effort(text: str) -> bool:
    """Whether a docstring or a piece of code says that nothing is lost with what fails there."""
    return _BEST_EFFORT.search(text) is not None


def returns_exception(handler: ast.ExceptHandler) -> bool:
    """Whether a handler returns what it caught, or a text of it."""
    return handler.name is not None and any(
        isinstance(each, ast.Return)
        and each.value is not None
        and mentions(each.value, {handler.name})
        for statement in handler.body
        for each in ast.walk(statement)
    )


def _logs_traceback(model: Model, module: Module, call: ast.Call) -> bool:
    for keyword in call.keywords:
        if keyword.arg in TRACEBACK_ARGUMENTS:
            value = model.resolve(module, keyword.value)
            return not (isinstance(value, Constant) and not value.value)
    callee = model.resolve(module, call.func)
    if isinstance(callee, External):
        return is_in(callee.name, TRACEBACK_LOG_CALLS)
    return isinstance(callee, Function) and any(
        terminal_name(site.node.func) in _TRACED
        or any(keyword.arg in TRACEBACK_ARGUMENTS for keyword in site.node.keywords)
        for site in model.effects.calls(callee)
    )


def _gets_exception(call: ast.Call, handler: ast.ExceptHandler) -> bool:
    """Whether a function that may do the logging is given the exception itself."""
    if handler.name is None:
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(
        isinstance(each, ast.Name) and each.id == handler.name
        for value in given
        for each in _parts(value)
    )


def _parts(value: ast.expr) -> list[ast.expr]:
    """A value, or what a collection is written of: `queue.put(("error", exc))`."""
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return list(parts)
        case _:
            return [value]
