"""FAR617: long computations on the event loop."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import key_of
from flake8_fastapi_rules.semantics.effects import Step, spoken
from flake8_fastapi_rules.semantics.facts import FrameworkFunction


class CpuBoundInAsync(Rule):
    """Do not compute for long on the event loop.

    ## What it does
    Reports password hashing, image processing and data frame work in asynchronous FastAPI code,
    called there or in a plain function of the project that is called there.

    ## Why it matters
    Hashing a password is meant to take a tenth of a second or more. On the event loop every other
    request of the worker waits for that long, and a few log-ins at once stop the service. Most of
    these libraries release the interpreter's lock, so that a thread is all it takes.

    ## Example
    ```python
    import bcrypt
    from fastapi import APIRouter

    router = APIRouter()


    @router.put("/password")
    async def set_password(password: bytes) -> None:
        print(len(bcrypt.hashpw(password, bcrypt.gensalt())))
    ```

    ## Use instead
    ```python
    import bcrypt
    from fastapi.concurrency import run_in_threadpool


    async def hashed(password: bytes) -> bytes:
        return await run_in_threadpool(bcrypt.hashpw, password, bcrypt.gensalt())
    ```

    ## Leaves alone
    What is handed to a thread or process pool, plain `def` functions, which run in a thread
    anyway, and start-up code before a lifespan's `yield`.

    ## Source
    FastAPI's documentation on concurrency and parallelism.
    """

    code = "FAR617"
    message = "`{call}` is {kind} on the event loop; use `run_in_threadpool`"
    variants = {
        "below": "`{call}` does {kind} on the event loop ({route}); use `run_in_threadpool`"
    }
    profiles = ("strict",)
    scope = "project"
    hints = ("async",)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report long computations, direct ones and those of functions that are called."""
        if not function.is_async:
            return
        effects = context.model.effects
        seen: set[object] = set()
        for site in effects.calls_in_requests(function):
            found = effects.computes(site)
            if found is not None:
                yield self.report(site.node, call=spoken(found[0]), kind=found[1])
                continue
            target = site.target
            if target is None or key_of(target) in seen or not effects.may_block_through(site):
                continue
            evidence = effects.computing(target)
            if evidence is not None:
                seen.add(key_of(target))
                yield self.report(
                    site.node,
                    "below",
                    call=Step(site.module, site.node, target).name,
                    kind=evidence.replacement,
                    route=evidence.route,
                    related=[context.related(evidence.module, evidence.node, evidence.what)],
                )
