"""FAR207: a body for a status that has none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import delete_return_value, fix_of, remove_named_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.framework import BODILESS_STATUSES, RESPONSE
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    External,
    Instance,
    Value,
)

_ALWAYS_NONE = (Constant(None), External("typing.Never"), External("typing.NoReturn"))
#: Types of values that are certain to be a body.
_PLAIN = tuple(f"builtins.{name}" for name in ("bytes", "dict", "float", "int", "list", "str"))


class BodyWithoutContent(Rule):
    """Give a status without a body neither a response model nor a value.

    ## What it does
    Reports operations with a status of 1xx, 204, 205 or 304 that have a `response_model`, a return
    annotation that acts as one, or a `return` with a value.

    ## Why it matters
    With a model or an annotation FastAPI refuses to register the route: importing the module
    fails. A value that is returned without either is dropped without a word.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.delete("/{item_id}", status_code=204)
    async def delete_item(item_id: int) -> str:
        return "deleted"
    ```

    ## Use instead
    ```python
    from typing import Annotated
    from uuid import UUID

    from fastapi import APIRouter, Depends, Path, Security

    from shop import current_user

    router = APIRouter(prefix="/items", tags=["items"], dependencies=[Security(current_user)])


    @router.delete("/{item_id}", status_code=204, operation_id="delete_item")
    async def delete_item(item_id: UUID) -> None:
        \"\"\"Delete an item.\"\"\"
    ```

    ## Leaves alone
    `response_model=None`, `-> None`, returned `Response` objects without content, and values that
    cannot be told.

    ## Fix safety
    Removing the `response_model` argument, or a returned literal, changes nothing that worked.

    ## Source
    `fastapi.routing.APIRoute.__init__` asserts it (0.165); since 0.79 bodies of such answers are
    left out.
    """

    code = "FAR207"
    message = (
        "Status {status} has no body, and the return annotation makes one: importing this fails"
    )
    variants = {
        "model": "Status {status} has no body, but a `response_model`: importing this fails",
        "dropped": "Status {status} has no body: this value is dropped",
        "content": "Status {status} has no body, but this response: servers fail to send it",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the decorator of a route that cannot be registered, else each dropped value."""
        status = context.model.status(route.module, route.arguments.get("status_code"))
        if route.kind is not RouteKind.HTTP or status is None or status not in BODILESS_STATUSES:
            return
        model = route.arguments.get("response_model")
        if model is not None:
            value = context.resolve(model)
            if isinstance(value, External | Class) or (
                isinstance(value, Expression) and isinstance(value.node, ast.Subscript | ast.BinOp)
            ):
                fix = partial(self._without_model, route, context)
                yield self.report(route.node, "model", status=status, fix=fix)
                return
            if value != Constant(None):
                return
        elif self._annotation_is_model(route, context):
            reason = Unfixable("whether status or annotation is wrong is for you to say")
            yield self.report(route.node, status=status, fix=reason)
            return
        yield from self._dropped(route, status, context)

    def _without_model(self, route: Route, context: Context) -> Fix:
        if route.call is None:
            raise Unfixable("the route is made elsewhere")
        edits = remove_named_argument(text_of(context.module), route.call, "response_model")
        return fix_of("Remove `response_model`", "safe", edits)

    def _annotation_is_model(self, route: Route, context: Context) -> bool:
        if route.endpoint is None or route.endpoint_module is None:
            return False
        returns = getattr(route.endpoint, "returns", None)
        if returns is None or route.has_unknown_arguments:
            return False
        value = context.model.resolver.annotation(route.endpoint_module, returns)
        if isinstance(value, Instance):
            return not context.model.is_instance(value, RESPONSE) and value.of not in _ALWAYS_NONE
        return False

    def _dropped(self, route: Route, status: int, context: Context) -> Iterator[Report]:
        function = route.endpoint
        if function is None or route.endpoint_module is not context.module:
            return
        index = context.module.index
        if isinstance(function, ast.Lambda) or index.is_generator(function):
            return
        for node in index.own_nodes(function):
            if isinstance(node, ast.Return) and self._is_body(context.resolve(node.value), context):
                fix = partial(self._empty, node, context)
                yield self.report(node, "dropped", status=status, fix=fix)
            elif isinstance(node, ast.Return) and self._has_content(node, context):
                own = Unfixable("the response is the author's own")
                yield self.report(node, "content", status=status, fix=own)

    def _has_content(self, node: ast.Return, context: Context) -> bool:
        """Whether a returned `Response` has a status without a body, and a body."""
        value = context.resolve(node.value)
        if not isinstance(value, Instance) or not context.model.is_instance(value, RESPONSE):
            return False
        call, home = value.call, value.module
        if call is None or home is None:
            return False
        given = next((k.value for k in call.keywords if k.arg == "status_code"), None)
        content = next((k.value for k in call.keywords if k.arg == "content"), None)
        if context.model.status(home, given) not in BODILESS_STATUSES or content is None:
            return False
        sent = context.model.resolve(home, content)
        if isinstance(sent, Constant) and not sent.value:
            return False  # nothing is sent
        return self._is_body(sent, context)

    def _is_body(self, value: Value, context: Context) -> bool:
        if isinstance(value, Constant):
            return value.value is not None
        if isinstance(value, Expression):
            return isinstance(value.node, ast.Dict | ast.List | ast.Tuple | ast.JoinedStr)
        return context.model.is_instance(value, "pydantic.BaseModel", *_PLAIN)

    def _empty(self, node: ast.Return, context: Context) -> Fix:
        if any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node)):
            raise Unfixable("what it returns is called for")
        edit = delete_return_value(text_of(context.module), node)
        return fix_of("Return nothing", "safe", edit)
