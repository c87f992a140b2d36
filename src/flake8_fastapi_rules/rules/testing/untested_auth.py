"""FAR910: protection that no test sees refuse."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.client_calls import test_requests
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.security import security_dependencies

_REFUSALS = frozenset({401, 403})


class UntestedAuth(Rule):
    """Test that protected routes refuse strangers.

    ## What it does
    Reports a route with a security dependency for which no test expects 401 or 403.

    ## Why it matters
    A lost dependency makes no other test fail: everything works, for everybody.

    ## Example
    ```python title="shop/app.py"
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from typing import Annotated

    from fastapi import Depends, FastAPI
    from fastapi.security import HTTPBearer
    from shop.handlers import add_handlers

    bearer = HTTPBearer()


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield


    def make_app(**settings: object) -> FastAPI:
        app = FastAPI(lifespan=lifespan, **settings)
        add_handlers(app)

        @app.get(
            "/health",
            status_code=200,
            operation_id="health",
            tags=["health"],
            dependencies=[Depends(bearer)],
        )
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
    # far: filename=tests/test_health.py
    from fastapi.testclient import TestClient


    def test_health_refuses_strangers(client: TestClient) -> None:
        assert client.get("/health").status_code == 401
    ```

    ## Leaves alone
    Projects without tests that use a client; routes whose path or dependencies are not certain;
    every route of a method for which some test's path cannot be told; WebSockets.

    ## Source
    The convention that authentication is tested.
    """

    code = "FAR910"
    message = "No test expects 401 or 403 of `{method} {path}`, which is protected"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the decorator (or call) of a protected route."""
        resolved = context.model.project(context.module).routes_at(route)
        tests = test_requests(context.model, context.module)
        methods = tests.methods_told(resolved)
        if route.kind is not RouteKind.HTTP or not methods:
            return
        if not all(security_dependencies(context.model, r.dependencies) for r in resolved):
            return
        requests = [call for r in resolved for call in tests.to(r)]
        if not any(tests.expects(call, _REFUSALS) for call in requests):
            yield self.report(route.node, method=" ".join(methods), path=resolved[0].path)
