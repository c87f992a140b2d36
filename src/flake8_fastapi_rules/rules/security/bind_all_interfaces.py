"""FAR721: a server that listens everywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on

_EVERYWHERE = frozenset({"0.0.0.0", "::", "[::]"})  # noqa: S104
_SERVERS = frozenset({"uvicorn.run", "uvicorn.Config"})


class BindAllInterfaces(Rule):
    """Listen on the interface that clients come from.

    ## What it does
    Reports `uvicorn.run(host="0.0.0.0")` and `uvicorn.Config` with the same host.

    ## Why it matters
    The server then answers on every network that the machine is in, also those that nobody
    thought of. Where it is right, in a container, the command line or the settings say so.

    ## Example
    ```python
    import uvicorn


    def main() -> None:
        uvicorn.run("shop.main:create_app", factory=True, host="0.0.0.0")
    ```

    ## Use instead
    ```python
    import uvicorn


    def main() -> None:
        uvicorn.run("shop.main:create_app", factory=True, host="127.0.0.1")
    ```

    ## Leaves alone
    Hosts that come from settings or the environment.

    ## Source
    CWE-605; bandit's B104.
    """

    code = "FAR721"
    message = "The server listens on every interface; bind the one that clients come from"
    profiles = ("opt-in",)
    hints = ("uvicorn",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the host argument."""
        callee = context.library_object(call.func)
        if callee is None or callee.name not in _SERVERS:
            return
        host = argument(call, "host", 1)
        if host is not None and context.model.text(context.module, host) in _EVERYWHERE:
            yield self.report(host)
