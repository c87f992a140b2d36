"""FAR415: a request's own session handed to a background task."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine
from flake8_fastapi_rules.semantics.request_objects import request_objects


class RequestSessionInBackground(Rule):
    """Open a session of its own in a background task.

    ## What it does
    Reports a database session, or another value of a dependency with `yield`, that is passed to
    `BackgroundTasks.add_task` or `BackgroundTask`, by FastAPI code or by a function of the project
    that always gets it from there.

    ## Why it matters
    What the dependency provides belongs to the request. From FastAPI 0.106 to 0.117, and with
    `scope="function"`, it is closed before the background task runs. In all other versions the
    connection stays checked out of the pool until the last background task has ended, and its
    transaction open: a few slow tasks and no request gets a connection any more.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import APIRouter, BackgroundTasks, Depends
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import session_factory
    from app.reports import write_report

    router = APIRouter()


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with session_factory() as session:
            yield session


    @router.post("/reports", status_code=202)
    async def report(
        background: BackgroundTasks, session: Annotated[AsyncSession, Depends(get_session)]
    ) -> None:
        background.add_task(write_report, session)
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, BackgroundTasks

    from app.reports import write_report

    router = APIRouter()


    @router.get("/report", status_code=202, operation_id="report", tags=["reports"])
    async def report(background: BackgroundTasks) -> None:
        \"\"\"Write a report; `write_report` opens a session of its own.\"\"\"
        background.add_task(write_report)
    ```

    ## Leaves alone
    Session factories, identifiers and other plain values, dependencies without `yield` that are no
    sessions, and functions that may get a session of another kind.

    ## Source
    FastAPI's documentation: dependencies with `yield` and background tasks; release notes of
    0.106 and 0.118.
    """

    code = "FAR415"
    message = "`{name}` belongs to the request; open a session of its own in the background task"
    variants = {
        "other": "`{name}` belongs to the request; make one of its own in the background task"
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(BackgroundRoutine)
    def check(self, routine: BackgroundRoutine, context: Context) -> Iterator[Report]:
        """Report arguments that the request's dependencies provide."""
        for found in request_objects(context.model, routine):
            variant = None if found.is_session else "other"
            yield self.report(found.node, variant, name=context.shown(found.named))
