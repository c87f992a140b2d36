"""FAR906: a synchronous client in an asynchronous test."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on

_CLIENT = "starlette.testclient.TestClient"
#: What `unittest` runs in the loop of an async test, before and after it.
_AROUND_TESTS = frozenset({"asyncSetUp", "asyncTearDown"})


class TestClientInAsyncTest(Rule):
    """Use `AsyncClient` in async tests.

    ## What it does
    Reports a `TestClient` that is made or used in an `async def` test, or in the `asyncSetUp` and
    `asyncTearDown` around it.

    ## Why it matters
    `TestClient` runs the app in an event loop of its own, in another thread, and blocks the test's
    loop meanwhile: what the test opened in its loop (a database session, a lock) cannot be used by
    the app, and waits forever or fails.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    async def test_items(client: TestClient) -> None:
        assert client.get("/items").status_code == 200
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from httpx import AsyncClient


    async def test_items(client: AsyncClient) -> None:
        assert (await client.get("/items")).status_code == 200
    ```

    ## Leaves alone
    Synchronous tests, and functions inside of a test.

    ## Source
    FastAPI's documentation of async tests.
    """

    code = "FAR906"
    message = "`TestClient` blocks the loop of async test `{name}`; use `AsyncClient`"
    profiles = ("strict",)
    tests_only = True
    hints = ("client", "Client")

    @on(ast.AsyncFunctionDef)
    def check(self, function: ast.AsyncFunctionDef, context: Context) -> Iterator[Report]:
        """Report the first use in each test."""
        if not function.name.startswith("test") and function.name not in _AROUND_TESTS:
            return
        for node in context.module.index.own_nodes(function):
            if not isinstance(node, ast.Call):
                continue
            func = node.func
            used = context.resolve(func.value) if isinstance(func, ast.Attribute) else None
            if (used is not None and context.model.is_instance(used, _CLIENT)) or (
                context.model.is_subclass(context.resolve(func), _CLIENT)
            ):
                yield self.report(node, name=function.name)
                return
