"""Which functions assemble apps: those that declare something, and those that call them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeGuard

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.facts import (
    App,
    EventHandler,
    ExceptionHandler,
    Include,
    Mount,
    Route,
    Router,
    UnclearRoute,
)
from flake8_fastapi_rules.semantics.framework import ROUTE_ADDERS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.shared import MUTATORS
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Calls of these attributes assemble something, whatever their receiver turns out to be.
_MARKS = ROUTE_ADDERS | {
    "include_router", "mount", "generate_and_include_versioned_routers", "on_event",
    "add_event_handler", "exception_handler", "add_exception_handler",
}  # fmt: skip
_DECLARATIONS = (App, Router, Include, Mount, Route, UnclearRoute, ExceptionHandler, EventHandler)
#: Methods that run when an object is made.
_MAKING = frozenset({"__init__", "__post_init__", "__attrs_post_init__", "model_post_init"})


class Assembling:
    """The functions of a project that are worth executing.

    Found from the declarations outwards: the functions around them, then the callers of these, by
    name first, so that only few calls have to be resolved.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._modules: set[Module] = set()
        self._functions: set[ast.AST] = set()
        self._calls: defaultdict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        self._subclasses: defaultdict[str, set[str]] = defaultdict(set)
        self._aliases: defaultdict[str, set[str]] = defaultdict(set)
        self._names: set[str] = set()
        self._methods: defaultdict[str, list[Class]] = defaultdict(list)

    def add(self, modules: Iterable[Module]) -> None:
        """Take in modules."""
        found: list[tuple[Module, ast.AST]] = []
        new: set[str] = set()
        for module in modules:
            if module not in self._modules:
                self._modules.add(module)
                found += self._read(module, new)
        for name in new & self._names:
            found += self._callers(name)
        self._spread(found)

    def __contains__(self, function: Function) -> bool:
        """Whether calling the function assembles something, itself or further down."""
        if function.module not in self._modules:
            self.add([function.module])
        return function.node in self._functions

    def _read(self, module: Module, new: set[str]) -> list[tuple[Module, ast.AST]]:
        index = module.index
        declaring: list[ast.AST] = [
            fact.node for kind in _DECLARATIONS for fact in self._model.local(module, kind)
        ]
        for call in index.nodes(ast.Call):
            if _applies_parameter(module, call):
                declaring.append(call)
            name = _last_name(call.func)
            if name is not None:
                if name in _MARKS and isinstance(call.func, ast.Attribute):
                    declaring.append(call)
                self._calls[name].append((module, call))
                new.add(name)
        for statement in index.nodes(ast.ImportFrom):
            for alias in statement.names:
                if alias.asname and alias.asname != alias.name:
                    self._aliases[alias.name].add(alias.asname)
        for cls in index.nodes(ast.ClassDef):
            for base in cls.bases:
                above = _last_name(base)
                if above is not None:
                    self._subclasses[above].add(cls.name)
        return [(module, function) for node in declaring for function in _around(module, node)]

    def _spread(self, found: list[tuple[Module, ast.AST]]) -> None:
        while found:
            module, function = found.pop()
            if function in self._functions or not isinstance(function, FUNCTIONS):
                self._functions.add(function)
                continue
            self._functions.add(function)
            names = {function.name}
            owner = module.index.class_of(function)
            if owner is not None:
                self._methods[function.name].append(Class(module, owner))
                found += self._feeding(function, Class(module, owner))
            if owner is not None and function.name in _MAKING:
                # Called by its class's name, or by a subclass: `super().__init__()`.
                names = {function.name} | self._with_subclasses(owner.name)
            elif owner is not None and function.name == "__call__":
                continue
            for name in names:
                for spelled in (name, *self._aliases.get(name, ())):
                    if spelled not in self._names:
                        self._names.add(spelled)
                        found += self._callers(spelled)

    def _feeding(self, function: FunctionNode, cls: Class) -> Iterator[tuple[Module, ast.AST]]:
        """The methods that keep in the object what an assembling method takes from there.

        Such as `with_router`, which appends to what `build` includes.
        """
        taken = {
            node.attr
            for node in cls.module.index.own_nodes(function)
            if _is_own(node) and isinstance(node.ctx, ast.Load)
        }
        for base in self._model.resolver.mro(cls) if taken else ():
            if not isinstance(base, Class):
                continue
            for method in base.node.body:
                if isinstance(method, FUNCTIONS) and method not in self._functions:
                    if any(_keeps(node, taken) for node in base.module.index.own_nodes(method)):
                        yield base.module, method

    def _with_subclasses(self, name: str) -> set[str]:
        names: set[str] = set()
        stack = [name]
        while stack:
            current = stack.pop()
            if current not in names:
                names.add(current)
                stack.extend(self._subclasses.get(current, ()))
        return names

    def _callers(self, name: str) -> list[tuple[Module, ast.AST]]:
        found: list[tuple[Module, ast.AST]] = []
        for module, call in self._calls.get(name, ()):
            around = list(_around(module, call))
            if not around or all(function in self._functions for function in around):
                continue
            callee = self._model.resolve(module, call.func)
            if isinstance(callee, Class) or (
                isinstance(callee, Function) and self._may_run(callee)
            ):
                found += [(module, function) for function in around]
        return found

    def _may_run(self, callee: Function) -> bool:
        """Whether a call of `callee` may run an assembling function: itself or an override."""
        if callee.node in self._functions:
            return True
        owner, node = callee.owner, callee.node
        if owner is None or isinstance(node, ast.Lambda):
            return False
        return any(self._is_related(owner, other) for other in self._methods.get(node.name, ()))

    def _is_related(self, one: Class, other: Class) -> bool:
        resolver = self._model.resolver
        return one in resolver.mro(other) or other in resolver.mro(one)


def _around(module: Module, node: ast.AST) -> Iterable[ast.AST]:
    """The functions around a node, from the inside out."""
    function = module.index.function_of(node)
    while function is not None:
        yield function
        function = module.index.function_of(function)


def _applies_parameter(module: Module, call: ast.Call) -> bool:
    """Whether it decorates with what a function was given: `method(path)(function)`."""
    match call:
        case ast.Call(func=ast.Call(func=ast.Name(id=name) as given), args=[ast.Name()]):
            found = module.index.lookup(name, given)
            return found is not None and [each.kind for each in found[1]] == ["parameter"]
    return False


def _is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _keeps(node: ast.AST, names: set[str]) -> bool:
    """Whether a node sets one of these attributes of `self`, or puts something into it."""
    match node:
        case ast.Attribute(ctx=ast.Store()) if _is_own(node):
            return node.attr in names
        case ast.Subscript(value=ast.Attribute() as held, ctx=ast.Store()) if _is_own(held):
            return held.attr in names
        case ast.Call(func=ast.Attribute(value=ast.Attribute() as held, attr=attr)):
            return _is_own(held) and held.attr in names and attr in MUTATORS
    return False


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None
