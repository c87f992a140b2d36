"""FAR712: passwords that can be tried without end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.libraries import LOGIN_FORMS
from flake8_fastapi_rules.semantics.security import is_rate_limited
from flake8_fastapi_rules.semantics.values import qualified_name

_LOGIN = re.compile(
    r"/(?:login|log-in|log_in|signin|sign-in|sign_in|token|access-token|access_token|authenticate)/?$"
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
    Paths with parameters (tokens made for somebody else), routes whose dependencies are not
    certain, and projects with middleware that cannot be told.

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
        resolved = context.model.project(context.module).routes_at(route)
        for each in resolved:
            if not each.dependencies_complete or each.path is None or "{" in each.path:
                return
            names = {qualified_name(d.target) for d in each.dependencies}
            if not _LOGIN.search(each.path.lower()) and names.isdisjoint(LOGIN_FORMS):
                return
            if is_rate_limited(context.model, function.module, function.node, each.dependencies):
                return
        if resolved:
            yield self.report(route.node, path=resolved[0].path)
