"""FAR223: a GET or HEAD operation that wants a request body."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    Endpoint,
    Parameter,
    ParameterKind,
)
from flake8_fastapi_rules.semantics.values import Function

_BODY = {
    ParameterKind.BODY: "the request body",
    ParameterKind.FORM: "a form",
    ParameterKind.FILE: "an upload",
}


class BodyOnGet(Rule):
    """Take the parameters of a GET or HEAD operation from the query string.

    ## What it does
    Reports parameters of GET and HEAD operations that FastAPI reads from the request body: Pydantic
    models, data classes, `list` and `dict` without `Query()` or `Depends()`, and `Body()`,
    `Form()`, `File()` and uploads, also those of dependencies.

    ## Why it matters
    A body has no meaning in a GET request. Browsers' `fetch` refuses to send one, proxies and
    caches drop it, and Swagger UI cannot try such an operation. Most of these bodies are meant as
    query parameters, which FastAPI cannot know: `list[str]` alone is a body.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items")
    async def read_items(names: list[str]) -> list[str]:
        return names
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/total", status_code=200, operation_id="count_items")
    async def count_items(names: Annotated[list[str], Query()]) -> int:
        \"\"\"Count the items with one of the names.\"\"\"
        return len(names)
    ```

    ## Leaves alone
    Operations that other methods serve too, types that cannot be told, functions whose decorators
    may change the signature, and models with `Query()`, `Header()` or `Depends()`.

    ## Source
    RFC 9110, section 9.3.1; `fastapi.dependencies.utils.analyze_param`.
    """

    code = "FAR223"
    message = "{method} operation `{name}` reads `{parameter}` from {source}; add `Query()`"
    variants = {
        "marked": "{method} operation `{name}` reads `{parameter}` from {source}; use POST",
        "dependency": "{method} operation `{name}` reads {source} in its dependency `{dependency}`",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report each parameter that is, or brings in, a body."""
        methods = endpoint.methods
        if endpoint.is_websocket or not methods or not methods <= {"GET", "HEAD"}:
            return
        model = context.model
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        if any(r.verb == "route" for r in endpoint.routes) or not has_own_signature(
            model, function
        ):
            return
        method = "GET" if "GET" in methods else "HEAD"
        path_names = model.path_names(endpoint)
        for parameter in model.parameters(function, path_names):
            if parameter.kind in _BODY:
                is_marked = parameter.marker is not None or parameter.kind is ParameterKind.FILE
                yield self.report(
                    parameter.node,
                    "marked" if is_marked else None,
                    parameter=parameter.name,
                    source=_BODY[parameter.kind],
                    method=method,
                    name=endpoint.node.name,
                )
            elif parameter.kind is ParameterKind.DEPENDENCY:
                behind = self._behind(model.dependency_of(parameter), path_names, context)
                if behind is not None:
                    yield self._below(parameter.node, parameter.name, behind, endpoint, context)
        for route in endpoint.routes:
            listed, _ = model.listed_dependencies(route.module, route.arguments.get("dependencies"))
            for dependency in listed if route.module is context.module else ():
                behind = self._behind(dependency, path_names, context)
                if behind is not None:
                    named = dependency.target_node or dependency.node
                    shown = context.shown(named, module=dependency.module)
                    yield self._below(route.node, shown, behind, endpoint, context)

    def _below(
        self, place: ast.AST, name: str, behind: Parameter, endpoint: Endpoint, context: Context
    ) -> Report:
        return self.report(
            place,
            "dependency",
            related=[context.related(behind.module, behind.node, "read from the body")],
            source=f"`{behind.name}` from {_BODY[behind.kind]}",
            dependency=name,
            method="GET" if "GET" in (endpoint.methods or ()) else "HEAD",
            name=endpoint.node.name,
        )

    def _behind(
        self, start: Dependency | None, path_names: frozenset[str], context: Context
    ) -> Parameter | None:
        """The first body parameter of a dependency or of what that depends on."""
        model = context.model
        waiting = [start]
        seen: set[object] = set()
        while waiting:
            dependency = waiting.pop(0)
            function = model.callable_of(dependency.target) if dependency else None
            if dependency is None or function is None or function.node in seen:
                continue
            seen.add(function.node)
            if not has_own_signature(model, function):
                continue
            for inner in model.parameters(function, path_names):
                if inner.kind in _BODY:
                    return inner
            waiting.extend(model.sub_dependencies(dependency)[0])
        return None
