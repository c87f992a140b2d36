"""FAR122: response classes that FastAPI deprecated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, remove_argument
from flake8_fastapi_rules.fixes.imports import import_group, remove_unused_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.framework import CHANGES, DEPRECATED_RESPONSES
from flake8_fastapi_rules.semantics.values import External

_ARGUMENTS = ("response_class", "default_response_class")


class DeprecatedResponseClass(Rule):
    """Let FastAPI serialise instead of `ORJSONResponse` or `UJSONResponse`.

    ## What it does
    Reports every use of `ORJSONResponse` and `UJSONResponse`.

    ## Why it matters
    Since 0.131 FastAPI serialises what an operation with a response model or a return annotation
    returns by Pydantic, in Rust, straight to JSON bytes, which is faster than either. The two
    classes warn, need a library more, and will go.

    ## Example
    ```python
    from fastapi import APIRouter
    from fastapi.responses import ORJSONResponse

    router = APIRouter(default_response_class=ORJSONResponse)
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(tags=["items"])
    ```

    ## Leaves alone
    FastAPI below 0.131, the import statements themselves, and tests with `isinstance`.

    ## Fix safety
    The fix removes `response_class=` and `default_response_class=`: the default answers the same
    JSON; safe. Responses that are built by hand are left to you.

    ## Source
    FastAPI 0.131.
    """

    code = "FAR122"
    message = "`{name}` is deprecated since FastAPI 0.131; {instead}"
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = ("ORJSONResponse", "UJSONResponse")

    @on(ast.Name, ast.Attribute)
    def check(self, node: ast.Name | ast.Attribute, context: Context) -> Iterator[Report]:
        """Report uses, wherever they stand."""
        if not isinstance(node.ctx, ast.Load):
            return
        value = context.resolve(node)
        if not isinstance(value, External) or value.name not in DEPRECATED_RESPONSES:
            return
        deprecated = CHANGES[value.name].deprecated
        if deprecated is None or not context.settings.fastapi_at_least(*deprecated):
            return
        parent = context.module.index.parents.get(node)
        if self._is_tested_for(node, context):
            return
        is_argument = isinstance(parent, ast.keyword) and parent.arg in _ARGUMENTS
        yield self.report(
            node,
            fix=lambda: self._fix(node, context),
            name=value.name.rpartition(".")[2],
            instead="the default is faster; remove it"
            if is_argument
            else "return the value and declare its type",
        )

    def _is_tested_for(self, node: ast.expr, context: Context) -> bool:
        """Whether it stands in `isinstance(answer, (ORJSONResponse, ...))`."""
        parent = context.module.index.parents.get(node)
        if isinstance(parent, ast.Tuple | ast.BinOp):
            parent = context.module.index.parents.get(parent)
        return (
            isinstance(parent, ast.Call)
            and isinstance(parent.func, ast.Name)
            and parent.func.id in {"isinstance", "issubclass"}
        )

    def _fix(self, node: ast.Name | ast.Attribute, context: Context) -> Fix:
        parents = context.module.index.parents
        keyword = parents.get(node)
        call = parents.get(keyword) if keyword is not None else None
        if (
            not isinstance(keyword, ast.keyword)
            or not isinstance(call, ast.Call)
            or keyword.arg not in _ARGUMENTS
        ):
            raise Unfixable("it is used in code, not as an argument of the route")
        text = text_of(context.module)
        removed = remove_argument(text, call, keyword)
        unused: tuple[Edit, ...] = ()
        group = None
        if isinstance(node, ast.Name):
            unused = remove_unused_import(text, node.id, [keyword])
            group = import_group(node.id)
        return fix_of(
            f"Remove `{keyword.arg}`",
            "safe",
            removed,
            unused,
            group=group,
            # With a response class of its own the route had no need to declare a model.
            leads_to=("FAR501", "FAR502"),
        )
