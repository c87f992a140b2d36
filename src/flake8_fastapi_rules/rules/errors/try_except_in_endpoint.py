"""FAR401: an endpoint that handles exceptions itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, ModuleIndex
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.catching import types_caught
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.names import canonical
from flake8_fastapi_rules.semantics.values import FunctionNode, qualified_name

_SOCKET = "starlette.websockets.WebSocket"
_DISCONNECT = "starlette.websockets.WebSocketDisconnect"
_SENDING = frozenset({"send", "send_bytes", "send_json", "send_text"})
#: What a WebSocket handler may do to end a connection that is lost already.
_FAREWELLS = (ast.Pass, ast.Return, ast.Break, ast.Continue, ast.Raise)


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
    and handlers that only log, close the socket or end; functions nested in the endpoint that may
    run after it, and endpoints that are generators, since a stream's exceptions come too late for
    any handler; dependencies; the types of the option `allowed-exceptions`.

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
            for function in (endpoint.node, *_called_at_once(endpoint.node, index))
            for node in index.own_nodes(function)
            if isinstance(node, ast.Try | ast.TryStar)
            and self._is_reported(node, endpoint, context)
        ]
        tries.sort(key=lambda node: node.lineno)
        if tries:
            variant = "many" if len(tries) > 1 else None
            yield self.report(tries[0], variant, name=endpoint.node.name, count=len(tries))

    def _is_reported(
        self, node: ast.Try | ast.TryStar, endpoint: Endpoint, context: Context
    ) -> bool:
        return any(
            not self._is_allowed(handler, context)
            and not (endpoint.is_websocket and self._ends_connection(handler, context))
            for handler in node.handlers
        )

    def _is_allowed(self, handler: ast.ExceptHandler, context: Context) -> bool:
        allowed = {canonical(name) for name in context.settings.allowed_exceptions}
        names = [qualified_name(context.resolve(caught)) or "" for caught in types_caught(handler)]
        return bool(names) and all(
            name in allowed or name.rpartition(".")[2] in allowed for name in names
        )

    def _ends_connection(self, handler: ast.ExceptHandler, context: Context) -> bool:
        """Whether a WebSocket's handler is for disconnects, or only ends the connection."""
        caught = [context.resolve(node) for node in types_caught(handler)]
        if caught and all(context.model.is_subclass(value, _DISCONNECT) for value in caught):
            return True
        if self._answers(handler, context):
            return False
        return all(
            isinstance(statement, _FAREWELLS) or self._says_farewell(statement)
            for statement in handler.body
        )

    def _answers(self, handler: ast.ExceptHandler, context: Context) -> bool:
        """Whether a handler tells the client of an error and goes on with the conversation."""
        last = handler.body[-1]
        if isinstance(last, ast.Return | ast.Break | ast.Raise):
            return False
        called = {
            node.func.attr: node.func.value
            for statement in handler.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        return "close" not in called and any(
            context.model.is_instance(context.resolve(called[name]), _SOCKET)
            for name in _SENDING & called.keys()
        )

    def _says_farewell(self, statement: ast.stmt) -> bool:
        """A statement that only calls something: a log line, `close`, a manager's clean-up."""
        if isinstance(statement, ast.If):  # `if ws.client_state is not DISCONNECTED: ...`
            return all(
                isinstance(each, _FAREWELLS) or self._says_farewell(each)
                for each in (*statement.body, *statement.orelse)
            )
        if not isinstance(statement, ast.Expr):
            return False
        call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        return isinstance(call, ast.Call | ast.Constant)


def _called_at_once(function: FunctionNode, index: ModuleIndex) -> Iterator[FunctionNode]:
    """The functions nested in an endpoint that it only calls, so that they end before it does."""
    own = index.own_nodes(function)
    for nested in own:
        if not isinstance(nested, FUNCTIONS) or nested.decorator_list or index.is_generator(nested):
            continue
        uses = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and node.id == nested.name
        ]
        calls = [node.func for node in own if isinstance(node, ast.Call)]
        is_awaited = isinstance(nested, ast.AsyncFunctionDef)
        if uses and all(
            any(use is func for func in calls)
            and isinstance(call := index.parents.get(use), ast.Call)
            and (not is_awaited or isinstance(index.parents.get(call), ast.Await))
            for use in uses
        ):
            yield nested
