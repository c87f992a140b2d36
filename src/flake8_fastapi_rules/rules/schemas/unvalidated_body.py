"""FAR505: request bodies that nothing validates."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.unvalidated_bodies import unvalidated_bodies


class UnvalidatedBody(Rule):
    """Take a request body as a model that validates it.

    ## What it does
    Reports a body that an endpoint reads by `await request.json()` (or `json.loads` of
    `request.body()`), and body parameters of type `dict`, `dict[str, Any]` or `Any`.

    ## Why it matters
    Nothing checks such a body. A missing key is a `KeyError` and status 500 instead of 422, wrong
    types wander on into the database, and the schema does not tell clients what to send.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.post("", status_code=201)
    async def create_item(item: dict) -> str:
        return item["name"]
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class NewItem(BaseModel):
        \"\"\"What a client sends to create an item.\"\"\"

        name: str = Field(description="What it is called")


    def name_of(item: NewItem) -> str:
        return item.name
    ```

    ## Leaves alone
    Concrete mappings such as `dict[str, int]`, which are validated; `dict[str, Any]` for one field
    of the body (`Body(embed=True)`) or for what has no form (`labels`, `metadata`); one of several
    fields that has none, or one that may be left out (`filters`, `arguments`, `settings`);
    webhooks, proxies, RPC and whatever else takes a body as it is, told by name, path or what the
    endpoint says of itself, or by a call that forwards the request, sends the body to a path of
    another service, publishes it, or gets the request with it; bodies whose kind the path names
    (`{tool_name}`) and of which the endpoint reads nothing; bodies handed to what says that it
    validates, what is given a model to do so, or what raises a `ValidationError` that the endpoint
    expects; bodies that the endpoint completes, puts into what is there or chooses a model for
    before it validates them, or refuses with a 400 of its own; configurations of which it names no
    key; bodies that are a part of what is rendered or sent on; bodies written to a YAML file;
    credentials of WebAuthn; operations that only raise, say that they are not implemented yet, or
    are there to validate (`validate_template`); endpoints that take a validated body and read it
    once more, read form or stream as well, use the raw bytes for something else, or serve several
    methods.

    ## Source
    FastAPI's documentation on request bodies.
    """

    code = "FAR505"
    message = "Body parameter `{name}` is not validated; take a Pydantic model"
    variants = {
        "read": "The body is read by `{call}` and not validated; take a Pydantic model",
        "by_hand": "`{call}` reads a `{model}` by hand; take it as a parameter, which answers 422",
    }
    profiles = ("recommended",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report body parameters without a form, and bodies read by hand."""
        for body in unvalidated_bodies(context.model, endpoint):
            place = body.place
            if not isinstance(place, ast.Call):
                yield self.report(place, name=body.parameter)
                continue
            is_json = isinstance(place.func, ast.Attribute) and place.func.attr == "json"
            call = context.shown(place if is_json else place.func)
            yield self.report(
                place, "by_hand" if body.model else "read", call=call, model=body.model
            )
