"""FAR616: one database query for each turn of a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import COMPREHENSIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.libraries import ORM_WRITES, QUERIES, is_in
from flake8_fastapi_rules.semantics.values import External, Function


class QueryInLoop(Rule):
    """Query once instead of once per element.

    ## What it does
    Reports a database query inside of a loop or comprehension, in FastAPI code; of `while` loops,
    only in those that empty a list.

    ## Why it matters
    A page with fifty rows makes fifty round trips besides the first. The time of the request grows
    with the data, and the connection is held all that time. One query with `in_()`, a join or a
    loading option fetches the same.

    ## Example
    ```python
    from typing import Annotated
    from uuid import UUID

    from fastapi import APIRouter, Depends, Query
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item, get_session

    router = APIRouter()


    @router.get("/names")
    async def names(
        ids: Annotated[list[UUID], Query()],
        session: Annotated[AsyncSession, Depends(get_session)],
    ) -> list[str]:
        found = []
        for item_id in ids:
            item = await session.get(Item, item_id)
            found.append(item.name)
        return found
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item


    async def names(ids: list[UUID], session: AsyncSession) -> list[str]:
        return list(await session.scalars(select(Item.name).where(Item.id.in_(ids))))
    ```

    ## Leaves alone
    What is iterated over, what a loop returns (it only tries again), `while` loops that page
    through a result, and code outside of FastAPI's functions.

    ## Source
    SQLAlchemy's documentation on relationship loading: the N plus one problem.
    """

    code = "FAR616"
    message = "`{call}` queries the database in a loop; use one query for all"
    profiles = ("opt-in",)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report queries that a loop repeats."""
        value = context.resolve(function.node)
        if not isinstance(value, Function):
            return
        for site in context.model.effects.calls(value):
            callee = site.callee
            if isinstance(callee, External) and (
                is_in(callee.name, QUERIES) or is_in(callee.name, ORM_WRITES)
            ):
                if self._is_repeated(function, site.node):
                    name = context.model.effects.spoken_call(site)
                    yield self.report(site.node, call=name)

    def _is_repeated(self, function: FrameworkFunction, call: ast.Call) -> bool:
        """Whether a loop of the function evaluates the call once for each element."""
        child: ast.AST = call
        for parent in function.module.index.ancestors(call):
            if parent is function.node:
                return False
            if isinstance(parent, ast.Return):
                return False  # the loop tries again until one succeeds
            if isinstance(parent, ast.For | ast.AsyncFor) and child in parent.body:
                return True
            if isinstance(parent, ast.While) and child in parent.body and _goes_through(parent):
                return True
            if isinstance(parent, ast.comprehension) and child is not parent.iter:
                return True
            if isinstance(parent, COMPREHENSIONS) and not isinstance(child, ast.comprehension):
                return True
            child = parent
        return False


def _goes_through(loop: ast.While) -> bool:
    """Whether a loop takes one element of a collection after the other.

    That is `while ids: ids.pop()` or `while i < len(ids): ...`.
    """
    match loop.test:
        case ast.Compare(left=ast.Name(), comparators=[ast.Call(func=ast.Name(id="len"))]):
            return True
    if not isinstance(loop.test, ast.Name):
        return False
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"pop", "popleft"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == loop.test.id
        for statement in loop.body
        for node in ast.walk(statement)
    )
