"""FAR325: a request that nobody reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.imports import import_group, remove_unused_import
from flake8_fastapi_rules.fixes.signature import remove_parameter
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    FrameworkFunction,
    Parameter,
    ParameterKind,
    Role,
)
from flake8_fastapi_rules.semantics.framework import PLAIN_ROUTES
from flake8_fastapi_rules.semantics.values import Function, FunctionNode

_ROLES = frozenset({Role.ENDPOINT, Role.DEPENDENCY})


class UnusedRequest(Rule):
    """Take the request only where it is read.

    ## What it does
    Reports a parameter of type `Request` that an endpoint or dependency never reads.

    ## Why it matters
    A request in the signature says that the function looks at headers, state or the raw body.
    Where it does not, readers search for what is not there, and tests have to build a request for
    nothing.

    ## Example
    ```python
    from fastapi import APIRouter, Request

    router = APIRouter()


    @router.get("/items")
    async def list_items(request: Request) -> list[str]:
        return []
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, status

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=status.HTTP_200_OK, operation_id="listItems", responses={})
    async def list_items() -> str:
        '''List all items.'''
        return "none"
    ```

    ## Leaves alone
    Functions under decorators other than the route's own, which may need the request (limiters,
    caches, tracing); routes of Starlette, which get nothing else; methods that others may share a
    signature with; names that begin with `_`.

    ## Fix safety
    Unsafe: the parameter goes, and its import if nothing else needs it. There is no fix where the
    project itself calls the function.

    ## Source
    The convention of signatures that say what is needed.
    """

    code = "FAR325"
    message = "Drop `{name}`: `{function}` never reads the request"
    profiles = ("strict",)
    fix = "unsafe"
    hints = ("Request",)

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report requests that are not read."""
        node, model, index = fact.node, context.model, context.module.index
        owner = index.class_of(node)
        if not fact.roles <= _ROLES or (owner is not None and _has_a_given_signature(node, owner)):
            return
        routes = model.uses(context.module).routes.get(node, [])
        own = [route for route in routes if route.is_plain_decorator]
        if len(node.decorator_list) > len(own) or any(r.verb in PLAIN_ROUTES for r in routes):
            return
        function = Function(context.module, node)
        name = owner.name if owner is not None and node.name == "__call__" else node.name
        for parameter in model.parameters(function):
            typed = model.resolver.annotation(parameter.type_module, parameter.type_node)
            if (
                parameter.kind is ParameterKind.SPECIAL
                and model.is_instance(typed, "starlette.requests.Request")
                and not parameter.name.startswith("_")
                and not model.is_read(function, parameter)
            ):
                fix = partial(_remove, context, function, parameter)
                yield self.report(parameter.node, fix=fix, name=parameter.name, function=name)


def _has_a_given_signature(node: FunctionNode, owner: ast.ClassDef) -> bool:
    """Whether a method may have its parameters from a base class, or in common with others."""
    is_own = node.name in ("__init__", "__call__") or bool(node.decorator_list)
    return not is_own or any(
        not (isinstance(base, ast.Name) and base.id == "object") for base in owner.bases
    )


def _remove(context: Context, function: Function, parameter: Parameter) -> Fix:
    text, node = text_of(context.module), function.node
    if context.model.direct_calls(function):
        raise Unfixable("the project calls the function")
    if parameter.annotation is None or not isinstance(node, FUNCTIONS):
        raise Unfixable("the parameter has no type")
    local = context.source.segment(parameter.annotation).partition(".")[0]
    return fix_of(
        "Drop the request",
        "unsafe",
        remove_parameter(text, node, parameter.node),
        remove_unused_import(text, local, [parameter.node]),
        group=import_group(local),
    )
