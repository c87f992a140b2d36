"""FAR416: exceptions handled in the data layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.layers import layer_of


class TryExceptInDataLayer(Rule):
    """Let exceptions leave the data layer.

    ## What it does
    Reports `try` with `except` in functions of repository and database modules.

    ## Why it matters
    A repository cannot know what a failed query means for its callers. When it answers with `None`
    or an empty list, a broken connection looks like a missing row. Handlers and routines at the top
    log and answer what nobody expected; a row that is not there is an exception of the domain.

    ## Example
    ```python title="shop/repositories/items.py"
    def find_item(connection, item_id):
        try:
            return connection.fetch(item_id)
        except Exception:
            return None
    ```

    ## Use instead
    ```python title="shop/repositories/items.py"
    def find_item(connection, item_id):
        return connection.fetch(item_id)
    ```

    ## Leaves alone
    `try` with only `finally`, generators that provide a session and roll it back, imports, and
    modules of other layers (option `layers`).

    ## Source
    The convention of a data layer without exception handling.
    """

    code = "FAR416"
    message = "`{name}` in the data layer handles exceptions itself; let them pass"
    profiles = ("clean-architecture",)
    hints = ("except",)

    @on(ast.Try, ast.TryStar)
    def check(self, node: ast.Try | ast.TryStar, context: Context) -> Iterator[Report]:
        """Report handlers in repositories."""
        if layer_of(context.module, context.settings.layers) != "repositories":
            return
        index = context.module.index
        function = index.function_of(node)
        if not node.handlers or not isinstance(function, FUNCTIONS):
            return
        if index.is_generator(function) or function.name in ("__exit__", "__aexit__"):
            return
        yield self.report(node, name=function.name)
