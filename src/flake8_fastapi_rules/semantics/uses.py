"""What a whole project uses its functions for: the roles that only other files give them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.evident import evident_roles
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    EventHandler,
    ExceptionHandler,
    Lifespan,
    Middleware,
    Role,
    Route,
    RouteKind,
    UnclearRoute,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_K = TypeVar("_K")
_T = TypeVar("_T")
_Stated = TypeVar("_Stated", Route, Dependency)

#: Methods of middleware classes that run for every request.
_MIDDLEWARE_METHODS = ("dispatch", "__call__")
#: What the parameter of a lifespan is called and what it is.
_APP_NAMES = frozenset({"", "app", "api", "application", "fastapi", "fastapi_app"})
_APP_CLASSES = ("fastapi.FastAPI", "starlette.applications.Starlette")


class Uses:
    """The roles of all functions of a project.

    Parameters:
        root: the project's top folder.
        modules: the modules that matter, in path order.
        roles: function node to its roles.
        routes: endpoint node to the routes that it serves, in any module.
        dependencies: all uses of dependencies, by the node of the function that they call.
        classes: the classes of the project that are dependencies themselves.
        dependency_classes: for a dependency's function, the class it was reached through.
        assembled: the routes of a module that only the graph of the project shows to be some.
    """

    def __init__(self, model: Model, root: Path) -> None:
        self.root = root
        #: Answers about it by the question; they go with it.
        self.answers: dict[object, Any] = {}
        #: The facts about modules that are made of all this.
        self.facts: dict[tuple[Module, type], tuple[Any, ...]] = {}
        self.is_collected = False
        #: Which state of the modules the answers are about.
        self.version = 0
        self.modules: list[Module] = []
        self.roles: defaultdict[ast.AST, set[Role]] = defaultdict(set)
        self.routes: defaultdict[ast.AST, list[Route]] = defaultdict(list)
        self.dependencies: defaultdict[ast.AST, list[Dependency]] = defaultdict(list)
        self.dependency_classes: dict[ast.AST, Class] = {}
        self.classes: set[ast.ClassDef] = set()
        self.by_module: defaultdict[Module, list[Function]] = defaultdict(list)
        self.assembled: defaultdict[Module, list[Route]] = defaultdict(list)
        self._model = model

    def collect(self) -> None:
        """Read every module of the project that matters."""
        self.modules = self._model.modules.that_matter(self.root)
        self.version += 1
        for module in self.modules:
            self._collect(module)
        for module in self.modules:
            self._collect_evident(module)
        if any(self._model.local(module, UnclearRoute) for module in self.modules):
            self._collect_assembled()
        self.is_collected = True

    def take(self, other: Uses) -> None:
        """Take over what another model of the same texts has read."""
        self.modules = list(other.modules)
        self.version += 1
        self.dependency_classes.update(other.dependency_classes)
        self.classes.update(other.classes)
        for node, roles in other.roles.items():
            self.roles[node] = set(roles)
        self.routes.update(_copied(other.routes))
        self.dependencies.update(_copied(other.dependencies))
        self.by_module.update(_copied(other.by_module))
        self.assembled.update(_copied(other.assembled))
        self.is_collected = True

    def _collect_assembled(self) -> None:
        """Take the endpoints from the graph that no text by itself shows to be one."""
        shown = {route.node for routes in self.routes.values() for route in routes}
        for node in self._model.project_of(self).nodes:
            for entry in node.routes:
                function, route = entry.endpoint, entry.fact
                if function is None or route.node in shown or route.kind is RouteKind.WEBHOOK:
                    continue
                if any(other.node is route.node for other in self.routes[function.node]):
                    continue
                owner = function.owner or route.view_class
                path = entry.own.prefix if route.path is None else route.path
                route = replace(
                    route,
                    methods=entry.methods,
                    path=path if isinstance(path, str) else None,
                    endpoint=function.node,  # in a loop over a table, each in its turn
                    endpoint_module=function.module,
                    view_class=owner,
                )
                self._serve(function, route)
                if self._is_certainly_of(route, function):
                    self.assembled[route.module].append(route)

    def _is_certainly_of(self, route: Route, function: Function) -> bool:
        """Whether a registration names the function: none in a loop, or in another function."""
        if route.node in getattr(function.node, "decorator_list", ()):
            return True
        given = route.arguments.get("endpoint")
        served = self._model.callable_of(self._model.resolve(route.module, given))
        return served is not None and served.node is function.node

    def renew(self, old: Module, new: Module) -> None:
        """Put a module with another text in the place of `old`, without reading the others again.

        What other modules give to functions of `old` (the role of a dependency, a route) is given
        to the functions of `new` with the same qualified names.
        """
        if old not in self.modules:
            return
        self.facts.clear()
        self.version += 1
        self.modules[self.modules.index(old)] = new
        _forget(self.routes, old)
        _forget(self.dependencies, old)
        successors = dict(_successors(old, new))
        self.by_module.pop(old, None)
        self.assembled.pop(old, None)
        for before, after in successors.items():
            for table in (self.routes, self.dependencies, self.dependency_classes, self.roles):
                if before in table:
                    table[after] = table.pop(before)  # type: ignore[assignment]
            if self.roles.get(after):
                self.by_module[new].append(Function(new, after))
        self._collect(new)
        self._collect_evident(new)

    def _collect_evident(self, module: Module) -> None:
        for node, role in evident_roles(self._model, self, module):
            self._add(Function(module, node), role)

    def _collect(self, module: Module) -> None:
        model = self._model
        for route in model.local(module, Route):
            function = route.function
            if function is not None and route.kind is not RouteKind.WEBHOOK:
                self._serve(function, route)
        for dependency in model.local(module, Dependency):
            for target in model.targets(dependency):
                if isinstance(target, Class):
                    self.classes.add(target.node)
                function = model.callable_of(target)
                if function is not None:
                    self.dependencies[function.node].append(dependency)
                    if function.owner is not None:
                        self.dependency_classes.setdefault(function.node, function.owner)
                    self._add(function, Role.DEPENDENCY)
        for lifespan in model.local(module, Lifespan):
            self._add_value(lifespan.target, Role.LIFESPAN)
            if isinstance(lifespan.target, Class):  # a context manager that is written out
                for name in ("__aenter__", "__aexit__"):
                    method = model.resolver.class_attribute(lifespan.target, name, instance=True)
                    self._add_value(method, Role.LIFESPAN)
        for function_node in module.index.functions:
            if self._is_lifespan(module, function_node):
                self._add(Function(module, function_node), Role.LIFESPAN)
        for handler in model.local(module, ExceptionHandler):
            self._add_value(handler.handler, Role.EXCEPTION_HANDLER)
        for event in model.local(module, EventHandler):
            for function in self._event_functions(event):
                self._add_value(function, Role.EVENT_HANDLER)
        for middleware in model.local(module, Middleware):
            self._middleware(middleware)

    def _is_lifespan(self, module: Module, node: FunctionNode) -> bool:
        """Whether a function is written as a lifespan, which a library or nobody here uses."""
        arguments = [*node.args.posonlyargs, *node.args.args]
        if "lifespan" not in node.name.lower() or len(arguments) != 1 or not node.decorator_list:
            return False
        given = arguments[0]
        if given.annotation is None:
            if given.arg.strip("_") not in _APP_NAMES:
                return False
        elif not self._model.is_instance(
            self._model.resolver.annotation(module, given.annotation), *_APP_CLASSES
        ):
            return False
        return any(
            self._model.resolve(module, decorator) == External("contextlib.asynccontextmanager")
            for decorator in node.decorator_list
        )

    def _event_functions(self, event: EventHandler) -> list[Value]:
        if event.style == "argument" and isinstance(event.node, ast.List | ast.Tuple):
            return [self._model.resolve(event.module, element) for element in event.node.elts]
        return [event.function]

    def _middleware(self, middleware: Middleware) -> None:
        target = middleware.target
        if isinstance(target, Function):
            self._add(target, Role.MIDDLEWARE)
            return
        if isinstance(target, External):
            # `add_middleware(BaseHTTPMiddleware, dispatch=function)`
            dispatch = middleware.arguments.get("dispatch")
            self._add_value(self._model.resolve(middleware.module, dispatch), Role.MIDDLEWARE)
            return
        if isinstance(target, Class):
            for name in _MIDDLEWARE_METHODS:
                method = self._model.resolver.class_attribute(target, name, instance=True)
                self._add_value(method, Role.MIDDLEWARE)

    def _serve(self, function: Function, route: Route) -> None:
        """Note that a function serves a route."""
        self.routes[function.node].append(route)
        is_socket = route.kind is RouteKind.WEBSOCKET
        self._add(function, Role.WEBSOCKET if is_socket else Role.ENDPOINT)

    def _add_value(self, value: Value, role: Role) -> None:
        if isinstance(value, Function):
            self._add(value, role)

    def _add(self, function: Function, role: Role) -> None:
        node = function.node
        if not isinstance(node, FUNCTIONS):
            return
        if node not in self.roles:
            self.by_module[function.module].append(function)
        self.roles[node].add(role)


def _copied(lists: Mapping[_K, list[_T]]) -> dict[_K, list[_T]]:
    return {key: list(found) for key, found in lists.items()}


def _forget(facts: dict[ast.AST, list[_Stated]], module: Module) -> None:
    """Take out what a module stated; a function of which nothing is left is in no table."""
    for node, found in list(facts.items()):
        kept = [fact for fact in found if fact.module is not module]
        if kept:
            facts[node] = kept
        else:
            del facts[node]


def _successors(old: Module, new: Module) -> Iterator[tuple[FunctionNode, FunctionNode]]:
    """The functions of two texts of one module that have the same qualified name, in order."""
    waiting: defaultdict[str, list[FunctionNode]] = defaultdict(list)
    for node in new.index.functions:
        waiting[new.index.qualname(node)].append(node)
    for node in old.index.functions:
        same = waiting[old.index.qualname(node)]
        if same:
            yield node, same.pop(0)
