"""Bodies of requests that nothing validates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import is_ellipsis
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter, ParameterKind, Route
from flake8_fastapi_rules.semantics.framework import path_parameters
from flake8_fastapi_rules.semantics.handed_on import (
    VALIDATIONS,
    hands_on_request,
    is_handed_on,
    reads_keys,
)
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_REQUEST = "starlette.requests.Request"
_MAPPINGS = frozenset(
    {"builtins.dict", "collections.abc.Mapping", "collections.abc.MutableMapping"}
)
_LISTS = frozenset({"builtins.list", "typing.List", "typing.Sequence", "collections.abc.Sequence"})
_ANYTHING = frozenset({"typing.Any", "builtins.object"})
_PARSERS = frozenset(
    {"json.loads", "orjson.loads", "rapidjson.loads", "simplejson.loads", "ujson.loads"}
)
_ENCODERS = frozenset({"json.dumps", "simplejson.dumps", "ujson.dumps"})
#: Operations whose body is somebody else's business: it is signed, handed on, or of no fixed form.
_RAW = re.compile(
    r"webhook|hook|callback|proxy|proxied|forward|signature|signed|hmac|relay|passthrough|rpc|raw"
    r"|graphql|mcp|ingest|event|echo|webauthn|passkey",
    re.IGNORECASE,
)
#: Modules whose bodies have the form that browsers give credentials, which a library checks.
_CREDENTIALS = re.compile(r"webauthn|passkey|fido", re.IGNORECASE)
#: Other ways of reading a body, and what is read where bodies are handed on or verified.
_OTHER_READS = frozenset({"form", "stream"})
#: What holds anything by its nature, also as the whole body.
_FREE_FORM = re.compile(
    r"(?:^|_)(?:annotations|attributes|custom_fields|labels|metadata|properties|schema)(?:_in)?$"
)
#: What does so as one field of several.
_FREE_FIELD = re.compile(
    r"(?:^|_)(?:arguments|args|kwargs|config|configuration|context|credential|extras?|filters|inputs?|meta|options|overrides"
    r"|params|parameters|preferences|settings|variables)$"
)

_ADAPTER = "pydantic.TypeAdapter"
#: What authors say of operations that another service calls, or nobody but they themselves.
_SAID = re.compile(r"(?i)\bwebhook\b|\bdev(?:elopment)?[ -]only\b")
#: What operations answer that do nothing yet.
_STUB = re.compile(
    r"(?i)\b(?:not(?: yet)?|to be) (?:yet )?implemented\b|\bplaceholder\b|\bcoming soon\b"
)
_LOGGED = re.compile(r"(?i)\breceived\b.*\bwebhook\b|\bwebhook (?:body|data|payload|received)\b")


@dataclass(frozen=True, slots=True)
class UnvalidatedBody:
    """A body that an operation takes as it comes.

    Parameters:
        place: the parameter, or the call that reads or parses the body.
        parameter: the parameter's name; `None` where the endpoint reads the body.
        model: what the endpoint itself makes of it, which FastAPI could have done.
    """

    place: ast.arg | ast.Call
    parameter: str | None = None
    model: str | None = None


def unvalidated_bodies(model: Model, endpoint: Endpoint) -> Iterator[UnvalidatedBody]:
    """The bodies of an endpoint that nothing validates, as far as it is the one who should.

    None of operations that take what others send them, hand it on as it is, or are there to
    validate it.
    """
    if endpoint.is_websocket or any(map(_is_raw, endpoint.routes)):
        return
    if _RAW.search(endpoint.node.name) or _CREDENTIALS.search(endpoint.module.name):
        return
    if _says_raw(endpoint) or _only_raises(endpoint):
        return
    search = _Search(model, endpoint)
    bodies = search.parameters()
    for parameter in bodies:
        if search.is_unvalidated(parameter, is_only=len(bodies) == 1):
            yield UnvalidatedBody(parameter.node, parameter.name)
    if not bodies:  # else FastAPI has validated it, and it is read once more
        yield from search.reads()


@dataclass(frozen=True, slots=True)
class _Search:
    model: Model
    endpoint: Endpoint

    @property
    def module(self) -> Module:
        return self.endpoint.module

    def parameters(self) -> list[Parameter]:
        """The parameters that are the body, or parts of it."""
        endpoint = self.endpoint
        names = {name for route in endpoint.routes for name in path_parameters(route.path or "")}
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        return [
            parameter
            for parameter in self.model.parameters(function, frozenset(names))
            if parameter.kind is ParameterKind.BODY
        ]

    def is_unvalidated(self, parameter: Parameter, *, is_only: bool) -> bool:
        """Whether a parameter takes anything, and the endpoint looks into it."""
        endpoint, name = self.endpoint, parameter.name
        if name.startswith("_") or _is_for_validating(endpoint, name):
            return False  # it is there to be taken and not looked at, or to be judged
        if _is_free_field(name) and (not is_only or _is_left_out(parameter)):
            return False
        if is_handed_on(self.model, endpoint, {name}) or _is_unread_yet(endpoint, name):
            return False
        if (
            _expects_invalid(endpoint)
            and not reads_keys(endpoint, {name})
            and (not _is_made_into_model(name, endpoint) or _refuses_with_400(self.model, endpoint))
        ):
            return False
        return self._is_open(parameter)

    def reads(self) -> Iterator[UnvalidatedBody]:
        """The calls that read and parse the body by hand."""
        endpoint = self.endpoint
        found = self._parsed_by_hand()
        if not found or self._verifies() or hands_on_request(endpoint):
            return  # the bytes are used for something else: a signature, a copy
        if _refuses_with_400(self.model, endpoint):
            return  # FastAPI would answer 422
        for call in found:
            made = self._model_of(call)
            if made is not None:
                yield UnvalidatedBody(call, model=made)
            elif not _expects_invalid(endpoint) and not is_handed_on(
                self.model, endpoint, _names_of(self.module, call)
            ):
                yield UnvalidatedBody(call)

    def _parsed_by_hand(self) -> list[ast.Call]:
        """The calls that parse the body; none if its bytes, a form or a stream are read as well."""
        found: list[ast.Call] = []
        bodies = parsed = 0
        for node in self.module.index.own_nodes(self.endpoint.node):
            if not isinstance(node, ast.Call):
                continue
            method = self._request_method(node)
            if method == "json" and self._is_for_failure(node):
                continue
            if method in _OTHER_READS:
                return []
            if method == "json":
                found.append(node)
            elif method == "body":
                bodies += 1
            elif self._is_parser(node):
                parsed += 1
                found.append(node)
        if bodies > parsed or (bodies and self._encodes_again()):
            return []  # what is left of it is sent on
        return found

    def _is_for_failure(self, node: ast.Call) -> bool:
        """Whether a body is read to say what failed, behind where it was used."""
        return any(
            isinstance(above, ast.ExceptHandler) for above in self.module.index.ancestors(node)
        )

    def _is_open(self, parameter: Parameter) -> bool:
        """Whether a parameter's type takes any JSON, or any object."""
        model = self.model
        if parameter.type_node is None:
            return parameter.marker is not None
        if self._is_free_form(parameter):
            return False
        parts = [
            part
            for part in types_in(model, parameter.type_module, parameter.type_node)
            if part.value != Constant(None)
        ]
        names = [part.value.name if isinstance(part.value, External) else "" for part in parts]
        if not names:
            return False
        if names[0] in _ANYTHING:
            return len(names) == 1
        while names[0] in _LISTS and len(names) > 1:
            parts, names = parts[1:], names[1:]
        if names[0] not in _MAPPINGS:
            return False
        if isinstance(parts[0].node, ast.Subscript):
            return len(names) == 3 and names[-1] in _ANYTHING
        return len(names) == 1

    def _is_free_form(self, parameter: Parameter) -> bool:
        """Whether a parameter is one field of the body, or a map of labels, with any content."""
        marker = parameter.marker
        if marker is not None and (given := marker.argument("media_type")) is not None:
            media_type = self.model.text(parameter.type_module, given)
            if media_type is None or "json" not in media_type:
                return True  # text, or bytes
        if not isinstance(parameter.type_node, ast.Subscript):
            return False  # a plain `dict` says nothing of what is meant
        if _FREE_FORM.search(parameter.name):
            return True
        embed = marker.argument("embed") if marker is not None else None
        return embed is not None and self.model.resolve(self.module, embed) == Constant(True)

    def _model_of(self, read: ast.Call) -> str | None:
        """The model that an endpoint itself makes of a body; FastAPI would answer 422 for it."""
        index = self.module.index
        names = _names_of(self.module, read)
        node: ast.AST = read
        while isinstance(parent := index.parents.get(node), ast.Await):
            node = parent
        for call in index.own_nodes(self.endpoint.node):
            if not isinstance(call, ast.Call):
                continue
            given = [k.value for k in call.keywords if k.arg is None]
            made = self.model.resolve(self.module, call.func)
            if isinstance(call.func, ast.Attribute) and call.func.attr in VALIDATIONS:
                made, given = self.model.resolve(self.module, call.func.value), call.args[:1]
            if not any(g is node or (isinstance(g, ast.Name) and g.id in names) for g in given):
                continue
            if self.model.is_subclass(made, "pydantic.BaseModel"):
                return made.node.name if isinstance(made, Class) else ast.unparse(call.func)
            if isinstance(made, Instance) and self.model.is_instance(made, _ADAPTER):
                return ast.unparse(made.call.args[0]) if made.call and made.call.args else None
            if isinstance(call.func, ast.Attribute) and call.func.attr in VALIDATIONS:
                return ast.unparse(call.func.value)  # made by a call, or of another library
        return None

    def _request_method(self, node: ast.Call) -> str | None:
        func = node.func
        if not isinstance(func, ast.Attribute):
            return None
        if func.attr not in {"json", "body", *_OTHER_READS}:
            return None
        receiver = self.model.resolve(self.module, func.value)
        return func.attr if self.model.is_instance(receiver, _REQUEST) else None

    def _is_parser(self, node: ast.Call) -> bool:
        """Whether a call parses what `request.body()` gave."""
        callee = self.model.library_object(self.module, node.func)
        if callee is None or callee.name not in _PARSERS or not node.args:
            return False
        given: ast.AST | None = _undecoded(node.args[0])
        if isinstance(given, ast.Name):
            found = self.module.index.lookup(given.id, given)
            values = [binding.value for binding in found[1]] if found else []
            uses = [
                n
                for n in ast.walk(self.module.index.function_of(node) or node)
                if isinstance(n, ast.Name) and n.id == given.id and isinstance(n.ctx, ast.Load)
            ]
            if len(values) != 1 or len(uses) > 1:
                return False
            given = None if values[0] is None else _undecoded(values[0])
        if isinstance(given, ast.Await):
            given = given.value
        return isinstance(given, ast.Call) and self._request_method(given) == "body"

    def _encodes_again(self) -> bool:
        """Whether an endpoint makes bytes of a part of what it parsed, for another service."""
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "encode"
            and isinstance(node.func.value, ast.Call)
            and (callee := self.model.library_object(self.module, node.func.value.func)) is not None
            and callee.name in _ENCODERS
            for node in self.endpoint.module.index.own_nodes(self.endpoint.node)
        )

    def _verifies(self) -> bool:
        """Whether the endpoint looks at headers that sign the body or say what it is."""
        for node in self.module.index.own_nodes(self.endpoint.node):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.search(r"signature|content-type", node.value, re.IGNORECASE):
                    return True
        return False


