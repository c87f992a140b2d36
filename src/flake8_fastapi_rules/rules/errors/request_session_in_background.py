"""FAR415: a request's own session handed to a background task."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine, Parameter
from flake8_fastapi_rules.semantics.libraries import SESSIONS
from flake8_fastapi_rules.semantics.values import Function


class RequestSessionInBackground(Rule):
    """Open a session of its own in a background task.

    ## What it does
    Reports a database session, or another value of a dependency with `yield`, that is passed to
    `BackgroundTasks.add_task` or `BackgroundTask`.

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
    Session factories, identifiers and other plain values, and dependencies without `yield` that
    are no sessions.

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
        if routine.starter != "add_task" or not isinstance(routine.in_function, FUNCTIONS):
            return
        function = Function(routine.module, routine.in_function)
        if not context.model.roles(function):
            return
        parameters = {p.name: p for p in context.model.parameters(function)}
        given = list(routine.arguments)
        if isinstance(routine.node, ast.Call):
            given += [keyword.value for keyword in routine.node.keywords]
        if not isinstance(routine.target_node, ast.Name | None):
            # `session.commit`, `lambda: session.commit()`, `Service(session).run`
            given += [n for n in ast.walk(routine.target_node) if isinstance(n, ast.Name)]
        for argument in dict.fromkeys(given):
            if isinstance(argument, ast.Name) and argument.id in parameters:
                parameter = parameters[argument.id]
                if context.module.index.lookup(argument.id, argument) is None:
                    continue
                kind = self._kind(parameter, context)
                if kind is not None:
                    variant = None if kind == "session" else "other"
                    yield self.report(argument, variant, name=argument.id)

    def _kind(self, parameter: Parameter, context: Context) -> str | None:
        """`session`, `other` for what a dependency with `yield` gives, or `None`."""
        dependency = context.model.dependency_of(parameter)
        if dependency is None:
            return None
        typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
        provided = context.model.provided(dependency)
        if any(context.model.is_instance(value, *SESSIONS) for value in (typed, provided)):
            return "session"
        function = dependency.function
        if function is not None and function.module.index.is_generator(function.node):
            return "other"
        return None
