"""FAR226: a route decorator that decorates nothing."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route


class UncalledRouteDecorator(Rule):
    """Call the route decorator with a path.

    ## What it does
    Reports `@router.get` and the other route decorators when they are not called.

    ## Why it matters
    `router.get` takes the function for its path and returns a decorator: no route is registered,
    the function's name now stands for that decorator, and no error tells.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get
    async def read_items() -> list[str]:
        return []
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("", status_code=200, operation_id="count_items")
    async def count_items(kind: Annotated[str, Query(max_length=20)] = "all") -> int:
        \"\"\"Count the items of a kind.\"\"\"
        return 0
    ```

    ## Leaves alone
    Methods of the same names on other objects.

    ## Source
    Seen with FastAPI 0.165: `app.routes` does not grow.
    """

    code = "FAR226"
    message = "`@{name}` is not called: no route is registered; write `@{name}(path)`"
    profiles = ("recommended",)
    is_bug = True

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report decorators without a call."""
        if route.style == "decorator" and route.call is None:
            yield self.report(route.node, name=context.source.segment(route.node))
