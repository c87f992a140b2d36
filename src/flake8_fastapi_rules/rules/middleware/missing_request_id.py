"""FAR810: requests that nobody can tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.middlewares import on_every_request, sets_request_id


class MissingRequestId(Rule):
    """Give every request an id in a middleware.

    ## What it does
    Reports an app with routes of which no middleware sets a request id.

    ## Why it matters
    The id ties together the log lines, the error answer and the client's report of one request. It
    is taken from the request's header or made, kept with the request, and sent back.

    ## Example
    ```python
    import logging
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from shop import add_handlers

    logger = logging.getLogger(__name__)


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield


    class AccessLog:
        def __init__(self, app) -> None:
            self.app = app

        async def __call__(self, scope, receive, send) -> None:
            await self.app(scope, receive, send)
            logger.info("%s", scope["path"])


    def create_app() -> FastAPI:
        app = FastAPI(title="Shop", version="1", description="A shop.", lifespan=lifespan)
        app.add_middleware(AccessLog)
        add_handlers(app)

        @app.get("/health", status_code=200, operation_id="health", tags=["health"])
        async def health() -> str:
            \"\"\"Tell that the service runs.\"\"\"
            return "ok"

        return app
    ```

    ## Use instead
    ```python
    from uuid import uuid4

    from starlette.types import ASGIApp, Receive, Scope, Send


    class RequestId:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("state", {})["request_id"] = uuid4().hex
            await self.app(scope, receive, send)
    ```

    ## Leaves alone
    Mounted apps, apps without routes, and apps with middleware of libraries that may set one.

    ## Source
    The convention that every request has an id.
    """

    code = "FAR810"
    message = "No middleware of this app sets a request id; add one"
    profiles = ("strict",)
    scope = "project"

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report apps of which all middleware is known, and none sets an id."""
        known = on_every_request(context.model, app)
        if known is not None and not any(sets_request_id(context.model, each) for each in known):
            yield self.report(app.node)
