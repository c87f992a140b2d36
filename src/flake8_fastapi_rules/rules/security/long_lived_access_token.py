"""FAR706: access tokens that live too long."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, targets_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.credentials import number
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.scripts import is_script
from flake8_fastapi_rules.semantics.token_lifetimes import (
    CLOCKS,
    TIMEDELTA,
    added_to_clock,
    is_access_lifetime,
    is_constant_left_over,
    is_constant_of_access,
    mentions_constant_of_access,
    seconds_of,
    seconds_of_constant,
    uses_of_lifetime,
)

_HOUR = 3600


class LongLivedAccessToken(Rule):
    """Let access tokens expire within the hour.

    ## What it does
    Reports access tokens that live for more than an hour: constants and settings that say so, the
    lifetime given to a function that makes them, and the `exp` claim itself.

    ## Why it matters
    A signed token cannot be taken back. Whoever gets hold of one can use it for as long as it
    lives, and so can the user whose rights were withdrawn. Short access tokens and a refresh token
    that can be revoked keep that time short and users logged in.

    ## Example
    ```python
    ACCESS_TOKEN_EXPIRE_MINUTES = 60 * 24 * 7
    ```

    ## Use instead
    ```python
    ACCESS_TOKEN_EXPIRE_MINUTES = 15
    ```

    ## Leaves alone
    Lifetimes of an hour or less, and those that come from the environment. Tokens for something
    else: to refresh, to reset a password, to verify an address, as their name or the class that
    holds the constant says; personal access tokens, which are keys; tokens of another service.
    Constants that nothing reads in a module that makes no tokens, what scripts (`#!`) make, and
    lifetimes under a condition that speaks of development.

    ## Source
    RFC 9700, section 4.14; OAuth 2.0 for browser-based apps.
    """

    code = "FAR706"
    message = "Access tokens live {hours} hours; an hour is enough with a refresh token"
    profiles = ("recommended",)
    hints = ("oken", "TOKEN", "jwt", "JWT")

    @on(ast.Assign, ast.AnnAssign)
    def check_constant(
        self, node: ast.Assign | ast.AnnAssign, context: Context
    ) -> Iterator[Report]:
        """Report constants and settings that are lifetimes of access tokens."""
        model, module = context.model, context.module
        if node.value is None or isinstance(module.index.function_of(node), FUNCTIONS):
            return
        for target in targets_of(node):
            if isinstance(target, ast.Name) and is_constant_of_access(model, module, target):
                seconds = seconds_of_constant(model, module, target.id, node.value)
                if seconds is not None and not is_constant_left_over(model, module, target):
                    yield from self._judge(node.value, seconds)

    @on_calls(("JWTStrategy", "time", "timedelta", "timestamp"))
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report lifetimes given to what makes access tokens."""
        model, module = context.model, context.module
        callee = context.library_object(call.func)
        if callee is not None and callee.name == "fastapi_users.authentication.JWTStrategy":
            given = argument(call, "lifetime_seconds", 1)
            lifetime = number(model, module, given)
            if given is not None and lifetime is not None:
                if not mentions_constant_of_access(given):
                    yield from self._judge(given, lifetime)
            return
        if is_script(module) or is_for_development(module, call):
            return
        if callee in CLOCKS:
            for time, amount in added_to_clock(module, call):
                seconds = number(model, module, amount)
                if seconds is None or mentions_constant_of_access(amount):
                    continue
                if is_access_lifetime(model, module, time):
                    yield from self._judge(amount, seconds)
        if callee != TIMEDELTA:
            return
        parts = (*call.args, *(keyword.value for keyword in call.keywords))
        if any(mentions_constant_of_access(each) for each in parts):
            return
        seconds = seconds_of(model, module, call)
        if seconds is not None and any(
            is_access_lifetime(model, module, use) for use in uses_of_lifetime(module, call)
        ):
            yield from self._judge(call, seconds)

    def _judge(self, node: ast.expr, seconds: float) -> Iterator[Report]:
        if seconds > _HOUR:
            yield self.report(node, hours=f"{seconds / _HOUR:g}")
