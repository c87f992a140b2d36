"""Which dependencies keep strangers out."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.effects import display_name
from flake8_fastapi_rules.semantics.facts import App, Dependency, Middleware, Route
from flake8_fastapi_rules.semantics.framework import ROUTE_DECORATORS
from flake8_fastapi_rules.semantics.libraries import (
    AUTH_DEPENDENCIES,
    OUTER_MIDDLEWARE,
    RATE_LIMIT_DECORATORS,
    RATE_LIMIT_DEPENDENCIES,
    RATE_LIMIT_MIDDLEWARE,
    is_in,
)
from flake8_fastapi_rules.semantics.middlewares import HTTP_ONLY, source_of, stack_of
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.project import AppNode

_SCHEME = "fastapi.security.base.SecurityBase"
_REFUSALS = frozenset({401, 403})
_SOCKET = "starlette.websockets.WebSocket"
_SOCKET_EXCEPTIONS = ("starlette.exceptions.WebSocketException", "fastapi.WebSocketException")


def refuses(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency by itself takes credentials or may answer 401 or 403.

    That is: a scheme of `fastapi.security` (or an object of the project's own subclass), one that
    is asked for with `Security`, or a function that raises such a status.
    """
    if dependency.is_security or model.is_instance(dependency.target, _SCHEME):
        return True
    function = model.callable_of(dependency.target)
    return function is not None and any(
        raised.status in _REFUSALS for raised in model.effects.raises(function)
    )


def turns_sockets_away(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency may end a WebSocket's handshake: it raises for it, or closes it."""
    for each in _with_dependencies(model, dependency):
        function = model.callable_of(each.target)
        if function is not None and (
            _closes_socket(model, function)
            or any(
                model.is_subclass(raised.exception, *_SOCKET_EXCEPTIONS)
                for raised in model.effects.raises(function)
            )
        ):
            return True
    return False


def _closes_socket(model: Model, function: Function) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "close"
        and model.is_instance(model.resolve(function.module, node.func.value), _SOCKET)
        for node in function.module.index.own_nodes(function.node)
    )


