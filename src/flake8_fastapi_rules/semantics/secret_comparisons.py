"""Where code compares a secret that somebody presents with the one that is expected."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, terminal_name
from flake8_fastapi_rules.semantics.credentials import (
    is_bearer_credentials,
    is_key_name,
    is_password_name,
    is_sentinel,
    is_signature_name,
    is_token_name,
    last_name,
)
from flake8_fastapi_rules.semantics.facts import ParameterKind
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.stored_passwords import plain_passwords_in
from flake8_fastapi_rules.semantics.taint import CONNECTIONS
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_SETTINGS = re.compile(r"^(?:\w+_)?(?:settings|config|conf|cfg|env|environ)$", re.IGNORECASE)
#: What a function speaks of that verifies a signature rather than a checksum.
_SIGNS = re.compile(r"hmac|secret|token|webhook", re.IGNORECASE)
#: Functions that compute what a signature has to be.
_SIGNING = re.compile(
    r"^_*sign(?:_(?:payload|body|message|request|data|bytes))?$|(?:^|_)(?:signature|hmac)(?:_for|_of)?$"
)
#: Functions that may do so under names of their own.
_COMPUTING = re.compile(r"(?i)sign|mac|digest|hash|expect|comput|calc|make|generat|checksum")
_CONFIRMATION = re.compile(r"confirm|repeat|again|retype|(?:^|_)(?:old|new|current)(?:_|$)|[12]$")
#: How names tell a text as it was given from what was made of it.
_FORMS = name_set(
    "clean cleaned normalised normalized original raw sanitised sanitized stripped trimmed"
)
_STORED_CLASSES = (
    "sqlalchemy.orm.Mapped",
    "sqlalchemy.Column",
    "sqlalchemy.orm.InstrumentedAttribute",
)
_NO_TEXT = (
    "builtins.int", "builtins.bool", "builtins.float", "enum.Enum", "pydantic.SecretStr",
    "builtins.list", "builtins.dict", "builtins.set",
)  # fmt: skip
_BASIC = "fastapi.security.HTTPBasicCredentials"
_QUERIES = frozenset({"where", "filter", "filter_by", "and_", "or_", "having", "find", "find_one"})
#: Names of constants that stand where a secret is not there yet, or is not told.
_STAND_IN = re.compile(
    r"(?i)(?:^|_)(?:pending|placeholder|redacted|masked?|dummy|sentinel|empty|unset|missing|none"
    r"|anonymous|default)(?:_|$)"
)

#: Names of what tells whether two things are the same.
_SAME = re.compile(
    r"(?:^|_)(?:same|changed?|changes|unchanged|running|differs?|different|stale|new|default)(?:_|$)"
)
#: Files and functions that stand for another service in tests.
_STAND_IN_FOR = re.compile(r"(?i)(?:^|_|\b)(?:fake|mock|stub|dummy)(?:_|$|\b|d)")

#: Variables that an authentication code is looked for behind.
_MAC_DEPTH = 2
_MAC_AT_ONCE = External("hmac.digest")
_ENCODERS = frozenset(
    External(name)
    for name in (
        "base64.b64encode", "base64.standard_b64encode", "base64.urlsafe_b64encode",
        "binascii.hexlify", "builtins.str",
    )
)  # fmt: skip

_LEVELS = frozenset({"debug", "info", "warning", "warn", "error"})
#: Names that stand in front of the token in an `Authorization` header.
_SCHEMES = frozenset({"bearer", "basic", "token", "apikey", "api-key"})


def compares_secrets(model: Model, module: Module, node: ast.Compare) -> bool:
    """Whether a comparison decides, by a secret that was presented, who gets in.

    `False` for what is no secret or may not be one, for queries and searches, for two entries of
    one form, and where the outcome only tells the same from another.
    """
    return _Comparisons(model, module).is_of_secrets(node)


@dataclass(frozen=True, slots=True)
class _Comparisons:
    model: Model
    module: Module

    def is_of_secrets(self, node: ast.Compare) -> bool:
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return False
        given = (_behind_walrus(node.left), _behind_walrus(node.comparators[0]))
        left, right = (_behind_scheme(side) for side in given)
        # What has the name of a scheme in front can only be compared with a header.
        with_scheme = (left, right) != given
        if not any(
            self._is_secret(side) or (with_scheme and self._is_setting(side))
            for side in (left, right)
        ):
            return False
        function = self.module.index.function_of(node)
        if not isinstance(function, FUNCTIONS) or not self._verifies(function, left, right):
            return False
        if not all(self._may_be_secret(side) for side in (left, right)):
            return False
        if not with_scheme and not (self._is_pair(left, right) or self._is_pair(right, left)):
            return False
        return not (
            self._is_query(node)
            or self._is_loop_key(node)
            or self._is_confirmation(left, right)
            or self._is_stored_password(node, left, right)
            or self._only_tells_apart(node)
            or _STAND_IN_FOR.search(f"{Path(self.module.source.path).stem} {function.name}")
        )

    def _verifies(self, function: FunctionNode, left: ast.expr, right: ast.expr) -> bool:
        """Whether a function verifies a credential or a signature rather than a checksum."""
        if any(
            self._is_credential(side) or self._is_signing(side) or self._is_mac(side)
            for side in (left, right)
        ):
            return True
        return _SIGNS.search(self.module.source.segment(function)) is not None

    def _is_credential(self, node: ast.expr) -> bool:
        if _is_revealed(node):
            return True
        name = last_name(node)
        if is_password_name(name) or is_key_name(name) or is_token_name(name):
            return True
        return is_bearer_credentials(self.model, self.module, node)

    def _is_secret(self, node: ast.expr) -> bool:
        return self._is_credential(node) or is_signature_name(last_name(node)) or self._is_mac(node)

    def _is_mac(self, node: ast.expr, depth: int = 0) -> bool:
        """Whether an expression is the authentication code that `hmac` computes, as text or bytes.

        Whatever it is called: nobody computes one but to compare it with the one that was sent.
        """
        if depth > _MAC_DEPTH:
            return False
        if "hmac" not in self.module.source.text:
            return isinstance(node, ast.Call) and self._computes_mac(node, depth)
        match node:
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._is_mac(left, depth) or self._is_mac(right, depth)
            case ast.JoinedStr(values=values):
                parts = (each.value for each in values if isinstance(each, ast.FormattedValue))
                return any(self._is_mac(each, depth) for each in parts)
            case ast.Call(func=ast.Attribute(attr="digest" | "hexdigest", value=made)):
                kind = self.model.resolve(self.module, made)
                if self.model.is_instance(kind, "hmac.HMAC", "hmac.new"):
                    return True
            case ast.Call(
                func=ast.Attribute(attr="hex" | "decode" | "encode" | "lower", value=raw)
            ):
                return self._is_mac(raw, depth)
            case ast.Name():
                found = self.module.index.lookup(node.id, node)
                bindings = found[1] if found is not None else []
                if len(bindings) != 1:
                    return False
                value = bindings[0].given
                return value is not None and self._is_mac(value, depth + 1)
        if not isinstance(node, ast.Call):
            return False
        callee = self.model.resolve(self.module, node.func)
        if callee == _MAC_AT_ONCE:
            return True
        if callee in _ENCODERS:
            return any(self._is_mac(each, depth) for each in node.args)
        return self._computes_mac(node, depth)

    def _computes_mac(self, call: ast.Call, depth: int) -> bool:
        """Whether a function of the project gives nothing but such a code: `sign(payload)`."""
        if not _COMPUTING.search(last_name(call.func) or ""):
            return False
        callee = self.model.resolve(self.module, call.func)
        if not isinstance(callee, Function) or not isinstance(callee.node, FUNCTIONS):
            return False
        there = _Comparisons(self.model, callee.module)
        given = [each.value for each in returns_of(callee.module, callee.node)]
        return bool(given) and all(
            value is not None and there._is_mac(value, depth + 1) for value in given
        )

    def _is_pair(self, secret: ast.expr, other: ast.expr) -> bool:
        """Whether a secret is compared with one that is expected."""
        if not self._is_secret(secret):
            return False
        if self._is_presented(secret) or self._is_mac(secret):
            return True
        if _is_revealed(secret):
            match other:
                case (ast.Name() as given) | ast.Call(
                    func=ast.Attribute(value=ast.Name() as given, attr="strip" | "encode")
                ):
                    return self._is_parameter(given)
        if self._is_secret(other):
            both = (last_name(secret), last_name(other))
            return both != ("token", "token") or self._is_setting(other) or self._is_setting(secret)
        if self._is_sent(other):
            return True
        match other:
            case ast.Call(func=ast.Attribute(attr="hexdigest" | "digest" | "b64encode")):
                return True
            case ast.Call():
                return self._is_signing(other) or self._is_setting(other)
            case (
                ast.BinOp(op=ast.Add(), right=part)
                | ast.JoinedStr(values=[*_, ast.FormattedValue(value=part)])
            ):
                return self._is_pair(secret, part)
            case ast.Name(id=name):
                if self._is_setting(secret) and self._is_parameter(other):
                    return isinstance(secret, ast.Attribute)
                return bool(re.match(r"^(?:expected|computed|correct|valid)_?", name)) and (
                    name != "valid"
                )
            case _:
                return self._is_setting(other)

    def _is_presented(self, node: ast.expr) -> bool:
        """Whether an expression is what a client gets in with, as read by a scheme of FastAPI."""
        return is_bearer_credentials(self.model, self.module, node) or (
            isinstance(node, ast.Attribute)
            and node.attr == "password"
            and self.model.is_instance(self.model.resolve(self.module, node.value), _BASIC)
        )

    def _is_sent(self, node: ast.expr) -> bool:
        """Whether an expression is a header or cookie of the request."""
        if isinstance(node, ast.Name):
            found = self.module.index.lookup(node.id, node)
            bindings = found[1] if found is not None else []
            value = bindings[0].value if len(bindings) == 1 else None
            if len(bindings) == 1 and bindings[0].kind == "parameter":
                return self._is_header(node)
            if not isinstance(value, ast.expr) or isinstance(value, ast.Name):
                return False
            node = value
        match node:
            case ast.BoolOp(op=ast.Or(), values=values):
                return any(self._is_sent(each) for each in values)
            case ast.Attribute(attr="credentials", value=ast.Name()):
                return True
            case (
                ast.Subscript(value=ast.Attribute(attr="headers" | "cookies", value=owner))
                | ast.Call(
                    func=ast.Attribute(
                        attr="get", value=ast.Attribute(attr="headers" | "cookies", value=owner)
                    )
                )
            ):
                return self.model.is_instance(self.model.resolve(self.module, owner), *CONNECTIONS)
            case _:
                return False

    def _is_parameter(self, node: ast.Name) -> bool:
        """Whether a name is what its function was given."""
        found = self.module.index.lookup(node.id, node)
        return found is not None and all(binding.kind == "parameter" for binding in found[1])

    def _is_signing(self, node: ast.expr) -> bool:
        """Whether a function computes what a signature has to be."""
        return isinstance(node, ast.Call) and bool(_SIGNING.search(last_name(node.func) or ""))

    def _is_setting(self, node: ast.expr) -> bool:
        """Whether an expression reads the configuration or the environment."""
        match node:
            case ast.Attribute(value=ast.Name(id=owner)):
                return bool(_SETTINGS.match(owner))
            case ast.Attribute(value=ast.Attribute(attr=owner) as above):  # of a part of them, too
                return bool(_SETTINGS.match(owner)) or self._is_setting(above)
            case ast.Name(id=name):
                return name.isupper()
            case ast.Attribute(value=ast.Call(func=ast.Name(id=owner))):
                return bool(re.match(r"^(?:get_)?(?:settings|config)$", owner))
            case ast.Subscript(value=ast.Attribute(attr="environ")):
                return True
            case ast.Call(func=ast.Attribute(attr="getenv")):
                return True
            case _:
                return False

    def _may_be_secret(self, node: ast.expr) -> bool:
        if self._is_mac(node):
            return True
        value: Value = self.model.resolve(self.module, node)
        made = value.node if isinstance(value, Expression) else node
        if isinstance(made, ast.BinOp | ast.JoinedStr):
            return any(isinstance(each, ast.Call) for each in ast.walk(made))  # a digest
        if isinstance(node, ast.Constant) or isinstance(value, Class | Expression):
            return False
        if isinstance(value, Constant):
            if isinstance(node, ast.Attribute) and self._is_setting(node):
                # What a setting is by default is not what it will be.
                owner = self.model.resolve(self.module, node.value)
                return isinstance(owner, Instance) and isinstance(value.value, str | bytes | None)
            # A named constant is a secret in the source, an enumeration's member is not.
            return (
                isinstance(node, ast.Name)
                and isinstance(value.value, str | bytes)
                and bool(value.value)
                and not _STAND_IN.search(node.id)
                and not is_sentinel(node.id, value.value)
            )
        if self.model.is_instance(value, *_STORED_CLASSES):
            return self._is_of_row(node, value)
        if self.model.is_instance(value, *_NO_TEXT):
            return False
        if isinstance(value, Instance) and isinstance(value.of, Class):
            return False
        if isinstance(node, ast.Attribute):
            owner = self.model.resolve(self.module, node.value)
            if isinstance(owner, Class):
                return False
            if isinstance(node.value, ast.Name) and node.value.id[:1].isupper():
                return node.value.id.isupper()
        return True

    def _is_of_row(self, node: ast.expr, column: Value) -> bool:
        """Whether what is declared as a column is read from a row: there it is the text itself."""
        if not isinstance(node, ast.Attribute):
            return False
        if not isinstance(self.model.resolve(self.module, node.value), Instance):
            return False
        held = column.args if isinstance(column, Instance) else ()
        return not any(self.model.is_instance(each, *_NO_TEXT) for each in held)

    def _only_tells_apart(self, node: ast.Compare) -> bool:
        """Whether the answer is that something is the same or another, rather than who gets in."""
        parents = self.module.index.parents
        outer: ast.AST | None = parents.get(node)
        while isinstance(outer, ast.BoolOp | ast.UnaryOp):
            outer = parents.get(outer)
        match outer:
            case (
                ast.Assign(targets=[ast.Name() | ast.Attribute() as target])
                | ast.AnnAssign(target=ast.Name() | ast.Attribute() as target)
            ):
                return _SAME.search(last_name(target) or "") is not None
            case ast.If(body=[ast.Raise(exc=ast.Call() as raised)]):
                status = argument(raised, "status_code", 0)
                return status is not None and self.model.status(self.module, status) == 409
            case ast.If(body=body, orelse=[]):
                return all(_logs(each) for each in body)  # and the function goes on
            case _:
                return False

    def _is_query(self, node: ast.Compare) -> bool:
        for ancestor in self.module.index.ancestors(node):
            if isinstance(ancestor, ast.stmt):
                return False
            if isinstance(ancestor, ast.Call):
                func = ancestor.func
                name = terminal_name(func)
                if name in _QUERIES:
                    return True
        return False

    def _is_loop_key(self, node: ast.Compare) -> bool:
        """Whether one side is a variable of a loop: a search, not a check.

        But for `any(given == api_key for api_key in API_KEYS)`.
        """
        if self._is_any_of_keys(node):
            return False
        for side in (node.left, node.comparators[0]):
            if isinstance(side, ast.Name):
                found = self.module.index.lookup(side.id, side)
                if found and any(binding.kind in {"for", "comprehension"} for binding in found[1]):
                    return True
        return False

    def _is_any_of_keys(self, node: ast.Compare) -> bool:
        parents = self.module.index.parents
        match parents.get(node), parents.get(parents.get(node) or node):
            case (
                ast.GeneratorExp(
                    elt=elt, generators=[ast.comprehension(target=ast.Name(id=name), iter=keys)]
                ),
                ast.Call(func=ast.Name(id="any")),
            ) if elt is node:
                return name != "key" and not isinstance(keys, ast.Call)
        return False

    def _is_confirmation(self, left: ast.expr, right: ast.expr) -> bool:
        owners = [ast.unparse(n.value) for n in (left, right) if isinstance(n, ast.Attribute)]
        if len(owners) == 2 and owners[0] == owners[1]:
            return True
        names = [last_name(side) or "" for side in (left, right)]
        return any(map(_CONFIRMATION.search, names)) or _are_forms_of_one(*names)

    def _is_stored_password(self, node: ast.Compare, left: ast.expr, right: ast.expr) -> bool:
        """Whether a user's password is compared: storing it plain is the worse fault."""
        if any(plain_passwords_in(self.model, self.module, node)):
            return True
        return all(is_password_name(last_name(side)) for side in (left, right)) and not (
            self._is_setting(left) or self._is_setting(right)
        )

    def _is_header(self, name: ast.Name) -> bool:
        """Whether a parameter is taken from a header or a cookie."""
        function = self.model.resolve(self.module, self.module.index.function_of(name))
        return isinstance(function, Function) and any(
            each.name == name.id and each.kind in {ParameterKind.HEADER, ParameterKind.COOKIE}
            for each in self.model.parameters(function)
        )


