"""FAR505: request bodies that nothing validates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import is_ellipsis
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter, ParameterKind, Route
from flake8_fastapi_rules.semantics.framework import path_parameters
from flake8_fastapi_rules.semantics.handed_on import hands_on_request, is_handed_on, reads_keys
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function, Instance

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
    r"|graphql|mcp|ingest|event|echo",
    re.IGNORECASE,
)
#: Other ways of reading a body, and what is read where bodies are handed on or verified.
_OTHER_READS = frozenset({"form", "stream"})


#: What holds anything by its nature, also as the whole body.
_FREE_FORM = re.compile(
    r"(?:^|_)(?:annotations|attributes|custom_fields|labels|metadata|properties|schema)$"
)
#: What does so as one field of several.
_FREE_FIELD = re.compile(
    r"(?:^|_)(?:arguments|args|kwargs|config|configuration|context|credential|extras?|filters|inputs?|meta|options|overrides"
    r"|params|parameters|preferences|settings|variables)$"
)

#: Methods of models that take a body as it was parsed.
_ADAPTER = "pydantic.TypeAdapter"
_VALIDATIONS = frozenset({"model_validate", "parse_obj", "validate_python"})
#: What authors say of operations that another service calls, or nobody but they themselves.
_SAID = re.compile(r"(?i)\bwebhook\b|\bdev(?:elopment)?[ -]only\b")
_LOGGED = re.compile(r"(?i)\breceived\b.*\bwebhook\b|\bwebhook (?:body|data|payload|received)\b")


class UnvalidatedBody(Rule):
    """Take a request body as a model that validates it.

    ## What it does
    Reports a body that an endpoint reads by `await request.json()` (or `json.loads` of
    `request.body()`), and body parameters of type `dict`, `dict[str, Any]` or `Any`.

    ## Why it matters
    Nothing checks such a body. A missing key is a `KeyError` and status 500 instead of 422, wrong
    types wander on into the database, and the schema does not tell clients what to send.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.post("", status_code=201)
    async def create_item(item: dict) -> str:
        return item["name"]
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class NewItem(BaseModel):
        \"\"\"What a client sends to create an item.\"\"\"

        name: str = Field(description="What it is called")


    def name_of(item: NewItem) -> str:
        return item.name
    ```

    ## Leaves alone
    Concrete mappings such as `dict[str, int]`, which are validated; `dict[str, Any]` for one field
    of the body (`Body(embed=True)`) or for what has no form (`labels`, `metadata`); one of several
    fields that has none, or one that may be left out (`filters`, `arguments`, `settings`);
    webhooks, proxies, RPC and whatever else takes a body as it is, told by name, path or what the
    endpoint says of itself, or by a call that forwards the request, sends the body to a path of
    another service, publishes it, or gets the request with it; bodies whose kind the path names
    (`{tool_name}`) and of which the endpoint reads nothing; bodies handed to what says that it
    validates, or what raises a `ValidationError` that the endpoint expects; operations that only
    raise; endpoints that read form or stream as well, use the raw bytes for something else, or
    serve several methods.

    ## Source
    FastAPI's documentation on request bodies.
    """

    code = "FAR505"
    message = "Body parameter `{name}` is not validated; take a Pydantic model"
    variants = {
        "read": "The body is read by `{call}` and not validated; take a Pydantic model",
        "by_hand": "`{call}` reads a `{model}` by hand; take it as a parameter, which answers 422",
    }
    profiles = ("recommended",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report body parameters without a form, and bodies read by hand."""
        if endpoint.is_websocket or any(self._is_raw(route) for route in endpoint.routes):
            return
        if _RAW.search(endpoint.node.name):
            return
        if _says_raw(endpoint) or _only_raises(endpoint):
            return
        names: set[str] = set()
        for route in endpoint.routes:
            names.update(path_parameters(route.path or ""))
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        bodies = [
            parameter
            for parameter in context.model.parameters(function, frozenset(names))
            if parameter.kind is ParameterKind.BODY
        ]
        for parameter in bodies:
            if parameter.name.startswith("_"):
                continue  # it is there to be taken and not looked at
            if _is_free_field(parameter.name) and (len(bodies) > 1 or _is_left_out(parameter)):
                continue
            if is_handed_on(context.model, endpoint, {parameter.name}):
                continue
            if (
                _expects_invalid(endpoint)
                and not reads_keys(endpoint, {parameter.name})
                and not _is_made_into_model(parameter.name, endpoint)
            ):
                continue
            if self._is_open(parameter, context):
                yield self.report(parameter.node, name=parameter.name)
        yield from self._reads(endpoint, context)

    def _is_raw(self, route: Route) -> bool:
        path = route.path
        return (
            path is None
            or _RAW.search(path) is not None
            or ":path}" in path
            or route.methods is None
            or len(route.methods) > 1
        )

    def _is_open(self, parameter: Parameter, context: Context) -> bool:
        """Whether a parameter's type takes any JSON, or any object."""
        model = context.model
        if parameter.type_node is None:
            return parameter.marker is not None
        if self._is_free_form(parameter, context):
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

    def _is_free_form(self, parameter: Parameter, context: Context) -> bool:
        """Whether a parameter is one field of the body, or a map of labels, with any content."""
        marker = parameter.marker
        if marker is not None and (given := marker.argument("media_type")) is not None:
            media_type = context.model.text(parameter.type_module, given)
            if media_type is None or "json" not in media_type:
                return True  # text, or bytes
        if not isinstance(parameter.type_node, ast.Subscript):
            return False  # a plain `dict` says nothing of what is meant
        if _FREE_FORM.search(parameter.name):
            return True
        embed = marker.argument("embed") if marker is not None else None
        return embed is not None and context.resolve(embed) == Constant(True)

    def _reads(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report bodies that are read and parsed by hand."""
        found: list[tuple[ast.Call, str]] = []
        bodies = 0
        parsed = 0
        for node in context.module.index.own_nodes(endpoint.node):
            if not isinstance(node, ast.Call):
                continue
            method = self._request_method(node, context)
            if method in _OTHER_READS:
                return
            if method == "json":
                found.append((node, context.shown(node)))
            elif method == "body":
                bodies += 1
            elif self._is_parser(node, context):
                parsed += 1
                found.append((node, context.shown(node.func)))
        if bodies and self._encodes_again(endpoint, context):
            return  # what is left of it is sent on
        if bodies > parsed or self._verifies(endpoint, context) or hands_on_request(endpoint):
            return  # the bytes are used for something else: a signature, a copy
        for node, call in found:
            model = self._model_of(node, endpoint, context)
            if model is None:
                names = _names_of(node, endpoint)
                if not _expects_invalid(endpoint) and not is_handed_on(
                    context.model, endpoint, names
                ):
                    yield self.report(node, "read", call=call)
            else:
                yield self.report(node, "by_hand", call=call, model=model)

    def _model_of(self, read: ast.Call, endpoint: Endpoint, context: Context) -> str | None:
        """The model that an endpoint itself makes of a body; FastAPI would answer 422 for it."""
        index = context.module.index
        names = _names_of(read, endpoint)
        node: ast.AST = read
        while isinstance(parent := index.parents.get(node), ast.Await):
            node = parent
        for call in index.own_nodes(endpoint.node):
            if not isinstance(call, ast.Call):
                continue
            given = [k.value for k in call.keywords if k.arg is None]
            made = context.resolve(call.func)
            if isinstance(call.func, ast.Attribute) and call.func.attr in _VALIDATIONS:
                made, given = context.resolve(call.func.value), call.args[:1]
            if not any(g is node or (isinstance(g, ast.Name) and g.id in names) for g in given):
                continue
            if isinstance(made, Class) and context.model.is_subclass(made, "pydantic.BaseModel"):
                return made.node.name
            if isinstance(made, Instance) and context.model.is_instance(made, _ADAPTER):
                return ast.unparse(made.call.args[0]) if made.call and made.call.args else None
            if isinstance(call.func, ast.Attribute) and call.func.attr in _VALIDATIONS:
                return ast.unparse(call.func.value)  # made by a call, or of another library
        return None

    def _request_method(self, node: ast.Call, context: Context) -> str | None:
        func = node.func
        if not isinstance(func, ast.Attribute):
            return None
        if func.attr not in {"json", "body", *_OTHER_READS}:
            return None
        receiver = context.resolve(func.value)
        return func.attr if context.model.is_instance(receiver, _REQUEST) else None

    def _is_parser(self, node: ast.Call, context: Context) -> bool:
        """Whether a call parses what `request.body()` gave."""
        callee = context.library_object(node.func)
        if callee is None or callee.name not in _PARSERS or not node.args:
            return False
        given: ast.AST | None = _undecoded(node.args[0])
        if isinstance(given, ast.Name):
            found = context.module.index.lookup(given.id, given)
            values = [binding.value for binding in found[1]] if found else []
            uses = [
                n
                for n in ast.walk(context.module.index.function_of(node) or node)
                if isinstance(n, ast.Name) and n.id == given.id and isinstance(n.ctx, ast.Load)
            ]
            if len(values) != 1 or len(uses) > 1:
                return False
            given = None if values[0] is None else _undecoded(values[0])
        if isinstance(given, ast.Await):
            given = given.value
        return isinstance(given, ast.Call) and self._request_method(given, context) == "body"

    def _encodes_again(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether an endpoint makes bytes of a part of what it parsed, for another service."""
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "encode"
            and isinstance(node.func.value, ast.Call)
            and (callee := context.library_object(node.func.value.func)) is not None
            and callee.name in _ENCODERS
            for node in endpoint.module.index.own_nodes(endpoint.node)
        )

    def _verifies(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the endpoint looks at headers that sign the body or say what it is."""
        for node in context.module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.search(r"signature|content-type", node.value, re.IGNORECASE):
                    return True
        return False


def _names_of(read: ast.Call, endpoint: Endpoint) -> set[str]:
    """The variables that a body is read into."""
    parents = endpoint.module.index.parents
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


def _only_raises(endpoint: Endpoint) -> bool:
    """Whether an endpoint answers with an error, whatever it is sent: not there yet, or no more."""
    own = endpoint.module.index.own_nodes(endpoint.node)
    return isinstance(endpoint.node.body[-1], ast.Raise) and not any(
        isinstance(node, ast.Return) for node in own
    )


def _expects_invalid(endpoint: Endpoint) -> bool:
    """Whether an endpoint catches what a validation raises, in whatever it hands the body to."""
    return any(
        isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and any(
            (getattr(part, "id", "") or getattr(part, "attr", "")).endswith("ValidationError")
            for part in ast.walk(node.type)
        )
        for node in endpoint.module.index.own_nodes(endpoint.node)
    )


def _is_made_into_model(name: str, endpoint: Endpoint) -> bool:
    """Whether an endpoint itself makes a model of a body, which FastAPI could have done."""
    for node in endpoint.module.index.own_nodes(endpoint.node):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg is None]
        if isinstance(node.func, ast.Attribute) and node.func.attr in _VALIDATIONS:
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
