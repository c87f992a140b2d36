"""FAR114: an engine, pool or session factory that is made at import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import RESOURCE_OPENERS, SESSION_FACTORIES


class GlobalEngine(Rule):
    """Make engines, pools and session factories in the lifespan.

    ## What it does
    Reports a database engine, connection pool or session factory that is made when a module is
    imported, in modules with FastAPI code and in those that they import.

    ## Why it matters
    The engine takes its URL from whatever settings were there at import: tests cannot give it
    another. Its connections belong to the event loop and the process that first used them. And what
    no lifespan opened, no lifespan closes.

    ## Example
    ```python
    from fastapi import APIRouter
    from sqlalchemy.ext.asyncio import async_sessionmaker

    router = APIRouter()
    make_session = async_sessionmaker(expire_on_commit=False)


    @router.get("/ready")
    async def read_ready() -> bool:
        return True
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    from shop.settings import Settings


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = create_async_engine(Settings().database_url, pool_pre_ping=True)
        app.state.make_session = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()
    ```

    ## Leaves alone
    What functions make, `if __name__ == "__main__"`, and modules that no FastAPI code imports, such
    as migrations and scripts.

    ## Source
    The convention that a lifespan opens and closes shared resources; SQLAlchemy's documentation on
    engines, processes and event loops.
    """

    code = "FAR114"
    message = "{what} is made at import; make it in the lifespan and keep it in `app.state`"
    profiles = ("strict", "clean-architecture")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report what importing the module makes."""
        index = context.module.index
        if index.function_of(call) is not None or not index.runs_at_import(call):
            return
        what = self._made(call, context)
        if what and context.model.shared_state(context.module).is_part_of_service(context.module):
            yield self.report(call, what=what)

    def _made(self, call: ast.Call, context: Context) -> str | None:
        callee = context.resolve(call.func)
        if context.model.is_subclass(callee, *SESSION_FACTORIES):
            return "A session factory"
        name = context.model.effects.opened_at(context.module, call)
        kind = RESOURCE_OPENERS[name].kind if name else None
        return {"engine": "A database engine", "pool": "A connection pool"}.get(kind or "")
