"""What stands in front of a route's path: the prefixes of its router, and of includes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.semantics.facts import App, Include, Route, Router
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.values import Class, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model


def router_prefix(model: Model, route: Route) -> str | None:
    """The prefix of the route's own router, empty for an app; `None` when it cannot be told."""
    receiver = route.receiver
    if model.is_instance(receiver, "fastapi.FastAPI"):
        return ""
    if not isinstance(receiver, Instance) or receiver.module is None:
        return None
    for router in model.local(receiver.module, Router):
        if router.node is receiver.call:
            if given := model.made_with(receiver, "prefix"):
                return model.text(*given)
            return "" if model.is_made_without(receiver, "prefix") else None
    return None


def is_prefixed(model: Model, route: Route) -> bool:
    """Whether some app is known to serve a route with anything in front of its path."""
    return any(
        resolved.local_path is not None and resolved.local_path != route.path
        for resolved in model.project(route.module).routes_at(route)
    )


def keeps_prefix(model: Model, router: App, given: ast.expr) -> bool:
    """Whether a router certainly has the prefix that it is given, as `fastapi_crudrouter`'s do not.

    Parameters:
        given: the argument.
    """
    _, reached = model.made_with(router.value, "prefix") or (None, None)
    is_own = isinstance(router.cls, Class) or router.cls.name.startswith("fastapi.")
    return reached is given and is_own


def empty_route(model: Model, include: Include) -> Route | None:
    """A route of an included router that has an empty path there, without a prefix of the router's.

    Returns:
        The first such route, `None` where there is none or the router is not known.
    """
    child = include.child
    if not isinstance(child, Instance) or child.module is None or child.call is None:
        return None
    routes: tuple[Route, ...] = model.local(child.module, Route)
    for route in routes:
        if (
            route.path == ""
            and isinstance(route.receiver, Instance)
            and route.receiver.call is child.call
            and router_prefix(model, route) == ""
        ):
            return route
    return None


def is_for_webhooks(model: Model, route: Route) -> bool:
    """Whether a route's router is one of webhooks: `app.webhooks.include_router(router)`."""
    return any(
        "webhooks" in ast.unparse(include.node.func)
        and model.resolve(module, argument(include.node, "router", 0)) == route.receiver
        for module in modules_mentioning(model, route.module, "webhooks.include_router")
        for include in model.local(module, Include)
    )
