"""FAR326: a yield dependency that commits when the response has been sent already."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, DependencyFunction
from flake8_fastapi_rules.semantics.framework import DEPENDENCY_SCOPES, YIELD_AFTER_RESPONSE
from flake8_fastapi_rules.semantics.values import Function

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class CommitAfterResponse(Rule):
    """Commit before the response is sent.

    ## What it does
    Reports a dependency with `yield` that commits behind its `yield` (or leaves a
    `session.begin()` there), and that is injected without `scope="function"`.

    ## Why it matters
    From FastAPI 0.118 the code behind `yield` runs when the response has been sent and its
    background tasks have run. The client is told 200 or 201 before the commit is tried, and is
    not told when it fails: a broken constraint or a lost connection loses data in silence. The
    client's next request may also come before the commit and not find what it has just created.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import APIRouter, Depends
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item, session_factory

    router = APIRouter()


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with session_factory() as session:
            yield session
            await session.commit()


    @router.post("/items", status_code=201)
    async def create_item(
        name: str, session: Annotated[AsyncSession, Depends(get_session)]
    ) -> None:
        session.add(Item(name=name))
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import APIRouter, Depends
    from sqlalchemy import func, select
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item, session_factory

    router = APIRouter()


    async def get_session() -> AsyncIterator[AsyncSession]:
        \"\"\"Provide a session; it is committed before the response is sent.\"\"\"
        async with session_factory() as session, session.begin():
            yield session


    @router.get("/items/count", status_code=200, operation_id="count_items", tags=["items"])
    async def count_items(
        session: Annotated[AsyncSession, Depends(get_session, scope="function")],
    ) -> int | None:
        \"\"\"Count the items.\"\"\"
        return await session.scalar(select(func.count(Item.id)))
    ```

    ## Leaves alone
    Dependencies that are injected with `scope="function"` everywhere, those whose writing
    endpoints (or the services that they call) all commit themselves or have a route class that
    may do it, and projects on a FastAPI before 0.118.

    ## Fix safety
    Unsafe: `scope="function"` ends the dependency before the response is sent, so that what is
    sent must not need it any more (streams do). There is a fix where the dependency is injected in
    its own module only, and from FastAPI 0.121, which introduced scopes.

    ## Source
    FastAPI's release notes of 0.118 (exit code after the response) and 0.121 (`scope`).
    """

    code = "FAR326"
    message = '`{name}` commits after the response is sent; inject it with `scope="function"`'
    variants = {"old": "`{name}` commits after the response is sent; commit in the service instead"}
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "unsafe"
    hints = ("yield",)

    @on(DependencyFunction)
    def check(self, dependency: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report the commit behind the `yield`."""
        if not dependency.is_generator:
            return
        if not context.settings.fastapi_at_least(*YIELD_AFTER_RESPONSE):
            return
        function = context.resolve(dependency.node)
        if not isinstance(function, Function):
            return
        place = context.model.effects.commit_after_yield(function)
        if place is None:
            return
        uses = context.model.uses(context.module).dependencies.get(dependency.node, [])
        late = [use for use in uses if _lasts_for_the_request(use, context)]
        if not late or self._is_committed_before(function, context):
            return
        has_scopes = context.settings.fastapi_at_least(*DEPENDENCY_SCOPES)
        yield self.report(
            place,
            None if has_scopes else "old",
            name=dependency.name,
            related=[
                context.related(use.module, use.node, f"`{dependency.node.name}` is injected here")
                for use in late[:5]
            ],
            fix=self._fix(context, late)
            if has_scopes
            else Unfixable("`scope` needs FastAPI 0.121"),
        )

    def _is_committed_before(self, function: Function, context: Context) -> bool:
        """Whether all endpoints that write with the dependency commit themselves."""
        model = context.model
        commits = False
        uses = model.uses(context.module)
        for routes in uses.routes.values():
            endpoint = routes[0].function
            if endpoint is None:
                continue
            below, _ = model.all_dependencies(endpoint)
            if not any(d.function is not None and d.function.node is function.node for d in below):
                continue
            if model.effects.commit(endpoint) is not None or any(
                model.effects.may_commit_by_route(route) for route in routes
            ):
                commits = True
            elif any(r.methods is None or not set(r.methods) <= _READING for r in routes):
                return False
        return commits

    def _fix(self, context: Context, uses: list[Dependency]) -> FixMaker:
        def fix() -> Fix:
            text = text_of(context.module)
            parts = []
            for use in uses:
                call = use.marker.call
                if call is None or use.marker.call_module is not context.module:
                    raise Unfixable("it is injected in another module")
                parts.append(set_argument(text, call, "scope", '"function"'))
            seen: set[ast.Call | None] = set()
            unique = []
            for use, part in zip(uses, parts, strict=True):
                if use.marker.call not in seen:
                    seen.add(use.marker.call)
                    unique.append(part)
            return fix_of('Inject it with `scope="function"`', "unsafe", *unique)

        return fix


def _lasts_for_the_request(use: Dependency, context: Context) -> bool:
    """Whether a dependency ends after the response: by default, or because it is said."""
    scope = use.marker.argument("scope")
    return scope is None or context.model.text(use.marker.call_module, scope) == "request"
