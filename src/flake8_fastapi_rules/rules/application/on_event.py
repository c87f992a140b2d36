"""FAR103: start-up and shut-down code in event handlers."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.lifespan import (
    lifespan_from_events,
    lifespan_group,
    speaks_of_router_events,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App, EventHandler
from flake8_fastapi_rules.semantics.framework import ROUTER
from flake8_fastapi_rules.semantics.values import Instance


class OnEvent(Rule):
    """Use one lifespan instead of start-up and shut-down event handlers.

    ## What it does
    Reports `@app.on_event(...)`, `@router.on_event(...)`, `add_event_handler(...)` and the
    arguments `on_startup=` and `on_shutdown=`.

    ## Why it matters
    Event handlers are deprecated. They cannot share a local variable, so that what is opened at
    start-up ends in a global; they are ignored in silence as soon as the app has a lifespan
    (FAR105); and with Starlette 1.0 the app's `add_event_handler` is gone. A lifespan keeps opening
    and closing of a resource in one place.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.on_event("startup")
    async def open_pool() -> None:
        print("open")
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.ready = True
        yield
        app.state.ready = False
    ```

    ## Leaves alone
    Methods of the same names on objects that are no FastAPI apps or routers, and other events.

    ## Fix safety
    The fix is unsafe: it adds a lifespan that calls the handlers, in their order, and passes it to
    the app. Handlers of an app that has a lifespan are called around its `yield`: until now they
    never ran. Handlers of several modules, of routers, and lifespans of another module are left to
    you.

    ## Source
    FastAPI documents lifespans as the replacement since 0.93; `FastAPI.add_event_handler` comes
    from Starlette, which removed it in 1.0.
    """

    code = "FAR103"
    message = "`{what}` is deprecated; move the code to the `lifespan` of the app"
    variants = {
        "removed": "`add_event_handler` is gone from Starlette 1.0 on; move the code to a "
        "`lifespan`"
    }
    profiles = ("recommended",)
    fix = "unsafe"
    fix_reaches_imported = True
    fix_reaches_importers = True
    hints = ("on_event", "add_event_handler", "on_startup", "on_shutdown")

    @on(EventHandler)
    def check(self, handler: EventHandler, context: Context) -> Iterator[Report]:
        """Report every way to register a handler for start-up or shut-down."""
        if handler.event not in {"startup", "shutdown", None}:
            return
        what = {
            "decorator": "on_event",
            "add": "add_event_handler",
            "argument": f"on_{handler.event}",
        }[handler.style]
        is_gone = (
            handler.style == "add"
            and context.model.is_instance(handler.receiver, "fastapi.FastAPI")
            and context.settings.starlette_at_least(1, 0)
        )
        yield self.report(
            handler.node,
            "removed" if is_gone else None,
            fix=lambda: self._fix(handler, context),
            what=what,
        )

    def _fix(self, handler: EventHandler, context: Context) -> Fix:
        app = next((a for a in context.facts(App) if a.value == handler.app), None)
        if app is None:
            raise Unfixable(_why_no_app(handler, context))
        model = context.model
        modules = model.uses(context.module).modules
        if any(speaks_of_router_events(module.index) for module in modules):
            raise Unfixable("the app may be given a lifespan otherwise")
        handlers = [known for module in modules for known in model.local(module, EventHandler)]
        edits = lifespan_from_events(text_of(context.module), app, handlers, context.resolve)
        # A test client outside of a `with` ran no handlers either; now it is told.
        return fix_of(
            "Run the handlers from a lifespan",
            "unsafe",
            edits,
            group=lifespan_group(app.node),
            leads_to=("FAR903",),
        )


def _why_no_app(handler: EventHandler, context: Context) -> str:
    """Why the app of a handler cannot be changed along with it."""
    receiver = handler.receiver
    if context.model.is_instance(receiver, ROUTER):
        return "a router's handlers run with those of the app it is included in"
    if isinstance(receiver, Instance) and receiver.call is not None:
        return "the app is made in another module"
    return "it cannot be told which app it belongs to"
