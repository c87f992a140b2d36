"""The middleware of an app: what is put on it, in which order, and what it is there for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.facts import App, Middleware
from flake8_fastapi_rules.semantics.libraries import APP_INSTRUMENTATION, OUTER_MIDDLEWARE
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    External,
    Function,
    Instance,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.uses import Uses

CORS = "starlette.middleware.cors.CORSMiddleware"
#: Middleware that passes on what is not HTTP, WebSockets among it, without a look.
HTTP_ONLY = "starlette.middleware.base.BaseHTTPMiddleware"
_PLAIN_BASE = External(HTTP_ONLY)
#: Words in names of middleware that belongs outside of CORS: it must see every request and answer.
_OUTER_WORDS = (
    "log", "request_id", "requestid", "correlation", "trace", "tracing", "metric", "prometheus",
    "telemetry", "sentry", "error", "exception", "proxy", "forwarded", "timing", "audit",
    "context", "profil", "debug", "header", "observ", "monitor", "cors",
    "babel", "i18n", "locale", "cachecontrol", "cache_control", "totaltime", "processtime",
    "process_time", "responsetime", "response_time",
)  # fmt: skip
#: Words in names of functions that put something else than middleware on an app.
_OTHER_WORDS = (
    "admin", "cors", "doc", "error", "event", "exception", "handler", "mount", "openapi",
    "pagination", "route", "static",
)  # fmt: skip
#: What takes an app and puts no middleware on it.
_KEEPING_AWAY = ("uvicorn.", "starlette.", "fastapi.", "builtins.", "httpx.", "typing.")
#: How deep functions that assemble an app are followed into others.
_DEPTH = 4
#: The methods in which a middleware does its work.
_WORKING = ("dispatch", "__call__")
_NAMED_LOG = re.compile(r"(?:(?:^|_)log|Log)(?:$|_|[A-Z]|ger|ging)")
_ID_WORDS = ("request_id", "requestid", "request-id", "correlation", "trace_id", "traceid")


@dataclass(frozen=True, slots=True)
class Stack:
    """The middleware of one app.

    Parameters:
        middlewares: in the order in which they are put on.
        is_complete: these are certainly all, and of each of them it is known what it does.
    """

    middlewares: tuple[Middleware, ...]
    is_complete: bool


def stack_of(model: Model, app: App) -> Stack:
    """The middleware of `app`, wherever in the project it is put on.

    What is put on some app that cannot be told counts for every app.
    """
    found: list[Middleware] = []
    complete = not app.has_unknown_arguments
    for module in model.uses(app.module).modules:
        for middleware in model.local(module, Middleware):
            if _may_be_on(model, middleware.app, app):
                found.append(middleware)
        complete = complete and not _instruments(model, module)
    scope = app.function if isinstance(app.function, FUNCTIONS) else app.module.tree
    known = {middleware.node for middleware in found}
    found += [
        step.middleware
        for step in _steps(model, app.module, scope, app.value, 0)
        if step.middleware.node not in known
    ]
    complete = complete and not _is_given_away(model, app, scope)
    complete = complete and all(
        isinstance(target, Function | Class) or _is_known_not_to_log(target)
        for target in (_working(model, each) for each in found)
    )
    return Stack(tuple(found), complete)


def on_every_request(model: Model, app: App) -> tuple[Middleware, ...] | None:
    """The middleware of an app that serves requests by itself.

    Returns:
        All of it; `None` when there may be more, when it isn't known what some of it does, or
        when nothing tells that clients reach the app: it is mounted, or it has no routes.
    """
    project = model.project(app.module)
    for node in project.apps:
        if node.call is app.node and not node.is_mounted and project.resolved_routes(node):
            stack = stack_of(model, app)
            return stack.middlewares if stack.is_complete else None
    return None


def is_setting(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether what middleware is given is an object's attribute: its default is not what runs."""
    return isinstance(node, ast.Attribute) and isinstance(
        model.resolve(module, node.value), Instance
    )


def _may_be_on(model: Model, target: Value, app: App) -> bool:
    """Whether what a middleware is put on is an app, or may be it for all that can be told."""
    if not isinstance(target, Instance) or target.call is app.node:
        return True
    if target.call is not None:
        return False
    # `self` of a class of the project is an app of that class.
    made = app.value.of if isinstance(app.value, Instance) else UNKNOWN
    if isinstance(made, External):
        return not isinstance(target.of, Class)
    return not isinstance(made, Class) or target.of in model.resolver.mro(made)


