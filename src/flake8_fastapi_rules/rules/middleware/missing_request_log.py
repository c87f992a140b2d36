"""FAR809: nobody writes down the requests."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.middlewares import logs_requests, on_every_request


class MissingRequestLog(Rule):
    """Log every request in a middleware.

    ## What it does
    Reports an app with routes of which no middleware writes a log line.

    ## Why it matters
    One line per request with method, path, status and time answers most questions about a running
    service. Only a middleware sees all of them, those that fail included.

    ## Example
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from shop import RequestIds, add_handlers


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield


    class Ids:
        def __init__(self, app) -> None:
            self.app = app

        async def __call__(self, scope, receive, send) -> None:
            scope["request_id"] = "1"
            await self.app(scope, receive, send)


    def create_app() -> FastAPI:
        app = FastAPI(title="Shop", version="1", description="A shop.", lifespan=lifespan)
        app.add_middleware(Ids)
        add_handlers(app)

        @app.get("/health", status_code=200, operation_id="health", tags=["health"])
        async def health() -> str:
            \"\"\"Tell that the service runs.\"\"\"
            return "ok"

        return app
    ```

    ## Use instead
    ```python
    import logging

    from starlette.types import ASGIApp, Receive, Scope, Send

    logger = logging.getLogger(__name__)


    class AccessLog:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)
            logger.info("%s", scope["path"])
    ```

    ## Leaves alone
    Mounted apps, apps without routes, and apps with middleware of libraries that may log.

    ## Source
    The convention that every request is logged.
    """

    code = "FAR809"
    message = "No middleware of this app logs requests; add one"
    profiles = ("strict", "clean-architecture")
    scope = "project"

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report apps of which all middleware is known, and none logs."""
        known = on_every_request(context.model, app)
        if known is not None and not any(logs_requests(context.model, each) for each in known):
            yield self.report(app.node)
