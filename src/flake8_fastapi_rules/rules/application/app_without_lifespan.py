"""FAR104: an app that has no place for its resources."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App, Mount
from flake8_fastapi_rules.semantics.values import Class, Constant, Instance, Value


class AppWithoutLifespan(Rule):
    """Give every app a lifespan.

    ## What it does
    Reports an app that is built without `lifespan=`.

    ## Why it matters
    Engines, pools and clients belong to the running app: opened when it starts, closed when it
    ends. Without a lifespan they end up in module variables, opened at import and never closed.

    ## Example
    ```python
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        return FastAPI(title="Shop", version="1.0.0", description="Sells things.")
    ```

    ## Use instead
    ```python
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        app.state.ready = True
        yield


    def create_app() -> FastAPI:
        return FastAPI(
            title="Shop", version="1.0.0", description="Sells things.", lifespan=lifespan
        )
    ```

    ## Leaves alone
    Calls with `**kwargs`; apps that are mounted on another one, whose lifespan would not run, also
    inside of a middleware;
    subclasses that set the lifespan themselves; apps whose `router.lifespan_context` is set.

    ## Source
    The convention that resources are opened and closed by the lifespan (FastAPI 0.93 and later).
    """

    code = "FAR104"
    message = "App has no `lifespan`; open and close its resources in one"
    profiles = ("strict",)

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report apps for which nothing says that they get a lifespan."""
        given = app.arguments.get("lifespan")
        if app.has_unknown_arguments or (
            given is not None and context.resolve(given) != Constant(None)
        ):
            return
        if isinstance(app.cls, Class) and self._class_sets_lifespan(app.cls, context):
            return
        if not self._is_mounted(app, context) and not self._is_set_later(app, context):
            yield self.report(app.node)

    def _class_sets_lifespan(self, cls: Class, context: Context) -> bool:
        return any(
            (isinstance(node, ast.keyword) and node.arg == "lifespan")
            or (isinstance(node, ast.Constant) and node.value == "lifespan")
            or (isinstance(node, ast.Attribute) and node.attr == "lifespan_context")
            for base in context.model.resolver.mro(cls)
            if isinstance(base, Class)
            for node in ast.walk(base.node)
        )

    def _is_mounted(self, app: App, context: Context) -> bool:
        mounts = [
            mount
            for module in context.model.uses(context.module).modules
            for mount in context.model.local(module, Mount)
        ]
        if any(
            isinstance(child, Instance) and child.call is app.node
            for mount in mounts
            for child in (mount.child, *_wrapped(mount, context))
        ):
            return True
        apps = context.model.project(context.module).apps
        return any(found.call is app.node and found.is_mounted for found in apps)

    def _is_set_later(self, app: App, context: Context) -> bool:
        """Whether `app.router.lifespan_context` is assigned to, of this app or of one unknown."""
        for node in context.module.index.nodes(ast.Attribute):
            if isinstance(node.ctx, ast.Store) and node.attr == "lifespan_context":
                router = node.value
                owner = context.resolve(
                    router.value if isinstance(router, ast.Attribute) else router
                )
                if not isinstance(owner, Instance) or owner.call in {None, app.node}:
                    return True
        return False


def _wrapped(mount: Mount, context: Context) -> list[Value]:
    """What is mounted inside of a middleware: `mount("/api", with_login(api))`."""
    given = argument(mount.node, "app", 1)
    if not isinstance(given, ast.Call):
        return []
    inner = [*given.args, *(keyword.value for keyword in given.keywords)]
    return [context.model.resolve(mount.module, each) for each in inner]