def _is_raw(route: Route) -> bool:
    """Whether a path says that any body is welcome, or is one of several methods'."""
    path = route.path
    return (
        path is None
        or _RAW.search(path) is not None
        or ":path}" in path
        or route.methods is None
        or len(route.methods) > 1
    )


def _names_of(module: Module, read: ast.Call) -> set[str]:
    """The variables that a body is read into."""
    parents = module.index.parents
    node: ast.AST | None = parents.get(read)
    while isinstance(node, ast.Await):
        node = parents.get(node)
    if isinstance(node, ast.Assign):
        targets = node.targets
    else:
        targets = [node.target] if isinstance(node, ast.AnnAssign | ast.NamedExpr) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _is_free_field(name: str) -> bool:
    """Whether a field of a body holds anything by its nature."""
    return _FREE_FORM.search(name) is not None or _FREE_FIELD.search(name) is not None


def _is_left_out(parameter: Parameter) -> bool:
    """Whether a client may send no body at all."""
    default = parameter.default
    if parameter.marker is not None and not parameter.marker.in_annotated:
        default = parameter.marker.argument("default", 0)
    return default is not None and not is_ellipsis(default)


def _says_raw(endpoint: Endpoint) -> bool:
    """Whether an endpoint says, of itself or into a log, that it takes what others send it."""
    if _SAID.search(ast.get_docstring(endpoint.node) or ""):
        return True
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _LOGGED.search(node.value) is not None
        for node in endpoint.module.index.own_nodes(endpoint.node)
    )


