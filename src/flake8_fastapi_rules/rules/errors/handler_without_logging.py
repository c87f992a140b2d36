"""FAR412: the last handler, and it says nothing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.handlers import registrations
from flake8_fastapi_rules.semantics.libraries import TRACEBACK_LOG_CALLS, is_in
from flake8_fastapi_rules.semantics.values import Constant, External, Function, Value

_CAUGHT = (External("builtins.Exception"), External("builtins.BaseException"), Constant(500))
#: What makes answers and texts of an exception.
_HARMLESS = frozenset({"fastapi", "pydantic", "starlette", "typing_extensions"})


class HandlerWithoutLogging(Rule):
    """Log in the handler for everything that nobody expected.

    ## What it does
    Reports an exception handler for `Exception` (or for status 500) that writes nothing to a log.

    ## Why it matters
    The handler for `Exception` sees the bugs. Its log line, with the traceback and the request, is
    often all there is to find them by.

    ## Example
    ```python
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse


    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "Internal error"}, status_code=500)


    def create_app() -> FastAPI:
        app = FastAPI()
        app.add_exception_handler(Exception, unexpected)
        return app
    ```

    ## Use instead
    ```python
    import logging

    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    logger = logging.getLogger(__name__)


    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s failed", request.url.path, exc_info=error)
        return JSONResponse({"detail": "Internal error"}, status_code=500)


    def add_handlers(app: FastAPI) -> None:
        app.add_exception_handler(Exception, unexpected)
    ```

    ## Leaves alone
    Handlers of other exceptions, handlers that raise again, that report to Sentry and the like,
    and that hand the exception to a function of which nothing is known.

    ## Source
    The convention of one global handler that logs.
    """

    code = "FAR412"
    message = "Handler `{name}` answers unexpected errors without logging them"
    profiles = ("strict", "clean-architecture")
    scope = "project"

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report handlers for everything that do not log, wherever they are registered."""
        if Role.EXCEPTION_HANDLER not in fact.roles:
            return
        registered = registrations(context.model, context.module, fact.node)
        functions = [each.handler for each in registered if each.caught in _CAUGHT]
        for function in functions[:1]:
            if isinstance(function, Function) and not self._may_log(function, fact.node, context):
                yield self.report(context.source.name_range(fact.node), name=fact.node.name)

    def _may_log(
        self, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef, context: Context
    ) -> bool:
        effects = context.model.effects
        if effects.logs(function) is not None:
            return True
        arguments = [*node.args.posonlyargs, *node.args.args]
        exception = arguments[-1].arg if arguments else ""
        for site in effects.calls(function):
            if isinstance(site.callee, External) and is_in(site.callee.name, TRACEBACK_LOG_CALLS):
                return True
            given = [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
            if self._may_be_reporting(site.callee) and any(
                isinstance(value, ast.Name) and value.id == exception for value in given
            ):
                return True
        return any(isinstance(each, ast.Raise) for each in function.module.index.own_nodes(node))

    def _may_be_reporting(self, callee: Value) -> bool:
        """Whether nothing is known of what a function does with the exception that it is given."""
        if not isinstance(callee, External):
            return not callee
        root = callee.name.partition(".")[0]
        return root not in _HARMLESS and root not in sys.stdlib_module_names
