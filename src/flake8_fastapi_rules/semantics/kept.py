"""Values that are kept as they were read: returned, stored, and given to nobody who checks them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, targets_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Class

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Calls that look at a value and do not make another of it.
_LOOKS = frozenset({"isinstance", "len", "print", "repr", "str", "type"})


def is_kept(model: Model, module: Module, call: ast.Call) -> bool:
    """Whether what a call gives is returned or stored just as it is, and nothing is made of it.

    A dataclass checks nothing: `Settings(**tomllib.load(file))` keeps what was read, too.
    """
    parents = module.index.parents
    node: ast.AST = call
    parent = parents.get(node)
    while isinstance(parent, ast.Await | ast.BoolOp) or (
        isinstance(parent, ast.Subscript) and parent.value is node
    ):
        node, parent = parent, parents.get(parent)
    if isinstance(parent, ast.keyword) and parent.arg is None:
        return _fills(model, module, node)
    if isinstance(parent, ast.Return):
        return True
    targets = targets_of(parent)
    if len(targets) != 1:
        return False
    target = targets[0]
    if not isinstance(target, ast.Name):
        return isinstance(target, ast.Attribute | ast.Subscript)
    return is_variable_kept(module, target) or _fills_dataclass(model, module, target)


def _fills_dataclass(model: Model, module: Module, target: ast.Name) -> bool:
    """Whether a variable is only unpacked into a dataclass: `Settings(**data)`."""
    index = module.index
    scope = index.scope_of(target)
    uses = [
        name
        for name in index.nodes(ast.Name)
        if name.id == target.id and isinstance(name.ctx, ast.Load) and index.scope_of(name) is scope
    ]
    return bool(uses) and all(_fills(model, module, use) for use in uses)


def _fills(model: Model, module: Module, node: ast.AST) -> bool:
    """Whether a value is unpacked into a dataclass, and into nothing else."""
    keyword = module.index.parents.get(node)
    if not isinstance(keyword, ast.keyword) or keyword.arg is not None:
        return False
    made = module.index.parents.get(keyword)
    return isinstance(made, ast.Call) and _makes_dataclass(model, module, made)


def _makes_dataclass(model: Model, module: Module, call: ast.Call) -> bool:
    """Whether a call makes an object of a dataclass of the project that looks at nothing."""
    cls = model.resolve(module, call.func)
    if not isinstance(cls, Class) or len(call.keywords) != 1 or call.args:
        return False
    if not model.resolver.has_known_bases(cls) or any(
        isinstance(statement, FUNCTIONS) and statement.name in {"__init__", "__post_init__"}
        for base in model.resolver.mro(cls)
        if isinstance(base, Class)
        for statement in base.node.body
    ):
        return False
    return any(
        getattr(model.resolve(cls.module, _called(each)), "name", None) == "dataclasses.dataclass"
        for each in cls.node.decorator_list
    )


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def is_variable_kept(module: Module, target: ast.Name, depth: int = 0) -> bool:
    """Whether a variable is returned, stored or a module's own, and never given to a call."""
    index = module.index
    scope = index.scope_of(target)
    is_kept = isinstance(scope.node, ast.Module) or target.id in scope.outer
    for name in index.nodes(ast.Name):
        if name.id != target.id or not isinstance(name.ctx, ast.Load):
            continue
        if scope is not index.scope_of(name) and not isinstance(scope.node, ast.Module):
            continue
        parent = index.parents.get(name)
        if isinstance(parent, ast.keyword):
            parent = index.parents.get(parent)
        if isinstance(parent, ast.Starred | ast.Call):
            called = getattr(parent, "func", None)
            if not (isinstance(called, ast.Name) and called.id in _LOOKS):
                return False
        elif isinstance(parent, ast.Return):
            is_kept = True
        elif targets := targets_of(parent):
            other = targets[0]  # another name for it, or a place that outlives it
            is_kept = is_kept or not (
                isinstance(other, ast.Name)
                and index.scope_of(other) is scope
                and (depth > 2 or not is_variable_kept(module, other, depth + 1))
            )
    return is_kept
