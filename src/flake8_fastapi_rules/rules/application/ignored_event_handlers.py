"""FAR105: event handlers that never run."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import EventHandler, Lifespan
from flake8_fastapi_rules.semantics.values import Instance


class IgnoredEventHandlers(Rule):
    """Move event handlers into the lifespan that the app has.

    ## What it does
    Reports start-up and shut-down handlers of an app that is also given a `lifespan`.

    ## Why it matters
    FastAPI runs the lifespan and nothing else: the handlers are registered, and never called. No
    error says so.

    ## Example
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield


    async def open_pool() -> None:
        print("open")


    def create_app() -> FastAPI:
        app = FastAPI(lifespan=lifespan)
        app.router.add_event_handler("startup", open_pool)  # noqa: FAR103
        return app
    ```

    ## Use instead
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    async def open_pool() -> None:
        print("open")


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        await open_pool()
        yield
    ```

    ## Leaves alone
    Handlers of included routers, which do run; apps whose arguments cannot be told.

    ## Source
    `Router.lifespan_context` of Starlette: the handlers run in the default lifespan only, which a
    `lifespan` replaces. Seen with FastAPI 0.165.
    """

    code = "FAR105"
    message = "This handler never runs: the app has a `lifespan`; move the code there"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("on_event", "add_event_handler", "on_startup", "on_shutdown")

    @on(EventHandler)
    def check(self, handler: EventHandler, context: Context) -> Iterator[Report]:
        """Report handlers of an app that is certain to have a lifespan."""
        app = handler.app
        if not (isinstance(app, Instance) and app.call and app.module):
            return
        for lifespan in context.model.local(app.module, Lifespan):
            if lifespan.owner is app.call:
                where = context.related(app.module, lifespan.node, "The lifespan is given here")
                yield self.report(handler.node, related=[where])
