"""Who calls a function directly: found by name in the text of the whole project, then resolved."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import default_of
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import Binding
    from flake8_fastapi_rules.semantics.model import Model

#: Calls that hand a function on, so that the other arguments are its own.
_BINDERS = frozenset({"partial", "partialmethod"})


@dataclass(frozen=True, slots=True)
class DirectCall:
    """A call of a function by the project itself, rather than by FastAPI.

    Parameters:
        is_certain: the callee was resolved to the function; else only the name is the same.
    """

    module: Module
    node: ast.Call
    function: Function
    is_certain: bool

    @property
    def has_unknown_arguments(self) -> bool:
        """Whether `*args` or `**kwargs` are passed."""
        return any(isinstance(argument, ast.Starred) for argument in self.node.args) or any(
            keyword.arg is None for keyword in self.node.keywords
        )

    def omits(self, parameter: ast.arg) -> bool:
        """Whether the call certainly leaves a parameter to its default."""
        if self.has_unknown_arguments:
            return False
        if any(keyword.arg == parameter.arg for keyword in self.node.keywords):
            return False
        position = self._position(parameter)
        return position is None or position >= len(self.node.args)

    def given(self, parameter: ast.arg) -> ast.expr | None:
        """What the call gives to a parameter; `None` when it omits it or that is unclear."""
        if self.has_unknown_arguments:
            return None
        return argument(self.node, parameter.arg, self._position(parameter))

    def may_pass_by_position(self, parameter: ast.arg) -> bool:
        """Whether the call may fill a parameter, or one behind it, by position."""
        position = self._position(parameter)
        if position is None:
            return False
        starred = any(isinstance(argument, ast.Starred) for argument in self.node.args)
        # A method called on its class, `Service.make(service, 1)`, fills `self` by position too.
        return starred or len(self.node.args) > position

    def _position(self, parameter: ast.arg) -> int | None:
        """The position that fills a parameter; `None` when it is keyword-only."""
        arguments = self.function.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        for index, each in enumerate(positional):
            if each is parameter:
                return index - (1 if self._fills_self() else 0)
        return None

    def _fills_self(self) -> bool:
        node = self.function.node
        if not isinstance(node, FUNCTIONS) or self.function.module.index.class_of(node) is None:
            return False
        return not any(
            isinstance(decorator, ast.Name) and decorator.id == "staticmethod"
            for decorator in node.decorator_list
        )


#: How many calls a text is followed back through to where it is written out.
_WRITTEN = 3


def is_surely_awaited(model: Model, call: DirectCall) -> bool:
    """Whether the caller waits for a call: itself, in a `gather` or an `asyncio.TaskGroup`."""
    parents = call.module.index.parents
    parent = parents.get(call.node)
    match parent:
        case ast.Await():
            return True
        case ast.Call(func=func, keywords=[]) if model.resolve(call.module, func) == External(
            "asyncio.gather"
        ):
            return isinstance(parents.get(parent), ast.Await)
        case ast.Call(func=ast.Attribute(attr="create_task", value=group)):
            return model.is_instance(model.resolve(call.module, group), "asyncio.TaskGroup")
        case _:
            return False


def is_written_by_callers(
    model: Model, function: Function, parameter: ast.arg, depth: int = 0
) -> bool:
    """Whether every call of a function writes out what it gives to a parameter.

    Constants, collections of them, what a loop takes from those, and what the caller itself is
    given in the same way.
    """
    calls = model.direct_calls(function) if depth < _WRITTEN else ()
    default = default_of(function.node.args, parameter)
    for call in calls:
        given = call.given(parameter)
        if given is None:
            if not call.omits(parameter) or not isinstance(default, ast.Constant):
                return False
        elif not _is_written(model, call.module, given, depth + 1):
            return False
    return bool(calls)


def _is_written(model: Model, module: Module, node: ast.expr, depth: int) -> bool:
    """Whether an expression is made of nothing but constants."""
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(_is_written(model, module, part, depth) for part in parts)
        case ast.Set(elts=parts) | ast.BoolOp(values=parts):
            return all(_is_written(model, module, part, depth) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return all(_is_written(model, module, p, depth) for p in (*keys, *values) if p)
        case ast.FormattedValue(value=inner) | ast.Starred(value=inner):
            return _is_written(model, module, inner, depth)
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return all(_is_written(model, module, part, depth) for part in (left, right))
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[inner]):
            return _is_written(model, module, inner, depth)
        case ast.Name(id=name):
            if isinstance(model.resolve(module, node), Constant):
                return True
            found = module.index.lookup(name, node)
            if found is None or not found[1] or depth > _WRITTEN:
                return False
            return all(
                _is_bound_to_written(model, module, found[0].node, binding, depth)
                for binding in found[1]
            )
        case _:
            return isinstance(model.resolve(module, node), Constant)


def _is_bound_to_written(
    model: Model, module: Module, owner: ast.AST, binding: Binding, depth: int
) -> bool:
    if binding.kind == "parameter" and isinstance(binding.node, ast.arg):
        return isinstance(owner, FUNCTIONS) and is_written_by_callers(
            model, Function(module, owner), binding.node, depth
        )
    if binding.kind not in {"assign", "annotated", "for"}:
        return False
    return binding.value is not None and _is_written(model, module, binding.value, depth + 1)


class Callers:
    """The direct calls in one project.

    Parameters:
        root: the project's top folder.
    """

    def __init__(self, model: Model, root: Path) -> None:
        self._model = model
        self._root = root
        self._calls: dict[ast.AST, tuple[DirectCall, ...]] = {}

    def direct_calls(self, function: Function) -> tuple[DirectCall, ...]:
        """The calls of a function that the project makes itself.

        Of an `__init__` these are the calls of the class and of `super().__init__`; those of an
        object with `__call__` are found where the class is mentioned.
        """
        known = self._calls.get(function.node)
        if known is None:
            known = self._calls[function.node] = tuple(self._find(function))
        return known

    def _names(self, function: Function) -> tuple[str, ...]:
        node = function.node
        if isinstance(node, ast.Lambda):
            return ()
        owner = function.module.index.class_of(node)
        if node.name in ("__init__", "__call__") and owner is not None:
            return (owner.name, "__init__") if node.name == "__init__" else (owner.name,)
        return (node.name,)

    def _find(self, function: Function) -> Iterator[DirectCall]:
        names = self._names(function)
        paths: dict[Path, None] = {function.module.path: None}
        for name in names:
            if name != "__init__":
                paths.update(dict.fromkeys(self._model.modules.files_calling(self._root, name)))
        for path in paths:
            module = (
                function.module if path == function.module.path else self._model.modules.load(path)
            )
            if module is not None:
                yield from self._in_module(module, function, names)

    def _in_module(
        self, module: Module, function: Function, names: tuple[str, ...]
    ) -> Iterator[DirectCall]:
        is_call_method = not isinstance(function.node, ast.Lambda) and (
            function.node.name == "__call__"
        )
        index = module.index
        wanted = _BINDERS.union(names)
        for call in index.nodes(ast.Call) if is_call_method else index.calls_named(wanted):
            name = _terminal(call.func)
            if name in _BINDERS and call.args:
                bound = call.args[0]
                if _terminal(bound) in names and self._is(module, bound, function) is not False:
                    inner = ast.Call(bound, call.args[1:], call.keywords)
                    yield DirectCall(module, ast.copy_location(inner, call), function, False)
                continue
            if is_call_method:
                if self._is_object_call(module, call, function):
                    yield DirectCall(module, call, function, True)
                continue
            if name not in names:
                continue
            match = self._is(module, call.func, function)
            if match is not False:
                yield DirectCall(module, call, function, bool(match))

    def _is(self, module: Module, callee: ast.expr | None, function: Function) -> bool | None:
        """Whether a callee is the function; `None` when it cannot be told."""
        value: Value = self._model.resolve(module, callee)
        match value:
            case Function():
                return _is_same(value, function)
            case Class():
                found = self._model.callable_of(value)
                return found is not None and _is_same(found, function)
            case _ if value:
                return False
            case _:
                return None

    def _is_object_call(self, module: Module, call: ast.Call, function: Function) -> bool:
        value = self._model.resolve(module, call.func)
        if not isinstance(value, Instance):
            return False
        found = self._model.callable_of(value)
        return found is not None and _is_same(found, function)


def _is_same(one: Function, other: Function) -> bool:
    """Whether two values are one function, be it of two texts of one module."""
    if one.node is other.node:
        return True
    return one.module.path == other.module.path and qualified_name(one) == qualified_name(other)


def _terminal(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


__all__ = ["Callers", "DirectCall"]
