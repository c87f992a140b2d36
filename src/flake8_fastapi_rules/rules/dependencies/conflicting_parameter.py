"""FAR306: a parameter that FastAPI refuses at import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.engine.index import is_ellipsis
from flake8_fastapi_rules.fixes.parameters import (
    move_default_out,
    without_default,
    without_default_of_marker,
)
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter
from flake8_fastapi_rules.semantics.framework import (
    PARAMETER_MARKERS,
    SPECIAL_PARAMETER_TYPES,
)
from flake8_fastapi_rules.semantics.markers import (
    called_markers,
    has_own_default,
    is_default_overlooked,
    is_written_in,
    parameters_behind,
)
from flake8_fastapi_rules.semantics.values import Function, FunctionNode


class ConflictingParameter(Rule):
    """Say once, and in one place, what a parameter is.

    ## What it does
    Reports the parameters that FastAPI refuses when it reads the signature: a default value inside
    of `Annotated[..., Query(1)]`; a marker in `Annotated` and another one as default; `Path()` with
    a default; `Query()`, `Header()`, `Cookie()`, `Body()`, `Form()` or `File()` for a name that is
    in the path; a marker on a `Request` or another type that FastAPI fills in by itself.

    ## Why it matters
    Each of these is an `AssertionError` at import: the service does not start.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Query


    async def get_page(limit: Annotated[int, Query(10, le=100)]) -> range:
        return range(limit)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Query


    async def get_page(limit: Annotated[int, Query(le=100)] = 10) -> range:
        '''Give the positions on the first page.'''
        return range(limit)
    ```

    ## Leaves alone
    `...` as the default of a marker, `default_factory=`, several markers in one `Annotated` (the
    last one counts), a parameter function as the default beside `Annotated[..., Depends(f)]`
    (FastAPI ignores it), and fields of Pydantic models.

    ## Fix safety
    Safe: the code does not import as it is. A default moves from the marker behind `=`; one that a
    path parameter must not have goes. Where two markers contradict each other, or a name is in the
    path, a person has to choose.

    ## Source
    The assertions in `fastapi.dependencies.utils.analyze_param` and `fastapi.params.Path`, the same
    from FastAPI 0.95 to 0.165.
    """

    code = "FAR306"
    message = "Put the default of `{name}` behind `=`; `{marker}` must have none in `Annotated`"
    variants = {
        "twice": "Keep one marker of `{name}`: `{first}` in `Annotated` or `{second}` as default",
        "path": "Drop the default of `{name}`: a path parameter always has a value",
        "name": "Use `Path()` for `{name}`: it is in the path, and `{marker}()` fails at import",
        "through": "Use `Path()` for `{key}` in `{function}`, behind `{name}`: it is in the path",
        "special": "Drop `{marker}()` from `{name}`: FastAPI fills in a `{type}` by itself",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    framework_only = True

    @on(ast.FunctionDef, ast.AsyncFunctionDef, framework_only=True)
    def check_signature(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report what is refused whatever the path is."""
        function = Function(context.module, node)
        if not context.model.may_have_markers(function):
            return
        for parameter in context.model.parameters(function):
            report = self._report_parameter(function, parameter, context)
            if report is not None:
                yield report

    def _report_parameter(
        self, function: Function, parameter: Parameter, context: Context
    ) -> Report | None:
        inside, outside = called_markers(parameter)
        name = parameter.name
        if inside and outside and not is_default_overlooked(inside, outside):
            return self.report(
                parameter.node,
                "twice",
                fix=Unfixable("which of the two markers counts is for you to say"),
                name=name,
                first=f"{inside.name}()",
                second=f"{outside.name}()",
            )
        marker = outside or inside
        if marker is None or marker.name not in PARAMETER_MARKERS or marker.call is None:
            return None
        typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
        if context.model.is_instance(typed, *SPECIAL_PARAMETER_TYPES):
            kind = ""
            if parameter.type_node is not None:
                kind = context.shown(parameter.type_node, module=parameter.type_module)
            return self.report(
                parameter.node,
                "special",
                fix=Unfixable("whether type or marker is wrong is for you to say"),
                name=name,
                marker=marker.name,
                type=kind,
            )
        if not has_own_default(marker):
            return None
        if marker.name == "Path":
            fix = partial(without_default_of_marker, context.module, marker)
            return self.report(parameter.node, "path", fix=fix, name=name)
        is_here = marker is inside and marker.module is context.module
        if is_here and is_written_in(parameter, marker):
            fix = partial(move_default_out, context.model, function, parameter, marker)
            return self.report(parameter.node, fix=fix, name=name, marker=f"{marker.name}()")
        return None

    @on(ast.Subscript, framework_only=True)
    def check_alias(self, node: ast.Subscript, context: Context) -> Iterator[Report]:
        """Report aliases such as `Limit = Annotated[int, Query(10)]` where they are written."""
        for marker in context.model.markers_of_alias(context.module, node)[-1:]:
            if marker.name in PARAMETER_MARKERS and marker.is_direct and has_own_default(marker):
                name = context.model.name_of_alias(context.module, node)
                fix = Unfixable("all users of the alias would need the default")
                yield self.report(marker.node, fix=fix, name=name, marker=f"{marker.name}()")

    @on(Endpoint)
    def check_path(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report what is refused because of the names in an endpoint's paths."""
        model = context.model
        names = model.path_names(endpoint)
        function = Function(context.module, endpoint.node, endpoint.view_class)
        parameters = model.parameters(function) if names else ()
        for parameter in parameters:
            marker = parameter.marker
            if len(parameter.markers) > 1 or parameter.name not in names:
                continue
            if marker is None or marker.name == "Path":
                default = parameter.default
                if marker and marker.in_annotated and default and not is_ellipsis(default):
                    fix = partial(without_default, model, function, parameter)
                    yield self.report(parameter.node, "path", fix=fix, name=parameter.name)
            elif marker.name in PARAMETER_MARKERS and marker.call is not None:
                yield self.report(
                    parameter.node,
                    "name",
                    fix=Unfixable("whether path or marker is wrong is for you to say"),
                    name=parameter.name,
                    marker=marker.name,
                )
        for parameter in parameters:
            yield from self._through_dependency(parameter, names, context)

    def _through_dependency(
        self, parameter: Parameter, names: frozenset[str], context: Context
    ) -> Iterator[Report]:
        for function, inner in parameters_behind(context.model, parameter):
            marker = inner.marker
            if (
                inner.name in names
                and marker is not None
                and marker.call is not None
                and marker.name in PARAMETER_MARKERS - {"Path"}
            ):
                where = context.related(function.module, inner.node, "the parameter")
                yield self.report(
                    parameter.node,
                    "through",
                    related=[where],
                    fix=Unfixable("the marker is in a dependency"),
                    name=parameter.name,
                    marker=marker.name,
                    key=inner.name,
                    function=getattr(function.node, "name", "lambda"),
                )
