"""FAR606: a session, connection, engine or client that an endpoint opens for itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.openings import is_for_request_alone
from flake8_fastapi_rules.semantics.values import Function

#: What health paths try to get.
_TRIED = "a database connection"
#: What one of is enough, whatever is asked of it.
_FOR_ALL = frozenset({"an HTTP client"})
#: Operations that try whether a database can be reached, with settings that somebody gives.
_PROBES = re.compile(
    r"(?:^|_)(?:check|ping|probe|test|try|verify)_(?:\w+_)?(?:connect|credentials|database|db)"
)


class ResourceInEndpoint(Rule):
    """Inject sessions, connections and HTTP clients instead of opening them in endpoints.

    ## What it does
    Reports a database session, connection, engine or pool, or an HTTP or database client, that an
    endpoint opens in its own body: by its class, by a session factory, or by a function of the
    project that opens a new one.

    ## Why it matters
    What a dependency provides is opened and closed at one place, shared by everything that serves
    the request, and replaced in tests by `dependency_overrides`. A client or engine made per
    request also starts without a single connection: each request pays for TCP and TLS handshakes
    that a client made once by the lifespan would pay once.

    ## Example
    ```python
    import httpx
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/rate")
    async def rate() -> str:
        async with httpx.AsyncClient() as client:
            response = await client.get("https://rates.example/today")
        return response.text
    ```

    ## Use instead
    ```python
    from typing import Annotated

    import httpx
    from fastapi import APIRouter, Depends, Request

    router = APIRouter()


    def get_client(request: Request) -> httpx.AsyncClient:
        \"\"\"Provide the client that the lifespan opened.\"\"\"
        return request.app.state.client


    @router.get("/rate", status_code=200, operation_id="rate", tags=["rates"])
    async def rate(client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> str:
        \"\"\"Answer today's rate.\"\"\"
        response = await client.get("https://rates.example/today")
        return response.text
    ```

    ## Leaves alone
    WebSocket handlers and streams, which open a session for each message on purpose, functions
    nested in the endpoint (they may outlive the request), services that the endpoint calls, what a
    function remembers or keeps for everybody, what is opened by something that the body says (the
    tenant of whoever logs in, the address to try, clients that a function of the project makes by
    it), and connections that health paths take from an engine, or operations such as
    `test_connection` make: they try whether one can be had.

    ## Source
    FastAPI's documentation on dependencies with `yield`; HTTPX's on clients and their pools.
    """

    code = "FAR606"
    message = "Endpoint `{name}` opens {what} with `{call}`; inject it as a dependency"
    profiles = ("recommended",)
    scope = "project"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report each resource that the endpoint's own body opens."""
        if endpoint.is_websocket or endpoint.module.index.is_generator(endpoint.node):
            return
        is_health = bool(endpoint.routes) and all(
            context.model.is_health_route(route) for route in endpoint.routes
        )
        is_probe = _PROBES.search(endpoint.node.name) is not None
        effects = context.model.effects
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        for site in effects.calls(function):
            what = effects.resource_opened(site)
            if what is not None and not (
                (is_health and what == _TRIED and site.target is None)
                or (is_probe and what in {_TRIED, "a database engine"})
                or (
                    # A helper that makes clients by what it is told makes more than one.
                    (what not in _FOR_ALL or site.target is not None)
                    and is_for_request_alone(context.model, site, function)
                )
            ):
                yield self.report(
                    site.node,
                    name=endpoint.node.name,
                    what=what,
                    call=effects.spoken_call(site),
                )
