"""FAR811: a close code that never reaches the client."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import number
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.values import Function

_SOCKET = "starlette.websockets.WebSocket"
_CODES = range(4000, 5000)
_EXCEPTIONS = ("starlette.exceptions.WebSocketException", "fastapi.WebSocketException")


class CloseBeforeAccept(Rule):
    """Accept a WebSocket before closing it with a code of your own.

    ## What it does
    Reports a WebSocket that is closed with a code of 4000 to 4999, or a `WebSocketException` with
    one, before `accept()`.

    ## Why it matters
    Before it is accepted there is no WebSocket yet: the server answers the handshake with HTTP 403,
    and the code is lost. Clients cannot tell an expired token from a missing right. Test clients
    show the code all the same.

    ## Example
    ```python
    from fastapi import WebSocket


    async def authenticate(websocket: WebSocket) -> None:
        if "token" not in websocket.cookies:
            await websocket.close(code=4401)
        await websocket.accept()
    ```

    ## Use instead
    ```python
    from fastapi import WebSocket


    async def authenticate(websocket: WebSocket) -> None:
        await websocket.accept()
        if "token" not in websocket.cookies:
            await websocket.close(code=4401)
    ```

    ## Leaves alone
    The codes of the protocol (1008 and the like), and closes behind a call that is given the socket
    and may accept it.

    ## Source
    The ASGI specification: `websocket.close` before `websocket.accept` is HTTP 403.
    """

    code = "FAR811"
    message = "Closing with {code} before `accept()` is an HTTP 403: the code never arrives"
    profiles = ("strict",)
    hints = ("WebSocket",)

    @on(ast.AsyncFunctionDef, ast.FunctionDef)
    def check(
        self, function: ast.AsyncFunctionDef | ast.FunctionDef, context: Context
    ) -> Iterator[Report]:
        """Walk a function in order until something may have accepted the socket."""
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        sockets = {
            argument.arg
            for argument in arguments
            if context.model.is_instance(context.resolve(argument), _SOCKET)
        }
        roles = context.model.roles(Function(context.module, function))
        if not sockets and Role.DEPENDENCY not in roles:
            return  # a dependency runs before the handler that may accept one
        for node in context.module.index.own_nodes(function):
            if not isinstance(node, ast.Call):
                continue
            code = self._code(node, sockets, context)
            if code in _CODES:
                if sockets and not self._begins_unaccepted(function, roles, context):
                    return
                yield self.report(node, code=code)
            elif self._may_accept(node, sockets, context):
                return

    def _begins_unaccepted(
        self,
        function: ast.AsyncFunctionDef | ast.FunctionDef,
        roles: frozenset[Role],
        context: Context,
    ) -> bool:
        """Endpoints and dependencies begin there; a helper does when it accepts by itself.

        So does one that endpoints call before anything else gets the socket.
        """
        if roles:
            return bool(roles & {Role.WEBSOCKET, Role.DEPENDENCY})
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "accept"
            for node in context.module.index.own_nodes(function)
        ) or self._is_called_first(function, context)

    def _is_called_first(
        self, function: ast.AsyncFunctionDef | ast.FunctionDef, context: Context
    ) -> bool:
        """Whether endpoints and dependencies call a helper, and nothing has their socket before."""
        model = context.model
        calls = list(model.direct_calls(Function(context.module, function)))
        for call in calls:
            caller = call.module.index.function_of(call.node)
            if caller is None or not call.is_certain:
                return False
            roles = model.roles(Function(call.module, caller))
            if not roles & {Role.WEBSOCKET, Role.DEPENDENCY}:
                return False
            given = {each.id for each in call.node.args if isinstance(each, ast.Name)}
            for node in call.module.index.own_nodes(caller):
                if isinstance(node, ast.Call) and node.lineno < call.node.lineno:
                    if getattr(node.func, "attr", "") == "accept" or any(
                        isinstance(each, ast.Name) and each.id in given for each in node.args
                    ):
                        return False
        return bool(calls)

    def _code(self, node: ast.Call, sockets: set[str], context: Context) -> int | None:
        func = node.func
        is_close = (
            isinstance(func, ast.Attribute)
            and func.attr == "close"
            and isinstance(func.value, ast.Name)
            and func.value.id in sockets
        )
        if not is_close and not context.model.is_subclass(context.resolve(func), *_EXCEPTIONS):
            return None
        given = next((k.value for k in node.keywords if k.arg == "code"), None)
        if given is None and node.args:
            given = node.args[0]
        code = context.model.status(context.module, given)
        if code is None and given is not None:
            found = number(context.model, context.module, given)  # 4000 + 1
            code = int(found) if found is not None else None
        return code

    def _may_accept(self, node: ast.Call, sockets: set[str], context: Context) -> bool:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr == "accept":
            return True
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if not any(isinstance(value, ast.Name) and value.id in sockets for value in given):
            return False
        callee = context.resolve(func)
        # Accepting takes an `await`; a plain function may start or return what does it, though.
        return not (
            isinstance(callee, Function)
            and isinstance(callee.node, ast.FunctionDef)
            and "accept" not in callee.module.source.segment(callee.node)
            and not isinstance(context.module.index.parents.get(node), ast.Await)
        )
