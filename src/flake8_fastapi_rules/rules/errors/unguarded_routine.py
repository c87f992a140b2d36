"""FAR402: a background routine that an exception can end without a word."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.routines import (
    guarding_try,
    has_nothing_to_guard,
    routines_in,
)
from flake8_fastapi_rules.semantics.values import External, Function


class UnguardedRoutine(Rule):
    """Put one `try`/`except` around the whole body of a background routine.

    ## What it does
    Reports a function that runs in the background (given to `create_task`, `add_task`, a scheduler
    or `repeat_every`) whose body is not one `try` with an `except`.

    ## Why it matters
    An exception that leaves a routine reaches nobody. A task dies and is noticed when it is
    garbage-collected, if at all; a loop that was started at start-up stops for good, and whatever
    it kept up to date is not any more. The routine's top level is the one place that can log it
    and go on.

    ## Example
    ```python
    from fastapi import BackgroundTasks


    def send_mail(address: str) -> None:
        deliver(address)


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
    A `try` that is the whole body of the routine's endless loop, assignments and log lines in
    front of it, routines that call nothing, tasks that somebody waits for, and
    routines below a decorator of the project, which may do it.

    ## Source
    The convention of one guarded top level for routines.
    """

    code = "FAR402"
    message = "Routine `{name}` has no `try`/`except` around its whole body"
    profiles = ("strict", "clean-architecture")
    scope = "project"

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report routines without a guard."""
        for node, starts in routines_in(context.model, module):
            if guarding_try(node) is not None or has_nothing_to_guard(node):
                continue
            if self._may_be_guarded(Function(module, node), context):
                continue
            where = context.source.name_range(node)
            related = [
                context.related(start.module, start.node, "it is started here")
                for start in starts[:1]
                if start.target_node is not None
            ]
            yield self.report(where, name=node.name, related=related)

    def _may_be_guarded(self, function: Function, context: Context) -> bool:
        """Whether a decorator of the project could catch what the body raises."""
        for decorator in getattr(function.node, "decorator_list", ()):
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not isinstance(context.resolve(target), External):
                return True
        return False
