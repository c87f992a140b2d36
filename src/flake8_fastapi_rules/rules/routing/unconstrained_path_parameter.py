"""FAR221: a path parameter that takes any number or text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    DependencyFunction,
    Endpoint,
    Parameter,
    ParameterKind,
)
from flake8_fastapi_rules.semantics.framework import PLAIN_ROUTES, path_parameters
from flake8_fastapi_rules.semantics.values import AnnotatedAlias, External, Function

_FREE = {f"builtins.{name}": name for name in ("int", "float", "str")}
_CONSTRAINTS = frozenset(
    {"ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of", "pattern", "regex", None}
)
_HARMLESS_METADATA = frozenset({"fastapi.Path", "pydantic.Field", "typing.Doc"})


class UnconstrainedPathParameter(Rule):
    """Constrain path parameters that are numbers or text.

    ## What it does
    Reports path parameters of type `int`, `float` or `str` without a constraint such as `ge=`,
    `max_length=` or `pattern=`.

    ## Why it matters
    An `int` of FastAPI has no upper end: a number that no database column holds arrives in the
    query and makes an error 500 of what should be 422. Text of any length and kind goes on to
    look-ups, logs and file names.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items/{item_id}")
    async def read_item(item_id: int) -> int:
        return item_id
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Path

    router = APIRouter(tags=["items"])


    @router.get("/items/{position}", status_code=200, operation_id="read_item")
    async def read_item(position: Annotated[int, Path(ge=1, le=1000)]) -> int:
        \"\"\"Answer an item.\"\"\"
        return position
    ```

    ## Leaves alone
    UUIDs, enumerations, literals, dates and all other types; constrained types and `NewType`s;
    parameters with a converter in the path; metadata that cannot be told. A title or description
    is no constraint.

    ## Source
    The convention that input is validated at the border; FastAPI's documentation on numeric
    validations of path parameters.
    """

    code = "FAR221"
    message = "Path parameter `{name}: {type}` takes anything; constrain it with `Path(...)`"
    profiles = ("strict",)
    scope = "project"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report each free path parameter of an operation."""
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        if not has_own_signature(context.model, function):
            return
        if any(route.verb in PLAIN_ROUTES for route in endpoint.routes):
            return
        converters: dict[str, set[str]] = {}
        for route in endpoint.routes:
            for name, converter in path_parameters(route.path or "").items():
                converters.setdefault(name, set()).add(converter)
        for parameter in context.model.parameters(function, context.model.path_names(endpoint)):
            if parameter.kind is not ParameterKind.PATH:
                continue
            name = parameter.alias or parameter.name
            if converters.get(name, {"str"}) != {"str"}:
                continue
            kind = self._free_type(parameter, context)
            if kind is not None:
                yield self.report(parameter.node, name=parameter.name, type=kind)

    @on(DependencyFunction)
    def check_dependency(
        self, dependency: DependencyFunction, context: Context
    ) -> Iterator[Report]:
        """Report each free parameter of a dependency that all paths above it hold."""
        function = Function(dependency.module, dependency.node)
        if not has_own_signature(context.model, function):
            return
        names = self._names_above(dependency, context)
        if not names:
            return
        for parameter in context.model.parameters(function, names):
            if parameter.kind is ParameterKind.PATH:
                kind = self._free_type(parameter, context)
                if kind is not None:
                    yield self.report(parameter.node, name=parameter.name, type=kind)

    def _names_above(self, dependency: DependencyFunction, context: Context) -> frozenset[str]:
        """The parameters without converter that the paths of all routes that need it have."""
        model = context.model
        found: frozenset[str] | None = None
        for path, dependencies in self._operations(context):
            targets = (model.callable_of(needed.target) for needed in dependencies)
            if any(target and target.node is dependency.node for target in targets):
                converters = path_parameters(path or "")
                free = frozenset(name for name in converters if converters[name] == "str")
                found = free if found is None else found & free
        return found or frozenset()

    def _operations(self, context: Context) -> Iterator[tuple[str | None, tuple[Dependency, ...]]]:
        """The path of every route and what runs before its endpoint."""
        project = context.model.project(context.module)
        for route in project.all_routes:
            yield route.local_path, route.dependencies
        if not project.apps:
            for node in project.routers:
                for entry in node.routes:
                    if entry.endpoint is not None:
                        yield entry.fact.path, context.model.all_dependencies(entry.endpoint)[0]

    def _free_type(self, parameter: Parameter, context: Context) -> str | None:
        resolver = context.model.resolver
        value = resolver.resolve(parameter.type_module, parameter.type_node)
        if isinstance(value, AnnotatedAlias) or not isinstance(value, External):
            return None
        _, _, metadata = resolver.annotations.unwrapped(parameter.module, parameter.annotation)
        parts = [(home, part) for home, part in metadata if not isinstance(part, ast.Constant)]
        if parameter.marker is not None and parameter.marker.call is not None:
            parts.append((parameter.marker.call_module, parameter.marker.call))
        for home, part in parts:
            if not isinstance(part, ast.Call):
                return None
            callee = resolver.resolve(home, part.func)
            if not isinstance(callee, External) or callee.name not in _HARMLESS_METADATA:
                return None
            if any(keyword.arg in _CONSTRAINTS for keyword in part.keywords):
                return None
        return _FREE.get(value.name)
