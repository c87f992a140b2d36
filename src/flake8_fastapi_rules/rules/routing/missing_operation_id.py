"""FAR217: an operation whose id FastAPI makes up."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind


class MissingOperationId(Rule):
    """Name every operation yourself.

    ## What it does
    Reports a path operation without `operation_id`, in an app whose ids FastAPI makes by its
    default rule.

    ## Why it matters
    The id becomes the name of a function in every generated client. FastAPI makes it of function
    name, path and method: `read_item_items__item_id__get`. It changes, and breaks the clients,
    whenever one of the three does.

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

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=200, operation_id="count_items")
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0
    ```

    ## Leaves alone
    Operations outside of the schema, apps, routers and includes with a
    `generate_unique_id_function`, and routers that no app of the project includes (a file or two
    by themselves are taken as they are).

    ## Source
    FastAPI's documentation on generating clients.
    """

    code = "FAR217"
    message = "Operation `{name}` has no `operation_id`; generated clients depend on it"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report a route that gets a default id in some app."""
        if route.kind is not RouteKind.HTTP or "operation_id" in route.arguments:
            return
        if route.has_unknown_arguments:
            return
        for resolved in context.model.project(context.module).routes_shown(route):
            if (
                not resolved.is_plain
                and not resolved.has_explicit_id
                and resolved.has_custom_id is False
                and resolved.include_in_schema is True
            ):
                name = resolved.name or "..."
                yield self.report(route.node, name=name if len(name) < 30 else "...")
                return
