"""FAR508: passwords and keys in answers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import is_stored_class
from flake8_fastapi_rules.semantics.facts import PydanticModel, Route, RouteKind
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import PerClass, modules_mentioning
from flake8_fastapi_rules.semantics.responses import model_classes, response_type, types_in
from flake8_fastapi_rules.semantics.schemas import (
    SchemaField,
    SchemaUse,
    SchemaUses,
    is_true,
    nested_models,
    schema_fields,
    schema_uses,
)
from flake8_fastapi_rules.semantics.values import Class, Constant, External

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
#: Passwords that somebody is told once, to log in and to set another.
_FIRST_PASSWORD = re.compile(r"^(temporary|temp|tmp|initial|first|generated|one_time|onetime)_")
#: Operations that make a new password for somebody.
_NEW_PASSWORD = re.compile(r"reset|generate|rotate|credential|temporary", re.IGNORECASE)
#: Models of what clients connect through, and of the keys that a client signs its requests with:
#: without the password or key they are of no use to whoever may read them.
_TO_CONNECT = re.compile(
    r"(?:^|_)(?:hysteria|proxy|proxies|shadowsocks|socks5?|trojan|vless|vmess|vpn|wire_?guard)(?:_|$)"
)
_API_KEY = re.compile(r"(?:^|_)(?:api|access)_?keys?(?:_|$)")
_TEXT = frozenset({"builtins.str", "builtins.bytes", "pydantic.StrictStr", "pydantic.constr"})
#: What says how a field is written into an answer.
_SERIALIZER = External("pydantic.field_serializer")
#: What may encrypt a field as soon as the model is made.
_VALIDATORS = (External("pydantic.field_validator"), External("pydantic.validator"))
_HIDING = re.compile(r"(?i)encrypt|mask|redact")
_SERIALIZERS = ("pydantic.PlainSerializer", "pydantic.WrapSerializer")


class SensitiveResponseField(Rule):
    """Keep passwords, hashes and keys out of answers.

    ## What it does
    Reports a text field whose name says password, secret or private key in a model that an
    operation answers with, also in a base of it or in the model of one of its fields.

    ## Why it matters
    What is in the response model leaves the server. A password hash in an answer can be attacked
    at leisure by everybody who sees it: other users, proxies, logs, the browser's cache.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/users")


    class User(BaseModel):
        name: str
        password_hash: str


    @router.get("/{user_id}")
    async def read_user(user_id: int) -> User:
        return find(user_id)
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class PublicUser(BaseModel):
        \"\"\"What everybody may know of a user.\"\"\"

        name: str = Field(description="What to call somebody")


    def public(name: str) -> PublicUser:
        return PublicUser(name=name)
    ```

    ## Leaves alone
    `SecretStr`, `Field(exclude=True)`, `response_model_exclude` and `response_model_include`,
    fields that are no text (`password_changed_at`), other hashes (`content_hash`), tokens, masked
    values, also where the project makes the answer, secrets with a `default_factory`, which are
    made here for the client, fields with a serializer of their own or a validator that encrypts or
    masks them, secrets that an operation exists to hand out, once, such as a `temporary_password`,
    and what clients connect with: the password of a `Proxy`, the private key for `WireGuard`, the
    secret of an `ApiKey`.

    ## Source
    OWASP API security: excessive data exposure.
    """

    code = "FAR508"
    message = "`{name}` leaves the server in answers; use a response model without it"
    variants = {
        "inherited": "`{model}` inherits `{name}`, which leaves the server in answers",
        "several": "`{model}` inherits `{name}` and {more} more that leave the server in answers",
        "shared": "The answer contains `{model}.{name}`; use a response model without it",
    }
    profiles = ("recommended",)
    scope = "project"

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the fields of models that only answers are made of."""
        uses = schema_uses(context.model, module)
        if module in uses.answering:
            for model in context.model.models(module):
                yield from self._check_model(model, uses, context)

    def _check_model(
        self, model: PydanticModel, uses: SchemaUses, context: Context
    ) -> Iterator[Report]:
        if self._is_shared(model.cls, context) or model.node not in uses.responses:
            return
        inherited: list[str] = []
        for each in _suspicious_fields(context.model, model.cls):
            answers = [
                use for use in uses.responses[model.node] if self._exposes(each, use, context)
            ]
            if not answers or not self._is_sensitive(each, model.cls, answers, context):
                continue
            related = [context.related(answers[0].module, answers[0].node, "it is the answer here")]
            if each.node in model.node.body:
                yield self.report(each.node.target, name=each.name, related=related)
            elif each.module is not context.module or not self._is_answer(each, context):
                inherited.append(each.name)
        if inherited:
            where = context.source.name_range(model.node)
            name, more = inherited[0], len(inherited) - 1
            yield self.report(
                where,
                "several" if more else "inherited",
                name=name,
                more=more,
                model=model.node.name,
            )

    @on(Route)
    def check_route(self, route: Route, context: Context) -> Iterator[Report]:
        """Report answers made of models that are right elsewhere: tables, request bodies."""
        if route.kind is not RouteKind.HTTP:
            return
        declared = response_type(context.model, route)
        if declared is None:
            return
        direct = list(model_classes(context.model, declared.module, declared.node))
        place = declared.node if declared.module is context.module else route.node
        for cls in (*direct, *nested_models(context.model, direct)):
            suspicious = _suspicious_fields(context.model, cls)
            if not suspicious or not self._is_shared(cls, context):
                continue
            use = SchemaUse(declared.module, place, route, is_nested=cls not in direct)
            for each in suspicious:
                if self._exposes(each, use, context) and self._is_sensitive(
                    each, cls, [use], context
                ):
                    yield self.report(
                        place,
                        "shared",
                        name=each.name,
                        model=cls.node.name,
                        related=[context.related(each.module, each.node.target, "the field")],
                    )
                    return

    def _is_shared(self, cls: Class, context: Context) -> bool:
        """Whether a model has other uses than as an answer: a table, a request body."""
        uses = schema_uses(context.model, context.module)
        if cls.node in uses.bodies:
            return True
        return is_stored_class(context.model, cls)

    def _is_answer(self, each: SchemaField, context: Context) -> bool:
        """Whether the field is reported in the class that declares it."""
        owner = each.module.index.class_of(each.node)
        uses = schema_uses(context.model, context.module)
        return owner in uses.responses and owner not in uses.bodies

    def _is_sensitive(
        self, each: SchemaField, cls: Class, answers: list[SchemaUse], context: Context
    ) -> bool:
        name = _words(each.name)
        owner = each.module.index.class_of(each.node)
        said = _words(owner.name) if owner is not None else ""
        if _TO_CONNECT.search(said) or _TO_CONNECT.search(_words(cls.node.name)):
            return False
        if not _PASSWORD.match(name):
            if all(self._hands_out(use, name) for use in answers):
                return False
            if "webhook" in said or (name == "client_secret" and _PAYMENT.search(said)):
                return False  # the other side needs it: who sets it up, or the browser that pays
            if _API_KEY.search(said):
                return False
        elif _FIRST_PASSWORD.match(name) or all(
            _NEW_PASSWORD.search(_names_of(use)) for use in answers
        ):
            return False
        if is_true(context.model, each.module, each.argument("exclude")) or _is_masked(
            each, cls, context
        ):
            return False
        if each.argument("default_factory") is not None or _is_masked_elsewhere(each, context):
            return False  # made here for the client to know, or replaced where answers are made
        parts = [
            part.value
            for part in types_in(context.model, each.module, each.node.annotation)
            if part.value != Constant(None)
        ]
        return bool(parts) and all(
            isinstance(value, External) and value.name in _TEXT for value in parts
        )

    def _hands_out(self, use: SchemaUse, name: str) -> bool:
        """Whether an operation exists to make a secret and to tell it.

        The `client_secret` of a payment is made for the browser that pays.
        """
        if name == "client_secret" and _PAYMENT.search(_names_of(use)):
            return True
        return _HANDS_OUT.search(_names_of(use)) is not None

    def _exposes(self, each: SchemaField, use: SchemaUse, context: Context) -> bool:
        """Whether an answer has a field, as far as the route's own filters go."""
        if use.is_nested:
            return "response_model_exclude" not in use.route.arguments
        excluded = use.route.arguments.get("response_model_exclude")
        included = use.route.arguments.get("response_model_include")
        if excluded is not None:
            names = self._names(use.route, excluded, context)
            if names is None or each.name in names:
                return False
        if included is not None:
            names = self._names(use.route, included, context)
            return names is not None and each.name in names
        return True

    def _names(self, route: Route, node: ast.expr, context: Context) -> set[str] | None:
        elements = context.model.elements(route.module, node)
        if elements is None:
            return None
        return {context.model.text(home, element) or "" for home, element in elements}


def _is_masked_elsewhere(each: SchemaField, context: Context) -> bool:
    """Whether the project writes something masked into a field of this name."""
    name = re.escape(each.name)
    written = re.compile(
        rf"\b{name}[\"']?\s*[:=](?!=)[^,\n]*mask|[\"']{name}[\"']:\s*None\b", re.IGNORECASE
    )
    return any(
        written.search(module.source.text)
        for module in modules_mentioning(context.model, each.module, "mask")
        if not context.settings.is_test_path(str(module.path))
    )


def _is_masked(each: SchemaField, cls: Class, context: Context) -> bool:
    """Whether a serializer decides what leaves the server, one of a subclass perhaps."""
    model = context.model
    classes = [base for base in model.resolver.mro(cls) if isinstance(base, Class)]
    for home, statement in ((base.module, each) for base in classes for each in base.node.body):
        for decorator in getattr(statement, "decorator_list", ()):
            if isinstance(decorator, ast.Call):
                said = {f.value for f in decorator.args if isinstance(f, ast.Constant)}
                callee = model.library_object(home, decorator.func)
                if not said & {each.name, "*"}:
                    continue
                if callee == _SERIALIZER or (
                    callee in _VALIDATORS and _HIDING.search(ast.unparse(statement))
                ):
                    return True
    return any(
        model.is_instance(model.resolve(home, node), *_SERIALIZERS)
        for home, node in model.resolver.metadata(each.module, each.node.annotation)
    )


def _names_of(use: SchemaUse) -> str:
    return f"{use.route.path} {getattr(use.route.endpoint, 'name', '')}"


def _words(name: str) -> str:
    """A name in lower case, with underscores between its words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _suspects(model: Model, cls: Class) -> Iterator[SchemaField]:
    for each in schema_fields(model, cls):
        name = _words(each.name)
        if not _HARMLESS.search(name) and (_PASSWORD.match(name) or _SECRET.match(name)):
            yield each


#: The fields of a model whose names speak of secrets.
_suspicious_fields = PerClass(_suspects)
