"""What an endpoint hands on as a whole: bodies that somebody else checks, stores or sends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import mentions
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.framework import path_parameters
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.values import Class, External, Function, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_REQUEST = "starlette.requests.Request"
_MODEL = "pydantic.BaseModel"
#: Methods of models that take a body as it was parsed.
VALIDATIONS = frozenset({"model_validate", "parse_obj", "validate_python"})
#: What writes documents.
_DOCUMENTS = frozenset({"yaml.dump", "yaml.safe_dump", "ruamel.yaml.YAML.dump", "toml.dump"})
#: Methods of clients that send a body.
_SENDING = frozenset({"patch", "post", "put"})
#: Calls that hand a request on, tell all who listen, or check what they are given.
_HANDING_ON = re.compile(r"(?i)forward|proxy|relay")
_TELLING = re.compile(r"(?i)broadcast|publish|validat")
#: Parameters of a path that say what kind of thing is meant, and with it what the body is like.
_KIND = re.compile(
    r"(?:^|_)(?:type|kind|method|pattern|provider)$"
    r"|^(?:action|adapter|agent|command|connector|driver|function|handler|integration|operation"
    r"|plugin|service|skill|tool|workflow)"
    r"(?:_name|_key)?$"
)
#: What is configured may have any settings, of which those who configure it know.
_CONFIGURATION = re.compile(r"(?:^|_)conf(?:ig(?:uration)?)?(?:_(?:data|updates?))?$")
#: What only looks at a value, whoever uses it.
_LOOKING = frozenset({"bool", "isinstance", "len", "print", "repr", "str", "type"})
_LEVELS = frozenset({"debug", "info", "warning", "error", "exception"})


def hands_on_request(endpoint: Endpoint) -> bool:
    """Whether an endpoint calls something that hands requests on to another service."""
    return any(_HANDING_ON.search(ast.unparse(call.func)) for call in _calls(endpoint))


def is_handed_on(model: Model, endpoint: Endpoint, names: Set[str]) -> bool:
    """Whether an endpoint hands a body on as it is, to what knows its form or needs none.

    That is another service, a manager that is called as the endpoint is, what is given the whole
    request as well and answers it, what says that it checks or publishes things, and what the path
    names. If the endpoint reads keys of the body, it knows a form itself.

    Parameters:
        names: the variables that hold the body.
    """
    given = [call for call in _calls(endpoint) if _gets(call, names)]
    if any(_sends(endpoint, call, names) or _gets_model(model, endpoint, call) for call in given):
        return True
    if any(_is_validator(model, endpoint, call) for call in given):
        return True
    if any(_sends_within(endpoint, call, names) for call in _calls(endpoint)):
        return True
    if _validates_itself(model, endpoint, names):
        return True
    if reads_keys(endpoint, names):
        return False
    if _names_kind(endpoint) and _is_used(endpoint, names):
        return True
    if any(_writes_out(model, endpoint, call) for call in given):
        return True
    if any(_CONFIGURATION.search(name) for name in names) and _is_used(endpoint, names):
        return True
    requests = _requests(model, endpoint)
    return any(
        _HANDING_ON.search(ast.unparse(call.func))
        or _TELLING.search(ast.unparse(call.func))
        or (_gets(call, requests) and _is_answer(endpoint, call))
        or _is_namesake(model, call, endpoint)
        for call in given
    )


def _names_kind(endpoint: Endpoint) -> bool:
    """Whether the path says what kind of thing is meant, and the endpoint looks it up."""
    kinds = {
        name
        for route in endpoint.routes
        for name in path_parameters(route.path or "")
        if _KIND.search(name)
    }
    return bool(kinds) and any(
        mentions(argument, kinds)
        for call in _calls(endpoint)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    )


def _is_used(endpoint: Endpoint, names: Set[str]) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
        for node in endpoint.module.index.own_nodes(endpoint.node)
    )


def _calls(endpoint: Endpoint) -> Iterator[ast.Call]:
    for node in endpoint.module.index.own_nodes(endpoint.node):
        if isinstance(node, ast.Call):
            last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if last in _LEVELS or (isinstance(node.func, ast.Name) and node.func.id in _LOOKING):
                continue
            yield node


def _gets(call: ast.Call, names: Set[str]) -> bool:
    """Whether a call is given one of some variables, perhaps with another value if it is empty."""
    return any(
        isinstance(each, ast.Name) and each.id in names
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for each in (argument.values if isinstance(argument, ast.BoolOp) else [argument])
    )


def _behind(endpoint: Endpoint, node: ast.expr) -> ast.expr:
    """What a variable was given that has one value; another expression as it is."""
    if not isinstance(node, ast.Name):
        return node
    found = endpoint.module.index.lookup(node.id, node)
    return (found is not None and len(found[1]) == 1 and found[1][0].given) or node


def _sends(endpoint: Endpoint, call: ast.Call, names: Set[str]) -> bool:
    """Whether a call sends a value to a path of another service, as it is."""
    func = call.func
    if not (isinstance(func, ast.Attribute) and func.attr in _SENDING and call.args):
        return False
    path = _behind(endpoint, call.args[0])
    first = path.values[0] if isinstance(path, ast.JoinedStr) and path.values else path
    if not (isinstance(first, ast.Constant) and str(first.value).startswith(("/", "http"))):
        return False
    given = (*call.args[1:], *(k.value for k in call.keywords if k.arg in {"json", "data"}))
    return any(isinstance(each, ast.Name) and each.id in names for each in given)


def _gets_model(model: Model, endpoint: Endpoint, call: ast.Call) -> bool:
    """Whether a call is given a model as well, to validate by: `parse_body(NewItem, body)`."""
    return any(
        isinstance(argument, ast.Name | ast.Attribute)
        and model.is_subclass(model.resolve(endpoint.module, argument), _MODEL)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
    )


def _is_validator(model: Model, endpoint: Endpoint, call: ast.Call) -> bool:
    """Whether a call has a function of the project say what is wrong with a whole body."""
    value = model.resolve(endpoint.module, call.func)
    return isinstance(value, Function) and words_of(getattr(value.node, "name", ""))[:1] == [
        "validate"
    ]


def _writes_out(model: Model, endpoint: Endpoint, call: ast.Call) -> bool:
    """Whether a call makes a text of a value as it is, which then is a document of any form."""
    value = model.resolve(endpoint.module, call.func)
    return isinstance(value, External) and value.name in _DOCUMENTS


def _sends_within(endpoint: Endpoint, call: ast.Call, names: Set[str]) -> bool:
    """Whether a value is a part of what is sent to another service, or rendered.

    `client.post("http://reports/build", json={"data": data})`, `template.render({"data": data})`
    """
    func = call.func
    if (
        not isinstance(func, ast.Attribute)
        or func.attr not in {*_SENDING, "render"}
        or not call.args
    ):
        return False
    given = [keyword.value for keyword in call.keywords if keyword.arg in {"json", "data"}]
    if func.attr == "render":
        given += call.args
    elif not (
        isinstance(path := _behind(endpoint, call.args[0]), ast.Constant)
        and str(path.value).startswith("http")
    ):
        return False
    return any(
        isinstance(each, ast.Name) and each.id in names
        for value in (_behind(endpoint, each) for each in given)
        if isinstance(value, ast.Dict)
        for each in value.values
    )


def _validates_itself(model: Model, endpoint: Endpoint, names: Set[str]) -> bool:
    """Whether an endpoint has a model validate a body that FastAPI could not have taken as one.

    It completes the body first, puts it into what is there (`model_copy(update=body)`,
    `Settings(**{**stored, **body})`), chooses between models, or the model has a method of its own
    that does more.
    """
    own = endpoint.module.index.own_nodes(endpoint.node)
    made: set[str] = set()
    checks = copies = False
    for call in (node for node in own if isinstance(node, ast.Call)):
        func = call.func
        given = (*call.args, *(k.value for k in call.keywords))
        if any(_merges(_behind(endpoint, each), names) for each in given):
            if _makes_model(model, model.resolve(endpoint.module, func)):
                return True
        unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
        if isinstance(func, ast.Attribute):
            checks = checks or func.attr in VALIDATIONS
            if func.attr == "model_copy":
                copies = copies or any(
                    keyword.arg == "update" and mentions(keyword.value, names)
                    for keyword in call.keywords
                )
            owner = model.resolve(endpoint.module, func.value)
            if _gets(call, names) and "validat" in func.attr:
                if model.is_subclass(owner, _MODEL):
                    made.add(ast.unparse(func.value))
                    if func.attr not in VALIDATIONS:
                        return True
        elif any(isinstance(each, ast.Name) and each.id in names for each in unpacked):
            owner = model.resolve(endpoint.module, func)
            if model.is_subclass(owner, _MODEL):
                made.add(ast.unparse(func))
    completes = any(
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        for node in own
    )
    return len(made) > 1 or bool(made and completes) or (copies and checks)


def _merges(node: ast.expr, names: Set[str]) -> bool:
    """Whether a dictionary is another one with a body on top: `{**stored, **body}`."""
    match node:
        case ast.Dict(keys=[None, *_, None], values=[_, *_, ast.Name(id=name)]):
            return name in names
        case ast.BinOp(op=ast.BitOr(), right=ast.Name(id=name)):
            return name in names
        case _:
            return False


def _makes_model(model: Model, value: Value) -> bool:
    """Whether a call gives a model: of the class itself, or of a function that is said to."""
    match value:
        case Class() | External():
            return model.is_subclass(value, _MODEL)
        case Function(module=module, node=ast.FunctionDef(returns=ast.expr() as returned)):
            return model.is_instance(model.resolver.annotation(module, returned), _MODEL)
        case _:
            return False


def reads_keys(endpoint: Endpoint, names: Set[str]) -> bool:
    """Whether an endpoint asks a body, or what is in a list of them, for keys that it names."""
    parents = endpoint.module.index.parents
    items = set(names)
    own = endpoint.module.index.own_nodes(endpoint.node)
    for node in own:
        match node:
            case ast.For(iter=ast.Name(id=name), target=ast.Name(id=item)) if name in names:
                items.add(item)
            case ast.comprehension(iter=ast.Name(id=name), target=ast.Name(id=item)) if (
                name in names
            ):
                items.add(item)
    for node in own:
        if not (isinstance(node, ast.Name) and node.id in items):
            continue
        match parents.get(node):
            case ast.Subscript(slice=ast.Constant(), ctx=ast.Load()):
                return True
            case ast.Compare(left=ast.Constant(), ops=[ast.In() | ast.NotIn()]):
                return True
            case ast.Attribute(attr="get" | "pop" | "setdefault") as asked:
                match parents.get(asked):
                    case ast.Call(args=[ast.Constant(), *_]):
                        return True
    return False


def _requests(model: Model, endpoint: Endpoint) -> frozenset[str]:
    """The parameters of an endpoint that are the whole request."""
    arguments = endpoint.node.args
    return frozenset(
        each.arg
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        if each.annotation is not None
        and model.is_instance(model.resolver.annotation(endpoint.module, each.annotation), _REQUEST)
    )


def _is_answer(endpoint: Endpoint, call: ast.Call) -> bool:
    """Whether what a call gives is what the endpoint returns."""
    parents = endpoint.module.index.parents
    parent = parents.get(call)
    if isinstance(parent, ast.Await):
        parent = parents.get(parent)
    return isinstance(parent, ast.Return)


def _is_namesake(model: Model, call: ast.Call, endpoint: Endpoint) -> bool:
    """Whether a call unpacks its arguments into an unknown object's method of the same name."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in endpoint.node.name
        and any(keyword.arg is None for keyword in call.keywords)
        and not isinstance(model.resolve(endpoint.module, call.func), Class | Function)
    )
