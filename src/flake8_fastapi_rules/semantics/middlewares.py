"""The middleware of an app: what is put on it, in which order, and what it is there for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.facts import App, Middleware
from flake8_fastapi_rules.semantics.libraries import APP_INSTRUMENTATION, OUTER_MIDDLEWARE
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import (
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
    from flake8_fastapi_rules.semantics.model import Model

CORS = "starlette.middleware.cors.CORSMiddleware"
#: Words in names of middleware that belongs outside of CORS: it must see every request and answer.
_OUTER_WORDS = (
    "log", "request_id", "requestid", "correlation", "trace", "tracing", "metric", "prometheus",
    "telemetry", "sentry", "error", "exception", "proxy", "forwarded", "timing", "audit",
    "context", "profil", "debug", "header",
)  # fmt: skip
_ID_WORDS = ("request_id", "requestid", "request-id", "correlation", "trace_id", "traceid")


@dataclass(frozen=True, slots=True)
class Stack:
    """The middleware of one app.

    Parameters:
        middlewares: in the order in which they are put on.
        is_complete: these are certainly all, and each of them can be looked into.
    """

    middlewares: tuple[Middleware, ...]
    is_complete: bool


def stack_of(model: Model, app: App) -> Stack:
    """The middleware of `app`, wherever in the project it is put on.

    What is put on some app that cannot be told counts for every app.
    """
    found: list[Middleware] = []
    complete = not app.has_unknown_arguments
    listed = app.arguments.get("middleware")
    if listed is not None and model.resolve(app.module, listed) != Constant(None):
        value = model.resolve(app.module, listed)
        complete = complete and isinstance(value, Expression) and value.module is app.module
    for module in model.uses(app.module).modules:
        for middleware in model.local(module, Middleware):
            target = middleware.app
            if not isinstance(target, Instance) or target.call in {None, app.node}:
                found.append(middleware)
        complete = complete and not _instruments(model, module)
    complete = complete and all(
        isinstance(m.target, Function | Class)
        or (isinstance(m.target, External) and m.target.name.startswith("starlette."))
        for m in found
    )
    return Stack(tuple(found), complete)


def _instruments(model: Model, module: Module) -> bool:
    """Whether a module hands an app to a library that puts middleware around it."""
    for call in module.index.nodes(ast.Call):
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr.startswith("instrument"):
            value = model.resolve(module, func)
            if not isinstance(value, External) or value.name in APP_INSTRUMENTATION:
                return True
    return False


def may_wrap_cors(middleware: Middleware) -> bool:
    """Whether a middleware belongs outside of CORS by its nature, as far as that can be told."""
    target = middleware.target
    name = qualified_name(target)
    if name is None or isinstance(target, Instance):
        return True
    if isinstance(target, External) and OUTER_MIDDLEWARE.get(target.name, "security") != "security":
        return True
    last = name.rpartition(".")[2].lower()
    return any(word in last for word in _OUTER_WORDS)


def source_of(target: Value) -> tuple[Module, ast.AST] | None:
    """The project's code of a middleware: the function or class."""
    if isinstance(target, Function | Class):
        return target.module, target.node
    return None


def logs_requests(model: Model, middleware: Middleware) -> bool:
    """Whether a middleware of the project writes a log line, itself or through what it calls."""
    target = middleware.target
    functions: list[Value] = [target]
    if isinstance(target, Class):
        functions = [
            model.resolver.class_attribute(target, name, instance=True)
            for name in ("dispatch", "__call__")
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


def sets_request_id(middleware: Middleware) -> bool:
    """Whether a middleware of the project speaks of a request or correlation id."""
    code = source_of(middleware.target)
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
    for definition in module.index.nodes(ast.ClassDef):
        if model.is_subclass(
            Class(module, definition), "starlette.middleware.base.BaseHTTPMiddleware"
        ):
            for statement in definition.body:
                if isinstance(statement, FUNCTIONS) and statement.name == "dispatch":
                    yield statement
