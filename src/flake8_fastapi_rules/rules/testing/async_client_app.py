"""FAR905: an argument that httpx no longer has."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import UNREADABLE, argument_of, fix_of, replace_argument
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.arguments import unpacked_arguments
from flake8_fastapi_rules.semantics.values import Class, Function, Instance

_CLIENTS = ("httpx.AsyncClient",)


class AsyncClientApp(Rule):
    """Pass the app to `AsyncClient` through an `ASGITransport`.

    ## What it does
    Reports `AsyncClient(app=...)`.

    ## Why it matters
    httpx removed the argument in 0.28: the call raises `TypeError`.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    from httpx import AsyncClient


    async def test_items(app) -> None:
        async with AsyncClient(app=app, base_url="http://test") as client:
            assert (await client.get("/items")).status_code == 200
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from httpx import ASGITransport, AsyncClient


    async def test_items(app) -> None:
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/items")).status_code == 200
    ```

    ## Leaves alone
    Calls that pass a transport.

    ## Fix safety
    It is what httpx did with the argument itself.

    ## Source
    The changelog of httpx: deprecated in 0.27, removed in 0.28.
    """

    code = "FAR905"
    message = "`app=` is gone from httpx 0.28; pass `transport=ASGITransport(app=...)`"
    profiles = ("recommended",)
    tests_only = True
    fix = "safe"
    hints = ("AsyncClient", "httpx")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the argument."""
        keywords = {keyword.arg: keyword for keyword in call.keywords}
        unpacked = unpacked_arguments(context.model, context.module, call)
        if "app" not in {*keywords, *unpacked} or "transport" in {*keywords, *unpacked}:
            return
        value = context.resolve(call)
        names = list(context.model.resolver.names_of(value))
        is_own = (
            isinstance(value, Instance)
            and isinstance(value.of, Class)
            and isinstance(
                context.model.resolver.class_attribute(value.of, "__init__", instance=True),
                Function,
            )
        )
        if names and names[0] in _CLIENTS and not is_own:
            if "app" in keywords:
                yield self.report(keywords["app"], fix=partial(self._fix, call, context))
            else:
                elsewhere = Unfixable("the argument is written elsewhere")
                yield self.report(unpacked["app"], fix=elsewhere)

    def _fix(self, call: ast.Call, context: Context) -> Fix:
        text = text_of(context.module)
        argument = argument_of(call, "app")
        home = "httpx2" if "httpx2" in context.source.text else "httpx"
        imported = ensure_import(text, home, "ASGITransport", call)
        if not isinstance(argument, ast.keyword):
            raise Unfixable(UNREADABLE)
        code = f"transport={imported.name}(app={context.source.segment(argument.value)})"
        edit = replace_argument(text, call, argument, code)
        return fix_of("Use `ASGITransport`", "safe", edit, imported.edits)
