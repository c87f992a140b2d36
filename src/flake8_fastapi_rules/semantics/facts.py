"""What FastAPI would know of a module: frozen facts that rules subscribe to.

All facts carry the `module` they stand in and the `node` to report at. Nodes of other modules come
with their own module. Every field that could not be resolved is `None` (or its `certain`-flag is
`False`), never a guess.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Literal, TypeAlias

from flake8_fastapi_rules.engine.index import argument, terminal_name
from flake8_fastapi_rules.semantics.framework import ROUTE_DECORATORS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)


@dataclass(frozen=True, eq=False)
class App:
    """A call that makes an app: of `FastAPI` or of a subclass.

    Parameters:
        node: the call.
        cls: `External("fastapi.FastAPI")` or the project's subclass.
        names: the names or attributes it is bound to directly (`app`, `self.app`).
        function: the innermost function around it, if there is one.
        arguments: keyword arguments by name (positional ones are given their names).
        has_unknown_arguments: `**kwargs` is passed.
    """

    module: Module
    node: ast.Call
    cls: External | Class
    names: tuple[str, ...]
    function: FunctionNode | ast.Lambda | None
    arguments: dict[str, ast.expr]
    has_unknown_arguments: bool

    @property
    def value(self) -> Instance:
        """The app as a value; compare with resolved receivers."""
        return Instance(self.cls, self.module, self.node)

    def short_name(self, length: int) -> str | None:
        """The first name that it is bound to, if there is one of fewer characters, for messages."""
        return self.names[0] if self.names and len(self.names[0]) < length else None


@dataclass(frozen=True, eq=False)
class Router(App):
    """A call that makes an `APIRouter` (or an instance of a subclass)."""


@dataclass(frozen=True, eq=False)
class Initialisation:
    """A `super().__init__(...)` in a class of the project's own apps or routers.

    Parameters:
        node: the call.
        arguments: keyword arguments by name.
    """

    module: Module
    node: ast.Call
    arguments: dict[str, ast.expr]


class RouteKind(Enum):
    """How a route serves."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    WEBHOOK = "webhook"


@dataclass(frozen=True, eq=False)
class Route:
    """One registration of an endpoint on an app or router.

    Parameters:
        node: the decorator, or the call of `add_api_route`; what rules report at.
        call: the call with the arguments, `None` for a decorator without a call.
        style: `decorator` (`@router.get(...)`), `call` (`router.get(...)(f)`) or `add`
            (`add_api_route`, `add_api_websocket_route`).
        receiver: the value of `router` in `@router.get(...)`.
        verb: the decorator's method name: `get`, `post`, ..., `api_route`, `websocket`,
            `add_api_route`, `route`, ...
        methods: HTTP methods in upper case; `None` when they cannot be told.
        path_node: the expression of the path.
        path: the path as written on the route, without prefixes; `None` when not a constant.
        endpoint: the function behind it; `None` when it cannot be resolved.
        endpoint_module: the module of the endpoint.
        view_class: the class whose method the endpoint is, for class-based views.
        arguments: keyword arguments of the call by name (positional ones are given names).
        has_unknown_arguments: `**kwargs` is passed.
    """

    module: Module
    node: ast.expr
    call: ast.Call | None
    kind: RouteKind
    style: Literal["decorator", "call", "add"]
    receiver: Value
    verb: str
    methods: tuple[str, ...] | None
    path_node: ast.expr | None
    path: str | None
    endpoint: FunctionNode | ast.Lambda | None
    endpoint_module: Module | None
    view_class: Class | None
    arguments: dict[str, ast.expr]
    has_unknown_arguments: bool

    @property
    def is_plain_decorator(self) -> bool:
        """Whether it is a decorator of a router's: one of the project's own may wrap, too."""
        func = self.node.func if isinstance(self.node, ast.Call) else self.node
        return self.style == "decorator" and terminal_name(func) in ROUTE_DECORATORS

    @property
    def function(self) -> Function | None:
        """The endpoint as a value."""
        if self.endpoint is None or self.endpoint_module is None:
            return None
        return Function(self.endpoint_module, self.endpoint, self.view_class)


