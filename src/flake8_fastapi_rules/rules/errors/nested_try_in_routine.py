"""FAR403: exceptions of a background routine handled in more than one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.catching import caught_by
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.routines import (
    guarding_try,
    helpers_of_routines,
    routines_in,
)
from flake8_fastapi_rules.semantics.values import FunctionNode

_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError"})


class NestedTryInRoutine(Rule):
    """Handle a routine's exceptions at its top, and only there.

    ## What it does
    Reports a `try` with `except` inside of a background routine that has one around its whole
    body, and in functions of the project that only such routines call.

    ## Why it matters
    A routine's top level logs what went wrong and where. Each further handler below it hides
    something from that log, and leaves the routine to go on with half of its work undone.

    ## Example
    ```python
    import logging

    from fastapi import BackgroundTasks

    logger = logging.getLogger(__name__)


    def send_mail(address: str) -> None:
        try:
            try:
                deliver(address)
            except OSError:
                deliver_later(address)
        except Exception:
            logger.exception("no mail to %s", address)


    def notify(background: BackgroundTasks) -> None:
        background.add_task(send_mail, "me@example.org")
    ```

    ## Use instead
    ```python
    import logging

    from fastapi import BackgroundTasks

    logger = logging.getLogger(__name__)


    def send_mail(address: str) -> None:
        try:
            deliver(address)
        except Exception:
            logger.exception("no mail to %s", address)


    def notify(background: BackgroundTasks) -> None:
        background.add_task(send_mail, "me@example.org")
    ```

    ## Leaves alone
    `try` with only `finally`, handlers of `CancelledError`, routines without a guard of their own,
    and helpers that anything else calls as well.

    ## Source
    The convention of one guarded top level for routines.
    """

    code = "FAR403"
    message = "Routine `{name}` handles exceptions in more than one place; keep the outermost `try`"
    variants = {"helper": "`{name}` serves routines only; leave its exceptions to their `except`"}
    profiles = ("strict", "clean-architecture")
    scope = "project"
    hints = ("except",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report inner handlers of routines, and handlers of their helpers."""
        for node, _ in routines_in(context.model, module):
            guard = guarding_try(node)
            if guard is not None:
                for inner in self._tries(node, context):
                    if inner is not guard:
                        yield self.report(inner, name=node.name)
        for node in helpers_of_routines(context.model, module):
            for inner in self._tries(node, context):
                yield self.report(inner, "helper", name=node.name)

    def _tries(self, function: FunctionNode, context: Context) -> Iterator[ast.Try | ast.TryStar]:
        for node in context.module.index.own_nodes(function):
            if isinstance(node, ast.Try | ast.TryStar) and any(
                not _CANCELLED.issuperset(caught_by(context.model, context.module, h) or [""])
                for h in node.handlers
            ):
                yield node
