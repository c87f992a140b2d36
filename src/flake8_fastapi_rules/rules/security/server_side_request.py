"""FAR716: requests to wherever a client wants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import argument
from flake8_fastapi_rules.semantics.libraries import HTTP_REQUESTS
from flake8_fastapi_rules.semantics.taint import Taint
from flake8_fastapi_rules.semantics.values import External

_BEFORE_HOST = re.compile(r"^(?:https?:)?(?://[^/?#]*)?$")


class ServerSideRequest(Rule):
    """Request only hosts that you chose.

    ## What it does
    Reports a call of an HTTP client with a URL whose scheme or host is a parameter that nothing
    checks.

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
    hints = ("requests", "httpx", "aiohttp", "urllib", "websockets")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report requests to an unchecked URL."""
        callee = context.resolve(call.func)
        function = context.module.index.function_of(call)
        if not isinstance(callee, External) or not isinstance(function, FUNCTIONS):
            return
        for name in context.model.resolver.names_of(callee):
            if name in HTTP_REQUESTS:
                url = argument(call, "url", HTTP_REQUESTS[name])
                found = Taint(context.model, context.module, function).of(url)
                if found and found.before is not None and _BEFORE_HOST.match(found.before):
                    yield self.report(call, name=found.name)
                return
