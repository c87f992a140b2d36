"""Passwords as they were typed: where they come from, and what keeps them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, all_arguments
from flake8_fastapi_rules.semantics.credentials import (
    is_password_name,
    is_stored_class,
    last_name,
    snake,
)
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.schemas import schema_uses
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    Function,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.callers import DirectCall
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_CONFIRMATION = re.compile(r"confirm|repeat|again|verif|retype|password_?[12]$")
#: Columns of hashes that a plain password does not belong into.
_HASH = re.compile(r"^(?:hashed_|encrypted_)(?:password|pwd)$|^(?:password|pwd)_?hash(?:ed)?$")
_FORMS = (
    "fastapi.security.OAuth2PasswordRequestForm",
    "fastapi.security.OAuth2PasswordRequestFormStrict",
    "fastapi.security.HTTPBasicCredentials",
)
#: `body.password = hashed(body.password)`.
_REPLACED = re.compile(
    r"\b([\w.]+)\.(password|passwd|pwd|pw)\s*=\s*(?:await\s+)?[\w.]+\(\s*\1\.\2\b"
)
#: `body.password = hashed_password`.
_SET_TO_HASH = re.compile(
    r"\b(\w+)\.(?:password|passwd|pwd|pw)\s*=\s*(?:await\s+)?[\w.]*hash", re.IGNORECASE
)
#: The beginning of `Body(..., password=hashed_password)` behind the class.
_GIVEN_HASH = (
    r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*?"
    r"\b(?:password|passwd|pwd|pw)\s*=\s*(?:await\s+)?[\w.]*[Hh]ash"
)
#: Events of Tortoise, Beanie and SQLAlchemy that come before a row is stored.
_BEFORE_SAVING = ("pre_save", "before_event", "before_insert", "before_flush")
#: Where something else is served that one connects to.
_ADDRESS = re.compile(r"(?:^|_)(?:host|hostname|port|server|dsn|proxy_url|base_url)$")
#: The same, where it is not said of a person.
_ADDRESS_OF_THING = re.compile(
    r"(?:^|_)(?:ip_address|ip_addr|broker|endpoint|api_key|api_secret|totp)$"
)
_PERSON = re.compile(r"(?i)user|account|member|customer|admin|employee|person|session|login")


def is_password_column(name: str | None) -> bool:
    """Whether a name is that of what is kept of a password."""
    return is_password_name(name) or (name is not None and _HASH.match(snake(name)) is not None)


def is_plain_password(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether an expression is a password as a client sent it."""
    match node:  # of a `SecretStr`
        case ast.Call(func=ast.Attribute(attr="get_secret_value", value=secret)):
            node = secret
        case (  # with a fixed text around it
            ast.BinOp(op=ast.Add(), left=part, right=ast.Constant(value=str()))
            | ast.BinOp(op=ast.Add(), left=ast.Constant(value=str()), right=part)
        ):
            return is_plain_password(model, module, part)
    name = last_name(node)
    if not is_password_name(name) or _CONFIRMATION.search(name or ""):
        return False
    if isinstance(model.resolve(module, node), Constant):
        return False
    function = module.index.function_of(node)
    if not isinstance(function, FUNCTIONS):
        return False
    text = ast.unparse(node)
    for each in ast.walk(function):
        if isinstance(each, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            if any(ast.unparse(target) == text for target in targets):
                return False
    match node:
        case ast.Name(id=bound):
            found = module.index.lookup(bound, node)
            return (
                found is not None
                and all(b.kind == "parameter" for b in found[1])
                and not re.search(r"password_hash|hashed|pwd_hash", function.name)
                and not _is_given_hashes(model, Function(module, function), bound)
            )
        case ast.Attribute(value=owner) | ast.Subscript(value=owner):
            value = model.resolve(module, owner)
            if model.is_instance(value, *_FORMS):
                return True
            return (
                isinstance(value, Instance)
                and isinstance(value.of, Class)
                and model.is_subclass(value.of, "pydantic.BaseModel")
                and not model.is_subclass(value.of, "pydantic_settings.BaseSettings")
                and not is_stored_class(model, value.of)
                and not is_replaced_by_hash(model, value.of)
            )
        case _:
            return False


def comes_from_client(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether a plain password is one of a request, rather than one that a caller has hashed."""
    match node:
        case ast.Call(func=ast.Attribute(attr="get_secret_value")):
            return True
        case ast.Name(id=name):
            function = module.index.function_of(node)
            if not isinstance(function, FUNCTIONS):
                return False
            found = Function(module, function)
            return bool(model.roles(found) or model.direct_calls(found)) and (
                not _is_given_hashes(model, found, name)
            )
        case ast.Attribute(value=owner) | ast.Subscript(value=owner):
            value = model.resolve(module, owner)
            if model.is_instance(value, *_FORMS):
                return True
            made = value.of if isinstance(value, Instance) else None
            return isinstance(made, Class) and made.node in schema_uses(model, module).bodies
        case _:
            return False


def _is_given_hashes(model: Model, function: Function, name: str) -> bool:
    """Whether some caller hands a hash to a parameter, or what a validator may have hashed."""
    arguments = all_arguments(function.node.args)
    parameter = next((each for each in arguments if each.arg == name), None)
    if parameter is None:
        return False  # one of a function around
    for call, argument in _calls(model, function, parameter, name):
        match call.given(argument):
            case ast.Name(id=given) if not is_password_name(given):
                return True
            case ast.Name() as local if _is_made_by_call(call.module, local):
                return True
            case ast.Call(func=ast.Attribute(attr="get_secret_value")):
                continue
            case ast.Call():
                return True
            case ast.Attribute(value=owner):
                made = model.resolve(call.module, owner)
                if isinstance(made, Instance) and isinstance(made.of, Class):
                    if has_validators(made.of):
                        return True
    return False


def _calls(
    model: Model, function: Function, parameter: ast.arg, name: str
) -> Iterator[tuple[DirectCall, ast.arg]]:
    """The calls of a function, and of the methods that it stands for, with the parameter."""
    yield from ((call, parameter) for call in model.direct_calls(function))
    owner = function.module.index.class_of(function.node)
    if owner is None or isinstance(function.node, ast.Lambda):
        return
    for base in model.resolver.mro(Class(function.module, owner))[1:]:
        if not isinstance(base, Class):
            continue
        for node in base.node.body:
            if isinstance(node, FUNCTIONS) and node.name == function.node.name:
                arguments = all_arguments(node.args)
                same = next((each for each in arguments if each.arg == name), None)
                if same is not None:
                    named = Function(base.module, node)
                    yield from ((call, same) for call in model.direct_calls(named))


def _is_made_by_call(module: Module, node: ast.Name) -> bool:
    """Whether a local is what a function gave for a password: `password = decrypted(password)`."""
    found = module.index.lookup(node.id, node)
    made = [binding.value for binding in found[1]] if found else []
    calls = [each.value if isinstance(each, ast.Await) else each for each in made]
    return any(
        isinstance(each, ast.Call)
        and any(is_password_name(last_name(given)) for given in each.args)
        for each in calls
    )


def is_replaced_by_hash(model: Model, cls: Class) -> bool:
    """Whether a body gets the hash in place of its password: `body.password = hashed(...)`."""
    name = re.escape(cls.node.name)
    for module in modules_mentioning(model, cls.module, cls.node.name):
        text = module.source.text
        if _REPLACED.search(text) or re.search(rf"\b{name}{_GIVEN_HASH}", text):
            return True
        bodies = set(re.findall(rf"\b(\w+)\s*:\s*(?:\w+\.)*{name}\b", text))
        if any(found.group(1) in bodies for found in _SET_TO_HASH.finditer(text)):
            return True
    return False


def keeps_password(model: Model, cls: object, name: str) -> bool:
    """Whether a class of the database stores what its attribute is given."""
    if not isinstance(cls, Class) or not is_stored_class(model, cls):
        return False
    if isinstance(model.resolver.class_attribute(cls, name, instance=False), Function):
        return False
    if _has_type_of_its_own(model, cls, name) or _is_connection(model, cls):
        return False
    if _is_hashed_on_save(model, cls):
        return False
    text = _text_of(cls)
    return not re.search(r"validates|validator|setter|__setattr__|def __init__|def save", text)


def _is_hashed_on_save(model: Model, cls: Class) -> bool:
    """Whether something is told of rows before they are saved, and sets passwords to hashes."""
    return any(
        _SET_TO_HASH.search(module.source.text) is not None
        for event in _BEFORE_SAVING
        for module in modules_mentioning(model, cls.module, event)
    )


def _is_connection(model: Model, cls: Class) -> bool:
    """Whether a class holds how to connect to something else, which needs the password itself."""
    names = {
        name
        for base in model.resolver.mro(cls)
        if isinstance(base, Class)
        for name in base.module.index.scopes[base.node].bindings
    }
    if any(_ADDRESS.search(name) for name in names):
        return True
    return _PERSON.search(cls.node.name) is None and any(map(_ADDRESS_OF_THING.search, names))


def _has_type_of_its_own(model: Model, cls: Class, name: str) -> bool:
    """Whether a column is annotated with a class of the project, which may hash by itself."""
    for base in model.resolver.mro(cls):
        for statement in base.node.body if isinstance(base, Class) else ():
            match statement:
                case ast.AnnAssign(target=ast.Name(id=column), annotation=hint):
                    if column == name and isinstance(base, Class):
                        typed = model.resolver.annotation(base.module, hint)
                        return isinstance(typed, Instance) and isinstance(typed.of, Class)
    return False


def written_table(model: Model, module: Module, node: ast.expr) -> Value:
    """The table that a chain of calls begins with: of `insert(it)`, `query(it)`, `it.filter()`."""
    while isinstance(node, ast.Call):
        callee = model.library_object(module, node.func)
        if callee is not None and callee.name.startswith(("sqlalchemy.", "sqlmodel.")):
            if callee.name.endswith((".insert", ".update")) and node.args:
                return model.resolve(module, node.args[0])
        if not isinstance(node.func, ast.Attribute):
            return UNKNOWN
        if node.func.attr == "query" and len(node.args) == 1:
            return model.resolve(module, node.args[0])
        node = node.func.value
    value = model.resolve(module, node)
    return value if isinstance(value, Class) else UNKNOWN


def selects_password(model: Model, module: Module, node: ast.expr, depth: int = 0) -> bool:
    """Whether a name stands for a password read by itself: `scalar(select(User.password))`."""
    if isinstance(node, ast.Name):
        found = module.index.lookup(node.id, node)
        if found is None or len(found[1]) != 1 or depth > 6:
            return False
        value = found[1][0].given
        return value is not None and selects_password(model, module, value, depth + 1)
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        callee = model.library_object(module, call.func)
        if callee is None or callee.name.rpartition(".")[2] != "select":
            continue
        match call.args:
            case [ast.Attribute(value=owner, attr=column)] if is_password_column(column):
                table = model.resolve(module, owner)
                return isinstance(table, Class) and is_stored_class(model, table)
    asked: list[ast.expr] = [node]  # rows.scalar_one(), await session.scalar(statement)
    for each in asked:
        match each:
            case ast.Name():
                if selects_password(model, module, each, depth + 1):
                    return True
            case ast.Await(value=inner) | ast.Attribute(value=inner) | ast.Subscript(value=inner):
                asked.append(inner)
            case ast.Call(func=func, args=args):
                asked += [func, *args[:1]]
    return False


def has_validators(cls: Class) -> bool:
    """Whether a model may change what it is given."""
    return "validator" in _text_of(cls)


def _text_of(cls: Class) -> str:
    return cls.module.source.segment(cls.node)
