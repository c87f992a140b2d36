"""FAR805: a client that leaves ends in a traceback."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Endpoint, ExceptionHandler
from flake8_fastapi_rules.semantics.values import External, Function

_DISCONNECT = "starlette.websockets.WebSocketDisconnect"
_RECEIVES = frozenset({"receive_text", "receive_json", "receive_bytes"})
_CATCHING = frozenset({_DISCONNECT, "builtins.Exception", "builtins.BaseException"})


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
    hints = ("receive_",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the first receive in an endless loop that nothing guards."""
        function = Function(context.module, endpoint.node)
        if not endpoint.is_websocket or not has_own_signature(context.model, function):
            return
        if self._is_handled_by_app(context):
            return
        for node in context.module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Call) and self._is_unguarded(node, endpoint, context):
                yield self.report(node, call=ast.unparse(node.func) + "()")
                return

    def _is_unguarded(self, node: ast.Call, endpoint: Endpoint, context: Context) -> bool:
        func = node.func
        if not (isinstance(func, ast.Attribute) and func.attr in _RECEIVES):
            return False
        if not context.model.is_instance(
            context.resolve(func.value), "starlette.websockets.WebSocket"
        ):
            return False
        child: ast.AST = node
        in_loop = False
        for parent in context.module.index.ancestors(node):
            if parent is endpoint.node:
                return in_loop
            in_loop = in_loop or isinstance(parent, ast.While)
            if (
                isinstance(parent, ast.Try | ast.TryStar)
                and child in parent.body
                and any(self._catches(handler, context) for handler in parent.handlers)
            ):
                return False
            if isinstance(parent, ast.With) and any(
                "suppress" in ast.unparse(item.context_expr) for item in parent.items
            ):
                return False
            if isinstance(parent, ast.AsyncWith):
                return False  # a manager may handle it in its `__aexit__`
            child = parent
        return False

    def _catches(self, handler: ast.ExceptHandler, context: Context) -> bool:
        if handler.type is None:
            return True
        caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for node in caught:
            value = context.resolve(node)
            if not isinstance(value, External) or value.name in _CATCHING:
                return True
        return False

    def _is_handled_by_app(self, context: Context) -> bool:
        model = context.model
        return any(
            handler.caught == External(_DISCONNECT)
            for module in model.uses(context.module).modules
            for handler in model.local(module, ExceptionHandler)
        )
