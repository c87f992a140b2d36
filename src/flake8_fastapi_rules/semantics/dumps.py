"""Dumps of models that a function is given, and what becomes of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.engine.index import mentions
from flake8_fastapi_rules.semantics.values import External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: Arguments of a dump that leave out what was not sent, as a rule.
UNSET_FILTERS: Final = frozenset({"exclude_unset", "exclude_defaults", "exclude_none"})
_DUMPS = frozenset({"model_dump", "model_dump_json", "dict", "json"})
_MAKERS = (
    External("fastapi.encoders.jsonable_encoder"),
    External("builtins.dict"),
    External("builtins.vars"),
)
#: Calls that write what they are given into a log, or show it.
_LOOKS = frozenset(
    {"debug", "info", "warning", "error", "exception", "log", "print", "dumps", "bind"}
)


#: Names of what is told of an item that was not stored.
_FAILURES = re.compile(r"(?i)fail|error|reject|invalid|skipped")


def is_dump_of(model: Model, module: Module, call: ast.Call, names: Collection[str]) -> bool:
    """Whether a call makes a dictionary or JSON of one of these variables, or of an item of one.

    `body.model_dump()`, `items[0].dict()`, `jsonable_encoder(body)`, `dict(body)` and `vars(body)`.
    """
    match call:
        case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _DUMPS:
            owner = owner.value if isinstance(owner, ast.Subscript) else owner
            return isinstance(owner, ast.Name) and owner.id in names
        case ast.Call(func=func, args=[ast.Name(id=name)]) if name in names:
            return model.resolve(module, func) in _MAKERS
    return False


def is_filtered(dump: ast.Call, filters: Collection[str]) -> bool:
    """Whether a dump has one of these arguments, which is not switched off, or `include`."""
    return any(
        keyword.arg == "include"
        or (
            keyword.arg in filters
            and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        )
        for keyword in dump.keywords
    )


def dumps_kept_whole(
    model: Model,
    function: Function,
    names: Collection[str],
    filters: Collection[str] = UNSET_FILTERS,
) -> Iterator[ast.Call]:
    """The dumps in a function that keep also what was not sent, and are more than looked at.

    Dumps with `**arguments` are left out: nobody knows what those are.

    Parameters:
        names: the variables that hold what is dumped.
        filters: the arguments that leave out what was not sent.
    """
    if isinstance(function.node, ast.Lambda):
        return
    module = function.module
    for node in module.index.own_nodes(function.node):
        if not isinstance(node, ast.Call) or not is_dump_of(model, module, node, names):
            continue
        if any(keyword.arg is None for keyword in node.keywords) or is_filtered(node, filters):
            continue
        if not is_only_looked_at(module, node):
            yield node


def stores_in_every_round(loop: ast.For, value: str) -> bool:
    """Whether a loop certainly writes a variable somewhere each time: `setattr(row, name, value)`.

    Or `row[name] = value`; not where a condition or a `try` stands before it.
    """
    for statement in loop.body:
        match statement:
            case (
                ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[*_, ast.Name(id=v)]))
                | ast.Assign(targets=[ast.Subscript()], value=ast.Name(id=v))
            ) if v == value:
                return True
            case ast.If() | ast.Try():
                return False
    return False


def is_only_looked_at(module: Module, dump: ast.Call) -> bool:
    """Whether a dump is shown or compared only, or entries of it are left out afterwards."""
    for parent in module.index.ancestors(dump):
        match parent:
            case ast.Raise() | ast.ExceptHandler():
                return True
            case ast.comprehension(ifs=tests) if tests:
                return True
            case ast.For(iter=source, body=body) if _contains(source, dump):
                return any(
                    isinstance(each, ast.If)  # `setattr(row, name, value) if value else None`
                    or (
                        isinstance(each, ast.Expr)
                        and isinstance(each.value, ast.IfExp | ast.BoolOp)
                    )
                    for each in body
                )
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _LOOKS:
                return True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if _tells(name):
                return True  # `FailedItem(data=item.model_dump())`
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append")) if _tells(
                name
            ):
                return True
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name))
            ) if _tells(name):
                return True
            case ast.FormattedValue():
                return True
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ) if value is dump:
                return _is_filtered_later(module, name, dump)
            case ast.stmt():
                return isinstance(parent, ast.Assert | ast.If) or any(
                    isinstance(above, ast.ExceptHandler) for above in module.index.ancestors(parent)
                )
    return False


def _tells(name: str) -> bool:
    return _FAILURES.search(name) is not None


def names_of_items(function: ast.AST, lists: Collection[str]) -> set[str]:
    """The variables of loops over one of these lists, also over `enumerate(list)`."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension):
            source, target = node.iter, node.target
            if isinstance(source, ast.Call) and isinstance(target, ast.Tuple) and source.args:
                is_counted = isinstance(source.func, ast.Name) and source.func.id == "enumerate"
                source, target = source.args[0], target.elts[-1] if is_counted else target
            if isinstance(source, ast.Name) and source.id in lists and isinstance(target, ast.Name):
                found.add(target.id)
    return found


def _is_filtered_later(module: Module, name: str, dump: ast.Call) -> bool:
    """Whether a variable that holds a dump is gone through with a condition."""
    function = module.index.function_of(dump)
    for each in ast.walk(function) if function is not None else ():
        source: ast.expr | None = None
        is_loop = isinstance(each, ast.For) and any(isinstance(s, ast.If) for s in each.body)
        if is_loop or (isinstance(each, ast.comprehension) and each.ifs):
            source = each.iter  # type: ignore[attr-defined]
        if source is not None and mentions(source, {name}):
            return True
    return False


def _contains(tree: ast.AST, node: ast.AST) -> bool:
    return any(each is node for each in ast.walk(tree))
