"""FAR219: an operation that says nothing about itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.operations import is_documented_operation


class MissingSummary(Rule):
    """Describe every operation.

    ## What it does
    Reports operations whose function has no docstring and whose route has neither `summary` nor
    `description`.

    ## Why it matters
    FastAPI shows the docstring in the documentation and puts it into generated clients. Without it
    there is only the function's name with spaces in it.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/rate")
    async def read_rate() -> float:
        return 1.5
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(tags=["rates"])


    @router.get("/rate", status_code=200, operation_id="read_rate")
    async def read_rate() -> float:
        \"\"\"Answer today's rate.\"\"\"
        return 1.5
    ```

    ## Leaves alone
    WebSocket handlers, operations outside of the schema, and routes with `**kwargs`.

    ## Source
    FastAPI's documentation on path operation configuration.
    """

    code = "FAR219"
    message = "Operation `{name}` has neither a docstring nor a `summary` or `description`"
    profiles = ("strict",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report functions with a route that shows no text."""
        node = endpoint.node
        if ast.get_docstring(node, clean=False) is not None:
            return
        for route in endpoint.routes:
            if {"summary", "description"}.isdisjoint(route.arguments) and is_documented_operation(
                context.model, route
            ):
                yield self.report(context.source.name_range(node), name=node.name)
                return