def _is_known_not_to_log(target: Value) -> bool:
    """Whether a library's middleware is known, and writes no line for each request."""
    return isinstance(target, External) and (
        target.name.startswith(("starlette.", "slowapi.", "brotli_asgi."))
        or OUTER_MIDDLEWARE.get(target.name) in {"request id", "metrics", "proxy", "security"}
    )


def _is_given_away(model: Model, app: App, scope: ast.AST) -> bool:
    """Whether an assembling function hands its app to something that cannot be looked into."""
    for node in app.module.index.own_nodes(scope):
        if isinstance(node, ast.Call) and any(
            model.resolve(app.module, each) == app.value
            for each in (*node.args, *(keyword.value for keyword in node.keywords))
        ):
            callee = model.resolve(app.module, node.func)
            name = ast.unparse(node.func).rpartition(".")[2].lower()
            is_harmless = isinstance(callee, Function | Class) or (
                isinstance(callee, External) and callee.name.startswith(_KEEPING_AWAY)
            )
            if not is_harmless and not any(word in name for word in _OTHER_WORDS):
                return True
    return False


def _instruments(model: Model, module: Module) -> bool:
    """Whether a module hands an app to a library that puts middleware around it."""
    if ".instrument" not in module.source.text:
        return False
    for call in module.index.nodes(ast.Call):
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr.startswith("instrument"):
            value = model.resolve(module, func)
            if not isinstance(value, External) or value.name in APP_INSTRUMENTATION:
                return True
    return False


def may_wrap_cors(model: Model, middleware: Middleware) -> bool:
    """Whether a middleware belongs outside of CORS by its nature, as far as that can be told."""
    target = middleware.target
    name = qualified_name(target)
    if name is None or isinstance(target, Instance) or not _working(model, middleware):
        return True
    if isinstance(target, External) and OUTER_MIDDLEWARE.get(target.name, "security") != "security":
        return True
    dispatch = middleware.arguments.get("dispatch")
    last = (name if dispatch is None else ast.unparse(dispatch)).rpartition(".")[2].lower()
    return any(word in last for word in _OUTER_WORDS) or _only_works_on_others(model, middleware)


def _only_works_on_others(model: Model, middleware: Middleware) -> bool:
    """Whether a middleware of the project does something, but never answers by itself.

    One that does nothing at all is a stand-in, of which that cannot be said.
    """
    target = _working(model, middleware)
    if isinstance(target, Class):
        methods = (model.resolver.class_attribute(target, name, instance=True) for name in _WORKING)
        target = next((each for each in methods if isinstance(each, Function)), target)
    if not isinstance(target, Function) or isinstance(target.node, ast.Lambda):
        return False
    node, own = target.node, target.module.index.own_nodes(target.node)
    if any(isinstance(each, ast.Raise) and each.exc is not None for each in own):
        return False
    returns = [each for each in own if isinstance(each, ast.Return)]
    if len(node.args.args) == 4 and _is_for_sockets(node):
        return True
    if len(node.args.args) == 4 and not returns:
        return _only_passes_on(node) or (
            _uses_only_within(node) and model.effects.logs(target) is not None
        )
    assigned = [each for each in own if isinstance(each, ast.Assign | ast.AnnAssign)]
    following = node.args.args[-1].arg if node.args.args else ""
    passed = _names_bound(each for each in assigned if _asks_next(each.value, following))
    passed -= _names_bound(each for each in assigned if not _asks_next(each.value, following))
    return bool(returns and (passed or not _is_stand_in(node))) and all(
        (isinstance(each.value, ast.Name) and each.value.id in passed)
        or _asks_next(each.value, following)
        for each in returns
    )


