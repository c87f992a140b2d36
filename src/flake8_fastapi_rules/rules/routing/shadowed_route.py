"""FAR211: a route that another one in front of it always beats."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import fix_of, move_before
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.rules.routing.duplicate_route import named, shortened
from flake8_fastapi_rules.semantics.conflicts import Conflict, conflicts
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.project import ResolvedMount, ResolvedRoute


class ShadowedRoute(Rule):
    """Put the special path in front of the general one.

    ## What it does
    Reports a route that can never be chosen, because earlier routes or mounts of the same app
    match every path that it matches. Converters count: `/items/{item_id:int}` does not hide
    `/items/latest`. The order is that of the app, across routers and files.

    ## Why it matters
    The first match wins. `/users/me` behind `/users/{user_id}` asks the database for a user called
    "me", or answers 422 because "me" is no number.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/users/{user_id}")
    async def read_user(user_id: str) -> str:
        return user_id


    @router.get("/users/me")
    async def read_myself() -> str:
        return "me"
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Path

    router = APIRouter(prefix="/users", tags=["users"])


    @router.get("/me", status_code=200, operation_id="get_myself")
    async def read_myself() -> str:
        \"\"\"Answer who asks.\"\"\"
        return "me"


    @router.get("/{user_id}", status_code=200, operation_id="get_user")
    async def read_user(user_id: Annotated[str, Path(max_length=40)]) -> str:
        \"\"\"Answer a user.\"\"\"
        return user_id
    ```

    ## Leaves alone
    Equal patterns (FAR210), routes of which some paths or methods are still reached, or whose own
    function answers, under its other path, converters of your own, and what a branch or a run-time
    value decides.

    ## Fix safety
    Moves the function in front of the one that hides it, when both stand in one module and nothing
    but functions stands between them. Requests then reach another function than before: unsafe.

    ## Source
    FastAPI's tutorial on path parameters, "Order matters"; Starlette's router and converters.
    """

    code = "FAR211"
    message = "`{path}` is never reached: `{earlier}` in front of it matches the same paths"
    variants = {"mount": "`{path}` is never reached: the mount at `{earlier}` comes before it"}
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "unsafe"
    framework_only = True

    @on(Module, framework_only=True)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the routes of this module that are hidden in some app."""
        project = context.model.project(module)
        seen: set[ast.AST] = set()
        for conflict in conflicts(project, module):
            fact = conflict.route.route
            if fact.module is not module or fact.node in seen:
                continue
            earlier = conflict.earlier
            if isinstance(earlier, ResolvedRoute) and (
                earlier.route.node is fact.node
                or (fact.endpoint is not None and earlier.route.endpoint is fact.endpoint)
            ):
                continue  # the same function answers
            if conflict.kind == "shadowed" or isinstance(earlier, ResolvedMount):
                seen.add(fact.node)
                yield self._report(conflict, context)

    def _report(self, conflict: Conflict, context: Context) -> Report:
        route, earlier = conflict.route, conflict.earlier
        path = shortened(route.local_path or "")
        if isinstance(earlier, ResolvedMount):
            place = context.related(earlier.module, earlier.node, "the mount that answers")
            return self.report(
                route.route.node,
                "mount",
                related=[place],
                fix=Unfixable("a mount hides it"),
                path=path,
                earlier=named(earlier) or "/",
            )
        place = context.related(earlier.route.module, earlier.route.node, "the route that answers")
        return self.report(
            route.route.node,
            related=[place],
            fix=lambda: _move(route, earlier),
            path=path,
            earlier=named(earlier),
        )


def _move(route: ResolvedRoute, earlier: ResolvedRoute) -> Fix:
    """Put the hidden function in front of the one that hides it."""
    module = route.route.module
    if earlier.route.module is not module or route.router is not earlier.router:
        raise Unfixable("the other route is on another router")
    moved, anchor = route.route.endpoint, earlier.route.endpoint
    if not isinstance(moved, FUNCTIONS) or not isinstance(anchor, FUNCTIONS):
        raise Unfixable("one of the two is no function")
    if route.route.node not in moved.decorator_list or len(moved.decorator_list) != 1:
        raise Unfixable("the function has other decorators")
    text = text_of(module)
    block = text.block_of(moved)
    if block is None or anchor not in block:
        raise Unfixable("the two stand in different blocks")
    between = block[block.index(anchor) : block.index(moved)]
    if not between or not all(isinstance(statement, FUNCTIONS) for statement in between):
        raise Unfixable("what it needs may be defined between the two")
    blank = 2 if isinstance(module.index.parents.get(moved), ast.Module) else 1
    return fix_of(
        f"Move `{moved.name}` in front of `{anchor.name}`",
        "unsafe",
        move_before(text, moved, anchor, blank=blank),
    )
