"""FAR231: a URL of a route that does not exist."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.paths import names_in
from flake8_fastapi_rules.semantics.per_project import PerProject, modules_mentioning
from flake8_fastapi_rules.semantics.project import Project, ResolvedMount
from flake8_fastapi_rules.semantics.values import External

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_CALLS = frozenset({"url_for", "url_path_for"})
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


class UnknownUrlName(Rule):
    """Ask for URLs of routes that exist.

    ## What it does
    Reports `url_for` and `url_path_for` with a literal name that no route or mount of the project
    has, or with other parameters than the paths of that name have.

    ## Why it matters
    Starlette raises `NoMatchFound` when the line runs: a request that worked yesterday answers 500
    because somebody renamed a function.

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI, Request

    router = APIRouter()


    @router.get("/items/{item_id}")
    async def read_item(item_id: str) -> str:
        return item_id


    @router.get("/")
    async def index(request: Request) -> str:
        return str(request.url_for("get_item", item_id="1"))


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Path, Request

    router = APIRouter(tags=["items"])


    @router.get("/items/{item_id}", status_code=200, operation_id="get_item")
    async def read_item(item_id: Annotated[str, Path(max_length=40)]) -> str:
        \"\"\"Answer an item.\"\"\"
        return item_id


    @router.get("/first", status_code=200, operation_id="get_first")
    async def first(request: Request) -> str:
        \"\"\"Answer where the first item is.\"\"\"
        return str(request.url_for("read_item", item_id="1"))
    ```

    ## Leaves alone
    Names that are no constants, objects that are no request, app or router, and projects with
    routes that cannot be seen: routers of libraries, mounted apps of others, includes and names
    that only run time decides; names inside of a mount (`admin:login`) where a library is given the
    app.

    ## Source
    Starlette's documentation on reverse URL look-ups.
    """

    code = "FAR231"
    message = "No route is called `{name}`; this raises `NoMatchFound`"
    variants = {
        "parameters": "Route `{name}` takes {wanted}; this raises `NoMatchFound`",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("url_for", "url_path_for")

    @on(ast.Call)
    def check(self, node: ast.Call, context: Context) -> Iterator[Report]:
        """Report a call that names a route nobody has."""
        func = node.func
        if not (isinstance(func, ast.Attribute) and func.attr in _CALLS and node.args):
            return
        name = context.model.text(context.module, node.args[0])
        if name is None or not _is_look_up(func, context):
            return
        routes = _routes_by_name(context.model, context.module)
        if routes is None:
            return
        wanted = routes.known.get(name)
        if wanted is None:
            if any(name.startswith(f"{prefix}:") for prefix in routes.closed):
                return
            if ":" not in name or not _is_given_to_library(context.model, context.module):
                yield self.report(node, name=name if len(name) < 40 else "...")
            return
        if any(keyword.arg is None for keyword in node.keywords) or len(node.args) > 1:
            return
        given = frozenset(keyword.arg for keyword in node.keywords if keyword.arg is not None)
        if given not in wanted and frozenset({"*"}) not in wanted:
            names = min((sorted(parameters) for parameters in wanted), key=lambda p: (len(p), p))
            listed = ", ".join(f"`{parameter}`" for parameter in names) or "no parameters"
            yield self.report(
                node,
                "parameters",
                name=name if len(name) < 25 else "...",
                wanted=listed if len(listed) < 25 else f"{len(names)} parameters",
            )


def _is_look_up(func: ast.Attribute, context: Context) -> bool:
    callee = context.resolve(func)
    if not callee and isinstance(func.value, ast.Attribute) and func.value.attr == "app":
        held = context.resolve(func.value.value)  # `request.app`, of which nobody says the type
        return context.model.is_instance(held, "starlette.requests.HTTPConnection")
    return isinstance(callee, External) and any(
        candidate.rpartition(".")[0] in _OWNERS
        for candidate in context.model.resolver.names_of(callee)
    )


@record
class _Names:
    """The names that URLs can be asked for by.

    Parameters:
        known: the parameters of all routes and mounts by name.
        closed: the names of mounts whose routes cannot be seen.
    """

    known: dict[str, set[frozenset[str]]]
    closed: frozenset[str]


def _gather(project: Project) -> _Names | None:
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
    return _Names(known, frozenset(closed))


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


def _is_given_to_library(model: Model, module: Module) -> bool:
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


_routes_by_name = PerProject(
    lambda model, uses: _gather(model.project(uses.modules[0])) if uses.modules else None
)
