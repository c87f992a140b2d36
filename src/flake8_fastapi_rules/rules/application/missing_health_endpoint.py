"""FAR119: an app that cannot be asked whether it is up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.paths import is_health_path
from flake8_fastapi_rules.semantics.project import ResolvedRoute

_CHECK = re.compile(r"(?:get_|read_)?health(?:z|[-_]?checks?|[-_]?status)?")


class MissingHealthEndpoint(Rule):
    """Give every app a health endpoint.

    ## What it does
    Reports an app with endpoints of which none has a health path (`/health`, `/ready`, `/ping`,
    ... with any prefix; `health-paths` sets them).

    ## Why it matters
    Load balancers and orchestrators decide by it whether an instance gets requests or is replaced.
    Without one they can only see whether the port is open.

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI

    router = APIRouter()


    @router.get("/items")
    async def list_items() -> list[str]:
        return []


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=200, operation_id="count_items")
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0


    @router.get("/health", status_code=200, operation_id="health")
    async def health() -> str:
        \"\"\"Answer that the service is up.\"\"\"
        return "ok"
    ```

    ## Leaves alone
    Apps that mount something at such a path, apps without endpoints, apps mounted on others, apps
    given to a library's function, those with a path such as `/health-check` or a function such as
    `healthcheck` at `/`, and apps with routers or paths that cannot be resolved.

    ## Source
    The conventions of Kubernetes probes and of load balancers.
    """

    code = "FAR119"
    message = "App `{name}` has no health endpoint such as `/health`"
    variants = {"unnamed": "This app has no health endpoint such as `/health`"}
    profiles = ("strict",)
    scope = "project"

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report an app none of whose routes tells its health."""
        project = context.model.project(context.module)
        for found in project.apps:
            if found.call is not app.node or found.is_mounted or found.node.is_handed_out:
                continue
            routes = project.resolved_routes(found)
            if not routes or not project.is_complete(found):
                continue
            if any(node.is_opaque for node in project.reached(found)):
                continue
            mounts = project.resolved_mounts(found)
            mounted = [
                route
                for mount in mounts
                if mount.child is not None
                for route in project.resolved_routes(mount.child)
            ]
            served = [route for route in (*routes, *mounted) if route.methods != ()]
            paths = [route.local_path for route in served]
            if None in paths:
                continue
            paths += [mount.local_path for mount in mounts]
            if any(is_health_path(path, context.settings.health_paths) for path in paths):
                continue
            if any(_is_like_one(route) for route in served):
                continue
            name = app.short_name(40)
            yield self.report(app.node, None if name else "unnamed", name=name)
            return


def _is_like_one(route: ResolvedRoute) -> bool:
    """Whether a route says by another spelling, or at `/` by its name, that it is for checks."""
    path = (route.local_path or "").rstrip("/")
    return bool(_CHECK.fullmatch((path.rpartition("/")[2] if path else route.name or "").lower()))
