"""FAR205: an operation that leaves its status to the default."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route
from flake8_fastapi_rules.semantics.operations import is_documented_operation
from flake8_fastapi_rules.semantics.responses import sets_status


class MissingStatusCode(Rule):
    """Say which status an operation answers with.

    ## What it does
    Reports path operations without `status_code`.

    ## Why it matters
    FastAPI answers 200 to everything, creations and deletions included. Written down, the status is
    a decision that reviewers, clients and the documentation can see.

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
    Operations that set the status of their response or are outside of the schema
    (`include_in_schema=False`), `**kwargs`, and Starlette's plain routes, which take no status.

    ## Source
    The convention that operations name their status; FastAPI's default is 200.
    """

    code = "FAR205"
    message = "Operation `{name}` has no `status_code`; say which status it answers with"
    profiles = ("strict",)

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report routes without the argument."""
        if "status_code" in route.arguments:
            return
        if route.function is not None and sets_status(context.model, route.function):
            return
        if is_documented_operation(context.model, route):
            name = getattr(route.endpoint, "name", None) or route.path or route.verb
            yield self.report(route.node, name=name)
