"""What code that FastAPI doesn't read does with `Depends(...)`: it takes it for its value."""

from __future__ import annotations

import ast
from collections.abc import Callable

from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine, Dependency, Parameter
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.routines import routines_in
from flake8_fastapi_rules.semantics.values import Function, FunctionNode

#: What a marker itself has.
_OWN_ATTRIBUTES = frozenset({"dependency", "use_cache", "scope", "scopes"})
#: Functions of Python that take something out of what they are given.
_CONSUMING = frozenset({"aiter", "anext", "dict", "iter", "len", "next"})
#: Nodes that use a value: whoever does this to a marker takes it for what it stands for.
_USING = (ast.Await, ast.withitem, ast.For, ast.AsyncFor, ast.comprehension, ast.BinOp, ast.Match)


def is_used_as_value(model: Model, dependency: Dependency) -> bool:
    """Whether a marker in the body of a function, or a name bound to it, is taken for a value."""
    call, module = dependency.node, dependency.module
    function = module.index.function_of(call)
    if function is None or not dependency.marker.is_direct:
        return False
    is_framework = isinstance(function, FUNCTIONS) and bool(model.roles(Function(module, function)))
    return _is_used(call, function, is_framework, module)


def call_without(
    model: Model,
    function: Function,
    parameter: Parameter,
    is_test: Callable[[str], bool],
) -> tuple[Module, ast.expr] | None:
    """Where the project calls a function, or hands it to a background task, without a parameter.

    FastAPI does not call it: a marker as the parameter's default stays what it is. That a test
    calls a function of the service alone says nothing: it may be a dependency of other projects,
    or an override.

    Parameters:
        is_test: whether a path is that of a test.
    """
    node = function.node
    if not isinstance(node, FUNCTIONS) or not _is_plain(node):
        return None
    for routine, starts in routines_in(model, function.module):
        for start in starts if routine is node else ():
            if start.starter == "add_task" and _omits(start, parameter, node):
                return start.module, start.node
    if _is_passed_on(node, function.module):
        return None
    is_tested = is_test(str(function.module.path))
    for call in model.direct_calls(function):
        if call.is_certain and call.omits(parameter.node):
            if is_tested or not is_test(str(call.module.path)):
                return call.module, call.node
    return None


def _omits(start: BackgroundRoutine, parameter: Parameter, node: FunctionNode) -> bool:
    """Whether `add_task(function, ...)` certainly gives a parameter no argument."""
    if not isinstance(start.node, ast.Call) or not isinstance(start.target_node, ast.Name):
        return False  # a method has its object before it
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    given = {keyword.arg for keyword in start.node.keywords}
    if None in given or any(isinstance(each, ast.Starred) for each in start.arguments):
        return False
    return parameter.name not in given.union(names[: len(start.arguments)])


def _is_plain(node: FunctionNode) -> bool:
    """Whether no decorator may hand a function to FastAPI."""
    return all(
        isinstance(each, ast.Name) and each.id in ("staticmethod", "classmethod")
        for each in node.decorator_list
    )


def _is_passed_on(node: FunctionNode, module: Module) -> bool:
    """Whether a function (or the class of a method) is used other than by calling it."""
    index = module.index
    owner = index.class_of(node)
    if owner is not None and node.name not in ("__init__", "__call__"):
        return False
    name = owner.name if owner is not None else node.name
    return any(
        use.id == name
        and isinstance(use.ctx, ast.Load)
        and not (isinstance(parent := index.parents.get(use), ast.Call) and parent.func is use)
        and not isinstance(parent, (ast.ClassDef, ast.arg, ast.AnnAssign, *FUNCTIONS))
        for use in index.nodes(ast.Name)
    )


def _is_used(node: ast.expr, function: ast.AST, is_framework: bool, module: Module) -> bool:
    """Whether a marker, or a name that it is bound to, is taken for a value."""
    index = module.index
    child: ast.AST = node
    parent = index.parents.get(node)
    while isinstance(parent, ast.BoolOp | ast.IfExp | ast.NamedExpr) and child is not getattr(
        parent, "test", None
    ):
        if isinstance(parent, ast.NamedExpr):
            later = _uses_of(parent.target.id, parent, function, module)
            if any(_is_used(use, function, is_framework, module) for use in later):
                return True
        child, parent = parent, index.parents.get(parent)
    match parent:
        case ast.Attribute(attr=attr):
            return attr not in _OWN_ATTRIBUTES
        case ast.Call(func=func) if func is child:
            return True
        case ast.Call(func=ast.Name(id=name)) if name in _CONSUMING:
            return True
        case ast.Call():
            return is_framework and not _takes_markers(parent)
        case ast.keyword():
            call = index.parents.get(parent)
            return is_framework and isinstance(call, ast.Call) and not _takes_markers(call)
        case ast.Subscript(value=value):
            return value is child
        case ast.Expr():
            return True
        case ast.Return():
            return is_framework
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            named = [
                each
                for each in ast.walk(function)
                if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
            ]
            if is_framework and not named:
                return True
            uses = _uses_of(name, parent, function, module)
            return any(_is_used(use, function, is_framework, module) for use in uses)
        case ast.Assign(targets=[ast.Attribute() as target]):
            return _is_used_attribute(target, module)
        case _:
            return isinstance(parent, _USING)


def _uses_of(
    name: str, binding: ast.stmt | ast.expr, function: ast.AST, module: Module
) -> list[ast.Name]:
    """The places after a binding at which a function itself reads the name."""
    end = (binding.end_lineno or 0, binding.end_col_offset or 0)
    return [
        use
        for use in module.index.own_nodes(function)
        if isinstance(use, ast.Name)
        and use.id == name
        and isinstance(use.ctx, ast.Load)
        # `session = session or Depends(...)` is no use, and would never end.
        and (use.lineno, use.col_offset) >= end
    ]


def _takes_markers(call: ast.Call) -> bool:
    """Whether a call is known to be one that a marker may be given to."""
    name = terminal_name(call.func)
    return name in {
        "Parameter", "replace", "append", "extend", "insert", "isinstance", "print", "repr", "str",
        "setattr", "include_router", "add_api_route", "APIRouter", "FastAPI", "Depends", "Security",
    }  # fmt: skip


def _is_used_attribute(target: ast.Attribute, module: Module) -> bool:
    """Whether `self.session = Depends(...)` is followed by uses such as `self.session.add`."""
    if not isinstance(target.value, ast.Name):
        return False
    return any(
        isinstance(use.value, ast.Attribute)
        and use.value.attr == target.attr
        and isinstance(use.value.value, ast.Name)
        and use.value.value.id == target.value.id
        and use.attr not in _OWN_ATTRIBUTES
        for use in module.index.nodes(ast.Attribute)
    )
