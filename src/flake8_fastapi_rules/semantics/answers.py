"""What goes to the client: bodies of responses, details of errors, messages on sockets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, mentions
from flake8_fastapi_rules.semantics.calls import STREAM_RESPONSES, argument_filled
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS, RESPONSE
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_SOCKET_EXCEPTIONS = ("starlette.exceptions.WebSocketException", "fastapi.WebSocketException")
#: Where the text stands in what is sent: keyword and position.
_DETAIL = ("detail", 1)
_CONTENT = ("content", 0)
_REASON = ("reason", 1)
_TEMPLATES = "starlette.templating.Jinja2Templates"
#: What gives back what it is given, in another shape.
_SHAPES = (External("builtins.dict"), External("fastapi.encoders.jsonable_encoder"))
#: The methods of a WebSocket that send text.
_SENDING = {"send_text": ("data", 0), "send_json": ("data", 0), "close": _REASON}

#: Through how many functions of the project a text is followed.
_DEPTH = 2


def sent_to_client(
    model: Model, module: Module, node: ast.AST, depth: int = 0
) -> Iterator[ast.expr]:
    """The expressions in a statement or call that go to the client.

    Parameters:
        node: the statement or call.
        depth: through how many functions of the project it was reached.
    """
    if isinstance(node, ast.Return) and node.value is not None:
        function = module.index.function_of(node)
        if isinstance(function, FUNCTIONS):
            if Role.ENDPOINT in model.roles(Function(module, function)):
                yield node.value
    if isinstance(node, ast.Yield) and node.value is not None:
        function = module.index.function_of(node)
        if isinstance(function, FUNCTIONS) and _is_streamed(model, Function(module, function)):
            yield node.value
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr == "TemplateResponse":
        if model.is_instance(model.resolve(module, node.func.value), _TEMPLATES):
            named_first = bool(node.args) and isinstance(node.args[0], ast.Constant)
            given = argument(node, "context", 1 if named_first else 2)
            if given is not None:
                yield given
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SENDING:
        receiver = model.resolve(module, node.func.value)
        if model.is_instance(receiver, "starlette.websockets.WebSocket"):
            given = argument(node, *_SENDING[node.func.attr])
            if given is not None:
                yield given
        return
    value = model.resolve(module, node)
    callee = model.resolve(module, node.func)
    if isinstance(callee, Function):
        if depth < _DEPTH:
            # `raise bad_request(text)`: what makes the error need not raise it itself
            is_raised = isinstance(module.index.parents.get(node), ast.Raise)
            is_answer = model.is_instance(value, RESPONSE, *(HTTP_EXCEPTIONS if is_raised else ()))
            yield from _handed_on(model, node, callee, depth, raising=not is_answer)
    elif isinstance(value, Instance) and value.call is node:
        for kinds, (keyword, position) in (
            (HTTP_EXCEPTIONS, _DETAIL),
            (_SOCKET_EXCEPTIONS, _REASON),
            ((RESPONSE,), _CONTENT),
        ):
            if model.is_instance(value, *kinds):
                if isinstance(value.of, Class) and _has_own_constructor(model, value.of):
                    yield from _given_to_base(model, node, value.of, keyword, position)
                    return
                given = argument(node, keyword, position)
                if given is not None:
                    yield given


def is_answered_later(model: Model, module: Module, node: ast.AST, name: str) -> bool:
    """Whether an endpoint answers with a local list or dictionary, further down than a place in it.

    Parameters:
        node: the place.
        name: the variable that holds the list or dictionary.
    """
    function = module.index.function_of(node)
    if not isinstance(function, FUNCTIONS) or name not in module.index.scopes[function].bindings:
        return False
    if Role.ENDPOINT not in model.roles(Function(module, function)):
        return False
    return any(
        isinstance(each, ast.Return)
        and each.lineno > getattr(node, "lineno", 0)
        and _holds(model, module, each.value, name)
        for each in module.index.own_nodes(function)
    )


def _holds(model: Model, module: Module, node: ast.expr | None, name: str, depth: int = 0) -> bool:
    """Whether what a variable holds is a part of what an expression makes, as it is.

    Parameters:
        depth: through how many functions of the project the expression was reached.
    """
    match node:
        case ast.Name(id=found):
            return found == name
        case ast.Dict(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            return any(_holds(model, module, part, name, depth) for part in parts)
        case ast.Call(func=func, args=args, keywords=keywords):
            parts = [*args, *(keyword.value for keyword in keywords)]
            held = [part for part in parts if _holds(model, module, part, name, depth)]
            if not held:
                return False
            made = model.resolve(module, func)
            if isinstance(made, Function):
                return depth < _DEPTH and any(
                    _puts_in(model, made, node, part, depth + 1) for part in held
                )
            return isinstance(made, Class) or made in _SHAPES or model.is_subclass(made, RESPONSE)
        case _:
            return False


def _puts_in(model: Model, maker: Function, call: ast.Call, given: ast.expr, depth: int) -> bool:
    """Whether a function of the project makes what it is given a part of its result."""
    filled = argument_filled(maker, call, given)
    if filled is None or not isinstance(maker.node, FUNCTIONS):
        return False
    names = {filled.arg}
    for each in maker.module.index.own_nodes(maker.node):
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            if any(_holds(model, maker.module, each.value, name, depth) for name in names):
                names.add(each.targets[0].id)
    return any(
        _holds(model, maker.module, returned.value, name, depth)
        for returned in returns_of(maker.module, maker.node)
        for name in names
    )


def _is_streamed(model: Model, function: Function) -> bool:
    """Whether what a generator yields is the body of a response."""
    if Role.ENDPOINT in model.roles(function):
        return True
    for call in model.direct_calls(function):
        if not call.is_certain:
            continue
        parents = call.module.index.parents
        parent = parents.get(call.node)
        if isinstance(parent, ast.keyword):
            parent = parents.get(parent)
        if isinstance(parent, ast.Call) and parent.func is not call.node:
            if model.is_instance(model.resolve(call.module, parent), *STREAM_RESPONSES):
                return True
    return False


def _handed_on(
    model: Model, call: ast.Call, function: Function, depth: int, *, raising: bool
) -> Iterator[ast.expr]:
    """The arguments of a call that a function of the project puts into the response it makes.

    Parameters:
        raising: whether only errors count that the function raises.
    """
    if isinstance(function.node, ast.Lambda):
        return
    own = function.module.index.own_nodes(function.node)
    makers: tuple[ast.AST | None, ...] = own
    if raising:
        makers = tuple(each.exc for each in own if isinstance(each, ast.Raise))
        if not any(makers):
            return
    for given in (*call.args, *(keyword.value for keyword in call.keywords)):
        filled = argument_filled(function, call, given)
        if filled is None and any(k.value is given and k.arg for k in call.keywords):
            filled = function.node.args.kwarg  # `**details`
        if filled is None:
            continue
        names = _named_after(own, filled.arg)
        sent = (
            sink
            for node in makers
            if node is not None
            for sink in sent_to_client(model, function.module, node, depth + 1)
        )
        if any(mentions(sink, names) for sink in sent):
            yield given


def _named_after(nodes: tuple[ast.AST, ...], name: str) -> set[str]:
    """A name, and those that what it holds is bound to, alone or with other things."""
    names = {name}
    assigned = [
        (node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value)
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign)
    ]
    for target, value in assigned:
        if isinstance(target, ast.Name) and value is not None and mentions(value, names):
            names.add(target.id)
    return names


def _has_own_constructor(model: Model, cls: Class) -> bool:
    """Whether a class of the project does not have the constructor of its base."""
    init = model.resolver.class_attribute(cls, "__init__", instance=True)
    return isinstance(init, Function)


def _given_to_base(
    model: Model, call: ast.Call, cls: Class, keyword: str, position: int, depth: int = 0
) -> Iterator[ast.expr]:
    """The arguments of a call that a class's own constructor gives to its base for the client.

    Parameters:
        keyword, position: where the constructor of the library's class takes it.
    """
    init = model.callable_of(cls)
    if init is None or not isinstance(init.node, FUNCTIONS) or depth > _DEPTH:
        return
    own = init.module.index.own_nodes(init.node)
    bases = [base for base in model.resolver.mro(cls) if isinstance(base, Class)]
    made = [
        base for base in bases if "__init__" in {getattr(s, "name", "") for s in base.node.body}
    ]
    sinks: list[ast.expr | None] = []
    for node in own:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__")
            ):
                if len(made) < 2:
                    sinks.append(argument(node, keyword, position))
                else:  # the constructor of another class of the project
                    sinks += _given_to_base(model, node, made[1], keyword, position, depth + 1)
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)], value=value
            ):
                if attr == keyword:
                    sinks.append(value)
    scope = init.module.index.scopes[init.node]
    sent = [
        sink
        for sink in sinks
        if sink is not None
        and not init.module.index.branch_of(sink, scope)
        and not any(isinstance(part, ast.IfExp) for part in ast.walk(sink))
    ]
    for given in (*call.args, *(each.value for each in call.keywords)):
        filled = argument_filled(init, call, given)
        if filled is not None:
            names = _named_after(own, filled.arg)
            if any(mentions(sink, names) for sink in sent):
                yield given
