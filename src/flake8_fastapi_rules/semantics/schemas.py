"""Models: their fields, and which of them are request bodies and answers."""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, is_ellipsis
from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.requirements import Bounds, requirement_of
from flake8_fastapi_rules.semantics.facts import Parameter, ParameterKind, Route, RouteKind
from flake8_fastapi_rules.semantics.framework import SEQUENCE_TYPES, path_parameters
from flake8_fastapi_rules.semantics.parameters import fields_of
from flake8_fastapi_rules.semantics.per_project import PerClass, PerProject
from flake8_fastapi_rules.semantics.responses import answer_classes, model_classes, response_type
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Endpoint
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.uses import Uses

_FIELD_FUNCTIONS = ("pydantic.Field", "sqlmodel.Field")
_BODY_KINDS = frozenset({ParameterKind.BODY, ParameterKind.FORM})
_QUERY_KINDS = frozenset({ParameterKind.QUERY, ParameterKind.HEADER, ParameterKind.COOKIE})


@record
class SchemaField:
    """One field of a model, its own or inherited.

    Parameters:
        module, node: the annotated assignment and where it stands.
        name: the field's name in Python.
        field_call: the `Field(...)` that describes it, as default or in `Annotated`.
    """

    module: Module
    node: ast.AnnAssign
    name: str
    field_call: ast.Call | None

    def argument(self, name: str) -> ast.expr | None:
        """A keyword argument of `Field(...)`."""
        if self.field_call is None:
            return None
        return next((k.value for k in self.field_call.keywords if k.arg == name), None)

    @property
    def has_default(self) -> bool:
        """Whether the field can be left out."""
        value = self.node.value
        if value is None or value is not self.field_call:
            given = self.argument("default_factory") or self.argument("default")
            return (value is not None and not is_ellipsis(value)) or given is not None
        assert self.field_call is not None
        if self.argument("default_factory") is not None:
            return True
        first = self.field_call.args[0] if self.field_call.args else None
        values = [each for each in (first, self.argument("default")) if each is not None]
        if values:
            return not all(map(is_ellipsis, values))
        return any(keyword.arg is None for keyword in self.field_call.keywords)

    @property
    def defaults_to_none(self) -> bool:
        """Whether the field is `None` when it is left out."""
        value = self.node.value
        if value is None or value is self.field_call:
            given = self.field_call.args[:1] if self.field_call else []
            value = given[0] if given else self.argument("default")
        return value is not None and _is_none(value)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _schema_fields(model: Model, cls: Class) -> Iterator[SchemaField]:
    for module, statement in fields_of(model.resolver, cls):
        assert isinstance(statement.target, ast.Name)
        name = statement.target.id
        if name.startswith("_") or name == "model_config":
            continue
        yield SchemaField(module, statement, name, _field_call(model, module, statement))


#: The fields of a model, those of its bases first, without class variables and private ones.
schema_fields = PerClass(_schema_fields)


def own_fields(model: Model, cls: Class) -> Iterator[SchemaField]:
    """The fields that a model itself declares."""
    own = set(cls.node.body)
    return (each for each in schema_fields(model, cls) if each.node in own)


def _field_call(model: Model, module: Module, statement: ast.AnnAssign) -> ast.Call | None:
    candidates = [(module, statement.value)] if statement.value is not None else []
    candidates += [
        (h, n) for h, n in model.resolver.annotations.metadata(module, statement.annotation)
    ]
    for home, node in candidates:
        value = model.resolve(home, node)
        if isinstance(value, Instance) and value.call is node:
            if isinstance(node, ast.Call) and model.is_instance(value, *_FIELD_FUNCTIONS):
                return node
    return None


@record
class SchemaUse:
    """One place where a model is a request body or an answer.

    Parameters:
        module, node: the parameter, `response_model` or return annotation.
        route: the operation.
        is_nested: the model is a field's type, not the one that the place names.
    """

    module: Module
    node: ast.AST
    route: Route
    is_nested: bool


@dataclass(slots=True)
class SchemaUses:
    """What the models of a project are used for, by the class's node.

    Dataclasses, typed dicts and named tuples of bodies and answers are models, too.

    Parameters:
        classes: all of these models, and their bases.
        answers: the models in `responses`, and their bases.
        queries: the models that gather query parameters, headers or cookies, and their bases.
        answering: the modules that define models in `responses`.
    """

    bodies: defaultdict[ast.ClassDef, list[SchemaUse]] = field(
        default_factory=lambda: defaultdict(list)
    )
    responses: defaultdict[ast.ClassDef, list[SchemaUse]] = field(
        default_factory=lambda: defaultdict(list)
    )
    classes: set[ast.ClassDef] = field(default_factory=set)
    answers: set[ast.ClassDef] = field(default_factory=set)
    queries: set[ast.ClassDef] = field(default_factory=set)
    answering: set[Module] = field(default_factory=set)


