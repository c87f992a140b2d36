"""Calls that do not look like any: properties, subscripts, `in`, loops and `with` blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.values import Class, Function, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import FrameworkFunction
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_SUBSCRIPTS: dict[type[ast.expr_context], str] = {
    ast.Load: "__getitem__",
    ast.Store: "__setitem__",
    ast.Del: "__delitem__",
}


def implicit_calls(
    model: Model, function: Function | FrameworkFunction
) -> Iterator[tuple[ast.expr, Function]]:
    """The methods of the project's classes that a function runs without a call, and where."""
    module = function.module
    for node in module.index.own_nodes(function.node):
        if isinstance(node, ast.Attribute):
            getter = _getter(model, module, node)
            if getter is not None:
                yield node, getter
            continue
        for operand, names in _operations(node):
            # Few projects write such methods at all: a look at their texts is cheaper.
            written = [name for name in names if _is_written(model, module, name)]
            owner = model.resolve(module, operand) if written else None
            if not isinstance(owner, Instance) or not isinstance(owner.of, Class):
                continue
            for name in written:
                method = model.resolver.class_attribute(owner.of, name, instance=True)
                if isinstance(method, Function) and not _is_only_driven(method):
                    yield operand, method


def _getter(model: Model, module: Module, node: ast.Attribute) -> Function | None:
    """What reading an attribute runs, if it is a property."""
    if not isinstance(node.ctx, ast.Load):
        return None
    parent = module.index.parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return None
    owner = model.resolve(module, node.value)
    if not isinstance(owner, Instance) or not isinstance(owner.of, Class):
        return None
    getter = model.resolver.class_attribute(owner.of, node.attr, instance=False)
    is_property = isinstance(getter, Function) and any(
        isinstance(each, ast.Name) and each.id == "property"
        for each in getattr(getter.node, "decorator_list", ())
    )
    return getter if is_property else None  # type: ignore[return-value]


def _operations(node: ast.AST) -> Iterator[tuple[ast.expr, tuple[str, ...]]]:
    """The objects that a statement or expression asks for something, and by which methods."""
    match node:
        case ast.Subscript(value=value, ctx=context):
            yield value, (_SUBSCRIPTS[type(context)],)
        case ast.Compare(ops=operators, comparators=operands):
            for operator, operand in zip(operators, operands, strict=True):
                if isinstance(operator, ast.In | ast.NotIn):
                    yield operand, ("__contains__",)
        case ast.For(iter=source) | ast.comprehension(iter=source, is_async=0):
            yield source, ("__iter__", "__next__")
        case ast.AsyncFor(iter=source) | ast.comprehension(iter=source):
            yield source, ("__aiter__", "__anext__")
        case ast.With(items=items):
            for item in items:
                yield item.context_expr, ("__enter__", "__exit__")
        case ast.AsyncWith(items=items):
            for item in items:
                yield item.context_expr, ("__aenter__", "__aexit__")


def _is_written(model: Model, module: Module, name: str) -> bool:
    """Whether a class of the project may define a method."""
    line = f"def {name}("
    root = model.modules.project_root(module.path)
    return line in module.source.text or bool(model.modules.files_mentioning(root, line))


def _is_only_driven(method: Function) -> bool:
    """Whether a decorator decides where a method runs."""
    return bool(isinstance(method.node, FUNCTIONS) and method.node.decorator_list)
