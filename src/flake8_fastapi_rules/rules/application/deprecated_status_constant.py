"""FAR124: constants of `status` by the names they had before."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, rename
from flake8_fastapi_rules.fixes.imports import import_group, replace_reference
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.framework import (
    RENAMED_STATUS_CONSTANTS,
    STATUS_CONSTANTS_RENAMED,
)
from flake8_fastapi_rules.semantics.values import External


class DeprecatedStatusConstant(Rule):
    """Use the present names of the constants for 413, 414, 416 and 422.

    ## What it does
    Reports `HTTP_413_REQUEST_ENTITY_TOO_LARGE`, `HTTP_414_REQUEST_URI_TOO_LONG`,
    `HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE` and `HTTP_422_UNPROCESSABLE_ENTITY` of `status`.

    ## Why it matters
    Starlette 0.48 took over the names of RFC 9110. The old ones warn each time they are looked up,
    which fails a test run that treats warnings as errors, and will go.

    ## Example
    ```python
    from fastapi import HTTPException, status


    def refuse() -> None:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_ENTITY)
    ```

    ## Use instead
    ```python
    from fastapi import HTTPException, status


    def refuse() -> None:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT)
    ```

    ## Leaves alone
    Projects whose Starlette may be older than 0.48, and `http.HTTPStatus`.

    ## Fix safety
    Both names are the same number; safe.

    ## Source
    Starlette 0.48.
    """

    code = "FAR124"
    message = "`{old}` is deprecated; its name is `{new}`"
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = tuple(RENAMED_STATUS_CONSTANTS)

    @on(ast.Name, ast.Attribute)
    def check(self, node: ast.Name | ast.Attribute, context: Context) -> Iterator[Report]:
        """Report uses of the old names."""
        if not isinstance(node.ctx, ast.Load) or not context.settings.starlette_at_least(
            *STATUS_CONSTANTS_RENAMED
        ):
            return
        value = context.resolve(node)
        if not isinstance(value, External) or not value.name.startswith("starlette.status."):
            return
        old = value.name.rpartition(".")[2]
        new = RENAMED_STATUS_CONSTANTS.get(old)
        if new is not None:
            yield self.report(node, fix=lambda: self._fix(node, new, context), old=old, new=new)

    def _fix(self, node: ast.Name | ast.Attribute, new: str, context: Context) -> Fix:
        text = text_of(context.module)
        title = f"Use `{new}`"
        if isinstance(node, ast.Attribute):
            return fix_of(title, "safe", rename(text, node, new))
        bindings = context.module.index.module_scope.bindings.get(node.id, ())
        if len(bindings) != 1:
            raise Unfixable("the name is bound more than once")
        statement, alias = bindings[0].node, bindings[0].alias
        if (
            not isinstance(statement, ast.ImportFrom)
            or alias is None
            or statement.level
            or alias.name not in RENAMED_STATUS_CONSTANTS
        ):
            raise Unfixable("the name is not imported from Starlette or FastAPI here")
        edits = replace_reference(text, node, statement.module or "", new)
        return fix_of(title, "safe", edits, group=import_group(node.id))
