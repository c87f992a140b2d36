"""FAR601: a call that stops the event loop, in asynchronous FastAPI code."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import asynchronous_wrappers
from flake8_fastapi_rules.semantics.effects import advice, spoken
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.modules import Module


class BlockingCallInAsync(Rule):
    """Do not block the event loop in asynchronous code.

    ## What it does
    Reports calls that block their thread in `async def` endpoints, dependencies, middleware,
    exception handlers and behind a lifespan's `yield`: HTTP requests of synchronous clients,
    `time.sleep`, `input`, subprocesses, file access, and synchronous database, Redis, S3, mail
    and similar clients. The type of the object decides, not its name.

    ## Why it matters
    All requests of a worker share one event loop. While one of them waits in a blocking call, no
    other makes progress: health checks fail, WebSockets stall, and the service has the throughput
    of one request at a time. FastAPI runs plain `def` functions in a thread pool, `async def`
    functions on the loop itself.

    ## Example
    ```python
    import time

    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/slow")
    async def slow() -> str:
        time.sleep(1)
        return "done"
    ```

    ## Use instead
    ```python
    import asyncio

    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/slow", status_code=200, operation_id="slow", tags=["examples"])
    async def slow() -> str:
        \"\"\"Answer after a second.\"\"\"
        await asyncio.sleep(1)
        return "done"
    ```

    ## Leaves alone
    What is handed to `run_in_threadpool`, `asyncio.to_thread` or an executor, code in nested
    functions and lambdas that are only passed on, start-up code before a lifespan's `yield`, and
    plain `def` functions. Sessions of SQLAlchemy are FAR603's.

    ## Source
    FastAPI's documentation on concurrency: plain functions run in a thread pool, coroutines on
    the event loop.
    """

    code = "FAR601"
    message = "`{call}` blocks the event loop; use {instead}"
    profiles = ("recommended",)
    is_bug = True
    hints = ("async",)

    @on(Module)
    def check_wrappers(self, module: Module, context: Context) -> Iterator[Report]:
        """Report them in what decorators of the module put around FastAPI code."""
        for wrapper in asynchronous_wrappers(context.model, module):
            yield from self.check(wrapper, context)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report each blocking call in the function's own body."""
        if not function.is_async:
            return
        effects = context.model.effects
        for site in effects.calls_in_requests(function):
            found = effects.blocking_call(site)
            if found is None or effects.is_on_session(site) or effects.is_on_opened_file(site):
                continue
            name, why = found
            yield self.report(site.node, call=spoken(name), instead=advice(why.instead))
