"""FAR323: a parameter that may be `None` but must be sent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import is_ellipsis
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.parameters import may_be_keyword_only
from flake8_fastapi_rules.fixes.signature import add_default, signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    FrameworkFunction,
    Parameter,
    ParameterKind,
    Role,
)
from flake8_fastapi_rules.semantics.values import Class, Function

_KINDS = frozenset({ParameterKind.QUERY, ParameterKind.HEADER, ParameterKind.COOKIE})
_INJECTED = frozenset({Role.ENDPOINT, Role.WEBSOCKET, Role.DEPENDENCY})


class OptionalWithoutDefault(Rule):
    """Give an optional query, header or cookie parameter a default.

    ## What it does
    Reports a query, header or cookie parameter of type `T | None` that has no default.

    ## Why it matters
    The type says that the value may be missing, FastAPI says that it must be there: without a
    default the parameter is required, and as the text of a URL can never be `None`, the `None` in
    the type is never true. Clients get a 422 for leaving out what looks optional.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query

    router = APIRouter()


    @router.get("/items")
    async def list_items(q: Annotated[str | None, Query()]) -> list[str]:
        return [q or "all"]
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query, status

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=status.HTTP_200_OK, operation_id="listItems")
    async def list_items(q: Annotated[str | None, Query()] = None) -> str:
        '''List the items with a name.'''
        return q or "all"
    ```

    ## Leaves alone
    Bodies, forms and files, where a client can send `null`; path parameters; parameters with a
    default or a default factory.

    ## Fix safety
    Unsafe: `= None` is added, and the parameter is not required any more.

    ## Source
    FastAPI with Pydantic 2: a type that allows `None` does not make a default.
    """

    code = "FAR323"
    message = "Give `{name}` the default `None`: its type allows it, yet the request must send it"
    profiles = ("strict",)
    fix = "unsafe"

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report optional parameters without default."""
        if fact.roles.isdisjoint(_INJECTED):
            return
        model, node = context.model, fact.node
        endpoint = model.endpoint(context.module, node)
        owner = endpoint.view_class if endpoint else None
        function = Function(context.module, node, owner if isinstance(owner, Class) else None)
        names = model.path_names(endpoint) if endpoint else frozenset()
        found = [
            parameter
            for parameter in model.parameters(function, names)
            if parameter.kind in _KINDS
            and _is_required(parameter)
            and model.allows_none(parameter.type_module, parameter.type_node)
        ]
        for parameter in found:
            # From the last to the first, one a round: so the order of the others stays legal.
            is_next = parameter is found[-1] and parameter.default is None
            fix = partial(_add_none, context, function, parameter, is_next=is_next)
            yield self.report(parameter.node, fix=fix, name=parameter.name)


def _add_none(context: Context, function: Function, parameter: Parameter, *, is_next: bool) -> Fix:
    """Add `= None`."""
    node, model = function.node, context.model
    if parameter.default is not None or isinstance(node, ast.Lambda):
        raise Unfixable("its default is a marker; move that into `Annotated` first")
    if not is_next:
        raise Unfixable("a parameter behind it comes first")
    following = model.parameters(function)
    keyword_only = all(may_be_keyword_only(model, function, each) for each in following)
    text = text_of(context.module)
    added = add_default(text, node, parameter.node, "None", keyword_only=keyword_only)
    return fix_of("Add `= None`", "unsafe", added, group=signature_group(node))


def _is_required(parameter: Parameter) -> bool:
    """Whether neither the parameter nor its marker has a default."""
    marker = parameter.marker
    if marker is not None and marker.call is not None:
        if any(keyword.arg is None for keyword in marker.call.keywords):
            return False
        if marker.argument("default_factory") is not None:
            return False
        if not marker.in_annotated:
            default = marker.argument("default", 0)
            return default is None or is_ellipsis(default)
    return parameter.default is None or is_ellipsis(parameter.default)
