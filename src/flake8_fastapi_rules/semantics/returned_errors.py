"""Results of functions that were meant as errors: exceptions, and statuses beside a body."""

from __future__ import annotations

import ast
import http
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.flow import may_end_without_value
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS, RESPONSE
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import Function, Instance, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_STATUSES = frozenset(int(status) for status in http.HTTPStatus)


def error_among(model: Model, module: Module, node: ast.expr | None) -> ast.Call | ast.Name | None:
    """The first exception that an expression may be: the call that makes it, or its variable.

    What a function of the project gives is one only if it gives an HTTP error on every path.

    Parameters:
        node: a conditional expression or an `or` may be any of its parts.
    """
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            return error_among(model, module, body) or error_among(model, module, orelse)
        case ast.BoolOp(values=parts):
            found = (error_among(model, module, part) for part in parts)
            return next((error for error in found if error is not None), None)
        case ast.NamedExpr(value=given):
            return error_among(model, module, given)
        case ast.Call() | ast.Name():
            return node if _is_error(model, module, node) else None
    return None


def _is_error(model: Model, module: Module, node: ast.Call | ast.Name) -> bool:
    value = model.resolve(module, node)
    if not isinstance(value, Instance) or value.call is None:
        return False
    made = _made_by(module, node)
    if value.call is not made and isinstance(made, ast.Call):
        if not only_makes_http_errors(model, model.resolve(module, made.func)):
            return False
    return model.is_instance(
        value, *HTTP_EXCEPTIONS, "builtins.BaseException"
    ) and not model.is_instance(value, RESPONSE)


def _made_by(module: Module, node: ast.Call | ast.Name) -> ast.expr | None:
    """The call itself, or the one that a variable holds the result of."""
    if isinstance(node, ast.Call):
        return node
    found = module.index.lookup(node.id, node)
    made = found[1][0].value if found is not None and len(found[1]) == 1 else None
    return made.value if isinstance(made, ast.Await) else made


def only_makes_http_errors(model: Model, callee: Value) -> bool:
    """Whether a function of the project certainly returns an HTTP error on every path."""
    if not isinstance(callee, Function) or not isinstance(callee.node, ast.FunctionDef):
        return False
    if callee.node.decorator_list or may_end_without_value(callee.node.body):
        return False
    values = [
        model.resolve(callee.module, each.value) for each in returns_of(callee.module, callee.node)
    ]
    return bool(values) and all(
        isinstance(value, Instance)
        and value.call is not None
        and model.is_instance(value, *HTTP_EXCEPTIONS)
        for value in values
    )


def status_beside_body(model: Model, module: Module, node: ast.expr | None) -> int | None:
    """The HTTP status of `body, status`, with or without headers; `None` for all else.

    Parameters:
        node: a conditional expression may be either of its parts.
    """
    if isinstance(node, ast.IfExp):
        return status_beside_body(model, module, node.body) or status_beside_body(
            model, module, node.orelse
        )
    if not isinstance(node, ast.Tuple) or len(node.elts) not in (2, 3):
        return None
    body, given = node.elts[:2]
    status = model.status(module, given)
    if status not in _STATUSES or model.status(module, body) is not None:
        return None
    return status
