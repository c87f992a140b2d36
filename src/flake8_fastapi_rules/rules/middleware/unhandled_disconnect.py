"""FAR805: a client that leaves ends in a traceback."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.callers import DirectCall
from flake8_fastapi_rules.semantics.catching import may_be_caught, may_be_suppressed, may_catch
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Endpoint, ExceptionHandler, Role
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
)

_DISCONNECT = External("starlette.websockets.WebSocketDisconnect")
_RECEIVES = frozenset({"receive_text", "receive_json", "receive_bytes"})
#: Libraries whose managers let exceptions through.
_PASSING_ON = ("aiofiles.", "anyio.", "asyncio.", "httpx.", "redis.", "sqlalchemy.")


class UnhandledDisconnect(Rule):
    """Handle `WebSocketDisconnect` around a receive loop.

    ## What it does
    Reports a WebSocket endpoint that receives in an endless loop and handles no
    `WebSocketDisconnect`.

    ## Why it matters
    Clients always leave. `receive_text()` then raises `WebSocketDisconnect`: the server logs a
    traceback for an everyday event, and whatever should be cleaned up is not.

    ## Example
    ```python
    from fastapi import APIRouter, WebSocket

    router = APIRouter()


    @router.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        while True:
            await websocket.send_text(await websocket.receive_text())
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends, WebSocket

    from shop import current_user

    router = APIRouter()


    @router.websocket("/echo", dependencies=[Depends(current_user)])
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)
    ```

    ## Leaves alone
    `async for ... in websocket.iter_text()`, which ends by itself; `websocket.receive()`, which
    does not raise; loops inside a `try` that catches `WebSocketDisconnect` or `Exception`, or
    inside `suppress`; endpoints under other decorators; projects with a handler for it.

    ## Source
    `starlette.websockets.WebSocket._raise_on_disconnect` (1.10).
    """

    code = "FAR805"
    message = "`{call}` raises `WebSocketDisconnect` when the client leaves; handle it"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("receive_", "ebsocket", "ebSocket")

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the first receive in an endless loop that nothing guards."""
        function = Function(context.module, endpoint.node)
        if not endpoint.is_websocket or not has_own_signature(context.model, function):
            return
        if self._is_handled_by_app(context) or self._is_wrapped(endpoint, context):
            return
        for node in context.module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Call) and (
                self._is_unguarded(node, function, context)
                or self._leaves_to_caller(node, function, context)
            ):
                yield self.report(node, call=ast.unparse(node.func) + "()")
                return

    def _leaves_to_caller(self, call: ast.Call, caller: Function, context: Context) -> bool:
        """Whether a call receives in a loop of another function, which other callers guard."""
        if not isinstance(context.module.index.parents.get(call), ast.Await):
            return False
        callee = context.resolve(call.func)
        if not isinstance(callee, Function) or not isinstance(callee.node, ast.AsyncFunctionDef):
            return False
        if context.model.roles(callee) or self._unguarded(callee, context) is None:
            return False
        calls = context.model.direct_calls(callee)
        own = next((each for each in calls if each.node is call), None)
        return (
            own is not None
            and self._is_left_alone(own, context)
            and not all(self._is_left_alone(each, context) for each in calls)
        )

    @on(ast.AsyncFunctionDef)
    def check_called(self, node: ast.AsyncFunctionDef, context: Context) -> Iterator[Report]:
        """Report a function with such a loop that only unguarded endpoints call."""
        function = Function(context.module, node)
        if context.model.roles(function) or context.module.index.is_generator(node):
            return
        found = self._unguarded(function, context)
        if found is None or self._is_handled_by_app(context):
            return
        calls = context.model.direct_calls(function)
        if calls and all(self._is_left_alone(call, context) for call in calls):
            yield self.report(found, call=ast.unparse(found.func) + "()")

    def _unguarded(self, function: Function, context: Context) -> ast.Call | None:
        """The first receive in an endless loop of a function that nothing in there guards."""
        return next(
            (
                call
                for call in function.module.index.own_nodes(function.node)
                if isinstance(call, ast.Call) and self._is_unguarded(call, function, context)
            ),
            None,
        )

    def _is_left_alone(self, call: DirectCall, context: Context) -> bool:
        """Whether an endpoint awaits a function and handles nothing that comes out of it."""
        index = call.module.index
        caller = index.function_of(call.node)
        if not call.is_certain or not isinstance(caller, ast.AsyncFunctionDef):
            return False
        function = Function(call.module, caller)
        return (
            self._is_awaited(call, context)
            and context.model.roles(function) == {Role.WEBSOCKET}
            and has_own_signature(context.model, function)
            and not self._is_guarded(call.node, function, context)
        )

    def _is_awaited(self, call: DirectCall, context: Context) -> bool:
        """Whether the caller waits for a call: itself, in a `gather` or an `asyncio.TaskGroup`."""
        parent = call.module.index.parents.get(call.node)
        match parent:
            case ast.Await():
                return True
            case ast.Call(func=func, keywords=[]) if context.model.resolve(
                call.module, func
            ) == External("asyncio.gather"):
                return isinstance(call.module.index.parents.get(parent), ast.Await)
            case ast.Call(func=ast.Attribute(attr="create_task", value=group)):
                value = context.model.resolve(call.module, group)
                return context.model.is_instance(value, "asyncio.TaskGroup")
            case _:
                return False

    def _is_unguarded(self, node: ast.Call, function: Function, context: Context) -> bool:
        """Whether a call receives in an endless loop, and nothing around it handles the end."""
        func = node.func
        if not (isinstance(func, ast.Attribute) and func.attr in _RECEIVES):
            return False
        receiver = context.model.resolve(function.module, func.value)
        if not context.model.is_instance(receiver, "starlette.websockets.WebSocket"):
            return False
        for parent in function.module.index.ancestors(node):
            if parent is function.node:
                return False
            if isinstance(parent, ast.While):
                return not self._is_guarded(node, function, context)
        return False

    def _is_handled_by_app(self, context: Context) -> bool:
        model = context.model
        return any(
            handler.caught == _DISCONNECT
            for module in model.uses(context.module).modules
            for handler in model.local(module, ExceptionHandler)
        )

    def _is_wrapped(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether a decorator of the project handles what comes out of the endpoint."""
        called = (
            each.func if isinstance(each, ast.Call) else each
            for each in endpoint.node.decorator_list
        )
        return any(
            isinstance(made, Function | Class) and _handles(context.model, made)
            for made in map(context.resolve, called)
        )

    def _is_guarded(self, node: ast.Call, function: Function, context: Context) -> bool:
        """Whether something around a call in a function may catch `WebSocketDisconnect`."""
        index, resolver = function.module.index, context.model.resolver
        if index.function_of(node) is not function.node or may_be_caught(
            resolver, function, node, _DISCONNECT, for_good=False
        ):
            return True
        for parent in index.ancestors(node):
            if parent is function.node:
                break
            if isinstance(parent, ast.AsyncWith) and any(
                self._may_handle(item.context_expr, function.module, context)
                for item in parent.items
            ):
                return True
        return False

    def _may_handle(self, manager: ast.expr, module: Module, context: Context) -> bool:
        """Whether an asynchronous manager may handle it in its `__aexit__`."""
        if not isinstance(manager, ast.Call):
            return True
        made = context.model.resolve(module, manager.func)
        if isinstance(made, External):
            return not made.name.startswith(_PASSING_ON)
        if not isinstance(made, Function) or not context.model.resolver.is_context_manager(made):
            return True
        return _handles(context.model, made) or any(
            isinstance(node, ast.AsyncWith) for node in ast.walk(made.node)
        )


def _handles(model: Model, made: Function | Class) -> bool:
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
