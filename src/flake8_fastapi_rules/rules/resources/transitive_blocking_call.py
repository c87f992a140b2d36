"""FAR602: asynchronous FastAPI code that calls a function of the project which blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import asynchronous_wrappers
from flake8_fastapi_rules.semantics.effects import Evidence, display_name
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Function


class TransitiveBlockingCall(Rule):
    """Do not call functions that block from asynchronous code.

    ## What it does
    Reports a call in asynchronous FastAPI code of a function of the project that blocks its
    thread, at whatever depth, and says on which way. Properties, `with` blocks, loops, subscripts
    and `in` call the methods of a class, too.

    ## Why it matters
    It stops the event loop exactly as a blocking call in the endpoint itself does, but nobody sees
    it there: about half of all such calls in real services are two or more functions away from
    the `async def`.

    ## Example
    ```python
    import requests
    from fastapi import APIRouter

    router = APIRouter()


    def fetch_rate() -> float:
        return requests.get("https://rates.example").json()["rate"]


    @router.get("/rate")
    async def rate() -> float:
        return fetch_rate()
    ```

    ## Use instead
    ```python
    import requests
    from fastapi import APIRouter
    from fastapi.concurrency import run_in_threadpool

    router = APIRouter()


    def fetch_rate() -> float:
        return requests.get("https://rates.example").json()["rate"]


    @router.get("/rate", status_code=200, operation_id="rate", tags=["rates"])
    async def rate() -> float:
        \"\"\"Answer today's rate.\"\"\"
        return await run_in_threadpool(fetch_rate)
    ```

    ## Leaves alone
    Functions handed to `run_in_threadpool`, `asyncio.to_thread` or an executor, generators that are
    not iterated over or started by `next` only, functions that remember their result (`lru_cache`),
    asynchronous FastAPI code that is called by hand (it is reported there), calls that only ask the
    file system for metadata or make a directory, what runs once until an object or module remembers
    its result, and lifespans.

    ## Source
    FastAPI's documentation on concurrency: only what FastAPI itself calls gets a thread of its
    own, not what a coroutine calls.
    """

    code = "FAR602"
    message = "`{call}` blocks the event loop: {route}"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("async",)

    @on(Module)
    def check_wrappers(self, module: Module, context: Context) -> Iterator[Report]:
        """Report them in what decorators of the module put around FastAPI code."""
        for wrapper in asynchronous_wrappers(context.model, module):
            yield from self.check(wrapper, context)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report calls of functions that block."""
        if not function.is_async or function.roles <= {Role.LIFESPAN, Role.EVENT_HANDLER}:
            return
        effects = context.model.effects
        reported: set[ast.expr] = set()  # a `with` may block at both of its ends
        for node, target in self._calls(function, context):
            evidence = effects.blocks(target) if node not in reported else None
            if evidence is not None:
                reported.add(node)
                yield self._report(node, display_name(target), evidence, context)

    def _calls(
        self, function: FrameworkFunction, context: Context
    ) -> Iterator[tuple[ast.expr, Function]]:
        effects = context.model.effects
        yield from effects.implicit_calls(function)
        for site in effects.calls_in_requests(function):
            if site.target is not None and effects.may_block_through(site):
                yield site.node, site.target

    def _report(self, node: ast.expr, called: str, evidence: Evidence, context: Context) -> Report:
        return self.report(
            node,
            call=called,
            route=evidence.route,
            related=[context.related(evidence.module, evidence.node, evidence.what)],
        )
