"""FAR312: a plain `def` dependency that performs I/O."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import DependencyFunction
from flake8_fastapi_rules.semantics.values import Function


class SyncIoDependency(Rule):
    """Make dependencies that do I/O asynchronous.

    ## What it does
    Reports a plain `def` dependency that waits for a database, a file, another service or the
    like, itself or in a function that it calls, or that opens a synchronous session.

    ## Why it matters
    Each plain dependency takes a thread of the pool that all requests share, 40 of them by
    default, for as long as it waits. Under load requests queue for threads while the event loop
    idles. An asynchronous dependency waits on the loop and takes none.

    ## Example
    ```python
    import requests
    from fastapi import APIRouter, Depends

    router = APIRouter()


    def check_quota() -> None:
        requests.get("https://quota.example").raise_for_status()


    @router.get("/items", dependencies=[Depends(check_quota)])
    async def items() -> list[str]:
        return []
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


    async def check_quota(client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> None:
        \"\"\"Refuse requests beyond the quota.\"\"\"
        (await client.get("https://quota.example")).raise_for_status()


    @router.get(
        "/items/count",
        status_code=200,
        operation_id="count_items",
        tags=["items"],
        dependencies=[Depends(check_quota)],
    )
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0
    ```

    ## Leaves alone
    Dependencies that only compute, classes, cached functions, and calls that only ask the file
    system for metadata.

    ## Source
    FastAPI's documentation on concurrency; AnyIO's default of 40 worker threads.
    """

    code = "FAR312"
    message = "Dependency `{name}` does I/O in a plain `def`; make it `async def`: {route}"
    profiles = ("strict",)
    scope = "project"

    @on(DependencyFunction)
    def check(self, dependency: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report plain functions with evidence of I/O."""
        node = dependency.node
        if isinstance(node, ast.AsyncFunctionDef) or node.name == "__init__":
            return
        function = context.resolve(node)
        effects = context.model.effects
        if not isinstance(function, Function) or effects.graph.is_cached(function):
            return
        evidence = effects.blocks(function) or effects.session_opening(function)
        if evidence is not None:
            yield self.report(
                context.source.name_range(node),
                name=dependency.name,
                route=evidence.route,
                related=[context.related(evidence.module, evidence.node, evidence.what)],
            )
