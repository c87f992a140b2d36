"""Where a module uses what Pydantic 2 has only for compatibility, or not any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from flake8_fastapi_rules.semantics.bases import is_made_model
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.pydantic_changes import (
    CONFIG_KEYS,
    FIELD_ARGUMENTS,
    HOOKS,
    METHODS,
    MOVED_IMPORTS,
    MOVED_NAMES,
    OBJECT_METHODS,
    RENAMED_ARGUMENTS,
    TYPE_ARGUMENTS,
    VALIDATORS,
)
from flake8_fastapi_rules.semantics.values import Class, External, FunctionNode, Instance

_BASE_MODEL: Final = External("pydantic.BaseModel")


class OldKind(Enum):
    """What of Pydantic 1 is used."""

    CONFIG_CLASS = "class Config"
    CONFIG_KEY = "a key of model_config"
    ROOT = "__root__"
    VALIDATOR = "a decorator"
    REUSED_VALIDATOR = "a validator made of another function"
    SETTINGS = "BaseSettings"
    IMPORT = "an import"
    NAME = "a name of the module"
    HOOK = "a hook of a type"
    METHOD = "a method or attribute of a model"
    ARGUMENT = "an argument"


@dataclass(frozen=True, slots=True)
class OldUse:
    """One use of Pydantic 1.

    Parameters:
        place: what its author would change.
        old, new: the names, as written; `new` is empty for what is gone.
        owner: what `place` belongs to: the function of a decorator, the call of an argument, the
            call or dictionary of a key, the statement that binds `__root__`, the attribute that
            names a method.
        model: the model that is configured.
        of: the class that has the method, `pydantic.BaseModel` where any model may be meant.
    """

    kind: OldKind
    place: ast.AST
    old: str = ""
    new: str = ""
    owner: ast.AST | None = None
    model: PydanticModel | None = None
    of: Class | External | None = None


def old_uses_in_model(model: Model, found: PydanticModel) -> Iterator[OldUse]:
    """Old configuration and old validators of a model, if they are Pydantic's to read."""
    if not _is_of_pydantic(model, found.cls):
        return
    for statement in found.node.body:
        match statement:
            case ast.ClassDef(name="Config"):
                yield OldUse(OldKind.CONFIG_CLASS, statement, model=found)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _validators(model, found.module, statement)
            case (
                ast.Assign(targets=[ast.Name(id="__root__") as target])
                | ast.AnnAssign(target=ast.Name(id="__root__") as target)
            ):
                yield OldUse(OldKind.ROOT, target, "__root__", "RootModel", statement, found)
            case (
                ast.Assign(targets=[ast.Name(id="model_config")], value=config)
                | ast.AnnAssign(target=ast.Name(id="model_config"), value=config)
            ) if isinstance(config, ast.Call | ast.Dict):
                yield from _keys(config)


def old_uses_elsewhere(model: Model, module: Module) -> Iterator[OldUse]:
    """Old imports, validators of no model, hooks, methods and arguments in a module."""
    index = module.index
    for statement in index.nodes(ast.ImportFrom):
        if not statement.level and not _is_tried(module, statement):
            for alias in statement.names:
                name = f"{statement.module}.{alias.name}"
                if name == "pydantic.BaseSettings":
                    yield OldUse(OldKind.SETTINGS, alias)
                elif new := MOVED_IMPORTS.get(name):
                    yield OldUse(OldKind.IMPORT, alias, name, new)
    if "validator" in module.source.text:
        models = {fact.node for fact in model.models(module)}
        for function in index.functions:
            if index.class_of(function) not in models:
                yield from _validators(model, module, function)
    for cls in index.nodes(ast.ClassDef):
        yield from _hooks(cls)
    for node in index.nodes(ast.Attribute):
        if node.attr in METHODS:
            yield from _method(model, module, node)
        elif node.attr in MOVED_NAMES and isinstance(node.value, ast.Name):
            yield from _moved(model, module, node)
    for call in index.nodes(ast.Call):
        yield from _arguments(model, module, call)
        yield from _reused(model, module, call)


def is_written_for_both(module: Module, node: ast.Attribute) -> bool:
    """Whether the code around a method's old name asks which Pydantic there is."""
    function = module.index.function_of(node)
    if function is not None and METHODS[node.attr] in ast.dump(function):
        return True
    return _is_tried(module, function or node)


def written_keys(config: ast.AST) -> Iterator[tuple[ast.keyword | ast.expr, str]]:
    """The keys of `ConfigDict(...)` or of a dictionary, each with its place."""
    if isinstance(config, ast.Dict):
        for key in config.keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key, key.value
    elif isinstance(config, ast.Call):
        yield from ((keyword, keyword.arg) for keyword in config.keywords if keyword.arg)


