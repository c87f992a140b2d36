"""FAR701: CORS for everybody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.arguments import unpacked_arguments
from flake8_fastapi_rules.semantics.comments import comments_on
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.facts import Middleware
from flake8_fastapi_rules.semantics.middlewares import CORS, is_setting
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Constant, Instance

_EVERYTHING = re.compile(
    r"^\^?(?:(?:https?\??|\((?:\?:)?https\?\)|\((?:\?:)?https?\|https?\))(?:://)?)?"
    r"\(?(?:\.[*+]|\[\^?.*\][*+])\??\)?(?:\((?:\?:)?:\\d\+\)\?)?\$?$"
)
#: What a comment says that gives a reason for every origin.
_REASON = re.compile(
    r"(?i)\bpublic (?:\w+ )?(?:api|data|endpoint|service)|\bspec(?:s|ification)?\b|\bby design\b"
    r"|\bintention|\bdeliberate|\bon purpose\b|\bbearer\b|\b(?:no|without) cookies?\b"
    r"|\bby (?:the|a|our) (?:\w+ )?middleware\b"
)


class CorsWildcard(Rule):
    """Name the origins that may call the API from a browser.

    ## What it does
    Reports `CORSMiddleware` with `"*"` among its origins, or with a pattern that every origin
    matches.

    ## Why it matters
    Any page that a user visits may then call the API from that user's browser and read the answers,
    also inside of a company's network. With `allow_credentials=True` it does so as that user:
    Starlette answers the origin that asks instead of `*`, so that browsers send cookies.

    ## Example
    ```python
    from fastapi.middleware import Middleware
    from fastapi.middleware.cors import CORSMiddleware

    middleware = [Middleware(CORSMiddleware, allow_origins=["*"])]
    ```

    ## Use instead
    ```python
    from fastapi.middleware import Middleware
    from fastapi.middleware.cors import CORSMiddleware

    middleware = [Middleware(CORSMiddleware, allow_origins=["https://shop.example"])]
    ```

    ## Leaves alone
    Origins that come from settings, conditional ones, those of branches for development
    (`if settings.debug:`) or of settings that say so (`if origins == ["*"]:`), patterns with a host
    in them, and, without credentials, what a comment gives a reason for (a public API, a
    specification, no cookies).

    ## Source
    `starlette.middleware.cors` (1.10): `allow_explicit_origin`; CWE-942.
    """

    code = "FAR701"
    message = "Every origin may call the API from a browser; name those that should"
    variants = {
        "credentials": "Every origin may call the API as its users, with cookies; name the origins"
    }
    profiles = ("recommended",)
    hints = ("CORSMiddleware", "allow_origin")

    @on(Middleware)
    def check(self, middleware: Middleware, context: Context) -> Iterator[Report]:
        """Report the origins of CORS middleware put on an app."""
        is_made = middleware.style == "list" and not isinstance(middleware.node, ast.Call)
        if is_made or middleware.style == "wrap":
            return  # reported where it is made
        if context.model.is_subclass(middleware.target, CORS):
            call = middleware.node if isinstance(middleware.node, ast.Call) else None
            unpacked = unpacked_arguments(context.model, context.module, call) if call else {}
            yield from self._check({**unpacked, **middleware.arguments}, context)

    @on(ast.Call)
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report middleware made by hand, or listed away from an app."""
        value = context.resolve(call)
        if not isinstance(value, Instance) or value.call is not call:
            return
        is_listed = (
            context.model.is_instance(value, "starlette.middleware.Middleware")
            and bool(call.args)
            and context.model.is_subclass(context.resolve(call.args[0]), CORS)
            and not any(m.node is call for m in context.facts(Middleware))
        )
        if is_listed or context.model.is_instance(value, CORS):
            given = {k.arg: k.value for k in call.keywords if k.arg}
            unpacked = unpacked_arguments(context.model, context.module, call)
            yield from self._check({**unpacked, **given}, context)

    def _check(self, arguments: dict[str, ast.expr], context: Context) -> Iterator[Report]:
        credentials = context.resolve(arguments.get("allow_credentials"))
        variant = "credentials" if credentials == Constant(True) else None
        for name, is_open in (
            ("allow_origins", self._has_star),
            ("allow_origin_regex", self._matches_everything),
        ):
            given = arguments.get(name)
            if given is not None and is_open(given, context):
                if not (
                    is_for_development(context.module, given)
                    or self._is_chosen(given, context)
                    or (variant is None and self._is_explained(given, context))
                ):
                    yield self.report(given, variant)
                return

    def _is_chosen(self, node: ast.expr, context: Context) -> bool:
        """Whether a condition asked whether every origin is what the settings say."""
        child: ast.AST = node
        for parent in context.module.index.ancestors(node):
            if isinstance(parent, ast.If) and child in parent.body:
                if any(
                    isinstance(each, ast.Constant) and each.value == "*"
                    for each in ast.walk(parent.test)
                ):
                    return True
            child = parent
        return False

    def _is_explained(self, node: ast.expr, context: Context) -> bool:
        """Whether a comment inside of the call, or right above it, says why."""
        index = context.module.index
        call = next((each for each in index.ancestors(node) if isinstance(each, ast.Call)), node)
        return _REASON.search(comments_on(context.module, call)) is not None

    def _has_star(self, node: ast.expr, context: Context) -> bool:
        if is_setting(context.model, context.module, node):
            return False
        if context.model.text(context.module, node) == "*":
            return True
        elements: list[tuple[Module, ast.expr]] = context.model.elements(context.module, node) or []
        return any(context.model.text(home, element) == "*" for home, element in elements)

    def _matches_everything(self, node: ast.expr, context: Context) -> bool:
        text = context.model.text(context.module, node)
        return (
            text is not None
            and not is_setting(context.model, context.module, node)
            and _EVERYTHING.match(text.replace("\\/", "/").replace("\\:", ":")) is not None
        )
