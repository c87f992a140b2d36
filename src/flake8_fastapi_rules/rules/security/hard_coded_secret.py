"""FAR702: secrets in the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from flake8_fastapi_rules.engine.index import Binding
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import (
    is_key_name,
    is_password_name,
    is_sentinel,
    snake,
)
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.tokens import SIGNING_CALLS, signing_key
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Instance, ModuleValue

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
#: Folders of tests, also of those that have settings of their own.
_OF_TESTS = frozenset({"test", "tests"})
#: Calls that describe a field, its default among other things.
_FIELDS = frozenset({"attrs.field", "dataclasses.field", "pydantic.Field"})
#: Calls that only hand a text on: `SecretStr("...")`.
_WRAPPERS = frozenset(
    {"pydantic.SecretStr", "pydantic.SecretBytes", "starlette.datastructures.Secret"}
)


class HardCodedSecret(Rule):
    """Read keys from the environment, not from the source.

    ## What it does
    Reports a literal key given to a call that signs or verifies (JSON Web Tokens, `hmac`,
    itsdangerous, `SessionMiddleware`), and a literal default for a constant or setting with the
    name of a secret in a module that signs tokens.

    ## Why it matters
    Whoever sees the source, a copy or an image of it can sign tokens for any user, and a key in the
    history of a repository cannot be taken back. A default is worse than none: a forgotten variable
    goes unnoticed.

    ## Example
    ```python
    import jwt


    def sign(claims: dict[str, str]) -> str:
        return jwt.encode(claims, "f3a9c1", algorithm="HS256")
    ```

    ## Use instead
    ```python
    import jwt
    from pydantic import SecretStr


    def sign(claims: dict[str, str], key: SecretStr) -> str:
        return jwt.encode(claims, key.get_secret_value(), algorithm="HS256")
    ```

    ## Leaves alone
    Empty strings, public keys, labels of protocols (`WebAppData`), settings without a default,
    settings of other modules, members of enumerations, constants that stand for no key
    (`LOCAL_API_KEY = "local"`, `"sk_removed"`), tests and their keys (`TEST_SECRET`).

    ## Source
    CWE-798; The Twelve-Factor App, III.
    """

    code = "FAR702"
    message = "The key is in the source; read it from the environment"
    variants = {"named": "`{name}` has its value in the source; read it from the environment"}
    profiles = ("recommended",)
    hints = ("jwt", "jws", "jose", "hmac", "itsdangerous", "SessionMiddleware", "Strategy", "Login")

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report literal keys, and the constants that hold them, each once."""
        if not _OF_TESTS.isdisjoint(Path(context.source.path).parts[-4:-1]):
            return
        keys = [
            key
            for call in module.index.calls_of(SIGNING_CALLS)
            if (key := signing_key(context.model, module, call)) is not None
        ]
        if not keys:
            return
        reported: set[object] = set()
        for name, value in self._named(module, context):
            if self._is_default(value, context):
                reported.add(name)
                yield self.report(value, "named", name=name)
        for key in keys:
            node = key
            while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr != "encode":
                    break
                node = node.func.value
            kept = _kept(module, node)
            setting = self._bound_to(node, context) if kept is None else kept[1]
            if isinstance(setting, ast.Attribute) and self._is_setting(setting.value, context):
                continue
            if isinstance(node, ast.Name):
                origin = context.model.resolver.origin(module, node)
                if origin is not None and _signs(context.model, origin[0]):
                    continue  # reported there
            name = ast.unparse(node)
            if name in reported:
                continue
            written = kept or context.model.resolver.written(module, node)
            if written is not None and written[0] is module:
                # Whatever its name says, it is a key.
                if self._has_default(written[1], context):
                    reported.add(name)
                    yield self.report(written[1], "named", name=name)
                    continue
            if not self._is_secret(context.resolve(node)):
                continue
            if isinstance(node, ast.Name | ast.Attribute):
                if snake(name.rpartition(".")[2]).startswith("public"):
                    continue
                reported.add(name)
                yield self.report(key, "named", name=name)
            else:
                yield self.report(key)

    def _bound_to(self, node: ast.expr, context: Context) -> ast.expr:
        """The attribute that a name stands for: `key = settings.secret_key`, also of a class."""
        index = context.module.index
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

    def _is_setting(self, owner: ast.expr, context: Context) -> bool:
        """Whether an attribute's value is only a default, or is reported in its own module."""
        value = context.resolve(owner)
        if isinstance(value, ModuleValue):
            return _signs(context.model, value.module)
        return isinstance(value, Instance) or context.model.is_subclass(value, "pydantic.BaseModel")

    def _named(self, module: Module, context: Context) -> Iterator[tuple[str, ast.expr]]:
        """The values of constants and class attributes whose names are those of secrets."""
        for node in module.index.nodes(ast.Assign) + module.index.nodes(ast.AnnAssign):
            if module.index.function_of(node) is not None or node.value is None:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    name = snake(target.id)
                    is_named = is_key_name(name) or is_password_name(name) or "secret" in name
                    if not is_named or _NO_SECRET.search(name):
                        continue
                    if is_sentinel(name, getattr(node.value, "value", None)):
                        continue
                    cls = module.index.class_of(node)
                    if cls is None or not context.model.is_subclass(
                        Class(module, cls), "enum.Enum"
                    ):
                        yield target.id, node.value

    def _is_literal(self, node: ast.expr, context: Context) -> bool:
        return isinstance(node, ast.Constant | ast.BinOp | ast.JoinedStr) and self._is_secret(
            context.resolve(node)
        )

    def _has_default(self, node: ast.expr, context: Context) -> bool:
        """Whether a read of the environment, or a `Field`, has a literal default."""
        if not isinstance(node, ast.Call):
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
                return self._is_literal(node.values[-1], context)
            return False
        callee = context.resolve(node.func)
        if not isinstance(callee, External):
            return False
        if callee.name in _WRAPPERS:
            return bool(node.args) and self._is_default(node.args[0], context)
        position = 0 if callee.name in _FIELDS else 1
        if position and callee.name not in _ENVIRONMENT:
            return False
        default = next((k.value for k in node.keywords if k.arg == "default"), None)
        if default is None and len(node.args) > position:
            default = node.args[position]
        return default is not None and self._is_default(default, context)

    def _is_default(self, node: ast.expr, context: Context) -> bool:
        return self._is_literal(node, context) or self._has_default(node, context)

    def _is_secret(self, value: object) -> bool:
        if not isinstance(value, Constant) or not isinstance(value.value, str | bytes):
            return False
        text = value.value if isinstance(value.value, str) else value.value.decode("latin-1")
        if "PUBLIC KEY" in text or text in _LABELS:
            return False
        return bool(text) and _TAKEN_OUT.search(text) is None


def _signs(model: Model, module: Module) -> bool:
    """Whether a module signs or verifies anything itself."""
    return any(
        signing_key(model, module, call) is not None for call in module.index.nodes(ast.Call)
    )


def _kept(module: Module, node: ast.expr) -> tuple[Module, ast.expr] | None:
    """The value of `self.key`, when one method of its class sets it, once."""
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
            return (module, found[0]) if len(found) == 1 else None
    return None
