"""FAR305: `Depends` that is not called."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import IN_STRING, fix_of
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Marker, Parameter
from flake8_fastapi_rules.semantics.values import (
    Function,
    FunctionNode,
    Instance,
    Value,
    qualified_name,
)


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
    `Depends()` with brackets, whose class FastAPI takes from the annotation, and parameters of
    other functions that call what they are given.

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
    fix_reaches_imported = True
    hints = ("Depends", "Security")

    @on(ast.FunctionDef, ast.AsyncFunctionDef)
    def check(self, node: FunctionNode, context: Context) -> Iterator[Report]:
        """Report parameters with a marker that is not called."""
        function = Function(context.module, node)
        for parameter in context.model.parameters(function):
            marker = parameter.marker
            if (
                marker is not None
                and _is_bare(marker)
                and _is_written_in(parameter, marker)
                and not self._is_called(function, parameter, context)
            ):
                typed = context.model.resolver.annotation(
                    parameter.type_module, parameter.type_node
                )
                yield self._report_marker(
                    parameter.node,
                    parameter.name,
                    marker,
                    typed,
                    context,
                    signature_group(node),
                )

    @on(ast.Subscript)
    def check_alias(self, node: ast.Subscript, context: Context) -> Iterator[Report]:
        """Report an alias with a marker that is not called, once for all that use it."""
        markers = context.model.markers_of_alias(context.module, node)
        if markers and _is_bare(markers[-1]):
            typed = context.model.resolver.annotation(context.module, node)
            name = _alias_name(context.module.index.parents[node])
            yield self._report_marker(markers[-1].node, name, markers[-1], typed, context)

    def _is_called(self, function: Function, parameter: Parameter, context: Context) -> bool:
        """Whether a function that FastAPI never reads takes a marker as something to call."""
        if context.model.may_have_injected_parameters(function):
            return False
        return _is_for_callables(parameter.annotation) or any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == parameter.name
            for node in context.module.index.own_nodes(function.node)
        )

    def _report_marker(
        self,
        place: ast.AST,
        name: str,
        marker: Marker,
        typed: Value,
        context: Context,
        group: str | None = None,
    ) -> Report:
        model = context.model
        is_refused = model.is_refused_as_field(typed)
        can_be_called = is_refused or model.is_class_with_parameters(typed)

        def fix() -> Fix:
            text = text_of(context.module)
            if not can_be_called:
                raise Unfixable("it cannot be told what to depend on")
            if not text.is_editable(marker.node):
                raise Unfixable(IN_STRING)
            end = text.end(marker.node)
            return fix_of(
                f"Call `{marker.name}`",
                "safe",
                Edit(end, end, "()"),
                group=group,
                leads_to=("FAR301", "FAR314", "FAR315", "FAR317", "FAR318"),
            )

        return self.report(
            place,
            "class" if is_refused else None,
            fix=fix,
            name=name,
            marker=marker.name,
            type=_class_name(typed),
        )


def _is_bare(marker: Marker) -> bool:
    """Whether a dependency's marker is not called."""
    return marker.call is None and marker.name in ("Depends", "Security")


def _is_for_callables(annotation: ast.expr | None) -> bool:
    """Whether an annotation says that a class or a function is wanted itself."""
    of = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    name = of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")
    return name in ("type", "Type", "Callable")


def _is_written_in(parameter: Parameter, marker: Marker) -> bool:
    """Whether a marker stands in the signature itself rather than in an alias."""
    annotation = parameter.annotation
    if not marker.in_annotated or annotation is None or isinstance(annotation, ast.Constant):
        return marker.module is parameter.module
    return any(child is marker.node for child in ast.walk(annotation))


def _alias_name(statement: ast.AST) -> str:
    """The name that an assignment or `type` statement gives an annotation."""
    targets = getattr(statement, "targets", None) or [
        getattr(statement, "target", None) or getattr(statement, "name", None)
    ]
    return targets[0].id if isinstance(targets[0], ast.Name) else "the alias"


def _class_name(typed: Value) -> str:
    """The last part of a class's name."""
    of = typed.of if isinstance(typed, Instance) else typed
    return (qualified_name(of) or "it").rpartition(".")[2]
