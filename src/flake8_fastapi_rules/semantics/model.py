"""The semantic model: one place to ask what code means to FastAPI."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.semantics import parameters
from flake8_fastapi_rules.semantics.agreement import says_nothing
from flake8_fastapi_rules.semantics.bound import BoundNames, bound_names
from flake8_fastapi_rules.semantics.build import LocalFacts, build, models_of
from flake8_fastapi_rules.semantics.callers import Callers, DirectCall
from flake8_fastapi_rules.semantics.calls import is_abstract
from flake8_fastapi_rules.semantics.facts import (
    BackgroundRoutine,
    Dependency,
    DependencyFunction,
    Endpoint,
    EndpointRoutes,
    FrameworkFunction,
    Marker,
    Parameter,
    PydanticModel,
    Record,
    Role,
    Route,
)
from flake8_fastapi_rules.semantics.framework import (
    APP,
    ROUTE_DECORATORS,
    path_parameters,
    status_of,
)
from flake8_fastapi_rules.semantics.libraries import NOT_CALLABLE
from flake8_fastapi_rules.semantics.making import making_of
from flake8_fastapi_rules.semantics.modules import Module, Modules, absolute
from flake8_fastapi_rules.semantics.paths import is_health_path
from flake8_fastapi_rules.semantics.resolve import MANY, Resolver, first_argument
from flake8_fastapi_rules.semantics.shared import SharedState
from flake8_fastapi_rules.semantics.uses import Uses
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.config import Settings
    from flake8_fastapi_rules.semantics.effects import Effects
    from flake8_fastapi_rules.semantics.project import Project

#: Facts of functions that the whole project decides about.
_USES = frozenset({FrameworkFunction, Endpoint, DependencyFunction})
#: Roles of functions that FastAPI calls with what it makes of their signature.
_INJECTED = frozenset({Role.ENDPOINT, Role.WEBSOCKET, Role.DEPENDENCY})


#: What a file says that defines a record; a subclass of one need not say it.
_RECORD_WORDS = ("dataclass", "TypedDict", "NamedTuple", "attrs")
_DISPLAYS = (ast.List, ast.Tuple, ast.Set)
#: Calls that hold what the collection holds that they are given.
_COPIES = frozenset({"builtins.frozenset", "builtins.list", "builtins.set", "builtins.tuple"})


class Model:
    """Everything that is known of the code at hand; one for a whole run.

    Parameters:
        settings: what the project as a whole is configured with.
        modules: texts and trees that are known already.
        resolver: what their expressions mean, as far as it was asked.
    """

    def __init__(
        self,
        settings: Settings,
        modules: Modules | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self.settings = settings
        #: Answers about it by the question; they go with it.
        self.answers: dict[object, Any] = {}
        self.modules = Modules(settings.src) if modules is None else modules
        self.resolver = Resolver(self.modules) if resolver is None else resolver
        self.modules.readers.append(self._renew)
        self._local: dict[Module, LocalFacts] = {}
        self._models: dict[Module, tuple[PydanticModel, ...]] = {}
        self._uses: dict[Path, Uses] = {}
        self._projects: dict[Path, Project] = {}
        self._shared: dict[Path, SharedState] = {}
        self._effects: Effects | None = None
        self._callers: dict[Path, Callers] = {}
        self._repetitions: dict[Path, Counter[tuple[object, ...]]] = {}
        self._parameters: dict[tuple[ast.AST, frozenset[str]], tuple[Parameter, ...]] = {}
        #: The models of the same texts that share what does not depend on settings, this one too.
        self._family: list[Model] = [self]

    def anew(self, first: Model | None = None) -> Model:
        """A model of the same texts that has drawn no conclusions from them yet.

        Parameters:
            first: another such model of these texts, to share conclusions with.
        """
        self.leave()
        return Model(self.settings, self.modules) if first is None else first._with(self.settings)

    def beside(self, settings: Settings, path: str) -> Model | None:
        """A model of the same texts for a file with other settings; `None` if it needs others.

        Projects of several parts, each with requirements of its own, are read once.
        """
        if settings.src != self.settings.src:
            return None
        if self.modules.project_root(absolute(path)) not in self._uses:
            return None
        return self._with(settings)

    def _with(self, settings: Settings) -> Model:
        model = Model(settings, self.modules, self.resolver)
        # What a module states by itself is the same whatever the settings are.
        model._local, model._models = self._local, self._models
        model._family = self._family
        self._family.append(model)
        return model

    def _relatives(self) -> Iterator[Model]:
        """The other models of these texts that take the same files for tests."""
        for model in self._family:
            if model is not self and model.settings.test_paths == self.settings.test_paths:
                yield model

    def leave(self) -> None:
        """Stop listening to changes of texts: nobody will ask any more."""
        if self._renew in self.modules.readers:
            self.modules.readers.remove(self._renew)
        self._family.remove(self)
        self._family = [self]

    @property
    def texts(self) -> object:
        """The texts that the model keeps; models for parts of one project share them."""
        return self.modules

    # -- modules and meanings ---------------------------------------------------------------

    def load(self, source: Source, tree: ast.Module | None = None) -> Module:
        """The module for a text at hand.

        Raises:
            SourceError: when it cannot be parsed.
        """
        return self.modules.add(source, tree)

    def _renew(self, old: Module, new: Module) -> None:
        """Forget what was concluded from a text that another one has taken the place of."""
        for uses in self._uses.values():
            uses.renew(old, new)
        if old.mentions_framework or new.mentions_framework:
            self._projects.clear()  # nothing else declares what the graph consists of
        self._shared.clear()
        self._repetitions.clear()

    def resolve(self, module: Module, node: ast.AST | None) -> Value:
        """What an expression of `module` means."""
        return self.resolver.resolve(module, node)

    def initialises_app(self, module: Module, call: ast.Call) -> bool:
        """Whether a call is a `super().__init__(...)` that gives FastAPI what it is given."""
        match call.func:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")) as owner, attr="__init__"):
                app = self.resolve(module, owner)
                if not (isinstance(app, Instance) and self.is_instance(app, APP)):
                    return False
                init = (
                    self.resolver.class_attribute(app.of, "__init__", instance=True)
                    if isinstance(app.of, Class)
                    else None
                )
                return not isinstance(init, Function)
        return False

    def library_object(self, module: Module, node: ast.AST) -> External | None:
        """What an expression names, when that is something of a library; else `None`.

        The project's modules are not read for names that their texts show to be the project's.
        """
        if self.resolver.is_own_definition(module, node):
            return None
        value = self.resolve(module, node)
        return value if isinstance(value, External) else None

    def text(self, module: Module, node: ast.AST | None) -> str | None:
        """The string that an expression is, constants and concatenation folded; else `None`."""
        value = self.resolve(module, node)
        if isinstance(value, Constant) and isinstance(value.value, str):
            return value.value
        return None

    def constant(self, module: Module, node: ast.AST | None) -> Value:
        """What an expression means, with `status.HTTP_404_NOT_FOUND` as `Constant(404)`."""
        return self.constant_of(self.resolve(module, node))

    def constant_of(self, value: Value) -> Value:
        """A value, with the status constants of Starlette and `http` as numbers."""
        if isinstance(value, External):
            code = status_of(value.name)
            if code is not None:
                return Constant(code)
        return value

    def status(self, module: Module, node: ast.AST | None) -> int | None:
        """The HTTP status code that an expression is; `None` when it cannot be told."""
        value = self.constant(module, node)
        if isinstance(value, Constant) and type(value.value) is int:
            return value.value
        return None

    def is_instance(self, value: Value, *names: str) -> bool:
        """Whether a value is an instance of one of the named library classes (or subclasses)."""
        return self.resolver.is_instance(value, *names)

    def is_subclass(self, value: Value, *names: str) -> bool:
        """Whether a class value is or derives from one of the named library classes."""
        return self.resolver.is_subclass(value, *names)

    # -- facts ------------------------------------------------------------------------------

    def local(self, module: Module, kind: type[Any]) -> tuple[Any, ...]:
        """The facts of one kind that a module states by itself."""
        facts = self._local.get(module)
        if facts is None:
            self._local[module] = {}  # a question that leads back here finds nothing yet
            facts = self._local[module] = build(self, module)
        return facts.get(kind, ())

    @property
    def characters(self) -> int:
        """How much text the model keeps, with its trees and all that was found out of them."""
        return self.modules.size.characters

    def facts(self, module: Module, kind: type[Any]) -> tuple[Any, ...]:
        """The facts of one kind in a module, in source order, knowing the whole project."""
        if kind in _USES:
            return self._used(module, kind)
        if kind is PydanticModel:
            return self.models(module)
        if kind is Record:
            return tuple(self._records(module))
        if kind is EndpointRoutes:
            return tuple(self._endpoint_routes(module))
        found = self.local(module, kind)
        if kind is Route and (assembled := self.uses(module).assembled.get(module)):
            return tuple(sorted((*found, *assembled), key=lambda route: route.node.lineno))
        return found

    def _used(self, module: Module, kind: type[Any]) -> tuple[Any, ...]:
        """The facts that tell what the project uses a module's functions for."""
        uses = self.uses(module)
        found = uses.facts.get((module, kind))
        if found is None:
            if kind is FrameworkFunction:
                found = tuple(self._framework_functions(module))
            elif kind is Endpoint:
                found = tuple(self._endpoints(module))
            else:
                found = tuple(self._dependency_functions(module))
            if uses.is_collected:
                uses.facts[module, kind] = found
        return found

    def may_have(self, module: Module, kind: type[Any]) -> bool:
        """Whether a module may have facts of a kind (or nodes of a type), told without its tree."""
        if kind is Module or issubclass(kind, ast.AST):
            return True
        if kind in _USES:
            return module in self.uses(module).by_module
        if kind is PydanticModel:
            return "class" in module.source.text
        if kind is Record:
            return any(word in module.source.text for word in _RECORD_WORDS)
        if kind is BackgroundRoutine and module.mentions_routines:
            return True
        return module.mentions_framework

    def models(self, module: Module) -> tuple[PydanticModel, ...]:
        """The Pydantic models that a module defines."""
        models = self._models.get(module)
        if models is None:
            may_have = self.may_have(module, PydanticModel)
            models = self._models[module] = models_of(self, module) if may_have else ()
        return models

    def _records(self, module: Module) -> Iterator[Record]:
        from flake8_fastapi_rules.semantics.schemas import schema_classes

        used = schema_classes(self, module)
        for node in module.index.nodes(ast.ClassDef):
            cls = Class(module, node)
            if node in used and parameters.is_record(self.resolver, cls):
                yield Record(module, node, cls)

    def uses(self, module: Module) -> Uses:
        """What the project around `module` uses its functions for."""
        root = self.modules.project_root(module.path)
        uses = self._uses.get(root)
        if uses is None:
            known = (model._uses.get(root) for model in self._relatives())
            collected = next((other for other in known if other and other.is_collected), None)
            uses = self._uses[root] = Uses(self, root)
            if collected is None:
                uses.collect()
            else:
                uses.take(collected)
        return uses

    def project(self, module: Module) -> Project:
        """The graph of apps, routers, includes and mounts around `module`."""
        uses = self.uses(module)
        project = self.project_of(uses)
        if module not in project.members and module.mentions_framework:
            # A text that is on no disk yet, or that the project leaves out.
            modules = sorted((*project.modules, module), key=lambda member: member.path)
            project = self._projects[uses.root] = type(project)(self, modules)
        return project

    def project_of(self, uses: Uses) -> Project:
        """The graph of the project that functions are used in."""
        from flake8_fastapi_rules.semantics.project import Project

        project = self._projects.get(uses.root)
        if project is None:
            known = (model._projects.get(uses.root) for model in self._relatives())
            same = (each for each in known if each and each.modules == tuple(uses.modules))
            project = self._projects[uses.root] = Project(self, uses.modules, next(same, None))
        return project

    def shared_state(self, module: Module) -> SharedState:
        """What FastAPI code does to module variables in the project around `module`."""
        root = self.modules.project_root(module.path)
        shared = self._shared.get(root)
        if shared is None:
            shared = self._shared[root] = SharedState(self, self.uses(module))
        return shared

    @property
    def effects(self) -> Effects:
        """What functions do, themselves or through what they call."""
        if self._effects is None:
            from flake8_fastapi_rules.semantics.effects import Effects

            self._effects = Effects(self)
        return self._effects

    def direct_calls(self, function: Function) -> tuple[DirectCall, ...]:
        """The calls of a function that the project makes itself, rather than FastAPI."""
        root = self.modules.project_root(function.module.path)
        callers = self._callers.get(root)
        if callers is None:
            callers = self._callers[root] = Callers(self, root)
        return callers.direct_calls(function)

    def roles(self, function: Function) -> frozenset[Role]:
        """What FastAPI uses a function for; empty when it does not call it."""
        return frozenset(self.uses(function.module).roles.get(function.node, ()))

    def _framework_functions(self, module: Module) -> Iterator[FrameworkFunction]:
        uses = self.uses(module)
        for function in _sorted(uses.by_module.get(module, ())):
            node = function.node
            if isinstance(node, FUNCTIONS):
                yield FrameworkFunction(module, node, frozenset(uses.roles[node]))

    def _endpoints(self, module: Module) -> Iterator[Endpoint]:
        uses = self.uses(module)
        for function in _sorted(uses.by_module.get(module, ())):
            endpoint = _endpoint(module, function.node, uses)
            if endpoint is not None:
                yield endpoint

    def endpoint(self, module: Module, node: ast.AST) -> Endpoint | None:
        """A function of a module as an endpoint; `None` if it is none."""
        return _endpoint(module, node, self.uses(module))

    def _endpoint_routes(self, module: Module) -> Iterator[EndpointRoutes]:
        functions = (route.function for route in self.facts(module, Route))
        elsewhere = {each.node: each.module for each in functions if each is not None}
        uses = self.uses(module)
        own = (each.node for each in uses.by_module.get(module, ()))
        for node, home in (elsewhere | dict.fromkeys(own, module)).items():
            endpoint = _endpoint(home, node, uses)
            routes = (
                [route for route in endpoint.routes if route.module is module] if endpoint else []
            )
            if endpoint is not None and routes:
                yield EndpointRoutes(endpoint, tuple(routes))

    def _dependency_functions(self, module: Module) -> Iterator[DependencyFunction]:
        uses = self.uses(module)
        for function in _sorted(uses.by_module.get(module, ())):
            node = function.node
            if isinstance(node, FUNCTIONS) and Role.DEPENDENCY in uses.roles[node]:
                yield DependencyFunction(
                    module, node, uses.dependency_classes.get(node), module.index.is_generator(node)
                )

    # -- signatures and dependencies --------------------------------------------------------

    def parameters(
        self, function: Function, path_names: frozenset[str] = frozenset()
    ) -> tuple[Parameter, ...]:
        """The parameters of a function as FastAPI reads them.

        Parameters:
            path_names: the names in the path that the function serves, for `PATH` parameters.
        """
        key = (function.node, path_names)
        found = self._parameters.get(key)
        if found is None:
            found = parameters.parameters_of(self.resolver, function, path_names)
            self._parameters[key] = found
        return found

    def parameters_with_marker_default(self, function: Function) -> tuple[Parameter, ...]:
        """The parameters whose default is a marker (`= Depends(...)`, `= Query(...)`)."""
        arguments = function.node.args
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if (
                isinstance(default, ast.Call | ast.Name | ast.Attribute)
                and parameters.marker_of(
                    self.resolver, function.module, default, in_annotated=False
                )
                is not None
            ):
                break
        else:
            return ()
        return tuple(
            parameter
            for parameter in self.parameters(function)
            if any(not marker.in_annotated for marker in parameter.markers)
        )

    def may_have_markers(self, function: Function) -> bool:
        """Whether an annotation or default could be, or stand for, a marker (a cheap test)."""
        arguments = function.node.args
        return any(
            isinstance(default, ast.Call | ast.Name | ast.Attribute)
            for default in (*arguments.defaults, *arguments.kw_defaults)
        ) or any(
            isinstance(each.annotation, ast.Subscript | ast.Name | ast.Attribute | ast.Constant)
            for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        )

    def markers_of_alias(self, module: Module, node: ast.Subscript) -> tuple[Marker, ...]:
        """The markers in `Name = Annotated[...]`; none for other subscripts."""
        parent = module.index.parents.get(node)
        is_alias = isinstance(parent, ast.Assign) or (
            type(parent).__name__ == "TypeAlias"
            or (isinstance(parent, ast.AnnAssign) and parent.value is node)
        )
        if not is_alias or self.resolve(module, node.value) != External("typing.Annotated"):
            return ()
        parts = node.slice.elts[1:] if isinstance(node.slice, ast.Tuple) else []
        found = (
            parameters.marker_of(self.resolver, module, part, in_annotated=True) for part in parts
        )
        return tuple(marker for marker in found if marker is not None)

    def name_of_alias(self, module: Module, node: ast.expr) -> str:
        """The name that `Name = Annotated[...]` binds."""
        parent = module.index.parents.get(node)
        target: object = getattr(parent, "target", None) or getattr(parent, "name", None)
        if isinstance(parent, ast.Assign):
            target = parent.targets[0]
        return ast.unparse(target) if isinstance(target, ast.expr) else str(target)

    def repetitions(self, module: Module, node: ast.Subscript) -> int:
        """How often the project writes out an `Annotated[T, Depends(f)]`; 0 for anything else."""
        key = self._annotation_key(module, node)
        if key is None:
            return 0
        uses = self.uses(module)
        counts = self._repetitions.get(uses.root)
        if counts is None:
            counts = self._repetitions[uses.root] = Counter(
                found
                for other in uses.modules
                for each in other.index.nodes(ast.Subscript)
                if (found := self._annotation_key(other, each)) is not None
            )
        return counts[key]

    def _annotation_key(self, module: Module, node: ast.Subscript) -> tuple[object, ...] | None:
        """What makes two annotations the same: type, dependency, the marker's other arguments."""
        if not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:
            return None
        kind, part = node.slice.elts
        parent = module.index.parents.get(node)
        if (
            not isinstance(part, ast.Call)
            or isinstance(parent, ast.Assign)
            or (
                type(parent).__name__ == "TypeAlias"
                or (isinstance(parent, ast.AnnAssign) and parent.value is node)
            )
        ):
            return None
        if self.resolve(module, node.value) != External("typing.Annotated"):
            return None
        marker = parameters.marker_of(self.resolver, module, part, in_annotated=True)
        if marker is None or marker.name not in ("Depends", "Security") or not marker.is_direct:
            return None
        target_node = marker.argument("dependency", 0)
        target = self.resolve(module, target_node)
        name = qualified_name(target) if isinstance(target, Function | Class | External) else None
        if target_node is not None and name is None:
            return None
        if isinstance(kind, ast.Constant):
            kind = self.resolver.annotations.parsed(module, kind) or kind
        type_name = qualified_name(self.resolve(module, kind)) or ast.dump(kind)
        if isinstance(target_node, ast.Call):  # what a factory makes depends on its arguments
            name = f"{name} {ast.dump(target_node)}"
        others = [k for k in part.keywords if k.arg != "dependency"]
        return (marker.name, type_name, name, *sorted(ast.dump(each) for each in others))

    def made_with(self, value: Value, name: str) -> tuple[Module, ast.expr] | None:
        """What an app or router gets for an argument, by its call or by its class's constructor."""
        made = making_of(self, value)
        return made.arguments.get(name) if made is not None else None

    def is_made_without(self, value: Value, name: str) -> bool:
        """Whether an app or router is certain not to get an argument, or to get an empty text."""
        made = making_of(self, value)
        if made is None:
            return False
        given = made.arguments.get(name)
        return made.lacks(name) if given is None else self.text(*given) == ""

    def path_names(self, endpoint: Endpoint) -> frozenset[str]:
        """The path parameters of an endpoint's routes, with those of their routers' prefixes."""
        names: set[str] = set()
        for route in endpoint.routes:
            paths = [route.path]
            if prefix := self.made_with(route.receiver, "prefix"):
                paths.append(self.text(*prefix))
            for path in paths:
                names.update(path_parameters(path or ""))
        return frozenset(names)

    def served_paths(self, route: Route) -> tuple[str, ...]:
        """The paths that a route is known to have: as written, under its router, in the apps."""
        paths = [route.path]
        given = self.made_with(route.receiver, "prefix")
        if given is not None and route.path is not None:
            prefix = self.text(*given)
            paths.append(None if prefix is None else prefix + route.path)
        paths += [each.path for each in self.project(route.module).routes_at(route)]
        return tuple(dict.fromkeys(path for path in paths if path is not None))

    def is_health_route(self, route: Route) -> bool:
        """Whether a route's path, with whatever prefix, is one that health checks ask for."""
        known = self.settings.health_paths
        return any(is_health_path(path, known) for path in self.served_paths(route))

    def may_have_injected_parameters(self, function: Function) -> bool:
        """Whether FastAPI reads a function's signature, or may do so.

        It may where a decorator looks like a route's, whatever its receiver is: routers come from
        libraries and class factories, too.
        """
        if not self.roles(function).isdisjoint(_INJECTED):
            return True
        return any(
            isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Attribute)
            and decorator.func.attr in ROUTE_DECORATORS
            for decorator in getattr(function.node, "decorator_list", ())
        )

    def dataclass_fields(self, cls: Class) -> tuple[Parameter, ...]:
        """The fields that a dataclass itself declares, as parameters of its `__init__`."""
        own = {s.value for s in cls.node.body if isinstance(s, ast.AnnAssign) and s.value}
        if not own or not parameters.is_dataclass(self.resolver, cls):
            return ()
        return tuple(p for p in self.class_parameters(cls) or () if p.default in own)

    def class_parameters(
        self, cls: Class, path_names: frozenset[str] = frozenset()
    ) -> tuple[Parameter, ...] | None:
        """The parameters of a class used as a dependency: of its `__init__`, or its fields.

        `None` when they cannot be told (unknown bases).
        """
        init = self.resolver.class_attribute(cls, "__init__", instance=True)
        if isinstance(init, Function):
            return self.parameters(init, path_names)[0:]
        if self.is_subclass(cls, "pydantic.BaseModel") or parameters.is_dataclass(
            self.resolver, cls
        ):
            return tuple(
                parameters.parameter_of(
                    self.resolver,
                    module,
                    _field_argument(statement),
                    None,
                    statement.annotation,
                    statement.value,
                    path_names,
                )
                for module, statement in parameters.fields_of(self.resolver, cls)
            )
        if self.resolver.has_known_bases(cls) and not isinstance(init, External):
            return ()
        return None

    def callable_of(self, target: Value) -> Function | None:
        """The function that runs when FastAPI calls `target`; `None` when there is none to see."""
        if isinstance(target, Function):
            return target
        if isinstance(target, Class):
            init = self.resolver.class_attribute(target, "__init__", instance=True)
            if isinstance(init, Function):
                return Function(init.module, init.node, target, bound=True)
            return None
        if isinstance(target, Instance) and isinstance(target.of, Class):
            method = self.resolver.class_attribute(target.of, "__call__", instance=True)
            return method if isinstance(method, Function) else None
        return None

    def returns_as_written(self, function: Function) -> bool:
        """Whether a call gives what the body says: no decorator is known to change it."""
        for decorator in getattr(function.node, "decorator_list", ()):
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = self.resolve(function.module, target)
            # A wrapper of the project's own may return anything, and often another function.
            if isinstance(value, Function) and any(
                isinstance(each, FUNCTIONS) and each is not value.node
                for each in ast.walk(value.node)
            ):
                return False
        return self.effects.graph.is_plainly_decorated(function)

    def returns_nothing(self, function: Function) -> bool:
        """Whether a function has a body, or `-> None` for one, and no `return` with a value."""
        node = function.node
        hint = None if isinstance(node, ast.Lambda) else node.returns
        says_none = self.resolver.annotation(function.module, hint) == Constant(None)
        return (says_none or not is_abstract(function)) and not any(
            isinstance(node, ast.Return) and node.value is not None
            for node in function.module.index.own_nodes(function.node)
        )

    def allows_none(self, module: Module, node: ast.expr | None, depth: int = 0) -> bool:
        """Whether a type is written as `T | None`, `Optional[T]` or `Union[T, None]`."""
        if node is None or depth > 20:
            return False
        match node:
            case ast.Constant(value=None):
                return True
            case ast.Constant(value=str()):
                parsed = self.resolver.annotations.parsed(module, node)
                return self.allows_none(module, parsed, depth + 1)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return any(self.allows_none(module, part, depth + 1) for part in (left, right))
            case ast.Subscript(value=value, slice=inner):
                base = self.resolve(module, value)
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                if base == External("typing.Optional"):
                    return True
                if base == External("typing.Union"):
                    return any(self.allows_none(module, part, depth + 1) for part in parts)
                return False
            case _:
                return False

    def is_refused_as_field(self, value: Value) -> bool:
        """Whether FastAPI cannot make a field of a type: a class that Pydantic knows nothing of."""
        return isinstance(value, Instance) and parameters.is_refused_as_field(
            self.resolver, value.of
        )

    def is_class_with_parameters(self, value: Value) -> bool:
        """Whether a value is of a class of the project, such as `Depends()` would call."""
        return (
            isinstance(value, Instance)
            and isinstance(value.of, Class)
            and not self.is_subclass(value.of, "enum.Enum")
        )

    def is_callable(self, value: Value) -> bool | None:
        """Whether a value can be called; `None` when that cannot be told."""
        match value:
            case Function() | Class():
                return True
            case Constant(constant):
                return None if constant is None else False
            case Expression(node=ast.List() | ast.Dict() | ast.Tuple() | ast.Set()):
                return False
            case Instance(of=Class() as cls):
                method = self.resolver.class_attribute(cls, "__call__", instance=True)
                if isinstance(method, Function):
                    return True
                if self._may_make_something_else(cls):
                    return None
                is_known = self.resolver.has_known_bases(cls) and not any(
                    isinstance(base, External) and base.name not in NOT_CALLABLE
                    for base in self.resolver.mro(cls)
                )
                return False if is_known else None
            case Instance(of=External(name)):
                return False if name in NOT_CALLABLE else None
            case _:
                return None

    def _may_make_something_else(self, cls: Class) -> bool:
        """Whether a metaclass (or `__new__`) decides what a call of the class gives."""
        for base in self.resolver.mro(cls):
            for keyword in base.node.keywords if isinstance(base, Class) else ():
                if keyword.arg == "metaclass" and isinstance(base, Class):
                    metaclass = self.resolve(base.module, keyword.value)
                    if metaclass != External("abc.ABCMeta"):
                        return True
        return isinstance(self.resolver.class_attribute(cls, "__new__", instance=False), Function)

    def dependency_of_marker(
        self, module: Module, node: ast.expr, value: Instance, parameter: Parameter | None
    ) -> Dependency | None:
        """The dependency that an expression resolved to `Depends(...)` stands for."""
        call, home = value.call, value.module
        if call is None or home is None or not isinstance(value.of, External):
            return None
        name = value.of.name.removeprefix("fastapi.")
        marker = Marker(name, module, node, call, home, in_annotated=False)
        target_node = first_argument(call, "dependency")
        if target_node is None:
            target = self._target_of_annotation(module, node, parameter)
        else:
            target = self.resolve(home, target_node)
            if target == Constant(None):
                target = self._target_of_annotation(module, node, parameter)
        return Dependency(
            module,
            node,
            marker,
            parameter,
            target,
            target_node,
            name == "Security",
            self.text(home, marker.argument("scope")),
            self.callable_of(target) if isinstance(target, Instance) else None,
        )

    def aimed_at(self, dependency: Dependency, target: Value) -> Dependency:
        """A dependency with what it calls, where more is known of that than where it is written."""
        called = self.callable_of(target) if isinstance(target, Instance) else None
        return replace(dependency, target=target, called=called)

    def _target_of_annotation(
        self, module: Module, node: ast.expr, parameter: Parameter | None
    ) -> Value:
        """The class that `Depends()` takes from the annotation beside it."""
        if parameter is not None:
            typed = self.resolver.annotation(parameter.type_module, parameter.type_node)
            return typed.of if isinstance(typed, Instance) else UNKNOWN
        annotation = annotation_beside(module, node)
        typed = self.resolver.annotation(module, annotation)
        return typed.of if isinstance(typed, Instance) else UNKNOWN

    def dependency_of(self, parameter: Parameter) -> Dependency | None:
        """The dependency that fills a parameter; `None` when none does."""
        marker = parameter.marker
        if marker is None or marker.name not in {"Depends", "Security"} or marker.call is None:
            return None
        value = Instance(External(f"fastapi.{marker.name}"), marker.call_module, marker.call)
        found = self.dependency_of_marker(marker.module, marker.node, value, parameter)
        if found is None:
            return None
        object.__setattr__(found, "marker", marker)
        return found

    def listed_dependencies(
        self, module: Module, node: ast.expr | None
    ) -> tuple[tuple[Dependency, ...], bool]:
        """The dependencies in a `dependencies=[...]` argument, and whether that is all of them."""
        if node is None:
            return (), True
        value = self.resolve(module, node)
        if value == Constant(None):
            return (), True
        elements = self.elements(module, node)
        match value:
            case Expression(home, ast.ListComp(elt=element)):
                # `[Depends(check) for check in CHECKS]`: one marker for several dependencies
                elements = [(home, element)]
        if elements is None:
            return (), False
        found: list[Dependency] = []
        complete = True
        for home, element in elements:
            item = self.resolve(home, element)
            dependency = (
                self.dependency_of_marker(home, element, item, None)
                if isinstance(item, Instance) and _is_depends(item)
                else None
            )
            if dependency is None:
                complete = False
            else:
                found.append(dependency)
        return tuple(found), complete

    def elements(
        self, module: Module, node: ast.expr | None
    ) -> list[tuple[Module, ast.expr]] | None:
        """The elements of a list, tuple or set, `*other` and `a + b` followed; `None` if unknown.

        Each element comes with the module it is written in.
        """
        value = self.resolve(module, node)
        if isinstance(value, Instance) and isinstance(node, ast.Name | ast.Attribute):
            # `origins: list[str] = [...]`: the type is not all that is known.
            written = self.resolver.written(module, node)
            if written is not None and isinstance(written[1], _DISPLAYS):
                value = Expression(*written)
        if not isinstance(value, Expression):
            return self._made_elements(module, node) if isinstance(node, ast.Call) else None
        match value.node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                found: list[tuple[Module, ast.expr]] = []
                for element in elements:
                    if isinstance(element, ast.Starred):
                        inner = self.elements(value.module, element.value)
                        if inner is None:
                            return None
                        found.extend(inner)
                    else:
                        found.append((value.module, element))
                return found if len(found) <= MANY else None
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                first = self.elements(value.module, left)
                second = self.elements(value.module, right) if first is not None else None
                if first is None or second is None or len(first) + len(second) > MANY:
                    return None
                return first + second
            case _:
                return None

    def copied(self, module: Module, node: ast.expr) -> ast.expr | None:
        """The collection of which `list(other)` and the like make another one."""
        if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
            return None
        callee = self.resolve(module, node.func)
        is_copy = isinstance(callee, External) and callee.name in _COPIES
        return node.args[0] if is_copy else None

    def _made_elements(
        self, module: Module, call: ast.Call
    ) -> list[tuple[Module, ast.expr]] | None:
        """The elements of `list(other)`, and of what a function of the project always returns."""
        other = self.copied(module, call)
        if other is not None:
            return self.elements(module, other)
        callee = self.resolve(module, call.func)
        if not isinstance(callee, Function) or not isinstance(callee.node, ast.FunctionDef):
            return None
        body = callee.node.body
        match body[-1:], body[:-1]:
            case [ast.Return(value=ast.List() | ast.Tuple() as made)], ([] | [ast.Expr()]):
                return None if callee.node.decorator_list else self.elements(callee.module, made)
        return None

    def dependencies(
        self, function: Function, path_names: frozenset[str] = frozenset()
    ) -> tuple[Dependency, ...]:
        """The dependencies in a function's own signature, in order."""
        found = (self.dependency_of(p) for p in self.parameters(function, path_names))
        return tuple(dependency for dependency in found if dependency is not None)

    def tells_dependencies(self, function: Function) -> bool:
        """Whether a signature shows all of its dependencies: none is handed in from around it."""
        return not any(
            parameters.is_handed_in(self.resolver, parameter.module, parameter.default)
            for parameter in self.parameters(function)
            if not parameter.markers
        )

    def targets(self, dependency: Dependency) -> tuple[Value, ...]:
        """What a dependency may call: one thing, or several for `Depends(f if x else g)` and
        helpers that return now this, now that; nothing when it cannot be told.
        """
        target = dependency.target
        if target and not says_nothing(target):
            return (target,)
        home = dependency.marker.call_module
        return self.resolver.possible(home, dependency.target_node) or ((target,) if target else ())

    def _either(self, dependency: Dependency) -> tuple[Dependency, ...]:
        """A dependency, once for each thing that it may call; as it is when that is unknown."""
        targets = self.targets(dependency)
        if len(targets) < 2:
            return (dependency,)
        return tuple(self.aimed_at(dependency, target) for target in targets)

    def sub_dependencies(self, dependency: Dependency) -> tuple[tuple[Dependency, ...], bool]:
        """What a dependency depends on itself, and whether that is certainly all of it."""
        target = dependency.target
        if len(either := self._either(dependency)) > 1:
            parts = [self.sub_dependencies(each) for each in either]
            return tuple(d for below, _ in parts for d in below), all(sure for _, sure in parts)
        function = self.callable_of(target)
        if function is not None:
            return self.dependencies(function), self.tells_dependencies(function)
        if isinstance(target, Class):
            fields = self.class_parameters(target)
            if fields is None:
                return (), False
            found = (self.dependency_of(p) for p in fields)
            return tuple(d for d in found if d is not None), True
        return (), isinstance(target, Instance | External)

    def all_dependencies(self, function: Function) -> tuple[tuple[Dependency, ...], bool]:
        """All dependencies below a function, depth first as FastAPI runs them, each target once.

        Also whether every one of them could be resolved.
        """
        found: list[Dependency] = []
        complete = self.tells_dependencies(function)
        seen: set[object] = set()

        def visit(dependency: Dependency) -> None:
            nonlocal complete
            key = dependency.target
            if key in seen:
                return
            if len(either := self._either(dependency)) > 1:
                for each in either:
                    visit(each)
                return
            seen.add(key)
            if not key:
                complete = False
            below, certain = self.sub_dependencies(dependency)
            complete = complete and certain
            for sub in below:
                visit(sub)
            found.append(dependency)

        for dependency in self.dependencies(function):
            visit(dependency)
        return tuple(found), complete

    def bound_names(self, route: Route) -> BoundNames | None:
        """The names that a route's endpoint and dependencies take from the path.

        `None` when some dependency or decorator cannot be told.
        """
        return bound_names(self, route)

    def is_read(self, function: Function, parameter: Parameter) -> bool:
        """Whether a function's body may read or delete what a parameter was given.

        Other variables of that name (of inner functions and comprehensions, or the parameter
        bound anew) are not it; `locals()` and `vars()` may read all.
        """
        index, node = function.module.index, function.node
        for each in ast.walk(ast.Module(node.body, [])) if isinstance(node.body, list) else ():
            if not isinstance(each, ast.Name):
                continue
            if each.id in ("locals", "vars"):
                return True
            if each.id != parameter.name:
                continue
            if not isinstance(each.ctx, ast.Store):
                found = index.lookup(each.id, each)
                if found is None:
                    return True
                scope, bindings = found
                if scope.node is node and (
                    index.function_of(each) is not node
                    or any(binding.kind == "parameter" for binding in bindings)
                ):
                    return True
            elif isinstance(index.parents.get(each), ast.AugAssign):
                return True
        return False

    def chain(self, function: Function) -> tuple[Function, ...]:
        """The longest chain of the project's own dependencies below a function, itself left out."""
        return self._chain(function, (), {})

    def _chain(
        self,
        function: Function,
        above: tuple[ast.AST, ...],
        known: dict[ast.AST, tuple[Function, ...]],
    ) -> tuple[Function, ...]:
        longest = known.get(function.node)
        if longest is not None:
            return longest
        longest = ()
        above = (*above, function.node)
        for dependency in self.dependencies(function):
            target = self.callable_of(dependency.target)
            if target is None or target.node in above or len(above) > 30:
                continue
            found = (target, *self._chain(target, above, known))
            if len(found) > len(longest):
                longest = found
        known[function.node] = longest
        return longest

    def provided(self, dependency: Dependency) -> Value:
        """The object that a dependency gives to its parameter."""
        target = dependency.target
        if isinstance(target, Class):
            return Instance(target)
        function = self.callable_of(target)
        return self.resolver.provided(function) if function else UNKNOWN


