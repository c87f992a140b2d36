"""FAR318: a dependency whose value nobody reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import (
    add_argument,
    append_element,
    fix_of,
)
from flake8_fastapi_rules.fixes.signature import remove_parameter, signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint, Parameter, ParameterKind, Route
from flake8_fastapi_rules.semantics.values import Function, qualified_name


class UnusedDependencyValue(Rule):
    """Put dependencies whose value is not read into `dependencies=[...]`.

    ## What it does
    Reports a parameter of an endpoint that a dependency fills and that the endpoint never reads.

    ## Why it matters
    A parameter says "I need this value". A dependency that only has to run, because it checks a
    token or counts requests, is clearer in the `dependencies` of the route or its router, where
    nobody takes it for a forgotten variable.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends

    router = APIRouter()


    async def check_quota() -> int:
        return 1


    @router.get("/items")
    async def list_items(quota: Annotated[int, Depends(check_quota)]) -> list[str]:
        return []
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, Depends, status


    async def check_quota() -> int:
        '''Count the request.'''
        return 1


    router = APIRouter(tags=["items"], dependencies=[Depends(check_quota)])


    @router.get("/items", status_code=status.HTTP_200_OK, operation_id="listItems")
    async def list_items() -> str:
        '''List all items.'''
        return "none"
    ```

    ## Leaves alone
    Names that begin with `_`, `del name`, endpoints under other decorators (which may read the
    argument), methods of class-based views, and dependencies of dependencies, which have no list to
    go to.

    ## Fix safety
    Unsafe: the dependency moves into the list of the route, where it runs before the dependencies
    of the parameters. Only for one route that is declared by a decorator, and a dependency that is
    written out in the signature.

    ## Source
    FastAPI's documentation of dependencies in path operation decorators.
    """

    code = "FAR318"
    message = (
        "Drop `{name}` or put `{marker}` into `dependencies=[...]`: `{function}` never reads it"
    )
    profiles = ("strict",)
    fix = "unsafe"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report parameters with a dependency that are not read."""
        node, model = endpoint.node, context.model
        own = [r for r in endpoint.routes if r.is_plain_decorator]
        if len(node.decorator_list) > len(own):
            return
        if not own and context.module.index.class_of(node) is not None:
            return  # a method may share its signature with others
        function = Function(context.module, node)
        for parameter in model.parameters(function):
            if (
                parameter.kind is ParameterKind.DEPENDENCY
                and parameter.marker is not None
                and parameter.marker.call is not None  # a bare `Depends` is FAR305's
                and not parameter.name.startswith("_")
                and not model.is_read(function, parameter)
            ):
                yield self.report(
                    parameter.node,
                    fix=partial(_move, context, function, parameter, own),
                    marker=_written(parameter, context) or _named(parameter, context),
                    function=node.name,
                    name=parameter.name,
                )


def _written(parameter: Parameter, context: Context) -> str | None:
    """The marker as it would stand in a list; `None` when it is not written here."""
    marker, call = parameter.marker, parameter.marker.call if parameter.marker else None
    if marker is None or call is None or marker.module is not context.module:
        return None
    if not marker.is_direct or not (call.args or call.keywords):
        return None
    return context.source.segment(call)


def _named(parameter: Parameter, context: Context) -> str:
    """The marker with what it calls, where an alias or `Depends()` leaves that unsaid."""
    assert parameter.marker is not None
    dependency = context.model.dependency_of(parameter)
    name = qualified_name(dependency.target) if dependency is not None else None
    return f"{parameter.marker.name}({name.rpartition('.')[2] if name else '...'})"


def _move(context: Context, function: Function, parameter: Parameter, routes: list[Route]) -> Fix:
    node = function.node
    code = _written(parameter, context)
    call = routes[0].call if len(routes) == 1 else None
    if code is None or isinstance(node, ast.Lambda):
        raise Unfixable("the dependency is not written out in the signature")
    if call is None:
        raise Unfixable("the function serves several routes")
    if routes[0].has_unknown_arguments:
        raise Unfixable("`**` may hold the route's dependencies")
    if context.model.direct_calls(function):
        raise Unfixable("the project calls the function")
    text = text_of(context.module)
    listed = routes[0].arguments.get("dependencies")
    if listed is None:
        added = add_argument(text, call, f"dependencies=[{code}]")
    elif isinstance(listed, ast.List):
        added = append_element(text, listed, code)
    else:
        raise Unfixable("the route's dependencies are no list")
    # A dependency of another project could have been the one for paging, as long as it was a
    # parameter.
    return fix_of(
        "Move it into `dependencies`",
        "unsafe",
        added,
        remove_parameter(text, node, parameter.node),
        group=signature_group(node),
        leads_to=("FAR319", "FAR513"),
    )
