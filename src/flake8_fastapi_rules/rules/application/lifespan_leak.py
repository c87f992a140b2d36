"""FAR107: a resource that a lifespan opens and never closes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.holding import Holder, holders_in, is_left_open, owners_in

#: Libraries whose asynchronous objects are closed by `aclose`; others call it `close`.
_ACLOSED = ("httpx.AsyncClient", "redis.asyncio.", "httpx2.AsyncClient")


class LifespanLeak(Rule):
    """Close after the `yield` of a lifespan what was opened before it.

    ## What it does
    Reports an engine, pool, client, connection, session, producer or scheduler that a lifespan
    opens before its `yield` and that nothing closes, also one in an attribute of an object of
    the project.

    ## Why it matters
    The server may stop while requests to others are half sent: clients and pools say goodbye only
    when they are closed. Tests start the app again and again in one process, and each time
    connections, sockets and tasks stay behind, until the database refuses more of them.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    import httpx
    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.client = httpx.AsyncClient()
        yield


    def create_app() -> FastAPI:
        return FastAPI(lifespan=lifespan)
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    import httpx
    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient() as client:
            app.state.client = client
            yield


    def create_app() -> FastAPI:
        return FastAPI(
            title="Shop", version="1.0.0", description="Sells things.", lifespan=lifespan
        )
    ```

    ## Leaves alone
    What a `with` or an exit stack holds, what is handed to a function after the `yield` (it may
    close it), schedulers and producers that are never started, and what is opened inside of
    another call, whose result may close it; objects of the project that are handed on, or named
    after the `yield`.

    ## Source
    FastAPI's documentation on lifespan events; the libraries' documentation on closing.
    """

    code = "FAR107"
    message = "`{name}` is opened here and never closed; call `{name}.{closer}()` after the `yield`"
    variants = {
        "manager": "`{name}` is opened here and never closed; "
        "call `{name}.{closer}()` in `__aexit__`",
        "owner": "`{name}` opens {kind} that nothing closes; give `{cls}` a method that does",
    }
    profiles = ("recommended",)
    is_bug = True
    hints = ("yield", "__aenter__")

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report each opening call of a lifespan whose result is not closed."""
        module = function.module
        if Role.LIFESPAN not in function.roles:
            return
        if function.node.name == "__aenter__":
            yield from self._check_manager(function, context)
        if not module.index.is_generator(function.node):
            return
        holders = holders_in(context.model, module, function.node)
        yields = [n for n in module.index.own_nodes(function.node) if isinstance(n, ast.Yield)]
        first = min((y.lineno, y.col_offset) for y in yields) if yields else (0, 0)
        for holder in holders:
            if (holder.call.lineno, holder.call.col_offset) < first and self._leaks(holder):
                yield self.report(holder.call, name=holder.names[0], closer=self._closer(holder))

        for owner in owners_in(context.model, module, function.node):
            yield self.report(
                owner.call,
                None if owner.closer else "owner",
                name=owner.name,
                closer=owner.closer,
                kind=f"{'an' if owner.resource.kind == 'engine' else 'a'} {owner.resource.kind}",
                cls=owner.cls.node.name,
            )

    def _check_manager(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report what the `__aenter__` of a class opens and its `__aexit__` leaves alone."""
        for holder in holders_in(context.model, function.module, function.node):
            if self._leaks(holder) and is_left_open(context.model, function, holder):
                closer = self._closer(holder)
                yield self.report(holder.call, "manager", name=holder.names[0], closer=closer)

    def _leaks(self, holder: Holder) -> bool:
        if holder.resource.kind in {"producer", "scheduler"} and not holder.is_started:
            return False
        return holder.resource.kind != "file" and not holder.is_closed

    def _closer(self, holder: Holder) -> str:
        closers = sorted(holder.resource.closers)
        if "aclose" in closers and holder.opener.startswith(_ACLOSED):
            return "aclose"
        if holder.opener.startswith("aiokafka."):
            return "stop"
        return "close" if "close" in closers else closers[0]