@dataclass(frozen=True, eq=False)
class UnclearRoute:
    """What may register an endpoint, as only a run of the code that assembles the app tells.

    The router is a parameter, the function comes from a table, or the decorator is the project's.
    """

    module: Module
    node: ast.expr


@dataclass(frozen=True, eq=False)
class Endpoint:
    """A function that serves one or more routes of this module (or of `add_api_route` elsewhere).

    Rules about bodies and signatures subscribe to this, so that they report once per function.
    """

    module: Module
    node: FunctionNode
    routes: tuple[Route, ...]
    view_class: Class | None

    @property
    def is_websocket(self) -> bool:
        """Whether it serves WebSockets (only)."""
        return all(route.kind is RouteKind.WEBSOCKET for route in self.routes)

    @property
    def methods(self) -> frozenset[str] | None:
        """All HTTP methods of its routes; `None` when some cannot be told."""
        methods: set[str] = set()
        for route in self.routes:
            if route.methods is None:
                return None
            methods.update(route.methods)
        return frozenset(methods)


@dataclass(frozen=True, eq=False)
class EndpointRoutes:
    """The routes of one module that lead to one endpoint, which may be defined in another.

    Rules that judge a route by what its function is and does subscribe to this.

    Parameters:
        endpoint: the function, with all of its routes.
        routes: those that the module registers itself, in source order; at least one.
    """

    endpoint: Endpoint
    routes: tuple[Route, ...]


class ParameterKind(Enum):
    """What FastAPI makes of a parameter, in the order in which it decides."""

    DEPENDENCY = "dependency"
    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    FORM = "form"
    FILE = "file"
    #: Request, WebSocket, Response, BackgroundTasks, SecurityScopes, HTTPConnection.
    SPECIAL = "special"
    #: `self`/`cls`, `*args`, `**kwargs` and what else FastAPI never fills in.
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Marker:
    """A call of `Depends`, `Query`, `Body`, ... in a signature.

    Parameters:
        name: `Depends`, `Security`, `Query`, `Path`, `Header`, `Cookie`, `Body`, `Form`, `File`.
        module, node: the expression in the signature (or in the alias of it) and its module.
        call: the call of `Depends` itself, `None` when the marker is not called. For a helper that
            returns a marker it stands in the helper, in `call_module`.
        in_annotated: written inside `Annotated[...]` rather than as a default.
    """

    name: str
    module: Module
    node: ast.expr
    call: ast.Call | None
    call_module: Module
    in_annotated: bool

    @property
    def is_direct(self) -> bool:
        """Whether the expression is the marker itself, not a helper that makes one."""
        return self.call is None or self.call is self.node

    def argument(self, name: str, position: int | None = None) -> ast.expr | None:
        """The argument `name` (in `call_module`), or the positional one at `position`."""
        if self.call is None:
            return None
        return argument(self.call, name, position)


@dataclass(frozen=True, eq=False)
class Parameter:
    """One parameter of an endpoint, dependency or other function, seen as FastAPI sees it.

    Parameters:
        node: the `ast.arg`.
        function: the function it belongs to; a pydantic or dataclass field that acts as a
            parameter has `None`.
        annotation: the annotation as written.
        type_node, type_module: the annotation without `Annotated` and aliases, and its module.
        default: the default as written, without markers' own defaults.
        markers: all markers found, those inside `Annotated` first; the last one counts.
        kind: what FastAPI makes of it. Depends on the path for endpoints.
        alias: the name in the request, when it is not the parameter's own.
    """

    module: Module
    node: ast.arg
    function: FunctionNode | ast.Lambda | None
    annotation: ast.expr | None
    type_node: ast.expr | None
    type_module: Module
    default: ast.expr | None
    markers: tuple[Marker, ...]
    kind: ParameterKind
    alias: str | None
    is_keyword_only: bool = False
    is_positional_only: bool = False
    #: The annotation, or the alias that it names, is an `Annotated` with metadata.
    has_metadata: bool = False

    @property
    def name(self) -> str:
        """The name in the signature."""
        return self.node.arg

    @property
    def marker(self) -> Marker | None:
        """The marker that counts: the default's before those in `Annotated`, of those the last."""
        in_default = [marker for marker in self.markers if not marker.in_annotated]
        if in_default:
            return in_default[0]
        return self.markers[-1] if self.markers else None


