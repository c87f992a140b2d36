"""What goes to the client: bodies of responses, details of errors, messages on sockets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Class, Function, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

HTTP_EXCEPTIONS = ("starlette.exceptions.HTTPException", "fastapi.HTTPException")
_SOCKET_EXCEPTIONS = ("starlette.exceptions.WebSocketException", "fastapi.WebSocketException")
#: Where the text stands in what is sent: keyword and position.
_DETAIL = ("detail", 1)
_CONTENT = ("content", 0)
_REASON = ("reason", 1)
#: The methods of a WebSocket that send text.
_SENDING = {"send_text": ("data", 0), "send_json": ("data", 0), "close": _REASON}


def sent_to_client(model: Model, module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """The expressions in a statement or call that go to the client."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
        function = module.index.function_of(node)
        if isinstance(function, FUNCTIONS):
            roles = model.roles(Function(module, function))
            if Role.ENDPOINT in roles:
                yield node.value
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr in _SENDING:
        receiver = model.resolve(module, node.func.value)
        if model.is_instance(receiver, "starlette.websockets.WebSocket"):
            given = argument(node, *_SENDING[node.func.attr])
            if given is not None:
                yield given
        return
    value = model.resolve(module, node)
    if isinstance(value, Instance) and value.call is node:
        for kinds, (keyword, position) in (
            (HTTP_EXCEPTIONS, _DETAIL),
            (_SOCKET_EXCEPTIONS, _REASON),
            ((RESPONSE,), _CONTENT),
        ):
            if model.is_instance(value, *kinds):
                if isinstance(value.of, Class) and _has_own_constructor(model, value.of):
                    return
                given = argument(node, keyword, position)
                if given is not None:
                    yield given


def _has_own_constructor(model: Model, cls: Class) -> bool:
    """Whether a class of the project does not have the constructor of its base."""
    init = model.resolver.class_attribute(cls, "__init__", instance=True)
    return isinstance(init, Function)
