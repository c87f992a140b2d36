"""FAR907: arguments that test clients do not take."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Edit, Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, remove_named_argument, rename, rename_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.client_calls import client_calls
from flake8_fastapi_rules.semantics.framework import HTTPX_TEST_CLIENT
from flake8_fastapi_rules.semantics.modules import Module

_BODILESS = frozenset({"get", "delete", "head", "options"})
_BODIES = frozenset({"json", "data", "content", "files"})


class RemovedTestClientArgument(Rule):
    """Call test clients with the arguments that they have.

    ## What it does
    Reports a body (`json=`, `data=`, `content=`, `files=`) given to `get`, `delete`, `head` or
    `options`, `allow_redirects=`, and `timeout=` of `TestClient`.

    ## Why it matters
    Since `TestClient` is built on httpx the first two raise `TypeError`; `timeout` does nothing but
    warn.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    def test_delete(client: TestClient) -> None:
        assert client.delete("/items", json=[1]).status_code == 204
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    def test_delete(client: TestClient) -> None:
        assert client.request("DELETE", "/items", json=[1]).status_code == 204
    ```

    ## Leaves alone
    Clients that cannot be told, and Starlette before 0.21, whose client is one of requests.

    ## Fix safety
    `request("DELETE", ...)` takes a body; `follow_redirects` is the new name of
    `allow_redirects`; a `timeout` without effect is removed.

    ## Source
    Starlette: httpx since 0.21, `allow_redirects` removed in 0.43, `timeout` deprecated in 0.46.
    """

    code = "FAR907"
    message = '`{method}()` takes no `{argument}`: write `request("{verb}", ..., {argument}=...)`'
    variants = {
        "redirects": "`allow_redirects` is gone; write `follow_redirects`",
        "timeout": "`timeout` has no effect on a `TestClient`; remove it",
    }
    profiles = ("recommended",)
    tests_only = True
    scope = "project"
    fix = "safe"
    hints = tuple(
        f"{name}{equals}"
        for name in (*sorted(_BODIES), "allow_redirects", "timeout")
        for equals in ("=", " =")
    )

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the arguments of requests by known clients."""
        if not context.settings.starlette_at_least(*HTTPX_TEST_CLIENT):
            return
        for call in client_calls(context.model, module):
            func = call.node.func
            if not call.is_certain or not isinstance(func, ast.Attribute):
                continue
            receiver = context.resolve(func.value)
            is_test_client = context.model.is_instance(receiver, "starlette.testclient.TestClient")
            for keyword in call.node.keywords:
                name = keyword.arg or ""
                if func.attr in _BODILESS and name in _BODIES:
                    yield self.report(
                        keyword,
                        fix=partial(self._request, call.node, func, context),
                        method=func.attr,
                        argument=name,
                        verb=func.attr.upper(),
                    )
                elif name == "allow_redirects":
                    fix = partial(self._renamed, call.node, context)
                    yield self.report(keyword, "redirects", fix=fix)
                elif name == "timeout" and is_test_client:
                    fix = partial(self._removed, call.node, context)
                    yield self.report(keyword, "timeout", fix=fix)

    def _request(self, call: ast.Call, func: ast.Attribute, context: Context) -> Fix:
        if not call.args:
            raise Unfixable("the URL is given by name")
        text = text_of(context.module)
        start = text.start(call.args[0])
        verb = Edit(start, start, f'"{func.attr.upper()}", ')
        group = f"request:{call.lineno}:{call.col_offset}"
        return fix_of("Use `request`", "safe", rename(text, func, "request"), verb, group=group)

    def _renamed(self, call: ast.Call, context: Context) -> Fix:
        edit = rename_argument(text_of(context.module), call, "allow_redirects", "follow_redirects")
        return fix_of("Use `follow_redirects`", "safe", edit)

    def _removed(self, call: ast.Call, context: Context) -> Fix:
        edits = remove_named_argument(text_of(context.module), call, "timeout")
        return fix_of("Remove `timeout`", "safe", edits)