@dataclass(frozen=True, eq=False)
class Dependency:
    """One use of a dependency: `Depends(f)`, `Security(f)` or `Depends()` on a class.

    Parameters:
        node: the marker's call (or bare name).
        parameter: the parameter that it fills; `None` in `dependencies=[...]` lists.
        target: what it calls, resolved; `UNKNOWN` when that is not possible.
        target_node: the expression that names the target (`None` for `Depends()`).
        use_cache, scope: as written; `scope` is `None` when not given.
        is_security: written with `Security`.
        called: the `__call__` of a target that is an object of the project.
    """

    module: Module
    node: ast.expr
    marker: Marker
    parameter: Parameter | None
    target: Value
    target_node: ast.expr | None
    is_security: bool
    scope: str | None
    called: Function | None = None

    @property
    def function(self) -> Function | None:
        """The function that runs for each request; `Model.callable_of` also knows classes."""
        return self.target if isinstance(self.target, Function) else self.called


@dataclass(frozen=True, eq=False)
class DependencyFunction:
    """A function of this module that some `Depends` of the project calls.

    Parameters:
        node: the function (for a class: its `__init__`; for a callable object: `__call__`).
        cls: the class, when the target was a class or an instance of it.
        is_generator: contains `yield` of its own.
    """

    module: Module
    node: FunctionNode
    cls: Class | None
    is_generator: bool

    @property
    def name(self) -> str:
        """The function's name, `Class.method`, or the class that FastAPI calls."""
        if self.cls is None:
            return self.node.name
        cls = self.cls.node.name
        return cls if self.node.name in ("__init__", "__call__") else f"{cls}.{self.node.name}"


@dataclass(frozen=True, eq=False)
class Include:
    """A call of `include_router` (or of a table-known equivalent)."""

    module: Module
    node: ast.Call
    parent: Value
    child: Value
    child_node: ast.expr | None
    arguments: dict[str, ast.expr]
    has_unknown_arguments: bool
    is_conditional: bool


@dataclass(frozen=True, eq=False)
class Mount:
    """A call of `mount`."""

    module: Module
    node: ast.Call
    parent: Value
    child: Value
    path: str | None


@dataclass(frozen=True, eq=False)
class Middleware:
    """A middleware put on an app.

    Parameters:
        node: the call of `add_middleware`, the decorator `@app.middleware("http")`, the
            element of a `middleware=[...]` list, or the call of the class for `app = Guard(app)`.
        style: which of these it is.
        app: the app it is put on.
        target: the middleware class or function.
        arguments: keyword arguments that configure it.
        place: its place in the list, the outermost first; for `add` in a loop over a table, which
            of its rounds it is.
    """

    module: Module
    node: ast.expr
    style: Literal["add", "decorator", "list", "wrap"]
    app: Value
    target: Value
    function: FunctionNode | None
    arguments: dict[str, ast.expr]
    has_unknown_arguments: bool
    place: int = 0


@dataclass(frozen=True, eq=False)
class ExceptionHandler:
    """A handler put on an app by decorator, `add_exception_handler` or `exception_handlers=`.

    Parameters:
        caught: the exception class, or `Constant(404)` for a status.
        handler: the handler function, resolved.
    """

    module: Module
    node: ast.expr
    style: Literal["add", "decorator", "dict"]
    app: Value
    caught: Value
    caught_node: ast.expr | None
    handler: Value