def _is_for_validating(endpoint: Endpoint, name: str) -> bool:
    """Whether an endpoint says what is wrong with a body: `validate_template(template_data)`.

    One that validates an operation is named for that, and one that takes the values of keys for
    granted knows the form.
    """
    verb, *what = words_of(endpoint.node.name) or [""]
    if verb not in {"validate", "validation"} or (what and set(what).isdisjoint(words_of(name))):
        return False
    asks = any(
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.In | ast.NotIn)
        and isinstance(node.left, ast.Constant)
        and isinstance(of := node.comparators[0], ast.Name)
        and of.id == name
        for node in endpoint.module.index.own_nodes(endpoint.node)
    )
    return asks or not reads_keys(endpoint, {name})


def _is_unread_yet(endpoint: Endpoint, name: str) -> bool:
    """Whether an operation that says that it does nothing yet does not look at a body."""
    own = endpoint.module.index.own_nodes(endpoint.node)
    return not any(isinstance(node, ast.Name) and node.id == name for node in own) and any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _STUB.search(node.value) is not None
        for node in own
    )


def _only_raises(endpoint: Endpoint) -> bool:
    """Whether an endpoint answers with an error, whatever it is sent: not there yet, or no more."""
    own = endpoint.module.index.own_nodes(endpoint.node)
    return isinstance(endpoint.node.body[-1], ast.Raise) and not any(
        isinstance(node, ast.Return) for node in own
    )


