"""FAR404: a background routine whose errors leave no traceback."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from flake8_fastapi_rules.engine.index import mentions, terminal_name
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.catching import is_broad, raises_again
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine
from flake8_fastapi_rules.semantics.libraries import (
    TRACEBACK_ARGUMENTS,
    TRACEBACK_LOG_CALLS,
    is_in,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.routines import (
    closing_try,
    guarding_try,
    routines_in,
)
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    FunctionNode,
)

_LOG_HANDLER = "logging.Handler"
#: What sends to a WebSocket.
_SENDS = frozenset({"ping", "send_bytes", "send_json", "send_ping", "send_text"})
#: What removes a file.
_REMOVALS = frozenset({"remove", "rmtree", "unlink"})
#: What may stand around either.
_BESIDE = frozenset(
    {
        "debug", "dumps", "exists", "info", "is_file", "isfile", "isoformat", "model_dump",
        "model_dump_json", "now", "print", "sleep", "time", "utcnow", "wait_for",
    }
)  # fmt: skip
#: How authors say that nothing is lost with what fails.
_BEST_EFFORT = re.compile(r"(?i)\bbest[- ]effort\b|\bharmless\b|\bnever raises\b|\bnon-?critical\b")
_QUIET = frozenset({"print", "str", "repr", "type", "isinstance", "format", "getattr"})
_LEVELS = frozenset(
    {"debug", "info", "warn", "warning", "error", "critical", "fatal", "log", "trace", "success"}
)
#: Levels of what is expected to fail now and then.
_EXPECTED = frozenset({"debug", "trace"})
#: Exceptions that end what a routine waits for.
_EXPECTED_TYPES = re.compile(r"Cancel|Closed|Disconnect|Empty|Exit|Interrupt|Stop|Timeout")
_TRACED = frozenset(
    {"exception", "aexception", "capture_exception", "record_exception", "print_exc", "format_exc"}
)


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
            cls = module.index.class_of(node)
            if cls is not None and context.model.is_subclass(Class(module, cls), _LOG_HANDLER):
                continue  # what it logs would come back to it
            guard = guarding_try(node) or closing_try(node)
            if guard is None or _does_only(guard, _SENDS) or _does_only(guard, _REMOVALS):
                continue  # that it fails is how a socket says that nobody is there any more
            if _BEST_EFFORT.search(ast.get_docstring(node) or ""):
                continue
            for handler in guard.handlers:
                if _BEST_EFFORT.search(context.source.segment(handler)):
                    continue
                is_outermost = is_broad(context.model, module, handler) or (
                    handler is guard.handlers[-1] and _speaks_of_error(handler)
                )
                if is_outermost and not raises_again(handler):
                    found = self._verdict(handler, context)
                    if _returns_exception(handler) and self._has_other_callers(
                        node, started, context
                    ):
                        continue
                    if found is not None:
                        head = context.source.keyword_range(handler)  # type: ignore[arg-type]
                        variant = "silent" if found == "silent" else None
                        yield self.report(head, variant, name=node.name)

    def _verdict(
        self, handler: ast.ExceptHandler, context: Context
    ) -> Literal["silent", "brief"] | None:
        """What a handler does: logs too little, nothing at all, or what is right or unknown."""
        levels: set[str] = set()
        for statement in handler.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Attribute | ast.Name) and terminal_name(node) in _TRACED:
                    return None
                if not isinstance(node, ast.Call):
                    continue
                if self._logs_traceback(node, context):
                    return None
                name = terminal_name(node.func)
                if name in _LEVELS:
                    levels.add(name)
                elif name not in _QUIET and (
                    "fallback" in name.lower() or self._gets_exception(node, handler, context)
                ):
                    return None
        if levels and levels <= _EXPECTED:
            return None
        return "brief" if levels else "silent"

    def _has_other_callers(
        self, node: FunctionNode, started: Iterable[BackgroundRoutine], context: Context
    ) -> bool:
        """Whether somebody calls a routine also for what it returns."""
        starting = {id(each) for routine in started for each in ast.walk(routine.node)}
        calls = context.model.direct_calls(Function(context.module, node))
        return any(id(call.node) not in starting for call in calls)

    def _logs_traceback(self, call: ast.Call, context: Context, depth: int = 0) -> bool:
        for keyword in call.keywords:
            if keyword.arg in TRACEBACK_ARGUMENTS:
                value = context.resolve(keyword.value)
                return not (isinstance(value, Constant) and not value.value)
        callee = context.resolve(call.func)
        if isinstance(callee, External):
            return is_in(callee.name, TRACEBACK_LOG_CALLS)
        if isinstance(callee, Function) and depth == 0:
            return any(
                terminal_name(site.node.func) in _TRACED
                or any(keyword.arg in TRACEBACK_ARGUMENTS for keyword in site.node.keywords)
                for site in context.model.effects.calls(callee)
            )
        return False

    def _gets_exception(self, call: ast.Call, handler: ast.ExceptHandler, context: Context) -> bool:
        """Whether a function that may do the logging is given the exception itself."""
        if handler.name is None:
            return False
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        return any(
            isinstance(each, ast.Name) and each.id == handler.name
            for value in given
            for each in _parts(value)
        )


def _speaks_of_error(handler: ast.ExceptHandler) -> bool:
    """Whether a handler of certain exceptions tells of one as of an error: it is not expected."""
    if handler.type is not None and _EXPECTED_TYPES.search(ast.unparse(handler.type)):
        return False
    return any(
        isinstance(node, ast.Call) and terminal_name(node.func) in {"critical", "error", "print"}
        for statement in handler.body
        for node in ast.walk(statement)
    )


def _parts(value: ast.expr) -> list[ast.expr]:
    """A value, or what a collection is written of: `queue.put(("error", exc))`."""
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return list(parts)
        case _:
            return [value]


def _does_only(guard: ast.Try | ast.TryStar, work: frozenset[str]) -> bool:
    """Whether a `try` does nothing but call `work`, now and then perhaps, or on a condition.

    What the arguments are made of does not matter, as long as nobody has to wait for it.
    """
    called = {terminal_name(call.func) for each in guard.body for call in _outer_calls(each)}
    rest = {name for name in called - work - _BESIDE if not name[:1].isupper()}  # no classes
    return not called.isdisjoint(work) and not rest


def _outer_calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a statement without those that only make arguments for a call."""
    if not isinstance(node, ast.Call):
        for child in ast.iter_child_nodes(node):
            yield from _outer_calls(child)
        return
    yield node
    for given in (*node.args, *(keyword.value for keyword in node.keywords)):
        is_waited = any(isinstance(each, ast.Await) for each in ast.walk(given))
        if is_waited or terminal_name(node.func) == "wait_for":
            yield from _outer_calls(given)


def _returns_exception(handler: ast.ExceptHandler) -> bool:
    """Whether a handler returns what it caught, or a text of it."""
    return handler.name is not None and any(
        isinstance(each, ast.Return)
        and each.value is not None
        and mentions(each.value, {handler.name})
        for statement in handler.body
        for each in ast.walk(statement)
    )
