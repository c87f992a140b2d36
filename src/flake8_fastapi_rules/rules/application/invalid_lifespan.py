"""FAR106: a lifespan that fails when the app starts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import add_decorator, fix_of
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Lifespan
from flake8_fastapi_rules.semantics.flow import MANY, most_yields
from flake8_fastapi_rules.semantics.lifespans import (
    ASYNC_MANAGER,
    SYNC_MANAGER,
    called_manager,
    cannot_be_entered,
    decorators_of,
    is_given_by_name,
    may_return_manager,
    takes_one_argument,
    yields_for_generator,
)
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode, Instance


class InvalidLifespan(Rule):
    """Pass a function that is an async context manager of the app as `lifespan`.

    ## What it does
    Reports a `lifespan=` function that cannot work: without the decorator and without a `yield`,
    with the decorator for synchronous context managers, decorated but not async or without a
    `yield`, with a `yield` that can be met twice, or with another signature than one parameter.
    In `strict` also an undecorated generator, which works and is deprecated.

    ## Why it matters
    Nothing fails where the app is built. The server fails when it starts, or, with a second
    `yield`, when it stops.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield


    def create_app() -> FastAPI:
        return FastAPI(lifespan=lifespan)
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
    ```

    ## Leaves alone
    Callables that cannot be resolved, classes and objects; functions under other decorators.

    ## Fix safety
    The fix adds a missing `@asynccontextmanager` and its import to an async generator, which is
    what Starlette does with it at run time; safe.

    ## Source
    `starlette.routing.Router.__init__` (1.10): generators are wrapped, anything else is called with
    the app and entered with `async with`.
    """

    code = "FAR106"
    message = "Lifespan `{name}` has no `yield`: it is no async context manager and fails at start"
    variants = {
        "undecorated": "Lifespan `{name}` is a bare generator, which is deprecated; add "
        "`@asynccontextmanager`",
        "sync": "Lifespan `{name}` is synchronous; make it `async def` with `@asynccontextmanager`",
        "sync-manager": "Lifespan `{name}` is no async context manager; use `@asynccontextmanager`",
        "twice": "Lifespan `{name}` can `yield` more than once and fails when the app stops",
        "class": "Lifespan `{name}` is no async context manager: it has no `__aenter__` and "
        "`__aexit__`",
        "called": "Lifespan `{name}` is called here; give the function itself",
        "arity": "Lifespan `{name}` must take one argument, the app",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = ("lifespan",)

    @on(Lifespan)
    def check(self, lifespan: Lifespan, context: Context) -> Iterator[Report]:
        """Report a lifespan function, where it is defined if that is in this module."""
        called = called_manager(context.model, context.module, lifespan.node)
        if called is not None:
            reason = Unfixable("whether the call or the function is wrong is for you to say")
            yield self.report(lifespan.node, "called", fix=reason, name=called.name)
        function = lifespan.target
        if isinstance(function, Instance):  # an object that is called with the app
            function = context.model.callable_of(function) or function
        if isinstance(function, Class) and cannot_be_entered(context.model, function):
            place = function.node if function.module is context.module else lifespan.node
            reason = Unfixable("its methods must change")
            yield self.report(place, "class", fix=reason, name=function.node.name)
        if not isinstance(function, Function) or isinstance(function.node, ast.Lambda):
            return
        node, is_here = function.node, function.module is context.module
        takes_app = is_given_by_name(context.model, context.module, lifespan.node, node.name)
        variant = self._problem(function, node, context, takes_app=takes_app)
        if variant is None:
            return
        yield self.report(
            node if is_here else lifespan.node,
            variant or None,
            fix=(lambda: self._fix(node, context))
            if variant == "undecorated" and is_here
            else Unfixable(
                "it is defined in another module"
                if variant == "undecorated"
                else "its body must change"
            ),
            name=function.owner.node.name
            if node.name == "__call__" and function.owner is not None
            else node.name,
        )

    def _problem(
        self, function: Function, node: FunctionNode, context: Context, *, takes_app: bool
    ) -> str | None:
        """The key of the message that fits; `""` for the rule's first, `None` when all is well."""
        decorators = decorators_of(context.model, function.module, node)
        if decorators not in ([], [ASYNC_MANAGER], [SYNC_MANAGER]):
            return None
        is_async = isinstance(node, ast.AsyncFunctionDef)
        is_generator = function.module.index.is_generator(node)
        if takes_app and not takes_one_argument(function):
            return "arity"
        if is_generator and most_yields(node.body) >= MANY:
            return None if yields_for_generator(function) else "twice"
        if decorators == [SYNC_MANAGER]:
            return "sync-manager"
        if decorators == [ASYNC_MANAGER]:
            return "" if not is_generator else None if is_async else "sync"
        if not is_generator:
            return "" if is_async or not may_return_manager(function) else None
        return "undecorated" if context.settings.profile == "strict" else None

    def _fix(self, node: FunctionNode, context: Context) -> Fix:
        if not isinstance(node, ast.AsyncFunctionDef):
            raise Unfixable("it is no `async def`")
        text = text_of(context.module)
        manager = ensure_import(text, "contextlib", "asynccontextmanager", node)
        decorator = add_decorator(text, node, manager.name)
        return fix_of("Add `@asynccontextmanager`", "safe", decorator, manager.edits)
