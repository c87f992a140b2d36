"""FAR801: middleware on top of `BaseHTTPMiddleware`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Middleware
from flake8_fastapi_rules.semantics.values import Class, Function

_BASE = "starlette.middleware.base.BaseHTTPMiddleware"


class BaseHttpMiddleware(Rule):
    """Write middleware as a pure ASGI class.

    ## What it does
    Reports classes that derive from `BaseHTTPMiddleware`, its direct use, and
    `@app.middleware("http")`, which wraps the function in it.

    ## Why it matters
    `BaseHTTPMiddleware` runs the app in a task of its own and pumps the answer through a queue:
    several times the cost of a bare request, context variables that do not come back, and
    background tasks and streams that wait for each other.

    ## Example
    ```python
    from starlette.middleware.base import BaseHTTPMiddleware


    class Timing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)
    ```

    ## Use instead
    ```python
    from starlette.types import ASGIApp, Receive, Scope, Send


    class Timing:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)
    ```

    ## Leaves alone
    Middleware of libraries.

    ## Source
    The convention of pure ASGI middleware; "Limitations" of `BaseHTTPMiddleware` in Starlette.
    """

    code = "FAR801"
    message = "`{name}` is built on `BaseHTTPMiddleware`; write a pure ASGI class"
    profiles = ("strict",)
    scope = "project"
    hints = ("iddleware",)

    @on(ast.ClassDef)
    def check_class(self, node: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report classes of the project."""
        if node.bases and context.model.is_subclass(Class(context.module, node), _BASE):
            yield self.report(node, name=node.name)

    @on(Middleware)
    def check_use(self, middleware: Middleware, context: Context) -> Iterator[Report]:
        """Report decorated functions, and the class itself with a function."""
        is_class = context.model.is_subclass(middleware.target, _BASE)
        if middleware.style == "decorator" and isinstance(middleware.target, Function):
            name = getattr(middleware.target.node, "name", "lambda")
            yield self.report(middleware.node, name=name)
        elif is_class and not isinstance(middleware.target, Class):
            if middleware.arguments.get("dispatch") is not None:
                yield self.report(middleware.node, name="dispatch")
