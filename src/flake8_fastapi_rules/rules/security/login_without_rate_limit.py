"""FAR712: passwords that can be tried without end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import is_password_name
from flake8_fastapi_rules.semantics.facts import ParameterKind, Route, RouteKind
from flake8_fastapi_rules.semantics.libraries import LOGIN_FORMS
from flake8_fastapi_rules.semantics.schemas import body_parameters, schema_fields
from flake8_fastapi_rules.semantics.security import is_rate_limited
from flake8_fastapi_rules.semantics.values import (
    Class,
    Function,
    FunctionNode,
    Instance,
    qualified_name,
)

_LOGIN = re.compile(
    r"/(?:login|log-in|log_in|signin|sign-in|sign_in|token|access-token|access_token|authenticate)/?$"
)
#: Endpoints that log in whatever their path says, when they take a password.
_LOGIN_NAME = re.compile(
    r"^(?:user_)?(?:log_?in|sign_?in|authenticate|create_(?:session|access_token))(?:_user)?$"
)


class LoginWithoutRateLimit(Rule):
    """Limit how often somebody may try to log in.

    ## What it does
    Reports a POST operation that logs in or gives tokens, by its path or by the form it takes,
    without a rate limiter in a decorator, a dependency or the middleware.

    ## Why it matters
    Leaked lists hold billions of names and passwords; without a limit a script tries them all, and
    each try costs the server a slow password hash.

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI

    router = APIRouter()


    @router.post("/login", status_code=200)
    async def log_in(name: str) -> str:
        return name


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, Depends
    from fastapi_limiter.depends import RateLimiter


    def make_router() -> APIRouter:
        return APIRouter(dependencies=[Depends(RateLimiter(times=5, minutes=1))])
    ```

    ## Leaves alone
    Paths with parameters (tokens made for somebody else), endpoints that take a file, or nothing
    and await the token of another service, those that answer 429 by themselves, routes whose
    dependencies are not certain, and projects with middleware that cannot be told.

    ## Source
    OWASP: blocking brute force attacks.
    """

    code = "FAR712"
    message = "Nothing limits how often `{path}` may be tried; add a rate limiter"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report log-in routes that nothing slows down."""
        function = route.function
        if route.kind is not RouteKind.HTTP or "POST" not in (route.methods or ()):
            return
        if function is None or not isinstance(function.node, FUNCTIONS):
            return
        if self._tries_nothing(function.node, context) or self._is_upload(function, context):
            return
        resolved = context.model.project(context.module).routes_at(route)
        for each in resolved:
            path = each.path or route.path  # a prefix from the settings is in front of it
            if not each.dependencies_complete or path is None or "{" in path:
                return
            names = {qualified_name(d.target) for d in each.dependencies}
            if not (
                _LOGIN.search(path.lower())
                or not names.isdisjoint(LOGIN_FORMS)
                or self._takes_password(route, context)
            ):
                return
            if is_rate_limited(context.model, function.module, function.node, each.dependencies):
                return
        if any(each.status == 429 for each in context.model.effects.raises(function)):
            return  # it counts the attempts by itself
        if resolved:
            yield self.report(route.node, path=resolved[0].path or route.path)

    def _is_upload(self, function: Function, context: Context) -> bool:
        """Whether an endpoint takes a file, such as the picture of the log-in page."""
        return any(
            parameter.kind is ParameterKind.FILE for parameter in context.model.parameters(function)
        )

    def _tries_nothing(self, node: FunctionNode, context: Context) -> bool:
        """Whether an endpoint takes nothing and asks another service for a token of its own."""
        arguments = node.args
        if arguments.posonlyargs or arguments.args or arguments.kwonlyargs:
            return False
        return any(isinstance(n, ast.Await) for n in context.module.index.own_nodes(node))

    def _takes_password(self, route: Route, context: Context) -> bool:
        """Whether an endpoint named like a log-in has a password in its body."""
        function = route.function
        if function is None or not _LOGIN_NAME.match(getattr(function.node, "name", "")):
            return False
        for parameter in body_parameters(context.model, route):
            typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
            if is_password_name(parameter.alias or parameter.name):
                return True
            if isinstance(typed, Instance) and isinstance(typed.of, Class):
                if any(is_password_name(f.name) for f in schema_fields(context.model, typed.of)):
                    return True
        return False
