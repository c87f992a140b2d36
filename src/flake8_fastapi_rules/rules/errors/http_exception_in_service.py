"""FAR408: HTTP in layers that know nothing of requests."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS
from flake8_fastapi_rules.semantics.layers import layer_of
from flake8_fastapi_rules.semantics.values import External, Function

_INNER = frozenset({"services", "repositories", "models"})


class HttpExceptionInService(Rule):
    """Raise exceptions of the domain in services and repositories.

    ## What it does
    Reports an `HTTPException` raised in a module of the service, repository or model layer, outside
    of functions that FastAPI itself calls.

    ## Why it matters
    A service is used by jobs, commands and tests as well, where a status code means nothing. What
    went wrong is a matter of the domain; which status answers it is decided in one place, the
    exception handler.

    ## Example
    ```python title="shop/services/items.py"
    from fastapi import HTTPException


    def find_item(items: dict[int, str], item_id: int) -> str:
        if item_id not in items:
            raise HTTPException(404)
        return items[item_id]
    ```

    ## Use instead
    ```python title="shop/services/items.py"
    class ItemNotFoundError(LookupError):
        pass


    def find_item(items: dict[int, str], item_id: int) -> str:
        if item_id not in items:
            raise ItemNotFoundError(item_id)
        return items[item_id]
    ```

    ## Leaves alone
    Endpoints, dependencies and handlers that stand in such a module, exceptions of the project that
    derive from `HTTPException`, and modules of other layers (option `layers`).

    ## Source
    The convention of layers: HTTP belongs to the outermost.
    """

    code = "FAR408"
    message = "`{name}` in a module of the {layer}; raise an exception of the domain"
    profiles = ("strict",)
    hints = ("HTTPException",)

    @on(ast.Raise)
    def check(self, node: ast.Raise, context: Context) -> Iterator[Report]:
        """Report `HTTPException`s raised in inner layers."""
        layer = layer_of(context.module, context.settings.layers)
        if layer not in _INNER or node.exc is None:
            return
        raised = context.model.effects.raised(context.module, node)
        if raised is None or not isinstance(raised.exception, External):
            return
        if not context.model.is_subclass(raised.exception, *HTTP_EXCEPTIONS):
            return
        function = context.module.index.function_of(node)
        if isinstance(function, FUNCTIONS) and context.model.roles(
            Function(context.module, function)
        ):
            return
        yield self.report(node, name=raised.exception.name.rpartition(".")[2], layer=layer)
