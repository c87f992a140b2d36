"""FAR726: response headers that a client writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, mentions
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.taint import Tainted, taint_in
from flake8_fastapi_rules.semantics.values import Expression, Instance

_HEADERS = "starlette.datastructures.MutableHeaders"
#: What the headers of a request are taken from.
_REQUESTS = frozenset({"connection", "request", "scope", "websocket"})


class HeaderInjection(Rule):
    """Do not format what a client sent into a header.

    ## What it does
    Reports a header of a response, `Content-Disposition` above all, that is formatted from a
    parameter or from the file name of an upload.

    ## Why it matters
    Headers are Latin-1: a name such as `レポート.pdf` makes Starlette raise `UnicodeEncodeError`,
    and the download answers 500. A quote in the name ends the value, and what follows is read as
    further parameters of the header. `FileResponse(filename=...)` encodes the name.

    ## Example
    ```python
    from fastapi import Response, UploadFile


    async def echo(file: UploadFile) -> Response:
        headers = {"Content-Disposition": f"attachment; filename={file.filename}"}
        return Response(b"", headers=headers)
    ```

    ## Use instead
    ```python
    from urllib.parse import quote

    from fastapi import Response, UploadFile


    async def echo(file: UploadFile) -> Response:
        name = quote(file.filename or "unnamed")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(b"", headers=headers)
    ```

    ## Leaves alone
    Values that are quoted, encoded or checked, types other than text, whole values that are handed
    on as they are, and headers of a request that is passed on with others.

    ## Source
    RFC 6266; `starlette.responses.Response.init_headers` (1.10); CWE-113.
    """

    code = "FAR726"
    message = "`{name}` is formatted into a header; use `FileResponse(filename=...)` or `quote` it"
    profiles = ("recommended",)
    is_bug = True

    @on(ast.Call, hints=("headers",))
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the `headers` of responses."""
        for each in _header_values(context.model, context.module, call):
            yield from self._judge(each, context)

    @on(FrameworkFunction)
    def check_handed_on(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report calls that hand a name to a function that makes such a response of it."""
        taint = taint_in(context.model, context.module, fact.node)
        for call, reached in taint.all_reached(_header_values, _is_formatted):
            related = [context.related(reached.module, reached.call, "the header")]
            yield self.report(call, name=reached.found.name, related=related)

    @on_calls(("update", "append", "setdefault"), hints=("headers",))
    def check_update(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report `response.headers.update({...})` and `response.headers.append(...)`."""
        func = call.func
        if not isinstance(func, ast.Attribute) or not call.args:
            return
        if not self._is_headers(func.value, context) and not self._becomes_headers(
            func.value, context
        ):
            return
        given = call.args[-1]
        for each in given.values if isinstance(given, ast.Dict) else [given]:
            yield from self._judge(each, context)

    @on(ast.Assign, hints=("headers",))
    def check_assignment(self, node: ast.Assign, context: Context) -> Iterator[Report]:
        """Report `response.headers[...] = ...`."""
        for target in node.targets:
            if isinstance(target, ast.Subscript) and (
                self._is_headers(target.value, context)
                or self._becomes_headers(target.value, context)
            ):
                yield from self._judge(node.value, context)

    def _is_headers(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is the headers of a response, rather than a copy of a request's."""
        value = context.resolve(node)
        if not context.model.is_instance(value, _HEADERS):
            return False
        made = value.call if isinstance(value, Instance) else None
        return made is None or not any(
            mentions(each, _REQUESTS) for each in (*made.args, *(k.value for k in made.keywords))
        )

    def _becomes_headers(self, node: ast.expr, context: Context) -> bool:
        """Whether a dictionary is the `headers` of a response in the same function."""
        function = context.module.index.function_of(node)
        if not isinstance(node, ast.Name) or not isinstance(function, FUNCTIONS):
            return False
        for call in context.module.index.own_nodes(function):
            if isinstance(call, ast.Call):
                given = argument(call, "headers")
                if isinstance(given, ast.Name) and given.id == node.id:
                    return context.model.is_instance(context.resolve(call), RESPONSE)
        return False

    def _judge(self, node: ast.expr, context: Context) -> Iterator[Report]:
        function = context.module.index.function_of(node)
        if not isinstance(function, FUNCTIONS):
            return
        found = taint_in(context.model, context.module, function).of(node)
        if found is not None and _is_formatted(found):
            yield self.report(node, name=found.name)


def _header_values(model: Model, module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """What stands in the `headers` of a response."""
    given = argument(call, "headers")
    if given is None or not model.is_instance(model.resolve(module, call), RESPONSE):
        return
    value = model.resolve(module, given)
    if isinstance(given, ast.Name) and isinstance(value, Expression):
        given = value.node
    if isinstance(given, ast.Dict):
        yield from given.values


def _is_formatted(found: Tainted) -> bool:
    """Whether a text is put into another; what came in a header fits into one."""
    return found.is_formatted and not re.search(r"\.(?:cookies|headers)\b", found.name)
