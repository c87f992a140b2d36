"""FAR406: exceptions that say nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.fixes.edit import is_docstring
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.catching import may_be_caught
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.handlers import exceptions_with_handlers
from flake8_fastapi_rules.semantics.values import External, Function, Instance

_BARE = frozenset({"builtins.Exception", "builtins.BaseException"})
#: What `strict` does not want to see in endpoints either: they end as 500.
_BUILTIN = frozenset({"builtins.ValueError", "builtins.KeyError", "builtins.RuntimeError"})


#: Endpoints that raise to see what a handler makes of it.
_TRIES = re.compile(
    r"_*(?:test|simulate|trigger)_(?:\w+_)?(?:error|exception|crash|failure|sentry)$"
)


#: What such an endpoint raises: `Exception("test exception")`.
_TRIED = re.compile(r"(?i)\b(?:test(?:ing)?|expected) (?:crash|error|exception|failure)\b")


class BareExceptionRaised(Rule):
    """Raise an exception of your own, or an `HTTPException`.

    ## What it does
    Reports `raise Exception(...)` and `raise BaseException(...)` in endpoints, dependencies and
    other FastAPI code; in the profile `strict` also `ValueError`, `KeyError` and `RuntimeError` in
    endpoints.

    ## Why it matters
    A bare `Exception` ends as 500 and cannot be told from a bug: no handler can answer it with
    another status, and whoever wants to catch it has to catch everything.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends, Header


    def token(authorization: Annotated[str, Header()]) -> str:
        if not authorization.startswith("Bearer "):
            raise Exception("no token")
        return authorization.removeprefix("Bearer ")


    Token = Annotated[str, Depends(token)]
    ```

    ## Use instead
    ```python
    from fastapi import HTTPException


    def token(authorization: str) -> str:
        \"\"\"The token in a header.\"\"\"
        if not authorization.startswith("Bearer "):
            raise HTTPException(status_code=401, detail="A bearer token is needed")
        return authorization.removeprefix("Bearer ")
    ```

    ## Leaves alone
    Subclasses of `Exception`, builtin ones that the function itself catches or that the app has a
    handler for, functions that FastAPI does not call, and those that say that they only try it
    (`simulate_error`).

    ## Source
    FastAPI's documentation on handling errors.
    """

    code = "FAR406"
    message = "`{name}` says nothing; raise an exception of its own class, or `HTTPException`"
    variants = {
        "builtin": "`{name}` ends as 500; raise `HTTPException` or an error with a handler",
        "socket": "`{name}` breaks the connection off; raise `WebSocketException`, or close it",
    }
    profiles = ("recommended",)
    hints = ("raise",)

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report bare exceptions, and builtin ones that leave an endpoint."""
        if _TRIES.match(getattr(fact.node, "name", "")) or _only_tries(fact.node):
            return
        function = Function(fact.module, fact.node)
        serves = fact.roles & {Role.ENDPOINT, Role.WEBSOCKET}
        is_strict = context.settings.profile == "strict" and bool(serves)
        builtin = "builtin" if Role.ENDPOINT in serves else "socket"
        model, module = context.model, context.module
        handled = exceptions_with_handlers(model, module) if is_strict else ()
        for node in context.module.index.own_nodes(fact.node):
            if not isinstance(node, ast.Raise) or node.exc is None:
                continue
            raised = context.model.effects.raised(fact.module, node)
            if raised is None or not isinstance(raised.exception, External):
                continue
            name = raised.exception.name
            if name not in _BARE and not (is_strict and name in _BUILTIN):
                continue
            if name in _BUILTIN and raised.exception in handled:
                continue  # a handler of the app answers it
            if isinstance(node.exc, ast.Name) and not self._is_made_here(node.exc, fact, context):
                continue  # an exception that was caught or made elsewhere
            is_bare = name in _BARE
            if is_bare or not may_be_caught(
                context.model.resolver, function, node, raised.exception
            ):
                variant = None if is_bare else builtin
                yield self.report(node, variant, name=name.rpartition(".")[2])

    def _is_made_here(self, node: ast.Name, fact: FrameworkFunction, context: Context) -> bool:
        value = context.resolve(node)
        if isinstance(value, Instance) and value.call is not None:
            return context.module.index.function_of(value.call) is fact.node
        return isinstance(value, External)


def _only_tries(node: ast.AST) -> bool:
    """Whether a function does nothing but raise what says that it is a test."""
    match getattr(node, "body", None):
        case [*_, ast.Raise(exc=ast.Call(args=[ast.Constant(value=str() as said)]))] as body:
            return _TRIED.search(said) is not None and all(
                isinstance(each, ast.Raise) or is_docstring(each) for each in body
            )
        case _:
            return False
