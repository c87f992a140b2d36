"""How long tokens live, and which of them are access tokens."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, targets_of
from flake8_fastapi_rules.semantics.credentials import number, snake
from flake8_fastapi_rules.semantics.per_project import is_variable_read, modules_mentioning
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
#: Constants and settings that say how long access tokens live.
_LIFETIME = re.compile(
    r"(?:^|_)(?:access_token|jwt|token|access|auth_token|jwt_token)_(?:\w+_)?"
    r"(?:expire|expires|expiry|expiration|lifetime|ttl|valid|validity|age|exp)"
    r"(?:(?:_\w+)?_?(?P<unit>seconds?|secs?|minutes?|mins?|hours?|days?|weeks)|_delta|_time)?$"
    r"|(?:^|_)(?:access_token|access_jwt)_(?P<only>seconds|minutes|hours|days|weeks)$"
)
#: Classes and methods for tokens of another kind.
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


def is_constant_of_access(model: Model, module: Module, target: ast.Name) -> bool:
    """Whether a constant or setting, by its name and place, says how long access tokens live."""
    name = snake(target.id)
    found = _LIFETIME.search(name)
    if found is None or OTHER_TOKEN.search(name) or name.startswith(("max_", "cache_")):
        return False  # what may be asked for, or is remembered of it, not what is given
    if "access" not in name and OTHER_TOKEN.search(module.name.rpartition(".")[2]):
        return False  # `TOKEN_EXPIRE_MINUTES` in `password_reset.py`
    owner = module.index.class_of(target)
    if owner is not None and _OTHER_CLASS.search(snake(owner.name)):
        return False
    return not _is_of_another(model, module, name, found.start(), owner)


def _is_of_another(
    model: Model, module: Module, name: str, start: int, owner: ast.ClassDef | None
) -> bool:
    """Whether a plain `token` is that of another service, or of what its class makes.

    Parameters:
        start: where in the name it says that it is a lifetime.
        owner: the class that the constant stands in.
    """
    if not name[start:].lstrip("_").startswith("token"):
        return False
    lead = {word for word in name[:start].split("_") if word}
    if lead - _OWN and not _mentions_tokens(module):
        return True
    for kind in lead - _OWN:  # `create_survey_token`
        for each in modules_mentioning(model, module, f"_{kind}_token"):
            if any(f"_{kind}_token" in f"_{function.name}" for function in each.index.functions):
                return True
    made = [each.name for each in owner.body if isinstance(each, FUNCTIONS)] if owner else []
    return any("token" in each and _OTHER_CLASS.search(each) for each in made)


def _mentions_tokens(module: Module) -> bool:
    return any(library in module.source.text for library in _TOKEN_LIBRARIES)


def is_constant_left_over(model: Model, module: Module, target: ast.Name) -> bool:
    """Whether nothing reads a constant in a module of other things: it was copied there."""
    index = module.index
    return (
        index.class_of(target) is None
        and bool(index.functions or index.nodes(ast.ClassDef))
        and not _mentions_tokens(module)
        and not is_variable_read(model, module, target.id)
    )


def mentions_constant_of_access(node: ast.expr) -> bool:
    """Whether an expression reads something that is named like a lifetime of access tokens."""
    return any(
        isinstance(each, ast.Name | ast.Attribute)
        and _LIFETIME.search(snake(getattr(each, "id", "") or getattr(each, "attr", "")))
        for each in ast.walk(node)
    )


def seconds_of_constant(model: Model, module: Module, name: str, value: ast.expr) -> float | None:
    """The seconds of a constant or setting, in the unit that its name says.

    `None` when its name has no unit and its value is no `timedelta`, or it is not written out.
    """
    if isinstance(value, ast.Call):
        if model.library_object(module, value.func) == External("pydantic.Field"):
            value = argument(value, "default", 0) or value
    if isinstance(value, ast.Call) and model.resolve(module, value.func) == TIMEDELTA:
        return seconds_of(model, module, value)
    found = _LIFETIME.search(snake(name))
    unit = (found["unit"] or found["only"]) if found is not None else None
    amount = number(model, module, value) if unit is not None else None
    return amount * UNITS[unit] if unit is not None and amount is not None else None


def uses_of_lifetime(module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """Where a lifetime may be added to a time: at the call itself, or where its constant is read.

    What reads constants that are named like lifetimes, of whatever tokens, is left out.

    Parameters:
        call: a `timedelta(...)`.
    """
    yield call
    parent = module.index.parents.get(call)
    if not isinstance(parent, ast.Assign | ast.AnnAssign) or (
        module.index.function_of(parent) is not None
    ):
        return
    target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
    if not isinstance(target, ast.Name) or any(
        known.search(snake(target.id)) for known in (_LIFETIME, OTHER_TOKEN)
    ):
        return
    owner = module.index.class_of(parent)
    if owner is None:
        for name in module.index.nodes(ast.Name):
            if name.id == target.id and isinstance(name.ctx, ast.Load):
                yield name
        return
    for read in module.index.nodes(ast.Attribute):
        if read.attr == target.id and isinstance(read.ctx, ast.Load):
            if getattr(read.value, "id", "") in {"self", "cls", owner.name}:
                yield read


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
