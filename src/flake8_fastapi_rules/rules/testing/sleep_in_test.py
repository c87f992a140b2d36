"""FAR902: tests that wait."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.client_calls import client_calls
from flake8_fastapi_rules.semantics.decorators import looks_like_route
from flake8_fastapi_rules.semantics.fixtures import has_no_tests, is_service_for_tests
from flake8_fastapi_rules.semantics.scripts import is_manual_script
from flake8_fastapi_rules.semantics.sleeps import (
    is_between_equals,
    is_for_time_stamps,
    is_measured,
    is_polling,
)
from flake8_fastapi_rules.semantics.values import External, Function, FunctionNode

#: Tests of FastAPI code use one of these, or a client that a fixture elsewhere makes.
_WORDS = ("fastapi", "starlette", "TestClient", "AsyncClient")


class SleepInTest(Rule):
    """Wait for the event instead of sleeping.

    ## What it does
    Reports `time.sleep` in tests of FastAPI code.

    ## Why it matters
    A sleep is too long on a fast machine and too short on a slow one: the suite gets slow, and
    fails now and then. An event, a poll with a time limit or a frozen clock is neither.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    import time

    from fastapi.testclient import TestClient


    def test_expired(client: TestClient) -> None:
        time.sleep(2)
        assert client.get("/items").status_code == 401
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    def test_expired(client: TestClient, clock) -> None:
        clock.advance(seconds=2)
        assert client.get("/items").status_code == 401
    ```

    ## Leaves alone
    Files that have nothing to do with FastAPI, functions nested in a test and classes without tests
    that stand for slow code, polling with a limit, what makes a time that the test measures, or
    another time stamp as its comment says or as the same is made before and after, scripts that are
    no tests, and services among the tests' fixtures.

    ## Source
    The convention of tests that do not depend on time.
    """

    code = "FAR902"
    message = "`{call}` in a test; wait for the event, poll with a limit, or move a clock"
    profiles = ("recommended",)
    tests_only = True
    hints = ("sleep",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls in tests and fixtures."""
        if context.library_object(call.func) != External("time.sleep"):
            return
        function = self._outermost_function(call, context)
        if function is None or not self._is_about_fastapi(context):
            return
        is_test = function.name.startswith(("test", "setup", "setUp"))
        if (
            not self._has_reason(call, function, context)
            and (is_test or not is_manual_script(context.module))
            and not self._stands_for_slow_code(function, context)
        ):
            yield self.report(call, call=ast.unparse(call.func))

    def _is_about_fastapi(self, context: Context) -> bool:
        text = context.source.text
        return any(word in text for word in _WORDS) or any(
            each.is_certain for each in client_calls(context.model, context.module)
        )

    def _outermost_function(self, call: ast.Call, context: Context) -> FunctionNode | None:
        """The function around a call; `None` when it is nested in another one, or a lambda."""
        index = context.module.index
        function = index.function_of(call)
        if not isinstance(function, FUNCTIONS) or index.function_of(function) is not None:
            return None
        return function

    def _stands_for_slow_code(self, function: FunctionNode, context: Context) -> bool:
        """Whether a function serves what the tests ask, rather than to test it."""
        module = context.module
        cls = module.index.class_of(function)
        return (
            (cls is not None and has_no_tests(cls))
            or is_service_for_tests(module)
            or looks_like_route(function)
            or bool(context.model.roles(Function(module, function)))
        )

    def _has_reason(self, call: ast.Call, function: FunctionNode, context: Context) -> bool:
        """Whether a sleep is a pause with a limit, or makes a time that the test asks for."""
        return (
            is_polling(context.module, call, function)
            or is_measured(context.module, call, function)
            or is_for_time_stamps(context.module, call)
            or is_between_equals(context.module, call)
        )