def _is_stand_in(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function does nothing but `return await call_next(request)`."""
    return all(isinstance(each, ast.Return | ast.Expr) for each in node.body)


def _names_bound(assignments: Iterable[ast.Assign | ast.AnnAssign]) -> set[str]:
    return {
        target.id
        for each in assignments
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        if isinstance(target, ast.Name)
    }


def _asks_next(node: ast.expr | None, following: str) -> bool:
    """Whether an expression is `await call_next(request)`, whatever the parameter is called."""
    return (
        isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and (node.value.func.id == following or node.value.func.id.startswith("call_next"))
    )


def _uses_only_within(
    node: ast.FunctionDef | ast.AsyncFunctionDef, besides: Set[int] = frozenset()
) -> bool:
    """Whether `__call__(self, scope, receive, send)` gives `send` to nothing but the app within.

    Parameters:
        besides: the nodes that do not count.
    """
    send = node.args.args[3].arg
    within = {
        id(part)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"app", "_app"}
        for part in call.args
    }
    uses = [each for each in ast.walk(node) if isinstance(each, ast.Name) and each.id == send]
    return all(id(use) in within or id(use) in besides for use in uses)


def _is_for_sockets(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether `__call__` hands on at once what comes from no socket, which knows no CORS.

    `if scope["type"] != "websocket": await self.app(scope, receive, send); return`, or it answers
    in nothing but `if scope["type"] == "websocket":`.
    """
    for statement in node.body:
        if isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Return):
            test = statement.test
            parts = test.values if isinstance(test, ast.BoolOp) else [test]
            if isinstance(test, ast.BoolOp) and not isinstance(test.op, ast.Or):
                parts = []
            if any(_asks_for_socket(part, ast.NotEq) for part in parts):
                return True
    of_sockets = {
        id(part)
        for each in ast.walk(node)
        if isinstance(each, ast.If) and _asks_for_socket(each.test, ast.Eq)
        for statement in each.body
        for part in ast.walk(statement)
    }
    return bool(of_sockets) and _uses_only_within(node, of_sockets)


