"""Credentials that are compared with one key: they tell which application calls, not which user."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.credentials import is_secret_name, last_name
from flake8_fastapi_rules.semantics.resolve import arguments_of
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: How many calls deep the credentials are followed.
_DEPTH = 2


def knows_key_only(model: Model, function: Function) -> bool:
    """Whether a dependency compares what it is given with one key and finds nobody by it.

    It gives back nothing, or the key itself. Or what it gives is what a table calls the keys that
    are known: `return {settings.shop_api_key: "shop"}[given]`.
    """
    names = {each.arg for each in arguments_of(function.node)} - {"self"}
    names_application = False
    for node in function.module.index.own_nodes(function.node):
        if isinstance(node, ast.Return | ast.Yield) and not _tells_nobody(node.value, names):
            if not _is_name_of_key(function, node.value):
                return False
            names_application = True
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            return False  # `request.state.user = ...`
    return names_application or any(is_only_compared(model, function, name) for name in names)


def _is_name_of_key(function: Function, value: ast.expr | None) -> bool:
    """Whether an expression is what a table calls a key: `NAMES[key]`, `NAMES.get(key)`."""
    match value:
        case (
            ast.Subscript(value=ast.Name() as table)
            | ast.Call(func=ast.Attribute(attr="get", value=ast.Name() as table))
        ):
            found = function.module.index.lookup(table.id, table)
            # Also one that is filtered behind: what is not set is no key.
            bindings = found[0].bindings[table.id] if found is not None else ()
            return any(_names_keys(each.given) for each in bindings)
        case _:
            return False


def _names_keys(table: ast.expr | None) -> bool:
    """Whether a dictionary written out gives secrets fixed names."""
    return (
        isinstance(table, ast.Dict)
        and bool(table.keys)
        and all(key is not None and is_secret_name(last_name(key)) for key in table.keys)
        and all(isinstance(each, ast.Constant) for each in table.values)
    )


def is_only_compared(model: Model, function: Function, name: str, depth: int = 0) -> bool:
    """Whether a function does nothing with a parameter but compare it with one key.

    Itself, or in a function of the project that it hands the parameter to.
    """
    is_compared = False
    for node in function.module.index.own_nodes(function.node):
        if isinstance(node, ast.Name) and node.id == name:
            found = _is_compared(model, function, node, depth)
            if found is False:
                return False
            is_compared = is_compared or bool(found)
    return is_compared


def _is_compared(model: Model, function: Function, node: ast.expr, depth: int) -> bool | None:
    """Whether one use of the credentials compares them; `None` when it does nothing with them."""
    parents = function.module.index.parents
    parent = parents.get(node)
    while isinstance(parent, ast.Attribute) or (
        isinstance(parent, ast.Call) and parent.func is node  # `.encode()`
    ):
        node, parent = parent, parents.get(parent)
    match parent:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
            other = right if left is node else left
            if isinstance(other, ast.Constant):
                return None  # the scheme
            return _is_one_key(function, other)
        case ast.Compare(ops=[ast.Is() | ast.IsNot()]) | ast.UnaryOp(op=ast.Not()):
            return None
        case ast.BoolOp() | ast.If() | ast.IfExp() | ast.Return():
            return None
        case ast.Call(func=called, args=[left, right]) if last_name(called) == "compare_digest":
            return _is_one_key(function, right if left is node else left)
    call = parents.get(parent) if isinstance(parent, ast.keyword) else parent
    if not isinstance(call, ast.Call) or depth >= _DEPTH:
        return False
    callee = model.resolve(function.module, call.func)
    taken = argument_filled(callee, call, node) if isinstance(callee, Function) else None
    if not isinstance(callee, Function) or taken is None:
        return False
    return is_only_compared(model, callee, taken.arg, depth + 1)


def _is_one_key(function: Function, node: ast.expr) -> bool:
    """Whether an expression is a key that the function did not look up itself."""
    if not is_secret_name(last_name(node)):
        return False
    root = _root(node)
    if root is None or root.id == "self":
        return root is not None
    index = function.module.index
    found = index.lookup(root.id, root)
    return not any(
        index.function_of(each.node) is function.node or each.node is function.node
        for each in (found[1] if found is not None else ())
    )


def _tells_nobody(value: ast.expr | None, names: set[str]) -> bool:
    """Whether what a dependency gives is nothing, a constant or one of its own parameters."""
    if value is None or isinstance(value, ast.Constant):
        return True
    root = _root(value)
    return root is not None and root.id in names


def _root(node: ast.expr) -> ast.Name | None:
    """The name that attributes, items and methods are taken of."""
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute(value=inner)):
                node = inner
            case ast.Call(func=ast.Name() as name) | (ast.Name() as name):
                return name
            case _:
                return None
