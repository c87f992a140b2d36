"""FAR229: paths with and without a trailing slash in one app."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import RouteKind
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.project import Project, ResolvedRoute


class MixedTrailingSlash(Rule):
    """End all paths of an app alike.

    ## What it does
    Reports the paths of the minority where one app has paths with and without a slash at the end.

    ## Why it matters
    A request for the other form is redirected: one more round trip for each call, a lost body with
    some clients, and `http://` addresses behind proxies that end TLS.

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI

    router = APIRouter()


    @router.get("/rate")
    async def read_rate() -> float:
        return 1.5


    @router.get("/rates/")
    async def read_rates() -> float:
        return 1.5


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/rates", tags=["rates"])


    @router.get("", status_code=200, operation_id="read_rates")
    async def read_rates() -> float:
        \"\"\"Answer the rates.\"\"\"
        return 1.5
    ```

    ## Leaves alone
    `/`, WebSockets, mounts, catch-all paths, functions that serve a path in both forms, and paths
    that cannot be told.

    ## Source
    Starlette's `redirect_slashes`.
    """

    code = "FAR229"
    message = "`{path}` ends {form} a slash, unlike most paths of the app"
    profiles = ("opt-in",)
    scope = "project"

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the routes of a module that are in the minority in some app."""
        project = context.model.project(module)
        found = project.answers.get(MixedTrailingSlash)
        if found is None:
            found = project.answers[MixedTrailingSlash] = tuple(self._minorities(project))
        reported: set[object] = set()
        for route in found:
            place = route.route.path_node
            if route.route.module is module and place is not None and place not in reported:
                reported.add(place)
                path = self._path(route)
                form = "with" if path.endswith("/") else "without"
                yield self.report(place, path=path, form=form)

    def _minorities(self, project: Project) -> Iterator[ResolvedRoute]:
        """The routes that end another way than most of their app."""
        for app in project.apps:
            routes = self._one_form(
                [route for route in project.resolved_routes(app) if self._counts(route)]
            )
            slashed = sum(self._path(route).endswith("/") for route in routes)
            wants_slash = slashed * 2 > len(routes)
            yield from (r for r in routes if self._path(r).endswith("/") is not wants_slash)

    def _one_form(self, routes: list[ResolvedRoute]) -> list[ResolvedRoute]:
        """The routes without those of functions that serve a path with and without the slash."""
        forms: dict[object, set[bool]] = {}

        def key(route: ResolvedRoute) -> object:
            return route.route.endpoint or route, self._path(route).rstrip("/")

        for route in routes:
            forms.setdefault(key(route), set()).add(self._path(route).endswith("/"))
        return [route for route in routes if len(forms[key(route)]) == 1]

    def _path(self, route: ResolvedRoute) -> str:
        return route.local_path or ""

    def _counts(self, route: ResolvedRoute) -> bool:
        path = self._path(route)
        return (
            route.kind is RouteKind.HTTP and path not in {"", "/"} and not path.endswith(":path}")
        )
