"""The graph of a project: its apps and routers, and every app's resolved route table.

Three-valued throughout: what depends on run-time values is kept and marked (`certain=False`,
`path=None`, `Project.is_complete`), never guessed.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.assembly.evaluator import Evaluator
from flake8_fastapi_rules.semantics.assembly.objects import to_value
from flake8_fastapi_rules.semantics.bound import view_dependencies
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    EventHandler,
    Include,
    Mount,
    Route,
    RouteKind,
)
from flake8_fastapi_rules.semantics.files import is_snippet
from flake8_fastapi_rules.semantics.graph import (
    IncludeEntry,
    MountEntry,
    Options,
    RouteEntry,
    RouterNode,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.paths import format_of, names_in
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Unknown,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: `map(app.include_router, routers)`: what it is called with cannot be told.
_HANDED_ON = re.compile(r"\.include_router\s*[,)\]]")
#: How deep routers may include each other.
_DEPTH = 40
#: How many routes one app may have before the rest is left out.
_ROUTES = 5_000


@dataclass(frozen=True, eq=False, slots=True)
class ResolvedRoute:
    """A route as one app serves it.

    Parameters:
        app: the app.
        route: the registration.
        path: the full path, prefixes of includes and of the app's own mount included; `None` when
            some part is only known at run time.
        local_path: the path inside the app, without the mount.
        methods: upper case; `()` for WebSockets; `None` when they cannot be told.
        endpoint: what serves it.
        name: the route's name (by default the endpoint's).
        operation_id: as FastAPI generates it or as given; `None` for WebSockets, plain Starlette
            routes, custom `generate_unique_id_function`s and what cannot be told.
        has_explicit_name, has_explicit_id: given on the route.
        tags: of app, includes, routers and route, in this order; `None` when some are unknown.
        dependencies: everything that runs before the endpoint: first what app, includes, routers
            and route demand, then what the signature asks for; each followed by what it depends on
            itself, and each target once (the order of FastAPI's own `get_flat_params`).
        dependencies_complete: these are certainly all.
        declared: the dependencies that app, includes, routers and route list, not flattened.
        responses: the status codes that are documented; `None` when some are unknown.
        include_in_schema, deprecated: `None` when they cannot be told.
        response_class: `None` for the default.
        has_custom_id: a `generate_unique_id_function` makes the id; `None` when that is unknown.
        certain: method, path and handler are known and no branch or loop decides about it.
        certain_in_app: the same for the app by itself, wherever it may be mounted.
        conditions: the includes on the way of which a branch decides; `None` when something else is
            not certain in the app either.
        order: the position in the app's table (mounts count too).
        includes: the `include_router` calls that lead to it, outermost first.
        router: the app or router that it is declared on.
    """

    app: AppNode
    route: Route
    path: str | None
    local_path: str | None
    methods: tuple[str, ...] | None
    endpoint: Function | None
    name: str | None
    operation_id: str | None
    has_explicit_name: bool
    has_explicit_id: bool
    tags: tuple[str, ...] | None
    dependencies: tuple[Dependency, ...]
    dependencies_complete: bool
    declared: tuple[Dependency, ...]
    responses: tuple[int | str, ...] | None
    status_code: int | None
    include_in_schema: bool | None
    deprecated: bool | None
    response_class: Value | None
    certain: bool
    certain_in_app: bool
    conditions: frozenset[int] | None
    has_custom_id: bool | None
    order: int
    includes: tuple[Include, ...]
    router: RouterNode

    @property
    def kind(self) -> RouteKind:
        """HTTP or WebSocket."""
        return self.route.kind

    @property
    def is_plain(self) -> bool:
        """A Starlette route: no dependencies, no schema, no operation id."""
        return self.route.verb in _PLAIN


@dataclass(frozen=True, eq=False, slots=True)
class ResolvedMount:
    """Something mounted on an app (or on a router that the app includes).

    Parameters:
        local_path: the path inside the app; `None` when it cannot be told.
        child: the mounted app, if it is one of the project.
        order: the position in the app's table.
    """

    app: AppNode
    module: Module
    node: ast.expr
    mount: Mount | None
    local_path: str | None
    child: AppNode | None
    name: str | Unknown | None
    certain: bool
    order: int


_PLAIN = frozenset({"route", "add_route", "websocket_route", "add_websocket_route"})


@dataclass(frozen=True, slots=True)
class MountedAt:
    """Where an app is mounted.

    Parameters:
        path: the path inside of `parent`; `None` when unknown.
        is_conditional: a branch decides about it.
    """

    parent: AppNode
    path: str | None
    is_conditional: bool


class AppNode:
    """An app of the project.

    Parameters:
        node: the app as it was assembled.
        name: `package.module:variable`, or `package.module:factory` for apps of factories.
        mounts: where it is mounted.
    """

    def __init__(self, node: RouterNode, name: str) -> None:
        self.node = node
        self.name = name
        self.mounts: list[MountedAt] = []

    @property
    def module(self) -> Module:
        """Where it is made."""
        return self.node.module

    @property
    def call(self) -> ast.Call:
        """The call that makes it."""
        return self.node.call

    @property
    def value(self) -> Instance:
        """The app as a value, to compare with resolved receivers."""
        return self.node.value

    @property
    def is_mounted(self) -> bool:
        """Whether it serves (only) below another app."""
        return bool(self.mounts) or self.node.is_in_mount

    @property
    def mount_path(self) -> str | None:
        """The first known path it is mounted at; empty when it is not, `None` when unknown."""
        if not self.mounts:
            return ""
        return next(iter(self.mount_paths), None)

    @property
    def mount_paths(self) -> tuple[str, ...]:
        """All known paths that it serves below: `("",)` when it is not mounted."""
        return tuple(dict.fromkeys(path for path in self._mount_paths(0) if path is not None))

    @property
    def has_certain_path(self) -> bool:
        """Whether it serves below exactly one path, which is known."""
        paths = set(self._mount_paths(0))
        return len(paths) == 1 and None not in paths

    def paths_below(self, app: AppNode) -> tuple[str, ...]:
        """The known paths of it inside of another app that it is mounted on."""
        return tuple(dict.fromkeys(p for p in self._mount_paths(0, app) if p is not None))

    def _mount_paths(self, depth: int, below: AppNode | None = None) -> list[str | None]:
        if not self.mounts or self is below:
            return [""]
        if depth > _DEPTH:
            return [None]
        paths: list[str | None] = [
            None if above is None or mount.path is None else above + mount.path
            for mount in self.mounts
            for above in mount.parent._mount_paths(depth + 1, below)
        ]
        if set(paths) == {None} and all(mount.is_conditional for mount in self.mounts):
            return [None, ""]  # `if settings.base_url: outer.mount(settings.base_url, app)`
        return paths

    def __repr__(self) -> str:
        return f"AppNode({self.name!r})"


class Project:
    """The apps, routers, includes and mounts of a project.

    Parameters:
        model: answers what code means.
        modules: those of the project that matter, in path order.
        same: the same project as another model has it, with what was executed there.
    """

    def __init__(
        self, model: Model, modules: Iterable[Module], same: Project | None = None
    ) -> None:
        self.model = model
        #: Answers about it by the question; they go with it.
        self.answers: dict[object, Any] = {}
        self.modules = tuple(modules)
        self.members = frozenset(self.modules)
        self._evaluator: Evaluator = same._evaluator if same else Evaluator(model, self.modules)
        if same is None:
            self._evaluator.run()
        #: Every app and router, in the order in which they are made.
        self.nodes: tuple[RouterNode, ...] = tuple(self._evaluator.nodes)
        self._calls: defaultdict[ast.Call, list[RouterNode]] = defaultdict(list)
        for node in self.nodes:
            self._calls[node.call].append(node)
        self._apps_by_node: dict[RouterNode, AppNode] = {}
        self._tables: dict[AppNode, _Table] = {}
        self.apps: tuple[AppNode, ...] = self._find_apps()

    # -- apps and routers -------------------------------------------------------------------

    @property
    def routers(self) -> tuple[RouterNode, ...]:
        """All routers, also those that libraries hand out (`is_opaque`)."""
        return tuple(node for node in self.nodes if not node.is_app)

    def nodes_of(self, value: Value) -> tuple[RouterNode, ...]:
        """The apps or routers that a resolved value stands for, by the call that makes them."""
        if isinstance(value, Instance) and value.call is not None:
            return tuple(self._calls.get(value.call, ()))
        return ()

    def app_named(self, name: str) -> AppNode | None:
        """The app that a server would be told: `package.module:variable` or `...:factory`.

        The variable may also be imported there from the module that makes the app.
        """
        for app in self.apps:
            if app.name == name:
                return app
        for node in self._evaluator.nodes_named(name):
            if node in self._apps_by_node:
                return self._apps_by_node[node]
        return None

    def _find_apps(self) -> tuple[AppNode, ...]:
        """The apps; runs of one call that give the same table are one app."""
        apps: list[AppNode] = []
        found: dict[ast.Call, list[tuple[AppNode, object]]] = {}
        nodes = [node for node in self.nodes if node.is_app and not node.is_opaque]
        nodes.sort(key=lambda node: node.in_test)
        for node in nodes:
            same = found.setdefault(node.call, [])
            signature = _signature(node)
            known = next((app for app, other in same if other == signature), None)
            if known is None and node.in_test and same and not same[0][0].node.in_test:
                known = same[0][0]  # a test's variant of an app that is assembled elsewhere
            if known is None:
                known = AppNode(node, node.name or _fallback_name(node))
                apps.append(known)
                same.append((known, signature))
            self._apps_by_node[node] = known
        for node in self.nodes:
            if node.is_app:
                self._find_mounts(self._apps_by_node.get(node), node, "", 0, set())
        order = {node: position for position, node in enumerate(self.nodes)}
        apps.sort(key=lambda app: order[app.node])
        return tuple(apps)

    def _find_mounts(
        self,
        app: AppNode | None,
        node: RouterNode,
        prefix: str | None,
        depth: int,
        seen: set[RouterNode],
        *,
        conditional: bool = False,
    ) -> None:
        if app is None or depth > _DEPTH or node in seen or node not in self._above_mounts:
            return
        for entry in node.entries:
            if isinstance(entry, MountEntry) and entry.child is not None:
                child = self._apps_by_node.get(entry.child)
                path = None if prefix is None or entry.path is None else prefix + entry.path
                path = path.rstrip("/") if path is not None else None
                where = MountedAt(app, path, entry.is_conditional or conditional)
                if child is not None and child is not app and where not in child.mounts:
                    child.mounts.append(where)
            elif isinstance(entry, IncludeEntry) and entry.child is not None:
                inner = entry.options.prefix
                joined = None if prefix is None or isinstance(inner, Unknown) else prefix + inner
                self._find_mounts(
                    app,
                    entry.child,
                    joined,
                    depth + 1,
                    seen | {node},
                    conditional=conditional or entry.is_conditional,
                )

    @cached_property
    def _above_mounts(self) -> set[RouterNode]:
        """The apps and routers that something is mounted on, and those that include them."""
        found = {n for n in self.nodes if any(isinstance(e, MountEntry) for e in n.entries)}
        size = -1 if found else 0
        while size != len(found):
            size = len(found)
            found.update(
                node
                for node in self.nodes
                if any(isinstance(e, IncludeEntry) and e.child in found for e in node.entries)
            )
        return found

    # -- route tables -----------------------------------------------------------------------

    def resolved_routes(self, app: AppNode) -> tuple[ResolvedRoute, ...]:
        """The routes that an app serves, in the order in which they are tried."""
        return self._table(app).routes

    def resolved_mounts(self, app: AppNode) -> tuple[ResolvedMount, ...]:
        """What is mounted on an app, in order."""
        return self._table(app).mounts

    @cached_property
    def all_routes(self) -> tuple[ResolvedRoute, ...]:
        """The routes of all apps."""
        return tuple(route for app in self.apps for route in self.resolved_routes(app))

    def routes_of(self, endpoint: Function) -> tuple[ResolvedRoute, ...]:
        """The routes of all apps that a function serves."""
        return tuple(self._by_endpoint.get(endpoint.node, ()))

    @cached_property
    def _by_endpoint(self) -> dict[ast.AST, list[ResolvedRoute]]:
        found: defaultdict[ast.AST, list[ResolvedRoute]] = defaultdict(list)
        for route in self.all_routes:
            if route.endpoint is not None:
                found[route.endpoint.node].append(route)
        return found

    def routes_at(self, route: Route) -> tuple[ResolvedRoute, ...]:
        """What one registration becomes in all apps."""
        return tuple(self._by_fact.get(route.node, ()))

    def routes_shown(self, route: Route) -> tuple[ResolvedRoute, ...]:
        """What one registration becomes in all apps; where no app is shown, on its router alone.

        That is so in a file or two by themselves: elsewhere something else includes the router.
        """
        if self.apps or not is_snippet(self.model.modules.project_root(route.module.path)):
            return self.routes_at(route)
        return tuple(
            found
            for router in self.roots
            for found in self.resolved_routes(router)
            if found.route.node is route.node
        )

    @cached_property
    def _by_fact(self) -> dict[ast.AST, list[ResolvedRoute]]:
        found: defaultdict[ast.AST, list[ResolvedRoute]] = defaultdict(list)
        for route in self.all_routes:
            found[route.route.node].append(route)
        return found

    def event_owners(self, handler: EventHandler) -> tuple[RouterNode, ...]:
        """The apps and routers that a start-up or shut-down handler is put on."""
        found = tuple(self._by_event.get(handler.node, ())) or self.nodes_of(handler.app)
        match handler.app:
            case Instance(of=Class() as cls, call=None) if not found:  # by `super().__init__(...)`
                return tuple(n for n in self.nodes if self._is_of(n, cls))
        return found

    def _is_of(self, node: RouterNode, cls: Class) -> bool:
        """Whether an app or router is of a class of the project, or of one below it."""
        own = node.value.of
        return isinstance(own, Class) and cls in self.model.resolver.mro(own)

    def lifespan_of(self, node: RouterNode) -> Value | None:
        """What an app or router runs from start to stop; `None`: the default, its handlers."""
        given = node.attributes.get("lifespan_context")
        return None if given is None else to_value(given)

    @cached_property
    def _by_event(self) -> dict[ast.AST, list[RouterNode]]:
        found: defaultdict[ast.AST, list[RouterNode]] = defaultdict(list)
        for node in self.nodes:
            for event in node.events:
                found[event].append(node)
        return found

    def reached(self, app: AppNode) -> frozenset[RouterNode]:
        """The app and all routers that it includes, directly or through others."""
        return frozenset(self._table(app).reached)

    def is_complete(self, app: AppNode) -> bool:
        """Whether every include, mount and route of an app could be resolved.

        Routers of libraries do not count against it: what they bring is not the project's.
        """
        return self._table(app).complete

    @cached_property
    def every_include_resolved(self) -> bool:
        """Whether it is known of every `include_router` of the project what goes into what.

        Loaders of plug-ins, and helpers that nobody calls here, leave that open.
        """
        if any(node.is_open for node in self.nodes):
            return False
        if any(entry.child is None for node in self.nodes for entry in node.includes):
            return False
        if any(_HANDED_ON.search(module.source.text) for module in self.modules):
            return False
        if any(
            isinstance(include.child, External) and self._has_moved(include.child.name)
            for module in self.modules
            for include in self.model.local(module, Include)
        ):
            return False
        return not any(
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "include_router"
            and call not in self._evaluator.included
            and self._may_include(module, call.func.value)
            for module in self.modules
            if not self.model.settings.is_test_path(str(module.path))
            for call in module.index.nodes(ast.Call)
        )

    def _has_moved(self, name: str) -> bool:
        """Whether what seems to be a library's is a module of the project that is not there.

        Or there under another name: `src.api.v1.routers` where the folder `src` is `legacy` now.
        """
        top, *parts = name.split(".")[:-1]
        if any(top in module.name.split(".")[:-1] for module in self.modules):
            return True
        files = [(*parts[at:-1], f"{parts[-1]}.py") for at in range(len(parts) - 1)]
        return any(
            module.path.parts[-len(file) :] == file for module in self.modules for file in files
        )

    def _may_include(self, module: Module, receiver: ast.expr) -> bool:
        """Whether something may be an app or router, as far as can be told."""
        value = self.model.resolve(module, receiver)
        return not value or self.model.is_instance(value, "fastapi.FastAPI", "fastapi.APIRouter")

    def unreached_routers(self) -> tuple[RouterNode, ...]:
        """The routers with routes that no app of the project reaches.

        A router whose factory runs several times counts as reached when one of the runs is, and
        so does one that is included too late to be copied: the include is what is wrong.
        """
        reached = {node.call for app in self.apps for node in self._table(app).reached}
        waiting = [app.node for app in self.apps]
        seen = {id(node) for node in waiting}
        while waiting:
            for entry in waiting.pop().includes:
                if entry.child is not None and id(entry.child) not in seen:
                    seen.add(id(entry.child))
                    reached.add(entry.child.call)
                    waiting.append(entry.child)
        found: dict[ast.Call, RouterNode] = {}
        for node in self.routers:
            if (
                node.call not in reached
                and node.routes
                and not (node.is_opaque or node.is_handed_out or node.is_open)
            ):
                found.setdefault(node.call, node)
        return tuple(found.values())

    @cached_property
    def roots(self) -> tuple[AppNode, ...]:
        """The apps, and the routers that no app here reaches, as if they were apps.

        What contradicts itself inside of such a router does so wherever it is included. One whose
        parts an app includes by another way is what is left of an earlier one, and serves nothing.
        """
        reached = {node.call for app in self.apps for node in self._table(app).reached}
        included = {
            entry.child.call
            for node in self.nodes
            for entry in node.includes
            if entry.child is not None
        }
        found: dict[ast.Call, AppNode] = {}
        for node in self.routers:
            if (
                node.call not in reached | included
                and not node.is_opaque
                and not any(e.child is not None and e.child.call in reached for e in node.includes)
            ):
                name = node.name or _fallback_name(node)
                found.setdefault(node.call, AppNode(node, name))
        return (*self.apps, *found.values())

    @cached_property
    def cycles(self) -> tuple[tuple[IncludeEntry, ...], ...]:
        """The ways in which routers include themselves, each once, by the includes that close it.

        The include that was made last comes last: it is the one at which FastAPI fails.
        """
        calls = {call: position for position, call in enumerate(self._evaluator.included)}
        order = {
            id(entry): (calls.get(entry.node, 0), position)
            for position, entry in enumerate(
                entry for node in self.nodes for entry in node.includes
            )
        }
        found: dict[frozenset[int], tuple[IncludeEntry, ...]] = {}

        def visit(node: RouterNode, path: list[tuple[RouterNode, IncludeEntry]]) -> None:
            if len(path) > _DEPTH:
                return
            for entry in node.includes:
                child = entry.child
                if child is None:
                    continue
                inside = [*path, (node, entry)]
                starts = [position for position, (n, _) in enumerate(inside) if n is child]
                if starts:
                    loop = tuple(e for _, e in inside[starts[-1] :])
                    key = frozenset(id(e) for e in loop)
                    if key not in found:
                        found[key] = tuple(sorted(loop, key=lambda e: order[id(e)]))
                elif child not in visited:
                    visit(child, inside)
            visited.add(node)

        visited: set[RouterNode] = set()
        for node in self.nodes:
            if node not in visited:
                visit(node, [])
        return tuple(found.values())

    def _table(self, app: AppNode) -> _Table:
        table = self._tables.get(app)
        if table is None:
            table = self._tables[app] = _Table(self, app)
        return table

    def app_of(self, node: RouterNode) -> AppNode | None:
        """The app that a node is a run of."""
        return self._apps_by_node.get(node)

    # -- dependencies -----------------------------------------------------------------------

    def flattened(self, listed: tuple[Dependency, ...]) -> tuple[tuple[Dependency, ...], bool]:
        """Dependencies with all they depend on, each target once, in FastAPI's order.

        Also whether these are certainly all.
        """
        found: list[Dependency] = []
        seen: set[object] = set()
        complete = True
        stack = list(reversed(listed))
        while stack and len(found) < 1000:
            dependency = self._evaluator.registry.resolved(stack.pop())
            key: object = dependency.target or dependency.node
            if key in seen:
                continue
            seen.add(key)
            found.append(dependency)
            if not self.model.targets(dependency):
                complete = False
            below, certain = self.model.sub_dependencies(dependency)
            complete = complete and certain
            stack.extend(reversed(below))
        return tuple(found), complete


class _Table:
    """Walks one app's graph."""

    def __init__(self, project: Project, app: AppNode) -> None:
        self.project = project
        self.app = app
        self.complete = True
        self.reached: set[RouterNode] = set()
        self._live = project.model.settings.fastapi_at_least(0, 137)
        self._routes: list[ResolvedRoute] = []
        self._mounts: list[ResolvedMount] = []
        self._order = 0
        self._walk(app.node, Options(), (), frozenset(), len(app.node.entries), ())
        self.routes = tuple(self._routes)
        self.mounts = tuple(self._mounts)

    def _walk(
        self,
        node: RouterNode,
        context: Options,
        includes: tuple[Include, ...],
        conditions: frozenset[int],
        visible: int,
        path: tuple[RouterNode, ...],
    ) -> None:
        if node in path or len(path) > _DEPTH or self._is_too_large():
            self.complete = False
            return
        self.reached.add(node)
        if node.is_open:
            self.complete = False
        entries = node.entries if self._live else node.entries[:visible]
        for entry in entries:
            self._order += 1
            sure = not conditions and not entry.is_conditional
            if isinstance(entry, RouteEntry):
                own = None if entry.is_conditional else conditions
                self._route(node, entry, context, includes, own)
            elif isinstance(entry, MountEntry):
                # Below 0.137 `include_router` copied routes only and lost mounts.
                if self._live or not path:
                    self._mount(entry, context, sure)
            elif entry.child is None:
                self.complete = False
            else:
                self._walk(
                    entry.child,
                    context.then(entry.options),
                    (*includes, entry.fact) if entry.fact else includes,
                    conditions | {id(entry)} if entry.is_conditional else conditions,
                    entry.visible,
                    (*path, node),
                )

    def _is_too_large(self) -> bool:
        return len(self._routes) > _ROUTES or self._order > _ROUTES * 10

    def _mount(self, entry: MountEntry, context: Options, certain: bool) -> None:
        prefix = context.prefix
        known = entry.path is not None and not isinstance(prefix, Unknown)
        local = f"{prefix}{entry.path}".rstrip("/") if known else None
        child = self.project.app_of(entry.child) if entry.child else None
        self.complete = self.complete and known
        self._mounts.append(
            ResolvedMount(
                self.app,
                entry.module,
                entry.node,
                entry.fact,
                local,
                child,
                entry.name,
                certain and known,
                self._order,
            )
        )

    def _route(
        self,
        node: RouterNode,
        entry: RouteEntry,
        context: Options,
        includes: tuple[Include, ...],
        conditions: frozenset[int] | None,
    ) -> None:
        if entry.fact.kind is RouteKind.WEBHOOK:
            return
        options = context.then(entry.options)
        local = None if isinstance(options.prefix, Unknown) else options.prefix
        mount = self.app.mount_path
        endpoint = entry.endpoint
        is_known = local is not None and entry.methods is not None
        self.complete = self.complete and is_known
        if endpoint is None or not is_known:
            conditions = None
        certain = conditions is not None and not conditions
        declared, complete = options.dependencies, options.dependencies_complete
        if entry.is_plain:
            declared, complete = (), True
        own_dependencies: tuple[Dependency, ...] = ()
        if endpoint is None:
            complete = False
        elif not entry.is_plain:
            names = frozenset(names_in(local)) if local is not None else frozenset()
            own_dependencies = self._signature(entry, endpoint, names)
            complete = complete and self.project.model.tells_dependencies(endpoint)
        dependencies, all_known = self.project.flattened((*declared, *own_dependencies))
        name = _name(entry)
        operation_id = self._operation_id(entry, options, name, local)
        self._routes.append(
            ResolvedRoute(
                self.app,
                entry.fact,
                None if local is None or mount is None else mount + local,
                local,
                entry.methods,
                endpoint,
                name,
                operation_id,
                isinstance(entry.name, str),
                isinstance(entry.operation_id, str),
                None if isinstance(options.tags, Unknown) else options.tags,
                dependencies,
                complete and all_known,
                declared,
                None if isinstance(options.responses, Unknown) else options.responses,
                None if isinstance(entry.status_code, Unknown) else entry.status_code,
                self._in_schema(options),
                None if isinstance(options.deprecated, Unknown) else bool(options.deprecated),
                options.response_class,
                certain and self.app.has_certain_path,
                certain,
                conditions,
                None if isinstance(options.custom_id, Unknown) else options.custom_id,
                self._order,
                includes,
                node,
            )
        )

    def _in_schema(self, options: Options) -> bool | None:
        """Whether the documentation shows a route; that of an app without one shows none."""
        if self.app.node.attributes.get("openapi_url") in (Constant(None), Constant("")):
            return False  # given by the constructor of the app's class, perhaps
        fact = self.app.node.fact
        given = fact.arguments.get("openapi_url") if fact is not None else None
        if fact is not None and given is not None:
            url = self.project.model.resolve(fact.module, given)
            if isinstance(url, Constant) and not url.value:
                return False
        shown = options.include_in_schema
        return None if isinstance(shown, Unknown) else shown

    def _signature(
        self, entry: RouteEntry, endpoint: Function, names: frozenset[str]
    ) -> tuple[Dependency, ...]:
        model = self.project.model
        found = model.dependencies(endpoint, names)
        registry = entry.frame.evaluator.registry if entry.frame else None
        if registry is not None and entry.frame is not None:
            found = tuple(registry.in_frame(d, entry.frame) for d in found)
        if isinstance(entry.view, Class):
            injected = registry.view_dependency(entry) if registry else None
            if injected is not None:
                return (injected, *view_dependencies(self.project.model, entry.view), *found)
        return found

    def _operation_id(
        self, entry: RouteEntry, options: Options, name: str | None, local: str | None
    ) -> str | None:
        if entry.is_plain or entry.fact.kind is not RouteKind.HTTP:
            return None
        if entry.operation_id is not None:
            return entry.operation_id if isinstance(entry.operation_id, str) else None
        if options.custom_id is not False or name is None or local is None:
            return None
        if not entry.methods or len(set(entry.methods)) > 1:
            return None  # FastAPI takes the first of a set, which differs from run to run
        text = re.sub(r"\W", "_", f"{name}{format_of(local)}")
        return f"{text}_{entry.methods[0].lower()}"


def _name(entry: RouteEntry) -> str | None:
    if isinstance(entry.name, str):
        return entry.name
    if entry.name is not None or entry.endpoint is None:
        return None
    node = entry.endpoint.node
    return node.name if isinstance(node, FUNCTIONS) else "<lambda>"


def _signature(node: RouterNode, seen: dict[int, int] | None = None, depth: int = 0) -> object:
    """What makes two runs of one call the same app; a router that is met again is a number."""
    seen = {} if seen is None else seen
    if depth > _DEPTH or id(node) in seen:
        return seen.get(id(node))
    seen[id(node)] = len(seen)
    parts: list[object] = [node.call, node.options]
    for entry in node.entries:
        if isinstance(entry, RouteEntry):
            parts.append((entry.fact.node, entry.options.prefix, entry.methods))
        elif isinstance(entry, MountEntry):
            parts.append((entry.node, entry.path))
        else:
            inner = _signature(entry.child, seen, depth + 1) if entry.child else None
            parts.append((entry.node, entry.options.prefix, inner))
    return tuple(parts)


def _fallback_name(node: RouterNode) -> str:
    function = node.module.index.function_of(node.call)
    inside = node.module.index.qualname(function) if function is not None else "<app>"
    return f"{node.module.name}:{inside}"


def place_name(value: Value) -> str | None:
    """`module:qualname` of a function, class or object, as Python itself would say it."""
    match value:
        case Function(module, node):
            return f"{module.name}:{module.index.qualname(node)}"
        case Class(module, node):
            return f"{module.name}:{module.index.qualname(node)}"
        case Instance(of=of):
            return place_name(of)
        case External(name):
            owner, _, last = name.rpartition(".")
            return f"{_HOMES.get(name, owner)}:{last}" if owner else last
        case _:
            return qualified_name(value)


#: Where FastAPI's security classes really are defined.
_HOMES = {
    f"fastapi.security.{name}": f"fastapi.security.{module}"
    for module, names in {
        "api_key": ("APIKeyCookie", "APIKeyHeader", "APIKeyQuery"),
        "http": ("HTTPBasic", "HTTPBearer", "HTTPDigest"),
        "oauth2": (
            "OAuth2", "OAuth2AuthorizationCodeBearer", "OAuth2PasswordBearer",
            "OAuth2PasswordRequestForm", "OAuth2PasswordRequestFormStrict", "SecurityScopes",
        ),
        "open_id_connect_url": ("OpenIdConnect",),
    }.items()
    for name in names
}  # fmt: skip
