"""FAR706: access tokens that live too long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.credentials import number, snake
from flake8_fastapi_rules.semantics.per_project import is_variable_read
from flake8_fastapi_rules.semantics.tokens import token_use
from flake8_fastapi_rules.semantics.values import External, Function

_HOUR = 3600
_SECONDS = {
    "seconds": 1, "second": 1, "sec": 1, "secs": 1, "minutes": 60, "minute": 60, "min": 60,
    "mins": 60, "hours": 3600, "hour": 3600, "days": 86400, "day": 86400, "weeks": 604800,
}  # fmt: skip
_LIFETIME = re.compile(
    r"(?:^|_)(?:access_token|jwt|token|access|auth_token|jwt_token)_(?:\w+_)?"
    r"(?:expire|expires|expiry|expiration|lifetime|ttl|valid|validity|age|exp)"
    r"(?:(?:_\w+)?_?(?P<unit>seconds?|secs?|minutes?|mins?|hours?|days?|weeks)|_delta|_time)?$"
    r"|(?:^|_)(?:access_token|access_jwt)_(?P<only>seconds|minutes|hours|days|weeks)$"
)
#: The keyword of a lifetime that is given to what makes tokens.
_KEYWORD = re.compile(r"(?:^|_)access_(?:token_)?(?:expir\w*|lifetime|ttl|life|validity|max_age)$")
_OTHER = re.compile(
    r"refresh|reset|verif|confirm|activat|invit|email|remember|password|unsubscribe|csrf|api_key"
    r"|magic|share|download|registration|service|device|approv|action|one_time|otp|export|upload"
    r"|personal"
)
_OTHER_CLASS = re.compile(r"refresh|reset|verif|confirm|activat|invit|unsubscribe|magic|one_time")
_ACCESS = re.compile(r"access|auth|login|log_in|sign_in|jwt|create_token|generate_token|make_token")


#: What may stand in front of `token` for the project's own tokens.
_OWN = frozenset(
    {
        "access", "account", "admin", "api", "app", "auth", "authentication", "bearer", "client",
        "customer", "default", "jwt", "login", "member", "oauth", "oauth2", "secret", "session",
        "staff", "user", "web",
    }
)  # fmt: skip
_TIMEDELTA = External("datetime.timedelta")
#: What gives the time in seconds.
_CLOCKS = frozenset({External("time.time"), External("datetime.datetime.timestamp")})
#: What a module mentions that makes tokens.
_TOKEN_LIBRARIES = ("jwt", "jose", "authlib")


class LongLivedAccessToken(Rule):
    """Let access tokens expire within the hour.

    ## What it does
    Reports access tokens that live for more than an hour: constants and settings that say so, the
    lifetime given to a function that makes them, and the `exp` claim itself.

    ## Why it matters
    A signed token cannot be taken back. Whoever gets hold of one has as long as it lives, and so
    has the user whose rights were withdrawn. Short access tokens and a refresh token that can be
    revoked keep that time short and users logged in.

    ## Example
    ```python
    ACCESS_TOKEN_EXPIRE_MINUTES = 60 * 24 * 7
    ```

    ## Use instead
    ```python
    ACCESS_TOKEN_EXPIRE_MINUTES = 15
    ```

    ## Leaves alone
    Tokens to refresh, to reset a password, to verify an address and the like, also as the class
    says that holds the constant, personal access tokens, which are keys, lifetimes of one hour or
    less, values that come from the environment, tokens of another service, and constants that
    nothing reads, in a module that makes no tokens.

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
            if found is None or _OTHER.search(name) or name.startswith("max_"):
                continue  # `max_...`: what may be asked for, not what is given
            owner = context.module.index.class_of(node)
            if owner is not None and _OTHER_CLASS.search(snake(owner.name)):
                continue
            if self._is_of_another(name, found, owner, context):
                continue
            value = node.value
            if isinstance(value, ast.Call):
                value = self._default(value, context) or value
            unit = found["unit"] or found["only"]
            if isinstance(value, ast.Call) and context.resolve(value.func) == _TIMEDELTA:
                amount = self._seconds(value, context)
            elif unit is not None:
                amount = number(context.model, context.module, value)
                amount = amount * _SECONDS[unit] if amount is not None else None
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
            amount = number(context.model, context.module, given)
            if given is not None and amount is not None and not self._is_named(given):
                yield from self._judge(given, amount)
            return
        if callee in _CLOCKS:
            yield from self._check_clock(call, context)
        if callee != _TIMEDELTA:
            return
        if any(self._is_named(each) for each in (*call.args, *(k.value for k in call.keywords))):
            return
        seconds = self._seconds(call, context)
        if seconds is not None and any(
            self._is_access_lifetime(use, context) for use in self._uses(call, context)
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
            known.search(snake(target.id)) for known in (_LIFETIME, _OTHER)
        ):
            for name in context.module.index.nodes(ast.Name):
                if name.id == target.id and isinstance(name.ctx, ast.Load):
                    yield name

    def _check_clock(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report `time.time() + 86400` as the `exp` claim, and `now + 86400`."""
        index = context.module.index
        parent = index.parents.get(call)
        if isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in {"int", "round"}:
            call, parent = parent, index.parents.get(parent)
        times: list[ast.expr] = [call]
        function = index.function_of(call)
        if isinstance(parent, ast.Assign) and function is not None:
            names = {target.id for target in parent.targets if isinstance(target, ast.Name)}
            times = [
                node
                for node in index.own_nodes(function)
                if isinstance(node, ast.Name)
                and node.id in names
                and isinstance(node.ctx, ast.Load)
            ]
        for time in times:
            parent = index.parents.get(time)
            if not isinstance(parent, ast.BinOp) or not isinstance(parent.op, ast.Add):
                continue
            other = parent.right if parent.left is time else parent.left
            seconds = number(context.model, context.module, other)
            if seconds is None or self._is_named(other):
                continue
            if self._is_access_lifetime(time, context):
                yield from self._judge(other, seconds)

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

    def _seconds(self, call: ast.Call, context: Context) -> float | None:
        total = 0.0
        given = [*zip(("days", "seconds"), call.args, strict=False)]
        given += [(k.arg or "", k.value) for k in call.keywords]
        for unit, node in given:
            amount = number(context.model, context.module, node)
            if amount is None or unit not in _SECONDS:
                return None
            total += amount * _SECONDS[unit]
        return total

    def _is_access_lifetime(self, call: ast.expr, context: Context) -> bool:
        """Whether a `timedelta` becomes the lifetime of an access token."""
        index = context.module.index
        child: ast.AST = call
        for parent in index.ancestors(call):
            if isinstance(parent, ast.keyword) and _KEYWORD.search(snake(parent.arg or "")):
                return True
            if isinstance(parent, ast.keyword) and parent.arg == "exp":
                return self._makes_access_token(call, context)
            if isinstance(parent, ast.Call) and child is not parent.func:
                name = _name_of(parent.func)
                if _OTHER.search(name):
                    return False
                if re.search(r"access_token|create_token|encode_token|sign_jwt", name):
                    return True
            if isinstance(parent, ast.Dict) and isinstance(child, ast.expr):
                keys = [
                    k.value
                    for k, v in zip(parent.keys, parent.values, strict=True)
                    if v is child and isinstance(k, ast.Constant)
                ]
                return keys == ["exp"] and self._makes_access_token(call, context)
            if isinstance(parent, ast.Assign):
                target = parent.targets[0]
                name = snake(_name_of(target))
                if isinstance(target, ast.Subscript):
                    return (
                        isinstance(target.slice, ast.Constant)
                        and target.slice.value == "exp"
                        and self._makes_access_token(call, context)
                    )
                if _OTHER.search(name):
                    return False
                is_expiry = re.search(r"^exp$|expir|lifetime|ttl", name) is not None
                return is_expiry and (
                    "access_token" in name or self._makes_access_token(call, context)
                )
            if isinstance(parent, ast.arguments):
                name = snake(getattr(index.parents.get(parent), "name", ""))
                return "access_token" in name and not _OTHER.search(name)
            if isinstance(parent, ast.Return) and isinstance(child, ast.Call | ast.Await):
                function = index.function_of(call)
                name = snake(getattr(function, "name", ""))
                return "access_token" in name and not _OTHER.search(name)
            if isinstance(parent, ast.stmt):
                return False
            child = parent
        return False

    def _makes_access_token(self, call: ast.expr, context: Context) -> bool:
        """Whether the function around a lifetime makes tokens, to get in rather than for a task."""
        function = context.module.index.function_of(call)
        if not isinstance(function, FUNCTIONS) or _OTHER.search(snake(function.name)):
            return False
        cls = context.module.index.class_of(function)
        if cls is not None and _OTHER.search(snake(cls.name).removesuffix("_service")):
            return False
        makes = any(
            isinstance(node, ast.Call)
            and (use := token_use(context.model, context.module, node)) is not None
            and use.kind.action == "encode"
            for node in ast.walk(function)
        )
        if not makes:
            return False
        statement = next(n for n in context.module.index.ancestors(call) if isinstance(n, ast.stmt))
        says = context.source.segment(function)
        if isinstance(statement, ast.Assign) and "access" in snake(_name_of(statement.targets[0])):
            says = context.source.segment(statement)  # a refresh token may be made beside it
        if re.search(r"[\"'](?:refresh|reset|verif\w+|invit\w+|email_\w+)[\"']", says):
            return False
        return (
            _ACCESS.search(snake(function.name)) is not None
            or re.search(r"[\"']access(?:_token)?[\"']", context.source.segment(function))
            is not None
            or self._gives_access_token(Function(context.module, function), context)
        )

    def _gives_access_token(self, function: Function, context: Context) -> bool:
        """Whether what a function makes is somewhere called an access token."""
        for call in context.model.direct_calls(function):
            parents = call.module.index.parents
            child: ast.AST = call.node
            while isinstance(parent := parents.get(child), ast.Await):
                child = parent
            match parent:
                case ast.keyword(arg="access_token"):
                    return True
                case ast.Assign(targets=[ast.Name(id="access_token")]):
                    return True
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if value is child and isinstance(key, ast.Constant):
                            return key.value == "access_token"
        return False


def _name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _name_of(value)
        case _:
            return ""
