"""What a sleep in a test is for: a pause between looks at something, or a time that it makes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import all_arguments, mentions
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.intent import words_of

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.values import FunctionNode

#: Words of what a test measures.
_MEASURES = frozenset(
    {"duration", "elapsed", "latency", "mtime", "runtime", "took", "updated", "uptime"}
)
#: What comments say of a sleep that makes two times differ.
_STAMPS = re.compile(
    r"time ?stamp|different (?:time|second|[HM]{2})|(?:another|next|new|distinct) second"
    r"|(?:updated|created|modified)_at|\bmtime\b",
    re.IGNORECASE,
)


def is_polling(module: Module, call: ast.Call, function: FunctionNode) -> bool:
    """Whether a sleep is the pause between looks at something, which are given up in the end.

    `for _ in range(30)` that ends early, `while time.time() < deadline` that does, or a `while`
    that asserts the time; or a function that calls itself again, up to a number of times.

    Parameters:
        function: the one around the sleep.
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


def is_measured(module: Module, call: ast.Call, function: FunctionNode) -> bool:
    """Whether what is compared behind a sleep is how long something took, which it makes.

    Parameters:
        function: the one around the sleep.
    """
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


def is_for_time_stamps(module: Module, call: ast.Call) -> bool:
    """Whether a comment at a sleep, or above it, says that it is for another time stamp."""
    lines = module.source.lines[max(call.lineno - 2, 0) : call.lineno]
    return any(_STAMPS.search(line.partition("#")[2]) for line in lines)


def is_between_equals(module: Module, call: ast.Call) -> bool:
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


def _looks_again(function: FunctionNode) -> bool:
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
