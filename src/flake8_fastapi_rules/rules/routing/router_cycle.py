"""FAR215: routers that contain themselves."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.modules import Module


class RouterCycle(Rule):
    """Do not include a router in itself.

    ## What it does
    Reports the `include_router` that closes a circle: a router that includes itself, or routers
    that include each other, also across files.

    ## Why it matters
    From FastAPI 0.137 the call fails when the module is imported. Before, the second include
    copied some of the routes of the first, so that paths such as `/a/b/a/x` appeared.

    ## Example
    ```python
    from fastapi import APIRouter

    shop = APIRouter(prefix="/shop")
    items = APIRouter(prefix="/items")

    shop.include_router(items)
    items.include_router(shop)
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    shop = APIRouter(prefix="/shop")
    items = APIRouter(prefix="/items")

    shop.include_router(items)
    ```

    ## Leaves alone
    Includes under a condition, and one router included by several others.

    ## Source
    `APIRouter.include_router` asserts this since FastAPI 0.137.
    """

    code = "FAR215"
    message = "This include closes a circle of routers; the routers would contain themselves"
    variants = {"self": "The router is included in itself"}
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("include_router",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the include of each circle that comes last."""
        for cycle in context.model.project(module).cycles:
            if any(entry.is_conditional for entry in cycle):
                continue
            last = cycle[-1]
            if last.module is module:
                places = [
                    context.related(entry.module, entry.node, "a part of the circle")
                    for entry in cycle[:-1]
                ]
                variant = "self" if len(cycle) == 1 else None
                yield self.report(last.node, variant, related=places)
