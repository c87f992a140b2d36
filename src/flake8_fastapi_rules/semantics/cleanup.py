"""What a generator dependency does after its `yield`: clean-up, and whether it can be missed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_fastapi_rules.engine.index import ModuleIndex
from flake8_fastapi_rules.semantics.flow import may_end_without_value
from flake8_fastapi_rules.semantics.values import FunctionNode

#: Methods that give something back. `remove` and `reset` only of what was made in the function.
CLEANUP_METHODS = frozenset(
    {
        "aclose", "cleanup", "close", "close_all", "disconnect", "dispose", "logout", "putconn",
        "quit", "release", "remove", "reset", "rmtree", "shutdown", "stop", "terminate", "unlink",
        "wait_closed", "__exit__", "__aexit__",
    }
)  # fmt: skip
#: First words of functions that give back what they are given.
_CLEANUP_WORDS = frozenset({"cleanup", "close", "disconnect", "dispose", "release", "shutdown"})
#: What takes hold of something that exists already, and what lets go of it again.
_OPENED_BY = {
    "__exit__": "__enter__",
    "close": "open",
    "disconnect": "connect",
    "release": "acquire",
    "stop": "start",
}
_BROAD = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A call after a `yield` that gives something back and does not run if an exception comes.

    Parameters:
        node: the `yield`.
        statement: the statement that the `yield` stands in.
        call: the clean-up.
    """

    node: ast.Yield
    statement: ast.stmt
    call: ast.Call


def yields_of(index: ModuleIndex, function: FunctionNode) -> list[ast.Yield]:
    """The `yield`s of a function's own body."""
    return [node for node in index.own_nodes(function) if isinstance(node, ast.Yield)]


def tries_around(
    index: ModuleIndex, function: FunctionNode, node: ast.AST
) -> Iterator[ast.Try | ast.TryStar]:
    """The `try` statements of a function in whose body `node` stands, from the inside out."""
    child = node
    for parent in index.ancestors(node):
        if parent is function:
            return
        if isinstance(parent, ast.Try | ast.TryStar) and child in parent.body:
            yield parent
        child = parent


def unprotected_cleanup(index: ModuleIndex, function: FunctionNode) -> Cleanup | None:
    """The first clean-up after a `yield` that an exception from outside would skip."""
    for node in yields_of(index, function):
        statement = index.statement_of(node)
        tries = list(tries_around(index, function, node))
        if statement is None or any(_swallows(one) for one in tries):
            continue
        for call in _cleanups_after(index, function, node):
            if not _is_protected(index, call, tries):
                return Cleanup(node, statement, call)
    return None


def _cleanups_after(
    index: ModuleIndex, function: FunctionNode, node: ast.Yield
) -> Iterator[ast.Call]:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    opened = _names_made(index, function)
    calls = [each for each in index.own_nodes(function) if isinstance(each, ast.Call)]
    scope = index.scopes[function]
    branches = dict(index.branch_of(node, scope))
    left = {  # blocks around the `yield` that end the function
        (statement, block)
        for statement, block in branches.items()
        if isinstance(getattr(statement, block, [None])[-1], ast.Return | ast.Raise)
    }
    for each in calls:
        if not left <= set(index.branch_of(each, scope)):
            continue
        is_alternative = any(
            branches.get(statement, block) != block
            for statement, block in index.branch_of(each, scope)
        )
        if (
            (each.lineno, each.col_offset) > end
            and not is_alternative
            and ((is_cleanup(each) and _gives_back(each, opened)) or _lets_go(each, calls, end))
        ):
            yield each


def is_cleanup(call: ast.Call) -> bool:
    """Whether a call is named like one that gives something back."""
    if isinstance(call.func, ast.Name):
        return call.func.id.partition("_")[0] in _CLEANUP_WORDS and len(call.args) == 1
    if not isinstance(call.func, ast.Attribute):
        return False
    first, _, rest = call.func.attr.partition("_")
    is_helper = first in _CLEANUP_WORDS and rest != "" and len(call.args) == 1
    return is_helper or call.func.attr in CLEANUP_METHODS  # `db.close_session(session)`


def _lets_go(call: ast.Call, calls: list[ast.Call], end: tuple[int, int]) -> bool:
    """Whether a call ends what another, before the `yield`, began with the same object."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _OPENED_BY:
        return False
    opener, owner = _OPENED_BY[call.func.attr], ast.dump(call.func.value)
    return any(
        isinstance(each.func, ast.Attribute)
        and each.func.attr == opener
        and (each.lineno, each.col_offset) < end
        and ast.dump(each.func.value) == owner
        for each in calls
    )


def _names_made(index: ModuleIndex, function: FunctionNode) -> frozenset[str]:
    """The names that a function binds itself, other than by `with`."""
    scope = index.scopes[function]
    return frozenset(
        name
        for name, bindings in scope.bindings.items()
        if any(binding.kind in ("assign", "annotated", "walrus") for binding in bindings)
    )


def _gives_back(call: ast.Call, opened: frozenset[str]) -> bool:
    """Whether a call is about something that the function made."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    names = {node.id for node in ast.walk(owner) if isinstance(node, ast.Name)} if owner else set()
    arguments = {node.id for a in call.args for node in ast.walk(a) if isinstance(node, ast.Name)}
    return not opened.isdisjoint(names | arguments)


def _is_protected(index: ModuleIndex, call: ast.Call, tries: list[ast.Try | ast.TryStar]) -> bool:
    """Whether a clean-up runs (or runs elsewhere) when an exception comes out of the `yield`."""
    inside = {id(parent) for parent in index.ancestors(call)}
    text = ast.dump(call.func)
    for one in tries:
        if any(id(statement) in inside for statement in one.finalbody):
            return True
        for handler in one.handlers:
            if id(handler) in inside:
                return True  # for exceptions only: no clean-up of the usual way
            if _is_broad(handler) and any(
                isinstance(node, ast.Call) and ast.dump(node.func) == text
                for node in ast.walk(handler)
            ):
                return True
    return False


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in _BROAD for node in ast.walk(handler.type))


def _swallows(node: ast.Try | ast.TryStar) -> bool:
    """Whether a broad handler goes on, so that what follows the `try` runs in any case."""
    return any(
        _is_broad(handler) and not any(isinstance(each, ast.Raise) for each in ast.walk(handler))
        for handler in node.handlers
    )


def swallowing_handlers(index: ModuleIndex, function: FunctionNode) -> Iterator[ast.ExceptHandler]:
    """The handlers around a `yield` that can end without `raise`, and after which none follows."""
    seen: set[int] = set()
    for node in yields_of(index, function):
        tries = list(tries_around(index, function, node))
        # What an inner `try` has swallowed reaches no handler of an outer one.
        handlers = [id(handler) for one in tries for handler in one.handlers]
        for one in tries:
            after = one.end_lineno or one.lineno
            if any(
                isinstance(each, ast.Raise)
                and not any(id(parent) in handlers for parent in index.ancestors(each))
                and (each.lineno > after or any(each in ast.walk(s) for s in one.finalbody))
                for each in index.own_nodes(function)
            ):
                continue
            for handler in one.handlers:
                if id(handler) not in seen and may_end_without_value(handler.body):
                    seen.add(id(handler))
                    yield handler
