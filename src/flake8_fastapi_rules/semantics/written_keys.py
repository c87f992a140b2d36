"""Keys that a module signs with, and whether their values are written in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.credentials import (
    is_key_name,
    is_password_name,
    is_sentinel,
    snake,
)
from flake8_fastapi_rules.semantics.facts import Middleware
from flake8_fastapi_rules.semantics.libraries import SIGNING_KEYS
from flake8_fastapi_rules.semantics.tokens import SIGNING_CALLS, signing_key
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Instance,
    ModuleValue,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import Binding
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: Reads of the environment with the position of the default.
_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get", "decouple.config", "environs.Env.str"})
_NO_SECRET = re.compile(
    r"(?:_|^)(?:public|name|id|url|path|file|header|algorithm|field|class|prefix|suffix|pattern"
    r"|regex|type|label|redacted|masked|mask|placeholder|env|var|variable|scope|audience|issuer|test"
    r"|tests|testing)(?:_|$)"
)
#: What protocols have every service begin a key of its own with: Telegram's mini apps.
_LABELS = frozenset({"WebAppData"})
#: What is left in the source where a key was taken out.
_TAKEN_OUT = re.compile(r"(?i)(?:^|[_-])(?:removed|redacted)(?:[_-]|$)")
#: Calls that describe a field, its default among other things.
_FIELDS = frozenset({"attrs.field", "dataclasses.field", "pydantic.Field"})
#: Calls that only hand a text on: `SecretStr("...")`.
_WRAPPERS = frozenset(
    {"pydantic.SecretStr", "pydantic.SecretBytes", "starlette.datastructures.Secret"}
)


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that a call signs or verifies with.

    Parameters:
        argument: what the call is given.
        node: what it is the bytes of: `KEY` of `KEY.encode()`.
        kept: the value of `self.key`, when one statement of its class sets it, once.
    """

    argument: ast.expr
    node: ast.expr
    kept: ast.expr | None


def given_keys(model: Model, module: Module) -> list[GivenKey]:
    """The keys that the calls of a module sign or verify with."""
    found = []
    for call in module.index.calls_of(SIGNING_CALLS):
        key = signing_key(model, module, call)
        if key is not None:
            node = _before_encoding(key)
            found.append(GivenKey(key, node, _kept(module, node)))
    known = {key.argument for key in found}
    for row in model.facts(module, Middleware):  # of a table that a loop puts on an app
        keyword, _ = SIGNING_KEYS.get(qualified_name(row.target) or "", ("", None))
        given = row.arguments.get(keyword)
        if given is not None and given not in known:
            known.add(given)
            node = _before_encoding(given)
            found.append(GivenKey(given, node, _kept(module, node)))
    return found


def signs(model: Model, module: Module) -> bool:
    """Whether a module signs or verifies anything itself."""
    return any(
        signing_key(model, module, call) is not None for call in module.index.nodes(ast.Call)
    )


def secret_constants(model: Model, module: Module) -> Iterator[tuple[str, ast.expr]]:
    """The constants and class attributes of a module whose names are those of secrets.

    Returns:
        Their names, as they are written, and their values.
    """
    for node in module.index.nodes(ast.Assign) + module.index.nodes(ast.AnnAssign):
        if module.index.function_of(node) is not None or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if not isinstance(target, ast.Name) or not _says_secret(snake(target.id)):
                continue
            if is_sentinel(snake(target.id), getattr(node.value, "value", None)):
                continue
            cls = module.index.class_of(node)
            if cls is None or not model.is_subclass(Class(module, cls), "enum.Enum"):
                yield target.id, node.value


def _says_secret(name: str) -> bool:
    is_named = is_key_name(name) or is_password_name(name) or "secret" in name
    return is_named and _NO_SECRET.search(name) is None


