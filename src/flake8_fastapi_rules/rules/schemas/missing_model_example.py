"""FAR518: bodies without an example."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import ParameterKind, PydanticModel
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.schemas import (
    SchemaUse,
    body_parameters,
    config_values,
    schema_fields,
    schema_uses,
)
from flake8_fastapi_rules.semantics.values import Expression

_EXAMPLES = frozenset({"examples", "example", "openapi_examples"})
_EXTRAS = frozenset({"json_schema_extra", "schema_extra"})
#: What a schema may say besides that shows no value.
_OTHER_EXTRAS = frozenset(
    {"title", "description", "additionalProperties", "externalDocs", "deprecated", "$id", "$schema"}
)


class MissingModelExample(Rule):
    """Show in the schema what a body looks like.

    ## What it does
    Reports a model that is a request body and has examples neither in its configuration, nor in
    its fields, nor in the parameters that take it.

    ## Why it matters
    The interactive documentation fills in the example. Without one it offers `"string"` and `0`,
    which most services answer with 422, and readers have to guess the form of dates and codes.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class NewItem(BaseModel):
        name: str


    @router.post("", status_code=201)
    async def create_item(item: NewItem) -> str:
        return item.name
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class NewItem(BaseModel):
        name: str = Field(description="What it is called", examples=["Lamp"])
    ```

    ## Leaves alone
    Models inside of other models, forms, and models whose configuration cannot be read.

    ## Source
    FastAPI's documentation on example data.
    """

    code = "FAR518"
    message = "`{name}` is a request body without an example"
    profiles = ("strict",)
    scope = "project"

    @on(PydanticModel)
    def check(self, model: PydanticModel, context: Context) -> Iterator[Report]:
        """Report body models without examples."""
        uses = schema_uses(context.model, context.module)
        bodies = [
            use
            for use in uses.bodies.get(model.node, ())
            if not use.is_nested and not self._is_shown(use, context)
        ]
        if not bodies:
            return
        config = config_values(context.model, model.cls)
        if config is None or any(
            _may_show(context.model, *config[key]) for key in _EXTRAS & config.keys()
        ):
            return
        fields = list(schema_fields(context.model, model.cls))
        if not fields or any(
            keyword.arg in _EXAMPLES or keyword.arg in (None, "json_schema_extra")
            for each in fields
            if each.field_call is not None
            for keyword in each.field_call.keywords
        ):
            return
        yield self.report(context.source.name_range(model.node), name=model.node.name)

    def _is_shown(self, use: SchemaUse, context: Context) -> bool:
        """Whether a parameter has an example of its own, or takes no JSON."""
        for parameter in body_parameters(context.model, use.route):
            if parameter.node is not use.node:
                continue
            if parameter.kind is ParameterKind.FORM:
                return True
            call = parameter.marker.call if parameter.marker is not None else None
            return isinstance(call, ast.Call) and any(k.arg in _EXAMPLES for k in call.keywords)
        return False


def _may_show(model: Model, module: Module, node: ast.expr) -> bool:
    """Whether what is added to a schema may contain an example: only a display tells."""
    value = model.resolve(module, node)
    if not isinstance(value, Expression) or not isinstance(value.node, ast.Dict):
        return True
    keys = [model.text(value.module, key) for key in value.node.keys]
    return None in keys or not _OTHER_EXTRAS.issuperset(keys)
