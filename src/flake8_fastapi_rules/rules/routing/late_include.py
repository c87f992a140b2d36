"""FAR214: a router that is filled after it was included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, move_before
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Include
from flake8_fastapi_rules.semantics.graph import IncludeEntry
from flake8_fastapi_rules.semantics.modules import Module

#: Rules that speak of routes only once an app serves them.
_ABOUT_SERVED_ROUTES = (
    "FAR208", "FAR210", "FAR211", "FAR216", "FAR217", "FAR218", "FAR227", "FAR710",
)  # fmt: skip


class LateInclude(Rule):
    """Include the children before the parent.

    ## What it does
    Reports `parent.include_router(child)` behind the place where `parent` itself was included in
    an app or another router. It counts only for FastAPI below 0.137.

    ## Why it matters
    Up to FastAPI 0.136 `include_router` copies the routes that are there at this moment. What the
    parent gets later never reaches the app: its endpoints answer 404.

    ## Example
    ```python
    # far: fastapi=0.136
    from fastapi import APIRouter

    api = APIRouter(prefix="/api")
    shop = APIRouter()
    items = APIRouter()


    @items.get("/items")
    async def list_items() -> list[str]:
        return []


    api.include_router(shop)
    shop.include_router(items)
    ```

    ## Use instead
    ```python
    # far: fastapi=0.136
    from fastapi import APIRouter

    api = APIRouter(prefix="/api")
    shop = APIRouter()
    items = APIRouter(tags=["items"])


    @items.get("/items", status_code=200, operation_id="count_items")
    async def count_items() -> int:
        \"\"\"Count the items.\"\"\"
        return 0


    shop.include_router(items)
    api.include_router(shop)
    ```

    ## Leaves alone
    Projects that need FastAPI 0.137 or later, where included routers stay connected, includes under
    a condition, those of a package that the importer of its router has run before, and those that
    run again, as their function does for each of two apps.

    ## Fix safety
    Moves the include in front of the parent's own when both stand in one block with nothing but
    calls between them. The endpoints appear in the app and its documentation: unsafe.

    ## Source
    FastAPI 0.137 keeps the tree of routers; before, `APIRouter.include_router` copied routes.
    """

    code = "FAR214"
    message = "This router is included too late: its parent was included before and copied"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "unsafe"
    fix_reaches_imported = True
    hints = ("include_router",)

    @on(Include)
    def check(self, include: Include, context: Context) -> Iterator[Report]:
        """Report an include into a router that was copied already."""
        if context.settings.fastapi_at_least(0, 137):
            return
        for parent in _copies(include, context):
            place = context.related(parent.module, parent.node, "the parent is included here")
            yield self.report(include.node, related=[place], fix=partial(_move, include, parent))
            return


def _copies(include: Include, context: Context) -> Iterator[IncludeEntry]:
    """The includes of the parent that came before, and that missed this one."""
    project = context.model.project(context.module)
    for node in project.nodes:
        for entry in node.includes:
            child = entry.child
            if child is None or entry.is_conditional or _is_of_package(include, entry.module):
                continue
            if any(
                isinstance(early, IncludeEntry) and early.node is include.node
                for early in child.entries[: entry.visible]
            ):
                continue  # it came in time, and comes again when its function runs once more
            for late in child.entries[entry.visible :]:
                if (
                    isinstance(late, IncludeEntry)
                    and late.node is include.node
                    and not late.is_conditional
                    and late.child is not None
                    and late.child not in (node, child)  # a cycle, which is FAR215's
                ):
                    yield entry


def _is_of_package(include: Include, importer: Module) -> bool:
    """Whether an include stands in a package that is imported whole before `importer` has it."""
    path = include.module.path
    return (
        path.name == "__init__.py"
        and include.module.index.function_of(include.node) is None
        and path.parent not in importer.path.parents
    )


def _move(include: Include, parent: IncludeEntry) -> Fix:
    if parent.module is not include.module:
        raise Unfixable("the parent is included in another module")
    text = text_of(include.module)
    moved = include.module.index.statement_of(include.node)
    anchor = include.module.index.statement_of(parent.node)
    block = text.block_of(moved) if moved is not None else None
    if block is None or moved is None or moved is anchor or anchor not in block:
        raise Unfixable("the two includes stand in different blocks")
    between = block[block.index(anchor) : block.index(moved)]
    if not between or not all(isinstance(statement, ast.Expr) for statement in between):
        raise Unfixable("what it needs may be defined between the two")
    return fix_of(
        "Include it before its parent",
        "unsafe",
        move_before(text, moved, anchor),
        leads_to=_ABOUT_SERVED_ROUTES,
    )
