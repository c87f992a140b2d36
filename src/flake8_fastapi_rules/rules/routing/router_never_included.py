"""FAR213: endpoints that no app serves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Router
from flake8_fastapi_rules.semantics.graph import RouterNode
from flake8_fastapi_rules.semantics.project import AppNode, Project

#: An include that was taken back and kept for later.
_COMMENTED = re.compile(r"#[^\n]*\binclude_router\(\s*([\w.]+)")


class RouterNeverIncluded(Rule):
    """Include every router.

    ## What it does
    Reports an `APIRouter` in a module variable that has routes, while no app of the project
    includes it, directly or through other routers. It speaks up only where the project builds an
    app that belongs to the same package and where every `include_router` is understood.

    ## Why it matters
    A forgotten `include_router` gives no error. The endpoints look finished, their unit tests that
    call the functions pass, and every request gets 404.

    ## Example
    ```python title="shop/items.py"
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items")
    async def list_items() -> list[str]:
        return []
    ```
    ```python title="shop/main.py"
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        return FastAPI()
    ```

    ## Use instead
    ```python title="shop/items.py"
    from fastapi import APIRouter

    router = APIRouter(tags=["items"])


    @router.get("/items", status_code=200, operation_id="count_items")
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0
    ```
    ```python title="shop/main.py"
    from fastapi import FastAPI

    from shop.items import router


    def add_routes(app: FastAPI) -> None:
        app.include_router(router)
    ```

    ## Leaves alone
    Routers that functions make, that are handed to a library, or that are included under a
    condition or in a comment; projects with an include that cannot be resolved; libraries without
    an app.

    ## Source
    FastAPI's documentation on bigger applications.
    """

    code = "FAR213"
    message = "No app includes router `{name}`; {count} with 404"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("Router",)

    @on(Router)
    def check(self, router: Router, context: Context) -> Iterator[Report]:
        """Report a router that no app reaches."""
        if router.function is not None or not router.names:
            return
        project = context.model.project(context.module)
        nodes = project.nodes_of(router.value)
        unreached = [node for node in project.unreached_routers() if node in nodes]
        if not unreached or not project.every_include_resolved:
            return
        if _is_left_out(project, router):
            return
        if any(_is_in_reach(project, app, node) for app in project.apps for node in unreached):
            count = len(unreached[0].routes)
            name = router.names[0]
            yield self.report(
                router.node,
                name=name if len(name) < 30 else "...",
                count=f"its {count} routes answer" if count > 1 else "its route answers",
            )


def _is_left_out(project: Project, router: Router) -> bool:
    """Whether the include stands in a comment: `# app.include_router(admin.router)`."""
    last = router.module.name.rpartition(".")[2]
    names = {*router.names, *(f"{last}.{name}" for name in router.names)} - {"router"}
    return any(
        included in names or included.rpartition(".")[0].endswith(f".{last}")
        for module in project.modules
        if "include_router" in module.source.text
        for included in _COMMENTED.findall(module.source.text)
    )


def _is_in_reach(project: Project, app: AppNode, node: RouterNode) -> bool:
    """Whether an app is one that could be expected to include a router: of its own package."""
    if app.node.in_test and not node.in_test:
        return False
    package = node.module.name.partition(".")[0]
    return app.module.name.partition(".")[0] == package or any(
        entry.child is not None and entry.child.module.name.partition(".")[0] == package
        for entry in app.node.includes
    )
