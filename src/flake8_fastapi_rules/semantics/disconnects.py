"""`WebSocketDisconnect`: the calls that raise it in endless loops, and where it may end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.catching import may_be_caught, may_be_suppressed, may_catch
from flake8_fastapi_rules.semantics.facts import ExceptionHandler
from flake8_fastapi_rules.semantics.values import Class, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Endpoint
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_DISCONNECT = External("starlette.websockets.WebSocketDisconnect")
_RECEIVES = frozenset({"receive_text", "receive_json", "receive_bytes"})
#: Libraries whose managers let exceptions through.
_PASSING_ON = ("aiofiles.", "anyio.", "asyncio.", "httpx.", "redis.", "sqlalchemy.")


def first_unguarded_receive(model: Model, function: Function) -> ast.Call | None:
    """The first receive in an endless loop of a function that nothing in there guards."""
    return next(
        (
            call
            for call in function.module.index.own_nodes(function.node)
            if isinstance(call, ast.Call) and is_unguarded_receive(model, function, call)
        ),
        None,
    )


def is_unguarded_receive(model: Model, function: Function, node: ast.Call) -> bool:
    """Whether a call in a function receives in a loop, and nothing around it handles the end."""
    func = node.func
    if not (isinstance(func, ast.Attribute) and func.attr in _RECEIVES):
        return False
    receiver = model.resolve(function.module, func.value)
    if not model.is_instance(receiver, "starlette.websockets.WebSocket"):
        return False
    for parent in function.module.index.ancestors(node):
        if parent is function.node:
            return False
        if isinstance(parent, ast.While):
            return not may_disconnect_end(model, function, node)
    return False


def may_disconnect_end(model: Model, function: Function, node: ast.Call) -> bool:
    """Whether something around a call in a function may catch `WebSocketDisconnect`."""
    index = function.module.index
    if index.function_of(node) is not function.node or may_be_caught(
        model.resolver, function, node, _DISCONNECT, for_good=False
    ):
        return True
    for parent in index.ancestors(node):
        if parent is function.node:
            break
        if isinstance(parent, ast.AsyncWith) and any(
            _may_manager_end_it(model, function.module, item.context_expr) for item in parent.items
        ):
            return True
    return False


def is_disconnect_handled_by_app(model: Model, module: Module) -> bool:
    """Whether the project of a module registers a handler for `WebSocketDisconnect`."""
    return any(
        handler.caught == _DISCONNECT
        for other in model.uses(module).modules
        for handler in model.local(other, ExceptionHandler)
    )


def may_decorator_end_disconnect(model: Model, endpoint: Endpoint) -> bool:
    """Whether a decorator of the project may handle what comes out of an endpoint."""
    called = (
        each.func if isinstance(each, ast.Call) else each for each in endpoint.node.decorator_list
    )
    return any(
        isinstance(made, Function | Class) and _catches_anywhere(model, made)
        for made in (model.resolve(endpoint.module, each) for each in called)
    )


def _may_manager_end_it(model: Model, module: Module, manager: ast.expr) -> bool:
    """Whether an asynchronous manager may handle it in its `__aexit__`."""
    if not isinstance(manager, ast.Call):
        return True
    made = model.resolve(module, manager.func)
    if isinstance(made, External):
        return not made.name.startswith(_PASSING_ON)
    if not isinstance(made, Function) or not model.resolver.is_context_manager(made):
        return True
    return _catches_anywhere(model, made) or any(
        isinstance(node, ast.AsyncWith) for node in ast.walk(made.node)
    )


def _catches_anywhere(model: Model, made: Function | Class) -> bool:
    """Whether anything in a function or class may catch `WebSocketDisconnect`."""
    for node in ast.walk(made.node):
        if isinstance(node, ast.ExceptHandler):
            if may_catch(model.resolver, made.module, node, _DISCONNECT):
                return True
        elif isinstance(node, ast.With) and any(
            may_be_suppressed(model.resolver, made.module, item.context_expr, _DISCONNECT)
            for item in node.items
        ):
            return True
    return False