def _gather(model: Model, uses: Uses) -> SchemaUses:
    found = SchemaUses()
    for node, routes in list(uses.routes.items()):
        for route in routes:
            if route.kind is not RouteKind.HTTP or not isinstance(node, FUNCTIONS):
                continue
            declared = response_type(model, route)
            if declared is not None:
                direct = list(answer_classes(model, declared.module, declared.node))
                used = [*direct, *nested_models(model, direct)]
                _add(found.responses, used, len(direct), declared.module, declared.node, route)
                found.answers.update(_with_bases(model, used))
                found.answering.update(cls.module for cls in used)
            for parameter in body_parameters(model, route):
                direct = list(answer_classes(model, parameter.type_module, parameter.type_node))
                used = [*direct, *nested_models(model, direct)]
                _add(found.bodies, used, len(direct), parameter.module, parameter.node, route)
                found.classes.update(_with_bases(model, used))
            for parameter in _parameters(model, route):
                if parameter.kind in _QUERY_KINDS and parameter.marker is not None:
                    direct = list(answer_classes(model, parameter.type_module, parameter.type_node))
                    found.queries.update(_with_bases(model, direct))
    found.classes |= found.answers
    return found


def _add(
    table: defaultdict[ast.ClassDef, list[SchemaUse]],
    used: list[Class],
    direct: int,
    module: Module,
    node: ast.AST,
    route: Route,
) -> None:
    """Note the uses of models, the first `direct` of which the place itself names."""
    for position, cls in enumerate(used):
        table[cls.node].append(SchemaUse(module, node, route, is_nested=position >= direct))


def _with_bases(model: Model, classes: list[Class]) -> Iterator[ast.ClassDef]:
    for cls in classes:
        for base in model.resolver.mro(cls):
            if isinstance(base, Class):
                yield base.node


_schema_uses = PerProject(_gather)


def schema_uses(model: Model, module: Module) -> SchemaUses:
    """What the models of the project around `module` are used for."""
    return _schema_uses(model, module)


def is_part_of_settings(model: Model, module: Module, node: ast.ClassDef) -> bool:
    """Whether a model is the type of a field of settings that its own module defines."""
    settings = [each.cls for each in model.models(module) if each.kind == "settings"]
    return bool(settings) and any(
        node in set(_with_bases(model, [part])) for part in nested_models(model, settings)
    )


def nested_models(model: Model, classes: list[Class]) -> Iterator[Class]:
    """The models and records that fields of models name, at any depth, these models left out."""
    seen = set(classes)
    queue = list(classes)
    while queue:
        for cls in _named_models(model, queue.pop()):
            if cls not in seen:
                seen.add(cls)
                queue.append(cls)
                yield cls


def _models_of_fields(model: Model, cls: Class) -> Iterator[Class]:
    for each in schema_fields(model, cls):
        yield from answer_classes(model, each.module, each.node.annotation)


_named_models = PerClass(_models_of_fields)


def body_parameters(model: Model, route: Route) -> Iterator[Parameter]:
    """The parameters of a route's endpoint that take the body."""
    return (p for p in _parameters(model, route) if p.kind in _BODY_KINDS)


def json_body_models(model: Model, endpoint: Endpoint) -> Iterator[Class]:
    """The project's models in the body of an endpoint, also in lists; not those of forms."""
    for parameter in model.parameters(
        Function(endpoint.module, endpoint.node, endpoint.view_class)
    ):
        if parameter.kind is ParameterKind.BODY:
            yield from model_classes(model, parameter.type_module, parameter.type_node)


def _parameters(model: Model, route: Route) -> tuple[Parameter, ...]:
    """The parameters of a route's endpoint."""
    function = route.function
    if function is None:
        return ()
    return model.parameters(function, frozenset(path_parameters(route.path or "")))


def config_values(model: Model, cls: Class) -> dict[str, tuple[Module, ast.expr]] | None:
    """The settings of a model, from `model_config`, `class Config` and class keywords, bases too.

    `None` when a part of them cannot be told.
    """
    found: dict[str, tuple[Module, ast.expr]] = {}
    for base in reversed(model.resolver.mro(cls)):
        if not isinstance(base, Class):
            continue
        for statement in base.node.body:
            match statement:
                case ast.ClassDef(name="Config"):
                    if statement.bases:
                        return None
                    for inner in statement.body:
                        if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
                            found[inner.targets[0].id] = base.module, inner.value
                case (
                    ast.Assign(targets=[ast.Name(id="model_config")], value=value)
                    | ast.AnnAssign(target=ast.Name(id="model_config"), value=ast.expr() as value)
                ):
                    items = _config_items(model, base.module, value)
                    if items is None:
                        return None
                    found.update(items)
        for keyword in base.node.keywords:
            if keyword.arg is None:  # `class Item(BaseModel, **settings)`
                return None
            found[keyword.arg] = base.module, keyword.value
    return found


