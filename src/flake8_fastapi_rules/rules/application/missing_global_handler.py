"""FAR120: an app that leaves unexpected errors to the server."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import last_name, snake
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.values import Class, Constant, Expression, External, Value


class MissingGlobalHandler(Rule):
    """Answer unexpected errors in one place.

    ## What it does
    Reports an app without an exception handler for `Exception`, for status 500 or for an exception
    class of the project (one that others derive from, or that derives from no other). Handlers
    count wherever they are registered: by decorator, `add_exception_handler`,
    `exception_handlers=`, or in a function that is given the app.

    ## Why it matters
    Without one an unexpected error is answered with the plain text "Internal Server Error", in
    another format than every other error, and nothing of your own is logged or counted.

    ## Example
    ```python
    from fastapi import FastAPI


    async def health() -> str:
        return "ok"


    def create_app() -> FastAPI:
        app = FastAPI()
        app.get("/health")(health)
        return app
    ```

    ## Use instead
    ```python
    import logging

    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    logger = logging.getLogger(__name__)


    async def answer_error(request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed", exc_info=error)
        return JSONResponse({"detail": "Internal error"}, status_code=500)


    def register_handlers(app: FastAPI) -> None:
        app.add_exception_handler(Exception, answer_error)
    ```

    ## Leaves alone
    Apps without endpoints, apps mounted on others, apps given to a library's function, calls with
    `**options` that may hold handlers, and handlers for what cannot be resolved.

    ## Source
    FastAPI's documentation on handling errors.
    """

    code = "FAR120"
    message = "App `{name}` has no handler for `Exception`; register one"
    variants = {"unnamed": "This app has no handler for `Exception`; register one"}
    profiles = ("strict", "clean-architecture")
    scope = "project"

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report an app whose unexpected errors nobody handles."""
        project = context.model.project(context.module)
        for found in project.apps:
            node = found.node
            if found.call is not app.node or found.is_mounted or node.is_open or node.is_handed_out:
                continue
            if app.has_unknown_arguments and not self._tells_handlers(app, context):
                continue
            if not project.resolved_routes(found) and not project.resolved_mounts(found):
                continue
            if not any(_is_general(caught, context) for caught in node.handled):
                name = app.short_name(40)
                yield self.report(app.node, None if name else "unnamed", name=name)
                return

    def _tells_handlers(self, app: App, context: Context) -> bool:
        """Whether `**options` are written out, and hold no handlers."""
        for keyword in app.node.keywords:
            if keyword.arg is not None:
                continue
            if not isinstance(keyword.value, ast.Name | ast.Dict):
                return False  # `**self.options` may be filled elsewhere
            given = context.resolve(keyword.value)
            node = given.node if isinstance(given, Expression) else None
            if not isinstance(node, ast.Dict) or not all(
                isinstance(key, ast.Constant) and key.value != "exception_handlers"
                for key in node.keys
            ):
                return False
        return True


def _is_general(caught: Value, context: Context) -> bool:
    """Whether a handler for it answers more than errors of one library, or cannot be told."""
    match caught:
        case External("builtins.Exception" | "builtins.BaseException") | Constant(500):
            return True
        case Class():
            if not context.model.resolver.has_known_bases(caught):
                return True
            return context.model.is_subclass(caught, "builtins.Exception") and not (
                _is_one_of_many(caught, context)
            )
        case External() | Constant():
            return False
        case _:
            return True


def _is_one_of_many(cls: Class, context: Context) -> bool:
    """Whether an exception has a base of its own in the project, and nothing derives from it."""
    bases = context.model.resolver.mro(cls)[1:]
    if not any(isinstance(base, Class) for base in bases):
        return False
    name = cls.node.name
    return not any(
        any(last_name(base) == snake(name) for base in other.bases)
        for module in modules_mentioning(context.model, cls.module, name)
        for other in module.index.nodes(ast.ClassDef)
    )
