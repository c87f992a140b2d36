"""FAR220: a handler whose name says another method."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    Endpoint,
    EndpointRoutes,
    ParameterKind,
    RouteKind,
)
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.responses import answers_with
from flake8_fastapi_rules.semantics.values import Function

#: First word of the name -> the methods that go with it, the usual one first.
_METHODS = {
    "get": ("GET", "HEAD"),
    "fetch": ("GET", "HEAD"),
    "read": ("GET", "HEAD", "POST"),  # with POST for everything it is common
    "list": ("GET", "HEAD"),
    "create": ("POST", "PUT"),
    "update": ("PATCH", "PUT"),
    "edit": ("PATCH", "PUT"),
    "modify": ("PATCH", "PUT"),
    "delete": ("DELETE",),
    "remove": ("DELETE",),
    "destroy": ("DELETE",),
    "patch": ("PATCH",),
    "put": ("PUT",),
}
_READS = frozenset({"get", "fetch", "list", "read"})
_BODIES = frozenset(
    {
        ParameterKind.BODY,
        ParameterKind.FORM,
        ParameterKind.FILE,
        ParameterKind.DEPENDENCY,
        ParameterKind.SPECIAL,
    }
)
_PAGE = "starlette.responses.HTMLResponse"
_SEVERAL = frozenset({"all", "batch", "bulk", "many", "multi", "multiple", "or", "several"})


class VerbMismatch(Rule):
    """Let the name of a handler and its method say the same.

    ## What it does
    Reports handlers whose name begins with a verb that contradicts the method: `delete_item` on
    POST, `get_item` on DELETE, `update_item` on POST.

    ## Why it matters
    One of the two is a mistake. If it is the method, clients and proxies treat a request that
    deletes as one that creates; if it is the name, readers and generated clients are misled.

    ## Example
    ```python
    from uuid import UUID

    from fastapi import APIRouter

    router = APIRouter()


    @router.post("/items/{item_id}")
    async def delete_item(item_id: UUID) -> None: ...
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter, Security

    from shop.security import require_editor

    router = APIRouter(tags=["items"], dependencies=[Security(require_editor)])


    @router.delete("/items/{item_id}", status_code=204, operation_id="delete_item")
    async def delete_item(item_id: UUID) -> None:
        \"\"\"Delete an item.\"\"\"
    ```

    ## Leaves alone
    Searches, that is reads by POST with a body, form, dependency or request; names of operations on
    many things at once; pages, such as the form for `edit_item`; handlers that serve several
    methods (FAR230).

    ## Source
    RFC 9110, section 9.3.
    """

    code = "FAR220"
    message = "`{name}` is served by {method}; its name says {expected}"
    profiles = ("strict",)

    @on(EndpointRoutes)
    def check(self, found: EndpointRoutes, context: Context) -> Iterator[Report]:
        """Report the routes of a handler of which none fits its name."""
        endpoint = found.endpoint
        words = words_of(endpoint.node.name)
        expected = _METHODS.get(words[0]) if words else None
        methods = endpoint.methods
        if expected is None or not methods or not methods.isdisjoint(expected):
            return
        if not _SEVERAL.isdisjoint(words) or len(methods) > 1:
            return
        if words[0] in _READS and "POST" in methods and self._has_body(endpoint, context):
            return
        if words[0] not in _READS and "GET" in methods and self._is_page(endpoint, context):
            return
        for route in found.routes:
            if route.kind is RouteKind.HTTP and route.methods:
                yield self.report(
                    route.node,
                    name=endpoint.node.name,
                    method=route.methods[0],
                    expected=expected[0],
                )

    def _is_page(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether a handler answers a page, such as the form that another one takes."""
        model, module = context.model, endpoint.module
        if any(answers_with(model, route, _PAGE) for route in endpoint.routes):
            return True
        typed = model.resolver.annotation(module, endpoint.node.returns)
        return model.is_instance(typed, _PAGE) or any(
            isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "TemplateResponse"
            for node in module.index.own_nodes(endpoint.node)
        )

    def _has_body(self, endpoint: Endpoint, context: Context) -> bool:
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        parameters = context.model.parameters(function, context.model.path_names(endpoint))
        return any(
            parameter.kind in _BODIES or parameter.kind is ParameterKind.UNKNOWN
            for parameter in parameters
        )
