"""Calls in assembling code: functions of the project, constructors, libraries."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics import parameters
from flake8_fastapi_rules.semantics.assembly.objects import (
    AV,
    Arguments,
    Assumed,
    Closure,
    Decorator,
    Either,
    Frame,
    Items,
    Made,
    Method,
    Object,
    Origin,
    Partial,
    Planned,
    Routes,
    Super,
    Table,
    alternatives,
    either,
    has_objects,
    is_literal,
    is_none,
    items_of,
    last_name,
    made_in,
    may_concern_apps,
    to_value,
)
from flake8_fastapi_rules.semantics.assembly.vocabulary import APP, APP_DEFAULTS, ROUTER
from flake8_fastapi_rules.semantics.decorators import keeps_signature
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.graph import RouterNode
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import default_of
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Function,
    Instance,
    ModuleValue,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.assembly.evaluator import Evaluator

#: What a call takes of the evaluator's budget, besides its statements.
_COST = 10
#: How deep calls may lead to calls.
_CALLS = 40
#: A helper without apps and routers is followed for its result when it has no more statements
#: and lines than this,
_SMALL = 8
_SHORT = 40
#: and so deep may such helpers lead to further ones.
_FOLLOWED = 2
#: A function that ran so often and never told an app or router anything is not run again.
_FRUITLESS = 20
#: Libraries that get apps and put no routes and handlers on them.
_HARMLESS = frozenset(
    {
        "asgi_lifespan", "asgiref", "builtins", "granian", "httpx", "hypercorn", "logging",
        "mangum", "opentelemetry", "prometheus_fastapi_instrumentator", "sentry_sdk", "typing",
        "uvicorn", "contextlib", "asyncio", "anyio",
    }
)  # fmt: skip
#: Those that serve an app below another one.
_MOUNTS = frozenset({"Host", "Mount"})
_PLANNED = frozenset(
    {
        "starlette.routing.Host", "starlette.routing.Mount", "starlette.routing.Route",
        "starlette.routing.WebSocketRoute",
        "fastapi.routing.APIRoute", "fastapi.routing.APIWebSocketRoute",
        "fastapi.routing.Mount",
    }
)  # fmt: skip


class Calls:
    """Runs what is called.

    Parameters:
        evaluator: the run that the calls belong to.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        #: What the calls of `partial(...)` objects that are running have got already.
        self._bound: dict[ast.Call, Arguments] = {}

    def arguments(self, node: ast.Call, frame: Frame) -> Arguments:
        """The arguments of a call, evaluated from left to right."""
        result = Arguments([], {})
        for argument in node.args:
            value = self._evaluator.evaluate(argument, frame)
            if isinstance(argument, ast.Starred):
                items = items_of(value)
                if items is None or not getattr(value, "complete", True):
                    result.hidden = True
                    break
                result.positional.extend(items)
            else:
                result.positional.append(value)
        for keyword in node.keywords:
            value = self._evaluator.evaluate(keyword.value, frame)
            if keyword.arg is not None:
                result.keywords[keyword.arg] = value
                continue
            tables = alternatives(value)
            if not all(isinstance(table, Table) for table in tables):
                result.hidden = True
                continue
            # `**({"docs_url": None} if hidden else {})`: what only one of them has may be absent.
            result.hidden = result.hidden or not all(table.complete for table in tables)
            for key in {key: None for table in tables for key in table.items}:
                if isinstance(key, str):
                    given = [table.items.get(key, UNKNOWN) for table in tables]
                    result.keywords[key] = UNKNOWN if UNKNOWN in given else either(given)
        bound = self._bound.get(node)
        if bound is not None:
            result = Arguments(
                [*bound.positional, *result.positional],
                {**bound.keywords, **result.keywords},
                bound.hidden or result.hidden,
            )
        return result

    def call(self, node: ast.Call, frame: Frame, *, is_statement: bool = False) -> AV:
        """What a call gives."""
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super":
            return self.super(frame)
        callee = self._evaluator.evaluate(func, frame)
        if (wrapped := self._wrapped(callee, node, frame)) is not None:
            return wrapped
        if isinstance(callee, Either):
            results = []
            for alternative in callee.values:
                self._evaluator.conditions.append((node, id(alternative)))
                try:
                    results.append(self._called(alternative, node, frame, is_statement))
                finally:
                    self._evaluator.conditions.pop()
            return either(results)
        return self._called(callee, node, frame, is_statement)

    def _wrapped(self, callee: AV, node: ast.Call, frame: Frame) -> AV | None:
        """The function behind `requires(scopes)(function)`, where the wrapper is like it."""
        match node:
            case ast.Call(func=ast.Call() as decorator, args=[ast.Name() as given], keywords=[]):
                if isinstance(callee, Decorator) or self._assembles(callee):
                    return None
                value = self._evaluator.evaluate(given, frame)
                if isinstance(value, Closure) and keeps_signature(
                    self._evaluator.model, frame.module, decorator
                ):
                    return value
        return None

    def _assembles(self, callee: AV) -> bool:
        return isinstance(callee, Closure) and self._evaluator.is_interesting(
            callee.function.module, callee.function.node
        )

    def super(self, frame: Frame) -> AV:
        """What `super()` is in a running method."""
        current: Frame | None = frame
        while current is not None and current.receiver is None:
            current = current.parent
        if current is None or current.function is None:
            return UNKNOWN
        owner = current.module.index.class_of(current.function)
        if owner is None:
            return UNKNOWN
        return Super(current.receiver, Class(current.module, owner))

    def _called(self, callee: AV, node: ast.Call, frame: Frame, is_statement: bool) -> AV:
        match callee:
            case Method(receiver=receiver, name=name):
                if isinstance(receiver, Made):
                    origin = self._evaluator.origin or Origin(frame.module, node, node)
                    return self._evaluator.registry.made_call(
                        receiver.node, name, self.arguments(node, frame), origin
                    )
                if isinstance(receiver, Routes):
                    return self._evaluator.registry.routes_call(
                        receiver.node, name, self.arguments(node, frame)
                    )
                return self._evaluator.builtins.method(receiver, name, self.arguments(node, frame))
            case Partial(callee=inner, arguments=bound):
                self._bound[node] = bound
                try:
                    return self._called(inner, node, frame, is_statement)
                finally:
                    self._bound.pop(node, None)
            case Closure():
                return self._call_closure(callee, node, frame, is_statement)
            case Class():
                return self._construct(callee, node, frame)
            case Decorator():
                for argument in node.args[:1]:
                    value = self._evaluator.evaluate(argument, frame)
                    for endpoint in alternatives(value):
                        self._evaluator.registry.apply(callee, endpoint)
                    return value
                return UNKNOWN
            case Object(cls=cls):
                method = self._evaluator.member(cls, "__call__", callee)
                if isinstance(method, Closure):
                    return self._call_closure(method, node, frame, is_statement)
                return UNKNOWN
            case External(name=name):
                return self._external_call(name, node, frame)
            case _:
                self._escape(node, frame)
                return self._evaluator.ask(node, frame)

    def _escape(self, node: ast.Call, frame: Frame) -> None:
        """An app or router given to something unknown may get routes there."""
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Name | ast.Attribute):
                for made in made_in(self._evaluator.evaluate(argument, frame), 0):
                    made.node.is_open = made.node.is_handed_out = True

    def _hand_out(self, node: ast.Call, frame: Frame) -> None:
        """Note the apps and routers that a library's function gets, alone or in lists."""
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Name | ast.Attribute | ast.List | ast.Tuple):
                for value in made_in(self._evaluator.evaluate(argument, frame), 0):
                    value.node.is_handed_out = True

    def _call_closure(
        self, callee: Closure, node: ast.Call, frame: Frame, is_statement: bool
    ) -> AV:
        function = callee.function
        if self._is_worth_running(function):
            return self.call_function(callee, self.arguments(node, frame))
        if not is_statement and self.is_small(function):
            value = self.call_function(callee, self.arguments(node, frame), for_result=True)
            if value is not UNKNOWN:
                return value
        if isinstance(function.node, ast.Lambda):
            return self.call_function(callee, self.arguments(node, frame))
        if is_statement:
            return UNKNOWN
        return self._evaluator.lift(self._evaluator.resolver.called(function, frame.module, node))

    def _is_worth_running(self, function: Function) -> bool:
        """Whether a call may assemble something: it reaches code that does, and ever did so."""
        return (
            function in self._evaluator.assembling
            and self._evaluator.fruitless[function.node] < _FRUITLESS
        )

    def is_small(self, function: Function) -> bool:
        """Whether a helper is short enough to be followed only for its result."""
        node = function.node
        return (
            isinstance(node, ast.FunctionDef)
            and len(node.body) <= _SMALL
            and self._evaluator.following < _FOLLOWED
            and not self._evaluator.in_test
            and (node.end_lineno or node.lineno) - node.lineno < _SHORT
            and not (node.decorator_list and function.module.index.is_generator(node))
        )

    def call_function(
        self,
        closure: Closure,
        arguments: Arguments,
        *,
        as_root: bool = False,
        for_result: bool = False,
    ) -> AV:
        """Run a function of the project; what it returns (or yields)."""
        function = closure.function
        node = function.node
        if (
            len(self._evaluator.running) >= _CALLS
            or self._evaluator.running.count(node) > 1
            or self._evaluator.budget <= 0
        ):
            return UNKNOWN
        is_cached = not isinstance(node, ast.Lambda) and any(
            last_name(decorator) in {"cache", "lru_cache"} for decorator in node.decorator_list
        )
        if is_cached and node in self._evaluator.cached:
            return self._evaluator.cached[node]
        if self._evaluator.in_test and not as_root and not has_objects(arguments):
            # Tests build the same app over and over: once is enough.
            made = [n for n in self._evaluator.results.get(node, ()) if n.module is function.module]
            if made:
                self._evaluator.standing_in.add(id(made[0]))
                return Made(made[0])
        frame = Frame(self._evaluator, function.module, closure.frame, function=node)
        frame.receiver = closure.bound_to
        frame.cls = function.owner
        if (
            isinstance(node, FUNCTIONS)
            and not node.decorator_list
            and function.module.index.is_generator(node)
        ):
            frame.yielded = Items([], conditions=tuple(self._evaluator.conditions))
        self._bind_arguments(closure, arguments, frame, as_root=as_root)
        if not for_result:
            self._evaluator.executed.add(node)
        self._evaluator.running.append(node)
        self._evaluator.runs[node] += 1
        self._evaluator.budget -= _COST
        self._evaluator.following += for_result
        depth = len(self._evaluator.conditions)
        progress = self._evaluator.progress
        try:
            if isinstance(node, ast.Lambda):
                return self._evaluator.evaluate(node.body, frame)
            self._evaluator.statements.block(node.body, frame)
        finally:
            self._evaluator.running.pop()
            self._evaluator.following -= for_result
            del self._evaluator.conditions[depth:]
        result: AV = either(frame.returned) if frame.returned else Constant(None)
        if frame.yielded is not None:
            result = frame.yielded
        if is_cached:
            self._evaluator.cached[node] = result
        for made in alternatives(result):
            if isinstance(made, Made):
                self._evaluator.results[node].append(made.node)
        if self._evaluator.progress == progress and not may_concern_apps(result):
            self._evaluator.fruitless[node] += 1
        return result

    def _bind_arguments(
        self, closure: Closure, arguments: Arguments, frame: Frame, *, as_root: bool
    ) -> None:
        function = closure.function
        given = function.node.args
        positional = [*given.posonlyargs, *given.args]
        values = list(arguments.positional)
        if closure.bound_to is not None and positional:
            frame.names[positional[0].arg] = closure.bound_to
            positional = positional[1:]
        keywords = dict(arguments.keywords)
        for position, argument in enumerate(positional):
            if position < len(values):
                frame.names[argument.arg] = values[position]
            else:
                self._bind_argument(argument, keywords, arguments.hidden, closure, frame, as_root)
        for argument in given.kwonlyargs:
            self._bind_argument(argument, keywords, arguments.hidden, closure, frame, as_root)
        if given.vararg is not None:
            rest = values[len(positional) :]
            frame.names[given.vararg.arg] = Items(rest, not arguments.hidden and not as_root)
        if given.kwarg is not None:
            frame.names[given.kwarg.arg] = Table(
                dict(keywords), not arguments.hidden and not as_root
            )

    def _bind_argument(
        self,
        argument: ast.arg,
        keywords: dict[str, AV],
        hidden: bool,
        closure: Closure,
        frame: Frame,
        as_root: bool,
    ) -> None:
        name = argument.arg
        if name in keywords:
            frame.names[name] = keywords.pop(name)
            return
        default = default_of(closure.function.node.args, argument)
        module = closure.function.module
        if default is not None and not hidden:
            value = self._evaluator.evaluate(default, closure.frame)
            if as_root and isinstance(value, Constant):
                # Nobody was seen to call it: the default serves for text, but decides nothing.
                value = UNKNOWN if value.value is None else Assumed(value.value)
            if isinstance(value, Instance) or value is UNKNOWN:
                value = (
                    self._evaluator.lift(self._evaluator.resolver.resolve(module, argument))
                    or value
                )
            frame.names[name] = value
            return
        frame.names[name] = self._evaluator.lift(self._evaluator.resolver.resolve(module, argument))

    def kind_of_class(self, cls: Class | External) -> str | None:
        """`fastapi.FastAPI` or `fastapi.APIRouter` if a class is one of these."""
        if self._evaluator.resolver.is_subclass(cls, APP):
            return APP
        if self._evaluator.resolver.is_subclass(cls, ROUTER):
            return ROUTER
        return None

    def _construct(self, cls: Class, node: ast.Call, frame: Frame) -> AV:
        arguments = self.arguments(node, frame)
        kind = self.kind_of_class(cls)
        if kind is not None:
            made = self._make(cls, kind, node, frame)
            init = self._evaluator.member(cls, "__init__", made, stop_at_library=True)
            if isinstance(init, Closure):
                self.call_function(init, arguments)
            else:
                self.initialise(made.node, arguments)
            return made
        instance = Object(cls, node, frame.module)
        init = self._evaluator.member(cls, "__init__", instance, stop_at_library=True)
        if isinstance(init, Closure):
            if self._is_worth_running(init.function):
                self.call_function(init, arguments)
            else:
                self._bind_fields(instance, init, arguments)
            return instance
        self._fill_fields(instance, arguments)
        for name in ("__post_init__", "__attrs_post_init__", "model_post_init"):
            after = self._evaluator.member(cls, name, instance, stop_at_library=True)
            if isinstance(after, Closure):
                self.call_function(after, Arguments([], {}))
        return instance

    def _fill_fields(self, instance: Object, arguments: Arguments) -> None:
        """What a generated constructor (dataclass, attrs, Pydantic) does with its arguments."""
        fields = list(parameters.fields_of(self._evaluator.resolver, instance.cls))
        names = [s.target.id for _, s in fields if isinstance(s.target, ast.Name)]
        given = arguments.named(tuple(names))
        for name, (module, statement) in zip(names, fields, strict=True):
            if name in given:
                instance.attributes[name] = given[name]
                continue
            default = statement.value
            if isinstance(default, ast.Call):
                made = self._field_default(module, default)
                if made is not None:
                    instance.attributes[name] = made

    def _field_default(self, module: Module, node: ast.Call) -> AV | None:
        """`field(default_factory=APIRouter)`, `field(default=None)`"""
        frame = self._evaluator.module_frame(module)
        for keyword in node.keywords:
            if keyword.arg == "default":
                return self._evaluator.evaluate(keyword.value, frame)
            if keyword.arg in {"default_factory", "factory"}:
                factory = self._evaluator.evaluate(keyword.value, frame)
                match factory:
                    case External(name=name) if name in {"builtins.list", "builtins.set"}:
                        return Items([])
                    case External(name="builtins.dict"):
                        return Table({})
                    case Closure():
                        return self.call_function(factory, Arguments([], {}), for_result=True)
                    case External() | Class() if self.kind_of_class(factory) is not None:
                        call = ast.copy_location(ast.Call(keyword.value, [], []), keyword.value)
                        return self._called(factory, call, frame, is_statement=False)
        return None

    def _bind_fields(self, instance: Object, init: Closure, arguments: Arguments) -> None:
        """`self._evaluator.x = x` of a constructor that assembles nothing."""
        function = init.function
        given = function.node.args
        names = tuple(argument.arg for argument in [*given.posonlyargs, *given.args][1:])
        values = arguments.named(names)
        if isinstance(function.node, ast.Lambda):
            return
        for statement in function.node.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Attribute(attr=attr)], value=ast.Name(id=name))
                    | ast.AnnAssign(target=ast.Attribute(attr=attr), value=ast.Name(id=name))
                ) if name in values:
                    instance.attributes[attr] = values[name]

    def _make(self, cls: Class | External, kind: str, node: ast.Call, frame: Frame) -> Made:
        fact = self._evaluator.facts_of(frame.module).get(node)
        made = RouterNode(
            fact if isinstance(fact, App) else None,
            frame.module,
            node,
            Instance(cls, frame.module, node),
            kind == APP,
            conditions=tuple(self._evaluator.conditions),
            in_test=self._evaluator.in_test,
        )
        self._evaluator.nodes.append(made)
        self._evaluator.progress += 1
        self._evaluator.by_call[node].append(made)
        return Made(made)

    def initialise(self, node: RouterNode, arguments: Arguments) -> None:
        """What `FastAPI(...)` and `APIRouter(...)` themselves do with their arguments."""
        self._evaluator.progress += 1
        options = self._evaluator.registry.options(arguments)
        node.options = replace(options, prefix="") if node.is_app else options
        if node.is_app:
            for name in APP_DEFAULTS:
                if name in arguments.keywords or arguments.hidden:
                    node.attributes[name] = arguments.keywords.get(name, UNKNOWN)
            if arguments.hidden or not is_none(arguments.keywords.get("lifespan", Constant(None))):
                node.attributes["lifespan_context"] = arguments.keywords.get("lifespan", UNKNOWN)
        handlers = arguments.keywords.get("exception_handlers")
        if isinstance(handlers, Table) and handlers.complete:
            for key in handlers.items:
                caught = Constant(key) if is_literal(key) else self._evaluator.registry.plain(key)
                node.handled.append(to_value(caught))
        elif (handlers is not None and not is_none(handlers)) or arguments.hidden:
            node.handled.append(UNKNOWN)
        routes = arguments.keywords.get("routes")
        if routes is not None and not is_none(routes):
            self._evaluator.registry.extend_routes(node, routes)

    def _external_call(self, name: str, node: ast.Call, frame: Frame) -> AV:
        callee = External(name)
        kind = self.kind_of_class(callee)
        if kind is not None:
            made = self._make(callee, kind, node, frame)
            self.initialise(made.node, self.arguments(node, frame))
            return made
        if name in {"fastapi.Depends", "fastapi.Security"}:
            return self._evaluator.registry.depends(node, frame)
        if name.startswith("builtins."):
            return self._evaluator.builtins.call(name.removeprefix("builtins."), node, frame)
        last = name.rpartition(".")[2]
        if name in _PLANNED:
            given = self.arguments(node, frame)
            for child in alternatives(given.named(("path", "app")).get("app", UNKNOWN)):
                if last in _MOUNTS and isinstance(child, Made):
                    child.node.is_in_mount = True
            return Planned(last, given, Origin(frame.module, node, node))
        if last == "import_module":
            return self._imported(node, frame)
        if name in {"functools.partial", "typing.cast"} and node.args:
            wanted = node.args[-1] if name == "typing.cast" else node.args[0]
            value = self._evaluator.evaluate(wanted, frame)
            if name == "functools.partial" and isinstance(
                value, Closure | Method | Class | External
            ):
                given = self.arguments(node, frame)
                return Partial(value, Arguments(given.positional[1:], given.keywords, given.hidden))
            if value is not UNKNOWN:
                return value
        result = self._evaluator.resolver.resolve(frame.module, node)
        if not isinstance(result, Instance) or result.call is not node:
            result = self._evaluator.resolver.called(callee, frame.module, node)
        if isinstance(result, Instance) and self.kind_of_class(result.of) is not None:
            return self._opaque(result, node, frame)
        if last[:1].islower():
            self._evaluate_arguments(node, frame)
        if name.partition(".")[0] not in _HARMLESS and "testclient" not in name:
            self._hand_out(node, frame)
        return self._evaluator.lift(result)

    def _evaluate_arguments(self, node: ast.Call, frame: Frame) -> None:
        """Calls inside of a library call's arguments may assemble something: `run(create())`."""
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Call | ast.Await):
                self._evaluator.evaluate(argument, frame)

    def _opaque(self, value: Instance, node: ast.Call, frame: Frame) -> AV:
        """A router of a library: what is on it cannot be seen."""
        known = [n for n in self._evaluator.by_call.get(node, ()) if n.is_opaque]
        if known:
            return Made(known[0])
        kind = self.kind_of_class(value.of)
        made = RouterNode(
            None, frame.module, node, value, kind == APP, is_opaque=True,
            conditions=tuple(self._evaluator.conditions), in_test=self._evaluator.in_test,
        )  # fmt: skip
        self._evaluator.nodes.append(made)
        self._evaluator.progress += 1
        self._evaluator.by_call[node].append(made)
        return Made(made)

    def _imported(self, node: ast.Call, frame: Frame) -> AV:
        name = self._evaluator.evaluate(node.args[0], frame) if node.args else UNKNOWN
        if isinstance(name, Constant) and isinstance(name.value, str):
            dotted = name.value.lstrip(".")
            level = len(name.value) - len(dotted)
            module = self._evaluator.model.modules.named(level, dotted, frame.module)
            if module is not None:
                self._evaluator.statements.import_module(module)
                return ModuleValue(module)
        return UNKNOWN
