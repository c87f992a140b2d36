"""FAR507: one model for what comes in and what goes out."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel, Record
from flake8_fastapi_rules.semantics.schemas import schema_uses


class SharedRequestResponseModel(Rule):
    """Use one model for requests and another for answers.

    ## What it does
    Reports a model (or dataclass, or typed dict) that is both the body of an operation and the
    answer of one.

    ## Why it matters
    What clients send and what they get differ sooner or later: identifiers, timestamps, secrets.
    With one model a field that is meant for answers can be sent, and one that is meant for requests
    leaves the server.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class Item(BaseModel):
        name: str


    @router.post("", status_code=201)
    async def create_item(item: Item) -> Item:
        return item
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class ItemBase(BaseModel):
        name: str = Field(description="What it is called")


    class NewItem(ItemBase):
        pass


    class Item(ItemBase):
        pass
    ```

    ## Leaves alone
    Models inside of other models, and bases that both share.

    ## Source
    FastAPI's documentation on extra models.
    """

    code = "FAR507"
    message = "`{name}` is both request body and answer; use a model for each"
    profiles = ("strict",)
    scope = "project"

    @on(PydanticModel, Record)
    def check(self, model: PydanticModel | Record, context: Context) -> Iterator[Report]:
        """Report models with both uses."""
        uses = schema_uses(context.model, context.module)
        bodies = [use for use in uses.bodies.get(model.node, ()) if not use.is_nested]
        answers = [use for use in uses.responses.get(model.node, ()) if not use.is_nested]
        if bodies and answers:
            related = [
                context.related(bodies[0].module, bodies[0].node, "the body here"),
                context.related(answers[0].module, answers[0].node, "the answer here"),
            ]
            where = context.source.name_range(model.node)
            yield self.report(where, name=model.node.name, related=related)
