"""FAR719: a check of hosts that every host passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.arguments import has_open_arguments, written_out
from flake8_fastapi_rules.semantics.facts import Middleware
from flake8_fastapi_rules.semantics.middlewares import is_setting
from flake8_fastapi_rules.semantics.values import Constant

_TRUSTED = "starlette.middleware.trustedhost.TrustedHostMiddleware"
_PUTTING = frozenset({"starlette.middleware.Middleware"})


class TrustedHostWildcard(Rule):
    """Name the hosts that `TrustedHostMiddleware` is to trust.

    ## What it does
    Reports `TrustedHostMiddleware` with `"*"` among its hosts, and without any hosts, which means
    the same.

    ## Why it matters
    The middleware then checks nothing at all, but whoever reads the code believes that it does:
    links in mails and redirects are built from whatever `Host` a client sends.

    ## Example
    ```python
    from fastapi.middleware import Middleware
    from fastapi.middleware.trustedhost import TrustedHostMiddleware

    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=["*"])]
    ```

    ## Use instead
    ```python
    from fastapi.middleware import Middleware
    from fastapi.middleware.trustedhost import TrustedHostMiddleware

    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])]
    ```

    ## Leaves alone
    Patterns such as `*.shop.example`, and hosts that come from settings.

    ## Source
    `starlette.middleware.trustedhost` (1.10): `allow_any`.
    """

    code = "FAR719"
    message = "`TrustedHostMiddleware` with `*` trusts every host; name yours"
    variants = {
        "default": "`TrustedHostMiddleware` without `allowed_hosts` trusts every host; name yours",
    }
    profiles = ("recommended",)
    hints = ("TrustedHost", "allowed_hosts", "add_middleware")

    @on(Middleware)
    def check_table(self, middleware: Middleware, context: Context) -> Iterator[Report]:
        """Report the hosts in a row of a table that a loop puts on an app."""
        node = middleware.node
        if middleware.style != "add" or not isinstance(node, ast.Call) or not node.args:
            return
        is_row = not context.model.is_subclass(context.resolve(node.args[0]), _TRUSTED)
        if is_row and context.model.is_subclass(middleware.target, _TRUSTED):
            yield from self._judge(middleware.arguments.get("allowed_hosts"), context)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the hosts, however the middleware is put on."""
        if not call.args:
            return
        is_put = isinstance(call.func, ast.Attribute) and call.func.attr == "add_middleware"
        made = context.resolve(call)
        is_middleware = context.model.is_instance(made, *_PUTTING)
        if not context.model.is_instance(made, _TRUSTED) and not (
            (is_put or is_middleware)
            and context.model.is_subclass(context.resolve(call.args[0]), _TRUSTED)
        ):
            return
        # `TrustedHostMiddleware(app, hosts)`, but `add_middleware(TrustedHostMiddleware, hosts)`.
        hosts = argument(written_out(context.model, context.module, call), "allowed_hosts", 1)
        if hosts is None or context.resolve(hosts) == Constant(None):
            if not has_open_arguments(context.model, context.module, call):
                yield self.report(hosts or call, "default")
            return
        yield from self._judge(hosts, context)

    def _judge(self, hosts: ast.expr | None, context: Context) -> Iterator[Report]:
        if hosts is None or is_setting(context.model, context.module, hosts):
            return
        elements = context.model.elements(context.module, hosts) or ()
        if any(context.model.text(home, element) == "*" for home, element in elements):
            yield self.report(hosts)
