"""FAR308: a dependency that opens something and never closes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import targets_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import DependencyFunction
from flake8_fastapi_rules.semantics.openings import Opening, kind_opened, may_close
from flake8_fastapi_rules.semantics.values import Function

_SPOKEN = {
    "session": "a session",
    "connection": "a connection",
    "client": "a client",
    "file": "a file",
}


class LeakingDependency(Rule):
    """Yield what a dependency opens, and close it behind the `yield`.

    ## What it does
    Reports a dependency that opens a database session, a connection, an HTTP or other client, or a
    file, and returns it; also when a `with` has closed it by the time it is returned, and a class
    as a dependency whose objects each open one that nothing in the class closes.

    ## Why it matters
    Nobody closes what is returned: each request keeps a connection until the garbage collector
    comes by, and under load the pool runs dry. A dependency with `yield` gets the control back
    after the request and can close what it opened, whatever happened in between.

    ## Example
    ```python
    from typing import Annotated

    import httpx
    from fastapi import Depends


    def get_client() -> httpx.Client:
        return httpx.Client()


    def fetch(client: Annotated[httpx.Client, Depends(get_client)]) -> int:
        return client.get("https://example.com").status_code
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    import httpx
    from fastapi import Depends


    async def get_client() -> AsyncIterator[httpx.AsyncClient]:
        '''Lend an HTTP client to one request.'''
        async with httpx.AsyncClient() as client:
            yield client


    async def fetch(client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> int:
        '''Ask for the status of a page.'''
        response = await client.get("https://example.com")
        return response.status_code
    ```

    ## Leaves alone
    What was opened elsewhere (by a lifespan, in `app.state`, in a module variable), dependencies
    that remember their result (`lru_cache`, a global), and what is stored before it is returned.

    ## Source
    FastAPI's documentation of dependencies with `yield`.
    """

    code = "FAR308"
    message = (
        "Yield {what} in `{name}` and close it behind the `yield`: what is returned stays open"
    )
    variants = {
        "object": "`{name}` opens {what} per request and never closes it; inject one by `yield`",
        "finally": "Yield {what} in `{name}` instead: the `finally` closes what it returns",
        "closed": "Yield {what} in `{name}` inside the `with`: what it returns is closed already",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report openings whose result a dependency returns."""
        node, effects = fact.node, context.model.effects
        function = Function(context.module, node, fact.cls)
        if fact.is_generator or effects.graph.is_cached(function):
            return
        if node.name == "__init__":
            yield from self._check_object(fact, function, context)
            return
        for site in effects.calls(function):
            kind = kind_opened(context.model, site)
            if kind is None:
                continue
            opening = Opening(context.model, site, node)
            if not opening.is_given_back or opening.is_kept:
                continue
            variant = "closed" if opening.is_in_with else None
            if opening.is_closed_finally:
                variant = "finally"
            yield self.report(site.node, variant, what=_SPOKEN[kind], name=fact.name)
            return

    def _check_object(
        self, fact: DependencyFunction, function: Function, context: Context
    ) -> Iterator[Report]:
        """Report a class that opens something for each of its objects and never closes it."""
        index = context.module.index
        for site in context.model.effects.calls(function):
            kind = kind_opened(context.model, site)
            statement = index.parents.get(site.node)
            if kind is None or fact.cls is None:
                continue
            held = any(
                isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Name)
                and target.value.id == "self"
                for target in targets_of(statement)
            )
            if held and not may_close(context.model, fact.cls):
                yield self.report(site.node, "object", what=_SPOKEN[kind], name=fact.name)
                return
