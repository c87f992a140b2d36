"""FAR218: an operation that belongs to no group."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind


class MissingTags(Rule):
    """Group operations with tags.

    ## What it does
    Reports a path operation that has no tags, neither on itself nor on its routers or the includes
    that lead to it.

    ## Why it matters
    Tags are the headings of the documentation and the modules of generated clients. Operations
    without one end up together under "default".

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI

    router = APIRouter()


    @router.get("/items")
    async def list_items() -> list[str]:
        return []


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/", status_code=200, operation_id="count_items")
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0
    ```

    ## Leaves alone
    Operations outside of the schema, tags that cannot be told, and routers that no app of the
    project includes (a file or two by themselves are taken as they are).

    ## Source
    FastAPI's documentation on path operation configuration.
    """

    code = "FAR218"
    message = "Operation `{name}` has no tags; give its router some"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report a route that has no tags wherever it is served."""
        if route.kind is not RouteKind.HTTP:
            return
        found = context.model.project(context.module).routes_shown(route)
        if found and all(
            not resolved.is_plain and resolved.tags == () and resolved.include_in_schema is True
            for resolved in found
        ):
            name = found[0].name or "..."
            yield self.report(route.node, name=name if len(name) < 40 else "...")
