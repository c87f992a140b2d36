"""FAR710: changes that anybody may make."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.paths import is_health_path
from flake8_fastapi_rules.semantics.security import (
    checks_access,
    has_auth_middleware,
    may_refuse,
)

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
#: How people become users, or show that they are, for which they cannot log in before.
_REGISTRATION = re.compile(
    r"register|regist|sign[-_]?up|sign[-_]?(?:in|out)(?![a-z])|log[-_](?:in|out)(?![a-z])|/auth(?:enticate)?/?$|(?:create|add|new)_(?:user|account)|/users?/?$"
    r"|(?:verify|confirm|resend)\w*[_/-](?:e?mail|code|account|phone|otp|verification|confirmation)"
    r"|(?:e?mail|code|account|phone|otp)[_/-](?:verif|confirm|activat|resend)"
    r"|resend[_/-]?(?:code|verif|confirm|e?mail)|verif[\w-]*/resend"
    r"|(?:google|github|facebook|apple|microsoft|oauth|oidc|sso)[\w-]*/(?:exchange|authori[sz]e)"
    r"|(?:request|send|generate)[_/-]?(?:[a-z]+[_/-])?otp(?![a-z])|otp[_/-](?:request|send|generat)"
    r"|magic[_/-]?link"
)


class UnauthenticatedWrite(Rule):
    """Ask who it is before anything is changed.

    ## What it does
    Reports a POST, PUT, PATCH or DELETE operation that no security dependency protects: neither
    its own, nor one of its routers, of an `include_router` or of the app.

    ## Why it matters
    Whoever finds the route can change data. Operations are protected one by one, so the forgotten
    one looks like all others.

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI

    router = APIRouter()


    @router.delete("/items/{item_id}", status_code=204)
    async def remove_item(item_id: int) -> None:
        pass


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, Depends
    from fastapi.security import HTTPBearer


    def make_router() -> APIRouter:
        return APIRouter(dependencies=[Depends(HTTPBearer())])
    ```

    ## Leaves alone
    Log-in, registration and its confirmation, tokens, password resets, web hooks (the option
    `public-paths`) and health paths; routes under a condition; endpoints that refuse somebody
    themselves; apps with middleware that may do so; and dependencies of libraries, which cannot be
    looked into.

    ## Source
    OWASP API security: broken authentication.
    """

    code = "FAR710"
    message = "Anybody may call `{method} {path}`; protect it with a security dependency"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the route of an unprotected operation."""
        if route.kind is not RouteKind.HTTP or not _WRITES & set(route.methods or ()):
            return
        resolved = context.model.project(context.module).routes_at(route)
        function = route.function
        if not resolved or function is None:
            return
        for each in resolved:
            path = each.path
            if path is None or not each.dependencies_complete or each.is_plain:
                return
            if not each.certain or self._is_public(path, context):
                return
            if any(may_refuse(context.model, d) for d in each.dependencies):
                return
        if _REGISTRATION.search(f"{getattr(function.node, 'name', '')} {resolved[0].path}"):
            return
        if checks_access(context.model, function) or has_auth_middleware(
            context.model, context.module, [route]
        ):
            return
        method = next(m for m in route.methods or () if m in _WRITES)
        yield self.report(route.node, method=method, path=resolved[0].path)

    def _is_public(self, path: str, context: Context) -> bool:
        if is_health_path(path, context.settings.health_paths):
            return True
        parts = [part for part in re.split(r"[/_.]", path.lower()) if part]
        words = {word for part in parts for word in (part, *part.split("-"))}
        return any(
            public.lower() in words or public.lower() in parts
            for public in context.settings.public_paths
        )
