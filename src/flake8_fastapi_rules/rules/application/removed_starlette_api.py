"""FAR125: what Starlette 1.0 removed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS, all_arguments
from flake8_fastapi_rules.fixes.edit import (
    add_argument,
    argument_of,
    fix_of,
    remove_argument,
    wrap,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route
from flake8_fastapi_rules.semantics.framework import APP
from flake8_fastapi_rules.semantics.values import Constant, Expression, External, Instance

_TEMPLATES = "starlette.templating.Jinja2Templates"
_TEMPLATES_ARGUMENTS = frozenset({"directory", "context_processors", "env", None})
_FILE = "starlette.responses.FileResponse"
_WSGI = "starlette.middleware.wsgi.WSGIMiddleware"
_REMOVED_METHODS = {"route": "@app.get", "add_websocket_route": "add_api_websocket_route"}


class RemovedStarletteApi(Rule):
    """Replace what Starlette 1.0 does not have any more.

    ## What it does
    Reports `@app.route(...)` and `app.add_websocket_route(...)` on an app, `TemplateResponse` with
    the template's name first, environment options of `Jinja2Templates`, `FileResponse(method=)`,
    and `WSGIMiddleware`, which is deprecated.

    ## Why it matters
    They are an `AttributeError` or a `TypeError`: most of them at import, `TemplateResponse` and
    `FileResponse` only when a request comes.

    ## Example
    ```python
    from fastapi import Request
    from fastapi.responses import HTMLResponse
    from fastapi.templating import Jinja2Templates

    templates = Jinja2Templates("templates")


    def render(request: Request) -> HTMLResponse:
        return templates.TemplateResponse("index.html", {"request": request})
    ```

    ## Use instead
    ```python
    from fastapi import Request
    from fastapi.responses import HTMLResponse
    from fastapi.templating import Jinja2Templates

    templates = Jinja2Templates("templates")


    def render(request: Request) -> HTMLResponse:
        return templates.TemplateResponse(request, "index.html")
    ```

    ## Leaves alone
    Starlette below 1.0 (by the project's bound, else the newest that its FastAPI may have);
    `APIRouter.route`, `APIRouter.add_websocket_route` and `app.websocket_route`, which remain;
    arguments that cannot be told.

    ## Fix safety
    The fix puts the request in front, if the context holds it, and removes `method=`, which did
    nothing; safe. The others are left to you.

    ## Source
    Starlette 1.0; `WSGIMiddleware` is deprecated since 0.19.
    """

    code = "FAR125"
    message = "`{what}` is gone from Starlette 1.0 on; use `{new}`"
    variants = {
        "template": "Starlette 1.0 takes the request first: `TemplateResponse(request, name, ...)`",
        "option": "`{what}` of `{owner}` is gone from Starlette 1.0 on; {new}",
        "wsgi": "`WSGIMiddleware` of Starlette is deprecated; use `a2wsgi.WSGIMiddleware`",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = (
        "TemplateResponse", "Jinja2Templates", "FileResponse", "WSGIMiddleware", ".route(",
        "websocket_route",
    )  # fmt: skip

    @on(Route)
    def check_route(self, route: Route, context: Context) -> Iterator[Report]:
        """Report routes by methods that apps lost."""
        if route.verb in _REMOVED_METHODS and context.model.is_instance(route.receiver, APP):
            if context.settings.starlette_at_least(1, 0):
                name = f"FastAPI.{route.verb}"
                yield self.report(
                    route.node,
                    fix=Unfixable("FastAPI's routes take other functions than Starlette's"),
                    what=name,
                    new=_REMOVED_METHODS[route.verb],
                )

    @on(ast.Call)
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls with arguments that are gone."""
        callee = context.library_object(call.func)
        if callee is None:
            return
        if callee.name == _WSGI and context.settings.starlette_at_least(0, 19):
            yield self.report(
                call.func, "wsgi", fix=Unfixable("`a2wsgi` may have to be installed first")
            )
        if not context.settings.starlette_at_least(1, 0):
            return
        if callee.name == f"{_TEMPLATES}.TemplateResponse":
            if self._has_name_first(call, context):
                yield self.report(call, "template", fix=lambda: self._request_first(call, context))
        elif callee.name == _TEMPLATES:
            for keyword in call.keywords:
                if keyword.arg not in _TEMPLATES_ARGUMENTS:
                    yield self.report(
                        keyword,
                        "option",
                        fix=Unfixable("an environment must be made for the options"),
                        what=f"{keyword.arg}=",
                        owner="Jinja2Templates",
                        new="use `env=`",
                    )
        elif callee.name == _FILE:
            method = argument_of(call, "method")
            if method is not None:
                yield self.report(
                    method,
                    "option",
                    fix=lambda: fix_of(
                        "Remove `method`",
                        "safe",
                        remove_argument(text_of(context.module), call, method),
                    ),
                    what="method=",
                    owner="FileResponse",
                    new="remove it",
                )

    def _has_name_first(self, call: ast.Call, context: Context) -> bool:
        if any(k.arg in {"request", None} for k in call.keywords):
            return False
        if not call.args:
            return any(k.arg == "name" for k in call.keywords)
        value = context.resolve(call.args[0])
        if not value:
            return self._has_context_next(call)
        return (
            (isinstance(value, Constant) and isinstance(value.value, str))
            or (isinstance(value, Expression) and isinstance(value.node, ast.JoinedStr))
            or (isinstance(value, Instance) and value.of == External("builtins.str"))
        )

    def _has_context_next(self, call: ast.Call) -> bool:
        """Whether what follows an unknown first argument shows that it is no request.

        Behind a request stands the name: `TemplateResponse(page, {...})` has none.
        """
        match call.args:
            case [ast.Starred(), *_]:
                return False
            case [_]:
                return not any(keyword.arg == "name" for keyword in call.keywords)
            case [_, ast.Dict() | ast.DictComp(), *_]:
                return True
            case _:
                return False

    def _request_first(self, call: ast.Call, context: Context) -> Fix:
        text = text_of(context.module)
        given = argument_of(call, "context", 1)
        given = given.value if isinstance(given, ast.keyword) else given
        code = self._request_of(call, context)
        if isinstance(given, ast.Dict):
            for key, value in zip(given.keys, given.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "request":
                    if isinstance(value, ast.Name | ast.Attribute):
                        code = text.segment(value)
        if code is None:
            raise Unfixable("it cannot be told where the request is")
        if call.args:
            return fix_of(
                "Pass the request first", "safe", wrap(text, call.args[0], f"{code}, ", "")
            )
        return fix_of("Pass the request", "safe", add_argument(text, call, f"request={code}"))

    def _request_of(self, call: ast.Call, context: Context) -> str | None:
        """The parameter of the function around a call that holds the request, if there is one."""
        function = context.module.index.function_of(call)
        if not isinstance(function, FUNCTIONS):
            return None
        names = [
            argument.arg
            for argument in all_arguments(function.args)
            if context.model.is_instance(
                context.model.resolver.annotation(context.module, argument.annotation),
                "starlette.requests.Request",
            )
        ]
        return names[0] if len(names) == 1 else None
