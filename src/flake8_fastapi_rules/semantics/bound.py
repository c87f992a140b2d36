"""Which names of a path the endpoint behind it and its dependencies take."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Dependency, Parameter, ParameterKind, Route
from flake8_fastapi_rules.semantics.framework import path_parameters
from flake8_fastapi_rules.semantics.parameters import fields_of, parameter_of
from flake8_fastapi_rules.semantics.schemas import config_values, schema_fields
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.graph import Options, RouterNode
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.project import Project

_CONNECTIONS = ("starlette.requests.HTTPConnection",)
#: Attributes of a request that tell nothing of the path's parameters.
_UNRELATED = frozenset(
    {
        "app", "state", "headers", "cookies", "query_params", "client", "method", "session", "user",
        "auth", "json", "body", "form", "stream", "is_disconnected", "base_url",
        "accept", "send_text", "send_json", "send_bytes", "receive_text", "receive_json",
        "receive_bytes", "close", "iter_text", "iter_json", "iter_bytes", "url_for",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BoundNames:
    """The names that a route's parameters take.

    Parameters:
        path: from the path, by name or alias.
        query: from the query string although written without a marker, in the endpoint itself.
    """

    path: frozenset[str]
    query: tuple[str, ...]


def bound_names(model: Model, route: Route) -> BoundNames | None:
    """The names that a route takes; `None` when some dependency or decorator cannot be told."""
    function = route.function
    if function is None or not has_own_signature(model, function):
        return None
    inherited = inherited_dependencies(model, route)
    if inherited is None:
        return None
    names = frozenset(own_parameters(model, route)) | frozenset(prefix_parameters(model, route))
    collector = _Collector(model, names)
    collector.function(function)
    if route.view_class is not None and not _is_bound(model, route):
        collector.view(route.view_class)
    for dependency in inherited:
        collector.dependency(dependency)
    if not collector.is_complete:
        return None
    parameters = model.parameters(function, names)
    query = tuple(p.name for p in parameters if p.kind is ParameterKind.QUERY and p.marker is None)
    return BoundNames(frozenset(collector.names), query)


def _is_bound(model: Model, route: Route) -> bool:
    """Whether the object is there already: `router.add_api_route("/items", self.list_items)`."""
    given = model.resolve(route.module, route.arguments.get("endpoint"))
    return isinstance(given, Function) and given.bound


def own_parameters(model: Model, route: Route) -> dict[str, str]:
    """The parameters, with their converters, in a route's own path.

    Of a route that a loop or factory gives several paths, the parameters of all of them.
    """
    if route.path is not None:
        return path_parameters(route.path)
    found: dict[str, str] = {}
    for resolved in model.project(route.module).routes_at(route):
        if resolved.local_path is None:
            return {}
        found |= path_parameters(resolved.local_path)
    return found


def prefix_parameters(model: Model, route: Route) -> dict[str, str]:
    """The parameters, with their converters, that prefixes of routers and includes add to a path.

    Only those that are in the path wherever the route is served.
    """
    project = model.project(route.module)
    paths: list[str | None] = [resolved.local_path for resolved in project.routes_at(route)]
    if not paths:
        prefixes = [node.options.prefix for node in project.nodes_of(route.receiver)]
        paths = [prefix if isinstance(prefix, str) else None for prefix in prefixes]
    if not paths or None in paths:
        return {}
    own = own_parameters(model, route)
    found = [path_parameters(path) for path in paths if path is not None]
    return {
        name: converter
        for name, converter in found[0].items()
        if name not in own and all(name in other for other in found)
    }


def inherited_dependencies(model: Model, route: Route) -> list[Dependency] | None:
    """What route, routers, includes and app demand beside the signature; `None` if unknown.

    Also for a route in no app of the project: then its routers count, as far as they are seen.
    """
    project = model.project(route.module)
    reached = project.routes_at(route)
    found: list[Dependency] = []
    if not route.has_unknown_arguments:
        own, complete = model.listed_dependencies(route.module, route.arguments.get("dependencies"))
        if not complete:
            return None
        found.extend(own)
    elif not reached:
        return None
    for resolved in reached:
        if not resolved.dependencies_complete:
            return None
        found.extend(resolved.declared)
    if not reached:  # in no app of the project: what is known are its routers
        for options in _options_around(project, project.nodes_of(route.receiver)):
            if not options.dependencies_complete:
                return None
            found.extend(options.dependencies)
    # `def register(app): @app.get(...)`: whatever that is may bring dependencies along.
    return found if isinstance(route.receiver, Instance) else None


def _options_around(project: Project, nodes: Iterable[RouterNode]) -> Iterator[Options]:
    """What routers, and the includes that lead to them, hand on to their routes."""
    seen: set[int] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node.options
        for parent in project.nodes:
            for include in parent.includes:
                if include.child is node:
                    yield include.options
                    waiting.append(parent)


class _Collector:
    """Collects the names that functions take from the path."""

    def __init__(self, model: Model, wanted: frozenset[str]) -> None:
        self._model = model
        self._wanted = wanted
        self._seen: set[object] = set()
        self.names: set[str] = set()
        self.is_complete = True

    def function(self, function: Function) -> None:
        """Take in a function's parameters and their dependencies."""
        if function.node in self._seen:
            return
        self._seen.add(function.node)
        if not has_own_signature(self._model, function):
            self.is_complete = False
            return
        self._parameters(function, self._model.parameters(function, self._wanted))

    def view(self, cls: Class) -> None:
        """Take in what is injected into the object of a class-based view."""
        resolver = self._model.resolver
        if not resolver.has_known_bases(cls):
            self.is_complete = False
        init = self._model.callable_of(cls)
        if init is not None:
            self.function(init)
        for module, statement in fields_of(resolver, cls):
            if isinstance(statement.target, ast.Name):
                argument = ast.arg(statement.target.id, statement.annotation)
                parameter = parameter_of(
                    resolver,
                    module,
                    ast.copy_location(argument, statement),
                    None,
                    statement.annotation,
                    statement.value,
                    self._wanted,
                )
                self._parameters(None, (parameter,))

    def _parameters(self, function: Function | None, parameters: tuple[Parameter, ...]) -> None:
        for parameter in parameters:
            if parameter.alias is None and _is_renamed(parameter):
                self.is_complete = False  # `Path(alias=name)`
            if parameter.kind is ParameterKind.DEPENDENCY:
                dependency = self._model.dependency_of(parameter)
                if dependency is None:
                    self.is_complete = False
                else:
                    self.dependency(dependency)
            elif parameter.kind is ParameterKind.PATH:
                self._path(parameter)
            elif parameter.kind is ParameterKind.SPECIAL:
                self._special(function, parameter)
            elif parameter.kind is ParameterKind.UNKNOWN:
                self.is_complete = False  # the annotation may be an alias of a dependency
            elif parameter.marker is not None:
                self.names.add(parameter.name)  # what is said to be of the query takes no path
            elif parameter.kind is not ParameterKind.NONE:
                self.names.add(parameter.alias or parameter.name)

    def _path(self, parameter: Parameter) -> None:
        """A path parameter, or a model whose fields are path parameters (`Path()` on a model)."""
        self.names.add(parameter.alias or parameter.name)
        typed = self._model.resolver.annotation(parameter.type_module, parameter.type_node)
        if isinstance(typed, Instance) and isinstance(typed.of, Class):
            self._fields(typed.of)
            for _, field in fields_of(self._model.resolver, typed.of):
                if isinstance(field.target, ast.Name):
                    self.names.add(field.target.id)
        elif self._model.is_instance(typed, "pydantic.BaseModel"):
            self.is_complete = False  # by `create_model(...)`

    def _fields(self, cls: Class) -> None:
        """The names besides those of its fields that fill a model: `itemId`."""
        if not self._model.is_subclass(cls, "pydantic.BaseModel"):
            return
        if not self._model.resolver.has_known_bases(cls):
            self.is_complete = False
        settings = config_values(self._model, cls)
        if settings is None or "alias_generator" in settings:
            self.is_complete = False
        for field in schema_fields(self._model, cls):
            self.names.update(_aliases(field.field_call))

    def _special(self, function: Function | None, parameter: Parameter) -> None:
        """A request: what is read of it by hand counts, also by functions it is passed on to."""
        typed = self._model.resolver.annotation(parameter.type_module, parameter.type_node)
        if function is None or not self._model.is_instance(typed, *_CONNECTIONS):
            return
        if not self._leaves_path_alone(function, parameter.name, set()):
            self.is_complete = False

    def _leaves_path_alone(
        self, function: Function, name: str, seen: set[tuple[ast.AST, str]]
    ) -> bool:
        """Whether a function, and those it passes a request on to, read nothing of its path."""
        if (function.node, name) in seen:
            return True
        seen.add((function.node, name))
        index = function.module.index
        parents = index.parents
        for node in index.nodes_in(function.node, ast.Name):
            if node.id != name:
                continue
            around = parents.get(node)
            if isinstance(around, ast.Attribute) and around.attr in _UNRELATED:
                continue
            if (taken := _taken_by_hand(around, parents)) is not None:
                self.names.add(taken)
                continue
            call = parents.get(around) if isinstance(around, ast.keyword) else around
            if not isinstance(call, ast.Call) or node is call.func:
                return False
            callee = self._model.resolve(function.module, call.func)
            if _takes_nothing(callee):
                continue
            if not isinstance(callee, Function):
                return False
            inner = argument_filled(callee, call, node)
            if inner is None or not self._leaves_path_alone(callee, inner.arg, seen):
                return False
        return True

    def dependency(self, dependency: Dependency) -> None:
        """Take in what a dependency takes, whichever of its targets it calls."""
        targets = self._model.targets(dependency)
        if not targets:
            self.is_complete = False
        for target in targets:
            self._target(target)

    def _target(self, target: Value) -> None:
        if isinstance(target, Class):
            new = self._model.resolver.class_attribute(target, "__new__", instance=False)
            if isinstance(new, Function):
                self.is_complete = False  # whose parameters count depends on the Python
        function = self._model.callable_of(target)
        if function is not None:
            self.function(function)
        elif isinstance(target, Class):
            fields = self._model.class_parameters(target, self._wanted)
            if fields is None:
                self.is_complete = False
            elif target not in self._seen:
                self._seen.add(target)
                self._fields(target)
                self._parameters(None, fields)
        elif not _takes_nothing(target):
            self.is_complete = False


