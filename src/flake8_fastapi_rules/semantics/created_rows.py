"""Which functions put new objects into a database, and give them back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import mentions
from flake8_fastapi_rules.semantics.facts import ParameterKind
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.libraries import ORM_WRITES, SESSION_WRITES, is_in
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.calls import CallSite
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_INSERTS = tuple(
    External(f"sqlalchemy.{home}insert")
    for home in ("", "sql.expression.", "dialects.postgresql.", "dialects.sqlite.")
)
_DELETES = (External("sqlalchemy.delete"), External("sqlmodel.delete"))
#: Methods of classes of rows, and of helpers for them, that answer with a new object.
_CREATIONS = frozenset({"create", "create_model"})
#: Methods of new objects that store them.
_STORING = frozenset({"create", "insert", "save"})
#: What methods of repositories that store a new object are called.
_KEEPING = (["add"], ["create"], ["insert"], ["save"], ["store"])
#: Class methods that make a new object of other data.
_CONVERTERS = frozenset({"from_orm", "model_validate", "parse_obj"})
#: How many functions what was stored may come through.
_DEPTH = 3


def gives_new_row(
    model: Model, function: Function, follows: Callable[[list[str], int], bool], distance: int = 0
) -> bool:
    """Whether a function gives back a new object that it stored, or that what it calls stored.

    `item = Item(...)`, `session.add(item)` and `return item`, or `return await Item.create(...)`.

    Parameters:
        follows: whether to look into a called function, by the words of its name and how many
            calls away it is (1: called by the function itself).
        distance: how many calls away from the function asked about this one is.
    """
    module = function.module
    sites = {site.node: site for site in model.effects.calls(function)}
    sent = _sent(model, function) if not distance else frozenset[str]()
    stored: set[str] = set()
    given: dict[str, list[ast.expr]] = {}
    for node in module.index.own_nodes(function.node):
        match node:
            case ast.Call(func=ast.Attribute() as func) if not _is_in_place_of_change(module, node):
                name = _stored_name(model, module, func, node, sent)
                if name is None and node in sites:
                    name = _handed_to_repository(model, sites[node])
                if name is not None:
                    stored.add(name)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                given.setdefault(name, []).append(value)
    for statement in returns_of(module, function.node):
        answer = _unconverted(statement.value)
        if isinstance(answer, ast.Name):
            if answer.id in stored:
                return True
            assigned = given.get(answer.id, [])
            answer = _unconverted(assigned[0]) if len(assigned) == 1 else None
        match answer:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if (
                attr in _STORING and name in stored
            ):
                return True  # `return await item.insert()`
        site = sites.get(answer) if isinstance(answer, ast.Call) else None
        if site is None:
            continue
        if isinstance(site.callee, External) and is_in(site.callee.name, ORM_WRITES):
            method = site.callee.name.rpartition(".")[2]
            if method in _CREATIONS or (method in _STORING and _is_of_new(model, site)):
                return True
        if distance < _DEPTH and site.target is not None and not isinstance(site.callee, Class):
            words = words_of(_called_name(site.target))
            if follows(words, distance + 1):
                if gives_new_row(model, site.target, follows, distance + 1):
                    return True
    return False


def classes_of_new_rows(model: Model, module: Module, function: FunctionNode) -> Iterator[str]:
    """The names of the classes whose new objects a function itself stores.

    `session.add(Hero(...))` and `insert(Hero)`.
    """
    resolver = model.resolver
    for node in module.index.own_nodes(function):
        match node:
            case ast.Call(func=ast.Attribute(attr="add") as func, args=[ast.expr() as made]):
                value = resolver.resolve(module, made)
                if _is_in_place_of_change(module, node):
                    continue
                if _is_made_here(model, value) and any(
                    is_in(name, SESSION_WRITES)
                    for name in resolver.names_of(resolver.resolve(module, func))
                ):
                    yield _name_of_class(value)
            case ast.Call(func=func, args=[ast.Name(id=name)]) if (
                resolver.resolve(module, func) in _INSERTS
            ):
                yield name


def deletes_rows(model: Model, module: Module, function: FunctionNode) -> bool:
    """Whether a function itself deletes rows: what it stores takes the place of others."""
    return any(
        isinstance(node, ast.Call)
        and (
            model.resolve(module, node.func) in _DELETES
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "delete")
        )
        for node in module.index.own_nodes(function)
    )


def _is_in_place_of_change(module: Module, node: ast.AST) -> bool:
    """Whether a branch stores where the other one changes what was found: put, not created."""
    child = node
    for parent in module.index.ancestors(node):
        if isinstance(parent, ast.If):
            others = parent.body if child in parent.orelse else parent.orelse
            if any(
                isinstance(target, ast.Attribute) and mentions(parent.test, _names_in(target))
                for other in others
                if isinstance(other, ast.Assign)
                for target in other.targets
            ):
                return True
        child = parent
    return False


def _names_in(target: ast.Attribute) -> frozenset[str]:
    return frozenset({target.value.id}) if isinstance(target.value, ast.Name) else frozenset()


def _is_of_new(model: Model, site: CallSite) -> bool:
    """`Item(...).insert()`"""
    match site.node.func:
        case ast.Attribute(value=ast.Call() as made):
            return _is_made_here(model, model.resolve(site.module, made))
    return False


def _sent(model: Model, function: Function) -> frozenset[str]:
    """The parameters that the body of the request fills: objects that are new."""
    return frozenset(p.name for p in model.parameters(function) if p.kind is ParameterKind.BODY)


def _stored_name(
    model: Model, module: Module, func: ast.Attribute, call: ast.Call, sent: frozenset[str]
) -> str | None:
    """The variable whose new object `session.add(item)` or `item.insert()` stores."""
    resolver = model.resolver
    names = resolver.names_of(resolver.resolve(module, func))
    match call:
        case ast.Call(func=ast.Attribute(attr="add"), args=[ast.Name() as made]):
            writes: Collection[str] = SESSION_WRITES
        case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name() as made)) if attr in _STORING:
            writes = ORM_WRITES
        case _:
            return None
    if not any(is_in(name, writes) for name in names):
        return None
    value = resolver.resolve(module, made)
    is_new = _is_made_here(model, value) if value else _looks_made_here(made, module)
    return made.id if is_new or made.id in sent else None


def _handed_to_repository(model: Model, site: CallSite) -> str | None:
    """The variable whose new object a method of the project stores: `accounts.add(account)`."""
    match site.node:
        case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Name() as made]) if (
            site.target is not None and words_of(attr)[:1] in _KEEPING
        ):
            if _is_made_here(model, model.resolve(site.module, made)):
                kept = model.effects.writes(site.target, local=False)
                return made.id if kept is not None else None
    return None


def _called_name(target: Function) -> str:
    """The name that says what a call does: of an object that is called, its class has it."""
    name = getattr(target.node, "name", "")
    return target.owner.node.name if name == "__call__" and target.owner is not None else name


def _is_made_here(model: Model, value: Value) -> bool:
    if not isinstance(value, Instance) or value.call is None or value.module is None:
        return False
    if isinstance(value.of, External):  # a class of a module that is not there
        return value.of.name.rpartition(".")[2][:1].isupper()
    made = value.call.func
    if isinstance(made, ast.Attribute) and made.attr in _CONVERTERS:
        made = made.value
    return model.resolve(value.module, made) == value.of


def _looks_made_here(name: ast.Name, module: Module) -> bool:
    """`item = Item(...)` with a class that cannot be found."""
    found = module.index.lookup(name.id, name)
    if found is None or len(found[1]) != 1:
        return False
    statement = module.index.statement_of(found[1][0].node)
    made = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if not isinstance(made, ast.Call):
        return False
    called = made.func
    last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return str(last)[:1].isupper()


def _unconverted(node: ast.expr | None) -> ast.expr | None:
    """What is answered, without `await` and the converter of a schema around it."""
    while True:
        match node:
            case ast.Await(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute(attr=attr), args=[inner, *_]) if attr in _CONVERTERS:
                node = inner
            case _:
                return node


def _name_of_class(value: Value) -> str:
    cls = value.of if isinstance(value, Instance) else None
    if isinstance(cls, External):
        return cls.name.rpartition(".")[2]
    return cls.node.name if cls is not None else ""