@dataclass(frozen=True, eq=False)
class Lifespan:
    """What is passed as `lifespan=`, or assigned to `app.router.lifespan_context`.

    Parameters:
        node: the argument, or what is assigned.
        target: it, resolved (`Function` for the project's own).
        owner: the app's or router's call; if that is unknown, what is assigned to.
    """

    module: Module
    node: ast.expr
    target: Value
    owner: ast.expr


@dataclass(frozen=True, eq=False)
class EventHandler:
    """A start-up or shut-down handler.

    Parameters:
        node: the decorator, the `add_event_handler` call, or the `on_startup=` argument's value.
        style: how it was given.
        event: `startup` or `shutdown`; `None` when not a constant.
        receiver: the app or router.
        app: the app whose own handler it is (also through `app.router`); else `UNKNOWN`.
        function: the handler.
    """

    module: Module
    node: ast.expr
    style: Literal["decorator", "add", "argument"]
    event: str | None
    receiver: Value
    app: Value
    function: Value


ModelKind: TypeAlias = Literal["model", "settings", "root", "sqlmodel", "table"]


@dataclass(frozen=True, eq=False)
class PydanticModel:
    """A Pydantic model class (BaseModel, RootModel, BaseSettings, SQLModel without a table).

    Parameters:
        cls: the class as a value.
        kind: which family of models it belongs to.
        is_complete: every base class is known.
    """

    module: Module
    node: ast.ClassDef
    cls: Class
    kind: ModelKind
    is_complete: bool


@dataclass(frozen=True, eq=False)
class Record:
    """A dataclass, typed dict or named tuple that bodies or answers of operations consist of.

    Parameters:
        cls: the class as a value.
    """

    module: Module
    node: ast.ClassDef
    cls: Class


@dataclass(frozen=True, eq=False)
class BackgroundRoutine:
    """A function that runs outside of a request.

    Parameters:
        node: where it is started (the call of `add_task`, `create_task`, `add_job`, ...; the
            decorator for `repeat_every`).
        starter: what started it: `add_task`, `create_task`, `scheduler`, `repeat_every`, `loop`.
        find_target: resolves the routine.
        arguments: what is passed to it, positional.
        in_function: the function that starts it.
    """

    module: Module
    node: ast.expr
    starter: Literal["add_task", "create_task", "scheduler", "repeat_every", "loop"]
    find_target: Callable[[], Value]
    target_node: ast.expr | None
    arguments: tuple[ast.expr, ...]
    in_function: FunctionNode | ast.Lambda | None

    @cached_property
    def target(self) -> Value:
        """The routine; only this question reads the module that it stands in."""
        return self.find_target()


class Role(Enum):
    """What FastAPI uses a function for."""

    ENDPOINT = "endpoint"
    WEBSOCKET = "websocket"
    DEPENDENCY = "dependency"
    LIFESPAN = "lifespan"
    EXCEPTION_HANDLER = "exception handler"
    MIDDLEWARE = "middleware"
    EVENT_HANDLER = "event handler"


@dataclass(frozen=True, eq=False)
class FrameworkFunction:
    """A function of this module that FastAPI calls ("FastAPI code"), with all its roles."""

    module: Module
    node: FunctionNode
    roles: frozenset[Role] = field(default_factory=frozenset)

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop."""
        return isinstance(self.node, ast.AsyncFunctionDef)


__all__ = [
    "UNKNOWN",
    "App",
    "BackgroundRoutine",
    "Dependency",
    "DependencyFunction",
    "Endpoint",
    "EventHandler",
    "ExceptionHandler",
    "FrameworkFunction",
    "Include",
    "Lifespan",
    "Marker",
    "Middleware",
    "ModelKind",
    "Mount",
    "Parameter",
    "ParameterKind",
    "PydanticModel",
    "Record",
    "Role",
    "Route",
    "RouteKind",
    "Router",
]
