"""What FastAPI does when apps and routers are told something: routes, includes, mounts."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flake8_fastapi_rules.semantics.assembly.objects import (
    AV,
    Arguments,
    Closure,
    Decorator,
    Depending,
    Frame,
    Items,
    Made,
    Object,
    Origin,
    Partial,
    Planned,
    Routes,
    Table,
    alternatives,
    flag,
    is_none,
    items_of,
    to_value,
)
from flake8_fastapi_rules.semantics.assembly.vocabulary import (
    ADDERS,
    APP,
    DIRECT,
    EVENTS,
    HANDLING,
    POSITIONAL,
    ROUTER,
    VERSIONED,
)
from flake8_fastapi_rules.semantics.build import route_fact
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    Include,
    Marker,
    Mount,
    Route,
)
from flake8_fastapi_rules.semantics.framework import VERBS
from flake8_fastapi_rules.semantics.graph import (
    IncludeEntry,
    MountEntry,
    Options,
    RouteEntry,
    RouterNode,
)
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Function,
    Instance,
    Unknown,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.assembly.evaluator import Evaluator

_VIRTUAL = frozenset({"add_api_route", "add_api_websocket_route"})
_CALLABLES = frozenset({"collections.abc.Callable", "typing.Callable", "typing.Any"})


class Registry:
    """Puts routes, routers, mounts and handlers where the calls of a running app put them.

    Parameters:
        evaluator: the run that the calls belong to.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def depends(self, node: ast.Call, frame: Frame) -> AV:
        """What `Depends(...)` and `Security(...)` give."""
        value = self._evaluator.resolver.resolve(frame.module, node)
        if not isinstance(value, Instance):
            return UNKNOWN
        dependency = self._evaluator.model.dependency_of_marker(frame.module, node, value, None)
        return UNKNOWN if dependency is None else Depending(self.in_frame(dependency, frame))

    def in_frame(self, dependency: Dependency, frame: Frame) -> Dependency:
        """A dependency whose target is a name of a running function: what that name is there."""
        node = dependency.target_node
        if node is None:
            return dependency
        if dependency.marker.call_module is not frame.module or frame.function is None:
            return dependency
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        current: Frame | None = frame
        local = False
        while current is not None and current.function is not None:
            local = local or not names.isdisjoint(current.names)
            current = current.parent
        if not local:
            return dependency
        target = self.plain(self._evaluator.evaluate(node, frame))
        found = to_value(target)
        if not found or found == dependency.target:
            return dependency
        return self._evaluator.model.aimed_at(dependency, found)

    def resolved(self, dependency: Dependency) -> Dependency:
        """A dependency whose target only a call with its arguments tells.

        `Depends(get_user(required=True))` where the factory returns one of several functions.
        """
        target, node = dependency.target, dependency.target_node
        if not isinstance(node, ast.Call):
            return dependency
        if isinstance(target, Function | Class) or (
            isinstance(target, Instance)
            and (isinstance(target.of, Class) or target.of.name not in _CALLABLES)
        ):
            return dependency
        in_test, self._evaluator.in_test = self._evaluator.in_test, False
        try:
            frame = self._evaluator.module_frame(dependency.marker.call_module)
            found = to_value(self._evaluator.evaluate(node, frame))
        finally:
            self._evaluator.in_test = in_test
        if isinstance(found, Function | Class) or (
            isinstance(found, Instance) and isinstance(found.of, Class)
        ):
            return self._evaluator.model.aimed_at(dependency, found)
        return dependency

    def view_dependency(self, entry: RouteEntry) -> Dependency | None:
        """What a class-based view injects as `self`: an object of the class."""
        cls = entry.view
        if not isinstance(cls, Class):
            return None
        call = ast.copy_location(
            ast.Call(ast.copy_location(ast.Name("Depends", ast.Load()), cls.node), [], []), cls.node
        )
        marker = Marker("Depends", cls.module, call, call, cls.module, in_annotated=False)
        return Dependency(cls.module, call, marker, None, cls, None, False, None)

    def made_call(self, node: RouterNode, name: str, arguments: Arguments, origin: Origin) -> AV:
        """Call a method of an app or router."""
        self._evaluator.progress += 1
        plain = name.removeprefix("super.")
        if plain == "__init__":
            self._evaluator.calls.initialise(node, arguments)
            return Constant(None)
        if plain == "include_router":
            self._include(node, arguments, origin)
            return Constant(None)
        if plain == "mount":
            self._mount(node, arguments, origin)
            return Constant(None)
        if plain == VERSIONED:
            # Cadwyn serves these routers once for each version, told by a header.
            self._evaluator.conditions.append(origin.node)
            for router in arguments.positional:
                self._include(node, Arguments([router], {}), origin)
            self._evaluator.conditions.pop()
            return Constant(None)
        if plain in HANDLING:
            named = arguments.named(("exc_class_or_status_code",))
            caught = self.plain(named.get("exc_class_or_status_code", UNKNOWN))
            node.handled.append(to_value(caught))
            return UNKNOWN
        if plain in EVENTS:
            node.events.append(origin.node)
            return UNKNOWN
        if plain in ADDERS:
            return Decorator(node, plain, arguments, origin)
        if plain in DIRECT:
            named = arguments.named(POSITIONAL[plain])
            endpoint = named.pop("endpoint", UNKNOWN)
            self._add(node, plain, named, arguments.hidden, endpoint, origin, endpoint)
        return Constant(None)

    def apply(self, decorator: Decorator, endpoint: AV) -> None:
        """Register an endpoint as `router.get(...)(endpoint)` does: through `add_api_route`."""
        self._evaluator.progress += 1
        node, verb = decorator.node, decorator.verb
        named = decorator.arguments.named(POSITIONAL.get(verb, ("path",)))
        if verb in VERBS:
            named["methods"] = Items([Constant(verb.upper())])
        target = {
            "websocket": "add_api_websocket_route",
            "route": "add_route",
            "websocket_route": "add_websocket_route",
        }.get(verb, "add_api_route")
        cls = node.value.of
        if isinstance(cls, Class) and target in _VIRTUAL:
            override = self._evaluator.member(cls, target, Made(node), stop_at_library=True)
            if (
                isinstance(override, Closure)
                and override.function.node not in self._evaluator.running
            ):
                path = named.pop("path", UNKNOWN)
                before = len(node.entries)
                origin, self._evaluator.origin = self._evaluator.origin, decorator.origin
                try:
                    self._evaluator.calls.call_function(
                        override,
                        Arguments([path, endpoint], named, decorator.arguments.hidden),
                    )
                finally:
                    self._evaluator.origin = origin
                if len(node.entries) > before:
                    return
                named["path"] = path
        self._add(
            node, verb, named, decorator.arguments.hidden, endpoint, decorator.origin, endpoint
        )

    def _is_conditional(self, node: RouterNode) -> bool:
        """Whether a branch decides about something that is done now to what was made earlier.

        Or it is done by a test, to an app that stands for those that several tests made.
        """
        if self._evaluator.in_test and id(node) in self._evaluator.standing_in:
            return True
        conditions = self._evaluator.conditions
        made = node.conditions
        return any(condition not in made for condition in conditions)

    def _add(
        self,
        node: RouterNode,
        verb: str,
        named: dict[str, AV],
        hidden: bool,
        endpoint: AV,
        origin: Origin,
        given: AV,
    ) -> None:
        function, frame = self._endpoint(endpoint)
        if function is not None:
            self._evaluator.endpoints.add(function.node)
        own = self.options(Arguments([], named, hidden), is_route=True)
        path = self.plain(named.get("path", UNKNOWN))
        prefix = path.value if isinstance(path, Constant) and isinstance(path.value, str) else None
        decorator = self._custom_decorator(origin, function)
        if decorator is None:
            fact = self._route_fact(node, verb, origin, function)
            if not set(named).issubset({*fact.arguments, "path", "endpoint", "methods"}):
                # `read = partial(router.get, status_code=200)`
                fact = replace(fact, has_unknown_arguments=True)
        else:
            methods = self._methods(verb, named, hidden)
            fact = self._custom_fact(node, verb, decorator, function, prefix, methods)
        own = replace(own, prefix=UNKNOWN if prefix is None else prefix)
        is_plain = verb in {"route", "add_route", "websocket_route", "add_websocket_route"}
        # Starlette's own `add_route` knows no prefix.
        options = own if is_plain else self.current_options(node).then(own)
        status = self._status(named.get("status_code"))
        node.entries.append(
            RouteEntry(
                fact,
                self._methods(verb, named, hidden),
                function,
                options,
                own,
                self._given_text(named.get("name"), hidden),
                self._given_text(named.get("operation_id"), hidden),
                status,
                frame,
                self._is_conditional(node),
                is_plain,
            )
        )

    def _endpoint(self, value: AV) -> tuple[Function | None, Frame | None]:
        if isinstance(value, Partial):
            value = value.callee
        if isinstance(value, Closure):
            return value.function, value.frame
        if isinstance(value, Object):
            method = self._evaluator.member(value.cls, "__call__", value)
            if isinstance(method, Closure):
                return method.function, method.frame
        if isinstance(value, Function):
            return value, None
        return None, None

    def _route_fact(
        self, node: RouterNode, verb: str, origin: Origin, endpoint: Function | None
    ) -> Route:
        facts = self._evaluator.facts_of(origin.module)
        fact = facts.get(origin.node)
        if isinstance(fact, Route):
            if fact.endpoint is None or endpoint is None or fact.endpoint is endpoint.node:
                return fact
            return replace(
                fact, endpoint=endpoint.node, endpoint_module=endpoint.module, receiver=node.value
            )
        return route_fact(
            self._evaluator.model,
            origin.module,
            origin.node,
            origin.call,
            verb,
            node.value,
            endpoint,
        )

    def _custom_decorator(self, origin: Origin, endpoint: Function | None) -> Origin | None:
        """The decorator of the project's own, if any, that puts its function on a router now."""
        decorating = self._evaluator.decorating
        if decorating is None or endpoint is None or decorating.function is not endpoint.node:
            return None
        return None if decorating.origin.node is origin.node else decorating.origin

    def _custom_fact(
        self,
        node: RouterNode,
        verb: str,
        decorator: Origin,
        endpoint: Function | None,
        path: str | None,
        methods: tuple[str, ...] | None,
    ) -> Route:
        """What a decorator of the project's own registers: it may add arguments of its own."""
        like = "websocket" if "websocket" in verb else "api_route"
        if methods and len(methods) == 1 and methods[0].lower() in VERBS:
            like = methods[0].lower()
        fact = self._route_fact(node, like, decorator, endpoint)
        is_kept = path is not None and fact.path == path
        return replace(
            fact,
            path=path,
            path_node=fact.path_node if is_kept else None,
            methods=methods,
            has_unknown_arguments=True,
        )

    def _methods(self, verb: str, named: dict[str, AV], hidden: bool) -> tuple[str, ...] | None:
        if "websocket" in verb:
            return ()
        given = named.get("methods")
        if given is None or is_none(given):
            if hidden and given is None:
                return None
            return ("GET", "HEAD") if verb in {"route", "add_route"} else ("GET",)
        items = items_of(given)
        if items is None or not getattr(given, "complete", True):
            return None
        methods = [self.plain(item) for item in items]
        if not all(isinstance(m, Constant) and isinstance(m.value, str) for m in methods):
            return None
        names = dict.fromkeys(m.value.upper() for m in methods)
        if verb in {"route", "add_route"} and "GET" in names:
            names["HEAD"] = None
        return tuple(names)

    def _include(self, node: RouterNode, arguments: Arguments, origin: Origin) -> None:
        named = arguments.named(("router",))
        given = self.options(Arguments([], named, arguments.hidden))
        options = self.current_options(node).then(given)
        fact = self._evaluator.facts_of(origin.module).get(origin.node)
        children = alternatives(named.get("router", UNKNOWN))
        self._evaluator.included.setdefault(origin.node)
        for child in children:
            conditional = self._is_conditional(node) or len(children) > 1
            if isinstance(child, Made):
                made: RouterNode | None = child.node
            else:
                made = self._opaque_child(child, origin)
            node.entries.append(
                IncludeEntry(
                    fact if isinstance(fact, Include) else None,
                    origin.module,
                    origin.node,
                    made,
                    options,
                    conditional,
                    len(made.entries) if made is not None else 0,
                )
            )

    def _opaque_child(self, child: AV, origin: Origin) -> RouterNode | None:
        """A router object of a library (`admin.router`); `None` for what is not known at all."""
        value = to_value(child)
        name: str | None = None
        if isinstance(value, External):
            name = value.name
        elif isinstance(value, Instance) and isinstance(value.of, External):
            name = value.of.name
        if name is None or name in {ROUTER, APP}:
            return None
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None  # `import_module(name).router`, `getattr(module, "router")`
        call = origin.call or ast.Call(ast.Name(name, ast.Load()), [], [])
        made = RouterNode(
            None, origin.module, call, Instance(External(ROUTER)), False, is_opaque=True
        )
        self._evaluator.nodes.append(made)
        return made

    def _mount(self, node: RouterNode, arguments: Arguments, origin: Origin) -> None:
        named = arguments.named(("path", "app", "name"))
        path = self.plain(named.get("path", UNKNOWN))
        text = path.value if isinstance(path, Constant) and isinstance(path.value, str) else None
        fact = self._evaluator.facts_of(origin.module).get(origin.node)
        children = alternatives(named.get("app", UNKNOWN))
        for child in children:
            if isinstance(child, Made) and not child.node.is_app:
                child.node.is_handed_out = True  # a router by itself answers below the path
            node.entries.append(
                MountEntry(
                    fact if isinstance(fact, Mount) else None,
                    origin.module,
                    origin.node,
                    child.node if isinstance(child, Made) and child.node.is_app else None,
                    text.rstrip("/") if text is not None else None,
                    self._is_conditional(node) or len(children) > 1,
                    self._given_text(named.get("name"), arguments.hidden),
                )
            )

    def extend_routes(self, node: RouterNode, value: AV) -> None:
        """`router.routes.extend(...)`, `FastAPI(routes=...)`"""
        self._evaluator.progress += 1
        if isinstance(value, Routes):
            value.node.is_handed_out = True
            for entry in list(value.node.entries):
                node.entries.append(entry)
            return
        items = items_of(value)
        if items is None or not getattr(value, "complete", True):
            node.is_open = True
        for item in items or ():
            self._put(node, item)

    def _put(self, node: RouterNode, item: AV) -> None:
        if not isinstance(item, Planned):
            node.is_open = True
            return
        if item.kind == "Mount":
            self._mount(node, item.arguments, item.origin)
            return
        verb = {
            "APIRoute": "add_api_route",
            "Route": "add_route",
            "APIWebSocketRoute": "add_api_websocket_route",
            "WebSocketRoute": "add_websocket_route",
        }.get(item.kind)
        if verb is None:
            node.is_open = True
            return
        named = item.arguments.named(POSITIONAL[verb])
        endpoint = named.pop("endpoint", UNKNOWN)
        options, node.options = node.options, Options()
        try:
            self._add(node, verb, named, item.arguments.hidden, endpoint, item.origin, endpoint)
        finally:
            node.options = options

    def routes_call(self, node: RouterNode, name: str, arguments: Arguments) -> AV:
        """Call a method of the list `router.routes`."""
        self._evaluator.progress += 1
        if name in {"append", "insert"} and arguments.positional:
            self._put(node, arguments.positional[-1])
        elif name == "extend" and arguments.positional:
            self.extend_routes(node, arguments.positional[0])
        else:
            node.is_open = True
        return Constant(None)

    def options(self, arguments: Arguments, *, is_route: bool = False) -> Options:
        """What a call tells an app, a router, a route or an include."""
        given = arguments.keywords
        hidden = arguments.hidden

        def pick(name: str, default: Any, read: Any) -> Any:
            if name not in given:
                return UNKNOWN if hidden else default
            value = given[name]
            return default if is_none(value) else read(value)

        listed, complete = pick("dependencies", ((), True), self._listed) or ((), False)
        response_class = given.get("response_class" if is_route else "default_response_class")
        custom = given.get("generate_unique_id_function")
        callbacks = given.get("callbacks")
        if isinstance(callbacks, Routes):
            callbacks.node.is_handed_out = True  # they document what others serve
        return Options(
            pick("prefix", "", self._one_text),
            pick("tags", (), self.texts),
            listed,
            complete,
            pick("responses", (), self._keys),
            pick("deprecated", None, flag),
            pick("include_in_schema", True, flag),
            None if response_class is None else to_value(response_class) or None,
            (UNKNOWN if hidden else False) if custom is None else True,
        )

    def current_options(self, node: RouterNode) -> Options:
        """What an app or router hands on, with what was put into its list of dependencies."""
        listed = node.attributes.get("dependencies")
        if isinstance(listed, Items):  # `router.dependencies.append(...)`
            changed = self.options(Arguments([], {"dependencies": listed}))
            node.options = replace(
                node.options,
                dependencies=changed.dependencies,
                dependencies_complete=changed.dependencies_complete,
            )
        return node.options

    def _one_text(self, value: AV) -> str | Unknown:
        plain = self.plain(value)
        if isinstance(plain, Constant) and isinstance(plain.value, str):
            return plain.value
        return UNKNOWN

    def _given_text(self, value: AV, hidden: bool) -> str | Unknown | None:
        if value is None:
            return UNKNOWN if hidden else None
        return None if is_none(value) else self._one_text(value)

    def texts(self, value: AV) -> tuple[str, ...] | Unknown:
        """The texts of a list, if all are known."""
        items = items_of(value)
        if items is None or not getattr(value, "complete", True):
            return UNKNOWN
        texts = [self._one_text(item) for item in items]
        if any(isinstance(text, Unknown) for text in texts):
            return UNKNOWN
        return tuple(text for text in texts if isinstance(text, str))

    def _listed(self, value: AV) -> tuple[tuple[Dependency, ...], bool]:
        """The dependencies that are certainly in a list, and whether these are all."""
        items = items_of(value)
        if items is None:
            return (), False
        complete = getattr(value, "complete", True)
        found: list[Dependency] = []
        for item in items:
            dependency = self._dependency(item)
            if dependency is None:
                complete = False
            else:
                found.append(dependency)
        return tuple(found), complete

    def _dependency(self, item: AV) -> Dependency | None:
        if isinstance(item, Depending):
            return item.dependency
        if (
            isinstance(item, Instance)
            and isinstance(item.of, External)
            and item.of.name in {"fastapi.Depends", "fastapi.Security"}
            and item.module is not None
            and item.call is not None
        ):
            return self._evaluator.model.dependency_of_marker(item.module, item.call, item, None)
        return None

    def _keys(self, value: AV) -> tuple[int | str, ...] | Unknown:
        if not isinstance(value, Table) or not value.complete:
            return UNKNOWN
        keys = [key for key in value.items if isinstance(key, int | str)]
        return tuple(keys) if len(keys) == len(value.items) else UNKNOWN

    def _status(self, value: AV | None) -> int | Unknown | None:
        if value is None or is_none(value):
            return None
        plain = self.plain(value)
        if isinstance(plain, Constant) and type(plain.value) is int:
            return plain.value
        return UNKNOWN

    def plain(self, value: AV) -> AV:
        """A status constant or an enumeration's member as the plain constant it is."""
        if isinstance(value, External):
            return self._evaluator.model.constant_of(value)
        return value
