"""FAR109: an operation that is declared on the app itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.framework import APP
from flake8_fastapi_rules.semantics.paths import is_health_path


class RouteOnApp(Rule):
    """Declare operations on routers.

    ## What it does
    Reports path operations that are put on an app instead of on a router.

    ## Why it matters
    Operations on the app need the app: the module that declares them imports the one that builds
    it, or grows into one file of everything. A router has prefix, tags, dependencies and responses
    in one place, and can be included by several apps, those of tests among them.

    ## Example
    ```python
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        app = FastAPI()

        @app.get("/items")
        async def read_items() -> list[str]:
            return []

        return app
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(tags=["rates"])


    @router.get("/rate", status_code=200, operation_id="read_rate")
    async def read_rate() -> float:
        \"\"\"Answer today's rate.\"\"\"
        return 1.5
    ```

    ## Leaves alone
    `/`, health, readiness and liveness paths, WebSockets, webhooks, and paths that cannot be told.

    ## Source
    FastAPI's documentation on bigger applications.
    """

    code = "FAR109"
    message = "Operation `{path}` is declared on the app; put it on an `APIRouter`"
    profiles = ("strict",)

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report routes whose receiver is an app."""
        if route.kind is not RouteKind.HTTP or route.path in {None, "", "/"}:
            return
        if route.verb == "add_route":
            return  # a plain route of Starlette is no operation
        if is_health_path(route.path, context.settings.health_paths):
            return
        if context.model.is_instance(route.receiver, APP) or self._is_own_router(route, context):
            yield self.report(route.node, path=route.path)

    def _is_own_router(self, route: Route, context: Context) -> bool:
        """Whether the receiver is `app.router`, to which the app's own methods lead."""
        match route.call:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=owner, attr="router"))):
                return context.model.is_instance(context.resolve(owner), APP)
        return False
