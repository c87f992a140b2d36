"""FAR902: tests that wait."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import all_arguments, is_main_guard, mentions
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.client_calls import client_calls
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import External, Function

#: Tests of FastAPI code use one of these, or a client that a fixture elsewhere makes.
_WORDS = ("fastapi", "starlette", "TestClient", "AsyncClient")
#: Words of what a test measures.
_MEASURES = frozenset(
    {"duration", "elapsed", "latency", "mtime", "runtime", "took", "updated", "uptime"}
)
_SCRIPTS = frozenset({"manual", "script", "scripts", "tools"})
#: What comments say of a sleep that makes two times differ.
_STAMPS = re.compile(
    r"time ?stamp|different (?:time|second|[HM]{2})|(?:another|next|new|distinct) second"
    r"|(?:updated|created|modified)_at|\bmtime\b",
    re.IGNORECASE,
)


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
        module = context.module
        if context.library_object(call.func) != External("time.sleep"):
            return
        text = module.source.text
        if not (
            any(word in text for word in _WORDS)
            or any(each.is_certain for each in client_calls(context.model, module))
        ):
            return
        function = module.index.function_of(call)
        is_nested = function is not None and module.index.function_of(function) is not None
        if function is not None and not is_nested and not isinstance(function, ast.Lambda):
            cls = module.index.class_of(function)
            if _polls(module, call, function) or (cls is not None and _is_stand_in(cls)):
                return
            if _is_measured(module, call, function) or _makes_stamps_differ(module, call):
                return
            if _makes_another(module, call) or _is_service(module):
                return
            if _is_script(module) and not function.name.startswith(("test", "setup", "setUp")):
                return
            is_served = any(
                "route" in d or ".get(" in d or ".post(" in d for d in _decorators(function)
            ) or context.model.roles(Function(module, function))
            if not is_served:
                yield self.report(call, call=ast.unparse(call.func))


def _is_stand_in(cls: ast.ClassDef) -> bool:
    """Whether a class of a test file has no tests: it stands for something slow."""
    return not cls.name.startswith("Test") and not any(
        isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and (
            each.name.startswith(("test", "setup_", "setUp"))
            or (each.name == "setup" and len(each.args.args) == 1)
        )
        for each in cls.body
    )


def _is_script(module: Module) -> bool:
    """Whether a file in a folder of scripts runs by itself: `if __name__ == "__main__": main()`."""
    own = {function.name for function in module.index.functions}
    folders = [word for part in module.path.parts[-4:-1] for word in words_of(part)]
    return not _SCRIPTS.isdisjoint(folders) and any(
        isinstance(statement, ast.If)
        and is_main_guard(statement.test)
        and any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in own
            for node in ast.walk(statement)
        )
        for statement in module.tree.body
    )


def _is_measured(module: Module, call: ast.Call, function: ast.AST) -> bool:
    """Whether what is compared behind a sleep is how long something took, which it makes."""
    compared: list[ast.expr] = []
    for node in module.index.own_nodes(function):
        match node:
            case ast.Assert(test=ast.Compare() as test):
                compared += [test.left, *test.comparators]
            case ast.Call(func=ast.Attribute(attr=attr), args=args) if attr.startswith("assert"):
                compared += args[:2]
    return any(
        part.lineno > call.lineno and not _MEASURES.isdisjoint(words_of(last_name(each) or ""))
        for part in compared
        for each in ast.walk(part)
        if isinstance(each, ast.Name | ast.Attribute | ast.Subscript)
    )


def _makes_stamps_differ(module: Module, call: ast.Call) -> bool:
    """Whether a comment at a sleep, or above it, says that it is for another time stamp."""
    lines = module.source.lines[max(call.lineno - 2, 0) : call.lineno]
    return any(_STAMPS.search(line.partition("#")[2]) for line in lines)


def _makes_another(module: Module, call: ast.Call) -> bool:
    """Whether the same is made before and after a sleep: `first = make()`, `second = make()`."""
    statement = module.index.statement_of(call)
    parent = module.index.parents.get(statement) if statement is not None else None
    block = getattr(parent, "body", [])
    if statement not in block:
        return False
    at = block.index(statement)
    around = [*block[max(at - 1, 0) : at], *block[at + 1 : at + 2]]
    made = [
        ast.dump(each.value)
        for each in around
        if isinstance(each, ast.Assign)
        and isinstance(each.value, ast.Call)
        and isinstance(each.value.func, ast.Name)
    ]
    return len(made) == 2 and made[0] == made[1]


def _is_service(module: Module) -> bool:
    """Whether a file below the tests is a service that they run, without any test of its own."""
    return (
        "fixtures" in module.path.parts
        and not module.path.name.startswith(("test_", "conftest"))
        and not any(word in module.source.text for word in ("pytest", "unittest", "def test_"))
    )


def _decorators(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [ast.unparse(decorator) for decorator in function.decorator_list]


def _polls(
    module: Module, call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> bool:
    """Whether a sleep is the pause between looks at something, which are given up in the end.

    `for _ in range(30)` that ends early, `while time.time() < deadline` that does, or a `while`
    that asserts the time; or a function that calls itself again, up to a number of times.
    """
    for loop in module.index.ancestors(call):
        if loop is function:
            return _looks_again(function)
        if isinstance(loop, ast.For):
            return any(isinstance(each, ast.Return | ast.Break) for each in ast.walk(loop))
        if isinstance(loop, ast.While):
            is_limited = (
                isinstance(loop.test, ast.Compare)
                and any(isinstance(each, ast.Return | ast.Break) for each in ast.walk(loop))
            ) or (
                isinstance(loop.test, ast.BoolOp) and (_asks_time(loop.test) or _counts_down(loop))
            )
            counted = _counted(loop)
            return is_limited or any(
                isinstance(each, ast.Assert | ast.If) and _is_limit(each, counted)
                for each in ast.walk(loop)
            )
    return False


def _looks_again(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function calls itself until one of its parameters says that it was enough."""
    given = {each.arg for each in all_arguments(function.args)}
    inside = list(ast.walk(function))
    calls_itself = any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id == function.name
        for each in inside
    )
    return calls_itself and any(
        isinstance(each, ast.If) and _is_limit(each, given) for each in inside
    )


def _is_limit(statement: ast.Assert | ast.If, counted: set[str]) -> bool:
    """Whether a statement of a loop gives up when it takes too long, or too many rounds."""
    if isinstance(statement, ast.If):
        match statement.body[-1]:
            case ast.Raise() | ast.Expr(value=ast.Call(func=ast.Attribute(attr="fail"))):
                pass
            case _:
                return False
    return _asks_time(statement.test) or mentions(statement.test, counted)


def _counts_down(loop: ast.While) -> bool:
    """Whether a loop counts what its test asks for: `while retries and not found`."""
    return mentions(loop.test, _counted(loop))


def _counted(loop: ast.While) -> set[str]:
    """The variables that every round of a loop adds to or takes from."""
    return {
        each.target.id
        for each in ast.walk(loop)
        if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name)
    }


def _asks_time(test: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Call) and re.search("time|perf_counter", ast.unparse(each.func))
        for each in ast.walk(test)
    )
