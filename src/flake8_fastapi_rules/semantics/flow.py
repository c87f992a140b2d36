"""How often, and on which paths, statements of a function can run."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from flake8_fastapi_rules.engine.index import FUNCTIONS

#: "More than once": nobody needs to know how often a loop yields.
MANY = 2


def most_yields(body: Sequence[ast.stmt]) -> int:
    """The largest number of `yield`s that one run through `body` can meet: 0, 1 or `MANY`.

    Branches of `if` and `match`, and the handlers of `try`, exclude each other; a loop around a
    `yield` counts as `MANY`, unless it is left right after it.
    """
    return min(_block(body)[0], MANY)


def _block(body: Sequence[ast.stmt]) -> tuple[int, bool]:
    """The most yields of a block, and whether its end can be reached at all."""
    most = 0  # on a path that has ended
    running = 0
    for statement in body:
        count, goes_on, ended = _statement(statement)
        most = max(most, running + ended)
        running += count
        if not goes_on:
            return max(most, running), False
    return max(most, running), True


def _statement(node: ast.stmt) -> tuple[int, bool, int]:
    """For one statement: the most yields on paths that go on, if any do, and on those that end."""
    match node:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            count = _yields_in(node)
            return count, False, count
        case ast.If(test=test, body=body, orelse=orelse):
            return _joined(_yields_in(test), [body, orelse])
        case ast.Match(subject=subject, cases=cases):
            return _joined(_yields_in(subject), [*(case.body for case in cases), []])
        case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
            count, goes_on = _block(body)
            count = count if not goes_on else count * MANY
            return count, True, count
        case ast.With(body=body) | ast.AsyncWith(body=body):
            count, goes_on = _block(body)
            return count, goes_on, count
        case ast.Try() | ast.TryStar():
            return _try(node)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return 0, True, 0
        case _:
            count = _yields_in(node)
            return count, True, count


def _joined(before: int, blocks: Sequence[Sequence[ast.stmt]]) -> tuple[int, bool, int]:
    results = [_block(block) for block in blocks]
    going = [count for count, goes_on in results if goes_on]
    ended = [count for count, goes_on in results if not goes_on]
    return (
        before + max(going, default=0),
        bool(going),
        before + max(ended, default=0),
    )


def _try(node: ast.Try | ast.TryStar) -> tuple[int, bool, int]:
    # A handler runs after as much of the body as went well: at most all but the last yield, which
    # is where exceptions come in, so a yield in the handler is a second one.
    before = min(_block(node.body)[0], 1)
    paths = [_block([*node.body, *node.orelse])]
    for handler in node.handlers:
        caught, goes_on = _block(handler.body)
        paths.append((before + caught, goes_on))
    final, final_goes_on = _block(node.finalbody)
    going = [count for count, goes_on in paths if goes_on and final_goes_on]
    ended = [count for count, goes_on in paths if not (goes_on and final_goes_on)]
    return max(going, default=0) + final, bool(going), max(ended, default=0) + final


def _yields_in(node: ast.AST) -> int:
    count = 0
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, (*FUNCTIONS, ast.Lambda)):
            continue
        count += isinstance(current, ast.Yield | ast.YieldFrom)
        stack.extend(ast.iter_child_nodes(current))
    return count


def may_end_without_value(body: Sequence[ast.stmt]) -> bool:
    """Whether a function's body can be left without `return value` or `raise`."""
    return can_fall_through(body) or any(_returns_nothing(statement) for statement in body)


def _returns_nothing(node: ast.AST) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None or (
            isinstance(node.value, ast.Constant) and node.value.value is None
        )
    if isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
        return False
    return any(_returns_nothing(child) for child in ast.iter_child_nodes(node))


def can_fall_through(body: Sequence[ast.stmt]) -> bool:
    """Whether the end of `body` can be reached, so that a function returns `None` there.

    Loops without an end and without a `break` cannot be left; `with` may swallow an exception only
    when it says so (`suppress`). Of the calls that never come back only `assert_never` and those
    of `exit` are known.
    """
    return all(_goes_on(statement) for statement in body)


def _goes_on(node: ast.stmt) -> bool:
    match node:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return False
        case ast.Assert(test=ast.Constant(value=False)):
            return False
        case ast.If(test=ast.Constant(value=True), body=body):
            return can_fall_through(body)
        case ast.If(body=body, orelse=orelse):
            return can_fall_through(body) or can_fall_through(orelse)
        case ast.Match(cases=cases):
            is_exhaustive = any(
                isinstance(case.pattern, ast.MatchAs)
                and case.pattern.pattern is None
                and case.guard is None
                for case in cases
            )
            return not is_exhaustive or any(can_fall_through(case.body) for case in cases)
        case ast.While(test=ast.Constant(value=value), body=body) if value:
            return any(_breaks(statement) for statement in body)
        case (
            ast.For(body=body, orelse=[_, *_] as orelse)
            | ast.AsyncFor(body=body, orelse=[_, *_] as orelse)
            | ast.While(body=body, orelse=[_, *_] as orelse)
        ):
            return can_fall_through(orelse) or any(_breaks(statement) for statement in body)
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            suppresses = any("suppress" in ast.unparse(item.context_expr) for item in items)
            return suppresses or can_fall_through(body)
        case ast.Try() | ast.TryStar():
            if not can_fall_through(node.finalbody):
                return False
            return can_fall_through([*node.body, *node.orelse]) or any(
                can_fall_through(handler.body) for handler in node.handlers
            )
        case ast.Expr(value=ast.Call(func=func)):
            return not (
                (isinstance(func, ast.Name) and func.id in {"assert_never", "exit", "quit"})
                or (isinstance(func, ast.Attribute) and func.attr in {"assert_never", "exit"})
            )
        case _:
            return True


def _breaks(node: ast.AST) -> bool:
    """Whether a statement leaves the loop that it stands in."""
    if isinstance(node, ast.Break):
        return True
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.For, ast.AsyncFor, ast.While)):
        # A `break` in the `else` of an inner loop leaves the outer one.
        return any(_breaks(statement) for statement in getattr(node, "orelse", ()))
    return any(_breaks(child) for child in ast.iter_child_nodes(node))
