"""FAR806: a WebSocket that FastAPI takes for a query parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of, replace
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.signature import annotate, signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter, ParameterKind
from flake8_fastapi_rules.semantics.framework import path_parameters
from flake8_fastapi_rules.semantics.values import External, Function

_ANY = External("typing.Any")
_NAMES = ("websocket", "ws", "socket", "web_socket", "client", "conn", "connection", "sock")


class UnannotatedWebsocket(Rule):
    """Annotate the socket of a WebSocket endpoint with `WebSocket`.

    ## What it does
    Reports a WebSocket endpoint of which no parameter is annotated with `WebSocket`, but one
    without an annotation, or with `Any`, looks meant for it.

    ## Why it matters
    FastAPI knows the socket by its annotation only. Without it the parameter is a required query
    parameter, and every connection is refused.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.websocket("/ws")
    async def echo(websocket) -> None:
        await websocket.accept()
    ```

    ## Use instead
    ```python
    from fastapi import WebSocket


    async def greet(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
    ```

    ## Leaves alone
    Parameters in the path or with a default, methods of class-based views, functions under other
    decorators, and Starlette's own `websocket_route`.

    ## Fix safety
    The fix adds the annotation and its import; the endpoint did not work before.

    ## Source
    `fastapi.dependencies.utils.add_non_field_param_to_dependency` (0.165).
    """

    code = "FAR806"
    message = "`{name}` is not annotated: FastAPI takes it for a query parameter; add `WebSocket`"
    variants = {
        "any": "`{name}` is `Any`: FastAPI takes it for a query parameter; write `WebSocket`"
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = ("websocket",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the parameter that was meant for the socket."""
        if not endpoint.is_websocket or any(
            route.verb in {"websocket_route", "add_websocket_route"} or route.path is None
            for route in endpoint.routes
        ):
            return
        function = Function(context.module, endpoint.node, endpoint.view_class)
        if not has_own_signature(context.model, function):
            return
        names = {name for route in endpoint.routes for name in path_parameters(route.path or "")}
        parameters = context.model.parameters(function, frozenset(names))
        if any(p.kind in {ParameterKind.SPECIAL, ParameterKind.UNKNOWN} for p in parameters):
            return
        candidates = [
            p
            for p in parameters
            if p.default is None
            and p.kind is ParameterKind.QUERY
            and (p.annotation is None or context.resolve(p.annotation) == _ANY)
        ]
        meant = [p for p in candidates if p.name in _NAMES or _is_used_as_socket(p, endpoint)]
        for parameter in meant[:1]:
            fix = partial(self._fix, parameter, endpoint, context)
            variant = None if parameter.annotation is None else "any"
            yield self.report(parameter.node, variant, fix=fix, name=parameter.name)

    def _fix(self, parameter: Parameter, endpoint: Endpoint, context: Context) -> Fix:
        text = text_of(context.module)
        imported = ensure_import(text, "fastapi", "WebSocket", endpoint.node)
        edit = (
            annotate(text, parameter.node, imported.name)
            if parameter.annotation is None
            else replace(text, parameter.annotation, imported.name)
        )
        group = signature_group(endpoint.node)
        return fix_of(
            "Annotate the socket",
            "safe",
            edit,
            imported.edits,
            group=group,
            # What is wrong with the handler shows once it is one.
            leads_to=("FAR713", "FAR805", "FAR811"),
        )


def _is_used_as_socket(parameter: Parameter, endpoint: Endpoint) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"accept", "receive_text", "receive_json", "send_text", "send_json"}
        and isinstance(node.value, ast.Name)
        and node.value.id == parameter.name
        for node in ast.walk(endpoint.node)
    )