def _are_forms_of_one(left: str, right: str) -> bool:
    """Whether names are of what was given, and of what was made of it: `key`, `stripped_key`."""
    words = [[word for word in words_of(name) if word not in _FORMS] for name in (left, right)]
    return left != right and words[0] == words[1]


def _logs(statement: ast.stmt) -> bool:
    """Whether a statement only writes a line to the log."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=attr))):
            return attr in _LEVELS
        case _:
            return False


def _is_revealed(node: ast.expr) -> bool:
    """Whether an expression takes a secret out of its `SecretStr`."""
    return isinstance(node, ast.Call) and last_name(node.func) == "get_secret_value"


def _behind_walrus(node: ast.expr) -> ast.expr:
    """What an expression gives a name on its way."""
    return node.value if isinstance(node, ast.NamedExpr) else node


def _behind_scheme(node: ast.expr) -> ast.expr:
    """The token in `f"Bearer {token}"` and `"Bearer " + token`; else the expression itself."""
    match node:
        case (
            ast.JoinedStr(values=[ast.Constant(value=str(scheme)), ast.FormattedValue(value=token)])
            | ast.BinOp(left=ast.Constant(value=str(scheme)), op=ast.Add(), right=token)
        ) if scheme.strip().lower() in _SCHEMES:
            return token
    return node