def _config_items(
    model: Model, module: Module, node: ast.expr
) -> dict[str, tuple[Module, ast.expr]] | None:
    if isinstance(node, ast.Dict):
        found: dict[str, tuple[Module, ast.expr]] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return None
            found[key.value] = module, value
        return found
    if not isinstance(node, ast.Call) or node.args:
        return None
    if any(keyword.arg is None for keyword in node.keywords):
        return None
    if not isinstance(model.resolve(module, node.func), External):
        return None
    return {k.arg: (module, k.value) for k in node.keywords if k.arg is not None}


def is_true(model: Model, module: Module, node: ast.expr | None) -> bool:
    """Whether an expression is the constant `True`."""
    return model.resolve(module, node) == Constant(True)


def dumped_model(model: Model, module: Module, call: ast.Call) -> Instance | None:
    """The Pydantic object whose method a call is, or that `dict(body)` copies, if it is one."""
    if isinstance(call.func, ast.Attribute):
        value = model.resolve(module, call.func.value)
    elif len(call.args) == 1 and model.resolve(module, call.func) == External("builtins.dict"):
        value = model.resolve(module, call.args[0])
    else:
        return None
    if isinstance(value, Instance) and model.is_instance(value, "pydantic.BaseModel"):
        return value
    return None


def excluded_names(dump: ast.Call) -> frozenset[object]:
    """The fields that `model_dump(exclude={"name"})` leaves out, as far as they are written out."""
    match argument(dump, "exclude"):
        case ast.Set(elts=names) | ast.List(elts=names) | ast.Tuple(elts=names):
            return frozenset(each.value for each in names if isinstance(each, ast.Constant))
        case _:
            return frozenset()


def dumped_fields(
    model: Model, module: Module, node: ast.expr | None
) -> tuple[Instance, tuple[SchemaField, ...]] | None:
    """What a dump of a model (`body.model_dump()`, or a name bound to one) contains.

    Returns:
        The model's object and the fields that the call does not leave out; `None` when it is no
        dump, or when they cannot be told.
    """
    if isinstance(node, ast.Name):
        found = module.index.lookup(node.id, node)
        values = [binding.value for binding in found[1]] if found else []
        node = values[0] if len(values) == 1 else None
    if not isinstance(node, ast.Call):
        return None
    dumped = dumped_model(model, module, node)
    if dumped is None or not isinstance(dumped.of, Class):
        return None
    if isinstance(node.func, ast.Attribute) and node.func.attr not in {"dict", "model_dump"}:
        return None
    arguments = {k.arg: k.value for k in node.keywords}
    if "include" in arguments or None in arguments:
        return None
    excluded: set[object] = set()
    if "exclude" in arguments:
        elements = model.elements(module, arguments["exclude"])
        if elements is None:
            return None
        for home, element in elements:
            value = model.resolve(home, element)
            if isinstance(value, Constant):
                excluded.add(value.value)
    fields = (each for each in schema_fields(model, dumped.of) if each.name not in excluded)
    return dumped, tuple(fields)


@lru_cache(maxsize=4096)
def _bounds(directory: Path, distribution: str) -> Bounds | None:
    requirement = requirement_of(directory, distribution)
    if requirement is not None:
        return requirement.bounds
    if directory.parent == directory or os.path.exists(directory / ".git"):
        return None
    return _bounds(directory.parent, distribution)


def needs_python(module: Module, *version: int) -> bool:
    """Whether a module's project says that it runs on this Python or a newer one only."""
    bounds = _bounds(module.path.parent, "python")
    return bounds is not None and bounds.lower is not None and bounds.lower >= version


def is_pydantic_2(module: Module) -> bool:
    """Whether a module's project may use Pydantic 2: nothing says that it has to be older."""
    bounds = _bounds(module.path.parent, "pydantic")
    return bounds is None or bounds.below is None or bounds.below > (2,)


def may_leave_out_fields(model: Model, module: Module, value: Value | None) -> bool:
    """Whether a value is an object of a model with fields that clients may leave out.

    Parameters:
        module: where it is taken, which decides which Pydantic it is.
    """
    if not isinstance(value, Instance) or not isinstance(value.of, Class):
        return False
    if not model.is_instance(value, "pydantic.BaseModel"):
        return False
    fields = schema_fields(model, value.of)
    if any(each.has_default for each in fields):
        return True
    # To Pydantic 1 what may be `None` may be left out as well.
    return not is_pydantic_2(module) and any(
        model.allows_none(each.module, each.node.annotation) for each in fields
    )


def names_of_other_defaults(model: Model, value: Value) -> set[str]:
    """The fields of a model's object that are not `None` when they are left out."""
    if not isinstance(value, Instance) or not isinstance(value.of, Class):
        return set()
    return {
        each.name
        for each in schema_fields(model, value.of)
        if each.has_default and not each.defaults_to_none
    }


def item_of_sequence(value: Value) -> Value | None:
    """What the items of a list or another sequence are, where its type says so."""
    match value:
        case Instance(of=External(name), args=[item]) if name in SEQUENCE_TYPES:
            return item
        case _:
            return None


def schema_classes(model: Model, module: Module) -> set[ast.ClassDef]:
    """The models that bodies and answers of a project are made of, and the bases of these."""
    return _schema_uses(model, module).classes
