"""Operations as a whole: whether the schema shows them, how they answer and are reached."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.credentials import is_link_key, is_one_time
from flake8_fastapi_rules.semantics.facts import ParameterKind, RouteKind
from flake8_fastapi_rules.semantics.framework import PLAIN_ROUTES, RESPONSE
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.provided import request_parameters
from flake8_fastapi_rules.semantics.responses import is_raw_response, returns_of, sets_status
from flake8_fastapi_rules.semantics.schemas import is_true
from flake8_fastapi_rules.semantics.values import Constant, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter, Route
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_EVENTS = ("fastapi.sse.EventSourceResponse", "sse_starlette.EventSourceResponse")
_EVENT_STREAM = "text/event-stream"
_STREAMS = (
    "starlette.responses.FileResponse",
    "starlette.responses.StreamingResponse",
    "sse_starlette.EventSourceResponse",
)
_IN_LINKS = frozenset({ParameterKind.QUERY, ParameterKind.PATH})


def is_documented_operation(model: Model, route: Route) -> bool:
    """Whether a route is an HTTP operation that, as far as can be told, the schema shows.

    Routes with unknown arguments are not; those hidden by `include_in_schema=False` on the route,
    or on all of the routers and includes around it, neither.
    """
    if route.kind is not RouteKind.HTTP or route.verb in PLAIN_ROUTES:
        return False
    if route.call is None or route.has_unknown_arguments:
        return False
    given = route.arguments.get("include_in_schema")
    if given is not None and model.resolve(route.module, given) != Constant(True):
        return False
    found = model.project(route.module).routes_at(route)
    if found:
        return any(resolved.include_in_schema is True for resolved in found)
    return not _is_on_hidden_router(model, route)


def _is_on_hidden_router(model: Model, route: Route) -> bool:
    """Whether the router, which no app includes here, may keep its operations to itself."""
    given = model.made_with(route.receiver, "include_in_schema")
    return given is not None and model.resolve(*given) != Constant(True)


def names_of(endpoint: Endpoint) -> tuple[str, ...]:
    """What an operation is called: the name of its function, and its paths as they are written."""
    return (endpoint.node.name, *(route.path or "" for route in endpoint.routes))


def local_paths(model: Model, module: Module, endpoint: Endpoint) -> Iterator[str]:
    """The paths of an operation as its routes write them.

    Where one says nothing (`@router.post("")`), those that the prefixes of its router make.

    Parameters:
        module: one whose project is asked.
    """
    for route in endpoint.routes:
        if route.path and route.path != "/":
            yield route.path
            continue
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        for resolved in model.project(module).routes_of(function):
            if resolved.route is route and resolved.local_path is not None:
                yield resolved.local_path


def chooses_status_itself(model: Model, endpoint: Endpoint) -> bool:
    """Whether an operation streams, answers with a response, or sets the status of one."""
    module = endpoint.module
    if module.index.is_generator(endpoint.node) or is_raw_response(
        model, module, endpoint.node.returns
    ):
        return True
    if sets_status(model, Function(module, endpoint.node, endpoint.view_class)):
        return True
    return any(
        model.is_instance(model.resolve(module, node.value), RESPONSE)
        for node in returns_of(module, endpoint.node)
    )


def describes_status(model: Model, route: Route, status: int) -> bool:
    """Whether a route says what it means by a status: `responses={200: {"description": "..."}}`."""
    responses = route.arguments.get("responses")
    return isinstance(responses, ast.Dict) and any(
        key is not None
        and model.status(route.module, key) == status
        and isinstance(told, ast.Dict)
        and any(isinstance(k, ast.Constant) and k.value == "description" for k in told.keys)
        for key, told in zip(responses.keys, responses.values, strict=True)
    )


def is_deprecated(model: Model, endpoint: Endpoint) -> bool:
    """Whether an operation only stays for those who use it still."""
    return "deprecated" in words_of(endpoint.node.name) or any(
        is_true(model, route.module, route.arguments.get("deprecated")) for route in endpoint.routes
    )


def declares_or_makes(model: Model, endpoint: Endpoint, *names: str) -> bool:
    """Whether an operation declares, or makes, a response of one of the named classes."""
    index = endpoint.module.index
    named = [route.arguments.get("response_class") for route in endpoint.routes]
    called = [n.func for n in index.own_nodes(endpoint.node) if isinstance(n, ast.Call)]
    return any(
        model.is_subclass(model.resolve(endpoint.module, node), *names)
        for node in (*named, *called, endpoint.node.returns)
        if node is not None
    )


def may_stream(model: Model, endpoint: Endpoint) -> bool:
    """Whether an operation answers with a file, or piece by piece."""
    return endpoint.module.index.is_generator(endpoint.node) or declares_or_makes(
        model, endpoint, *_STREAMS
    )


def is_event_stream(model: Model, endpoint: Endpoint) -> bool:
    """Whether browsers open an operation with an `EventSource`, which knows only GET."""
    if any("sse" in words_of(each) for each in names_of(endpoint)):
        return True
    return declares_or_makes(model, endpoint, *_EVENTS) or any(
        isinstance(node, ast.keyword)
        and node.arg == "media_type"
        and (model.text(endpoint.module, node.value) or "").startswith(_EVENT_STREAM)
        for node in endpoint.module.index.own_nodes(endpoint.node)
    )


def is_reached_by_link(model: Model, endpoint: Endpoint) -> bool:
    """Whether a link in a mail leads to an operation, which cannot be followed by POST.

    Its name or path says so, and it takes what the link proves with that it was sent.
    """
    said = names_of(endpoint)
    function = Function(endpoint.module, endpoint.node, endpoint.view_class)
    names = model.path_names(endpoint)
    leaves = any(words_of(each)[:1] == ["unsubscribe"] for each in said)
    return is_one_time(*said) and any(
        parameter.kind in _IN_LINKS
        and (leaves or not _is_number(model, parameter))
        and (leaves or is_link_key(parameter.alias or parameter.name))
        for parameter in request_parameters(model, function, names)
    )


def _is_number(model: Model, parameter: Parameter) -> bool:
    """Whether a parameter is an integer, which counts rows and proves nothing: `uid: int`."""
    typed = model.resolve(parameter.type_module, parameter.type_node)
    return typed == External("builtins.int")


def surely_runs_for_every_method(endpoint: Endpoint, node: ast.AST) -> bool:
    """Whether an operation runs a statement by whichever of its methods it is called.

    A condition in front of it may ask for the method: `if await form.is_submitted():`.
    """
    index = endpoint.module.index
    line = getattr(node, "lineno", 0)
    return not index.branch_of(node, index.scopes[endpoint.node]) and not any(
        isinstance(each, ast.Return | ast.Raise) and each.lineno < line
        for each in index.own_nodes(endpoint.node)
    )
