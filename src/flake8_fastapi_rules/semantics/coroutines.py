"""Coroutines: which calls make one, and whether anything is left that could await it."""

from __future__ import annotations

import ast
from types import CoroutineType
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import ModuleIndex
    from flake8_fastapi_rules.semantics.facts import FrameworkFunction
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.values import Value

#: Decorators under which a call of a coroutine function still gives a coroutine.
_BINDING = frozenset({"builtins.classmethod", "builtins.staticmethod", "abc.abstractmethod"})
#: Builtins that fail when they are given a coroutine.
_TAKING_VALUES = frozenset(
    {"all", "any", "dict", "enumerate", "float", "int", "iter", "len", "list", "max", "min", "next",
     "reversed", "round", "set", "sorted", "sum", "tuple"}
)  # fmt: skip


def gives_coroutine(model: Model, called: Value) -> bool:
    """Whether a call surely gives a coroutine: of an `async def` function of the project.

    Asynchronous generators give none; what decorators give that are not known cannot be told.
    """
    return (
        isinstance(called, Function)
        and isinstance(called.node, ast.AsyncFunctionDef)
        and not called.module.index.is_generator(called.node)
        and model.effects.graph.decorators(called) <= _BINDING
    )


def is_answered_as_it_is(model: Model, module: Module, function: FrameworkFunction) -> bool:
    """Whether what a function returns goes to FastAPI, as nothing but routes stand around it."""
    routes = model.uses(module).routes.get(function.node, ())
    return function.roles == {Role.ENDPOINT} and {route.node for route in routes}.issuperset(
        function.node.decorator_list
    )


def is_never_awaited(
    call: ast.Call, function: ast.AST, index: ModuleIndex, *, answers: bool
) -> bool:
    """Whether nothing can await a call's coroutine: it is dropped, or taken for the result.

    Parameters:
        function: the function that the call stands in, or below it.
        answers: whether what the function returns goes to FastAPI, which awaits nothing of it.
    """
    node: ast.AST = call
    parent = index.parents.get(call)
    is_contained = False
    while parent is not None and _gives(parent, node):
        is_contained = is_contained or not isinstance(parent, ast.IfExp | ast.BoolOp)
        node, parent = parent, index.parents.get(parent)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            reads = _reads(name, function, index)
            if not reads or is_contained:
                return reads == []
            answers = answers and index.function_of(call) is function
            return _is_lost(reads, index, answers=answers)
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            return node is call
        case ast.Expr():
            return True
        case ast.Return():
            return answers and index.function_of(call) is function
        case _:
            return (
                parent is not None
                and not is_contained
                and (_fails_on_coroutine(parent, node, index) or _tests(parent, node))
            )


def _reads(name: str, function: ast.AST, index: ModuleIndex) -> list[ast.Name] | None:
    """Where a function reads what it binds to a name once; `None` if others may do it, too."""
    outer: list[ast.Global | ast.Nonlocal] = [
        *index.nodes_in(function, ast.Global),
        *index.nodes_in(function, ast.Nonlocal),
    ]
    if any(name in node.names for node in outer):
        return None
    names = [n for n in index.nodes_in(function, ast.Name) if n.id in (name, "locals")]
    reads = [n for n in names if not isinstance(n.ctx, ast.Store)]
    if not reads:
        return []
    if any(n.id == "locals" or isinstance(n.ctx, ast.Del) for n in reads):
        return None
    return reads if len(names) - len(reads) == 1 else None  # else another value may be read


def _is_lost(reads: list[ast.Name], index: ModuleIndex, *, answers: bool) -> bool:
    """Whether what is read is used as no coroutine can be used, or is only tested and returned."""
    parents = [(index.parents.get(read), read) for read in reads]
    if any(p is not None and _fails_on_coroutine(p, read, index) for p, read in parents):
        return True
    tests = [p is not None and _tests(p, read) for p, read in parents]
    returns = [isinstance(p, ast.Return) for p, _ in parents]
    return (answers or any(tests)) and all(map(max, tests, returns))


def _fails_on_coroutine(around: ast.AST, node: ast.AST, index: ModuleIndex) -> bool:
    """Whether an expression asks what is inside of it for what no coroutine has."""
    match around:
        case ast.Attribute(attr=name):
            return not hasattr(CoroutineType, name)
        case ast.Subscript(value=value):
            return value is node
        case ast.Call(func=ast.Name(id=name), args=[first, *_]):
            return first is node and name in _TAKING_VALUES and index.lookup(name, around) is None
        case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
            return iterable is node
        case ast.comprehension(iter=iterable):
            return iterable is node
        case _:
            return isinstance(around, ast.BinOp | ast.Starred | ast.withitem)


def _tests(around: ast.AST, node: ast.AST) -> bool:
    """Whether an expression only asks whether something holds: a coroutine always does."""
    match around:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is node
        case ast.Assert(test=test):
            return test is node
        case ast.BoolOp(op=ast.And(), values=[*conditions, _]):
            return node in conditions
        case ast.UnaryOp(op=ast.Not()) | ast.Compare():
            return True
        case _:
            return False


def _gives(around: ast.AST, node: ast.AST) -> bool:
    """Whether an expression gives what the one inside of it gives, and asks nothing of it."""
    match around:
        case ast.IfExp(test=test):
            return test is not node
        case ast.BoolOp(op=ast.Or()):
            return True
        case ast.BoolOp(values=values):
            return values[-1] is node
        case ast.ListComp(elt=element):
            return element is node
        case ast.Dict(values=values):
            return node in values
        case _:
            return isinstance(around, ast.Tuple | ast.List | ast.Set)
