"""What apps and routers are made with: by their calls, and by the constructors of their classes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from flake8_fastapi_rules.engine.index import all_arguments
from flake8_fastapi_rules.semantics.values import Class, Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.values import Value

#: An expression, and the module that it is written in.
Given: TypeAlias = "tuple[Module, ast.expr]"
#: Methods of a dictionary of options that touch the one they name.
_ONE_OPTION = frozenset({"get", "pop", "setdefault"})


@dataclass(frozen=True)
class Making:
    """What a constructor gets.

    Parameters:
        arguments: keyword arguments by name, each where it is written.
        positional: the other arguments, in order.
        open_names: the names that it may get in a way that cannot be told; `None`: any.
    """

    arguments: Mapping[str, Given]
    positional: tuple[Given, ...]
    open_names: frozenset[str] | None

    def lacks(self, name: str) -> bool:
        """Whether it is certain that an argument is not given."""
        return (
            self.open_names is not None
            and name not in self.open_names
            and name not in self.arguments
        )


_UNKNOWN = Making({}, (), None)


def making_of(model: Model, value: Value) -> Making | None:
    """What the library's constructor of an app or router gets in the end.

    `None` when its making cannot be seen.
    """
    if not isinstance(value, Instance) or value.call is None or value.module is None:
        return None
    making = _given(value.module, value.call)
    for base in model.resolver.mro(value.of) if isinstance(value.of, Class) else ():
        if isinstance(base, Class) and (init := _own_constructor(base)) is not None:
            making = _handed_on(base.module, init, making)
    return making


def takes_option(model: Model, value: Instance, name: str) -> bool:
    """Whether the call that makes an app or router may be given one more keyword argument."""
    for base in model.resolver.mro(value.of) if isinstance(value.of, Class) else ():
        if isinstance(base, Class) and (init := _own_constructor(base)) is not None:
            if init.args.kwarg is None:
                return name in {argument.arg for argument in all_arguments(init.args)}
    return True


def _given(module: Module, call: ast.Call) -> Making:
    """The arguments of one call as they are written."""
    is_open = any(keyword.arg is None for keyword in call.keywords) or any(
        isinstance(each, ast.Starred) for each in call.args
    )
    return Making(
        {k.arg: (module, k.value) for k in call.keywords if k.arg is not None},
        tuple((module, each) for each in call.args if not isinstance(each, ast.Starred)),
        None if is_open else frozenset(),
    )


def _own_constructor(cls: Class) -> ast.FunctionDef | None:
    for statement in cls.node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return statement
    return None


def _handed_on(module: Module, init: ast.FunctionDef, outer: Making) -> Making:
    """What a constructor of the project gives the next one, by what it gets itself."""
    calls = [
        node
        for node in module.index.own_nodes(init)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "__init__"
    ]
    if len(calls) != 1:
        return _UNKNOWN
    call, spec = calls[0], init.args
    bound = _bound(module, spec, outer)
    stored = _stored_names(module, init)
    rest = spec.kwarg.arg if spec.kwarg is not None else None
    changed = _changed_options(module, init, rest) if rest is not None else frozenset()
    found: dict[str, Given] = {}
    opened: frozenset[str] | None = stored
    for keyword in call.keywords:
        value = keyword.value
        name = value.id if isinstance(value, ast.Name) else None
        if keyword.arg is not None:
            known = bound.get(name or "") if name not in stored else None
            found[keyword.arg] = known or (module, value)
        elif name is None or name != rest or changed is None or outer.open_names is None:
            opened = None
        else:
            taken = changed | {argument.arg for argument in all_arguments(spec)}
            found.update((k, given) for k, given in outer.arguments.items() if k not in taken)
            opened = None if opened is None else opened | changed | outer.open_names
    written = _given(module, call)
    passes_more = spec.vararg is not None and any(isinstance(e, ast.Starred) for e in call.args)
    if passes_more and len(outer.positional) > len(spec.posonlyargs) + len(spec.args) - 1:
        opened = None
    return Making(found, written.positional, opened)


def _bound(module: Module, spec: ast.arguments, outer: Making) -> dict[str, Given]:
    """What the parameters of a constructor stand for, where that can be told."""
    found: dict[str, Given] = {}
    named = [*spec.posonlyargs, *spec.args]
    if outer.open_names is not None:  # else something hidden may take the place of a default
        defaults = zip(reversed(named), reversed(spec.defaults), strict=False)
        for parameter, default in (*defaults, *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)):
            if default is not None:
                found[parameter.arg] = module, default
        found.update(zip((each.arg for each in named[1:]), outer.positional, strict=False))
    accepted = {argument.arg for argument in all_arguments(spec)}
    found.update((name, given) for name, given in outer.arguments.items() if name in accepted)
    return found


def _stored_names(module: Module, init: ast.FunctionDef) -> frozenset[str]:
    """Variables and attributes (`self.prefix = ...`) that a constructor sets."""
    found: set[str] = set()
    for node in module.index.own_nodes(init):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
    return frozenset(found)


def _changed_options(module: Module, init: ast.FunctionDef, rest: str) -> frozenset[str] | None:
    """The options in `**options` that a constructor changes or takes out; `None`: any."""
    found: set[str] = set()
    parents = module.index.parents
    for node in module.index.own_nodes(init):
        if not isinstance(node, ast.Name) or node.id != rest:
            continue
        parent = parents.get(node)
        match parent, parents.get(parent) if parent is not None else None:
            case ((ast.keyword(arg=None) | ast.Compare()), _):
                pass
            case ast.Subscript(slice=ast.Constant(value=str(name))), _:
                found.add(name)
            case ast.Attribute(attr=attr), ast.Call(args=[ast.Constant(value=str(name)), *_]):
                if attr not in _ONE_OPTION:
                    return None
                found.add(name)
            case _:
                return None
    return frozenset(found)
