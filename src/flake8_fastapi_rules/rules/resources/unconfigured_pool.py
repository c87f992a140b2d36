"""FAR608: an async engine that nobody chose pool settings for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import ASYNC_ENGINE_FACTORIES, POOL_ARGUMENTS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import first_argument
from flake8_fastapi_rules.semantics.values import Constant, Expression, External, Instance

#: What makes a URL, and its argument that names the database.
_MAKING_URLS = {"sqlalchemy.engine.URL.create": "drivername", "sqlalchemy.make_url": "name_or_url"}


class UnconfiguredPool(Rule):
    """Choose the connection pool of an async engine.

    ## What it does
    Reports `create_async_engine(...)` without a single pool setting: `pool_size`, `max_overflow`,
    `pool_timeout`, `pool_pre_ping`, `pool_recycle`, `poolclass` or the like.

    ## Why it matters
    The default of five connections and ten more is a guess. A service with more concurrent
    requests waits for connections and then fails with timeouts; many small workers with that
    default use up what the database allows. Connections that a proxy or firewall has dropped fail
    in the middle of a request unless `pool_pre_ping` is set.

    ## Example
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


    def make_engine() -> AsyncEngine:
        return create_async_engine("postgresql+asyncpg://db/shop")
    ```

    ## Use instead
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


    def make_engine() -> AsyncEngine:
        return create_async_engine(
            "postgresql+asyncpg://db/shop", pool_size=10, max_overflow=5, pool_pre_ping=True
        )
    ```

    ## Leaves alone
    SQLite, which has no such pool, calls with `**kwargs`, and modules that speak of SQLite where
    the URL cannot be told.

    ## Source
    SQLAlchemy's documentation on connection pooling.
    """

    code = "FAR608"
    message = "Async engine without pool settings; set `pool_size`, `max_overflow`, `pool_pre_ping`"
    profiles = ("strict",)
    hints = ("create_async_engine", "async_engine_from_config")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report async engines without pool settings."""
        callee = context.library_object(call.func)
        if callee is None or callee.name not in ASYNC_ENGINE_FACTORIES:
            return
        if callee.name.endswith("from_config"):
            return
        names = {keyword.arg for keyword in call.keywords}
        if None in names or names & POOL_ARGUMENTS:
            return
        if not self._may_be_sqlite(first_argument(call, "url"), context):
            yield self.report(call)

    def _may_be_sqlite(self, url: ast.expr | None, context: Context) -> bool:
        value = context.resolve(url)
        match value:
            case Instance(of=External(name), module=Module() as home, call=ast.Call() as made) if (
                name in _MAKING_URLS
            ):
                value = context.model.resolve(home, first_argument(made, _MAKING_URLS[name]))
        match value:
            case Constant(value=str() as text):
                return text.startswith("sqlite")
            case Expression(node=ast.JoinedStr(values=[ast.Constant(value=str() as text), *_])):
                return text.startswith("sqlite")
            case _:
                return "sqlite" in context.source.text.lower()
