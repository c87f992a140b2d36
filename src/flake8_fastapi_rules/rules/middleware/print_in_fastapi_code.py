"""FAR808: print instead of a log."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.values import External


class PrintInFastapiCode(Rule):
    """Log instead of printing.

    ## What it does
    Reports `print` in endpoints, dependencies, lifespans, exception handlers and middleware.

    ## Why it matters
    What is printed has no level, no time and no request id, cannot be switched off, and mixes with
    the server's own lines.

    ## Example
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        print("started")
        yield


    def prepare(**settings: object) -> FastAPI:
        return FastAPI(lifespan=lifespan, **settings)
    ```

    ## Use instead
    ```python
    import logging

    logger = logging.getLogger(__name__)


    def greet(name: str) -> None:
        logger.info("hello %s", name)
    ```

    ## Leaves alone
    All other code.

    ## Source
    The convention of structured logs.
    """

    code = "FAR808"
    message = "`print` in {role} `{name}`; use a logger"
    profiles = ("strict",)
    hints = ("print",)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report each call of the built-in."""
        others = {fact.node for fact in context.facts(FrameworkFunction)} - {function.node}
        for node in _nodes_of(function.node, others):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name | ast.Attribute)
                and context.resolve(node.func) == External("builtins.print")
            ):
                role = min(role.value for role in function.roles)
                yield self.report(node, role=role, name=function.node.name)


def _nodes_of(node: ast.AST, others: set[ast.AST]) -> Iterator[ast.AST]:
    """What is inside of a function, and of the functions in there that FastAPI does not call."""
    for child in ast.iter_child_nodes(node):
        if child not in others:
            yield child
            yield from _nodes_of(child, others)
