"""FAR401: an endpoint that handles exceptions itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.names import canonical
from flake8_fastapi_rules.semantics.values import FunctionNode, qualified_name

_DISCONNECT = "starlette.websockets.WebSocketDisconnect"
#: What a WebSocket handler may do to end a connection that is lost already.
_FAREWELLS = (ast.Pass, ast.Return, ast.Break, ast.Continue, ast.Raise)
#: Methods that put something into a collection.
_FILLING = frozenset({"append", "add", "extend", "update", "setdefault"})


class TryExceptInEndpoint(Rule):
    """Let exceptions leave the endpoint; an exception handler answers them.

    ## What it does
    Reports the first `try` with an `except` (or `except*`) in the body of an endpoint, and says how
    many there are.

    ## Why it matters
    Each endpoint that turns exceptions into answers does it a little differently: other status
    codes, other bodies, often without a log line, and `except Exception` swallows what nobody
    expected. One handler per exception, registered on the app, answers the same everywhere and
    leaves endpoints with nothing but their own work.

    ## Example
    ```python
    from fastapi import APIRouter, HTTPException

    router = APIRouter(prefix="/items")


    @router.get("/{item_id}")
    async def read_item(item_id: int) -> str:
        try:
            return load(item_id)
        except LookupError:
            raise HTTPException(404) from None
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse


    class ItemNotFoundError(Exception):
        pass


    async def item_not_found(request: Request, exc: Exception) -> JSONResponse:
        return JSONResponse({"code": "item_not_found"}, status_code=404)


    def add_exception_handlers(app: FastAPI) -> None:
        app.add_exception_handler(ItemNotFoundError, item_not_found)
    ```

    ## Leaves alone
    `try` with only `finally`; `contextlib.suppress`; in WebSocket handlers `WebSocketDisconnect`
    and handlers that only log, close the socket or end; handlers that set the value that the
    endpoint goes on with, or skip an item of a loop; functions nested in the endpoint and
    endpoints that are generators, since a stream's exceptions come too late for any handler;
    dependencies; the types of the option `allowed-exceptions`.

    ## Source
    The convention of thin endpoints and global exception handlers.
    """

    code = "FAR401"
    message = "Endpoint `{name}` handles exceptions itself; leave them to an exception handler"
    variants = {
        "many": "Endpoint `{name}` has {count} `try`/`except`; leave them to exception handlers"
    }
    profiles = ("recommended",)
    hints = ("except",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the first `try` of an endpoint that is not one of the exempt kinds."""
        index = context.module.index
        if index.is_generator(endpoint.node):
            return
        tries = [
            node
            for node in index.own_nodes(endpoint.node)
            if isinstance(node, ast.Try | ast.TryStar)
            and self._is_reported(node, endpoint, context)
        ]
        if tries:
            variant = "many" if len(tries) > 1 else None
            yield self.report(tries[0], variant, name=endpoint.node.name, count=len(tries))

    def _is_reported(
        self, node: ast.Try | ast.TryStar, endpoint: Endpoint, context: Context
    ) -> bool:
        return any(
            not self._is_allowed(handler, context)
            and not _falls_back(handler, endpoint.node)
            and not (endpoint.is_websocket and self._ends_connection(handler, context))
            for handler in node.handlers
        )

    def _is_allowed(self, handler: ast.ExceptHandler, context: Context) -> bool:
        allowed = {canonical(name) for name in context.settings.allowed_exceptions}
        names = [qualified_name(context.resolve(caught)) or "" for caught in _caught(handler)]
        return bool(names) and all(
            name in allowed or name.rpartition(".")[2] in allowed for name in names
        )

    def _ends_connection(self, handler: ast.ExceptHandler, context: Context) -> bool:
        """Whether a WebSocket's handler is for disconnects, or only ends the connection."""
        caught = [context.resolve(node) for node in _caught(handler)]
        if caught and all(context.model.is_subclass(value, _DISCONNECT) for value in caught):
            return True
        return all(
            isinstance(statement, _FAREWELLS) or self._says_farewell(statement)
            for statement in handler.body
        )

    def _says_farewell(self, statement: ast.stmt) -> bool:
        """A statement that only calls something: a log line, `close`, a manager's clean-up."""
        if not isinstance(statement, ast.Expr):
            return False
        call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        return isinstance(call, ast.Call | ast.Constant)


def _falls_back(handler: ast.ExceptHandler, function: FunctionNode) -> bool:
    """Whether a handler gives a name the value that the endpoint goes on with, or skips an item.

    No exception handler of the app could do that.
    """
    nodes = [node for statement in handler.body for node in ast.walk(statement)]
    if any(isinstance(node, ast.Raise | ast.Return) for node in nodes):
        return False
    if isinstance(handler.body[-1], ast.Continue):
        return True
    names: set[str] = set()
    for node in nodes:
        targets: list[ast.expr] = []
        match node:
            case ast.Assign(targets=given):
                targets = given
            case ast.AugAssign(target=one) | ast.AnnAssign(target=one):
                targets = [one]
            case ast.Call(func=ast.Attribute(value=one, attr=attr)) if attr in _FILLING:
                targets = [one]
        names.update(root.id for target in targets if (root := _root(target)) is not None)
    end = handler.end_lineno or handler.lineno
    return any(
        isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id in names
        and node.lineno > end
        for node in ast.walk(function)
    )


def _root(target: ast.expr) -> ast.Name | None:
    """The name at the beginning of `name.attribute["key"]`."""
    while isinstance(target, ast.Attribute | ast.Subscript):
        target = target.value
    return target if isinstance(target, ast.Name) else None


def _caught(handler: ast.ExceptHandler) -> list[ast.expr]:
    if handler.type is None:
        return []
    return list(handler.type.elts) if isinstance(handler.type, ast.Tuple) else [handler.type]
