"""FAR502: answers that no model describes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Endpoint, Route, RouteKind
from flake8_fastapi_rules.semantics.responses import (
    has_no_body,
    may_say_more,
    return_annotation,
    returns_of,
    types_in,
)
from flake8_fastapi_rules.semantics.values import Constant, Expression, External, Instance

_MAPPINGS = frozenset(
    {"builtins.dict", "collections.abc.Mapping", "collections.abc.MutableMapping"}
)
_ASSIGNED = frozenset({"assign", "annotated", "augmented", "walrus"})
_ANYTHING = frozenset({"typing.Any", "builtins.object"})


class RawDictResponse(Rule):
    """Describe an answer by a model instead of returning a raw dictionary.

    ## What it does
    Reports an operation that returns a dictionary it makes on the spot, and that has neither a
    `response_model` nor a return type that says what is in it: none at all, `dict`,
    `dict[str, Any]` or `Any`; in the profile `strict` any `dict[...]`.

    ## Why it matters
    The schema of such an operation says nothing about its answer, so clients cannot be generated
    from it, and nothing checks that the answer stays what it was: a renamed key, or one that
    should not leave the server, goes out unnoticed.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.get("/{item_id}")
    async def read_item(item_id: int):
        return {"id": item_id, "name": "Lamp"}
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class Item(BaseModel):
        \"\"\"An item in the shop.\"\"\"

        name: str = Field(description="What it is called")


    def lamp() -> Item:
        return Item(name="Lamp")
    ```

    ## Leaves alone
    Health checks, operations that are not in the schema, `response_model=None`, other response
    classes than JSON's, statuses without a body, and dictionaries that come from elsewhere.

    ## Source
    FastAPI's documentation on response models.
    """

    code = "FAR502"
    message = "`{name}` returns a raw dictionary; return a model that says what is in it"
    profiles = ("recommended",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the first raw dictionary that an operation returns."""
        index = context.module.index
        if index.is_generator(endpoint.node) or endpoint.is_websocket:
            return
        if not all(self._is_undescribed(route, context) for route in endpoint.routes):
            return
        for statement in returns_of(context.module, endpoint.node):
            if self._is_dict(statement.value, context):
                yield self.report(statement, name=endpoint.node.name)
                return

    def _is_undescribed(self, route: Route, context: Context) -> bool:
        model = context.model
        if route.kind is not RouteKind.HTTP or may_say_more(model, route):
            return False
        if has_no_body(model, route):
            return False
        if model.is_health_route(route):
            return False
        hidden = route.arguments.get("include_in_schema")
        if hidden is not None and model.resolve(route.module, hidden) == Constant(False):
            return False
        response = route.arguments.get("response_class")
        if response is not None:
            value = model.resolve(route.module, response)
            if not model.is_subclass(value, "starlette.responses.JSONResponse"):
                return False
        return self._says_nothing(route, context)

    def _says_nothing(self, route: Route, context: Context) -> bool:
        """Whether `response_model` or the return type leaves open what is in the dictionary."""
        given = route.arguments.get("response_model")
        declared = return_annotation(route) if given is None else (route.module, given)
        if declared is None:
            return True
        parts = [
            part for part in types_in(context.model, *declared) if part.value != Constant(None)
        ]
        names = [part.value.name if isinstance(part.value, External) else "" for part in parts]
        if not names:
            return False
        if names[0] in _ANYTHING:
            return True
        if names[0] not in _MAPPINGS:
            return False
        if context.settings.profile == "strict":
            return True
        if isinstance(parts[0].node, ast.Subscript):
            return len(names) == 3 and names[-1] in _ANYTHING
        return len(names) == 1

    def _is_dict(self, node: ast.expr | None, context: Context) -> bool:
        if isinstance(node, ast.IfExp):
            return self._is_dict(node.body, context) and self._is_dict(node.orelse, context)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._is_dict(node.left, context) or self._is_dict(node.right, context)
        index = context.module.index
        if isinstance(node, ast.Name) and (found := index.lookup(node.id, node)):
            scope, bindings = found
            if scope is not index.module_scope and all(b.kind in _ASSIGNED for b in bindings):
                values = [b.value for b in bindings if b.value is not None and not b.path]
                return bool(values) and all(
                    not isinstance(value, ast.Name) and self._is_dict(value, context)
                    for value in values
                )
        value = context.resolve(node)
        if isinstance(value, Expression):
            # What another function makes comes from elsewhere.
            return (
                isinstance(value.node, ast.Dict)
                and value.module is context.module
                and node is not None
                and index.function_of(value.node) is index.function_of(node)
            )
        return (
            isinstance(value, Instance)
            and value.of == External("builtins.dict")
            and value.call is not None
            and isinstance(value.call.func, ast.Name)
            and value.call.func.id == "dict"
            and value.module is context.module
        )
