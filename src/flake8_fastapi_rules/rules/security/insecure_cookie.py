"""FAR717: session cookies that leak."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.arguments import has_open_arguments, written_out
from flake8_fastapi_rules.semantics.credentials import (
    is_token_name,
    last_name,
    snake,
)
from flake8_fastapi_rules.semantics.facts import Middleware
from flake8_fastapi_rules.semantics.middlewares import CORS
from flake8_fastapi_rules.semantics.values import Constant, External

_SESSION = re.compile(
    r"(?:^|_)(?:session|sessionid|session_id|sid|auth|authori[sz]ation|bearer|jwt|token)(?:_|$)"
)
_CSRF = re.compile(r"(?i)csrf|xsrf")
#: Conditions that hold on a developer's machine only.
_DEVELOPMENT = re.compile(
    r"(?i)(?:^|[^a-z])(?:dev|development|debug|localhost|is_local)(?:$|[^a-z])|env\w*\W+local\b"
)
_NO_SECRET = re.compile(r"csrf|xsrf|expir|type|state_only|has_|is_|logged_in")
#: Position of the flags among the parameters of `set_cookie`.
_SECURE, _HTTPONLY, _SAMESITE = 6, 7, 8


class InsecureCookie(Rule):
    """Protect cookies that log somebody in.

    ## What it does
    Reports `set_cookie` for a session or token without `httponly=True` or `secure=True`, and with
    `samesite="none"`.

    ## Why it matters
    Without `httponly` any script that gets into the page reads the session; without `secure` the
    browser sends it over plain HTTP, where everybody on the way reads it; with `samesite="none"`
    every other site's requests carry it.

    ## Example
    ```python
    from fastapi import Response


    def remember(response: Response, token: str) -> None:
        response.set_cookie("session", token)
    ```

    ## Use instead
    ```python
    from fastapi import Response


    def remember(response: Response, token: str) -> None:
        response.set_cookie("session", token, httponly=True, secure=True, samesite="lax")
    ```

    ## Leaves alone
    Other cookies, CSRF tokens (scripts must read them), flags that come from settings, a missing
    `secure` under a condition that speaks of development, and a missing `samesite`: Starlette's
    default is `lax`; `samesite="none"` of a cookie that is safe otherwise, where the app lets other
    origins send cookies (CORS with `allow_credentials=True`).

    ## Source
    OWASP: session management; `starlette.responses.Response.set_cookie` (1.10).
    """

    code = "FAR717"
    message = "The cookie `{name}` needs {missing}"
    variants = {"unnamed": "The session cookie needs {missing}"}
    profiles = ("recommended",)
    hints = ("set_cookie",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report `set_cookie` of responses."""
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr != "set_cookie":
            return
        callee = context.resolve(func)
        model, module = context.model, context.module
        if has_open_arguments(model, module, call, elsewhere=True):
            return
        if not self._is_responses(callee, context):
            return
        given = written_out(model, module, call, elsewhere=True)
        key, value = argument(given, "key", 0), argument(given, "value", 1)
        if self._is_removed(given, value, context):
            return
        name = context.model.text(context.module, key)
        if not self._is_session(name, key, value):
            return
        function = context.module.index.function_of(call)
        if name is None and _CSRF.search(context.source.segment(function) if function else ""):
            return  # scripts must read it
        missing = [
            f"`{flag}=True`"
            for flag, position in (("httponly", _HTTPONLY), ("secure", _SECURE))
            if self._is_off(argument(given, flag, position), context)
            and not (flag == "secure" and self._is_for_development(call, context))
        ]
        site = context.model.text(context.module, argument(given, "samesite", _SAMESITE))
        if (
            site is not None
            and site.lower() == "none"
            and not self._is_cross_site(missing, context)
        ):
            missing.append('`samesite="lax"`')
        if missing:
            wanted = " and ".join(missing)
            yield self.report(call, None if name else "unnamed", name=name, missing=wanted)

    def _is_for_development(self, call: ast.Call, context: Context) -> bool:
        """Whether a condition says that the cookie is set on a developer's machine only."""
        child: ast.AST = call
        for parent in context.module.index.ancestors(call):
            if isinstance(parent, FUNCTIONS):
                return False
            if isinstance(parent, ast.If):
                said = ast.unparse(parent.test)
                if child in parent.body and _DEVELOPMENT.search(said) and "not " not in said:
                    return True
            child = parent
        return False

    def _is_removed(self, call: ast.Call, value: ast.expr | None, context: Context) -> bool:
        """Whether the cookie is emptied, or expires at once."""
        ages = (argument(call, "max_age", 2), argument(call, "expires", 3))
        return value is None or any(
            given is not None and context.resolve(given) == Constant(nothing)
            for given, nothing in ((value, ""), *((age, 0) for age in ages))
        )

    def _is_cross_site(self, missing: list[str], context: Context) -> bool:
        """Whether the cookie is meant for a front end on another site, and is safe otherwise."""
        if missing:
            return False
        model = context.model
        return any(
            model.is_subclass(middleware.target, CORS)
            and (given := middleware.arguments.get("allow_credentials")) is not None
            and model.resolve(middleware.module, given) == Constant(True)
            for module in model.uses(context.module).modules
            for middleware in model.local(module, Middleware)
        )

    def _is_responses(self, callee: object, context: Context) -> bool:
        if not callee:
            return context.module.mentions_framework
        return isinstance(callee, External) and any(
            name == "starlette.responses.Response.set_cookie"
            for name in context.model.resolver.names_of(callee)
        )

    def _is_session(self, name: str | None, key: ast.expr | None, value: ast.expr | None) -> bool:
        said = snake(name if name is not None else last_name(key) or "")
        if _NO_SECRET.search(said):
            return False
        if _SESSION.search(said):
            return True
        return is_token_name(last_name(value)) and "csrf" not in (last_name(value) or "")

    def _is_off(self, node: ast.expr | None, context: Context) -> bool:
        if node is None:
            return True
        return isinstance(node, ast.Constant) and context.resolve(node) == Constant(False)
