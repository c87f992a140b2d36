"""FAR414: threads and tasks that an endpoint starts and forgets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.effects import spoken
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.libraries import TASK_STARTERS, THREADS
from flake8_fastapi_rules.semantics.values import External, Function


class UnmanagedConcurrency(Rule):
    """Do not start threads and tasks in endpoints and forget them.

    ## What it does
    Reports `threading.Thread(...).start()` in an endpoint, and `asyncio.create_task(...)`,
    `asyncio.ensure_future(...)` and `loop.create_task(...)` whose result is dropped.

    ## Why it matters
    The event loop holds tasks by weak references only: a task that nobody keeps can be collected
    in the middle of its work, and its exceptions are seen by no one. A thread started per request
    has no limit, survives the request, and is cut off when the process ends.

    ## Example
    ```python
    import asyncio

    from fastapi import APIRouter

    router = APIRouter()


    async def notify(name: str) -> None:
        print(name)


    @router.post("/orders", status_code=201)
    async def order(name: str) -> None:
        asyncio.create_task(notify(name))
    ```

    ## Use instead
    ```python
    import logging

    from fastapi import APIRouter, BackgroundTasks

    router = APIRouter()
    logger = logging.getLogger(__name__)


    async def notify(name: str) -> None:
        try:
            logger.info("notified %s", name)
        except Exception:
            logger.exception("could not notify %s", name)


    @router.get("/notified", status_code=202, operation_id="notified", tags=["orders"])
    async def notified(name: str, background: BackgroundTasks) -> None:
        \"\"\"Notify somebody later.\"\"\"
        background.add_task(notify, name)
    ```

    ## Leaves alone
    Tasks whose result is kept, awaited or passed on, task groups, threads that are joined, and
    code outside of endpoints.

    ## Source
    Python's documentation of `asyncio.create_task`: save a reference to the result.
    """

    code = "FAR414"
    message = "The task of `{call}` is dropped and may vanish; keep it or use `BackgroundTasks`"
    variants = {"thread": "Endpoint starts a `{call}` that nobody manages; use `BackgroundTasks`"}
    profiles = ("recommended",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report threads that are started and tasks that are dropped."""
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        resolver = context.model.resolver
        for site in context.model.effects.calls(function):
            if not isinstance(site.callee, External):
                continue
            names = list(resolver.names_of(site.callee))
            starter = next((TASK_STARTERS[n] for n in names if n in TASK_STARTERS), None)
            if (
                starter is not None
                and starter.kind == "create_task"
                and not starter.is_held
                and self._is_dropped(endpoint, site.node)
            ):
                yield self.report(site.node, call=spoken(site.callee.name))
            thread = next((n for n in names if n.removesuffix(".start") in THREADS), None)
            if thread is not None and thread.endswith(".start"):
                if not self._is_joined(endpoint, site.node):
                    kind = thread.removesuffix(".start").rpartition(".")[2]
                    yield self.report(site.node, "thread", call=kind)

    def _is_dropped(self, endpoint: Endpoint, call: ast.AST) -> bool:
        """Whether the statement around a call throws its result away."""
        parent = endpoint.module.index.parents.get(call)
        if isinstance(parent, ast.ListComp) and parent.elt is call:
            parent = endpoint.module.index.parents.get(parent)
        match parent:
            case ast.Expr():
                return True
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return not any(
                    isinstance(node, ast.Global | ast.Nonlocal)
                    or (
                        isinstance(node, ast.Name)
                        and node.id == name
                        and isinstance(node.ctx, ast.Load)
                    )
                    for node in ast.walk(endpoint.node)
                )
            case _:
                return False

    def _is_joined(self, endpoint: Endpoint, start: ast.Call) -> bool:
        """Whether the endpoint waits for the thread that it starts."""
        assert isinstance(start.func, ast.Attribute)
        index = endpoint.module.index
        receiver = ast.dump(start.func.value)
        used: dict[str, set[str]] = {"start": set(), "join": set()}
        for node in index.own_nodes(endpoint.node):
            if isinstance(node, ast.Attribute) and node.attr in used:
                if not isinstance(node.value, ast.Constant | ast.JoinedStr):  # `", ".join(...)`
                    used[node.attr].add(ast.dump(node.value))
        if receiver in used["join"]:
            return True
        # `for thread in threads: thread.join()`, but not `other.join()` after `other.start()`
        return not isinstance(start.func.value, ast.Call) and bool(used["join"] - used["start"])
