"""The arguments of calls that are written elsewhere: `response.set_cookie("id", **OPTIONS)`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.resolve import literal_keywords

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module


def unpacked_arguments(
    model: Model, module: Module, call: ast.Call, *, elsewhere: bool = False
) -> dict[str, ast.expr]:
    """The arguments in `**OPTIONS`, a dictionary that is written down and never changed.

    Parameters:
        elsewhere: also in another module, if all its values are literals (names mean something else
            there, and nothing can be reported there).
    """
    found: dict[str, ast.expr] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            found.update(_unpacked(model, module, keyword.value, elsewhere) or {})
    return found


def has_open_arguments(
    model: Model, module: Module, call: ast.Call, *, elsewhere: bool = False
) -> bool:
    """Whether a call has `*args`, or a `**kwargs` of which not all is known."""
    return any(isinstance(each, ast.Starred) for each in call.args) or any(
        keyword.arg is None and _unpacked(model, module, keyword.value, elsewhere) is None
        for keyword in call.keywords
    )


def written_out(
    model: Model, module: Module, call: ast.Call, *, elsewhere: bool = False
) -> ast.Call:
    """The call with what `**OPTIONS` stands for among its keywords; itself if there is none."""
    unpacked = unpacked_arguments(model, module, call, elsewhere=elsewhere)
    if not unpacked:
        return call
    keywords = [ast.keyword(arg=name, value=value) for name, value in unpacked.items()]
    made = ast.Call(func=call.func, args=call.args, keywords=[*call.keywords, *keywords])
    return ast.copy_location(made, call)


def _unpacked(
    model: Model, module: Module, node: ast.expr, elsewhere: bool
) -> dict[str, ast.expr] | None:
    home, table = model.resolver.written(module, node) or (module, node)
    found = literal_keywords(model.resolver, home, table)
    if not found or (isinstance(node, ast.Name) and is_changed(module, node)):
        return None  # what is empty is filled somewhere
    if home is module or (
        elsewhere and all(isinstance(value, ast.Constant) for value in found.values())
    ):
        return found
    return None


def is_changed(module: Module, name: ast.Name) -> bool:
    """Whether the code that makes a dictionary with a name puts something else in it."""
    found = module.index.lookup(name.id, name)
    if found is None:
        return False
    for node in module.index.own_nodes(found[0].node):
        match node:
            case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
                if owner == name.id:
                    return True
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=change)):
                if owner == name.id and change in {"update", "setdefault", "pop", "clear"}:
                    return True
    return False
