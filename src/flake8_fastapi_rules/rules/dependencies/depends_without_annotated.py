"""FAR301: a dependency as a default value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import FixMaker, Unfixable
from flake8_fastapi_rules.fixes.parameters import annotated_markers
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Parameter
from flake8_fastapi_rules.semantics.framework import ANNOTATED_PARAMETERS
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode


class DependsWithoutAnnotated(Rule):
    '''Put dependencies into `Annotated` instead of default values.

    ## What it does
    Reports a parameter whose default is `Depends(...)` or `Security(...)`, in every function and
    method: endpoints, dependencies, `__init__` and `__call__` of dependency classes, functions
    that factories return, and fields of dataclasses that act as dependencies.

    ## Why it matters
    A default value of `Depends(...)` is a lie: called without FastAPI (in a test, from another
    function) the function receives the marker object and fails far away from the call. With
    `Annotated` a forgotten argument is an error at the call, type checkers see the true type, the
    order of parameters is free, and one alias can serve many endpoints.

    ## Example
    ```python
    from fastapi import Depends


    def get_limit() -> int:
        return 10


    async def get_page(limit: int = Depends(get_limit)) -> range:
        return range(limit)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit() -> int:
        """Give the size of a page."""
        return 10


    async def get_page(limit: Annotated[int, Depends(get_limit)]) -> range:
        """Give the positions on the first page."""
        return range(limit)
    ```

    ## Leaves alone
    `dependencies=[...]` of routes, routers and apps; parameters whose annotation has a marker
    already (FAR306); `= Depends` without a call (FAR305); attributes of class-based views, which
    not every library reads from `Annotated`; projects that support FastAPI before 0.95.

    ## Fix safety
    Safe: FastAPI reads both forms alike. Where a parameter without a default would follow one with
    a default, it becomes keyword-only by a `*` in front of it, as FastAPI passes everything by
    keyword. There is no fix for parameters without a type, and none where the project itself calls
    the function and leaves the parameter out or would pass it by position.

    ## Source
    The convention of FastAPI's documentation since 0.95, the first version that reads `Annotated`.
    '''

    code = "FAR301"
    message = "Write `{name}: Annotated[{type}, {marker}]` instead of a default value"
    variants = {"untyped": "Give `{name}` a type, as `Annotated[..., {marker}]`, not a default"}
    profiles = ("recommended",)
    fix = "safe"
    framework_only = True

    @on(ast.FunctionDef, ast.AsyncFunctionDef, framework_only=True)
    def check_function(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report the parameters of a function that have a dependency as default."""
        if not context.settings.fastapi_at_least(*ANNOTATED_PARAMETERS):
            return
        function = Function(context.module, node)
        found = [
            parameter
            for parameter in context.model.parameters_with_marker_default(function)
            if _is_default_dependency(parameter)
        ]
        for parameter in found:
            fix = partial(annotated_markers, context.model, function, found, parameter, self.code)
            yield self._report_parameter(parameter, context, fix)

    @on(ast.ClassDef, framework_only=True)
    def check_dataclass(self, node: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report the fields of a dataclass that have a dependency as default."""
        if context.settings.fastapi_at_least(*ANNOTATED_PARAMETERS):
            for parameter in context.model.dataclass_fields(Class(context.module, node)):
                if _is_default_dependency(parameter):
                    fix = Unfixable("it is the field of a dataclass")
                    yield self._report_parameter(parameter, context, fix)

    def _report_parameter(
        self, parameter: Parameter, context: Context, fix: FixMaker | Unfixable
    ) -> Report:
        marker, annotation = parameter.marker, parameter.annotation
        assert marker is not None
        name, shown = parameter.name, context.shown(marker.node, 60)
        if annotation is None:
            fix = Unfixable("the parameter has no type")
            return self.report(parameter.node, "untyped", fix=fix, name=name, marker=shown)
        typed = context.shown(annotation)
        return self.report(parameter.node, fix=fix, name=name, type=typed, marker=shown)


def _is_default_dependency(parameter: Parameter) -> bool:
    """Whether the one marker of a parameter is a called `Depends` or `Security` as default."""
    marker = parameter.marker
    return (
        marker is not None
        and len(parameter.markers) == 1
        and not marker.in_annotated
        and marker.name in ("Depends", "Security")
        and marker.call is not None
    )