def is_security_dependency(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency refuses strangers, itself or through what it depends on."""
    return any(refuses(model, each) for each in _with_dependencies(model, dependency))


def _with_dependencies(model: Model, dependency: Dependency) -> Iterator[Dependency]:
    """A dependency and all that it depends on, each once."""
    seen: set[object] = set()
    stack = [dependency]
    while stack:
        current = stack.pop()
        key: object = current.target or current.node
        if key in seen:
            continue
        seen.add(key)
        yield current
        stack.extend(model.sub_dependencies(current)[0])


def security_dependencies(
    model: Model, dependencies: Iterable[Dependency]
) -> tuple[Dependency, ...]:
    """Those of a route's dependencies that refuse strangers, in order."""
    return tuple(d for d in dependencies if is_security_dependency(model, d))


#: Words in names of what decides who may do something.
_AUTH_WORDS = re.compile(
    r"auth|login|token|jwt|api_?key|permission|current_user|session|security|verify|protect"
    r"|credential|signature|require|guard|acl|principal|identity|user",
    re.IGNORECASE,
)
#: What protects browsers, or describes them, keeps nobody out.
_NO_AUTH_WORDS = re.compile(
    r"(?:secur\w*|user|session|token)_?headers?(?!auth)|user_?agent|content_?security"
    r"|permissions?_?policy",
    re.IGNORECASE,
)
#: Whoever is not logged in gets through these.
_OPTIONAL = re.compile(r"(?i)(?:^|_)(?:optional|maybe|try)_|_(?:or_none|optional|if_any)$")
#: `get_session` and `get_users` sound like log-ins; what they provide tells.
_DATABASE_SESSIONS = (
    "sqlalchemy.orm.Session",
    "sqlalchemy.ext.asyncio.AsyncSession",
    "sqlmodel.Session",
)
_DATA_ACCESS = re.compile(
    r"(?:Repository|Repo|Dao|DAO|Crud|CRUD|Store|UnitOfWork)$"
    r"|^(?!.*(?:Auth|Login|Token|JWT|Jwt|Key|Perm|Secur|Session|Guard|Acl|ACL|Identity|Access))"
    r"\w+Service$"
)
_LIMIT_WORDS = re.compile(r"rate_?limit|limiter|throttl|brute_?force|slow_?down", re.IGNORECASE)


def may_refuse(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency that cannot be looked into may be there to keep strangers out.

    What comes from a library or cannot be told may; the project's own functions and FastAPI's
    forms were looked into.
    """
    if is_security_dependency(model, dependency):
        return True
    target = dependency.target
    name = qualified_name(target) or ""
    if is_in(name, AUTH_DEPENDENCIES):
        return True
    last = name.rpartition(".")[2]
    if isinstance(target, Instance) and dependency.function is not None:
        # `require_admin = Checker("admin")`: the object's name, or its class's
        named = dependency.target_node
        last = f"{(named and _last_name(named)) or ''} {display_name(dependency.function)}"
    if isinstance(target, Function | Class) or dependency.function is not None:
        if _gives_data_access(model, dependency) or _OPTIONAL.search(last):
            return False
        return _AUTH_WORDS.search(last) is not None
    return not name.startswith(("fastapi.", "starlette.", "sqlalchemy.", "sqlmodel."))


def _gives_data_access(model: Model, dependency: Dependency) -> bool:
    """Whether a dependency provides a database session, a repository, a service or the like."""
    value = model.provided(dependency)
    if model.is_instance(value, *_DATABASE_SESSIONS):
        return True
    cls = value.of if isinstance(value, Instance) else None
    return isinstance(cls, Class) and _DATA_ACCESS.search(cls.node.name) is not None


#: Libraries that hand objects of their containers to endpoints.
_CONTAINERS = ("dishka.", "fastapi_injector.", "wireup.", "lagom.", "that_depends.", "modern_di")


def _is_given_user(model: Model, function: Function) -> bool:
    """Whether a container hands a function somebody who is logged in: `FromDishka[CurrentUser]`.

    What makes that object may refuse everybody else.
    """
    arguments = function.node.args
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        home, hint = function.module, each.annotation
        if isinstance(hint, ast.Name | ast.Attribute):  # `CurrentUserDep = FromDishka[CurrentUser]`
            home, hint = model.resolver.written(home, hint) or (home, hint)
        if not isinstance(hint, ast.Subscript):
            continue
        parts = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        if not any(
            isinstance(value, External) and value.name.startswith(_CONTAINERS)
            for part in (hint.value, *parts)
            for value in [model.resolve(home, part.func if isinstance(part, ast.Call) else part)]
        ):
            continue
        name = (_last_name(parts[0]) or "").rpartition(".")[2]
        if _AUTH_WORDS.search(name) and not _DATA_ACCESS.search(name):
            return True
    return False


def checks_access(model: Model, function: Function) -> bool:
    """Whether a function refuses somebody by itself, or calls what looks as if it did.

    So may a decorator: `@auth_required(roles=["admin"])`, and a container that hands it the user.
    """
    if _is_given_user(model, function):
        return True
    for decorator in getattr(function.node, "decorator_list", ()):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = (_last_name(called) or "").rpartition(".")[2]
        if name not in ROUTE_DECORATORS and (
            _AUTH_WORDS.search(name) or _refuses_around(model, function.module, called)
        ):
            return True
    if any(raised.status in _REFUSALS for raised in model.effects.raises(function)):
        return True
    text = function.module.source.segment(function.node)
    if re.search(r"\b40[13]\b|UNAUTHORIZED|FORBIDDEN|(?i:authorization|api_?key)", text):
        return True
    return any(
        _AUTH_WORDS.search(_last_name(node.func) or "")
        for node in function.module.index.own_nodes(function.node)
        if isinstance(node, ast.Call)
        and re.search("(?i)check|verify|require|auth", _last_name(node.func) or "")
    )


def _refuses_around(model: Model, module: Module, decorator: ast.expr) -> bool:
    """Whether the wrapper that a decorator of the project makes refuses some of the callers.

    `@role_checker("admin")`, whatever it is called.
    """
    made = model.resolve(module, decorator)
    if isinstance(made, Class):
        made = model.resolver.attribute(Instance(made), "__call__")
    if not isinstance(made, Function):
        return False
    inside = made.module.index.nodes_in
    wrappers: list[FunctionNode] = [
        *inside(made.node, ast.FunctionDef), *inside(made.node, ast.AsyncFunctionDef)
    ]  # fmt: skip
    return any(
        raised.status in _REFUSALS
        for wrapper in wrappers
        for raised in model.effects.raises(Function(made.module, wrapper))
    )


def has_auth_middleware(
    model: Model, module: Module, routes: Iterable[Route], *, of_sockets: bool = False
) -> bool:
    """Whether some middleware of the apps that serve routes may keep strangers out.

    Parameters:
        module: where the routes are; all middleware of its project counts where it can't be told
            which app serves them, or one is mounted in another.
        of_sockets: only what sees WebSockets, too; HTTP middleware does not.
    """
    project = model.project(module)
    apps = {resolved.app for route in routes for resolved in project.routes_at(route)}
    for middleware in _middlewares_of(model, module, apps):
        if of_sockets and (
            middleware.style == "decorator" or model.is_subclass(middleware.target, HTTP_ONLY)
        ):
            continue
        if _is_auth_middleware(model, middleware.target):
            return True
    return False


def _middlewares_of(
    model: Model, module: Module, apps: Collection[AppNode]
) -> Iterator[Middleware]:
    facts = [app.node.fact for app in apps if not app.is_mounted]
    if len(facts) == len(apps) > 0 and all(isinstance(fact, App) for fact in facts):
        for fact in facts:
            if isinstance(fact, App):
                yield from stack_of(model, fact).middlewares
        return
    for other in model.uses(module).modules:
        yield from model.local(other, Middleware)


def _is_auth_middleware(model: Model, target: Value) -> bool:
    name = (qualified_name(target) or "").rpartition(".")[2]
    if isinstance(target, External):
        if target.name in OUTER_MIDDLEWARE:
            return False
        return not target.name.startswith(("starlette.", "fastapi.")) or "auth" in name.lower()
    code = source_of(target)
    if code is None:
        return True
    text = code[0].source.segment(code[1])
    return re.search(r"\b40[13]\b|UNAUTHORIZED|FORBIDDEN", text) is not None or (
        _AUTH_WORDS.search(_NO_AUTH_WORDS.sub("", name)) is not None
    )


def is_rate_limited(
    model: Model, module: Module, function: FunctionNode, dependencies: Iterable[Dependency]
) -> bool:
    """Whether a decorator, a dependency or some middleware of the project limits the rate."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        value = model.resolve(module, called)
        if isinstance(value, External) and is_in(value.name, RATE_LIMIT_DECORATORS):
            return True
        if _LIMIT_WORDS.search(ast.unparse(called)):
            return True
    for dependency in dependencies:
        name = qualified_name(dependency.target) or ""
        if is_in(name, RATE_LIMIT_DEPENDENCIES) or _LIMIT_WORDS.search(name):
            return True
        if dependency.target_node is not None and _LIMIT_WORDS.search(
            ast.unparse(dependency.target_node)
        ):
            return True
        target = dependency.target
        if isinstance(target, Function) and (
            _LIMIT_WORDS.search(display_name(target)) or _calls_limiter(target.module, target.node)
        ):
            return True
    for other in model.uses(module).modules:
        for middleware in model.local(other, Middleware):
            name = qualified_name(middleware.target) or ""
            if not name or name in RATE_LIMIT_MIDDLEWARE or _LIMIT_WORDS.search(name):
                return True
    return _calls_limiter(module, function)


def _calls_limiter(module: Module, function: FunctionNode | ast.Lambda) -> bool:
    """Whether the body of a function asks a limiter."""
    return any(
        _LIMIT_WORDS.search(_last_name(node.func) or "")
        for node in module.index.own_nodes(function)
        if isinstance(node, ast.Call)
    )


def _last_name(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=attr):
            return f"{_last_name(inner) or ''}.{attr}"
        case _:
            return None
