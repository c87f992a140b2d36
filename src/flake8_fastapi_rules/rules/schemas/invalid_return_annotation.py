"""FAR519: return types that FastAPI cannot make a response model of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.responses import ResponseType, TypePart, response_type, types_in
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    Instance,
)

_TABLES = (
    "sqlalchemy.orm.DeclarativeBase",
    "sqlalchemy.orm.DeclarativeBaseNoMeta",
)
_HOOKS = ("__get_pydantic_core_schema__", "__get_validators__")

#: Classes of libraries that Pydantic makes no schema of.
_PLAIN = (
    "starlette.requests.HTTPConnection", "starlette.requests.Request",
    "starlette.websockets.WebSocket", "fastapi.BackgroundTasks",
    "starlette.background.BackgroundTasks",
    "fastapi.HTTPException", "starlette.exceptions.HTTPException", "builtins.Exception",
    "httpx.Response", "httpx.Client", "httpx.AsyncClient", "requests.Response",
    "aiohttp.ClientResponse", "logging.Logger", "sqlalchemy.Row", "sqlalchemy.engine.Row",
    "sqlalchemy.engine.Result", "sqlalchemy.engine.ScalarResult", "pandas.DataFrame",
    "pandas.Series", "numpy.ndarray", "re.Match", "io.BytesIO", "asyncio.Task",
)  # fmt: skip


class InvalidReturnAnnotation(Rule):
    """Answer with a type that FastAPI can make a response model of.

    ## What it does
    Reports a return annotation (or `response_model`) that is a union with a response class, or a
    class that is neither a Pydantic model nor a dataclass, where `response_model=None` does not
    say that it shall not be one.

    ## Why it matters
    FastAPI makes a Pydantic field of the annotation when the route is declared. Where that is
    impossible, importing the module fails.

    ## Example
    ```python
    from fastapi import APIRouter, Response
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class Item(BaseModel):
        name: str


    @router.get("/{item_id}")
    async def read_item(item_id: int) -> Item | Response:
        return Response(status_code=304)
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter, Response
    from pydantic import BaseModel, Field

    router = APIRouter(prefix="/items", tags=["items"])


    class Item(BaseModel):
        name: str = Field(description="What it is called")


    @router.get("/{item_id}", status_code=200, operation_id="read_item", response_model=Item)
    async def read_item(item_id: UUID) -> Item | Response:
        \"\"\"Answer an item, unless the client has it already.\"\"\"
        return Response(status_code=304)
    ```

    ## Leaves alone
    A response class alone (as `response_model` it is FAR225's), dataclasses, enumerations, typed
    dictionaries and classes with hooks for Pydantic, classes with bases that cannot be told,
    generators, and endpoints below decorators that are not known.

    ## Source
    `fastapi.utils.create_model_field` and `fastapi.routing.APIRoute.__init__` (0.165).
    """

    code = "FAR519"
    message = "`{name}` cannot be part of a response model: importing this fails"
    variants = {
        "response": "A response class in a union is no response model: importing this fails",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report types that cannot be made a field of."""
        if route.kind is not RouteKind.HTTP or route.has_unknown_arguments:
            return
        declared = response_type(context.model, route)
        function = route.function
        if declared is None or route.verb in ("route", "add_route"):
            return
        if declared.is_annotation:
            if function is None or not has_own_signature(context.model, function):
                return
            if function.module.index.is_generator(function.node):
                return
        place = declared.node if declared.module is context.module else route.node
        parts = list(types_in(context.model, declared.module, declared.node))
        responses = [p for p in parts if context.model.is_subclass(p.value, RESPONSE)]
        if responses:
            if len(parts) > 1:  # alone it is fine, and as `response_model` FAR225's
                yield self.report(place, "response")
            return
        for part in parts:
            if self._is_refused(part, declared, context):
                assert isinstance(part.value, Class | External)
                name = (
                    part.value.node.name
                    if isinstance(part.value, Class)
                    else part.value.name.rpartition(".")[2]
                )
                yield self.report(place, name=name)
                return

    def _is_refused(self, part: TypePart, declared: ResponseType, context: Context) -> bool:
        value = part.value
        if not isinstance(value, Class | External):
            return False
        if isinstance(part.node, ast.Subscript):
            return False
        if isinstance(value, Class) and context.model.is_subclass(value, *_TABLES):
            resolver = context.model.resolver
            return (
                resolver.has_known_bases(value)
                and not any(
                    isinstance(base, Class) and base.node.decorator_list
                    for base in resolver.mro(value)
                )
                and not context.model.is_subclass(value, "sqlalchemy.orm.MappedAsDataclass")
                and not any(
                    isinstance(resolver.class_attribute(value, hook, instance=True), Function)
                    for hook in _HOOKS
                )
            )
        if context.model.is_subclass(value, *_PLAIN):
            return True
        return context.model.is_refused_as_field(Instance(value))
