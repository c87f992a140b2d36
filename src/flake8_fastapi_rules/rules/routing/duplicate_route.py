"""FAR210: two routes for the same requests."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.conflicts import Conflict, conflicts
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.project import ResolvedMount, ResolvedRoute


class DuplicateRoute(Rule):
    """Declare each method and path once.

    ## What it does
    Reports a route whose method and path pattern an earlier route of the same app has already;
    names of path parameters make no difference. Routers are followed through all their includes,
    also across files. A router that is included twice at the same path is reported once, at the
    second include.

    ## Why it matters
    The first route answers every request. The second is never called, however often it is edited,
    and yet the documentation shows only one of the two.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items/{item_id}")
    async def read_item(item_id: str) -> str:
        return item_id


    @router.get("/items/{key}")
    async def find_item(key: str) -> str:
        return key.upper()
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Path

    router = APIRouter(prefix="/items", tags=["items"])
    Key = Annotated[str, Path(max_length=40)]


    @router.get("/{item_id}", status_code=200, operation_id="get_item")
    async def read_item(item_id: Key) -> str:
        \"\"\"Answer an item.\"\"\"
        return item_id


    @router.get("/by-key/{key}", status_code=200, operation_id="find_item")
    async def find_item(key: Key) -> str:
        \"\"\"Answer the item with a key.\"\"\"
        return key.upper()
    ```

    ## Leaves alone
    Routes of different apps, HTTP beside WebSocket routes, and routes that a branch or a run-time
    value decides about.

    ## Source
    Starlette's router takes the first route that matches; FastAPI says nothing about the second.
    """

    code = "FAR210"
    message = "`{method} {path}` is served by `{earlier}` already; this route is never reached"
    variants = {"included": "This router is included twice at the same path; include it once"}
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    framework_only = True

    @on(Module, framework_only=True)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the later one of each pair, in the module where it stands."""
        project = context.model.project(module)
        seen: set[object] = set()
        for conflict in conflicts(project, module):
            if conflict.kind == "duplicate" and isinstance(conflict.earlier, ResolvedRoute):
                yield from self._report(conflict, conflict.earlier, module, context, seen)

    def _report(
        self,
        conflict: Conflict,
        earlier: ResolvedRoute,
        module: Module,
        context: Context,
        seen: set[object],
    ) -> Iterator[Report]:
        route = conflict.route
        if route.route.node is earlier.route.node:
            # The same registration twice: its router was included twice.
            pairs = zip(route.includes, earlier.includes, strict=False)
            second = next((a for a, b in pairs if a.node is not b.node), None)
            if second is not None and second.module is module and second.node not in seen:
                seen.add(second.node)
                yield self.report(second.node, "included")
            return
        if route.route.module is not module or route.route.node in seen:
            return
        seen.add(route.route.node)
        place = context.related(earlier.route.module, earlier.route.node, "the route that answers")
        yield self.report(
            route.route.node,
            related=[place],
            method=conflict.methods[0] if len(conflict.methods) == 1 else "*",
            path=shortened(route.local_path or ""),
            earlier=named(earlier),
        )


def shortened(path: str) -> str:
    """A path that fits into a message."""
    return path if len(path) <= 30 else f"...{path[-27:]}"


def named(subject: ResolvedRoute | ResolvedMount) -> str:
    """The endpoint of a route, or the path of a mount, for a message."""
    name = subject.local_path or "/" if isinstance(subject, ResolvedMount) else subject.name
    text = name or "another route"
    return text if len(text) <= 24 else f"{text[:21]}..."