def annotation_beside(module: Module, node: ast.expr) -> ast.expr | None:
    """The type that stands beside a marker: in its `Annotated[...]` or before its `=`."""
    parents = module.index.parents
    parent = parents.get(node)
    if isinstance(parent, ast.Tuple):
        around = parents.get(parent)
        if isinstance(around, ast.Subscript) and around.slice is parent:
            return parent.elts[0]
    if isinstance(parent, ast.AnnAssign):
        return parent.annotation
    if isinstance(parent, ast.arguments):
        positional = [*parent.posonlyargs, *parent.args]
        if node in parent.defaults:
            position = len(positional) - len(parent.defaults) + parent.defaults.index(node)
            return positional[position].annotation
        if node in parent.kw_defaults:
            return parent.kwonlyargs[parent.kw_defaults.index(node)].annotation
    return None


def _field_argument(statement: ast.AnnAssign) -> ast.arg:
    assert isinstance(statement.target, ast.Name)
    return ast.copy_location(ast.arg(statement.target.id, statement.annotation), statement)


def _is_depends(value: Instance) -> bool:
    return isinstance(value.of, External) and value.of.name in {
        "fastapi.Depends",
        "fastapi.Security",
    }


def _endpoint(module: Module, node: ast.AST, uses: Uses) -> Endpoint | None:
    routes = uses.routes.get(node)
    if not routes or not isinstance(node, FUNCTIONS):
        return None
    return Endpoint(module, node, tuple(routes), routes[0].view_class)


def _sorted(
    functions: Iterator[Function] | tuple[Function, ...] | list[Function],
) -> list[Function]:
    return sorted(functions, key=lambda f: (f.node.lineno, f.node.col_offset))
