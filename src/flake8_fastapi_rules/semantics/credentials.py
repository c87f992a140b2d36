"""What names say of the values behind them: passwords, tokens, keys and other secrets."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.values import Class, Constant, Function, Instance, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_PASSWORD = re.compile(
    r"(?:^|_)(?:get|input|login|my|new|old|plain|user)?"  # `userpassword`
    r"(?:password|passwd|pwd|passphrase|passcode)(?:_(?:plain|raw|plaintext))?$"
    r"|^(?:(?:plain|raw|user|new|old)_)?pw$"
)
_KEY = re.compile(
    r"(?:^|_)(?:api|secret|signing|private|encryption|jwt|auth|access|hmac|session|admin|master"
    r"|internal|service)_?key$"
    r"|(?:^|_)secret$|(?:^|_)(?:jwt|app|token|client|webhook|session|shared)_secret(?:_key)?$"
)
_TOKEN = re.compile(
    r"(?:^|_)(?:access|refresh|auth|api|bearer|csrf|session|id|jwt|reset|admin|secret|bot|x|service"
    r"|expected|provided|stored|supplied|verify)_?token$"
    r"|^jwt$|^bearer$|^authorization$|^auth_header$"
)
_BARE_TOKEN = re.compile(r"^_*token$")
_SIGNATURE = re.compile(
    r"(?:^|_)(?:sig|signature|hmac|digest|mac)(?:_?(?:sha)?_?(?:1|256|384|512))?$"
)
#: Names of what is left of a secret when it is hidden, or of what only says that it is wrong.
_HARMLESS = re.compile(
    r"mask|redact|hidden|obfusc|hash|hint|truncat|placeholder|invalid|fake|dummy|(?:^|_)demo(?:_|$)"
)
#: What only says something of a password: `must_change_password`.
_FLAG = re.compile(r"(?:must|should|needs?|requires?|force|is|has|had|can|allow)_")
#: What the text of a file must contain that has names of passwords, keys and tokens in it.
SECRET_WORDS = tuple(
    spelled
    for word in (
        "passw", "pwd", "pw", "passphrase", "passcode", "key", "secret", "token", "jwt", "bearer",
        "auth",
    )
    for spelled in (word, word.capitalize(), word.upper())
)  # fmt: skip
#: Schemes whose value is the token or key itself.
_SCHEMES = ("fastapi.security.api_key.APIKeyBase", "fastapi.security.OAuth2")
#: Classes whose subclasses are tables of a database.
ORM_BASES = (
    "sqlalchemy.orm.DeclarativeBase",
    "sqlalchemy.orm.DeclarativeBaseNoMeta",
    "tortoise.models.Model",
    "beanie.Document",
    "odmantic.Model",
    "mongoengine.Document",
    "peewee.Model",
    "ormar.Model",
    "piccolo.table.Table",
)
#: Methods of such classes that store an object made of what they are given.
CREATING_METHODS = frozenset(
    {
        "tortoise.models.Model.create",
        "tortoise.models.Model.get_or_create",
        "tortoise.models.Model.update_or_create",
        "peewee.Model.create",
        "peewee.Model.get_or_create",
        "peewee.Model.insert",
    }
)


@lru_cache(maxsize=50_000)
def snake(name: str) -> str:
    """A name in lower case with underscores, whatever it is written in."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def last_name(node: ast.AST | None) -> str | None:
    """The name that says what an expression is: `b` of `a.b` and of `a["b"]`, `a` of `a`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return snake(name)
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return snake(name)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as name), *_]):
            return snake(name)
        case ast.Call(func=ast.Attribute(attr="get_secret_value" | "encode", value=inner)):
            return last_name(inner)
        case ast.Await(value=inner):
            return last_name(inner)
        case _:
            return None


def is_password_name(name: str | None) -> bool:
    """Whether a name is that of a plain password."""
    if name is None or _HARMLESS.search(snake(name)) or _FLAG.match(snake(name)):
        return False
    return _PASSWORD.search(snake(name)) is not None


def is_key_name(name: str | None) -> bool:
    """Whether a name is that of a key or secret to sign, encrypt or get in with."""
    if name is None or _HARMLESS.search(snake(name)):
        return False
    return _KEY.search(snake(name)) is not None


def is_token_name(name: str | None, *, bare: bool = True) -> bool:
    """Whether a name is that of a token; `bare` says whether `token` alone counts."""
    if name is None or _HARMLESS.search(snake(name)):
        return False
    name = snake(name)
    return _TOKEN.search(name) is not None or (bare and _BARE_TOKEN.match(name) is not None)


def is_signature_name(name: str | None) -> bool:
    """Whether a name is that of a signature or message digest."""
    return name is not None and _SIGNATURE.search(snake(name)) is not None


def is_secret_name(name: str | None) -> bool:
    """Whether a name is that of a password, key or token."""
    return is_password_name(name) or is_key_name(name) or is_token_name(name)


def is_sentinel(name: str, value: object) -> bool:
    """Whether a constant named like a secret says that there is none: `LOCAL_API_KEY = "local"`."""
    if not isinstance(value, str):
        return False
    words = snake(name).split("_")
    return snake(value) in words and not any(word in value.lower() for word in SECRET_WORDS)


def is_bearer_credentials(model: Model, module: Module, node: ast.AST) -> bool:
    """Whether an expression is the token or key that a security scheme reads from a request.

    That is in `HTTPAuthorizationCredentials`, or the value of the scheme itself.
    """
    match node:
        case ast.Attribute(attr="credentials", value=owner):
            return model.is_instance(
                model.resolve(module, owner), "fastapi.security.HTTPAuthorizationCredentials"
            )
        case ast.Name(id=name):
            found = module.index.lookup(name, node)
            if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
                return False
            if not isinstance(found[0].node, FUNCTIONS):
                return False
            function = Function(module, found[0].node)
            return bool(model.roles(function)) and any(
                each.parameter is not None
                and each.parameter.name == name
                and model.is_instance(each.target, *_SCHEMES)
                for each in model.dependencies(function)
            )
        case _:
            return False


def is_stored_class(model: Model, cls: Value) -> bool:
    """Whether a class is a table or document: what its objects hold is stored."""
    if not isinstance(cls, Class):
        return False
    if model.is_subclass(cls, *ORM_BASES):
        return True
    return any(fact.node is cls.node and fact.kind == "table" for fact in model.models(cls.module))


#: Words of operations that are reached once, by a link that somebody was sent.
_ONE_TIME = re.compile(
    r"verif|confirm|reset|invit|unsubscribe|activat|magic|callback|recover|share|download|accept"
    r"|(?:e?mail|address)[_-]?change|authenticat\w*[_-]?e?mail"
)
#: What such a link carries.
_LINK_KEY = re.compile(r"(?:^|_)(?:token|code|key|hash|signature|sig|otp|nonce|uid\w*)$")


def is_one_time(*texts: str) -> bool:
    """Whether a name or path speaks of a token that is good for one use."""
    return any(_ONE_TIME.search(text.lower()) for text in texts)


def is_link_key(name: str) -> bool:
    """Whether a parameter is what a link proves with that it was sent to whoever follows it."""
    return _LINK_KEY.search(snake(name)) is not None


#: How deep arithmetic may be, and what is no number of seconds any more.
_ARITHMETIC = 10
_LARGE = 1e15


def number(model: Model, module: Module, node: ast.AST | None, depth: int = 0) -> float | None:
    """The number that an expression is, arithmetic and constants included; else `None`."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            if depth > _ARITHMETIC:
                return None
            first = number(model, module, left, depth + 1)
            second = number(model, module, right, depth + 1) if first is not None else None
            if first is None or second is None or max(abs(first), abs(second)) > _LARGE:
                return None
            match op:
                case ast.Mult():
                    return first * second
                case ast.Add():
                    return first + second
                case ast.Sub():
                    return first - second
            return None
        case None:
            return None
        case ast.Attribute(value=owner) if isinstance(model.resolve(module, owner), Instance):
            return None  # what a setting is by default is not what it will be
    value = model.resolve(module, node)
    if isinstance(value, Constant):
        found = value.value
        return found if isinstance(found, int | float) and not isinstance(found, bool) else None
    inner = getattr(value, "node", None)
    if isinstance(inner, ast.BinOp) and inner is not node:
        return number(model, getattr(value, "module", module), inner, depth + 1)
    return None
