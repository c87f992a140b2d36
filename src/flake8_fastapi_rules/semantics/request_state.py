"""Which names of `request.state` a project sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.arguments import is_changed
from flake8_fastapi_rules.semantics.facts import Lifespan, Middleware
from flake8_fastapi_rules.semantics.libraries import OUTER_MIDDLEWARE, STATELESS_MIDDLEWARE
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.uses import Uses
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: What a dictionary is made of by a call.
_MAPPINGS = ("builtins.dict", "typing.TypedDict")
#: So many dictionaries may be unpacked into each other.
_NESTED = 3
#: Libraries whose decorators or middleware put attributes on the state.
_WRITERS = ("authx", "fastapi_sqlalchemy", "sqlalchemy_fastapi")
#: What rate limiters set (slowapi 0.1.10, fastapi-limiter 0.2.0), apart from private names.
_RATE_LIMITERS = {"slowapi": ("view_rate_limit",), "fastapi_limiter": ()}


def _written(model: Model, uses: Uses) -> frozenset[str] | None:
    names: set[str] = set()
    if _is_served_elsewhere(model, uses):
        return None
    for module in uses.modules:
        if any(name in module.source.text for name in _WRITERS):
            return None
        for library, set_there in _RATE_LIMITERS.items():
            if library in module.source.text:
                names.update(set_there)
        for middleware in model.local(module, Middleware):
            target = middleware.target
            if not isinstance(target, Function | Class) and not (
                isinstance(target, External)
                and (
                    target.name.startswith(("starlette.", *(f"{each}." for each in _RATE_LIMITERS)))
                    or target.name in OUTER_MIDDLEWARE
                    or target.name in STATELESS_MIDDLEWARE
                )
            ):
                return None
        for lifespan in model.local(module, Lifespan):
            given = _yielded_names(model, lifespan)
            if given is None:
                return None
            names.update(given)
        if "asynccontextmanager" in module.source.text:
            # Some app may get it as its lifespan where that cannot be seen.
            for function in module.index.functions:
                if any("asynccontextmanager" in ast.unparse(d) for d in function.decorator_list):
                    names.update(_yielded_by(model, Function(module, function)) or ())
        if "state" in module.source.text:
            for name in _written_in(module):
                if name is None:
                    return None
                names.add(name)
    return frozenset(names)


def _is_served_elsewhere(model: Model, uses: Uses) -> bool:
    """Whether others make the app, with middleware of their own: `build("shop", [router])`."""
    project = model.project_of(uses)
    if project.apps or not project.routers:
        return False
    for module in uses.modules:
        for call in module.index.nodes(ast.Call):
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            listed = [
                e for each in given if isinstance(each, ast.List | ast.Tuple) for e in each.elts
            ]
            if any(
                isinstance(each, ast.Name | ast.Attribute)
                and project.nodes_of(model.resolve(module, each))
                for each in (*given, *listed)
            ) and not (isinstance(call.func, ast.Attribute) and call.func.attr == "include_router"):
                return True
    return False


def _yielded_names(model: Model, lifespan: Lifespan) -> set[str] | None:
    """The keys of the dictionary that a lifespan yields: they become the requests' state."""
    target = lifespan.target
    return _yielded_by(model, target) if isinstance(target, Function) else None


def _yielded_by(model: Model, target: Function) -> set[str] | None:
    names: set[str] = set()
    for node in target.module.index.own_nodes(target.node):
        if not isinstance(node, ast.Yield) or node.value is None:
            continue
        value = model.resolve(target.module, node.value)
        if value == Constant(None):
            continue
        keys: set[str] | None = None
        match value:
            case Expression():
                keys = _keys(model, value.module, value.node)
            case Instance(call=ast.Call() as call) if model.is_instance(value, *_MAPPINGS):
                keys = _keywords_of(call)
        if keys is None:
            return None
        names.update(keys)
    return names


def _keywords_of(call: ast.Call) -> set[str] | None:
    """The keys of `State(engine=engine)` or `dict(engine=engine)`; `None` if one is unknown."""
    names = {keyword.arg for keyword in call.keywords}
    return None if call.args or None in names else {name for name in names if name is not None}


def _keys(model: Model, module: Module, node: ast.expr, depth: int = 0) -> set[str] | None:
    """The keys of a dictionary as it is written, `**others` included; `None` if one is unknown."""
    if not isinstance(node, ast.Dict) or depth > _NESTED:
        return None
    names: set[str] = set()
    for key, given in zip(node.keys, node.values, strict=True):
        if key is not None:
            text = model.text(module, key)
            found = None if text is None else {text}
        else:
            written = model.resolver.written(module, given)
            is_changed_there = isinstance(given, ast.Name) and is_changed(module, given)
            found = _keys(model, *written, depth + 1) if written and not is_changed_there else None
        if found is None:
            return None
        names |= found
    return names


def _written_in(module: Module) -> Iterator[str | None]:
    """Names set on something called `state`; `None` for a write whose name cannot be told."""
    aliases = {
        target.id
        for node in module.index.nodes(ast.Assign)
        if _is_state(node.value) or _is_its_mapping(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in module.index.nodes(ast.Attribute):
        if isinstance(node.ctx, ast.Store) and (
            _is_state(node.value) or (isinstance(node.value, ast.Name) and node.value.id in aliases)
        ):
            yield node.attr
    for item in module.index.nodes(ast.Subscript):
        if isinstance(item.ctx, ast.Store) and (
            _is_its_mapping(item.value)
            or (isinstance(item.value, ast.Name) and item.value.id in aliases)
        ):
            yield _text(item.slice)
    for call in module.index.nodes(ast.Call):
        func = call.func
        if isinstance(func, ast.Name) and func.id == "setattr" and len(call.args) == 3:
            owner = call.args[0]
            if _is_state(owner) or (isinstance(owner, ast.Name) and owner.id in aliases):
                yield _text(call.args[1])
        elif isinstance(func, ast.Attribute) and func.attr in {"update", "setdefault"}:
            owner = func.value
            if _is_its_mapping(owner) or (isinstance(owner, ast.Name) and owner.id in aliases):
                if func.attr == "setdefault" and call.args:
                    yield _text(call.args[0])
                elif call.args:
                    yield None
                else:  # `update(name=value)`
                    yield from (keyword.arg for keyword in call.keywords)


def _is_state(node: ast.expr) -> bool:
    """`request.state`, or a local variable named so."""
    return (isinstance(node, ast.Attribute) and node.attr in {"state", "_state"}) or (
        isinstance(node, ast.Name) and node.id.endswith("state")
    )


def _is_its_mapping(node: ast.expr) -> bool:
    """What holds the names of a state: `scope["state"]`, `request.state._state`, `vars(state)`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value="state")):
            return True
        case ast.Attribute(attr="_state" | "__dict__", value=owner):
            return _is_state(owner)
        case ast.Call(func=ast.Name(id="vars"), args=[owner]):
            return _is_state(owner)
        case ast.Call(
            func=ast.Attribute(attr="get" | "setdefault"), args=[ast.Constant(value="state"), *_]
        ):
            return True
        case _:
            return _is_state(node)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


#: The names that some code of the project sets on a state; `None` if not all can be told.
written_names = PerProject(_written)
