"""FAR612: an executor that is given a function's result instead of the function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, FixMaker, Unfixable
from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.fixes.edit import UNREADABLE, fix_of, replace_range
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.effects import spoken
from flake8_fastapi_rules.semantics.libraries import CPU_BOUND, EXECUTORS, blocking, entry
from flake8_fastapi_rules.semantics.names import last_names
from flake8_fastapi_rules.semantics.types import result_type
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance, Value

_CALLABLES = ("collections.abc.Callable", "typing.Callable", "functools.partial")
_NAMES = last_names(EXECUTORS)
#: Executors that take no keyword arguments for the function.
_POSITIONAL_ONLY = ("run_in_executor", "run_sync")


class ExecutorCalledFunction(Rule):
    """Give executors the function, not its result.

    ## What it does
    Reports `run_in_threadpool(f())`, `asyncio.to_thread(f())`, `loop.run_in_executor(None, f())`
    and the like, where `f()` does not return something to call.

    ## Why it matters
    `f()` runs before the executor is even asked: on the event loop, which it blocks. Afterwards the
    executor tries to call the result, which fails with `TypeError: object is not callable`.

    ## Example
    ```python
    from fastapi.concurrency import run_in_threadpool


    def report(year: int) -> str:
        return f"Report of {year}"


    async def load(year: int) -> str:
        return await run_in_threadpool(report(year))
    ```

    ## Use instead
    ```python
    from fastapi.concurrency import run_in_threadpool


    def report(year: int) -> str:
        return f"Report of {year}"


    async def load(year: int) -> str:
        return await run_in_threadpool(report, year)
    ```

    ## Leaves alone
    `functools.partial(...)` and other calls that return something callable, and calls of which
    that cannot be told.

    ## Fix safety
    Safe: it passes the function and its arguments, which is the only thing the call can have
    meant. There is no fix for keyword arguments that the executor does not hand on.

    ## Source
    Starlette's documentation on the thread pool; Python's of `asyncio.to_thread`.
    """

    code = "FAR612"
    message = "`{call}` runs before `{executor}`; pass the function and its arguments"
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on_calls(_NAMES)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report executors whose function argument is a call."""
        yield from self._check(call, context)

    @on(ast.Await, hints=("await",))
    def check_reexported(self, node: ast.Await, context: Context) -> Iterator[Report]:
        """Report those that a module of the project exports under another name."""
        call = node.value
        if (
            not isinstance(call, ast.Call)
            or not call.args
            or not isinstance(call.args[0], ast.Call)
        ):
            return
        root = call.func.value if isinstance(call.func, ast.Attribute) else call.func
        if not isinstance(root, ast.Name) or last_name(call.func) in _NAMES:
            return
        found = context.module.index.lookup(root.id, root)
        if found and all(binding.kind in {"import", "from"} for binding in found[1]):
            yield from self._check(call, context)

    def _check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if not any(isinstance(each, ast.Call) for each in arguments):
            return
        callee = context.resolve(call.func)
        name, position = self._executor(call, callee, context)
        if position is None:
            return
        given = argument(call, "func", position)
        if isinstance(given, ast.Call) and self._gives_no_function(given, context):
            called = ast.unparse(given.func)
            yield self.report(
                given,
                call=f"{called}(...)" if len(called) <= 30 else f"{called[-27:]}(...)",
                executor=_shown(call.func),
                fix=self._fix(context, call, given, name),
            )

    def _executor(self, call: ast.Call, callee: Value, context: Context) -> tuple[str, int | None]:
        """How an executor is called, and the position of the function among its arguments."""
        if isinstance(callee, External):
            for name in context.model.resolver.names_of(callee):
                if name in EXECUTORS:
                    return spoken(callee.name), EXECUTORS[name]
        elif not callee and isinstance(call.func, ast.Attribute):
            if call.func.attr == "run_in_executor":  # nothing else has a method of this name
                return call.func.attr, 1
        return "", None

    def _gives_no_function(self, call: ast.Call, context: Context) -> bool:
        """Whether the result of a call is certainly not something to call."""
        resolver = context.model.resolver
        callee = context.resolve(call.func)
        if isinstance(callee, External):
            if blocking(callee.name) is not None or entry(callee.name, CPU_BOUND) is not None:
                return True
            made = result_type(callee.name)
            return made is not None and result_type(f"{made}.__call__") is None
        if isinstance(callee, Class):
            method = resolver.class_attribute(callee, "__call__", instance=True)
            return not method and resolver.has_known_bases(callee)
        if not isinstance(callee, Function) or isinstance(callee.node, ast.Lambda):
            return False
        if not context.model.effects.graph.is_plainly_decorated(callee):
            return False
        typed = resolver.annotation(callee.module, callee.node.returns)
        if resolver.is_instance(typed, *_CALLABLES):
            return False
        if isinstance(callee.node, ast.AsyncFunctionDef):
            return True
        index = callee.module.index
        for node in index.own_nodes(callee.node):
            if isinstance(node, ast.Return) and node.value is not None:
                value = resolver.resolve(callee.module, node.value)
                if context.model.is_callable(value):
                    return False
                if isinstance(value, Instance) and resolver.is_instance(value, *_CALLABLES):
                    return False
                if not value and isinstance(node.value, ast.Name | ast.Attribute | ast.Call):
                    return self._says_value(callee, context)
        return True

    def _says_value(self, function: Function, context: Context) -> bool:
        """Whether the return annotation names something that cannot be called."""
        node = function.node
        if isinstance(node, ast.Lambda) or node.returns is None:
            return False
        typed = context.model.resolver.annotation(function.module, node.returns)
        return isinstance(typed, Instance) and (
            isinstance(typed.of, External)
            and typed.of.name.startswith("builtins.")
            and typed.of.name != "builtins.object"
        )

    def _fix(self, context: Context, call: ast.Call, given: ast.Call, executor: str) -> FixMaker:
        def fix() -> Fix:
            if given.keywords and executor.endswith(_POSITIONAL_ONLY):
                raise Unfixable("the executor passes no keyword arguments on")
            if given.args and given not in call.args:
                raise Unfixable("positional arguments would follow the function's keyword")
            text = text_of(context.module)
            brackets = text.call_brackets(given)
            if brackets is None or any(isinstance(a, ast.Starred) for a in call.args):
                raise Unfixable(UNREADABLE)
            opening, closing = brackets
            inner = text.text[opening + 1 : closing].strip().rstrip(",")
            function = text.segment(given.func)
            start, end = text.start(given), text.end(given)
            code = f"{function}, {inner}" if inner else function
            return fix_of("Pass the function itself", "safe", replace_range(text, start, end, code))

        return fix


def _shown(func: ast.expr) -> str:
    """An executor as it is written, or its last name where that is long."""
    text = ast.unparse(func)
    return text if len(text) <= 40 else text.rpartition(".")[2]