def _asks_for_socket(test: ast.expr, operator: type[ast.cmpop]) -> bool:
    """Whether a condition, or a part of it that must hold, is about the type of a scope."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_asks_for_socket(part, operator) for part in test.values)
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], operator)
        and any(
            isinstance(said, ast.Constant) and said.value == "websocket"
            for said in (test.left, test.comparators[0])
        )
    )


def _only_passes_on(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether `__call__` holds something around the app within, or changes the scope."""
    scope = node.args.args[1].arg
    return _uses_only_within(node) and any(
        isinstance(each, ast.AsyncWith | ast.With)
        or (isinstance(each, ast.Name) and each.id == scope and isinstance(each.ctx, ast.Store))
        or (
            isinstance(each, ast.Subscript)
            and isinstance(each.ctx, ast.Store)
            and any(isinstance(n, ast.Name) and n.id == scope for n in ast.walk(each.value))
        )
        for each in ast.walk(node)
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """A middleware put on an app, and the node of the assembling function that does so.

    Parameters:
        inner: the places in the functions that this one calls to do so, from the outside in.
    """

    middleware: Middleware
    node: ast.AST
    inner: tuple[tuple[Module, ast.AST], ...] = ()

    def called_from(self, node: ast.AST, callee: Function) -> _Step:
        """Make it a step of another function, which calls the one that it is of."""
        return _Step(self.middleware, node, ((callee.module, self.node), *self.inner))


def _gather_wrapping(model: Model, uses: Uses) -> tuple[tuple[Middleware, Middleware], ...]:
    found: dict[tuple[ast.AST, ast.AST], tuple[Middleware, Middleware]] = {}
    for module in uses.modules:
        for app in model.local(module, App):
            scope = app.function if isinstance(app.function, FUNCTIONS) else module.tree
            steps = [
                *_listed_first(model, app),
                *_steps_of_class(model, app),
                *_steps(model, module, scope, app.value, 0),
            ]
            for position, cors in enumerate(steps):
                if not model.is_subclass(cors.middleware.target, CORS):
                    continue
                for other in steps[position + 1 :]:
                    if (
                        _may_both_run(module, scope, cors.node, other.node)
                        and not _is_added_before(other.middleware, cors.middleware)
                        and not _exclude_each_other(cors, other)
                    ):
                        pair = other.middleware, cors.middleware
                        found[pair[0].node, pair[1].node] = pair
    return tuple(found.values())


def _exclude_each_other(first: _Step, second: _Step) -> bool:
    """Whether two steps are in branches of a function that both are steps of, one or the other."""
    if first.node is not second.node:
        return False
    for (module, one), (_, other) in zip(first.inner, second.inner, strict=False):
        scope = module.index.function_of(one)
        if one is not other:
            return scope is not None and not _may_both_run(module, scope, one, other)
    return False


def _is_added_before(other: Middleware, cors: Middleware) -> bool:
    """Whether one function adds both, CORS last: it is called in branches that exclude others."""
    if other.style == "list" or other.module is not cors.module or cors.style == "list":
        return False
    index = cors.module.index
    function = index.function_of(cors.node)
    return (
        isinstance(function, FUNCTIONS)
        and index.function_of(other.node) is function
        and other.node.lineno < cors.node.lineno
    )


def _listed_first(model: Model, app: App) -> Iterator[_Step]:
    """What the app is made with, from the inside out: all that is added later wraps it."""
    listed = [
        middleware
        for middleware in model.local(app.module, Middleware)
        if middleware.style == "list" and middleware.app == app.value
    ]
    index = app.module.index
    for middleware in sorted(listed, key=lambda each: -each.place):
        is_beside = index.scope_of(middleware.node) is index.scope_of(app.node)
        yield _Step(middleware, middleware.node if is_beside else app.node)


def _steps_of_class(model: Model, app: App) -> Iterator[_Step]:
    """What the constructor of an app class of the project puts on each of its objects."""
    cls = app.value.of if isinstance(app.value, Instance) else None
    if isinstance(cls, Class):
        made = model.resolver.class_attribute(cls, "__init__", instance=True)
        if isinstance(made, Function) and isinstance(made.node, FUNCTIONS) and made.node.args.args:
            itself = made.node.args.args[0].arg
            for step in _steps(model, made.module, made.node, itself, 0):
                yield _Step(step.middleware, app.node)


def _steps(
    model: Model, module: Module, scope: ast.AST, app: Value | str, depth: int
) -> Iterator[_Step]:
    """What a function adds to an app, given as a value or as the name of a parameter."""

    def is_app(node: ast.expr) -> bool:
        if isinstance(app, str):
            return isinstance(node, ast.Name) and node.id == app
        return model.resolve(module, node) == app

    added: dict[ast.AST, list[Middleware]] = {}
    for each in model.local(module, Middleware):
        if each.style != "list":
            added.setdefault(each.node, []).append(each)
    for node in module.index.own_nodes(scope):
        if not isinstance(node, ast.Call):
            continue
        middlewares = added.get(node, [])
        if isinstance(node.func, ast.Attribute) and is_app(node.func.value):
            if not middlewares and node.func.attr == "add_middleware" and node.args:
                # The parameter has no type; what it gets says that it is an app.
                target = model.resolve(module, node.args[0])
                middlewares = [Middleware(module, node, "add", UNKNOWN, target, None, {}, False)]
            callee = UNKNOWN if middlewares else model.resolve(module, node.func)
            if middlewares:
                yield from (_Step(each, node) for each in middlewares)
            elif depth < _DEPTH and isinstance(callee, Function) and isinstance(app, str):
                # A method of an app class, called by another one.
                own = [*callee.node.args.posonlyargs, *callee.node.args.args][:1]
                itself = own[0].arg if own else ""
                for step in _steps(model, callee.module, callee.node, itself, depth + 1):
                    yield step.called_from(node, callee)
        elif depth < _DEPTH and any(
            is_app(each) for each in (*node.args, *(k.value for k in node.keywords))
        ):
            callee = model.resolve(module, node.func)
            if isinstance(callee, Function) and isinstance(callee.node, FUNCTIONS):
                name = _parameter_given(node, callee, is_app)
                if name is not None:
                    for step in _steps(model, callee.module, callee.node, name, depth + 1):
                        yield step.called_from(node, callee)


def _parameter_given(
    call: ast.Call, callee: Function, is_app: Callable[[ast.expr], bool]
) -> str | None:
    """The parameter that gets the app."""
    for keyword in call.keywords:
        if is_app(keyword.value):
            return keyword.arg
    arguments = [*callee.node.args.posonlyargs, *callee.node.args.args]
    if callee.bound or (arguments and arguments[0].arg in {"self", "cls"}):
        arguments = arguments[1:]
    for argument, given in zip(arguments, call.args, strict=False):
        if is_app(given):
            return argument.arg
    return None


def _may_both_run(module: Module, scope: ast.AST, first: ast.AST, second: ast.AST) -> bool:
    """Whether two places are not in branches that exclude each other.

    What stands behind a branch that ends with `return` is in the other one.
    """
    index = module.index
    branches = index.branch_of(first, index.scopes[scope])
    blocks, others = dict(branches), dict(index.branch_of(second, index.scopes[scope]))
    return not any(
        statement not in others and _leaves(statement, first) for statement in blocks
    ) and all(blocks.get(statement, block) == block for statement, block in others.items())


def _leaves(statement: ast.AST, node: ast.AST) -> bool:
    """Whether the branch of an `if` that a node stands in ends the function."""
    if not isinstance(statement, ast.If):
        return False
    return any(
        isinstance(block[-1], ast.Return | ast.Raise)
        for block in (statement.body, statement.orelse)
        if block and any(part is node for each in block for part in ast.walk(each))
    )


_wrapping = PerProject(_gather_wrapping)


def wrapping_cors(model: Model, module: Module) -> tuple[tuple[Middleware, Middleware], ...]:
    """Each middleware of `module` that is added after CORS, with the CORS that it wraps.

    Functions that assemble the app by calling others are followed into these.
    """
    return tuple(pair for pair in _wrapping(model, module) if pair[0].module is module)


def source_of(target: Value) -> tuple[Module, ast.AST] | None:
    """The project's code of a middleware: the function or class."""
    if isinstance(target, Function | Class):
        return target.module, target.node
    return None


def logs_requests(model: Model, middleware: Middleware) -> bool:
    """Whether a middleware of the project writes a log line, itself or through what it calls.

    One that is named so, and inherits all that it does, is taken at its word.
    """
    target = _working(model, middleware)
    functions: list[Value] = [target]
    if isinstance(target, Class):
        own = {each.name for each in target.node.body if isinstance(each, FUNCTIONS)}
        if own.isdisjoint(_WORKING) and _NAMED_LOG.search(target.node.name):
            return True
        functions = [
            model.resolver.class_attribute(target, name, instance=True) for name in _WORKING
        ]
    for function in functions:
        if isinstance(function, Function):
            inner = [
                Function(function.module, n)
                for n in ast.walk(function.node)
                if isinstance(n, FUNCTIONS)
            ]
            if any(model.effects.logs(each) is not None for each in (function, *inner)):
                return True
    return False


def _working(model: Model, middleware: Middleware) -> Value:
    """What does the work of a middleware: `dispatch=` of a plain `BaseHTTPMiddleware`."""
    given = middleware.arguments.get("dispatch")
    if given is None and middleware.has_unknown_arguments and middleware.target == _PLAIN_BASE:
        return UNKNOWN  # `add_middleware(kind, **options)` may give a function
    if given is None or isinstance(middleware.target, Class):
        return middleware.target
    return model.resolve(middleware.module, given)


def sets_request_id(model: Model, middleware: Middleware) -> bool:
    """Whether a middleware speaks of a request or correlation id, or is known to make one."""
    target = _working(model, middleware)
    if isinstance(target, External):
        return OUTER_MIDDLEWARE.get(target.name) == "request id"
    code = source_of(target)
    if code is None:
        return False
    module, node = code
    text = module.source.segment(node).lower()
    return any(word in text for word in _ID_WORDS)


def http_functions(
    model: Model, module: Module
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a module that run as `dispatch` of an HTTP middleware."""
    for middleware in model.local(module, Middleware):
        if middleware.style == "decorator" and middleware.function is not None:
            yield middleware.function
        dispatch = model.resolve(module, middleware.arguments.get("dispatch"))
        applied = middleware.target if middleware.style == "decorator" else None
        for given in (applied, dispatch):
            if (
                isinstance(given, Function)
                and given.module is module
                and isinstance(given.node, FUNCTIONS)
            ):
                yield given.node
    for definition in module.index.nodes(ast.ClassDef):
        if model.is_subclass(Class(module, definition), HTTP_ONLY):
            for statement in definition.body:
                if isinstance(statement, FUNCTIONS) and statement.name == "dispatch":
                    yield statement
