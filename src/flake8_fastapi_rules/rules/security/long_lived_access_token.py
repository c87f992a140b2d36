"""FAR706: access tokens that live too long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.credentials import number, snake
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.per_project import is_variable_read, modules_mentioning
from flake8_fastapi_rules.semantics.scripts import is_script
from flake8_fastapi_rules.semantics.token_lifetimes import (
    CLOCKS,
    OTHER_TOKEN,
    TIMEDELTA,
    UNITS,
    added_to_clock,
    is_access_lifetime,
    seconds_of,
)
from flake8_fastapi_rules.semantics.values import External

_HOUR = 3600
_LIFETIME = re.compile(
    r"(?:^|_)(?:access_token|jwt|token|access|auth_token|jwt_token)_(?:\w+_)?"
    r"(?:expire|expires|expiry|expiration|lifetime|ttl|valid|validity|age|exp)"
    r"(?:(?:_\w+)?_?(?P<unit>seconds?|secs?|minutes?|mins?|hours?|days?|weeks)|_delta|_time)?$"
    r"|(?:^|_)(?:access_token|access_jwt)_(?P<only>seconds|minutes|hours|days|weeks)$"
)
_OTHER_CLASS = re.compile(r"refresh|reset|verif|confirm|activat|invit|unsubscribe|magic|one_time")
#: What may stand in front of `token` for the project's own tokens.
_OWN = frozenset(
    {
        "access", "account", "admin", "api", "app", "auth", "authentication", "bearer", "client",
        "customer", "default", "jwt", "login", "member", "oauth", "oauth2", "secret", "session",
        "staff", "user", "web",
    }
)  # fmt: skip
#: What a module mentions that makes tokens.
_TOKEN_LIBRARIES = ("jwt", "jose", "authlib")


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
        if node.value is None or isinstance(context.module.index.function_of(node), FUNCTIONS):
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                continue
            name = snake(target.id)
            found = _LIFETIME.search(name)
            if found is None or OTHER_TOKEN.search(name) or name.startswith(("max_", "cache_")):
                continue  # what may be asked for, or is remembered of it, not what is given
            if "access" not in name and OTHER_TOKEN.search(context.module.name.rpartition(".")[2]):
                continue  # `TOKEN_EXPIRE_MINUTES` in `password_reset.py`
            owner = context.module.index.class_of(node)
            if owner is not None and _OTHER_CLASS.search(snake(owner.name)):
                continue
            if self._is_of_another(name, found, owner, context):
                continue
            value = node.value
            if isinstance(value, ast.Call):
                value = self._default(value, context) or value
            unit = found["unit"] or found["only"]
            if isinstance(value, ast.Call) and context.resolve(value.func) == TIMEDELTA:
                amount = seconds_of(context.model, context.module, value)
            elif unit is not None:
                amount = number(context.model, context.module, value)
                amount = amount * UNITS[unit] if amount is not None else None
            else:
                continue
            if amount is not None and not self._is_left_over(target, context):
                yield from self._judge(node.value, amount)

    def _is_of_another(
        self, name: str, found: re.Match[str], owner: ast.ClassDef | None, context: Context
    ) -> bool:
        """Whether a plain `token` is that of another service, or of what its class makes."""
        if not name[found.start() :].lstrip("_").startswith("token"):
            return False
        lead = {word for word in name[: found.start()].split("_") if word}
        if lead - _OWN and not any(each in context.source.text for each in _TOKEN_LIBRARIES):
            return True
        for kind in lead - _OWN:  # `create_survey_token`
            for module in modules_mentioning(context.model, context.module, f"_{kind}_token"):
                if any(f"_{kind}_token" in f"_{each.name}" for each in module.index.functions):
                    return True
        made = [each.name for each in owner.body if isinstance(each, FUNCTIONS)] if owner else []
        return any("token" in each and _OTHER_CLASS.search(each) for each in made)

    def _is_left_over(self, target: ast.Name, context: Context) -> bool:
        """Whether nothing reads a constant in a module of other things: it was copied there."""
        index = context.module.index
        return (
            index.class_of(target) is None
            and bool(index.functions or index.nodes(ast.ClassDef))
            and not any(library in context.source.text for library in _TOKEN_LIBRARIES)
            and not is_variable_read(context.model, context.module, target.id)
        )

    @on_calls(("JWTStrategy", "time", "timedelta", "timestamp"))
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report lifetimes given to what makes access tokens."""
        callee = context.library_object(call.func)
        if callee is not None and callee.name == "fastapi_users.authentication.JWTStrategy":
            given = argument(call, "lifetime_seconds", 1)
            lifetime = number(context.model, context.module, given)
            if given is not None and lifetime is not None and not self._is_named(given):
                yield from self._judge(given, lifetime)
            return
        if is_script(context.module) or is_for_development(context.module, call):
            return
        if callee in CLOCKS:
            for time, amount in added_to_clock(context.module, call):
                seconds = number(context.model, context.module, amount)
                if seconds is None or self._is_named(amount):
                    continue
                if is_access_lifetime(context.model, context.module, time):
                    yield from self._judge(amount, seconds)
        if callee != TIMEDELTA:
            return
        if any(self._is_named(each) for each in (*call.args, *(k.value for k in call.keywords))):
            return
        seconds = seconds_of(context.model, context.module, call)
        if seconds is not None and any(
            is_access_lifetime(context.model, context.module, use)
            for use in self._uses(call, context)
        ):
            yield from self._judge(call, seconds)

    def _uses(self, call: ast.Call, context: Context) -> Iterator[ast.expr]:
        """Where a lifetime is added to a time: at the call itself, or where its constant is."""
        yield call
        parent = context.module.index.parents.get(call)
        if not isinstance(parent, ast.Assign | ast.AnnAssign) or (
            context.module.index.function_of(parent) is not None
        ):
            return
        target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
        if isinstance(target, ast.Name) and not any(
            known.search(snake(target.id)) for known in (_LIFETIME, OTHER_TOKEN)
        ):
            owner = context.module.index.class_of(parent)
            if owner is None:
                for name in context.module.index.nodes(ast.Name):
                    if name.id == target.id and isinstance(name.ctx, ast.Load):
                        yield name
                return
            for read in context.module.index.nodes(ast.Attribute):
                if read.attr == target.id and isinstance(read.ctx, ast.Load):
                    if getattr(read.value, "id", "") in {"self", "cls", owner.name}:
                        yield read

    def _judge(self, node: ast.expr, seconds: float) -> Iterator[Report]:
        if seconds > _HOUR:
            yield self.report(node, hours=f"{seconds / _HOUR:g}")

    def _default(self, call: ast.Call, context: Context) -> ast.expr | None:
        callee = context.library_object(call.func)
        if callee == External("pydantic.Field"):
            return argument(call, "default", 0)
        return None

    def _is_named(self, node: ast.expr) -> bool:
        """Whether a lifetime is a constant or setting that is reported where it is set."""
        return any(
            isinstance(each, ast.Name | ast.Attribute)
            and _LIFETIME.search(snake(getattr(each, "id", "") or getattr(each, "attr", "")))
            for each in ast.walk(node)
        )
