"""FAR322: an annotation whose name exists for type checkers only."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    Endpoint,
    FrameworkFunction,
    Parameter,
    Role,
    Route,
    RouteKind,
)
from flake8_fastapi_rules.semantics.framework import RESPONSE, RETURN_ANNOTATION_IS_MODEL
from flake8_fastapi_rules.semantics.schemas import needs_python
from flake8_fastapi_rules.semantics.values import External, Function

_INJECTED = frozenset({Role.ENDPOINT, Role.WEBSOCKET, Role.DEPENDENCY})


class TypeCheckingAnnotation(Rule):
    """Import the types of parameters where FastAPI can see them.

    ## What it does
    Reports a parameter of an endpoint or dependency whose annotation uses a name that is imported
    (or defined) under `if TYPE_CHECKING` only, and such a return annotation of an endpoint whose
    route gives no `response_model`.

    ## Why it matters
    FastAPI evaluates annotations when it registers a function. A name that exists for type checkers
    only is missing then: the import fails, or FastAPI gives the whole annotation up, `Annotated`
    with its `Depends` included, and takes the parameter for one of the query.

    ## Example
    ```python
    from __future__ import annotations

    from typing import TYPE_CHECKING, Annotated

    from fastapi import APIRouter, Query

    if TYPE_CHECKING:
        from datetime import date

    router = APIRouter()


    @router.get("/items")
    async def list_items(since: Annotated[date, Query()]) -> list[str]:
        return [str(since)]
    ```

    ## Use instead
    ```python
    from __future__ import annotations

    from datetime import date
    from typing import Annotated

    from fastapi import APIRouter, Query, status

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=status.HTTP_200_OK, operation_id="listItems")
    async def list_items(since: Annotated[date, Query()]) -> str:
        '''List the items of a time.'''
        return str(since)
    ```

    ## Leaves alone
    Names that are bound at run time, too (in the `else` branch, say), the types of parameters with
    the default `Depends(f)`, which FastAPI does not need, and quoted ones in `Annotated["Session",
    Depends(f)]` (also without quotes where the project needs Python 3.14), annotations inside of
    functions, and functions that FastAPI does not call.

    ## Source
    `fastapi.dependencies.utils.get_typed_signature`, which evaluates annotations with the globals
    of the function.
    """

    code = "FAR322"
    message = "Import `{name}` at run time, too: FastAPI evaluates the type of `{parameter}`"
    variants = {
        "return": "Import `{name}` at run time, too: FastAPI makes the response model of `{type}`"
    }
    profiles = ("recommended",)
    is_bug = True
    hints = ("TYPE_CHECKING",)

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report parameters with a name in their type that is not there at run time."""
        if fact.roles.isdisjoint(_INJECTED):
            return
        for parameter in context.model.parameters(Function(context.module, fact.node)):
            if _names_its_dependency(parameter, context):
                continue
            name = _missing_name(parameter.annotation, parameter.node, context)
            if name is not None:
                yield self.report(parameter.node, name=name, parameter=parameter.name)

    @on(Endpoint)
    def check_return(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report a return annotation that FastAPI makes a response model of."""
        returns = endpoint.node.returns
        if not context.settings.fastapi_at_least(*RETURN_ANNOTATION_IS_MODEL):
            return
        typed = context.model.resolver.annotation(context.module, returns)
        # A response that is returned needs no model, which only the schema would ask for then.
        is_response = context.model.is_instance(typed, RESPONSE)
        if returns is None or not any(
            route.kind is RouteKind.HTTP
            and "response_model" not in route.arguments
            and not route.has_unknown_arguments
            and not (is_response and _is_hidden(route))
            for route in endpoint.routes
        ):
            return
        name = _missing_name(returns, endpoint.node, context)
        if name is not None:
            yield self.report(returns, "return", name=name, type=context.shown(returns))


def _is_hidden(route: Route) -> bool:
    """Whether a route is certainly left out of the schema."""
    given = route.arguments.get("include_in_schema")
    return isinstance(given, ast.Constant) and given.value is False


def _names_its_dependency(parameter: Parameter, context: Context) -> bool:
    """Whether a marker says what to call, so that the type is for readers only.

    In `Annotated["Session", Depends(get_session)]` the type stays a text, which nobody reads,
    unless all of the annotation is one. Python 3.14 makes such a reference of a missing name.
    """
    marker = parameter.marker
    if (
        marker is None
        or marker.name not in {"Depends", "Security"}
        or marker.argument("dependency", 0) is None
    ):
        return False
    if not marker.in_annotated:
        return True
    annotation = parameter.annotation
    elements = getattr(getattr(annotation, "slice", None), "elts", [None])
    return not context.module.index.annotations_are_text and (
        isinstance(elements[0], ast.Constant) or needs_python(context.module, 3, 14)
    )


def _missing_name(annotation: ast.expr | None, place: ast.AST, context: Context) -> str | None:
    """The first name in an annotation that only type checkers see."""
    if annotation is None:
        return None
    nodes: list[ast.expr] = [annotation]
    for each in ast.walk(annotation):
        if (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and _is_type(each, context)
        ):
            parsed = context.model.resolver.annotations.parsed(context.module, each)
            nodes += [parsed] if parsed is not None else []
    for node in nodes:
        for name in ast.walk(node):
            if isinstance(name, ast.Name) and _is_for_checkers_only(name, place, context):
                return name.id
    return None


def _is_type(node: ast.Constant, context: Context) -> bool:
    """Whether a string in an annotation is a type: not metadata, not in `Literal`."""
    parents = context.module.index.parents
    child: ast.AST = node
    parent = parents.get(child)
    while isinstance(parent, ast.expr):
        if isinstance(parent, ast.Call):
            return False
        if isinstance(parent, ast.Subscript) and child is parent.slice:
            form = context.resolve(parent.value)
            if form == External("typing.Literal"):
                return False
            if form == External("typing.Annotated") and child is not node:
                elements = getattr(parent.slice, "elts", [])
                return bool(elements) and any(each is node for each in ast.walk(elements[0]))
        child, parent = parent, parents.get(parent)
    return True


def _is_for_checkers_only(name: ast.Name, place: ast.AST, context: Context) -> bool:
    index = context.module.index
    found = index.lookup(name.id, place)
    if found is None:
        return False
    scope, _ = found
    bindings = scope.bindings.get(name.id, ())
    return bool(bindings) and all(
        any(
            isinstance(above, ast.If)
            and index.is_for_checkers(above)
            and not any(binding.node in ast.walk(each) for each in above.orelse)
            for above in index.ancestors(binding.node)
        )
        for binding in bindings
    )
