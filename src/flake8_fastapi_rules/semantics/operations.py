"""Operations as a whole: whether the schema shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.facts import RouteKind
from flake8_fastapi_rules.semantics.framework import PLAIN_ROUTES
from flake8_fastapi_rules.semantics.values import Constant

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Route
    from flake8_fastapi_rules.semantics.model import Model


def is_documented_operation(model: Model, route: Route) -> bool:
    """Whether a route is an HTTP operation that, as far as can be told, the schema shows.

    Routes with unknown arguments are not; those hidden by `include_in_schema=False` on the route,
    or on all of the routers and includes around it, neither.
    """
    if route.kind is not RouteKind.HTTP or route.verb in PLAIN_ROUTES:
        return False
    if route.call is None or route.has_unknown_arguments:
        return False
    given = route.arguments.get("include_in_schema")
    if given is not None and model.resolve(route.module, given) != Constant(True):
        return False
    found = model.project(route.module).routes_at(route)
    if found:
        return any(resolved.include_in_schema is True for resolved in found)
    return not _is_on_hidden_router(model, route)


def _is_on_hidden_router(model: Model, route: Route) -> bool:
    """Whether the router, which no app includes here, may keep its operations to itself."""
    given = model.made_with(route.receiver, "include_in_schema")
    return given is not None and model.resolve(*given) != Constant(True)
