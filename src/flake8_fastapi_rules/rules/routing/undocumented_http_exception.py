"""FAR227: a status that is raised but not documented."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.effects import Raised
from flake8_fastapi_rules.semantics.facts import Dependency, Route, RouteKind
from flake8_fastapi_rules.semantics.graph import Options
from flake8_fastapi_rules.semantics.values import Function, Unknown


class UndocumentedHttpException(Rule):
    """Document the error statuses of an operation.

    ## What it does
    Reports a path operation that raises an `HTTPException`, or an exception of the project with a
    status code, itself, in a function that it calls or in a dependency, where `responses` of the
    route, its routers, includes and app do not name the status.

    ## Why it matters
    The OpenAPI schema is the contract. A generated client knows no more than it says: an error
    that is not documented has no type, and whoever integrates the service learns of it in
    production.

    ## Example
    ```python
    from uuid import UUID

    from fastapi import APIRouter, HTTPException

    router = APIRouter()


    @router.get("/items/{item_id}")
    async def item(item_id: UUID) -> str:
        if item_id.int == 0:
            raise HTTPException(status_code=404, detail="No such item")
        return item_id.hex
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter, HTTPException

    router = APIRouter()


    @router.get(
        "/items/{item_id}",
        status_code=200,
        operation_id="get_item",
        tags=["items"],
        responses={404: {"description": "There is no such item"}},
    )
    async def item(item_id: UUID) -> str:
        \"\"\"Answer an item.\"\"\"
        if item_id.int == 0:
            raise HTTPException(status_code=404, detail="No such item")
        return item_id.hex
    ```

    ## Leaves alone
    422, which FastAPI documents, ranges such as `4XX` and `default` where they are documented,
    exceptions that are caught on the way, operations that are not in the schema, WebSockets, and
    operations whose `responses` cannot be read.

    ## Source
    FastAPI's documentation on additional responses in OpenAPI.
    """

    code = "FAR227"
    message = "Status {statuses} of `{name}` is raised but not in `responses`"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report a route whose statuses are not all documented."""
        function = route.function
        if function is None or route.kind is not RouteKind.HTTP:
            return
        documented = self._documented(route, context)
        if documented is None:
            return
        model = context.model
        raised: list[Raised] = list(model.effects.raises(function))
        for target in self._dependencies(route, context):
            raised += model.effects.raises(target)
        missing: dict[int, Raised] = {}
        is_test = context.settings.is_test_path
        for one in raised:
            status = one.status
            if is_test(str(one.module.path)) and not is_test(context.path):
                continue  # an override, or a subclass that only tests have
            if status is not None and status != 422 and status >= 400:
                if not _is_documented(status, documented):
                    missing.setdefault(status, one)
        if missing:
            yield self.report(
                route.node,
                statuses=", ".join(map(str, sorted(missing))),
                name=getattr(function.node, "name", "lambda"),
                related=[
                    context.related(one.module, one.node, f"{status} is raised here")
                    for status, one in sorted(missing.items())
                ],
            )

    def _dependencies(self, route: Route, context: Context) -> Iterator[Function]:
        """The functions of all dependencies that run before the endpoint, each once."""
        project = context.model.project(context.module)
        found: list[Dependency] = []
        for one in project.routes_at(route):
            found += one.dependencies
        if route.function is not None:
            found += context.model.all_dependencies(route.function)[0]
        for options in self._options(route, context):
            if not isinstance(options.dependencies, Unknown):
                found += options.dependencies
        seen: set[object] = set()
        for dependency in found:
            target = context.model.callable_of(dependency.target)
            if target is not None and target.node not in seen:
                seen.add(target.node)
                yield target

    def _documented(self, route: Route, context: Context) -> set[int | str] | None:
        """What `responses` name for a route; `None` if it is hidden or cannot be told."""
        documented: set[int | str] = set()
        resolved = context.model.project(context.module).routes_at(route)
        for one in resolved:
            if one.responses is None or one.include_in_schema is not True:
                return None
            documented.update(one.responses)
        if resolved:
            return documented
        options = list(self._options(route, context))
        for option in options:
            if isinstance(option.responses, Unknown) or option.include_in_schema is not True:
                return None
            documented.update(option.responses)
        return documented if options else None

    def _options(self, route: Route, context: Context) -> Iterator[Options]:
        """What the router and the route itself say, without the apps that include them."""
        for node in context.model.project(context.module).nodes_of(route.receiver):
            for entry in node.routes_by(route.node):
                yield entry.options


def _is_documented(status: int, documented: set[int | str]) -> bool:
    texts = {str(name).upper() for name in documented}
    return not texts.isdisjoint({str(status), f"{status // 100}XX", "DEFAULT"})
