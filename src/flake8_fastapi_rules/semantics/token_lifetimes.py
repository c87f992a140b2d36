"""How long tokens live, and which of them are access tokens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, targets_of
from flake8_fastapi_rules.semantics.credentials import number, snake
from flake8_fastapi_rules.semantics.tokens import token_use
from flake8_fastapi_rules.semantics.values import External, Function, FunctionNode

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: Seconds of a unit, by the names that keywords and constants give it.
UNITS = {
    "seconds": 1, "second": 1, "sec": 1, "secs": 1, "minutes": 60, "minute": 60, "min": 60,
    "mins": 60, "hours": 3600, "hour": 3600, "days": 86400, "day": 86400, "weeks": 604800,
}  # fmt: skip
TIMEDELTA = External("datetime.timedelta")
#: What gives the time in seconds.
CLOCKS = frozenset({External("time.time"), External("datetime.datetime.timestamp")})
#: Words of tokens that are not there to get in with, or not for an hour.
OTHER_TOKEN = re.compile(
    r"refresh|reset|verif|confirm|activat|invit|email|remember|password|unsubscribe|csrf|api_key"
    r"|magic|share|download|registration|service|device|approv|action|one_time|otp|export|upload"
    r"|personal"
)
#: Claims that do not tell whose token it is.
_OF_NOBODY = frozenset({"iss", "exp", "nbf", "iat", "aud", "jti", "kid"})
#: The keyword of a lifetime that is given to what makes tokens.
_KEYWORD = re.compile(r"(?:^|_)access_(?:token_)?(?:expir\w*|lifetime|ttl|life|validity|max_age)$")
_MAKER = re.compile(r"access_token|create_token|encode_token|sign_jwt")
_EXPIRY = re.compile(r"^exp$|expir|lifetime|ttl")
_ACCESS = re.compile(
    r"access|auth|login|log_in|sign_in|jwt|create_token|generate_token|make_token|issue_token"
    r"|encode_token|sign_token|^_*(?:sign|issue)$"
)
#: The claim that says when a token ends, or what stands for it.
_END_CLAIMS = frozenset({"exp", "expires", "expiry"})
_ACCESS_TEXT = re.compile(r"[\"']access(?:_token)?[\"']")
_OTHER_TEXT = re.compile(r"[\"'](?:refresh|reset|verif\w+|invit\w+|email_\w+)[\"']")


def seconds_of(model: Model, module: Module, call: ast.Call) -> float | None:
    """The seconds of `timedelta(...)`; `None` when they are not written out."""
    total = 0.0
    given = [*zip(("days", "seconds"), call.args, strict=False)]
    given += [(k.arg or "", k.value) for k in call.keywords]
    for unit, node in given:
        amount = number(model, module, node)
        if amount is None or unit not in UNITS:
            return None
        total += amount * UNITS[unit]
    return total


def added_to_clock(module: Module, clock: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is added to the time: `time.time() + 86400`, and `now + 86400` in the same function.

    Parameters:
        clock: a call of one of `CLOCKS`.

    Returns:
        The time, as it is written in each sum, and the other side of it.
    """
    index = module.index
    time: ast.expr = clock
    parent = index.parents.get(time)
    if isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in {"int", "round"}:
        time, parent = parent, index.parents.get(parent)
    times = [time]
    function = index.function_of(time)
    if (targets := targets_of(parent)) and function is not None:
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        times = [
            node
            for node in index.own_nodes(function)
            if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
        ]
    for each in times:
        parent = index.parents.get(each)
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add):
            yield each, parent.right if parent.left is each else parent.left


def is_access_lifetime(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether an amount or a point of time becomes the end of an access token."""
    index = module.index
    child: ast.AST = node
    for parent in index.ancestors(node):
        match parent:
            case ast.keyword(arg="exp"):
                return _is_in_maker(model, module, node)
            case ast.keyword(arg=str() as name) if _KEYWORD.search(snake(name)):
                return True
            case ast.Call(func=func) if child is not func:
                name = _name_of(func)
                if OTHER_TOKEN.search(name):
                    return False
                if _MAKER.search(name):
                    return True
            case ast.Dict(keys=keys, values=values) if isinstance(child, ast.expr):
                key = next((k for k, v in zip(keys, values, strict=True) if v is child), None)
                if _names_nobody(keys):
                    return False
                is_claim = isinstance(key, ast.Constant) and key.value in _END_CLAIMS
                return is_claim and _is_in_maker(model, module, node)
            case ast.Assign(targets=[ast.Subscript(slice=key), *_]):
                is_claim = isinstance(key, ast.Constant) and key.value in _END_CLAIMS
                return is_claim and _is_in_maker(model, module, node)
            case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target):
                name = snake(_name_of(target))
                if OTHER_TOKEN.search(name) or _EXPIRY.search(name) is None:
                    return False
                return "access_token" in name or _is_in_maker(model, module, node)
            case ast.arguments():
                return _is_of_access(index.parents.get(parent))
            case ast.Return() if isinstance(child, ast.Call | ast.Await):
                return _is_of_access(index.function_of(node))
            case ast.stmt():
                return False
        child = parent
    return False


def _names_nobody(keys: list[ast.expr | None]) -> bool:
    """Whether claims say who made a token, but not for whom: it is to get in elsewhere."""
    names = {each.value if isinstance(each, ast.Constant) else None for each in keys}
    return "iss" in names and names <= _OF_NOBODY


def _is_of_access(function: ast.AST | None) -> bool:
    name = snake(getattr(function, "name", ""))
    return "access_token" in name and not OTHER_TOKEN.search(name)


def _is_in_maker(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether the function around a lifetime makes tokens, to get in rather than for a task."""
    function = module.index.function_of(node)
    if not isinstance(function, FUNCTIONS) or OTHER_TOKEN.search(snake(function.name)):
        return False
    cls = module.index.class_of(function)
    if cls is not None and OTHER_TOKEN.search(snake(cls.name).removesuffix("_service")):
        return False
    if not _makes_tokens(model, module, function):
        return False
    statement = next(n for n in module.index.ancestors(node) if isinstance(n, ast.stmt))
    targets = targets_of(statement)
    for target in targets:
        claims = target.value if isinstance(target, ast.Subscript) else target
        if OTHER_TOKEN.search(snake(_name_of(claims))):
            return False  # `refresh_claims = {"exp": ...}`
    text = says = module.source.segment(function)
    if targets and "access" in snake(_name_of(targets[0])):
        says = module.source.segment(statement)  # a refresh token may be made beside it
    if _OTHER_TEXT.search(says):
        return False
    return (
        _ACCESS.search(snake(function.name)) is not None
        or _ACCESS_TEXT.search(text) is not None
        or _gives_access_token(model, Function(module, function))
    )


def _makes_tokens(model: Model, module: Module, function: FunctionNode) -> bool:
    return any(
        isinstance(node, ast.Call)
        and (use := token_use(model, module, node)) is not None
        and use.kind.action == "encode"
        for node in ast.walk(function)
    )


def _gives_access_token(model: Model, function: Function) -> bool:
    """Whether what a function makes is somewhere called an access token."""
    for call in model.direct_calls(function):
        parents = call.module.index.parents
        child: ast.AST = call.node
        while isinstance(parent := parents.get(child), ast.Await):
            child = parent
        match parent:
            case ast.keyword(arg="access_token"):
                return True
            case (
                ast.Assign(targets=[ast.Name(id="access_token")])
                | ast.AnnAssign(target=ast.Name(id="access_token"))
            ):
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
