"""FAR903: a test client that never starts the app."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import targets_of
from flake8_fastapi_rules.fixes.edit import fix_of, replace_statement
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Lifespan
from flake8_fastapi_rules.semantics.fixtures import fixture_decorator
from flake8_fastapi_rules.semantics.resolve import first_argument
from flake8_fastapi_rules.semantics.values import Class, Function, Instance


class ClientWithoutLifespan(Rule):
    """Use `TestClient` as a context manager when the app has a lifespan.

    ## What it does
    Reports `TestClient(app)` outside of a `with`, for an app that has a lifespan or start-up
    handlers, itself or in a router that it includes.

    ## Why it matters
    Only `with TestClient(app) as client:` runs the lifespan. Without it nothing is opened: the
    tests see an app that never runs like this, or fail at the first use of `app.state`.

    ## Example
    ```python title="shop/main.py"
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield


    def create_app() -> FastAPI:
        return FastAPI(title="Shop", version="1", description="A shop.", lifespan=lifespan)
    ```
    ```python title="tests/test_items.py"
    from fastapi.testclient import TestClient
    from shop.main import create_app


    def test_items() -> None:
        client = TestClient(create_app())
        assert client.get("/items").status_code == 404
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient
    from shop.main import create_app


    def test_items() -> None:
        with TestClient(create_app()) as client:
            assert client.get("/items").status_code == 404
    ```

    ## Leaves alone
    Clients that are entered later (`with client:`), clients under `async with
    LifespanManager(app)`, and apps of which it cannot be told whether they have a lifespan.

    ## Fix safety
    Of a fixture that returns the client the fix makes one that yields it. Unsafe: the lifespan then
    runs in tests.

    ## Source
    `starlette.testclient.TestClient.__enter__` (1.10).
    """

    code = "FAR903"
    message = "This client never runs the app's lifespan; write `with TestClient(app) as client:`"
    profiles = ("strict",)
    tests_only = True
    scope = "project"
    fix = "unsafe"
    hints = ("TestClient",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report clients of apps with a lifespan that nothing enters."""
        value = context.resolve(call)
        if not (
            isinstance(value, Instance)
            and value.call is call
            and context.model.is_instance(value, "starlette.testclient.TestClient")
        ):
            return
        app = context.resolve(first_argument(call, "app"))
        if not (isinstance(app, Instance) and app.call and app.module):
            return
        if self._has_lifespan(app, context) and not self._is_entered(call, context):
            yield self.report(call, fix=partial(self._fix, call, context))

    def _has_lifespan(self, app: Instance, context: Context) -> bool:
        """Whether an app, or a router in it, runs something from start to stop."""
        assert app.module is not None
        index = app.module.index
        made_in = index.function_of(app.call) if app.call is not None else None
        lifespans = context.model.local(app.module, Lifespan)
        if any(
            lifespan.owner is app.call and index.function_of(lifespan.node) is made_in
            for lifespan in lifespans
        ):
            return True
        project = context.model.project(app.module)
        for found in project.apps:
            for node in project.reached(found) if found.call is app.call else ():
                # A factory's app may get its own from a caller that the test does not go through.
                if node is not found.node or isinstance(app.of, Class):
                    if node.events or project.lifespan_of(node):
                        return True
                elif any(index.function_of(event) is made_in for event in node.events):
                    return True
        return False

    def _is_entered(self, call: ast.Call, context: Context) -> bool:
        index = context.module.index
        parent = index.parents.get(call)
        if isinstance(parent, ast.withitem | ast.keyword | ast.Call):
            return True
        if any(
            isinstance(above, ast.AsyncWith)
            and any("lifespan" in ast.unparse(item).lower() for item in above.items)
            for above in index.ancestors(call)
        ):
            return True  # `async with LifespanManager(app)` runs it
        if parent is not None and (targets := targets_of(parent)):
            target = targets[0]
            name = ast.unparse(target)
            where: ast.AST = index.function_of(call) or context.module.tree
            if not isinstance(target, ast.Name):
                where = index.class_of(where) or context.module.tree
            elif isinstance(owner := index.parents.get(parent), ast.ClassDef):
                where, name = owner, f"self.{name}"  # one client for all tests of a class
            return any(_enters(node, name) for node in ast.walk(where))
        return not isinstance(parent, ast.Return | ast.Yield | ast.Expr | ast.Attribute)

    def _fix(self, call: ast.Call, context: Context) -> Fix:
        index = context.module.index
        statement, function = index.parents.get(call), index.function_of(call)
        if not isinstance(statement, ast.Return) or not isinstance(function, ast.FunctionDef):
            raise Unfixable("the client is not returned by a fixture")
        resolver = context.model.resolver
        if fixture_decorator(resolver, Function(context.module, function)) is None:
            raise Unfixable("the client is not returned by a fixture")
        if function.returns is not None or index.parents.get(statement) is not function:
            raise Unfixable("the fixture says what it returns, or returns in a block")
        code = f"with {context.source.segment(call)} as client:\n    yield client"
        edit = replace_statement(text_of(context.module), statement, code)
        return fix_of("Run the lifespan", "unsafe", edit)


def _enters(node: ast.AST, name: str) -> bool:
    """Whether a node enters a client, or hands it to a stack that does."""
    match node:
        case ast.withitem(context_expr=held):
            return ast.unparse(held) == name
        case ast.Attribute(value=owner, attr="__enter__"):
            return ast.unparse(owner) == name
        case ast.Call(func=ast.Attribute(attr="enter_context"), args=[held]):
            return ast.unparse(held) == name
    return False
