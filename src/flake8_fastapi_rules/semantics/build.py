"""Builds the facts of one module from what its calls, decorators and classes mean."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from flake8_fastapi_rules.engine.index import FUNCTIONS, Scope, all_arguments, terminal_name
from flake8_fastapi_rules.semantics.facts import (
    App,
    BackgroundRoutine,
    Dependency,
    EventHandler,
    ExceptionHandler,
    Include,
    Initialisation,
    Lifespan,
    Middleware,
    ModelKind,
    Mount,
    PydanticModel,
    Route,
    RouteKind,
    Router,
    UnclearRoute,
)
from flake8_fastapi_rules.semantics.framework import (
    POSITIONAL,
    ROUTE_ADDERS,
    ROUTE_DECORATORS,
    VERBS,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import first_argument, literal_keywords
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    Expression,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Names of methods that declare something; a call of any other attribute is not looked into.
_STARTERS = frozenset(
    {"add_task", "create_task", "ensure_future", "add_job", "start_soon", "scheduled_job"}
)
_OTHER_METHODS = _STARTERS | frozenset(
    {
        "include_router", "mount", "add_middleware", "middleware", "exception_handler",
        "add_exception_handler", "on_event", "add_event_handler",
    }
)  # fmt: skip
_INTERESTING = ROUTE_DECORATORS | ROUTE_ADDERS | _OTHER_METHODS
#: Those that declare something when they decorate nothing; `router.get` does when applied.
_CALLED = ROUTE_ADDERS | _OTHER_METHODS - {"middleware", "exception_handler", "on_event"}

#: Decorators that are also applied by hand: `router.get("/x")(function)`.
_APPLIED = ROUTE_DECORATORS | {"exception_handler", "middleware", "on_event"}
#: So many dictionaries may be merged into each other to one table of handlers.
_TABLES = 5
#: So many middlewares may be put around an app by hand.
_LAYERS = 10
#: The libraries whose classes, and classes made of them, declare something when called.
_DECLARING = frozenset({"asyncio", "fastapi", "starlette"})
_OWNERS = ("fastapi.FastAPI", "fastapi.APIRouter", "starlette.applications.Starlette")
#: `@get("/items")` on a method of a class from which a library makes a router.
_VIEW_LIBRARIES = ("classy_fastapi", "fastapi_controllers")
_VIEW_DECORATORS = frozenset(f"{library}.{verb}" for library in _VIEW_LIBRARIES for verb in VERBS)
_WEBHOOKS = "fastapi.FastAPI.webhooks."
_DEPENDS = frozenset({"fastapi.Depends", "fastapi.Security"})
#: Routes made by hand, for a list that an app or router is given.
_ROUTE_CLASSES = frozenset({"fastapi.routing.APIRoute", "fastapi.routing.APIWebSocketRoute"})
_TASKS = {
    "asyncio.create_task": "create_task",
    "asyncio.ensure_future": "create_task",
    "asyncio.AbstractEventLoop.create_task": "create_task",
    "asyncio.TaskGroup.create_task": "create_task",
    "anyio.abc.TaskGroup.start_soon": "create_task",
    "fastapi.BackgroundTasks.add_task": "add_task",
    "starlette.background.BackgroundTasks.add_task": "add_task",
    "starlette.background.BackgroundTask": "add_task",
}
_REPEATERS = ("repeat_every", "scheduled_job", "repeat_at")
_MODELS: dict[str, ModelKind] = {
    "sqlmodel.SQLModel": "sqlmodel",
    "pydantic_settings.BaseSettings": "settings",
    "pydantic.BaseSettings": "settings",
    "pydantic.RootModel": "root",
    "pydantic.BaseModel": "model",
}

LocalFacts = dict[type[Any], tuple[Any, ...]]


def build(model: Model, module: Module) -> LocalFacts:
    """The facts that `module` states by itself, by type, in source order."""
    if not (module.mentions_framework or module.mentions_routines):
        return {}
    builder = _Builder(model, module)
    builder.run()
    return {kind: tuple(facts) for kind, facts in builder.found.items()}


def route_fact(
    model: Model,
    module: Module,
    node: ast.expr,
    call: ast.Call | None,
    verb: str,
    receiver: Value,
    endpoint: Function | None,
) -> Route:
    """The fact for a registration whose receiver only the caller of its function decides.

    Parameters:
        node: the decorator or call that registers.
        verb: the method's name: `get`, `add_api_route`, ...
        receiver: the app or router.
        endpoint: what it serves with.
    """
    builder = _Builder(model, module)
    name = f"fastapi.APIRouter.{verb}"
    arguments, unknown = builder._arguments(call, POSITIONAL.get(name, ())) if call else ({}, False)
    parent = module.index.parents.get(node)
    style = "add" if verb in ROUTE_ADDERS else "call"
    if isinstance(parent, FUNCTIONS) and node in parent.decorator_list:
        style = "decorator"
    builder._route(
        node, call, style, name, receiver, arguments, unknown, endpoint if endpoint else UNKNOWN
    )
    fact: Route = builder.found[Route][0]
    return fact


def models_of(model: Model, module: Module) -> tuple[PydanticModel, ...]:
    """The Pydantic models that `module` defines, in source order."""
    found: list[PydanticModel] = []
    for node in module.index.nodes(ast.ClassDef):
        kind = _model_kind(model, Class(module, node)) if node.bases else None
        if kind is not None:
            cls = Class(module, node)
            complete = model.resolver.has_known_bases(cls)
            found.append(PydanticModel(module, node, cls, kind, complete))
    return tuple(found)


def _model_kind(model: Model, cls: Class) -> ModelKind | None:
    for name, kind in _MODELS.items():
        if model.resolver.is_subclass(cls, name):
            return "table" if kind == "sqlmodel" and _is_table(model, cls) else kind
    return None


def _is_table(model: Model, cls: Class) -> bool:
    """Whether a SQLModel class, or a base of it, says `table=True`."""
    return any(
        keyword.arg == "table"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for base in model.resolver.mro(cls)
        if isinstance(base, Class)
        for keyword in base.node.keywords
    )


def _itself(value: Value) -> Value:
    return value


def _starts_something(call: ast.Call) -> bool:
    """Whether the called name is one that starts background work."""
    name = terminal_name(call.func)
    return name in _STARTERS or name == "BackgroundTask"


class _Builder:
    def __init__(self, model: Model, module: Module) -> None:
        self.model = model
        self.resolver = model.resolver
        self.module = module
        self.index = module.index
        self.found: defaultdict[type[Any], list[Any]] = defaultdict(list)
        self._mentions_views = any(name in module.source.text for name in _VIEW_LIBRARIES)
        #: Calls that may put a middleware around an app, and what they are given for it.
        self._may_wrap: dict[ast.Call, ast.expr] = {}

    def run(self) -> None:
        """Collect what calls and decorators declare; the text says whether there can be any."""
        declares = self.module.mentions_framework
        for call in self.index.nodes(ast.Call):
            if declares or _starts_something(call):
                self._call(call)
        text = self.module.source.text
        if declares and ("exception_handlers[" in text or "lifespan_context" in text):
            for statement in self.index.nodes(ast.Assign):
                assert isinstance(statement, ast.Assign)
                for target in statement.targets:
                    self._stored(target, statement.value)
        for function in self.index.functions:
            for decorator in function.decorator_list:
                self._decorator(function, decorator)
            if declares:
                self._written_as_text(function)
        for call, given in self._may_wrap.items():
            self._wrapping(call, given)
        for facts in self.found.values():
            facts.sort(key=lambda fact: (fact.node.lineno, fact.node.col_offset))

    def _written_as_text(self, function: FunctionNode) -> None:
        """Markers in annotations that are strings: `"Annotated[Users, Depends()]"`."""
        for argument in all_arguments(function.args):
            text = argument.annotation
            if (
                isinstance(text, ast.Constant)
                and isinstance(text.value, str)
                and "(" in text.value
                and (parsed := self.resolver.annotations.parsed(self.module, text)) is not None
            ):
                for call in ast.walk(parsed):
                    if isinstance(call, ast.Call):
                        self._call(call)

    # -- calls ------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> None:
        func = node.func
        given = first_argument(node, "app")
        if isinstance(given, ast.Name | ast.Call) and not terminal_name(node.func).islower():
            self._may_wrap[node] = given  # classes are not spelled in lower case
        if isinstance(func, ast.Attribute):
            if func.attr in _CALLED:
                self._method(node, func)
            elif func.attr[:1].isupper():
                self._construction(node)
            elif func.attr == "__init__":
                self._handed_on(node, func)
        elif isinstance(func, ast.Name):
            if not self._declares_nothing(func):
                self._construction(node)
        elif isinstance(func, ast.Call):
            self._applied(node, func)
        elif isinstance(func, ast.Subscript) and isinstance(func.value, ast.Name | ast.Attribute):
            self._construction(node)  # `App[Settings]()`, of a generic class

    def _handed_on(self, node: ast.Call, func: ast.Attribute) -> None:
        """`super().__init__(lifespan=..., on_startup=...)` in an app or router of the project."""
        around = self.index.function_of(node)
        cls = self.index.class_of(around) if around is not None else None
        if cls is None:
            return
        match func.value:
            case ast.Call(func=ast.Name(id="super")):
                pass
            case ast.Name() | ast.Attribute() as base if node.args:  # `FastAPI.__init__(self)`
                if not self.resolver.is_subclass(
                    self.resolver.resolve(self.module, base), *_OWNERS
                ):
                    return
            case _:
                return
        own = Class(self.module, cls)
        if self.resolver.is_subclass(own, *_OWNERS):
            arguments, _ = self._arguments(node, ())
            self.found[Initialisation].append(Initialisation(self.module, node, arguments))
            self._lifespan(node, arguments.get("lifespan"))
            self._event_arguments(arguments, Instance(own))
            self._handler_table(arguments.get("exception_handlers"), Instance(own))

    def _lifespan(self, node: ast.Call, given: ast.expr | None) -> None:
        target = self.resolver.resolve(self.module, given)
        if given is not None and target != Constant(None):
            self.found[Lifespan].append(Lifespan(self.module, given, target, node))

    def _construction(self, node: ast.Call) -> None:
        callee = self.resolver.resolve(self.module, node.func)
        if isinstance(callee, Function):
            # Only where FastAPI looks for a dependency can a helper stand that makes one.
            if self._is_in_signature(node):
                value = self.resolver.resolve(self.module, node)
                if isinstance(value, Instance) and value.call and _name(value) in _DEPENDS:
                    self._dependency(node, value)
            return
        if not isinstance(callee, External | Class):
            return
        value = self.resolver.resolve(self.module, node)
        if not isinstance(value, Instance) or value.call is not node:
            return
        name = _name(value)
        if name in _DEPENDS:
            self._dependency(node, value)
        elif name in _TASKS or name in {"asyncio.Task", "asyncio.Future"}:
            self._routine(node, callee)
        elif name in _ROUTE_CLASSES:
            self.found[UnclearRoute].append(UnclearRoute(self.module, node))
        elif self.resolver.is_instance(value, "fastapi.FastAPI"):
            self._app(node, value, App)
        elif self.resolver.is_instance(value, "fastapi.APIRouter"):
            self._app(node, value, Router)

    def _wrapping(self, node: ast.Call, given: ast.expr) -> None:
        """`app = Guard(app)`: a middleware that is put around an app by hand."""
        if not self._may_be_app(given):
            return
        target = self.resolver.resolve(self.module, node.func)
        if not self._is_middleware(target):
            return
        value = self.resolver.resolve(self.module, given)
        for _ in range(_LAYERS):
            if not isinstance(value, Instance) or value.call not in self._may_wrap:
                break
            value = self.resolver.resolve(self.module, self._may_wrap[value.call])
        if self.resolver.is_instance(value, "fastapi.FastAPI"):
            arguments, unknown = self._arguments(node, ("app",))
            fact = Middleware(self.module, node, "wrap", value, target, None, arguments, unknown)
            self.found[Middleware].append(fact)

    def _may_be_app(self, node: ast.expr) -> bool:
        """Whether an argument may be an app: of all calls of classes, few are looked into."""
        if isinstance(node, ast.Call):
            return node in self._may_wrap or "app" in terminal_name(node.func).lower()
        assert isinstance(node, ast.Name)
        if any(node.id in app.names for app in self.found[App]):
            return True
        _, bindings = self.index.lookup(node.id, node) or (None, [])
        return any(
            binding.value in self._may_wrap
            or (binding.kind == "from" and ("app" in node.id or "api" in node.id))
            for binding in bindings
        )

    def _is_middleware(self, target: Value) -> bool:
        """Whether a class is one that takes an app and answers in its place."""
        if isinstance(target, External):
            return target.name.endswith("Middleware")
        if not isinstance(target, Class):
            return False
        if self.resolver.is_subclass(target, "starlette.middleware.base.BaseHTTPMiddleware"):
            return True
        called = self.resolver.class_attribute(target, "__call__", instance=True)
        return isinstance(called, Function) and len(list(all_arguments(called.node.args))) == 4

    def _declares_nothing(self, name: ast.Name) -> bool:
        """Whether the texts of other modules show that calling what they define declares nothing.

        Most calls in endpoints are of that kind, and their modules need not be parsed then.
        """
        origin = self.resolver.origin(self.module, name)
        if origin is None:
            return False
        home, its_name = origin
        if its_name in home.shown_functions:
            return not home.mentions_framework
        return self.resolver.is_class_without(home, its_name, _DECLARING)

    def _is_in_signature(self, node: ast.Call) -> bool:
        """Whether a call is a default, `Annotated` metadata, a class attribute, or in a list."""
        parent = self.index.parents.get(node)
        return isinstance(parent, ast.arguments | ast.Tuple | ast.List | ast.Assign | ast.AnnAssign)

    def _app(self, node: ast.Call, value: Instance, kind: type[App]) -> None:
        arguments, unknown = self._arguments(node, ())
        preset, hidden = self._preset(node)
        arguments, unknown = preset | arguments, unknown or hidden
        fact = kind(
            self.module,
            node,
            value.of,
            tuple(self._names_bound_to(node)),
            self.index.function_of(node),
            arguments,
            unknown,
        )
        self.found[kind].append(fact)
        self._lifespan(node, arguments.get("lifespan"))
        self._event_arguments(arguments, value)
        self._middleware_list(arguments.get("middleware"), value)
        self._handler_table(arguments.get("exception_handlers"), value)

    def _preset(self, node: ast.Call) -> tuple[dict[str, ast.expr], bool]:
        """The arguments of `App = partial(FastAPI, title="Shop")`, by which a call's class is made.

        Also whether some cannot be told, as those of another module.
        """
        match self.resolver.written(self.module, node.func):
            case (home, ast.Call(func=func) as made) if self.resolver.resolve(
                home, func
            ) == External("functools.partial"):
                return self._arguments(made, ()) if home is self.module else ({}, True)
        return {}, False

    def _event_arguments(self, arguments: dict[str, ast.expr], app: Instance) -> None:
        """The handlers that `on_startup=` and `on_shutdown=` list."""
        for event, key in (("startup", "on_startup"), ("shutdown", "on_shutdown")):
            given = arguments.get(key)
            if given is not None and self.resolver.resolve(self.module, given) != Constant(None):
                handlers = given.elts if isinstance(given, ast.List | ast.Tuple) else []
                function = (
                    self.resolver.resolve(self.module, handlers[0])
                    if len(handlers) == 1
                    else UNKNOWN
                )
                self.found[EventHandler].append(
                    EventHandler(self.module, given, "argument", event, app, app, function)
                )

    def _middleware_list(self, given: ast.expr | None, app: Value) -> None:
        """What `middleware=` lists, from the outermost on; one unknown where it cannot be told."""
        if given is None or self.resolver.resolve(self.module, given) == Constant(None):
            return
        for place, (home, element) in enumerate(self._listed_middleware(self.module, given)):
            target: Value = UNKNOWN
            arguments, unknown = dict[str, ast.expr](), True
            made = (home, element)
            if isinstance(element, ast.Name | ast.Attribute):  # AUDIT = Middleware(Audit)
                made = self.resolver.written(home, element) or made
            if isinstance(made[1], ast.Call) and made[1].args:
                target = self.resolver.resolve(made[0], made[1].args[0])
                if made[0] is self.module:
                    arguments, unknown = self._arguments(made[1], ())
            node = element if home is self.module else given
            fact = Middleware(
                self.module, node, "list", app, target, None, arguments, unknown, place
            )
            self.found[Middleware].append(fact)

    def _listed_middleware(
        self, module: Module, given: ast.expr, depth: int = _TABLES
    ) -> list[tuple[Module, ast.expr]]:
        """The elements of a list, and what is put in it afterwards where it has a name.

        The list itself stands for what cannot be told.
        """
        untold = [(module, given)]
        match given:
            case _ if not depth:
                return untold
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                lists = [
                    self._listed_middleware(module, part.value, depth - 1)
                    if isinstance(part, ast.Starred)
                    else [(module, part)]
                    for part in parts
                ]
                return [each for found in lists for each in found]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                found = self._listed_middleware(module, left, depth - 1)
                return found + self._listed_middleware(module, right, depth - 1)
            case ast.Name() if (seen := module.index.lookup(given.id, given)) is not None:
                return self._changed_list(module, given, seen[0], depth)
        if isinstance(given, ast.Call):
            copied = self.model.copied(module, given)
            home, made = (module, copied) if copied else self._returned(module, given)
            if made is not None:
                return self._listed_middleware(home, made, depth - 1)
        return self.model.elements(module, given) or untold

    def _returned(self, module: Module, call: ast.Call) -> tuple[Module, ast.expr | None]:
        """The expression that a function of the project returns, if there is just one."""
        callee = self.resolver.resolve(module, call.func)
        if not isinstance(callee, Function) or not isinstance(callee.node, ast.FunctionDef):
            return module, None
        index = callee.module.index
        found = [each for each in index.own_nodes(callee.node) if isinstance(each, ast.Return)]
        is_plain = not callee.node.decorator_list and not index.is_generator(callee.node)
        return callee.module, found[0].value if is_plain and len(found) == 1 else None

    def _changed_list(
        self, module: Module, given: ast.Name, scope: Scope, depth: int
    ) -> list[tuple[Module, ast.expr]]:
        """The elements of a list with a name, with what the function around it puts in."""
        made = [b.value for b in scope.bindings[given.id] if b.kind in {"assign", "annotated"}]
        untold: list[tuple[Module, ast.expr]] = [(module, given)]
        if len(made) == 1 and made[0] is not None:
            listed = self._listed_middleware(module, made[0], depth - 1)
        else:
            listed = self.model.elements(module, given) or untold
        for node in module.index.own_nodes(scope.node):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=change)) if (
                    name == given.id and change in {"append", "extend", "insert"}
                ):
                    match change, node.args:
                        case "append", [added]:
                            listed = [*listed, (module, added)]
                        case "insert", [ast.Constant(value=0), added]:
                            listed = [(module, added), *listed]
                        case "extend", [more]:
                            listed = listed + self._listed_middleware(module, more, depth - 1)
                        case _:
                            listed = listed + untold
                case ast.AugAssign(target=ast.Name(id=name), value=more) if name == given.id:
                    listed = listed + self._listed_middleware(module, more, depth - 1)
        return listed

    def _handler_table(self, given: ast.expr | None, app: Value) -> None:
        if given is None:
            return
        for home, key, item in self._pairs(self.module, given):
            handler = self.resolver.resolve(home, item)
            if home is self.module:
                self._handler(key, "dict", app, key, handler)
            else:
                self._handler(given, "dict", app, None, handler, self.model.constant(home, key))

    def _pairs(
        self, module: Module, node: ast.expr, depth: int = _TABLES
    ) -> Iterator[tuple[Module, ast.expr, ast.expr]]:
        """Keys and values of a dictionary, `**others` and `a | b` followed, and their module."""
        value = self.resolver.resolve(module, node)
        written = (value.module, value.node) if isinstance(value, Expression) else None
        if written is None:  # `HANDLERS: dict[type[Exception], Handler] = {...}`
            written = self.resolver.written(module, node)
        if written is None or not depth:
            return
        home, table = written
        match table:
            case ast.Dict(keys=keys, values=values):
                for key, item in zip(keys, values, strict=True):
                    if key is None:
                        yield from self._pairs(home, item, depth - 1)
                    else:
                        yield home, key, item
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                yield from self._pairs(home, left, depth - 1)
                yield from self._pairs(home, right, depth - 1)

    def _stored(self, target: ast.expr, given: ast.expr) -> None:
        """`app.exception_handlers[Error] = handler`, `app.router.lifespan_context = lifespan`"""
        match target:
            case ast.Attribute(value=ast.Attribute(value=owner, attr="router"), attr=attr) | (
                ast.Attribute(value=owner, attr=attr)
            ) if attr == "lifespan_context":
                app = self.resolver.resolve(self.module, owner)
                if isinstance(app, Instance) and self.resolver.is_instance(app, *_OWNERS):
                    value = self.resolver.resolve(self.module, given)
                    fact = Lifespan(self.module, given, value, app.call or target)
                    self.found[Lifespan].append(fact)
            case ast.Subscript(
                value=ast.Attribute(value=owner, attr="exception_handlers"), slice=caught
            ):
                app = self.resolver.resolve(self.module, owner)
                if self.resolver.is_instance(app, *_OWNERS):
                    handler = self.resolver.resolve(self.module, given)
                    self._handler(target, "dict", app, caught, handler)

    def _looped(self, node: ast.expr | None) -> list[Value]:
        """What an expression is; for the variable of a loop over a table, each of what it is."""
        value = self.resolver.resolve(self.module, node)
        if isinstance(value, Class | Function | External):
            return [value]
        return [self.resolver.resolve(*each) for each in self._in_rounds(node)] or [value]

    def _in_rounds(self, node: ast.expr | None) -> list[tuple[Module, ast.expr]]:
        """What is written for the variable of a loop over a table, in each of its rounds."""
        if not isinstance(node, ast.Name):
            return []
        _, bindings = self.index.lookup(node.id, node) or (None, [])
        if len(bindings) != 1 or bindings[0].kind != "for":
            return []
        path = bindings[0].path
        match bindings[0].value:
            case ast.Call(func=ast.Attribute(attr="items", value=table), args=[]):
                pairs = [(home, (key, item)) for home, key, item in self._pairs(self.module, table)]
                return [(h, pair[path[0]]) for h, pair in pairs if path in ((0,), (1,))]
        found: list[tuple[Module, ast.expr]] = []
        for home, element in self.model.elements(self.module, bindings[0].value) or ():
            for position in path:
                parts = element.elts if isinstance(element, ast.Tuple | ast.List) else []
                if not 0 <= position < len(parts):
                    return []
                element = parts[position]
            found.append((home, element))
        return found

    def _added(
        self, node: ast.Call, arguments: dict[str, ast.expr], is_open: bool
    ) -> Iterator[tuple[Value, dict[str, ast.expr], bool]]:
        """What `add_middleware` puts on an app, in a loop one for each row of a table.

        Each with its arguments, and whether there are others that are not known: those in a column
        of the table, `add_middleware(cls, **options)`, are.
        """
        targets = self._looped(first_argument(node, "middleware_class"))
        unpacked = [keyword.value for keyword in node.keywords if keyword.arg is None]
        options = self._in_rounds(unpacked[0]) if len(unpacked) == 1 else []
        for place, target in enumerate(targets):
            home, written = options[place] if len(options) == len(targets) else (None, None)
            given = (
                literal_keywords(self.resolver, home, written)
                if home is self.module and written is not None
                else None
            )
            yield target, {**arguments, **(given or {})}, is_open and given is None

    def _add_handlers(
        self,
        node: ast.Call,
        style: Literal["add", "decorator"],
        app: Value,
        caught: ast.expr | None,
        given: ast.expr | None,
    ) -> None:
        """What one call adds: a handler, or in a loop those of a table."""
        looped = self._looped_handlers(node, caught, given)
        for home, key, item in looped:
            handler = self.resolver.resolve(home, item)
            place = key if home is self.module else None
            self._handler(node, style, app, place, handler, self.model.constant(home, key))
        if not looped:
            self._handler(node, style, app, caught, self.resolver.resolve(self.module, given))

    def _looped_handlers(
        self, node: ast.Call, caught: ast.expr | None, handler: ast.expr | None
    ) -> list[tuple[Module, ast.expr, ast.expr]]:
        """What `for error, handler in HANDLERS.items(): app.add_exception_handler(...)` adds."""
        for loop in self.index.ancestors(node):
            match loop, caught, handler:
                case (
                    ast.For(target=ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=item)])),
                    ast.Name(id=given_key),
                    ast.Name(id=given_item),
                ) if (key, item) == (given_key, given_item):
                    match loop.iter:
                        case ast.Call(func=ast.Attribute(attr="items", value=table), args=[]):
                            return list(self._pairs(self.module, table))
                    return [
                        (home, pair.elts[0], pair.elts[1])
                        for home, pair in self.model.elements(self.module, loop.iter) or ()
                        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2
                    ]
                case ((ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda()), _, _):
                    return []
        return []

    def _names_bound_to(self, node: ast.Call) -> Iterator[str]:
        current: ast.AST = node
        parent = self.index.parents.get(current)
        while isinstance(parent, ast.NamedExpr):
            if isinstance(parent.target, ast.Name):
                yield parent.target.id
            current, parent = parent, self.index.parents.get(parent)
        targets: list[ast.expr] = []
        if isinstance(parent, ast.Assign):
            targets = parent.targets
        elif isinstance(parent, ast.AnnAssign):
            targets = [parent.target]
        elif isinstance(parent, ast.Tuple | ast.List):
            assign = self.index.parents.get(parent)
            if isinstance(assign, ast.Assign):
                for target in assign.targets:
                    if isinstance(target, ast.Tuple | ast.List) and len(target.elts) == len(
                        parent.elts
                    ):
                        targets.append(target.elts[parent.elts.index(current)])  # type: ignore[arg-type]
        for target in targets:
            if isinstance(target, ast.Name | ast.Attribute):
                yield ast.unparse(target)

    def _dependency(self, node: ast.Call, value: Instance) -> None:
        """A `Depends(...)` written here; what it fills is told by `Model.parameters`."""
        fact = self.model.dependency_of_marker(self.module, node, value, None)
        if fact is not None:
            self.found[Dependency].append(fact)

    def _method(self, node: ast.Call, func: ast.Attribute) -> None:
        if isinstance(self.index.parents.get(node), FUNCTIONS) and self._is_decorator(node):
            return
        callee = self.resolver.resolve(self.module, func)
        name = self._framework_name(callee)
        if name is None:
            if func.attr in ROUTE_ADDERS and not isinstance(callee, External):
                self.found[UnclearRoute].append(UnclearRoute(self.module, node))
            self._routine(node, callee)
            return
        attr = name.rpartition(".")[2]
        receiver = self.resolver.resolve(self.module, func.value)
        arguments, unknown = self._arguments(node, POSITIONAL.get(name, ()))
        match attr:
            case "include_router":
                child_node = arguments.get("router")
                child = self.resolver.resolve(self.module, child_node)
                self.found[Include].append(
                    Include(
                        self.module,
                        node,
                        receiver,
                        child,
                        child_node,
                        arguments,
                        unknown,
                        bool(self.index.branch_of(node, self.index.scope_of(node))),
                    )
                )
            case "mount":
                path = self.model.text(self.module, arguments.get("path"))
                child = self.resolver.resolve(self.module, arguments.get("app"))
                self.found[Mount].append(Mount(self.module, node, receiver, child, path))
            case "add_middleware":
                for place, added in enumerate(self._added(node, arguments, unknown)):
                    target, written, is_open = added
                    fact = Middleware(
                        self.module, node, "add", receiver, target, None, written, is_open, place
                    )
                    self.found[Middleware].append(fact)
            case "add_exception_handler":
                caught = arguments.get("exc_class_or_status_code")
                given = arguments.get("handler")
                self._add_handlers(node, "add", receiver, caught, given)
            case "add_event_handler":
                self.found[EventHandler].append(
                    EventHandler(
                        self.module,
                        node,
                        "add",
                        self.model.text(self.module, arguments.get("event_type")),
                        receiver,
                        self._app_behind(func.value),
                        self.resolver.resolve(self.module, arguments.get("func")),
                    )
                )
            case _ if attr in ROUTE_ADDERS:
                self._add_route(node, attr, receiver, arguments, unknown)
            case _:
                # `router.get("/x")` that decorates nothing: applied to a function by `_applied`
                pass

    def _handler(
        self,
        node: ast.expr,
        style: Literal["add", "decorator", "dict"],
        app: Value,
        caught: ast.expr | None,
        handler: Value,
        value: Value | None = None,
    ) -> None:
        """An exception handler, however it is registered; `value` is what it is for, if known."""
        if value is None:
            value = self.model.constant(self.module, caught)
        self.found[ExceptionHandler].append(
            ExceptionHandler(self.module, node, style, app, value, caught, handler)
        )

    def _app_behind(self, receiver: ast.expr) -> Value:
        """The app itself for `app` and for `app.router`."""
        if isinstance(receiver, ast.Attribute) and receiver.attr == "router":
            owner = self.resolver.resolve(self.module, receiver.value)
            if self.resolver.is_instance(owner, "fastapi.FastAPI"):
                return owner
        value = self.resolver.resolve(self.module, receiver)
        return value if self.resolver.is_instance(value, "fastapi.FastAPI") else UNKNOWN

    def _is_decorator(self, node: ast.Call) -> bool:
        parent = self.index.parents.get(node)
        return isinstance(parent, FUNCTIONS) and node in parent.decorator_list

    def _framework_name(self, callee: Value) -> str | None:
        """`fastapi.APIRouter.get` for a method of an app or router, whatever its subclass."""
        if not isinstance(callee, External):
            return None
        for name in self.resolver.names_of(callee):
            owner, _, _ = name.rpartition(".")
            if owner in _OWNERS or name.startswith(_WEBHOOKS):
                return name
        return None

    # -- routes -----------------------------------------------------------------------------

    def _decorator(self, function: FunctionNode, decorator: ast.expr) -> None:
        # `@starting` after `starting = app.on_event("startup")`
        applied = self._bound_value(decorator) if isinstance(decorator, ast.Name) else decorator
        call = applied if isinstance(applied, ast.Call) else None
        written = call.func if call else decorator
        if isinstance(written, ast.Name) and call and self._is_repeater(written):
            self._repeated(function, decorator, written)
            return
        if call and (verb := self._verb_of_view(written)):
            arguments, unknown = self._arguments(call, ("path",))
            base, view = "fastapi.APIRouter", Function(self.module, function)
            self._route(
                decorator, call, "decorator", f"{base}.{verb}", UNKNOWN, arguments, unknown, view
            )
            return
        func = self._method_behind(written)
        if func is None:
            if (
                call
                and isinstance(written, ast.Name)
                and (self._may_register(written) or self._is_given_verb(call))
            ):
                self.found[UnclearRoute].append(UnclearRoute(self.module, decorator))
            return
        if func.attr in _REPEATERS:
            self._repeated(function, decorator, func)
            return
        if func.attr not in _INTERESTING:
            if call and self._is_router_of_project(func.value):
                self.found[UnclearRoute].append(UnclearRoute(self.module, decorator))
            return
        callee = self.resolver.resolve(self.module, func)
        name = self._framework_name(callee)
        if name is None:
            if call and func.attr in ROUTE_DECORATORS and not isinstance(callee, External):
                self.found[UnclearRoute].append(UnclearRoute(self.module, decorator))
            return
        attr = name.rpartition(".")[2]
        receiver = self.resolver.resolve(self.module, func.value)
        arguments, unknown = (
            self._arguments(call, POSITIONAL.get(name, ())) if call else ({}, False)
        )
        value = Function(self.module, function)
        match attr:
            case "middleware" if call:
                self.found[Middleware].append(
                    Middleware(
                        self.module, decorator, "decorator", receiver, value, function, {}, False
                    )
                )
            case "exception_handler" if call:
                caught = arguments.get("exc_class_or_status_code")
                self._handler(decorator, "decorator", receiver, caught, value)
            case "on_event" if call:
                self.found[EventHandler].append(
                    EventHandler(
                        self.module,
                        decorator,
                        "decorator",
                        self.model.text(self.module, arguments.get("event_type")),
                        receiver,
                        self._app_behind(func.value),
                        value,
                    )
                )
            case _ if attr in ROUTE_DECORATORS:
                self._route(decorator, call, "decorator", name, receiver, arguments, unknown, value)

    def _verb_of_view(self, written: ast.expr) -> str | None:
        """The verb of a decorator by which a library's class-based views register methods."""
        name = written.attr if isinstance(written, ast.Attribute) else getattr(written, "id", "")
        if not (self._mentions_views or (isinstance(written, ast.Name) and name in VERBS)):
            return None
        callee = self.resolver.resolve(self.module, written)
        if isinstance(callee, External) and callee.name in _VIEW_DECORATORS:
            return callee.name.rpartition(".")[2]
        return None

    def _may_register(self, name: ast.Name) -> bool:
        """Whether a decorator is a `partial` or function of the project that uses a router's."""
        callee = self.resolver.resolve(self.module, name)
        if isinstance(callee, External):
            known = self._framework_name(callee)
            return known is not None and known.rpartition(".")[2] in ROUTE_DECORATORS
        if not isinstance(callee, Function) or not callee.module.mentions_framework:
            return False
        for node in ast.walk(callee.node):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if (
                    attr in ROUTE_DECORATORS or attr in ROUTE_ADDERS
                ):
                    pass
                case ast.Call(func=ast.Name(id="getattr"), args=[owner, *_]):
                    pass
                case _:
                    continue
            value = self.resolver.resolve(callee.module, owner)
            if self.resolver.is_instance(value, *_OWNERS):
                return True
        return False

    def _is_given_verb(self, call: ast.Call) -> bool:
        """Whether a decorator is told how to register: `@guarded(router.get, "/items")`."""
        return any(
            isinstance(given, ast.Attribute)
            and given.attr in ROUTE_DECORATORS
            and self.resolver.is_instance(self.resolver.resolve(self.module, given.value), *_OWNERS)
            for given in (*call.args, *(keyword.value for keyword in call.keywords))
        )

    def _is_router_of_project(self, receiver: ast.expr) -> bool:
        """Whether it is an app or router of a class of the project's own, with its own methods."""
        value = self.resolver.resolve(self.module, receiver)
        return (
            isinstance(value, Instance)
            and isinstance(value.of, Class)
            and self.resolver.is_subclass(value.of, *_OWNERS)
        )

    def _method_behind(self, func: ast.expr) -> ast.Attribute | None:
        """`router.get`, also for `get` after `get = router.get`."""
        if isinstance(func, ast.Name):
            func = self._bound_value(func)
        return func if isinstance(func, ast.Attribute) else None

    def _bound_value(self, name: ast.Name) -> ast.expr:
        """The expression that a name of this module is bound to once; else the name itself."""
        _, bindings = self.index.lookup(name.id, name) or (None, [])
        return (len(bindings) == 1 and bindings[0].given) or name

    def _applied(self, node: ast.Call, inner: ast.Call) -> None:
        """`router.get("/x")(function)`, `app.exception_handler(Error)(function)`"""
        func = self._method_behind(inner.func)
        if func is None or func.attr not in _APPLIED or not node.args:
            return
        name = self._framework_name(self.resolver.resolve(self.module, func))
        if name is None:
            return
        arguments, unknown = self._arguments(inner, POSITIONAL.get(name, ()))
        receiver = self.resolver.resolve(self.module, func.value)
        endpoint = self.resolver.resolve(self.module, node.args[0])
        if func.attr == "exception_handler":
            caught = arguments.get("exc_class_or_status_code")
            self._add_handlers(inner, "decorator", receiver, caught, node.args[0])
            return
        if func.attr == "middleware":
            for place, target in enumerate(self._looped(node.args[0])):
                fact = Middleware(
                    self.module, inner, "decorator", receiver, target, None, {}, False, place
                )
                self.found[Middleware].append(fact)
            return
        if func.attr == "on_event":
            event = self.model.text(self.module, arguments.get("event_type"))
            app = self._app_behind(func.value)
            self.found[EventHandler].append(
                EventHandler(self.module, inner, "decorator", event, receiver, app, endpoint)
            )
            return
        self._route(inner, inner, "call", name, receiver, arguments, unknown, endpoint)

    def _add_route(
        self,
        node: ast.Call,
        attr: str,
        receiver: Value,
        arguments: dict[str, ast.expr],
        unknown: bool,
    ) -> None:
        endpoint_node = arguments.get("endpoint", arguments.get("route"))
        endpoint = self.resolver.resolve(self.module, endpoint_node)
        if not isinstance(endpoint, Function):
            self.found[UnclearRoute].append(UnclearRoute(self.module, node))
        self._route(node, node, "add", f".{attr}", receiver, arguments, unknown, endpoint)

    def _route(
        self,
        node: ast.expr,
        call: ast.Call | None,
        style: str,
        name: str,
        receiver: Value,
        arguments: dict[str, ast.expr],
        unknown: bool,
        endpoint: Value,
    ) -> None:
        attr = name.rpartition(".")[2]
        if isinstance(endpoint, Instance):
            endpoint = self.model.callable_of(endpoint) or endpoint
        kind = RouteKind.HTTP
        if "websocket" in attr:
            kind = RouteKind.WEBSOCKET
        elif name.startswith(_WEBHOOKS) or _is_webhooks(receiver):
            kind = RouteKind.WEBHOOK
        function = endpoint if isinstance(endpoint, Function) else None
        owner: Class | None = None
        if function is not None:
            around = function.module.index.class_of(function.node)
            owner = function.owner or (Class(function.module, around) if around else None)
        path_node = arguments.get("path")
        self.found[Route].append(
            Route(
                self.module,
                node,
                call,
                kind,
                style,  # type: ignore[arg-type]
                receiver,
                attr,
                self._methods(attr, arguments, unknown, kind),
                path_node,
                self.model.text(self.module, path_node),
                function.node if function else None,
                function.module if function else None,
                owner,
                arguments,
                unknown,
            )
        )

    def _methods(
        self, attr: str, arguments: dict[str, ast.expr], unknown: bool, kind: RouteKind
    ) -> tuple[str, ...] | None:
        if kind is RouteKind.WEBSOCKET:
            return ()
        if attr in VERBS:
            return (attr.upper(),)
        given = arguments.get("methods")
        if given is None:
            if unknown:
                return None
            return ("GET", "HEAD") if attr in {"route", "add_route"} else ("GET",)
        value = self.resolver.resolve(self.module, given)
        if value == Constant(None):
            return ("GET",)
        if not isinstance(value, Expression):
            return None
        elements = getattr(value.node, "elts", None)
        if elements is None:
            return None
        methods = [self.model.text(value.module, element) for element in elements]
        if any(method is None for method in methods):
            return None
        return tuple(dict.fromkeys(method.upper() for method in methods if method))

    # -- background -------------------------------------------------------------------------

    def _routine(self, node: ast.Call, callee: Value) -> None:
        starter: str | None = None
        names = list(self.resolver.names_of(callee)) if isinstance(callee, External) else []
        for name in names:
            if name in _TASKS:
                starter = _TASKS[name]
                break
            if name.startswith("apscheduler.") and name.endswith(".add_job"):
                starter = "scheduler"
                break
        if starter is None:
            return
        given = (first_argument(node, name) for name in ("func", "coro", "coro_or_future"))
        target_node = next((argument for argument in given if argument is not None), None)
        arguments = tuple(node.args[1:])
        if isinstance(target_node, ast.Name) and starter == "create_task":
            made = self._bound_value(target_node)  # `work = poll()`
            target_node = made if isinstance(made, ast.Call) else target_node
        if isinstance(target_node, ast.Call) and starter == "create_task":
            arguments = tuple(target_node.args)
            target_node = target_node.func
        targets = [partial(self.resolver.resolve, self.module, target_node)]
        if isinstance(target_node, ast.Name) and self._is_looped(target_node):
            values = self.resolver.possible(self.module, target_node)
            targets = [partial(_itself, value) for value in values] or targets
        for target in targets:
            self.found[BackgroundRoutine].append(
                BackgroundRoutine(
                    self.module,
                    node,
                    starter,  # type: ignore[arg-type]
                    target,
                    target_node,
                    arguments,
                    self.index.function_of(node),
                )
            )

    def _is_looped(self, name: ast.Name) -> bool:
        """Whether a name stands for what a loop or comprehension goes through."""
        found = self.index.lookup(name.id, name)
        return found is not None and [each.kind for each in found[1]] == ["for"]

    def _is_repeater(self, func: ast.Name) -> bool:
        if func.id in _REPEATERS:
            return True
        if "repeat_" not in self.module.source.text:
            return False
        callee = self.resolver.resolve(self.module, func)
        return isinstance(callee, External) and callee.name.rpartition(".")[2] in _REPEATERS

    def _repeated(self, function: FunctionNode, decorator: ast.expr, func: ast.expr) -> None:
        callee = self.resolver.resolve(self.module, func)
        if isinstance(callee, External) and not callee.name.startswith("builtins."):
            starter = "scheduler" if callee.name.endswith("scheduled_job") else "repeat_every"
            self.found[BackgroundRoutine].append(
                BackgroundRoutine(
                    self.module,
                    decorator,
                    starter,  # type: ignore[arg-type]
                    partial(Function, self.module, function),
                    None,
                    (),
                    self.index.function_of(function),
                )
            )

    # -- arguments --------------------------------------------------------------------------

    def _arguments(
        self, node: ast.Call, positional: tuple[str, ...]
    ) -> tuple[dict[str, ast.expr], bool]:
        """Arguments by name, and whether `*args` or `**kwargs` hide some."""
        arguments: dict[str, ast.expr] = {}
        unknown = False
        for name, value in zip(positional, node.args, strict=False):
            if isinstance(value, ast.Starred):
                break
            arguments[name] = value
        if any(isinstance(value, ast.Starred) for value in node.args):
            unknown = True
        for keyword in node.keywords:
            if keyword.arg is not None:
                arguments[keyword.arg] = keyword.value
                continue
            given = literal_keywords(self.resolver, self.module, keyword.value)
            if given is None:
                unknown = True
            else:
                arguments.update(given)
        return arguments, unknown


def _name(value: Instance) -> str | None:
    return value.of.name if isinstance(value.of, External) else None


def _is_webhooks(receiver: Value) -> bool:
    return isinstance(receiver, Instance | External) and "webhooks" in (
        (_name(receiver) or "") if isinstance(receiver, Instance) else receiver.name
    )
