"""Fields whose names speak of secrets, and whether operations answer with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.credentials import snake
from flake8_fastapi_rules.semantics.facts import Route
from flake8_fastapi_rules.semantics.per_project import PerClass, modules_mentioning
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.schemas import SchemaField, SchemaUse, is_true, schema_fields
from flake8_fastapi_rules.semantics.values import Class, Constant, External, FunctionNode

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: Names of fields that hold a password, in plain text or hashed.
_PASSWORD = re.compile(
    r"^(?!(is|has|needs?|must|can|reset|force|change|require[sd]?|allow|enable[d]?|disable[d]?)_)"
    r"(\w+_)?(password|passwd|passphrase|pwd)(_?(hash|hashed|digest|salt|encrypted))?$"
    r"|^(hash|hashed|salt)_of_password$"
)
_SECRET = re.compile(
    r"^(?!(is|has|masked|redacted)_)(\w+_)?(secrets?|secret_key|private_key(_pem)?)$"
)
#: Masked, or only said to be there.
_PAYMENT = re.compile(r"checkout|payment|intent|subscription")
_HARMLESS = re.compile(r"mask|redact|hint|last_?(4|four)|policy|prompt|placeholder")
#: Operations that exist to hand out a secret, once.
_HANDS_OUT = re.compile(
    r"2fa|two_?factor|service_?account|mfa|totp|otp|token|login|secret|key|credential|rotate|generate"
    r"|register|client|webhook"
    r"|hook|integration|setup|invite",
    re.IGNORECASE,
)
#: What reading hands out as well: a second factor to set up, or the secret that is asked for.
_READS_OUT = re.compile(
    r"2fa|two_?factor|mfa|totp|otp|token|login|secret|credential|rotate|generate|setup|webhook|hook",
    re.IGNORECASE,
)
#: Passwords that somebody is told once, to log in and to set another.
_FIRST_PASSWORD = re.compile(r"^(temporary|temp|tmp|initial|first|generated|one_time|onetime)_")
#: Operations that make a new password for somebody.
_NEW_PASSWORD = re.compile(r"reset|generate|rotate|credential|temporary", re.IGNORECASE)
#: Models of what clients connect through, and of the keys that a client signs its requests with:
#: without the password or key they are of no use to whoever may read them.
_TO_CONNECT = re.compile(
    r"(?:^|_)(?:hysteria|proxy|proxies|shadowsocks|socks5?|trojan|vless|vmess|vpn|wire_?guard)(?:_|$)"
)
#: Models that say that they are the ones with the secrets, beside others without: `UserWithCreds`.
_WITH_SECRETS = re.compile(r"_with_(?:\w+_)?(?:creds?|credentials?|keys?|passwords?|secrets?)$")
_API_KEY = re.compile(r"(?:^|_)(?:api|access)_?keys?(?:_|$)")
_TEXT = frozenset({"builtins.str", "builtins.bytes", "pydantic.StrictStr", "pydantic.constr"})
#: What says how a field is written into an answer.
_SERIALIZER = External("pydantic.field_serializer")
#: What may encrypt a field as soon as the model is made.
_VALIDATORS = (External("pydantic.field_validator"), External("pydantic.validator"))
_HIDING = re.compile(r"(?i)encrypt|mask|redact")
_COMPUTED = External("pydantic.computed_field")
_SERIALIZERS = ("pydantic.PlainSerializer", "pydantic.WrapSerializer")


def _suspects(model: Model, cls: Class) -> Iterator[SchemaField]:
    for each in schema_fields(model, cls):
        if _speaks_of_secrets(each.name):
            yield each


def _speaks_of_secrets(name: str) -> bool:
    words = snake(name)
    return not _HARMLESS.search(words) and bool(_PASSWORD.match(words) or _SECRET.match(words))


#: The fields of a model whose names speak of secrets.
suspicious_fields = PerClass(_suspects)


def _secret_properties(model: Model, cls: Class) -> Iterator[tuple[Module, FunctionNode]]:
    bases = [base for base in model.resolver.mro(cls) if isinstance(base, Class)]
    for base in bases:
        for each in base.node.body:
            if not isinstance(each, FUNCTIONS) or not _speaks_of_secrets(each.name):
                continue
            decorators = [d.func if isinstance(d, ast.Call) else d for d in each.decorator_list]
            text = ast.unparse(each)
            if (
                any(model.library_object(base.module, d) == _COMPUTED for d in decorators)
                and (each.returns is None or "str" in ast.unparse(each.returns))
                and not _HIDING.search(text)
                and "***" not in text
            ):
                yield base.module, each


#: The computed fields of a model that say a secret, with the modules of their classes.
secret_properties = PerClass(_secret_properties)


def is_sensitive(
    model: Model, field: SchemaField, cls: Class, answers: Sequence[SchemaUse]
) -> bool:
    """Whether a suspicious field tells a secret that the operations do not exist to hand out.

    Parameters:
        cls: the model that is answered with; the field may be one of its bases'.
        answers: the operations that answer with it.
    """
    name = snake(field.name)
    owner = field.module.index.class_of(field.node)
    said = snake(owner.name) if owner is not None else ""
    if any(
        _TO_CONNECT.search(each) or _WITH_SECRETS.search(each)
        for each in (said, snake(cls.node.name))
    ):
        return False
    if not _PASSWORD.match(name):
        if all(_hands_out(use, name) for use in answers):
            return False
        if "webhook" in said or (name == "client_secret" and _PAYMENT.search(said)):
            return False  # the other side needs it: who sets it up, or the browser that pays
        if _API_KEY.search(said):
            return False
    elif _FIRST_PASSWORD.match(name) or all(
        _NEW_PASSWORD.search(_names_of(use)) for use in answers
    ):
        return False
    if is_true(model, field.module, field.argument("exclude")) or _is_masked(model, field, cls):
        return False
    if field.argument("default_factory") is not None or _is_masked_elsewhere(model, field):
        return False  # made here for the client to know, or replaced where answers are made
    parts = [
        part.value
        for part in types_in(model, field.module, field.node.annotation)
        if part.value != Constant(None)
    ]
    return bool(parts) and all(
        isinstance(value, External) and value.name in _TEXT for value in parts
    )


def _hands_out(use: SchemaUse, name: str) -> bool:
    """Whether an operation exists to make a secret and to tell it.

    The `client_secret` of a payment is made for the browser that pays.
    """
    if name == "client_secret" and _PAYMENT.search(_names_of(use)):
        return True
    only_reads = use.route.methods == ("GET",)
    return (_READS_OUT if only_reads else _HANDS_OUT).search(_names_of(use)) is not None


def is_exposed(model: Model, field: str, use: SchemaUse) -> bool:
    """Whether an answer has a field of this name, as far as the route's own filters go."""
    if use.is_nested:
        return "response_model_exclude" not in use.route.arguments
    excluded = use.route.arguments.get("response_model_exclude")
    included = use.route.arguments.get("response_model_include")
    if excluded is not None:
        names = _names(model, use.route, excluded)
        if names is None or field in names:
            return False
    if included is not None:
        names = _names(model, use.route, included)
        return names is not None and field in names
    return True


