"""FAR613: a write on a session that nothing commits."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.committing import may_commit_around
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.values import Function


class MissingCommit(Rule):
    """Commit what you write.

    ## What it does
    Reports an endpoint that writes on a SQLAlchemy session, itself or in a function that it calls,
    where neither it nor anything that it calls nor any of its dependencies nor a middleware
    commits; and a write in a branch that returns before the `commit()` of the others.

    ## Why it matters
    A session that is closed without a commit rolls back. The endpoint answers 200 or 201, the
    objects even have their identifiers after a `flush`, and the row is never there.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import APIRouter, Depends, Request
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item

    router = APIRouter()


    async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
        \"\"\"Provide a session.\"\"\"
        async with AsyncSession(request.app.state.engine) as session:
            yield session


    @router.post("/items", status_code=201, operation_id="create_item", tags=["items"])
    async def create_item(session: Annotated[AsyncSession, Depends(get_session)]) -> None:
        \"\"\"Store an item.\"\"\"
        session.add(Item())
    ```

    ## Use instead
    ```python
    from sqlalchemy.orm import Session


    def store(session: Session, item: object) -> None:
        session.add(item)
        session.commit()
    ```

    ## Leaves alone
    Endpoints of routers with a route class of their own (it may commit after the handler), those
    that call or depend on something that cannot be resolved, sessions that commit at the end of a
    `begin()` block, and engines with autocommit.

    ## Source
    SQLAlchemy's documentation: committing, and what closing a session does.
    """

    code = "FAR613"
    message = "`{write}` is never committed: nothing on the way of `{name}` calls `commit()`"
    variants = {"left": "`{write}` is lost where `{name}` returns: nothing commits before that"}
    profiles = ("strict",)
    scope = "project"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the write of an endpoint on whose way nothing commits for certain."""
        model = context.model
        effects = model.effects
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        evidence, variant = effects.session_write(function), None
        if evidence is not None and effects.commits(function) is not False:
            evidence, variant = effects.write_left_behind(function), "left"
        if evidence is None or may_commit_around(model, endpoint):
            return
        yield self.report(
            evidence.place_in(),
            variant,
            write=evidence.what,
            name=endpoint.node.name,
            related=[context.related(evidence.module, evidence.node, evidence.what)]
            if evidence.path
            else (),
        )
