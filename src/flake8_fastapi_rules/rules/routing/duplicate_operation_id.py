"""FAR216: two operations of one name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import RouteKind
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.paths import pattern_of
from flake8_fastapi_rules.semantics.project import Project, ResolvedRoute


class DuplicateOperationId(Rule):
    """Give every operation an id of its own.

    ## What it does
    Reports a route whose `operation_id`, given or as FastAPI generates it, or whose `name=` an
    earlier route of the same app has already.

    ## Why it matters
    OpenAPI requires unique ids. FastAPI only warns while it builds the schema, and generators of
    clients then drop one of the two functions or fail. With one name twice, `url_for` always gives
    the path of the first route.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items", operation_id="list")
    async def list_items() -> list[str]:
        return []


    @router.get("/orders", operation_id="list")
    async def list_orders() -> list[str]:
        return []
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(tags=["shop"])


    @router.get("/items", status_code=200, operation_id="count_items")
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0


    @router.get("/orders", status_code=200, operation_id="count_orders")
    async def count_orders() -> int:
        \"\"\"Count the orders.\"\"\"
        return 0
    ```

    ## Leaves alone
    One route with several methods, routes outside of the schema, duplicate routes (FAR210), custom
    id functions, names of one function at several paths, sentences that sockets are named by, apps
    that a test puts together of routes from elsewhere, and what a branch or a run-time value
    decides.

    ## Source
    OpenAPI 3.1, Operation Object; FastAPI's `get_openapi_path` warns of duplicates.
    """

    code = "FAR216"
    message = "Operation id `{name}` is also that of `{earlier}`; give this route its own"
    variants = {
        "name": "Route name `{name}` is also that of `{earlier}`; `url_for` finds only the first",
        "twice": "Operation id `{name}` appears once for each include of this router",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    framework_only = True

    @on(Module, framework_only=True)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the later one of each pair, in the module where it stands."""
        project = context.model.project(module)
        found: dict[Module, list[Report]] | None = project.answers.get(type(self))
        if found is None:
            found = project.answers[type(self)] = self._gathered(project, context)
        yield from found.get(module, ())

    def _gathered(self, project: Project, context: Context) -> dict[Module, list[Report]]:
        """The reports for all modules of a project."""
        found: dict[Module, list[Report]] = {}
        seen: set[ast.AST] = set()
        for app in project.roots:
            is_test = context.settings.is_test_path(str(app.module.path))
            # Routes that came by other branches may be alternatives.
            ids: defaultdict[object, dict[str, ResolvedRoute]] = defaultdict(dict)
            names: defaultdict[object, dict[str, ResolvedRoute]] = defaultdict(dict)
            for route in project.resolved_routes(app):
                if route.conditions is None:
                    continue
                if is_test and not context.settings.is_test_path(str(route.route.module.path)):
                    continue  # what a test puts together is no fault of the routes
                report = self._same_id(route, ids[route.conditions], context) or self._same_name(
                    route, names[route.conditions], context
                )
                node = route.route.node
                if report is not None and node not in seen:
                    seen.add(node)
                    found.setdefault(route.route.module, []).append(report)
        return found

    def _same_id(
        self, route: ResolvedRoute, ids: dict[str, ResolvedRoute], context: Context
    ) -> Report | None:
        name = route.operation_id
        if name is None or route.include_in_schema is not True:
            return None
        earlier = ids.setdefault(name, route)
        if earlier is route or _is_same_route(route, earlier):
            return None
        if earlier.route.node is route.route.node:
            if not route.has_explicit_id:
                return None
            return self.report(route.route.node, "twice", name=_short(name))
        return self._report(route, earlier, None, name, context)

    def _same_name(
        self, route: ResolvedRoute, names: dict[str, ResolvedRoute], context: Context
    ) -> Report | None:
        name = route.name
        if name is None or not route.has_explicit_name:
            return None
        earlier = names.setdefault(name, route)
        if earlier is route or earlier.route.node is route.route.node:
            return None
        endpoint = route.route.endpoint
        if " " in name and RouteKind.HTTP not in (route.kind, earlier.kind):
            return None  # a sentence for whoever reads the code: sockets are in no schema
        if endpoint is not None and endpoint is earlier.route.endpoint:
            return None  # one function at several paths, as without a name
        if _is_same_route(route, earlier) or (
            earlier.router.call is route.router.call and earlier.route.path == route.route.path
        ):
            return None  # one name for the methods of one resource: `url_for` is right for all
        return self._report(route, earlier, "name", name, context)

    def _report(
        self,
        route: ResolvedRoute,
        earlier: ResolvedRoute,
        variant: str | None,
        name: str,
        context: Context,
    ) -> Report:
        place = context.related(earlier.route.module, earlier.route.node, "the first use")
        function = earlier.route.endpoint
        first = getattr(function, "name", None) if earlier.name == name else earlier.name
        return self.report(
            route.route.node,
            variant,
            related=[place],
            name=_short(name),
            earlier=_short(first or "another route"),
        )


def _is_same_route(route: ResolvedRoute, earlier: ResolvedRoute) -> bool:
    """Whether FAR210 speaks of the pair, or it is one function for several methods."""
    if route.kind is not RouteKind.HTTP or earlier.kind is not RouteKind.HTTP:
        return route.kind is not earlier.kind
    shared = set(route.methods or ()) & set(earlier.methods or ())
    return bool(shared) and pattern_of(route.local_path or "") == pattern_of(
        earlier.local_path or ""
    )


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"{name[:19]}..."
