"""FAR715: redirects to wherever a client wants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import argument
from flake8_fastapi_rules.semantics.taint import Taint
from flake8_fastapi_rules.semantics.values import Instance

_REDIRECT = "starlette.responses.RedirectResponse"
#: Text before which, and after which, the host is decided.
_BEFORE_HOST = re.compile(r"^(?:https?:)?(?://[^/?#]*)?$")


class UnvalidatedRedirect(Rule):
    """Redirect to addresses of your own only.

    ## What it does
    Reports `RedirectResponse` to a URL whose beginning is a parameter that nothing checks.

    ## Why it matters
    A link to a site that people trust then leads to one that they should not: a copy of its log-in
    page, with the token of a log-in in the address.

    ## Example
    ```python
    from fastapi import Request
    from fastapi.responses import RedirectResponse


    def back(request: Request) -> RedirectResponse:
        return RedirectResponse(request.query_params["next"])
    ```

    ## Use instead
    ```python
    from fastapi import Request
    from fastapi.responses import RedirectResponse

    PAGES = {"home": "/", "cart": "/cart"}


    def back(request: Request) -> RedirectResponse:
        return RedirectResponse(PAGES[request.query_params["next"]])
    ```

    ## Leaves alone
    Cookies and headers, which no link can set, parameters behind a literal host or path, look-ups,
    and any condition on the value.

    ## Source
    CWE-601.
    """

    code = "FAR715"
    message = "`{name}` decides where the redirect goes; check it against your own addresses"
    profiles = ("recommended",)
    hints = ("RedirectResponse",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report redirects to an unchecked URL."""
        function = context.module.index.function_of(call)
        made = context.resolve(call)
        if not isinstance(function, FUNCTIONS) or not isinstance(made, Instance):
            return
        if made.call is not call or not context.model.is_instance(made, _REDIRECT):
            return
        found = Taint(context.model, context.module, function).of(argument(call, "url", 0))
        if found is None or re.search(r"\.(?:cookies|headers)\b", found.name):
            return  # no link sets those in somebody else's browser
        if found.before is not None and _BEFORE_HOST.match(found.before):
            yield self.report(call, name=found.name)
