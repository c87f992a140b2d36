"""FAR504: `Any` where the outside world comes in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel, Record, Route, RouteKind
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.responses import response_type, types_in
from flake8_fastapi_rules.semantics.schemas import (
    body_parameters,
    own_fields,
    schema_classes,
)
from flake8_fastapi_rules.semantics.values import External

_ANY = External("typing.Any")


class AnyAtBoundary(Rule):
    """Say what goes in and out instead of `Any`.

    ## What it does
    Reports `Any`, alone or inside of another type, in body parameters, in declared answers, and in
    the fields of the models, dataclasses and typed dicts that these are made of.

    ## Why it matters
    `Any` switches validation and documentation off for a part of the interface, just where data
    comes from people one does not know, or goes to clients that are generated from the schema.

    ## Example
    ```python
    from typing import Any

    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class NewItem(BaseModel):
        name: str
        size: Any


    @router.post("", status_code=201)
    async def create_item(item: NewItem) -> str:
        return item.name
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class NewItem(BaseModel):
        name: str = Field(description="What it is called")
        size: int = Field(description="In millimetres")
    ```

    ## Leaves alone
    Models that are neither bodies nor answers, other parameters than bodies, and `object`.

    ## Source
    The convention of precise types at the boundary of a service.
    """

    code = "FAR504"
    message = "`Any` in body parameter `{name}`; say what it may be"
    variants = {
        "response": "`Any` in the answer of `{name}`; say what it may be",
        "field": "`Any` in field `{name}`, which clients send or get; say what it may be",
    }
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check_route(self, route: Route, context: Context) -> Iterator[Report]:
        """Report `Any` in bodies and answers."""
        if route.kind is not RouteKind.HTTP:
            return
        declared = response_type(context.model, route)
        if declared is not None and self._has_any(declared.module, declared.node, context):
            place = declared.node if declared.module is context.module else route.node
            yield self.report(place, "response", name=getattr(route.endpoint, "name", "lambda"))
        for parameter in body_parameters(context.model, route):
            if parameter.module is context.module and self._has_any(
                parameter.type_module, parameter.type_node, context
            ):
                yield self.report(parameter.node, name=parameter.name)

    @on(PydanticModel, Record)
    def check_model(self, model: PydanticModel | Record, context: Context) -> Iterator[Report]:
        """Report `Any` in the fields of models at the boundary."""
        if model.node not in schema_classes(context.model, context.module):
            return
        for each in own_fields(context.model, model.cls):
            if self._has_any(each.module, each.node.annotation, context):
                yield self.report(each.node.annotation, "field", name=each.name)

    def _has_any(self, module: Module, node: ast.expr | None, context: Context) -> bool:
        return any(part.value == _ANY for part in types_in(context.model, module, node))
