"""What commits a request's session around its endpoint: dependencies, decorators, middleware."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.semantics.effects import DATABASE_WORDS
from flake8_fastapi_rules.semantics.facts import Endpoint, Role
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Class, External, Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.effects import Effects

#: Sessions that commit by themselves, or whose middleware may be told to.
_COMMITTING: Final = re.compile(r"autocommit|fastapi_(?:async_)?sqlalchemy", re.IGNORECASE)
#: Decorators that put nothing around a function.
_PLAIN: Final = frozenset({"classmethod", "property", "staticmethod"})
_SCHEME: Final = "fastapi.security.base.SecurityBase"


def may_commit_around(model: Model, endpoint: Endpoint) -> bool:
    """Whether something that runs before or after an endpoint commits, or may do so."""
    module, effects = endpoint.module, model.effects
    function = Function(module, endpoint.node, endpoint.view_class)
    return (
        _COMMITTING.search(module.source.text) is not None
        or any(effects.may_commit_by_route(route) for route in endpoint.routes)
        or any(_is_about_sessions(model, module, each) for each in endpoint.node.decorator_list)
        or _may_commit_around_called(model, function)
        or _may_commit_below(model, function)
        or _may_commit_by_router(model, function)
        or _may_commit_in_middleware(model, module)
    )


def _may_commit_below(model: Model, function: Function) -> bool:
    """Whether a dependency of an endpoint commits, or one cannot be told."""
    below, complete = model.all_dependencies(function)
    if not complete:
        return True
    for dependency in below:
        target = dependency.function or model.callable_of(dependency.target)
        if target is None and isinstance(dependency.target, Class):
            if model.resolver.has_known_bases(dependency.target):
                continue  # nothing but fields
        if target is None and model.is_instance(dependency.target, _SCHEME):
            continue
        if target is None or model.effects.commits(target) is not False:
            return True
    return False


def _may_commit_around_called(model: Model, function: Function) -> bool:
    """Whether a decorator of what an endpoint calls may commit: `@transactional`."""
    seen = {function.node}
    stack = [function]
    while stack:
        for site in model.effects.calls(stack.pop()):
            target = site.target
            if target is None or target.node in seen:
                continue
            seen.add(target.node)
            stack.append(target)
            for decorator in getattr(target.node, "decorator_list", ()):
                is_plain = isinstance(decorator, ast.Name) and decorator.id in _PLAIN
                if not is_plain and _is_about_sessions(model, target.module, decorator):
                    return True
    return False


def _may_commit_by_router(model: Model, function: Function) -> bool:
    """Whether a dependency of a route, a router or the app commits, or one cannot be told."""
    return any(
        not route.dependencies_complete
        or any(
            each.function is not None and model.effects.commit(each.function)
            for each in route.dependencies
        )
        for route in model.project(function.module).routes_of(function)
    )


def _may_commit_in_middleware(model: Model, module: Module) -> bool:
    uses = model.uses(module)
    return any(
        Role.MIDDLEWARE in model.roles(each) and _may_commit(model.effects, each)
        for home in uses.modules
        for each in uses.by_module.get(home, ())
    )


def _is_about_sessions(model: Model, module: Module, decorator: ast.expr) -> bool:
    """Whether a decorator may commit around the endpoint."""
    made = model.resolve(module, decorator.func if isinstance(decorator, ast.Call) else decorator)
    if isinstance(made, External):
        return DATABASE_WORDS.search(made.name) is not None
    node = getattr(made, "node", None)
    home = getattr(made, "module", None)
    if node is None or home is None:
        return DATABASE_WORDS.search(module.source.segment(decorator)) is not None
    return DATABASE_WORDS.search(home.source.segment(node)) is not None


def _may_commit(effects: Effects, middleware: Function) -> bool:
    """Whether a middleware commits, or calls what cannot be told where sessions are spoken of."""
    commits = effects.commits(middleware)
    if commits is not None:
        return commits
    return DATABASE_WORDS.search(middleware.module.source.text) is not None
