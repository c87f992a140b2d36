"""FAR411: exception handlers that cannot answer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.engine.source import Range
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import ExceptionHandler, FrameworkFunction, Role
from flake8_fastapi_rules.semantics.flow import may_end_without_value
from flake8_fastapi_rules.semantics.handlers import WEBSOCKET_EXCEPTIONS, registrations
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function

_WEBSOCKET = "starlette.websockets.WebSocket"


class InvalidExceptionHandler(Rule):
    """Let an exception handler take request and exception, and always answer.

    ## What it does
    Reports a function that is registered as exception handler and does not take two arguments, or
    that can end without returning a response.

    ## Why it matters
    Nothing tells before the first error: the handler is called with request and exception, fails
    with a `TypeError`, and the error that it was to answer ends as a bare 500. A handler that
    returns `None` is no better: no response is sent at all.

    ## Example
    ```python
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse


    async def missing(request: Request) -> JSONResponse:
        return JSONResponse({"detail": "missing"}, status_code=404)


    def create_app() -> FastAPI:
        app = FastAPI()
        app.add_exception_handler(KeyError, missing)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse


    async def missing(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": "missing"}, status_code=404)


    def add_handlers(app: FastAPI) -> None:
        app.add_exception_handler(KeyError, missing)
    ```

    ## Leaves alone
    Handlers of WebSocket exceptions, which have nothing to answer with, handlers that raise,
    functions below decorators that are not known, and generators.

    ## Source
    `starlette._exception_handler` and `starlette.middleware.errors` (Starlette 1.10).
    """

    code = "FAR411"
    message = "Handler `{name}` takes {count}, but is called with request and exception"
    variants = {"none": "Handler `{name}` can end without a response; return one on every path"}
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(FrameworkFunction)
    def check_function(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report a function of this module once, wherever it is registered."""
        if Role.EXCEPTION_HANDLER not in fact.roles:
            return
        for registered in registrations(context.model, context.module, fact.node):
            report = self._checked(registered, context.source.name_range(fact.node), context)
            if report is not None:
                yield report
                return

    @on(ExceptionHandler)
    def check_lambda(self, fact: ExceptionHandler, context: Context) -> Iterator[Report]:
        """Report lambdas where they are registered."""
        if isinstance(fact.handler, Function) and isinstance(fact.handler.node, ast.Lambda):
            report = self._checked(fact, fact.node, context)
            if report is not None:
                yield report

    def _checked(
        self, fact: ExceptionHandler, place: ast.AST | Range, context: Context
    ) -> Report | None:
        """What is wrong with a handler: its arity, or that it can return `None`."""
        function = fact.handler
        if not isinstance(function, Function) or not self._is_plain(function, fact, context):
            return None
        node = function.node
        name = getattr(node, "name", "lambda")
        count = _arity(function)
        if count is not None:
            if self._is_given_arguments(function, fact, context):
                return None
            return self.report(place, name=name, count=count)
        if isinstance(node, FUNCTIONS) and not self._is_for_sockets(fact, function, context):
            if not function.module.index.is_generator(node) and may_end_without_value(node.body):
                return self.report(place, "none", name=name)
        return None

    def _is_given_arguments(
        self, function: Function, fact: ExceptionHandler, context: Context
    ) -> bool:
        """Whether `functools.partial` fills some of the parameters."""
        return any(
            node.args
            and context.model.resolve(fact.module, node.func) == External("functools.partial")
            and isinstance(given := context.model.resolve(fact.module, node.args[0]), Function)
            and given.node is function.node
            for node in fact.module.index.nodes(ast.Call)
        )

    def _is_plain(self, function: Function, fact: ExceptionHandler, context: Context) -> bool:
        """Whether the function is registered as it is written."""
        decorators = getattr(function.node, "decorator_list", [])
        return all(
            isinstance(
                value := context.model.resolve(
                    function.module, d.func if isinstance(d, ast.Call) else d
                ),
                External,
            )
            and value.name.endswith((".exception_handler", "builtins.staticmethod"))
            for d in decorators
        )

    def _is_for_sockets(self, fact: ExceptionHandler, function: Function, context: Context) -> bool:
        caught = fact.caught
        if not isinstance(caught, Class | External | Constant):
            return True
        if context.model.is_subclass(caught, *WEBSOCKET_EXCEPTIONS):
            return True
        arguments = [*function.node.args.posonlyargs, *function.node.args.args]
        return any(
            context.model.is_instance(context.model.resolve(function.module, a), _WEBSOCKET)
            or "websocket" in a.arg.lower()
            for a in arguments
        )


def _arity(function: Function) -> str | None:
    """How many arguments a function takes, when it cannot take two; else `None`."""
    arguments = function.node.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    is_method = function.module.index.class_of(function.node) is not None
    if is_method and not function.bound:
        decorators = getattr(function.node, "decorator_list", ())
        if not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in decorators):
            return None
    if function.bound:
        positional -= 1
    required = positional - len(arguments.defaults)
    if any(default is None for default in arguments.kw_defaults):
        return "keyword-only arguments"
    if required > 2:
        return f"{required} arguments"
    if positional < 2 and arguments.vararg is None:
        return f"{positional} argument{'' if positional == 1 else 's'}"
    return None
