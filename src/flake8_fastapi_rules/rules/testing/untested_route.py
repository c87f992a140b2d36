"""FAR909: a route that no test requests."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.client_calls import test_requests
from flake8_fastapi_rules.semantics.facts import Route


class UntestedRoute(Rule):
    """Test every route.

    ## What it does
    Reports a route whose method and path no test of the project requests.

    ## Why it matters
    A route that is never requested in a test breaks without notice.

    ## Example
    ```python title="shop/main.py"
    from shop.app import make_app

    app_settings = {"debug": False}


    def create_app():
        app = make_app(**app_settings)
        return app
    ```
    ```python title="shop/items.py"
    from uuid import UUID

    from fastapi import APIRouter

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/{item_id}", status_code=200, operation_id="read_item")
    async def read_item(item_id: UUID) -> str:
        \"\"\"Read an item.\"\"\"
        return str(item_id)


    def include(app) -> None:
        app.include_router(router)
    ```
    ```python title="shop/app.py"
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from shop.handlers import add_handlers
    from shop.items import router


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield


    def make_app(**settings: object) -> FastAPI:
        app = FastAPI(lifespan=lifespan, **settings)
        add_handlers(app)
        app.include_router(router)

        @app.get("/health", status_code=200, operation_id="health", tags=["health"])
        async def health() -> str:
            \"\"\"Tell that the service runs.\"\"\"
            return "ok"

        return app
    ```
    ```python title="tests/test_health.py"
    from fastapi.testclient import TestClient


    def test_health(client: TestClient) -> None:
        assert client.get("/health").status_code == 200
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    def test_items(client: TestClient) -> None:
        assert client.get("/items/7").status_code == 422
    ```

    ## Leaves alone
    Projects without tests that use a client; routes whose path is not certain; every route of a
    method for which some test's path cannot be told; routes that are requested with a slash too
    many or too few, which Starlette redirects.

    ## Source
    The convention that every status of every route is tested.
    """

    code = "FAR909"
    message = "No test requests `{method} {path}`"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the decorator (or call) of a route, once for all apps that serve it."""
        resolved = context.model.project(context.module).routes_at(route)
        tests = test_requests(context.model, context.module)
        methods = tests.methods_told(resolved)
        if methods and not any(tests.to(r) for r in resolved):
            yield self.report(route.node, method=" ".join(methods), path=resolved[0].path)
