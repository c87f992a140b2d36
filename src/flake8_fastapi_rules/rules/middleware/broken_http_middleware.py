"""FAR803: an HTTP middleware that cannot work."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import mentions
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.flow import can_fall_through
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.middlewares import http_functions
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Constant


class BrokenHttpMiddleware(Rule):
    """Make HTTP middleware async, await `call_next`, and return a response on every path.

    ## What it does
    Reports `@app.middleware("http")` functions and `dispatch` methods of `BaseHTTPMiddleware` that
    are not async, call `call_next` without awaiting it, or can return `None`.

    ## Why it matters
    All of them fail at the first request that comes that way, with a 500: `None` is not callable,
    a coroutine is no response.

    ## Example
    ```python
    from fastapi import FastAPI, Request


    def add_middleware(app: FastAPI) -> None:
        @app.middleware("http")
        async def log(request: Request, call_next):
            response = await call_next(request)
            print(response.status_code)
    ```

    ## Use instead
    ```python
    from starlette.types import ASGIApp, Receive, Scope, Send


    class Plain:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)
    ```

    ## Leaves alone
    A middleware that answers everything by itself on every path.

    ## Source
    `BaseHTTPMiddleware.__call__` of Starlette (1.10) awaits the dispatch function and calls what it
    returns.
    """

    code = "FAR803"
    message = "HTTP middleware `{name}` can return `None`; return the response on every path"
    variants = {
        "sync": "HTTP middleware `{name}` must be `async def`",
        "unawaited": "`{name}` does not await `call_next`: it has a coroutine, not a response",
    }
    profiles = ("recommended",)
    is_bug = True
    hints = ("iddleware",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report each function once, for the first thing that is wrong with it."""
        for function in dict.fromkeys(http_functions(context.model, module)):
            name = function.name
            if isinstance(function, ast.FunctionDef):
                if not module.index.is_generator(function) and not self._hands_on(
                    function, context
                ):
                    yield self.report(function, "sync", name=name)
                continue
            unawaited = self._unawaited(function, context)
            if unawaited is not None:
                yield self.report(unawaited, "unawaited", name=name)
                continue
            if module.index.is_generator(function):
                continue
            if (
                can_fall_through(function.body)
                and not _is_stub(function)
                and not _ends_with_retry(function)
            ):
                yield self.report(function, name=name)
                continue
            for node in module.index.own_nodes(function):
                if isinstance(node, ast.Return) and (
                    node.value is None or context.resolve(node.value) == Constant(None)
                ):
                    yield self.report(node, name=name)

    def _hands_on(self, function: ast.FunctionDef, context: Context) -> bool:
        """Whether a plain function returns another one's coroutine: `return self.inner(...)`."""
        arguments = [*function.args.posonlyargs, *function.args.args]
        call_next = arguments[-1].arg if arguments else ""
        returned = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
        return bool(returned) and all(
            isinstance(node.value, ast.Call)
            and not (isinstance(node.value.func, ast.Name) and node.value.func.id == call_next)
            and not context.model.is_instance(context.resolve(node.value), RESPONSE)
            for node in returned
        )

    def _unawaited(self, function: ast.AsyncFunctionDef, context: Context) -> ast.Call | None:
        """A call of `call_next` whose coroutine is used as if it were the response."""
        arguments = [*function.args.posonlyargs, *function.args.args]
        if not arguments:
            return None
        call_next = arguments[-1].arg
        parents = context.module.index.parents
        for node in context.module.index.own_nodes(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == call_next
                and isinstance(parents.get(node), ast.Return | ast.Expr | ast.Assign)
                and not _is_awaited_later(parents.get(node), function)
            ):
                return node
        return None


def _is_awaited_later(statement: ast.AST | None, function: ast.AsyncFunctionDef) -> bool:
    """Whether the coroutine is kept in a variable that something awaits."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    name = statement.targets[0].id
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load)
        for node in ast.walk(function)
        if isinstance(node, ast.Await | ast.Call)
        for part in ast.walk(node)
    )


def _ends_with_retry(function: ast.AsyncFunctionDef) -> bool:
    """Whether the last statement tries several times, and raises when the last time failed."""
    match function.body[-1]:
        case ast.For(
            target=ast.Name(id=attempt), iter=ast.Call(func=ast.Name(id="range")), body=body
        ):
            return any(
                isinstance(node, ast.If)
                and mentions(node.test, {attempt})
                and isinstance(node.body[-1], ast.Raise | ast.Return)
                for statement in body
                for node in ast.walk(statement)
            )
        case _:
            return False


def _is_stub(function: ast.AsyncFunctionDef) -> bool:
    """An abstract method, or one without a body."""
    statements = [
        node
        for node in function.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    return not statements or all(isinstance(node, ast.Pass) for node in statements)
