"""FAR614: an upload read into memory as a whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.framework import UPLOAD_TYPES
from flake8_fastapi_rules.semantics.libraries import is_in
from flake8_fastapi_rules.semantics.parameters import is_part_of_form
from flake8_fastapi_rules.semantics.values import External

_READS = frozenset(f"{upload}.read" for upload in UPLOAD_TYPES) | {"typing.BinaryIO.read"}


class WholeUploadRead(Rule):
    """Read uploads in pieces.

    ## What it does
    Reports `await upload.read()` (and `upload.file.read()`) without a size.

    ## Why it matters
    `UploadFile` keeps large files on disk so that they do not fill the memory; reading them as a
    whole undoes that. A handful of clients that send a gigabyte each are enough to end the process,
    and FastAPI sets no limit by itself.

    ## Example
    ```python
    from fastapi import APIRouter, UploadFile

    router = APIRouter()


    @router.put("/avatar")
    async def avatar(upload: UploadFile) -> int:
        return len(await upload.read())
    ```

    ## Use instead
    ```python
    from fastapi import UploadFile


    async def size_of(upload: UploadFile) -> int:
        size = 0
        while chunk := await upload.read(1024 * 1024):
            size += len(chunk)
        return size
    ```

    ## Leaves alone
    Reads with a size, and files that are no uploads.

    ## Source
    FastAPI's documentation of `UploadFile`.
    """

    code = "FAR614"
    message = "`{call}()` reads the whole upload into memory; read it in pieces of a given size"
    profiles = ("strict",)
    hints = (".read(",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report reads without a size."""
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr != "read":
            return
        size = argument(call, "size", 0)
        if (call.args or call.keywords) and (
            size is None or ast.unparse(size) not in {"-1", "None"}
        ):
            return
        if is_part_of_form(context.model.resolver, context.module, func.value):
            yield self.report(call, call=ast.unparse(func))
            return
        callee = context.resolve(func)
        if isinstance(callee, External) and is_in(callee.name, _READS):
            if callee.name.startswith("typing.") and not self._is_file(func.value, context):
                return
            yield self.report(call, call=ast.unparse(func))

    def _is_file(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is an upload's `file`, or a name for it."""
        if isinstance(node, ast.Name):
            _, bindings = context.module.index.lookup(node.id, node) or (None, [])
            return len(bindings) == 1 and isinstance(bindings[0].value, ast.Attribute)
        return isinstance(node, ast.Attribute) and node.attr == "file"
