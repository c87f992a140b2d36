"""What handlers catch, what they raise again, and where an exception may end."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.resolve import Resolver

_BROAD: Final = frozenset({"builtins.Exception", "builtins.BaseException"})
_TRIES: Final = (ast.Try, ast.TryStar)


def types_caught(handler: ast.ExceptHandler) -> list[ast.expr]:
    """The expressions of the classes that a handler catches; none of a bare `except`."""
    if handler.type is None:
        return []
    return list(handler.type.elts) if isinstance(handler.type, ast.Tuple) else [handler.type]


def caught_by(model: Model, module: Module, handler: ast.ExceptHandler) -> list[str] | None:
    """The canonical names of what a handler catches; `None` in place of what cannot be told.

    A bare `except` catches `builtins.BaseException`.
    """
    if handler.type is None:
        return ["builtins.BaseException"]
    names: list[str] = []
    for node in types_caught(handler):
        name = qualified_name(model.resolve(module, node))
        # `except ERRORS:`, a tuple that has a name
        several = None if name is not None else model.elements(module, node)
        parts = (
            [name]
            if several is None
            else [qualified_name(model.resolve(*each)) for each in several]
        )
        names += [part for part in parts if part is not None]
        if None in parts:
            return None
    return names


def is_broad(model: Model, module: Module, handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches `Exception`, `BaseException` or everything."""
    return not _BROAD.isdisjoint(caught_by(model, module, handler) or ())


def may_catch(
    resolver: Resolver, module: Module, handler: ast.ExceptHandler, exception: Class | External
) -> bool:
    """Whether a handler catches an exception; a class that is unknown may be one of it."""
    return handler.type is None or _may_be_one(resolver, module, types_caught(handler), exception)


def may_be_suppressed(
    resolver: Resolver, module: Module, manager: ast.expr, exception: Class | External
) -> bool:
    """Whether what a `with` is given is a `contextlib.suppress` of an exception."""
    return (
        isinstance(manager, ast.Call)
        and resolver.is_instance(resolver.resolve(module, manager), "contextlib.suppress")
        and _may_be_one(resolver, module, manager.args, exception)
    )


def may_be_caught(
    resolver: Resolver,
    function: Function,
    node: ast.AST,
    exception: Class | External,
    *,
    for_good: bool = True,
) -> bool:
    """Whether something in the function around `node` catches an exception, or may.

    Parameters:
        for_good: handlers that raise it again count for nothing.
    """
    module = function.module
    child = node
    for parent in module.index.ancestors(node):
        if parent is function.node:
            break
        if isinstance(parent, _TRIES) and child in parent.body:
            for handler in parent.handlers:
                if may_catch(resolver, module, handler, exception):
                    if not (for_good and raises_same(handler)):
                        return True
                    break
        elif isinstance(parent, ast.With | ast.AsyncWith) and child in parent.body:
            managers = [item.context_expr for item in parent.items]
            if any(may_be_suppressed(resolver, module, each, exception) for each in managers):
                return True
        child = parent
    return False


def is_tried(function: Function, node: ast.AST) -> bool:
    """Whether a `try` or `with` of a function is around `node`, whatever it catches."""
    for parent in function.module.index.ancestors(node):
        if parent is function.node:
            return False
        if isinstance(parent, (*_TRIES, ast.With, ast.AsyncWith)):
            return True
    return False


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler has a `raise` of its own."""
    stack: list[ast.AST] = list(handler.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, (*FUNCTIONS, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))
    return False


def raises_same(handler: ast.ExceptHandler) -> bool:
    """Whether a handler raises what it caught: `raise`, or `raise error`."""
    return any(
        isinstance(node, ast.Raise)
        and (node.exc is None or (isinstance(node.exc, ast.Name) and node.exc.id == handler.name))
        for statement in handler.body
        for node in ast.walk(statement)
    )


def _may_be_one(
    resolver: Resolver, module: Module, types: Iterable[ast.expr], exception: Class | External
) -> bool:
    """Whether an exception is, or may be, of one of some classes."""
    for node in types:
        caught = resolver.resolve(module, node)
        if isinstance(caught, Class):
            if isinstance(exception, Class) and caught in resolver.mro(exception):
                return True
        elif isinstance(caught, External):
            if caught.name in _BROAD or resolver.is_subclass(exception, caught.name):
                return True
        elif not isinstance(caught, Constant):
            return True
    return False
