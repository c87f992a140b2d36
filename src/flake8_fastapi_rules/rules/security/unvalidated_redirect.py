"""FAR715: redirects to wherever a client wants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.development import is_for_development
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.responses import answers_with
from flake8_fastapi_rules.semantics.taint import Tainted, taint_in, text_in_sink
from flake8_fastapi_rules.semantics.uses import Uses
from flake8_fastapi_rules.semantics.values import Instance

_REDIRECT = "starlette.responses.RedirectResponse"
#: Text before which, and after which, the host is decided.
_BEFORE_HOST = re.compile(r"^(?:https?:)?(?://[^/?#]*)?$")


class UnvalidatedRedirect(Rule):
    """Redirect to addresses of your own only.

    ## What it does
    Reports `RedirectResponse` to a URL whose beginning is a parameter that nothing checks, also
    where a function of the project makes it of what it is given.

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
    any condition on the value, and branches for development (`if settings.debug:`).

    ## Source
    CWE-601.
    """

    code = "FAR715"
    message = "`{name}` decides where the redirect goes; check it against your own addresses"
    profiles = ("recommended",)

    @on(ast.Call, hints=("RedirectResponse",))
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report redirects to an unchecked URL."""
        found = text_in_sink(context.model, context.module, call, _urls, _decides)
        if found is not None and not is_for_development(context.module, call):
            yield self.report(call, name=found.name)

    @on(Endpoint)
    def check_endpoint(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report URLs that become a redirect elsewhere: in a helper, by `response_class`."""
        if not _redirects_anywhere(context.model, context.module):
            return
        taint = taint_in(context.model, context.module, endpoint.node)
        for call, reached in taint.all_reached(_urls, _decides):
            related = [context.related(reached.module, reached.call, "the redirect")]
            yield self.report(call, name=reached.found.name, related=related)
        if not all(answers_with(context.model, route, _REDIRECT) for route in endpoint.routes):
            return
        for node in context.module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Return) and node.value is not None:
                found = taint.of(node.value)
                if found is not None and _decides(found):
                    yield self.report(node.value, name=found.name)


def _mention_redirects(model: Model, uses: Uses) -> bool:
    return any("RedirectResponse" in module.source.text for module in uses.modules)


_redirects_anywhere = PerProject(_mention_redirects)


def _urls(model: Model, module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """Where a call redirects to."""
    made = model.resolve(module, call)
    if isinstance(made, Instance) and made.call is call and model.is_instance(made, _REDIRECT):
        if (url := argument(call, "url", 0)) is not None:
            yield url


def _decides(found: Tainted) -> bool:
    """Whether a text says which host a URL leads to."""
    if re.search(r"\.(?:cookies|headers)\b", found.name):
        return False  # no link sets those in somebody else's browser
    return found.before is not None and _BEFORE_HOST.match(found.before) is not None
