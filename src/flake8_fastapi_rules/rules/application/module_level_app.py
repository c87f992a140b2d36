"""FAR101: an app that exists as soon as its module is imported."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App


class ModuleLevelApp(Rule):
    """Build the app in a function instead of at import.

    ## What it does
    Reports a call of `FastAPI` (or of a subclass of it) that runs when the module is imported:
    bound to a module variable in any way, in a class body, or passed on directly.

    ## Why it matters
    An app in a module variable exists once per process, with whatever settings, database and
    environment were there at import time. Tests cannot build a second one with other settings,
    importing any endpoint starts everything, and import cycles creep in as soon as another module
    needs `app`. A factory such as `create_app(settings)` has none of these problems, and servers
    take it as it is: `uvicorn --factory package.main:create_app`.

    ## Example
    ```python
    from fastapi import FastAPI

    app = FastAPI()
    ```

    ## Use instead
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield


    def create_app() -> FastAPI:
        return FastAPI(
            title="Shop", version="1.0.0", description="Sells things.", lifespan=lifespan
        )
    ```

    ## Leaves alone
    Apps built inside functions and lambdas, under `if __name__ == "__main__"`, and under
    `if TYPE_CHECKING`.

    ## Source
    The convention of application factories; `uvicorn --factory` since uvicorn 0.11.6.
    """

    code = "FAR101"
    message = "App `{name}` is built at import; build it in a factory such as `create_app()`"
    variants = {"unnamed": "App is built at import; build it in a factory such as `create_app()`"}
    profiles = ("recommended",)

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report apps that no function and no guard keeps from being built at import."""
        if context.module.index.runs_at_import(app.node):
            name = app.short_name(30)
            yield self.report(app.node, None if name else "unnamed", name=name)
