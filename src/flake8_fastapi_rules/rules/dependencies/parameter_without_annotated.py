"""FAR302: a parameter function as a default value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import FixMaker, Unfixable
from flake8_fastapi_rules.fixes.parameters import annotated_markers
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Marker, Parameter
from flake8_fastapi_rules.semantics.framework import ANNOTATED_PARAMETERS, PARAMETER_MARKERS
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode


class ParameterWithoutAnnotated(Rule):
    '''Put parameter functions into `Annotated`, and only defaults behind `=`.

    ## What it does
    Reports a parameter of an endpoint or dependency, or a field of a dataclass, whose default is
    `Query(...)`, `Path(...)`, `Header(...)`, `Cookie(...)`, `Body(...)`, `Form(...)` or
    `File(...)`.

    ## Why it matters
    What stands behind `=` should be what the function gets when the argument is left out. With
    `limit: int = Query(10)` it is a marker object: whoever calls the function without FastAPI, in
    a test say, computes with it. In `Annotated` the marker is out of the way, the default is the
    true one, and the type can be named and shared.

    ## Example
    ```python
    from fastapi import APIRouter, Query

    router = APIRouter()


    @router.get("/items")
    async def list_items(limit: int = Query(10, ge=1, le=100)) -> list[int]:
        return list(range(limit))
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query, status

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=status.HTTP_200_OK, operation_id="listItems")
    async def list_items(limit: Annotated[int, Query(ge=1, le=100)] = 10) -> int:
        """List the first items."""
        return limit
    ```

    ## Leaves alone
    Functions that FastAPI does not call, fields of models, parameters whose annotation has a
    marker already (FAR306), and projects that support FastAPI before 0.95.

    ## Fix safety
    Safe: FastAPI reads both forms alike. The default value moves behind `=`, `...` goes. Where a
    parameter without a default would follow one with a default, it becomes keyword-only by a `*`
    in front of it, as FastAPI passes everything by keyword. There is no fix for parameters without
    a type, for types that carry constraints in an `Annotated` of their own (FastAPI ignores them
    today and would obey them then), and where calls in the project rely on the signature.

    ## Source
    The convention of FastAPI's documentation since 0.95, the first version that reads `Annotated`.
    '''

    code = "FAR302"
    message = "Write `{name}: Annotated[{type}, {marker}]{default}` instead of `= {function}(...)`"
    variants = {
        "untyped": "Give `{name}` a type, as `Annotated[..., {marker}]{default}`",
        "uncalled": "Call `{function}`: the default of `{name}` is the function itself",
    }
    profiles = ("recommended",)
    fix = "safe"
    framework_only = True

    @on(ast.FunctionDef, ast.AsyncFunctionDef, framework_only=True)
    def check(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report the parameters of a function that have a parameter function as default."""
        model, function = context.model, Function(context.module, node)
        if not context.settings.fastapi_at_least(*ANNOTATED_PARAMETERS):
            return
        found = [
            parameter
            for parameter in model.parameters_with_marker_default(function)
            if _is_marked(parameter)
        ]
        if found and model.may_have_injected_parameters(function):
            for parameter in found:
                fix = partial(annotated_markers, model, function, found, parameter, self.code)
                yield self._report_parameter(parameter, context, fix)

    @on(ast.ClassDef, framework_only=True)
    def check_dataclass(self, node: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report the fields of a dataclass, which are the parameters of a dependency."""
        if context.settings.fastapi_at_least(*ANNOTATED_PARAMETERS):
            for parameter in context.model.dataclass_fields(Class(context.module, node)):
                if _is_marked(parameter):
                    fix = Unfixable("it is the field of a dataclass")
                    yield self._report_parameter(parameter, context, fix)

    def _report_parameter(
        self, parameter: Parameter, context: Context, fix: FixMaker | Unfixable
    ) -> Report:
        marker, annotation, name = parameter.markers[0], parameter.annotation, parameter.name
        if marker.call is None:
            return self.report(
                parameter.node,
                "uncalled",
                fix=Unfixable("what it should be called with is for you to say"),
                name=name,
                function=marker.name,
            )
        shown, default = _parts(marker, context)
        if annotation is None:
            return self.report(
                parameter.node,
                "untyped",
                fix=Unfixable("the parameter has no type"),
                name=name,
                marker=shown,
                default=default,
            )
        return self.report(
            parameter.node,
            fix=fix,
            name=name,
            type=context.shown(annotation),
            marker=shown,
            default=default,
            function=marker.name,
        )


def _is_marked(parameter: Parameter) -> bool:
    """Whether the one marker of a parameter is a parameter function as default."""
    markers = parameter.markers
    return (
        len(markers) == 1 and markers[0].name in PARAMETER_MARKERS and not markers[0].in_annotated
    )


def _parts(marker: Marker, context: Context) -> tuple[str, str]:
    """How the marker and the default will be written."""
    call = marker.call
    default = marker.argument("default", 0)
    is_required = default is None or (isinstance(default, ast.Constant) and default.value is ...)
    if call is None or (not marker.is_direct and is_required):
        return context.shown(marker.node), ""
    if not marker.is_direct:
        # A default within `Annotated` is an error: what the name stands for has to change, too.
        source = marker.call_module.source
        return f"{marker.name}(...)", f" = {source.segment(default)}" if default else ""
    inner = ", ".join(
        context.shown(argument)
        for argument in (*call.args, *call.keywords)
        if argument is not default and getattr(argument, "value", None) is not default
    )
    shown = f"{context.shown(call.func)}({inner if len(inner) <= 50 else '...'})"
    return shown, "" if default is None or is_required else f" = {context.shown(default)}"
