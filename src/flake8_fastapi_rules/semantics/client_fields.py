"""What functions do with what a client wrote into a field of a model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.calls import argument_filled, is_abstract
from flake8_fastapi_rules.semantics.schemas import excluded_names
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import ModuleIndex
    from flake8_fastapi_rules.semantics.model import Model

#: A function that compares an id is given whom to compare it with, too.
_WITH_ANOTHER = 2
#: How many calls deep a model is followed that a function hands on.
_DEPTH = 4


def uses_field(model: Model, function: Function, name: str, field: str, depth: int = 0) -> bool:
    """Whether a function uses what the client wrote into a field of its parameter `name`.

    Not when it sets the field itself, takes or hands on single other fields only, leaves it out of
    a dump, or gives the whole to functions of the project that do no more.
    """
    index = function.module.index
    used: bool | None = None
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        used = bool(used)
        parent = index.parents.get(node)
        if not isinstance(parent, ast.Attribute):
            used = used or _is_used_by_callee(model, function, node, field, depth)
        elif parent.attr == field:
            if isinstance(parent.ctx, ast.Store):
                return False
            used = True
        else:
            call = index.parents.get(parent)  # `order.model_dump()` gives all fields away
            if isinstance(call, ast.Call) and call.func is parent:
                used = used or not (
                    field in excluded_names(call) or _is_set_beside(index, call, field)
                )
    return used is not False if depth == 0 else bool(used)  # at first it may be yet to come


def _is_set_beside(index: ModuleIndex, dump: ast.Call, field: str) -> bool:
    """Whether a call or dictionary that takes all fields of a model gets this one from elsewhere.

    `Row(**body.model_dump(), user_id=user.id)`, `{**body.model_dump(), "user_id": user.id}`, also
    by way of a variable.
    """
    taker = index.parents.get(dump)
    match taker:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            function = index.function_of(dump)
            own = index.own_nodes(function) if function is not None else ()
            return any(_sets_key(index, each, name, field) for each in own)
        case _:
            return taker is not None and _gives_field(index, taker, field)


def _gives_field(index: ModuleIndex, taker: ast.AST, field: str) -> bool:
    """Whether a call or dictionary that unpacks something has a field of that name, too."""
    if isinstance(taker, ast.keyword) and taker.arg is None:
        taker = index.parents.get(taker, taker)
    match taker:
        case ast.Call(keywords=keywords):
            return any(keyword.arg == field for keyword in keywords)
        case ast.Dict(keys=keys):
            return any(isinstance(key, ast.Constant) and key.value == field for key in keys)
        case _:
            return False


def _sets_key(index: ModuleIndex, node: ast.AST, name: str, key: str) -> bool:
    """Whether a dictionary gets another value for a key: `row["user_id"] = user.id`."""
    match node:
        case ast.Subscript(
            value=ast.Name(id=owner), slice=ast.Constant(value=written), ctx=ast.Store() | ast.Del()
        ):
            return owner == name and written == key
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="update")) if owner == name:
            given = [k.arg for k in node.keywords] + [
                each.value
                for argument in node.args
                if isinstance(argument, ast.Dict)
                for each in argument.keys
                if isinstance(each, ast.Constant)
            ]
            return key in given
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=owner), attr="pop"),
            args=[ast.Constant(value=written), *_],
        ):
            return owner == name and written == key
        case ast.Name(id=unpacked, ctx=ast.Load()) if unpacked == name:
            taker = index.parents.get(node)
            return taker is not None and _gives_field(index, taker, key)
        case _:
            return False


def compares(model: Model, function: Function, text: str, depth: int = 0) -> bool:
    """Whether a function compares an expression, by its text, with another for equality.

    Itself, or in a function of the project that is given it: `ensure_self(user_id, user)`, or
    what it is a field of.
    """
    owner, dot, field = text.rpartition(".")
    if dot and owner.isidentifier() and depth < _DEPTH:
        for taker, name in handed_to(model, function, owner):
            if compares(model, taker, f"{name}.{field}", depth + 1):
                return True
    for node in ast.walk(function.node):
        if isinstance(node, ast.Compare) and _is_side(node, text):
            return True
        if not isinstance(node, ast.Call):
            continue
        for position, given in enumerate(node.args):
            if ast.unparse(given) != text or len(node.args) + len(node.keywords) < _WITH_ANOTHER:
                continue
            callee = model.resolve(function.module, node.func)
            if not isinstance(callee, Function):
                continue
            arguments = callee.node.args
            taken = [*arguments.posonlyargs, *arguments.args][position + callee.bound :][:1]
            if any(
                isinstance(each, ast.Compare) and _is_side(each, taken[0].arg)
                for each in (ast.walk(callee.node) if taken else ())
            ):
                return True
    return False


def handed_to(model: Model, function: Function, name: str) -> Iterator[tuple[Function, str]]:
    """The functions of the project that a parameter is handed to, with what they call it."""
    index = function.module.index
    for node in index.own_nodes(function.node):
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        call = index.parents.get(node)
        if isinstance(call, ast.keyword):
            call = index.parents.get(call)
        if isinstance(call, ast.Call):
            callee = model.resolve(function.module, call.func)
            filled = argument_filled(callee, call, node) if isinstance(callee, Function) else None
            if isinstance(callee, Function) and filled is not None:
                yield callee, filled.arg


def _is_side(compared: ast.Compare, text: str) -> bool:
    return isinstance(compared.ops[0], ast.Eq | ast.NotEq) and text in {
        ast.unparse(_unconverted(side)) for side in (compared.left, compared.comparators[0])
    }


def _unconverted(node: ast.expr) -> ast.expr:
    """What is compared as a text or number: `user_id` of `str(user_id).strip()`."""
    while isinstance(node, ast.Call):
        match node:
            case ast.Call(func=ast.Name(id="str" | "int" | "UUID"), args=[inner]):
                node = inner
            case ast.Call(
                func=ast.Attribute(attr="strip" | "lower" | "upper" | "casefold", value=inner)
            ):
                node = inner
            case _:
                break
    return node


def _is_used_by_callee(
    model: Model, function: Function, given: ast.Name, field: str, depth: int
) -> bool:
    """Whether a function that is given the whole of a model uses a field; else it may."""
    call = function.module.index.parents.get(given)
    if isinstance(call, ast.keyword):
        call = function.module.index.parents.get(call)
    if not isinstance(call, ast.Call) or depth >= _DEPTH:
        return True
    callee = model.resolve(function.module, call.func)
    filled = argument_filled(callee, call, given) if isinstance(callee, Function) else None
    if not isinstance(callee, Function) or filled is None or is_abstract(callee):
        return True
    return uses_field(model, callee, filled.arg, field, depth + 1)
