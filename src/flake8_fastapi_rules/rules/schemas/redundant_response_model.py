"""FAR503: a `response_model` that repeats the return annotation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import argument_of, fix_of, remove_named_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.framework import RETURN_ANNOTATION_IS_MODEL
from flake8_fastapi_rules.semantics.responses import (
    is_evaluable,
    return_annotation,
    type_key,
)
from flake8_fastapi_rules.semantics.values import Constant


class RedundantResponseModel(Rule):
    """Say once what an operation answers with.

    ## What it does
    Reports a `response_model` that is the same type as the endpoint's return annotation.

    ## Why it matters
    FastAPI takes the return annotation for the response model. What is said twice has to be
    changed twice, and the day it is not, type checker and schema tell different stories.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class Item(BaseModel):
        name: str


    @router.get("/{item_id}", response_model=Item)
    async def read_item(item_id: int) -> Item:
        return Item(name="Lamp")
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter
    from pydantic import BaseModel, Field

    router = APIRouter(prefix="/items", tags=["items"])


    class Item(BaseModel):
        name: str = Field(description="What it is called")


    @router.get("/{item_id}", status_code=200, operation_id="read_item")
    async def read_item(item_id: UUID) -> Item:
        \"\"\"Answer an item.\"\"\"
        return Item(name="Lamp")
    ```

    ## Leaves alone
    Types that differ in any way, or that cannot be told, endpoints below decorators that are not
    known, and annotations that FastAPI cannot evaluate: names that only a type checker or a
    surrounding function knows.

    ## Fix safety
    FastAPI makes the same response model of the annotation. There is no fix where a comment would
    be lost, or where the members of a union stand in another order, which is that of the schema.

    ## Source
    Return annotations as response models: FastAPI 0.89.
    """

    code = "FAR503"
    message = "`response_model` repeats the return annotation; leave it out"
    profiles = ("recommended",)
    fix = "safe"
    scope = "project"
    hints = ("response_model",)

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report a `response_model` that equals the return annotation."""
        model = context.model
        if not context.settings.fastapi_at_least(*RETURN_ANNOTATION_IS_MODEL):
            return
        given = route.arguments.get("response_model")
        annotated = return_annotation(route)
        function = route.function
        if route.kind is not RouteKind.HTTP or given is None or annotated is None:
            return
        if model.resolve(route.module, given) == Constant(None):
            return
        if function is None or route.call is None or not has_own_signature(model, function):
            return
        if function.module.index.is_generator(function.node):
            return
        key = type_key(model, route.module, given)
        if key is None or key != type_key(model, *annotated) or not is_evaluable(*annotated):
            return
        argument = argument_of(route.call, "response_model")
        place = argument if isinstance(argument, ast.keyword) else given
        ordered = type_key(model, route.module, given, ordered=True)
        fix: FixMaker | Unfixable = Unfixable("the schema would name the types in another order")
        if ordered == type_key(model, *annotated, ordered=True):
            fix = partial(self._remove, route.call, context)
        yield self.report(place, fix=fix)

    def _remove(self, call: ast.Call, context: Context) -> Fix:
        edits = remove_named_argument(text_of(context.module), call, "response_model")
        return fix_of("Remove `response_model`", "safe", edits, leads_to=("FAR502",))
