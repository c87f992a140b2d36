"""FAR603: a synchronous SQLAlchemy session in asynchronous FastAPI code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.values import Function


class SyncSessionInAsync(Rule):
    """Use an `AsyncSession` in asynchronous code.

    ## What it does
    Reports the first use of a synchronous SQLAlchemy or SQLModel session in an `async def`
    endpoint, dependency, middleware or exception handler.

    ## Why it matters
    Every query of a synchronous session blocks its thread until the database has answered, and in
    asynchronous code that thread is the event loop's: no other request makes progress meanwhile.
    Either the function is a plain `def`, so that FastAPI gives it a thread, or the session is an
    `AsyncSession`.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends
    from sqlalchemy import text
    from sqlalchemy.orm import Session

    from app.database import get_session

    router = APIRouter()


    @router.get("/version")
    async def version(session: Annotated[Session, Depends(get_session)]) -> str:
        return session.execute(text("SELECT version()")).scalar_one()
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import get_session

    router = APIRouter()


    @router.get("/version", status_code=200, operation_id="version", tags=["database"])
    async def version(session: Annotated[AsyncSession, Depends(get_session)]) -> str:
        \"\"\"Answer the version of the database server.\"\"\"
        return (await session.execute(text("SELECT version()"))).scalar_one()
    ```

    ## Leaves alone
    Plain `def` functions, `AsyncSession.run_sync`, and sessions that are only opened or closed.
    A session used by a function that is called from here is FAR602's.

    ## Source
    SQLAlchemy's documentation on asyncio; FastAPI's on concurrency.
    """

    code = "FAR603"
    message = "Synchronous session `{session}` blocks the event loop; use `AsyncSession`"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("async",)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report the first use in a function that makes the session wait for the database."""
        if not function.is_async:
            return
        effects = context.model.effects
        sites = [s for s in effects.calls_in_requests(function) if effects.is_on_session(s)]
        if not any(effects.blocking_call(site) for site in sites):
            value = context.resolve(function.node)
            if not sites or not isinstance(value, Function) or not effects.iterated_query(value):
                return
        first = min(sites, key=lambda site: (site.node.lineno, -site.node.col_offset))
        for site in sites:
            if site.node.lineno == first.node.lineno:
                yield self.report(site.node, session=_session_of(site.node))
                return


def _session_of(call: ast.Call) -> str:
    """How the session is written at the head of a chain of calls."""
    node: ast.expr = call
    while isinstance(node, ast.Call | ast.Attribute):
        inner = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Attribute) and isinstance(inner, ast.Name | ast.Attribute):
            text = ast.unparse(inner)
            return text if len(text) <= 30 else "session"
        node = inner
    return "session"
