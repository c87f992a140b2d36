"""FAR202: an operation that is no POST in a service of the POST-only style."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.responses import returns_of, types_in

_STREAMS = (
    "starlette.responses.FileResponse",
    "starlette.responses.StreamingResponse",
    "fastapi.sse.EventSourceResponse",
    "sse_starlette.EventSourceResponse",
)


class PostOnly(Rule):
    """Use POST for every operation that is no download.

    ## What it does
    Reports operations of other methods than POST, unless they answer with a file or stream.

    ## Why it matters
    A service of the clean-architecture style takes a request model and answers with a response
    model, always in the same way. Parameters in bodies stay out of logs and histories, and one rule
    replaces many discussions about methods.

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
    from fastapi import APIRouter, Security

    from shop.security import require_reader

    router = APIRouter(tags=["rates"], dependencies=[Security(require_reader)])


    @router.post("/rate", status_code=200, operation_id="read_rate")
    async def read_rate() -> float:
        \"\"\"Answer today's rate.\"\"\"
        return 1.5
    ```

    ## Leaves alone
    Operations that return a file or stream, by annotation, `response_class`, `return` or `yield`;
    WebSockets; health paths; methods that cannot be told.

    ## Source
    The clean-architecture convention of the profile; it contradicts REST, which the others follow.
    """

    code = "FAR202"
    message = "{method} operation `{name}`: use POST for everything but files and streams"
    profiles = ("clean-architecture",)

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report routes of other methods."""
        if route.kind is not RouteKind.HTTP or not route.methods or route.methods == ("POST",):
            return
        if context.model.is_health_route(route):
            return
        if not self._streams(route, context):
            name = getattr(route.endpoint, "name", None) or route.path or route.verb
            others = [method for method in route.methods if method != "POST"]
            yield self.report(route.node, method=others[0], name=name)

    def _streams(self, route: Route, context: Context) -> bool:
        model, home, endpoint = context.model, route.endpoint_module, route.endpoint
        given = route.arguments.get("response_class")
        if given is not None and model.is_subclass(model.resolve(route.module, given), *_STREAMS):
            return True
        if home is None or endpoint is None:
            return True
        if isinstance(endpoint, ast.Lambda):
            return model.is_instance(model.resolve(home, endpoint.body), *_STREAMS)
        if home.index.is_generator(endpoint):
            return True
        if any(
            model.is_subclass(part.value, *_STREAMS)
            for part in types_in(model, home, endpoint.returns)
        ):
            return True
        return any(
            model.is_instance(model.resolve(home, node.value), *_STREAMS)
            for node in returns_of(home, endpoint)
        )
