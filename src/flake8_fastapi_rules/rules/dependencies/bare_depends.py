"""FAR305: `Depends` that is not called."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix
from flake8_fastapi_rules.engine.source import Range
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Marker, Parameter
from flake8_fastapi_rules.semantics.values import Function, FunctionNode


class BareDepends(Rule):
    """Call `Depends`: its bare name injects nothing.

    ## What it does
    Reports `= Depends` and `Annotated[T, Depends]` (and the same with `Security`) without a call.

    ## Why it matters
    The default of the parameter is then the function `Depends` itself. FastAPI takes the parameter
    for one of the query or the body; the endpoint answers, nothing is injected, and the first use
    of the value fails. Where the type is a class that is no Pydantic model, FastAPI refuses to
    import the module.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends


    class Pager:
        def __init__(self, size: int = 10) -> None:
            self.size = size


    async def get_page(pager: Annotated[Pager, Depends]) -> range:
        return range(pager.size)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends


    class Pager:
        '''Which part of a list is wanted.'''

        def __init__(self, size: int = 10) -> None:
            '''Take the size of a page.'''
            self.size = size


    async def get_page(pager: Annotated[Pager, Depends()]) -> range:
        '''Give the positions on the first page.'''
        return range(pager.size)
    ```

    ## Leaves alone
    `Depends()` with brackets, whose class FastAPI takes from the annotation.

    ## Fix safety
    Safe: brackets are added where the annotation is a class, which is what `Depends()` calls. Code
    that relies on receiving the function `Depends` is not known.

    ## Source
    `fastapi.dependencies.utils.analyze_param`, which looks for instances of `params.Depends`.
    """

    code = "FAR305"
    message = "Call `{marker}(...)`: without brackets nothing is injected into `{name}`"
    variants = {
        "class": "Call `{marker}()`: FastAPI cannot make a field of `{type}` and fails at import"
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = ("Depends", "Security")

    @on(ast.FunctionDef, ast.AsyncFunctionDef)
    def check(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report parameters with a marker that is not called."""
        for parameter in context.model.parameters(Function(context.module, node)):
            marker = parameter.marker
            if (
                marker is not None
                and marker.call is None
                and marker.name in ("Depends", "Security")
                and marker.module is context.module
            ):
                yield self._report_marker(node, parameter, marker, context)

    def _report_marker(
        self, node: FunctionNode, parameter: Parameter, marker: Marker, context: Context
    ) -> Report:
        model = context.model
        typed = model.resolver.annotation(parameter.type_module, parameter.type_node)
        is_refused = model.is_refused_as_field(typed)
        can_be_called = is_refused or model.is_class_with_parameters(typed)

        def fix() -> Fix | None:
            text = text_of(context.module)
            if not can_be_called or not text.is_editable(marker.node):
                return None
            end = text.end(marker.node)
            return fix_of(
                f"Call `{marker.name}`",
                "safe",
                Edit(end, end, "()"),
                group=signature_group(node),
                leads_to=("FAR301", "FAR314", "FAR315", "FAR317", "FAR318"),
            )

        return self.report(
            _place(parameter, marker, context),
            "class" if is_refused and parameter.type_node is not None else None,
            fix=fix,
            name=parameter.name,
            marker=marker.name,
            type=context.shown(parameter.type_node) if parameter.type_node else "",
        )


def _place(parameter: Parameter, marker: Marker, context: Context) -> ast.AST | Range:
    """The parameter, or the place in an alias from which all its users have the marker."""
    annotation = parameter.annotation
    if not marker.in_annotated or annotation is None:
        return parameter.node
    inside = any(child is marker.node for child in ast.walk(annotation))
    return parameter.node if inside or isinstance(annotation, ast.Constant) else marker.node
