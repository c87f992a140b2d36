"""FAR805: a client that leaves ends in a traceback."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.callers import DirectCall, is_surely_awaited
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.disconnects import (
    first_unguarded_receive,
    is_disconnect_handled_by_app,
    is_unguarded_receive,
    may_decorator_end_disconnect,
    may_disconnect_end,
)
from flake8_fastapi_rules.semantics.facts import Endpoint, Role
from flake8_fastapi_rules.semantics.values import Function


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
        if is_disconnect_handled_by_app(context.model, context.module):
            return
        if may_decorator_end_disconnect(context.model, endpoint):
            return
        for node in context.module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Call) and (
                is_unguarded_receive(context.model, function, node)
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
        if context.model.roles(callee) or first_unguarded_receive(context.model, callee) is None:
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
        found = first_unguarded_receive(context.model, function)
        if found is None or is_disconnect_handled_by_app(context.model, context.module):
            return
        calls = context.model.direct_calls(function)
        if calls and all(self._is_left_alone(call, context) for call in calls):
            yield self.report(found, call=ast.unparse(found.func) + "()")

    def _is_left_alone(self, call: DirectCall, context: Context) -> bool:
        """Whether an endpoint awaits a function and handles nothing that comes out of it."""
        index = call.module.index
        caller = index.function_of(call.node)
        if not call.is_certain or not isinstance(caller, ast.AsyncFunctionDef):
            return False
        function = Function(call.module, caller)
        return (
            is_surely_awaited(context.model, call)
            and context.model.roles(function) == {Role.WEBSOCKET}
            and has_own_signature(context.model, function)
            and not may_disconnect_end(context.model, function, call.node)
        )
