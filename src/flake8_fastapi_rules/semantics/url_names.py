"""The names that `url_for` and `url_path_for` know: those of all routes and mounts of a project."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.semantics.paths import names_in
from flake8_fastapi_rules.semantics.per_project import PerProject, modules_mentioning
from flake8_fastapi_rules.semantics.project import Project, ResolvedMount
from flake8_fastapi_rules.semantics.values import External

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_OWNERS = (
    "starlette.requests.Request",
    "fastapi.Request",
    "starlette.requests.HTTPConnection",
    "starlette.websockets.WebSocket",
    "fastapi.WebSocket",
    "fastapi.FastAPI",
    "fastapi.APIRouter",
    "starlette.applications.Starlette",
)
_APPS = ("fastapi.FastAPI", "starlette.applications.Starlette")
#: Libraries of which it is known that they mount nothing on an app, or what they do.
_KNOWN = ("builtins.", "fastapi.", "starlette.", "uvicorn.")
#: Routes that FastAPI adds by itself.
_BUILT_IN: dict[str, set[frozenset[str]]] = {
    name: {frozenset()}
    for name in ("openapi", "swagger_ui_html", "swagger_ui_redirect", "redoc_html")
}
#: How deep mounts are followed.
_DEPTH = 3


@record
class UrlNames:
    """The names that URLs can be asked for by.

    Parameters:
        known: the parameters of all routes and mounts by name; `{"*"}` for any.
        closed: the names of mounts whose routes cannot be seen.
    """

    known: dict[str, set[frozenset[str]]]
    closed: frozenset[str]


def url_names(model: Model, module: Module) -> UrlNames | None:
    """The names of all routes of a module's project; `None` when some cannot be seen."""
    return _url_names(model, module)


def is_url_look_up(model: Model, module: Module, func: ast.Attribute) -> bool:
    """Whether a method is one of a request, an app or a router, rather than of something else."""
    callee = model.resolve(module, func)
    if not callee and isinstance(func.value, ast.Attribute) and func.value.attr == "app":
        held = model.resolve(module, func.value.value)  # `request.app`, whose type nobody says
        return model.is_instance(held, "starlette.requests.HTTPConnection")
    return isinstance(callee, External) and any(
        candidate.rpartition(".")[0] in _OWNERS for candidate in model.resolver.names_of(callee)
    )


def is_app_given_to_library(model: Model, module: Module) -> bool:
    """Whether a library gets an app that it may mount something on: `Admin(app, engine)`."""
    for other in modules_mentioning(model, module, "(app"):
        for call in other.index.nodes(ast.Call):
            first = call.args[0] if call.args else None
            if not isinstance(first, ast.Name) or not model.is_instance(
                model.resolve(other, first), *_APPS
            ):
                continue
            callee = model.resolve(other, call.func)
            if isinstance(callee, External) and not callee.name.startswith(_KNOWN):
                return True
    return False


def _gather(project: Project) -> UrlNames | None:
    """The names of all routes; `None` when some cannot be seen."""
    known = {name: set(parameters) for name, parameters in _BUILT_IN.items()}
    closed: set[str] = set()
    if not project.apps or not project.every_include_resolved:
        return None
    if any(node.is_opaque or node.is_open or node.is_handed_out for node in project.nodes):
        return None
    for app in project.roots:
        for route in project.resolved_routes(app):
            if route.name is None or route.local_path is None:
                return None
            known.setdefault(route.name, set()).add(frozenset(names_in(route.local_path)))
        for mount in project.resolved_mounts(app):
            if mount.name is None and mount.child is None and not _serves_files(project, mount):
                return None  # its routes have names of their own
            if isinstance(mount.name, str):
                known.setdefault(mount.name, set()).add(frozenset({"*"}))
                for inner, parameters in _below(project, mount, _DEPTH):
                    if inner is None:
                        closed.add(mount.name)
                    else:
                        known.setdefault(inner, set()).add(parameters)
            elif mount.name is not None:
                return None
    return UrlNames(known, frozenset(closed))


def _serves_files(project: Project, mount: ResolvedMount) -> bool:
    """Whether files are mounted, which have no routes."""
    fact = mount.mount
    return fact is not None and project.model.is_instance(
        fact.child, "starlette.staticfiles.StaticFiles"
    )


def _below(
    project: Project, mount: ResolvedMount, depth: int
) -> Iterator[tuple[str | None, frozenset[str]]]:
    """The names of a mounted app's routes as the outer app knows them: `"admin:read_user"`.

    And `None` when there may be others. A parameter of the mount's own path may be left out:
    Starlette keeps its braces then.
    """
    own = frozenset(names_in(mount.local_path or ""))
    if mount.child is None or not depth:
        yield None, own
        return
    for built_in in _BUILT_IN:
        yield f"{mount.name}:{built_in}", own
    for route in project.resolved_routes(mount.child):
        if route.local_path is not None:
            named = frozenset(names_in(route.local_path))
            yield f"{mount.name}:{route.name}", named
            yield f"{mount.name}:{route.name}", own | named
    for inner in project.resolved_mounts(mount.child):
        if not isinstance(inner.name, str):
            yield None, own
            continue
        yield f"{mount.name}:{inner.name}", frozenset({"*"})
        for below, parameters in _below(project, inner, depth - 1):
            yield below and f"{mount.name}:{below}", parameters
            yield below and f"{mount.name}:{below}", own | parameters


_url_names = PerProject(
    lambda model, uses: _gather(model.project(uses.modules[0])) if uses.modules else None
)
