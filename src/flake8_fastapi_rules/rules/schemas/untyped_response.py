"""FAR501: operations that do not say what they answer."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint, Route, RouteKind
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.responses import has_no_body, may_say_more, returns_of


class UntypedResponse(Rule):
    """Say what an operation answers.

    ## What it does
    Reports an operation with neither a return annotation nor a `response_model`.

    ## Why it matters
    The schema of such an operation shows an empty answer, and FastAPI sends whatever the function
    returns, unchecked and unfiltered.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.get("/{item_id}")
    async def read_item(item_id: int):
        return find(item_id)
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/{item_id}", status_code=200, operation_id="read_item")
    async def read_item(item_id: UUID) -> str:
        \"\"\"The name of an item.\"\"\"
        return item_id.hex
    ```

    ## Leaves alone
    Operations with a `response_class`, those that return response objects, statuses without a body,
    generators, WebSockets, and routes whose arguments cannot be read.

    ## Source
    FastAPI's documentation on response models.
    """

    code = "FAR501"
    message = "`{name}` has no return type and no `response_model`"
    profiles = ("strict",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report endpoints without a declared answer."""
        node = endpoint.node
        if node.returns is not None or context.module.index.is_generator(node):
            return
        if not any(self._is_untyped(route, context) for route in endpoint.routes):
            return
        possible = context.model.resolver.possible
        returned = [possible(context.module, r.value) for r in returns_of(context.module, node)]
        if returned and all(
            values and all(context.model.is_instance(value, RESPONSE) for value in values)
            for values in returned
        ):
            return
        yield self.report(context.source.name_range(node), name=node.name)

    def _is_untyped(self, route: Route, context: Context) -> bool:
        return (
            route.kind is RouteKind.HTTP
            and not may_say_more(context.model, route)
            and route.verb not in ("route", "add_route")
            and "response_model" not in route.arguments
            and "response_class" not in route.arguments
            and not has_no_body(context.model, route)
            and not self._has_text_router(route, context)
        )

    def _has_text_router(self, route: Route, context: Context) -> bool:
        """Whether the router's `default_response_class` is another than JSON's."""
        given = context.model.made_with(route.receiver, "default_response_class")
        if given is None:
            return False
        value = context.model.resolve(*given)
        return context.model.is_subclass(value, RESPONSE) and not context.model.is_subclass(
            value, "starlette.responses.JSONResponse"
        )
