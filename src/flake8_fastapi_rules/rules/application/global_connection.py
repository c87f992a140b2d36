"""FAR113: a connection, session or client that is opened at import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.libraries import (
    CONVERSATIONS,
    HTTP_CLIENTS,
    RESOURCE_OPENERS,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import External, Value

_CLOSING = External("contextlib.closing")
_KINDS = frozenset({"connection", "session", "client"})
#: Words of which a text has one that opens something, unless by a class of its own.
_WORDS = frozenset(
    name.rpartition(".")[2]
    for name in (*HTTP_CLIENTS, *(name for name, r in RESOURCE_OPENERS.items() if r.kind in _KINDS))
) | {"cursor", "session"}


class GlobalConnection(Rule):
    """Open connections, sessions and HTTP clients in the lifespan or a dependency.

    ## What it does
    Reports a database connection, client (MongoDB, Redis, ...), session or cursor, and an HTTP
    client, that is opened when a module is imported, in modules with FastAPI code and in those that
    they import.

    ## Why it matters
    Importing the module needs the database, in tests and tools, too. One connection or session
    serves all requests at once, which none of them is made for: transactions of different requests
    mix, and a connection that broke stays broken. Processes that were forked share its socket. An
    HTTP client of `httpx` or `aiohttp` belongs to the event loop in which it was first used, and
    nobody closes it.

    ## Example
    ```python
    import sqlite3

    from fastapi import Depends

    connection = sqlite3.connect("shop.db")


    def get_connection() -> sqlite3.Connection:
        return connection


    Connection = Depends(get_connection)
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    import aiosqlite
    from fastapi import Depends


    async def get_connection() -> AsyncIterator[aiosqlite.Connection]:
        \"\"\"Open a connection for one request.\"\"\"
        async with aiosqlite.connect("shop.db") as connection:
            yield connection


    Connection = Annotated[aiosqlite.Connection, Depends(get_connection)]
    ```

    ## Leaves alone
    Engines, pools and session factories (FAR114), test clients, `with` statements, which close
    what they open, `if __name__ == "__main__"`, modules of Celery's tasks, and modules that no
    FastAPI code imports, such as scripts.

    ## Source
    The documentation of SQLAlchemy (a session per request), of HTTPX and of aiohttp.
    """

    code = "FAR113"
    message = "{what} is opened at import; open it in the lifespan or in a dependency"
    profiles = ("recommended",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report what importing the module opens."""
        shared = context.model.shared_state(module)
        if not (shared.is_fastapi_module(module) or _may_open(module)):
            return
        index = module.index
        opened = [
            (call, what)
            for call in index.nodes(ast.Call)
            if index.function_of(call) is None
            and index.runs_at_import(call)
            and (what := self._opened(call, context)) is not None
            and not self._is_in_with(call, context)
        ]
        if opened and shared.is_part_of_service(module) and not _is_of_worker(module):
            for call, what in opened:
                yield self.report(call, what=what)

    def _is_in_with(self, call: ast.Call, context: Context) -> bool:
        """Whether a `with` closes what is opened, by itself or through `contextlib.closing`."""
        parent = context.module.index.parents.get(call)
        if isinstance(parent, ast.Call) and context.resolve(parent.func) == _CLOSING:
            parent = context.module.index.parents.get(parent)
        return isinstance(parent, ast.withitem)

    def _opened(self, call: ast.Call, context: Context) -> str | None:
        callee = context.resolve(call.func)
        if self._is_cursor(call, callee, context):
            return "A database cursor"
        if context.model.is_subclass(callee, "starlette.testclient.TestClient"):
            return None  # opens nothing by itself
        name = context.model.effects.opened_at(context.module, call)
        if name is None or name.startswith(CONVERSATIONS):
            return None
        if name in HTTP_CLIENTS or name == "requests.session":
            return "An HTTP client"
        kind = RESOURCE_OPENERS[name].kind
        return f"A database {kind}" if kind in _KINDS else None

    def _is_cursor(self, call: ast.Call, callee: Value, context: Context) -> bool:
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "cursor":
            return False
        return any(name.endswith(".cursor") for name in context.model.resolver.names_of(callee))


def _may_open(module: Module) -> bool:
    """Whether a module's own statements may open something, as its text and tree show."""
    text = module.source.text
    return any(word in text for word in _WORDS) and any(map(_calls_something, module.tree.body))


def _is_of_worker(module: Module) -> bool:
    """Whether a module has tasks of Celery and no endpoints: its worker has no lifespan."""
    text = module.source.text
    if "elery" not in text or "APIRouter" in text or "FastAPI(" in text:
        return False
    decorators = (
        each.func if isinstance(each, ast.Call) else each
        for function in module.index.functions
        for each in function.decorator_list
    )
    return any(last_name(each) in {"shared_task", "task"} for each in decorators)


def _calls_something(statement: ast.stmt) -> bool:
    """Whether a statement of a module or class may call something: a cheap test."""
    if isinstance(statement, ast.ClassDef):
        return any(map(_calls_something, statement.body))
    if isinstance(statement, (*FUNCTIONS, ast.Import, ast.ImportFrom)):
        return False
    return any(isinstance(node, ast.Call) for node in ast.walk(statement))