def _expects_invalid(endpoint: Endpoint) -> bool:
    """Whether an endpoint catches what a validation raises, in whatever it hands the body to."""
    return any(True for _ in _handlers_of_invalid(endpoint))


def _refuses_with_400(model: Model, endpoint: Endpoint) -> bool:
    """Whether an endpoint catches what a validation raises to answer 400, in a form of its own."""
    handling = {n for handler in _handlers_of_invalid(endpoint) for n in ast.walk(handler)}
    if not handling:
        return False
    function = Function(endpoint.module, endpoint.node, endpoint.view_class)
    return any(
        (isinstance(node, ast.Constant) and node.value == 400)
        or (isinstance(node, ast.Attribute) and node.attr.endswith("BAD_REQUEST"))
        for node in handling
    ) or any(
        raised.status == 400 and raised.node in handling
        for raised in model.effects.raises(function)
    )


def _handlers_of_invalid(endpoint: Endpoint) -> Iterator[ast.ExceptHandler]:
    for node in endpoint.module.index.own_nodes(endpoint.node):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            caught = (last_name(part) or "" for part in ast.walk(node.type))
            if any(name.endswith("validation_error") for name in caught):
                yield node


def _is_made_into_model(name: str, endpoint: Endpoint) -> bool:
    """Whether an endpoint itself makes a model of a body, which FastAPI could have done."""
    for node in endpoint.module.index.own_nodes(endpoint.node):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg is None]
        if isinstance(node.func, ast.Attribute) and node.func.attr in VALIDATIONS:
            given += node.args[:1]
        if any(isinstance(each, ast.Name) and each.id == name for each in given):
            return True
    return False


def _undecoded(node: ast.expr) -> ast.expr:
    """The bytes in `body.decode()`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="decode", value=inner)):
            return inner
        case _:
            return node
