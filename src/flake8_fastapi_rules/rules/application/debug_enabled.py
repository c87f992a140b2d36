"""FAR118: an app that shows its tracebacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of, remove_named_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.facts import App

#: Conditions under which tracebacks are wanted.
_ASKED = re.compile(r"(?i)debug|\bdev(?:elopment)?\b|is_dev|is_local")


class DebugEnabled(Rule):
    """Do not switch on the debug mode of an app in its code.

    ## What it does
    Reports `FastAPI(debug=True)`, and `debug=True` that a subclass hands on to it.

    ## Why it matters
    With `debug` every unexpected error answers the traceback, source lines included, to whoever
    sent the request; the app's own handler for `Exception` is not asked. A literal is the same in
    production as on a laptop.

    ## Example
    ```python
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        return FastAPI(debug=True)
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI

    from shop.lifespan import lifespan
    from shop.settings import Settings


    def create_app(settings: Settings) -> FastAPI:
        return FastAPI(
            title="Shop",
            version="1.0.0",
            description="Sells things.",
            debug=settings.debug,
            lifespan=lifespan,
        )
    ```

    ## Leaves alone
    Values that come from settings or variables.

    ## Fix safety
    Removing the argument changes nothing but the answers to unexpected errors; safe.

    ## Source
    `starlette.middleware.errors.ServerErrorMiddleware` (1.10).
    """

    code = "FAR118"
    message = "`debug=True` shows tracebacks to every client; take it from the settings"
    profiles = ("recommended",)
    fix = "safe"
    hints = ("debug",)

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report the literal argument."""
        yield from self._check(app.node, app.arguments.get("debug"), context)

    @on_calls(("__init__",))
    def check_subclass(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report what a subclass hands on to `FastAPI`."""
        debug = next((each.value for each in call.keywords if each.arg == "debug"), None)
        if debug is not None and context.model.initialises_app(context.module, call):
            yield from self._check(call, debug, context)

    def _check(self, call: ast.Call, debug: ast.expr | None, context: Context) -> Iterator[Report]:
        if _is_asked_for(call, context):
            return
        if isinstance(debug, ast.Constant) and debug.value is True:
            yield self.report(debug, fix=lambda: self._fix(call, context))

    def _fix(self, call: ast.Call, context: Context) -> Fix:
        edits = remove_named_argument(text_of(context.module), call, "debug")
        return fix_of("Remove `debug=True`", "safe", edits)


def _is_asked_for(call: ast.Call, context: Context) -> bool:
    """Whether a condition asks for it: `if settings.debug: app = FastAPI(debug=True)`."""
    child: ast.AST = call
    for above in context.module.index.ancestors(call):
        if isinstance(above, ast.If) and child in above.body:
            if _ASKED.search(ast.unparse(above.test)):
                return True
        child = above
    return False
