"""FAR410: a handler for half of the HTTP errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.imports import replace_references
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import ExceptionHandler
from flake8_fastapi_rules.semantics.handlers import registrations
from flake8_fastapi_rules.semantics.values import External, Function

_OURS = "fastapi.HTTPException"
_STARLETTE = "starlette.exceptions.HTTPException"


class FastapiHttpExceptionHandler(Rule):
    """Register the handler of HTTP errors for Starlette's `HTTPException`.

    ## What it does
    Reports an exception handler that is registered for FastAPI's own `HTTPException`.

    ## Why it matters
    FastAPI's `HTTPException` derives from Starlette's, and Starlette raises its own: for paths
    without a route (404), for wrong methods (405), and in mounted apps. These pass the handler by,
    and clients get two kinds of error bodies.

    ## Example
    ```python
    from fastapi import FastAPI, HTTPException, Request
    from fastapi.responses import JSONResponse


    async def failed(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code)


    def create_app() -> FastAPI:
        app = FastAPI()
        app.add_exception_handler(HTTPException, failed)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException


    async def failed(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code)


    def add_handlers(app: FastAPI) -> None:
        app.add_exception_handler(HTTPException, failed)
    ```

    ## Leaves alone
    Handlers of Starlette's exception, of subclasses and of statuses, and modules that register a
    handler for Starlette's exception as well.

    ## Fix safety
    The handler is registered for Starlette's exception, which includes FastAPI's. It answers more
    than before, which is the point.

    ## Source
    FastAPI's documentation on handling errors.
    """

    code = "FAR410"
    message = "Starlette's own 404 and 405 pass this handler by; register it for Starlette's class"
    profiles = ("strict",)
    fix = "safe"
    hints = ("exception_handler",)

    @on(ExceptionHandler)
    def check(self, fact: ExceptionHandler, context: Context) -> Iterator[Report]:
        """Report handlers for FastAPI's `HTTPException`."""
        if fact.caught != External(_OURS):
            return
        if any(
            other.caught == External(_STARLETTE) and other.app == fact.app
            for other in context.facts(ExceptionHandler)
        ):
            return
        place = fact.caught_node or fact.node
        yield self.report(place, fix=partial(self._fix, fact, context))

    def _fix(self, fact: ExceptionHandler, context: Context) -> Fix:
        if fact.caught_node is None:
            raise Unfixable("it is registered by a table that stands elsewhere")
        edits = replace_references(
            text_of(context.module),
            [fact.caught_node, *self._annotation(fact, context)],
            "starlette.exceptions",
            "HTTPException",
            alias="StarletteHTTPException",
        )
        return fix_of("Use Starlette's `HTTPException`", "safe", edits)

    def _annotation(self, fact: ExceptionHandler, context: Context) -> list[ast.expr]:
        """What the handler's exception is annotated with, where nothing else is given to it."""
        handler = fact.handler
        if not isinstance(handler, Function) or handler.module is not context.module:
            return []
        if not isinstance(handler.node, FUNCTIONS) or len(handler.node.args.args) != 2:
            return []
        annotation = handler.node.args.args[1].annotation
        is_ours = annotation is not None and context.resolve(annotation) == fact.caught
        if annotation is None or not is_ours:
            return []
        others = registrations(context.model, context.module, handler.node)
        known = {External(_OURS), External(_STARLETTE)}
        return [annotation] if all(other.caught in known for other in others) else []
