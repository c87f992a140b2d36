"""FAR105: event handlers that never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Related
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import EventHandler, Lifespan
from flake8_fastapi_rules.semantics.graph import RouterNode
from flake8_fastapi_rules.semantics.values import Class, Function, Value

#: Attributes of a router that run its handlers or hold them.
_RUNNING = frozenset({"startup", "shutdown", "on_startup", "on_shutdown", "lifespan_context"})
_ROUTERS = ("starlette.routing.Router", "starlette.applications.Starlette")


class IgnoredEventHandlers(Rule):
    """Move event handlers into the lifespan that the app has.

    ## What it does
    Reports start-up and shut-down handlers of an app that is also given a `lifespan`.

    ## Why it matters
    FastAPI runs the lifespan and nothing else: the handlers are registered, and never called. No
    error says so.

    ## Example
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield


    async def open_pool() -> None:
        print("open")


    def create_app() -> FastAPI:
        app = FastAPI(lifespan=lifespan)
        app.router.add_event_handler("startup", open_pool)  # noqa: FAR103
        return app
    ```

    ## Use instead
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    async def open_pool() -> None:
        print("open")


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        await open_pool()
        yield
    ```

    ## Leaves alone
    Handlers of included routers, which do run; apps whose arguments cannot be told; lifespans that
    run the handlers themselves.

    ## Source
    `Router.lifespan_context` of Starlette: the handlers run in the default lifespan only, which a
    `lifespan` replaces. Seen with FastAPI 0.165.
    """

    code = "FAR105"
    message = "This handler never runs: the app has a `lifespan`; move the code there"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("on_event", "add_event_handler", "on_startup", "on_shutdown")

    @on(EventHandler)
    def check(self, handler: EventHandler, context: Context) -> Iterator[Report]:
        """Report handlers of apps that are certain to have a lifespan that leaves them out."""
        if isinstance(handler.node, ast.List | ast.Tuple) and not handler.node.elts:
            return
        project = context.model.project(context.module)
        owners = project.event_owners(handler)
        lifespans = [project.lifespan_of(owner) for owner in owners if owner.is_app]
        if not owners or len(lifespans) != len(owners):
            return
        given = [fact.node for fact in self._given(owners[0], context)]
        if by_class := context.model.made_with(owners[0].value, "lifespan"):
            given.append(by_class[1])
        if any(isinstance(node, ast.IfExp | ast.BoolOp) for node in given):
            return
        if all(lifespan and not _may_run_handlers(lifespan, context) for lifespan in lifespans):
            related = self._place(owners[0], lifespans[0], context)
            yield self.report(handler.node, related=related)

    def _given(self, app: RouterNode, context: Context) -> list[Lifespan]:
        facts = context.model.local(app.module, Lifespan)
        return [fact for fact in facts if fact.owner is app.call]

    def _place(self, app: RouterNode, lifespan: Value | None, context: Context) -> list[Related]:
        for fact in self._given(app, context):
            return [context.related(app.module, fact.node, "The lifespan is given here")]
        if isinstance(lifespan, Function):
            return [context.related(lifespan.module, lifespan.node, "This is the lifespan")]
        return []


def _may_run_handlers(lifespan: Value, context: Context) -> bool:
    """Whether a lifespan runs the handlers itself, or enters what could be the default one."""
    if isinstance(lifespan, Class):  # with `__aenter__`
        entering = context.model.resolver.class_attribute(lifespan, "__aenter__", instance=True)
        return not isinstance(entering, Function) or _may_run_handlers(entering, context)
    if not isinstance(lifespan, Function):
        return False
    index = lifespan.module.index
    given = {argument.arg for argument in lifespan.node.args.args}
    for node in index.own_nodes(lifespan.node):
        if isinstance(node, ast.Attribute) and node.attr.strip("_") in _RUNNING:
            # `scheduler.shutdown()` is no handler of the app.
            owner = context.model.resolve(lifespan.module, node.value)
            if not owner or context.model.is_instance(owner, *_ROUTERS):
                return True
        if isinstance(node, ast.AsyncWith):
            for item in node.items:
                called = item.context_expr
                if isinstance(called, ast.Call) and any(
                    isinstance(name, ast.Name) and name.id in given
                    for argument in called.args
                    for name in ast.walk(argument)
                ):
                    entered = context.model.resolve(lifespan.module, called.func)
                    if not isinstance(entered, Function | Class):
                        return True
    return False
