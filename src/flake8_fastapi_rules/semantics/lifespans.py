"""Lifespans: what is given to an app as one, and whether Starlette can enter it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.credentials import last_name, snake
from flake8_fastapi_rules.semantics.flow import most_yields
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: What makes a context manager of a generator function.
ASYNC_MANAGER = External("contextlib.asynccontextmanager")
SYNC_MANAGER = External("contextlib.contextmanager")


def decorators_of(model: Model, module: Module, node: FunctionNode) -> list[Value]:
    """The decorators of a function of a module, resolved, outermost first."""
    return [model.resolve(module, each) for each in node.decorator_list]


def cannot_be_entered(model: Model, cls: Class) -> bool:
    """Whether objects of a class are certain not to be asynchronous context managers."""
    resolver = model.resolver
    if cls.node.decorator_list or not resolver.has_known_bases(cls):
        return False
    return not all(
        resolver.class_attribute(cls, name, instance=True) for name in ("__aenter__", "__aexit__")
    )


def called_manager(model: Model, module: Module, node: ast.expr) -> FunctionNode | None:
    """The context manager function that an expression calls, which makes an object of it."""
    callee = model.resolve(module, node.func) if isinstance(node, ast.Call) else None
    if not isinstance(callee, Function) or isinstance(callee.node, ast.Lambda):
        return None
    is_manager = decorators_of(model, callee.module, callee.node) == [ASYNC_MANAGER]
    return callee.node if is_manager else None


def is_given_by_name(model: Model, module: Module, node: ast.expr, name: str) -> bool:
    """Whether a function is given under its name, here or by the function that makes it.

    Under another name it may be a `partial` that fills parameters.

    Parameters:
        node: what is given, in `module`.
        name: the name of the function that it stands for.
    """
    callee = model.resolve(module, node.func) if isinstance(node, ast.Call) else None
    if not isinstance(callee, Function):
        return last_name(node) == snake(name)
    returns = returns_of(callee.module, callee.node)
    return bool(returns) and all(
        isinstance(each.value, ast.Name) and each.value.id == name for each in returns
    )


def takes_one_argument(function: Function) -> bool:
    """Whether a function can be called with exactly one positional argument, besides `self`."""
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = 1
    if function.module.index.class_of(function.node) is not None and function.bound:
        given = 2
    required = len(positional) - len(arguments.defaults)
    if any(default is None for default in arguments.kw_defaults):
        return False
    return required <= given and (len(positional) >= given or arguments.vararg is not None)


def may_return_manager(function: Function) -> bool:
    """Whether a plain function may hand back a context manager of another making."""
    returns = function.node.returns if isinstance(function.node, FUNCTIONS) else None
    if returns is not None:
        return not (isinstance(returns, ast.Constant) and returns.value in (None, "None"))
    return any(
        isinstance(node, ast.Return)
        and not (node.value is None or isinstance(node.value, ast.Constant))
        for node in function.module.index.own_nodes(function.node)
    )


def yields_for_generator(function: Function) -> bool:
    """Whether it yields for what a generator beside it yields: `async for _ in opened(): yield`."""
    index = function.module.index
    for loop in index.own_nodes(function.node):
        if not isinstance(loop, ast.For | ast.AsyncFor) or most_yields(loop.body) == 0:
            continue
        called = loop.iter.func if isinstance(loop.iter, ast.Call) else None
        found = index.lookup(called.id, called) if isinstance(called, ast.Name) else None
        if found is not None and any(
            isinstance(binding.node, FUNCTIONS) and index.is_generator(binding.node)
            for binding in found[1]
        ):
            return True
    return False