def _is_renamed(parameter: Parameter) -> bool:
    """Whether a parameter is given an alias."""
    marker = parameter.marker
    if marker is None or marker.call is None:
        return False
    return any(marker.argument(name) is not None for name in ("alias", "validation_alias"))


def _aliases(value: ast.expr | None) -> Iterator[str]:
    """`id` of `Field(alias="id")`"""
    for keyword in value.keywords if isinstance(value, ast.Call) else ():
        if keyword.arg in {"alias", "validation_alias"} and isinstance(keyword.value, ast.Constant):
            yield str(keyword.value.value)


def _taken_by_hand(params: ast.AST | None, parents: Mapping[ast.AST, ast.AST]) -> str | None:
    """`"id"` of `request.path_params["id"]` and `request.path_params.get("id")`"""
    if not isinstance(params, ast.Attribute) or params.attr != "path_params":
        return None
    key: ast.AST | None = None
    match parents.get(params):
        case ast.Subscript(slice=key, value=value) if value is params:
            pass
        case ast.Attribute(attr="get") as get:
            match parents.get(get):
                case ast.Call(func=func, args=[key, *_]) if func is get:
                    pass
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _takes_nothing(target: object) -> bool:
    """FastAPI's own security schemes and forms read headers, cookies and bodies only."""
    of = target.of if isinstance(target, Instance) else target
    return isinstance(of, External) and of.name.startswith("fastapi.security.")


def view_parameters(model: Model, view: Class) -> Iterator[Parameter]:
    """The annotated attributes of a class-based view, as parameters, those of bases first."""
    for module, statement in fields_of(model.resolver, view):
        target = statement.target
        if not isinstance(target, ast.Name) or target.id.startswith("_"):
            continue
        argument = ast.copy_location(ast.arg(target.id, statement.annotation), statement)
        yield parameter_of(
            model.resolver, module, argument, None, statement.annotation, statement.value
        )


def view_dependencies(model: Model, view: Class) -> Iterator[Dependency]:
    """What the annotated attributes of a class-based view ask for, those of bases first."""
    for parameter in view_parameters(model, view):
        dependency = model.dependency_of(parameter)
        if dependency is not None:
            yield dependency
