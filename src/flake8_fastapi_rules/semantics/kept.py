"""Values that are kept as they were read: returned, stored, and given to nobody who checks them."""

from __future__ import annotations

import ast

from flake8_fastapi_rules.semantics.modules import Module

#: Calls that look at a value and do not make another of it.
_LOOKS = frozenset({"isinstance", "len", "print", "repr", "str", "type"})


def is_kept(module: Module, call: ast.Call) -> bool:
    """Whether what a call gives is returned or stored just as it is, and nothing is made of it."""
    parents = module.index.parents
    node: ast.AST = call
    parent = parents.get(node)
    while isinstance(parent, ast.Await | ast.BoolOp) or (
        isinstance(parent, ast.Subscript) and parent.value is node
    ):
        node, parent = parent, parents.get(parent)
    if isinstance(parent, ast.Return):
        return True
    targets: list[ast.expr] = []
    if isinstance(parent, ast.Assign):
        targets = parent.targets
    elif isinstance(parent, ast.AnnAssign):
        targets = [parent.target]
    if len(targets) != 1:
        return False
    target = targets[0]
    if not isinstance(target, ast.Name):
        return isinstance(target, ast.Attribute | ast.Subscript)
    return is_variable_kept(module, target)


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
        elif isinstance(parent, ast.Assign):
            other = parent.targets[0]  # another name for it, or a place that outlives it
            is_kept = is_kept or not (
                isinstance(other, ast.Name)
                and index.scope_of(other) is scope
                and (depth > 2 or not is_variable_kept(module, other, depth + 1))
            )
    return is_kept
