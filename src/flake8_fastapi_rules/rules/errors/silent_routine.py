"""FAR404: a background routine whose errors leave no traceback."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.catching import is_broad, raises_again
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.recording import (
    loss_of,
    returns_exception,
    says_best_effort,
    speaks_of_error,
)
from flake8_fastapi_rules.semantics.routines import (
    closing_try,
    guarding_try,
    has_other_callers,
    only_sends_or_removes,
    routines_in,
)
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode

_LOG_HANDLER = "logging.Handler"


class SilentRoutine(Rule):
    """Log the traceback where a background routine catches everything.

    ## What it does
    Reports the outermost `except Exception` of a function that runs in the background (a task, a
    job of a scheduler, a background task) when it does not log the traceback.

    ## Why it matters
    Nobody waits for a background routine. Whatever its handler does not write down is lost: there
    is no answer with status 500, no traceback on the console, only work that was not done. The text
    of an exception alone, `'id'` for a `KeyError`, does not say where it came from.

    ## Example
    ```python
    import logging

    from fastapi import BackgroundTasks

    logger = logging.getLogger(__name__)


    def send_mail(address: str) -> None:
        try:
            deliver(address)
        except Exception as error:
            logger.error("mail failed: %s", error)


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
    Handlers of certain exceptions that do not speak of an error, handlers that raise, that hand
    the exception to a function of which nothing is known or return it to other callers, or that
    log the traceback in any way (`exc_info=`, Sentry, `traceback`); handlers that log with `debug`
    only, as what is expected to fail; handlers of log records; what only sends to a socket until
    that fails, or only removes files; what says of itself that it works at best effort, or has a
    fallback; and tasks that somebody waits for.

    ## Source
    Python's documentation of `logging.exception`; the convention of one guarded, logged top level
    for routines.
    """

    code = "FAR404"
    message = "Routine `{name}` logs an exception without its traceback; use `logger.exception`"
    variants = {"silent": "Routine `{name}` swallows exceptions; log them with the traceback"}
    profiles = ("recommended",)
    scope = "project"
    hints = ("except",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the broad outermost handlers of routines that lose the traceback."""
        for node, started in routines_in(context.model, module):
            if self._is_log_handler(node, context):
                continue  # what it logs would come back to it
            guard = guarding_try(node) or closing_try(node)
            if guard is None or only_sends_or_removes(guard):
                continue
            if says_best_effort(ast.get_docstring(node) or ""):
                continue
            for handler in guard.handlers:
                if (
                    says_best_effort(context.source.segment(handler))
                    or not self._is_for_all(handler, guard, context)
                    or raises_again(handler)
                ):
                    continue
                loss = loss_of(context.model, module, handler)
                if loss is None or (
                    returns_exception(handler)
                    and has_other_callers(context.model, Function(module, node), started)
                ):
                    continue
                head = context.source.keyword_range(handler)  # type: ignore[arg-type]
                yield self.report(head, "silent" if loss == "silent" else None, name=node.name)

    def _is_log_handler(self, function: FunctionNode, context: Context) -> bool:
        cls = context.module.index.class_of(function)
        return cls is not None and context.model.is_subclass(
            Class(context.module, cls), _LOG_HANDLER
        )

    def _is_for_all(
        self, handler: ast.ExceptHandler, guard: ast.Try | ast.TryStar, context: Context
    ) -> bool:
        """Whether a handler is for all that is not expected, whatever it catches."""
        is_last = handler is guard.handlers[-1]
        return is_broad(context.model, context.module, handler) or (
            is_last and speaks_of_error(handler)
        )
