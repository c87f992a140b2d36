"""FAR126: an import from Starlette of what FastAPI has as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of, replace_range
from flake8_fastapi_rules.fixes.imports import import_from_elsewhere
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.framework import REEXPORTED


class ImportFromStarlette(Rule):
    """Import from FastAPI what FastAPI has.

    ## What it does
    Reports names imported from `starlette` that `fastapi` offers, too, as the same objects.

    ## Why it matters
    Two ways to write one thing: readers wonder whether `starlette.requests.Request` is another
    `Request`. Starlette is FastAPI's dependency, not the project's.

    ## Example
    ```python
    from starlette.responses import JSONResponse

    answer = JSONResponse({"ready": True})
    ```

    ## Use instead
    ```python
    from fastapi.responses import JSONResponse

    answer = JSONResponse({"ready": True})
    ```

    ## Leaves alone
    What FastAPI does not have, and what is another class there (`BackgroundTasks`, `UploadFile`,
    `HTTPException`, `WebSocketException`); star imports and `import starlette...`.

    ## Fix safety
    Both modules hold the same object; safe. A statement that also imports something else is left
    to you.

    ## Source
    FastAPI's reference, which documents these modules as its own.
    """

    code = "FAR126"
    message = "`{name}` is in `{module}`, too; import it from there"
    profiles = ("opt-in",)
    fix = "safe"
    hints = ("starlette",)

    @on(ast.ImportFrom)
    def check(self, node: ast.ImportFrom, context: Context) -> Iterator[Report]:
        """Report each name of an import."""
        known = REEXPORTED.get(node.module or "")
        if known is None or node.level:
            return
        module = (node.module or "").replace("starlette", "fastapi", 1)
        for alias in node.names:
            if alias.name in known:
                yield self.report(
                    alias, fix=lambda: self._fix(node, context), name=alias.name, module=module
                )

    def _fix(self, node: ast.ImportFrom, context: Context) -> Fix:
        known = REEXPORTED.get(node.module or "", frozenset())
        text = text_of(context.module)
        group = f"import-line:{node.lineno}"
        if any(alias.name not in known for alias in node.names):
            module = (node.module or "").replace("starlette", "fastapi", 1)
            edits = import_from_elsewhere(text, node, known, module)
            return fix_of("Import from FastAPI", "safe", edits, group=group)
        start = text.text.find("starlette", text.start(node))
        end = start + len("starlette")
        edit = replace_range(text, start, end, "fastapi")
        return fix_of("Import from FastAPI", "safe", edit, group=group)