def _is_of_pydantic(model: Model, cls: Class) -> bool:
    return not any(
        isinstance(base, External) and base.name.startswith(("pydantic.v1.", "ormar.", "odmantic."))
        for base in model.resolver.mro(cls)
    )


def _is_tried(module: Module, node: ast.AST) -> bool:
    return any(isinstance(each, ast.Try | ast.If) for each in module.index.ancestors(node))


def _keys(config: ast.Call | ast.Dict) -> Iterator[OldUse]:
    for place, old in written_keys(config):
        if old in CONFIG_KEYS:
            yield OldUse(OldKind.CONFIG_KEY, place, old, CONFIG_KEYS[old], config)


def _validators(model: Model, module: Module, function: FunctionNode) -> Iterator[OldUse]:
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if names := _validator(model, module, target):
            yield OldUse(OldKind.VALIDATOR, decorator, *names, function)


def _reused(model: Model, module: Module, call: ast.Call) -> Iterator[OldUse]:
    """`checked = validator("name")(function)`."""
    if isinstance(call.func, ast.Call) and (names := _validator(model, module, call.func.func)):
        yield OldUse(OldKind.REUSED_VALIDATOR, call.func, *names)


def _validator(model: Model, module: Module, node: ast.expr) -> tuple[str, str] | None:
    value = model.resolve(module, node)
    new = VALIDATORS.get(value.name) if isinstance(value, External) else None
    if new is None or not isinstance(value, External):
        return None
    return value.name.removeprefix("pydantic."), new


def _moved(model: Model, module: Module, node: ast.Attribute) -> Iterator[OldUse]:
    """`pydantic.BaseSettings` and its like, written with the module's name."""
    if model.resolve(module, node.value) != External("pydantic") or _is_tried(module, node):
        return
    if node.attr == "BaseSettings":
        yield OldUse(OldKind.SETTINGS, node)
    elif new := MOVED_IMPORTS.get(f"pydantic.{node.attr}"):
        yield OldUse(OldKind.NAME, node, node.attr, new)


def _hooks(cls: ast.ClassDef) -> Iterator[OldUse]:
    """Old hooks of a type that has no new ones."""
    methods = {each.name: each for each in cls.body if isinstance(each, ast.FunctionDef)}
    if methods.keys().isdisjoint(HOOKS.values()):
        for old in HOOKS.keys() & methods.keys():
            yield OldUse(OldKind.HOOK, methods[old], old, HOOKS[old])


def _method(model: Model, module: Module, node: ast.Attribute) -> Iterator[OldUse]:
    """An old method of an object or class that certainly is a model."""
    owner = model.resolve(module, node.value)
    is_open = not owner or (node.attr != "copy" and model.is_instance(owner, "builtins.dict"))
    if is_open and isinstance(node.value, ast.Name):
        owner = model.resolver.annotations.bound_of(module, node.value)
    cls = owner.of if isinstance(owner, Instance) else owner
    if isinstance(owner, Instance):
        if not model.is_instance(owner, "pydantic.BaseModel"):
            return
    elif node.attr in OBJECT_METHODS or not (
        owner == _BASE_MODEL or model.is_subclass(owner, "pydantic.BaseModel")
    ):
        return
    if isinstance(cls, Class):
        found = model.resolver.class_attribute(cls, node.attr, instance=True)
        if not isinstance(found, External) or not model.resolver.has_known_bases(cls):
            return  # a method or field of its own
        if not _is_of_pydantic(model, cls):
            return
    elif is_written_for_both(module, node) or not (cls == _BASE_MODEL or is_made_model(cls)):
        return
    parent = module.index.parents.get(node)
    is_called = isinstance(parent, ast.Call) and parent.func is node
    if is_called or node.attr.startswith("__"):
        place = parent if is_called and parent is not None else node
        of = cls if isinstance(cls, Class) else _BASE_MODEL
        yield OldUse(OldKind.METHOD, place, node.attr, METHODS[node.attr], node, of=of)


def _arguments(model: Model, module: Module, call: ast.Call) -> Iterator[OldUse]:
    if RENAMED_ARGUMENTS.isdisjoint(keyword.arg for keyword in call.keywords):
        return
    callee = model.library_object(module, call.func)
    renamed: Mapping[str, str] = TYPE_ARGUMENTS.get(callee.name, {}) if callee else {}
    if model.is_instance(model.resolve(module, call), "pydantic.Field"):
        renamed = FIELD_ARGUMENTS
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg in renamed:
            yield OldUse(OldKind.ARGUMENT, keyword, keyword.arg, renamed[keyword.arg], call)