def _names(model: Model, route: Route, node: ast.expr) -> set[str] | None:
    elements = model.elements(route.module, node)
    if elements is None:
        return None
    return {model.text(home, element) or "" for home, element in elements}


def _is_masked_elsewhere(model: Model, field: SchemaField) -> bool:
    """Whether the project writes something masked into a field of this name."""
    name = re.escape(field.name)
    written = re.compile(
        rf"\b{name}[\"']?\s*[:=](?!=)[^,\n]*mask|[\"']{name}[\"']:\s*None\b", re.IGNORECASE
    )
    return any(
        written.search(module.source.text)
        for module in modules_mentioning(model, field.module, "mask")
        if not model.settings.is_test_path(str(module.path))
    )


def _is_masked(model: Model, field: SchemaField, cls: Class) -> bool:
    """Whether a serializer decides what leaves the server, one of a subclass perhaps."""
    classes = [base for base in model.resolver.mro(cls) if isinstance(base, Class)]
    for home, statement in ((base.module, each) for base in classes for each in base.node.body):
        for decorator in getattr(statement, "decorator_list", ()):
            if isinstance(decorator, ast.Call):
                said = {f.value for f in decorator.args if isinstance(f, ast.Constant)}
                callee = model.library_object(home, decorator.func)
                if not said & {field.name, "*"}:
                    continue
                if callee == _SERIALIZER or (
                    callee in _VALIDATORS and _HIDING.search(ast.unparse(statement))
                ):
                    return True
    return any(
        model.is_instance(model.resolve(home, node), *_SERIALIZERS)
        for home, node in model.resolver.annotations.metadata(field.module, field.node.annotation)
    )


def _names_of(use: SchemaUse) -> str:
    return f"{use.route.path} {getattr(use.route.endpoint, 'name', '')}"
