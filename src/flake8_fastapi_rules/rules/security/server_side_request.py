"""FAR716: requests to wherever a client wants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.libraries import HTTP_REQUESTS
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.taint import Tainted, taint_in, text_in_sink
from flake8_fastapi_rules.semantics.values import External

_BEFORE_HOST = re.compile(r"^(?:https?:)?(?://[^/?#]*)?$")


class ServerSideRequest(Rule):
    """Request only hosts that you chose.

    ## What it does
    Reports a call of an HTTP client with a URL whose scheme or host is a parameter that nothing
    checks, also in a function of the project that it is handed to.

    ## Why it matters
    The server reaches what its clients cannot: the cloud's metadata service with its credentials,
    databases, administration pages. Whoever chooses the URL reads and calls all of that.

    ## Example
    ```python
    import httpx
    from fastapi import Request


    async def preview(request: Request, client: httpx.AsyncClient) -> str:
        answer = await client.get(request.query_params["url"])
        return answer.text
    ```

    ## Use instead
    ```python
    import httpx
    from fastapi import Request

    FEEDS = {"news": "https://news.example/feed"}


    async def preview(request: Request, client: httpx.AsyncClient) -> str:
        answer = await client.get(FEEDS[request.query_params["feed"]])
        return answer.text
    ```

    ## Leaves alone
    Parameters behind a literal host, look-ups, and any condition on the value.

    ## Source
    CWE-918; OWASP API security: server-side request forgery.
    """

    code = "FAR716"
    message = "`{name}` decides which server is asked; check its host against a list"
    profiles = ("strict",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report requests to an unchecked URL."""
        found = text_in_sink(context.model, context.module, call, _urls, _decides)
        if found is not None:
            yield self.report(call, name=found.name)

    @on(FrameworkFunction)
    def check_calls(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report calls that hand an unchecked URL to a function that requests it."""
        taint = taint_in(context.model, context.module, fact.node)
        for call, reached in taint.all_reached(_urls, _decides):
            related = [context.related(reached.module, reached.call, "the request")]
            yield self.report(call, name=reached.found.name, related=related)


def _urls(model: Model, module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """Where a call sends a request to."""
    callee = model.resolve(module, call.func)
    if isinstance(callee, External):
        for name in model.resolver.names_of(callee):
            if name in HTTP_REQUESTS:
                if (url := argument(call, "url", HTTP_REQUESTS[name])) is not None:
                    yield url
                return


def _decides(found: Tainted) -> bool:
    """Whether a text says which host a URL leads to."""
    return found.before is not None and _BEFORE_HOST.match(found.before) is not None