def is_written_key(value: Value) -> bool:
    """Whether a value is known, and may be a secret key: neither empty, public nor a label."""
    if not isinstance(value, Constant) or not isinstance(value.value, str | bytes):
        return False
    text = value.value if isinstance(value.value, str) else value.value.decode("latin-1")
    if "PUBLIC KEY" in text or text in _LABELS:
        return False
    return bool(text) and _TAKEN_OUT.search(text) is None


def has_written_key(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether an expression is a literal key, or has one as its default."""
    return _is_literal(model, module, node) or defaults_to_written_key(model, module, node)


def defaults_to_written_key(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether a read of the environment, or a `Field`, has a literal key as its default."""
    if not isinstance(node, ast.Call):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            return _is_literal(model, module, node.values[-1])
        return False
    callee = model.resolve(module, node.func)
    if not isinstance(callee, External):
        return False
    if callee.name in _WRAPPERS:
        return bool(node.args) and has_written_key(model, module, node.args[0])
    position = 0 if callee.name in _FIELDS else 1
    if position and callee.name not in _ENVIRONMENT:
        return False
    default = next((k.value for k in node.keywords if k.arg == "default"), None)
    if default is None and len(node.args) > position:
        default = node.args[position]
    return default is not None and has_written_key(model, module, default)


def _is_literal(model: Model, module: Module, node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.BinOp | ast.JoinedStr) and is_written_key(
        model.resolve(module, node)
    )


def value_of_key(model: Model, module: Module, key: GivenKey) -> ast.expr | None:
    """What a key is given in this module, as a constant or attribute; `None` if it is no such."""
    if key.kept is not None:
        return key.kept
    written = model.resolver.written(module, key.node)
    return written[1] if written is not None and written[0] is module else None


def is_judged_elsewhere(model: Model, module: Module, key: GivenKey) -> bool:
    """Whether a key is a setting, or belongs to another module that signs something itself.

    The value of a setting is only its default. What stands for an attribute of settings counts as
    well: `key = settings.secret_key`.
    """
    setting = _attribute_behind(module, key.node) if key.kept is None else key.kept
    if isinstance(setting, ast.Attribute) and _is_setting(model, module, setting.value):
        return True
    origin = model.resolver.origin(module, key.node) if isinstance(key.node, ast.Name) else None
    return origin is not None and signs(model, origin[0])


def _is_setting(model: Model, module: Module, owner: ast.expr) -> bool:
    """Whether an attribute's value is only a default, or is judged in its own module."""
    value = model.resolve(module, owner)
    if isinstance(value, ModuleValue):
        return signs(model, value.module)
    return isinstance(value, Instance) or model.is_subclass(value, "pydantic.BaseModel")


def _before_encoding(key: ast.expr) -> ast.expr:
    while isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute):
        if key.func.attr != "encode":
            break
        key = key.func.value
    return key


def _kept(module: Module, node: ast.expr) -> ast.expr | None:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            cls = module.index.class_of(module.index.function_of(node) or node)
            found = [
                each.value
                for each in (ast.walk(cls) if cls is not None else ())
                if isinstance(each, ast.Assign)
                for target in each.targets
                if isinstance(target, ast.Attribute) and ast.unparse(target) == f"self.{name}"
            ]
            return found[0] if len(found) == 1 else None
    return None


def _attribute_behind(module: Module, node: ast.expr) -> ast.expr:
    """The attribute that a name stands for: `key = settings.secret_key`, also of a class."""
    index = module.index
    bindings: Sequence[Binding] = ()
    match node:
        case ast.Name(id=name):
            found = index.lookup(name, node)
            bindings = found[1] if found is not None else ()
        case ast.Attribute(value=ast.Name(id="cls" | "self"), attr=name):
            owner = index.class_of(index.function_of(node) or node)
            bindings = index.scopes[owner].bindings.get(name, ()) if owner is not None else ()
    if len(bindings) == 1 and bindings[0].kind in {"assign", "annotated"}:
        value = bindings[0].value
        return value if isinstance(value, ast.Attribute) else node
    return node
