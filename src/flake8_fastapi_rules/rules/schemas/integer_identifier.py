"""FAR512: row numbers in answers."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel, Record
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.schemas import is_true, own_fields, schema_uses
from flake8_fastapi_rules.semantics.values import Constant, External


class IntegerIdentifier(Rule):
    """Give out UUIDs as identifiers, not the numbers of rows.

    ## What it does
    Reports `id: int` and `..._id: int` in models that operations answer with.

    ## Why it matters
    Consecutive numbers tell how many there are and how fast they grow, and invite to try the next
    one. Rows that move to another database get other numbers.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class Item(BaseModel):
        id: int


    @router.get("/{name}")
    async def read_item(name: str) -> Item:
        return find(name)
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from pydantic import BaseModel, Field


    class Item(BaseModel):
        id: UUID = Field(description="What to ask for it by")
    ```

    ## Leaves alone
    Models and tables that no operation answers with, and fields of other types.

    ## Source
    The convention of UUIDs outside of the database.
    """

    code = "FAR512"
    message = "Field `{name}` of an answer is a number; expose a UUID"
    profiles = ("strict",)
    scope = "project"

    @on(PydanticModel, Record)
    def check(self, model: PydanticModel | Record, context: Context) -> Iterator[Report]:
        """Report identifiers that are numbers."""
        uses = schema_uses(context.model, context.module)
        if model.node not in uses.answers:
            return
        for each in own_fields(context.model, model.cls):
            if each.name != "id" and not each.name.endswith("_id"):
                continue
            if is_true(context.model, each.module, each.argument("exclude")):
                continue
            parts = [
                part.value
                for part in types_in(context.model, each.module, each.node.annotation)
                if part.value != Constant(None)
            ]
            if parts and all(value == External("builtins.int") for value in parts):
                yield self.report(each.node.target, name=each.name)
