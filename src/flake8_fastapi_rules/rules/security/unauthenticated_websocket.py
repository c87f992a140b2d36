"""FAR713: sockets that anybody may open."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.bound import inherited_dependencies
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.security import (
    has_auth_middleware,
    may_refuse,
    turns_sockets_away,
)
from flake8_fastapi_rules.semantics.values import Function

_CHECK = re.compile(
    r"auth|token|jwt|verify|credential|permission|current_user|get_user|api_?key|session|ticket"
    r"|cookies|origin",
    re.IGNORECASE,
)
#: What people connect to, as opposed to who they are.
_ROOM = re.compile(
    r"(?i)(?:room|channel|topic|lobby|game|board|feed|symbol)s?(?:_?(?:id|name|key|slug))?"
)
_SOCKET = "starlette.websockets.WebSocket"
_REFUSALS = frozenset({1008, 4001, 4003, 4401, 4403})


class UnauthenticatedWebsocket(Rule):
    """Ask who it is before a WebSocket is accepted.

    ## What it does
    Reports a WebSocket handler that calls `accept`, or hands the socket to a function of the
    project that does, without any check before it: no security dependency, no look at a token,
    cookie or user.

    ## Why it matters
    Browsers open WebSockets to any origin, with that origin's cookies, and CORS does not apply.
    Once accepted, a stranger holds a connection and can read and send.

    ## Example
    ```python
    from fastapi import APIRouter, WebSocket, WebSocketDisconnect

    router = APIRouter()


    @router.websocket("/news")
    async def news(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            await websocket.send_text("hello")
        except WebSocketDisconnect:
            return
    ```

    ## Use instead
    ```python
    from fastapi import WebSocket, WebSocketException


    async def check_token(websocket: WebSocket) -> None:
        if websocket.query_params.get("token") is None:
            raise WebSocketException(code=1008)
    ```

    ## Leaves alone
    Handlers with a security dependency or one that cannot be looked into, handlers that look at
    credentials or close the socket before they accept, apps with middleware that may refuse.

    ## Source
    OWASP: cross-site WebSocket hijacking; RFC 6455, section 10.2.
    """

    code = "FAR713"
    message = "`{name}` accepts whoever connects; check who it is before `accept`"
    profiles = ("strict",)
    scope = "project"
    hints = ("websocket", "WebSocket")

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report `accept` before any check."""
        if not endpoint.is_websocket:
            return
        function = Function(context.module, endpoint.node, endpoint.view_class)
        dependencies, complete = context.model.all_dependencies(function)
        listed = [inherited_dependencies(context.model, route) for route in endpoint.routes]
        if not complete or None in listed:
            return
        inherited = [dependency for each in listed for dependency in each or ()]
        model = context.model
        if any(
            may_refuse(model, each) or turns_sockets_away(model, each)
            for each in (*dependencies, *inherited)
        ):
            return
        accept = self._accept(function, context.model, ())
        if accept is None:
            return
        routes = endpoint.routes
        if not has_auth_middleware(model, context.module, routes, of_sockets=True):
            yield self.report(accept, name=endpoint.node.name)

    def _accept(
        self, function: Function, model: Model, above: tuple[ast.AST, ...]
    ) -> ast.Call | None:
        """The call that accepts before any check: `accept` itself, or what is given the socket.

        Parameters:
            above: the functions on the way to `function`.
        """
        nodes = function.module.index.own_nodes(function.node)
        for node in nodes:
            if not isinstance(node, ast.Call):
                continue
            resolved = [model.resolve(function.module, each) for each in _operands(node)]
            if not any(model.is_instance(value, _SOCKET) for value in resolved):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr == "accept":
                is_chosen = self._is_checked(nodes, node) or _is_refused_else(function, node)
                return None if is_chosen else node
            callee = model.resolve(function.module, node.func)
            if not isinstance(callee, Function) or callee.node in above or len(above) > 2:
                continue
            if _accepts(callee, model, (*above, function.node)):
                inner = self._accept(callee, model, (*above, function.node))
                return None if inner is None or self._is_checked(nodes, node) else node
        return None

    def _is_checked(self, nodes: tuple[ast.AST, ...], accept: ast.AST) -> bool:
        """Whether something before `accept` looks at credentials, or may end the handler."""
        line = getattr(accept, "lineno", 0)
        about_rooms = {part for node in nodes if _asks_for_room(node) for part in ast.walk(node)}
        for node in nodes:
            if getattr(node, "lineno", line) >= line or node in about_rooms:
                continue
            if isinstance(node, ast.Return | ast.Raise):
                return True
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            if isinstance(node, ast.Attribute | ast.Name) and _CHECK.search(str(name)):
                return True
            if isinstance(node, ast.Constant) and node.value in _REFUSALS:
                return True
        return False


def _is_refused_else(function: Function, accept: ast.AST) -> bool:
    """Whether the other branch of a condition around `accept` turns the client away."""
    return any(
        isinstance(above, ast.If)
        and not _asks_for_room(above, with_else=True)
        and any(
            isinstance(part, ast.Constant) and part.value in _REFUSALS
            for block in (above.body, above.orelse)
            for statement in block
            for part in ast.walk(statement)
        )
        for above in function.module.index.ancestors(accept)
    )


def _asks_for_room(node: ast.AST, *, with_else: bool = False) -> bool:
    """Whether a branch asks for nothing but where somebody wants to go: `if room not in ROOMS`.

    That says nothing of who it is.
    """
    if not isinstance(node, ast.If) or (node.orelse and not with_else):
        return False
    names = [part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)]
    words = [
        *names,
        *(part.attr for part in ast.walk(node.test) if isinstance(part, ast.Attribute)),
    ]
    if any(_CHECK.search(word) for word in words):
        return False
    return any(_ROOM.fullmatch(name) for name in names) and all(
        _ROOM.search(name) for name in names
    )


def _operands(call: ast.Call) -> Iterator[ast.expr]:
    """What a call is about: the object whose method it is, and its arguments."""
    if isinstance(call.func, ast.Attribute):
        yield call.func.value
    yield from call.args
    yield from (keyword.value for keyword in call.keywords)


def _accepts(function: Function, model: Model, above: tuple[ast.AST, ...]) -> bool:
    """Whether a function, or one that it hands the socket to, accepts the connection."""
    for node in function.module.index.own_nodes(function.node):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "accept":
            value = model.resolve(function.module, node.func.value)
            if model.is_instance(value, _SOCKET):
                return True
        callee = model.resolve(function.module, node.func)
        if isinstance(callee, Function) and callee.node not in above and len(above) <= 2:
            if _accepts(callee, model, (*above, function.node)):
                return True
    return False
