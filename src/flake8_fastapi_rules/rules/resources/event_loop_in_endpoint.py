"""FAR611: event loops and thread locks where the event loop runs already."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.libraries import LOOP_RUNNERS, THREAD_LOCKS, is_in
from flake8_fastapi_rules.semantics.values import Constant, External, Function, FunctionNode

_OTHER_ROLES = frozenset({Role.LIFESPAN, Role.EVENT_HANDLER})
_WAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith)


class EventLoopInEndpoint(Rule):
    """Do not start event loops or hold thread locks in FastAPI code.

    ## What it does
    Reports `asyncio.run`, `run_until_complete` and the like in endpoints, dependencies,
    middleware and exception handlers, and a `with` on a lock of `threading` around an `await`.

    ## Why it matters
    In a coroutine a loop runs already: `asyncio.run` raises `RuntimeError`. In a plain function it
    starts a second loop for each request, in which pools, clients and locks of the first one do
    not work. A thread lock held across an `await` stops the whole loop as soon as another request
    wants it, and the first one can never go on to release it: a deadlock.

    ## Example
    ```python
    import asyncio

    from fastapi import APIRouter

    router = APIRouter()


    async def load() -> str:
        return "loaded"


    @router.get("/data")
    async def data() -> str:
        return asyncio.run(load())
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    async def load() -> str:
        return "loaded"


    @router.get("/data", status_code=200, operation_id="data", tags=["data"])
    async def data() -> str:
        \"\"\"Answer the data.\"\"\"
        return await load()
    ```

    ## Leaves alone
    Loops that other code than FastAPI's functions starts, functions nested in them, `asyncio.Lock`,
    thread locks without an `await` inside, and lifespans. `async_to_sync` is what plain functions
    are to use.

    ## Source
    Python's documentation of `asyncio.run`: it cannot be called when a loop runs in the thread.
    """

    code = "FAR611"
    message = "`{call}` cannot run where an event loop runs already; use `await`"
    variants = {
        "thread": "`{call}` starts an event loop for each request; use `async def` and `await`",
        "lock": "`{lock}` is a thread lock held across `await`; use `asyncio.Lock`",
    }
    profiles = ("recommended",)
    is_bug = True

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report loops that are started, and locks that are held."""
        value = context.resolve(function.node)
        if function.roles <= _OTHER_ROLES or not isinstance(value, Function):
            return
        for site in context.model.effects.calls(value):
            callee = site.callee
            if not isinstance(callee, External) or not is_in(callee.name, LOOP_RUNNERS):
                continue
            if not function.is_async and callee.name.startswith(("asgiref.", "nest_asyncio.")):
                continue
            variant = None if function.is_async else "thread"
            yield self.report(site.node, variant, call=context.model.effects.spoken_call(site))
        if function.is_async:
            yield from self._locks(function.node, context)

    @on(ast.AsyncFunctionDef, hints=("lock", "Lock", "threading"))
    def check_elsewhere(self, node: ast.AsyncFunctionDef, context: Context) -> Iterator[Report]:
        """Report locks that are held by what FastAPI code calls: a manager of connections, ..."""
        value = context.resolve(node)
        if isinstance(value, Function) and context.model.roles(value):
            return
        held = list(self._locks(node, context))
        if held and context.model.shared_state(context.module).is_part_of_service(context.module):
            yield from held

    def _locks(self, function: FunctionNode, context: Context) -> Iterator[Report]:
        own = context.module.index.own_nodes(function)
        waits = [node for node in own if isinstance(node, _WAITS)]
        for node in own:
            if isinstance(node, ast.Call) and self._is_held(node, own, waits, context):
                lock = node.func.value  # type: ignore[attr-defined]
                yield self.report(node, "lock", lock=ast.unparse(lock))
            if not isinstance(node, ast.With):
                continue
            for item in node.items:
                lock = item.context_expr
                if context.model.is_instance(context.resolve(lock), *THREAD_LOCKS) and any(
                    _is_within(wait, node) for wait in waits
                ):
                    yield self.report(lock, "lock", lock=ast.unparse(lock))

    def _is_held(
        self,
        call: ast.Call,
        own: tuple[ast.AST, ...],
        waits: Sequence[ast.AST],
        context: Context,
    ) -> bool:
        """Whether a call acquires a thread lock that is released behind an `await`."""
        match call.func:
            case ast.Attribute(attr="acquire", value=lock):
                pass
            case _:
                return False
        if not context.model.is_instance(context.resolve(lock), *THREAD_LOCKS):
            return False
        if context.resolve(argument(call, "blocking", 0)) == Constant(False):
            return False  # it goes on without the lock
        released = [
            node.lineno
            for node in own
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "release"
            and ast.dump(node.func.value) == ast.dump(lock)
            and node.lineno > call.lineno
        ]
        if not released:
            return False
        return any(call.lineno < getattr(wait, "lineno", 0) < min(released) for wait in waits)


def _is_within(node: ast.AST, statement: ast.With) -> bool:
    """Whether a node stands in the body of a `with`."""
    first, last = statement.body[0], statement.body[-1]
    line: int = node.lineno  # type: ignore[attr-defined]
    return first.lineno <= line <= (last.end_lineno or last.lineno)
