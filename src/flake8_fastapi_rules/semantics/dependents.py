"""What depends on a function: the operations that a dependency belongs to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.bound import inherited_dependencies
from flake8_fastapi_rules.semantics.credentials import is_one_time
from flake8_fastapi_rules.semantics.facts import Endpoint, RouteKind
from flake8_fastapi_rules.semantics.operations import names_of
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flake8_fastapi_rules.semantics.facts import Dependency
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module


def serves_operations(
    model: Model, module: Module, function: ast.AST, *, beside_links: bool
) -> bool:
    """Whether a dependency is known to belong to an HTTP operation of the project.

    Parameters:
        module: where the function stands; its own operations count if no app includes them, too.
        function: the function, or the constructor of the class that is depended on.
        beside_links: those do not count that are reached once, by a link that was sent.
    """
    if any(
        route.kind is RouteKind.HTTP
        and not (beside_links and is_one_time(route.path or "", route.name or ""))
        and _has_target(model, route.dependencies, function)
        for route in model.project(module).all_routes
    ):
        return True
    for endpoint in model.facts(module, Endpoint):
        if endpoint.is_websocket or (beside_links and is_one_time(*names_of(endpoint))):
            continue
        own = Function(module, endpoint.node, endpoint.view_class)
        below = list(model.all_dependencies(own)[0])
        for route in endpoint.routes:
            below += inherited_dependencies(model, route) or ()
        if _has_target(model, below, function):
            return True
    return False


def _has_target(model: Model, dependencies: Iterable[Dependency], function: ast.AST) -> bool:
    """Whether one of some dependencies is a function, or a class with it as constructor."""
    called = (each.function or model.callable_of(each.target) for each in dependencies)
    return any(each is not None and each.node is function for each in called)
