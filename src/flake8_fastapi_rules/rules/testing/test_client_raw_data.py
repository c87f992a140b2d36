"""FAR904: raw bytes sent as a form."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, rename_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.client_calls import client_calls
from flake8_fastapi_rules.semantics.framework import HTTPX_TEST_CLIENT
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Constant, Expression, External, Instance, Value

_TEXTS = frozenset({"json.dumps", "builtins.str", "builtins.bytes", "builtins.str.encode"})


class TestClientRawData(Rule):
    """Send bytes and text with `content=`.

    ## What it does
    Reports `data=` with bytes or text in a request of a test client.

    ## Why it matters
    `data=` is for forms. httpx deprecated it for raw bodies, and warns at every such request.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    def test_upload(client: TestClient) -> None:
        assert client.post("/items", data="raw").status_code == 201
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from fastapi.testclient import TestClient


    def test_upload(client: TestClient) -> None:
        assert client.post("/items", content="raw").status_code == 201
    ```

    ## Leaves alone
    Dictionaries, values that cannot be told, and Starlette before 0.21, whose client is one of
    requests.

    ## Fix safety
    The request stays the same.

    ## Source
    `httpx._content.encode_request` warns: use `content=` to upload raw bytes or text.
    """

    code = "FAR904"
    message = "`data=` is for forms; send bytes and text with `content=`"
    profiles = ("recommended",)
    tests_only = True
    scope = "project"
    fix = "safe"
    hints = ("data=", "data =")

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the argument of requests by known clients."""
        if not context.settings.starlette_at_least(*HTTPX_TEST_CLIENT):
            return
        for call in client_calls(context.model, module):
            if getattr(call.node.func, "attr", "") in _BODILESS:
                continue  # takes no body at all (FAR907)
            for keyword in call.node.keywords:
                if (
                    call.is_certain
                    and keyword.arg == "data"
                    and _is_raw(keyword.value, context.resolve(keyword.value), context)
                ):
                    yield self.report(keyword, fix=partial(self._fix, call.node, context))

    def _fix(self, call: ast.Call, context: Context) -> Fix:
        if any(keyword.arg == "content" for keyword in call.keywords):
            raise Unfixable("`content` is given already")
        edit = rename_argument(text_of(context.module), call, "data", "content")
        return fix_of("Use `content=`", "safe", edit)


#: Methods of a client that take no `content=` either.
_BODILESS = frozenset({"delete", "get", "head", "options"})
#: Operators that make a text of a text.
_TEXT_OPS = (ast.Add, ast.Mult, ast.Mod)


def _is_raw(node: ast.expr, value: Value, context: Context) -> bool:
    """Whether an expression is certainly bytes or text."""
    match value:
        case Constant(value=bytes() | str()):
            return True
        case Expression(node=ast.JoinedStr()):
            return True
        case Expression(
            node=ast.BinOp(left=left, op=ast.Add() | ast.Mult() | ast.Mod(), right=right)
        ):
            return any(
                isinstance(side, ast.Constant | ast.JoinedStr)
                and _is_raw(side, context.resolve(side), context)
                for side in (left, right)
            )
        case Instance(of=External(name)) if name in _TEXTS:
            return True
    if not isinstance(node, ast.Call):
        return False
    callee = context.resolve(node.func)
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"model_dump_json", "encode"}:
        return True
    return isinstance(callee, External) and callee.name in _TEXTS
