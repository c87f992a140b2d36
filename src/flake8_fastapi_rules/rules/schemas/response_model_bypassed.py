"""FAR515: a response model that nothing goes through."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.responses import returns_of, types_in
from flake8_fastapi_rules.semantics.values import Constant, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module


class ResponseModelBypassed(Rule):
    """Return what the response model describes, not a finished response.

    ## What it does
    Reports a `response_model` of an operation all of whose `return`s give a response object.

    ## Why it matters
    A response is sent as it is. The model stands in the schema and promises a form that nothing
    checks, and fields that it should filter out are sent.

    ## Example
    ```python
    from fastapi import APIRouter
    from fastapi.responses import JSONResponse

    router = APIRouter(prefix="/items")


    @router.get("/{item_id}", response_model=dict[str, int])
    async def read_item(item_id: int):
        return JSONResponse({"id": "none"})
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/{item_id}", status_code=200, operation_id="read_item")
    async def read_item(item_id: UUID) -> str:
        \"\"\"Answer an item.\"\"\"
        return item_id.hex
    ```

    ## Leaves alone
    Operations that return something else on any path, and values that cannot be told.

    ## Source
    FastAPI's documentation on returning a response directly.
    """

    code = "FAR515"
    message = "`response_model` is bypassed: `{name}` returns finished responses only"
    profiles = ("opt-in",)
    hints = ("response_model",)

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report response models that no returned value goes through."""
        given = route.arguments.get("response_model")
        function = route.function
        if route.kind is not RouteKind.HTTP or given is None or function is None:
            return
        declared = context.model.resolve(route.module, given)
        if declared == Constant(None) or context.model.is_subclass(declared, RESPONSE):
            return  # a response class is FAR225's
        returned = [each.value for each in returns_of(function.module, function.node)]
        if returned and all(_is_finished(context.model, function.module, v) for v in returned):
            yield self.report(given, name=getattr(function.node, "name", "lambda"))


def _is_finished(model: Model, module: Module, value: ast.expr | None) -> bool:
    """Whether an expression gives a response, and its function says nothing else."""
    if isinstance(value, ast.IfExp):
        return all(_is_finished(model, module, part) for part in (value.body, value.orelse))
    possible = model.resolver.possible(module, value)
    if not possible or not all(model.is_instance(each, RESPONSE) for each in possible):
        return False
    call = value.value if isinstance(value, ast.Await) else value
    callee = model.resolve(module, call.func) if isinstance(call, ast.Call) else None
    if not isinstance(callee, Function) or isinstance(callee.node, ast.Lambda):
        return True
    written = callee.node.returns
    return written is None or all(
        model.is_subclass(part.value, RESPONSE) for part in types_in(model, callee.module, written)
    )
