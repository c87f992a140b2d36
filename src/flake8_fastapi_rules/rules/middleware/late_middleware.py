"""FAR807: middleware that is added when it is too late."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Middleware, Role
from flake8_fastapi_rules.semantics.values import Function, Instance


class LateMiddleware(Rule):
    """Add middleware while the app is built, not while it runs.

    ## What it does
    Reports `add_middleware` in a lifespan, an event handler or an endpoint, and in a function that
    only these call.

    ## Why it matters
    The stack of middleware is built with the first event that the server sends, the start of the
    lifespan included. `add_middleware` after that raises `RuntimeError`.

    ## Example
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from fastapi.middleware.gzip import GZipMiddleware


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        app.add_middleware(GZipMiddleware)
        yield


    def create_app() -> FastAPI:
        return FastAPI(lifespan=lifespan)
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI
    from fastapi.middleware.gzip import GZipMiddleware


    def add_middleware(app: FastAPI) -> None:
        app.add_middleware(GZipMiddleware, minimum_size=1000)
    ```

    ## Leaves alone
    Functions that FastAPI does not call.

    ## Source
    `Starlette.add_middleware` raises "Cannot add middleware after an application has started".
    """

    code = "FAR807"
    message = "`add_middleware` in {role} `{name}` comes too late and raises; do it in the factory"
    profiles = ("recommended",)
    is_bug = True
    hints = ("iddleware",)

    @on(Middleware)
    def check(self, middleware: Middleware, context: Context) -> Iterator[Report]:
        """Report additions inside of functions that run with the app."""
        function = context.module.index.function_of(middleware.node)
        is_added = middleware.style not in ("list", "wrap")
        if not is_added or function is None or not hasattr(function, "name"):
            return
        app = middleware.app
        if (
            isinstance(app, Instance)
            and app.module is context.module
            and app.call is not None
            and context.module.index.function_of(app.call) is function
        ):
            return  # an app that the function makes itself has not started
        for name, roles in self._running(Function(context.module, function), context):
            if roles - {Role.MIDDLEWARE}:
                role = min(role.value for role in roles - {Role.MIDDLEWARE})
                yield self.report(middleware.node, role=role, name=name)
                return

    def _running(
        self, function: Function, context: Context
    ) -> Iterator[tuple[str, frozenset[Role]]]:
        """The function itself, or those that call it where all of them are FastAPI's."""
        own = context.model.roles(function)
        if own:
            yield getattr(function.node, "name", ""), own
            return
        found = []
        for call in context.model.direct_calls(function):
            caller = call.module.index.function_of(call.node)
            if not call.is_certain or not isinstance(caller, FUNCTIONS):
                return
            roles = context.model.roles(Function(call.module, caller))
            if not roles:
                return
            found.append((caller.name, roles))
        yield from found
