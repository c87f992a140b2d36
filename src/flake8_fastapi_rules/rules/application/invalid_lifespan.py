"""FAR106: a lifespan that fails when the app starts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import add_decorator, fix_of
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import last_name, snake
from flake8_fastapi_rules.semantics.facts import Lifespan
from flake8_fastapi_rules.semantics.flow import MANY, most_yields
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
)


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
        called = self._called(lifespan.node, context)
        if called is not None:
            reason = Unfixable("whether the call or the function is wrong is for you to say")
            yield self.report(lifespan.node, "called", fix=reason, name=called.name)
        function = lifespan.target
        if isinstance(function, Instance):  # an object that is called with the app
            function = context.model.callable_of(function) or function
        if isinstance(function, Class) and self._cannot_be_entered(function, context):
            place = function.node if function.module is context.module else lifespan.node
            reason = Unfixable("its methods must change")
            yield self.report(place, "class", fix=reason, name=function.node.name)
        if not isinstance(function, Function) or isinstance(function.node, ast.Lambda):
            return
        is_itself = self._is_itself(lifespan.node, function.node.name, context)
        variant = self._problem(function, function.node, context, takes_app=is_itself)
        if variant is None:
            return
        node, is_here = function.node, function.module is context.module
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

    def _cannot_be_entered(self, cls: Class, context: Context) -> bool:
        """Whether objects of a class are certain not to be asynchronous context managers."""
        resolver = context.model.resolver
        if cls.node.decorator_list or not resolver.has_known_bases(cls):
            return False
        return not all(
            resolver.class_attribute(cls, name, instance=True)
            for name in ("__aenter__", "__aexit__")
        )

    def _is_itself(self, node: ast.expr, name: str, context: Context) -> bool:
        """Whether the function is given under its name, here or by the function that makes it.

        Under another name it may be a `partial` that fills parameters.
        """
        callee = context.resolve(node.func) if isinstance(node, ast.Call) else None
        if not isinstance(callee, Function):
            return last_name(node) == snake(name)
        returns = returns_of(callee.module, callee.node)
        return bool(returns) and all(
            isinstance(each.value, ast.Name) and each.value.id == name for each in returns
        )

    def _called(self, node: ast.expr, context: Context) -> FunctionNode | None:
        """The context manager function that is called where it should be given."""
        callee = context.resolve(node.func) if isinstance(node, ast.Call) else None
        if not isinstance(callee, Function) or isinstance(callee.node, ast.Lambda):
            return None
        decorators = [context.model.resolve(callee.module, d) for d in callee.node.decorator_list]
        return callee.node if decorators == [_ASYNC] else None

    def _problem(
        self, function: Function, node: FunctionNode, context: Context, *, takes_app: bool
    ) -> str | None:
        """The key of the message that fits; `""` for the rule's first, `None` when all is well."""
        decorators = [context.model.resolve(function.module, d) for d in node.decorator_list]
        if decorators not in ([], [_ASYNC], [_SYNC]):
            return None
        is_async = isinstance(node, ast.AsyncFunctionDef)
        is_generator = function.module.index.is_generator(node)
        if takes_app and not _takes_one(function, node):
            return "arity"
        if is_generator and most_yields(node.body) >= MANY:
            return None if _goes_through_generator(function, node) else "twice"
        if decorators == [_SYNC]:
            return "sync-manager"
        if decorators == [_ASYNC]:
            return "" if not is_generator else None if is_async else "sync"
        if not is_generator:
            return "" if is_async or not _may_return_manager(function) else None
        return "undecorated" if context.settings.profile == "strict" else None

    def _fix(self, node: FunctionNode, context: Context) -> Fix:
        if not isinstance(node, ast.AsyncFunctionDef):
            raise Unfixable("it is no `async def`")
        text = text_of(context.module)
        manager = ensure_import(text, "contextlib", "asynccontextmanager", node)
        decorator = add_decorator(text, node, manager.name)
        return fix_of("Add `@asynccontextmanager`", "safe", decorator, manager.edits)


_ASYNC = External("contextlib.asynccontextmanager")
_SYNC = External("contextlib.contextmanager")


def _takes_one(function: Function, node: FunctionNode) -> bool:
    """Whether the function can be called with exactly one positional argument."""
    positional = [*node.args.posonlyargs, *node.args.args]
    given = 1
    if function.module.index.class_of(node) is not None and function.bound:
        given = 2
    required = len(positional) - len(node.args.defaults)
    if any(default is None for default in node.args.kw_defaults):
        return False
    return required <= given and (len(positional) >= given or node.args.vararg is not None)


def _may_return_manager(function: Function) -> bool:
    """Whether a plain function may hand back a context manager of another making."""
    returns = function.node.returns if isinstance(function.node, FUNCTIONS) else None
    if returns is not None:
        return not (isinstance(returns, ast.Constant) and returns.value in (None, "None"))
    return any(
        isinstance(node, ast.Return)
        and not (node.value is None or isinstance(node.value, ast.Constant))
        for node in function.module.index.own_nodes(function.node)
    )


def _goes_through_generator(function: Function, node: FunctionNode) -> bool:
    """Whether it yields for what a generator beside it yields: `async for _ in opened(): yield`."""
    index = function.module.index
    for loop in index.own_nodes(node):
        if not isinstance(loop, ast.For | ast.AsyncFor) or most_yields(loop.body) == 0:
            continue
        called = loop.iter.func if isinstance(loop.iter, ast.Call) else None
        found = index.lookup(called.id, called) if isinstance(called, ast.Name) else None
        if found is not None and any(
            isinstance(binding.node, FUNCTIONS) and index.is_generator(binding.node)
            for binding in found[1]
        ):
            return True
    return False
