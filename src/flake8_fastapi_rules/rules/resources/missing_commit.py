"""FAR613: a write on a session that nothing commits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint, Role
from flake8_fastapi_rules.semantics.values import Class, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.effects import Effects

_DATABASE_WORDS = re.compile(
    r"commit|session|transact|database|\bdb\b|_db\b|\buow\b|unit_of_work", re.IGNORECASE
)
#: Sessions that commit by themselves, or whose middleware may be told to.
_COMMITTING = re.compile(r"autocommit|fastapi_(?:async_)?sqlalchemy", re.IGNORECASE)


_SCHEME = "fastapi.security.base.SecurityBase"


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
        if evidence is None:
            return
        if any(effects.may_commit_by_route(route) for route in endpoint.routes):
            return
        if any(_is_about_sessions(each, context) for each in endpoint.node.decorator_list):
            return
        below, complete = model.all_dependencies(function)
        if not complete:
            return
        for dependency in below:
            target = dependency.function or model.callable_of(dependency.target)
            if target is None and isinstance(dependency.target, Class):
                if model.resolver.has_known_bases(dependency.target):
                    continue  # nothing but fields
            if target is None and model.is_instance(dependency.target, _SCHEME):
                continue
            if target is None or effects.commits(target) is not False:
                return
        project = model.project(endpoint.module)
        for route in project.routes_of(function):
            if not route.dependencies_complete:
                return
            if any(
                d.function is not None and effects.commit(d.function) for d in route.dependencies
            ):
                return
        if _COMMITTING.search(context.source.text):
            return
        for module in model.uses(endpoint.module).modules:
            for middleware in model.uses(endpoint.module).by_module.get(module, ()):
                if Role.MIDDLEWARE in model.roles(middleware) and _may_commit(effects, middleware):
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


def _is_about_sessions(decorator: ast.expr, context: Context) -> bool:
    """Whether a decorator may commit around the endpoint."""
    made = context.resolve(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if isinstance(made, External):
        return _DATABASE_WORDS.search(made.name) is not None
    node = getattr(made, "node", None)
    module = getattr(made, "module", None)
    if node is None or module is None:
        return _DATABASE_WORDS.search(context.source.segment(decorator)) is not None
    return _DATABASE_WORDS.search(module.source.segment(node)) is not None


def _may_commit(effects: Effects, middleware: Function) -> bool:
    """Whether a middleware commits, or calls what cannot be told where sessions are spoken of."""
    commits = effects.commits(middleware)
    if commits is not None:
        return commits
    return _DATABASE_WORDS.search(middleware.module.source.text) is not None
