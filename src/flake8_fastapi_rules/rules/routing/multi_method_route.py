"""FAR230: one function for several methods."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import EndpointRoutes, RouteKind
from flake8_fastapi_rules.semantics.framework import path_parameters


class MultiMethodRoute(Rule):
    """Write one function for each method.

    ## What it does
    Reports functions that are registered for several HTTP methods, by one route or by several.

    ## Why it matters
    The operations share one id in the schema unless each is named, one docstring, one status and
    one body, although a GET has none. The function has to ask for the method and do two things.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.api_route("/rate", methods=["GET", "POST"])
    async def rate() -> float:
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
    GET together with HEAD, `OPTIONS`, several paths with one method, methods that cannot be told,
    and catch-all routes (`{path:path}`) of proxies.

    ## Source
    The convention of one operation for each function; RFC 9110, section 9.
    """

    code = "FAR230"
    message = "`{name}` serves {methods}; write one function for each method"
    profiles = ("strict",)

    @on(EndpointRoutes)
    def check(self, found: EndpointRoutes, context: Context) -> Iterator[Report]:
        """Report the route that brings in a second method."""
        seen: set[str] = set()
        for route in found.endpoint.routes:
            if route.kind is not RouteKind.HTTP or route.methods is None:
                continue
            if "path" in path_parameters(route.path or "").values():
                continue
            new = {"GET" if method == "HEAD" else method for method in route.methods}
            seen |= new - {"OPTIONS"}
            if len(seen) > 1 and route.module is context.module:
                methods = ", ".join(sorted(seen))
                yield self.report(route.node, name=found.endpoint.node.name, methods=methods)
                return
