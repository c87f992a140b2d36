"""Where the text of an exception, or a traceback, leaves a block of code for the client."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.semantics.answers import is_answered_later, sent_to_client
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.exception_text import ExceptionText
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS, RESPONSE
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module


@record
class LeakedText:
    """What goes to the client.

    Parameters:
        node: the expression that holds the text, or the exception that a helper makes a text of.
        is_traceback: whether it is a traceback.
    """

    node: ast.expr
    is_traceback: bool = False


def leaked_texts(
    model: Model,
    module: Module,
    body: list[ast.stmt],
    exception: str | None,
    *,
    is_current: bool = False,
) -> Iterator[LeakedText]:
    """The texts of an exception, and tracebacks, that a block of code sends to the client.

    Not those that are sent to developers only, or where the exception is known to be one of the
    project's.

    Parameters:
        body: the statements of an `except` clause or of a handler. What functions and other
            `except` clauses in there send is not looked at.
        exception: the variable that holds the exception; `None` to find tracebacks only.
        is_current: whether the exception is the one that is being handled, so that `sys` knows it.
    """
    text = ExceptionText(model, module, exception, is_current=is_current)
    is_sent = False
    for node in _own(body):
        if exception is not None and isinstance(node, ast.Call):
            given = _made_a_text_by_helper(model, module, node, exception)
            if given is not None and not text.is_known_as_own(given):
                yield LeakedText(given)
        for sink in sent_to_client(model, module, node):
            found = text.sent_in(sink)
            if found is None or text.is_for_developers(found) or text.is_known_as_own(found):
                continue
            is_sent = True
            yield LeakedText(found, text.is_traceback(found))
    if exception is not None and not is_sent:
        for found in _kept_for_answer(model, module, body, text):
            if not text.is_known_as_own(found):
                yield LeakedText(found)


def _kept_for_answer(
    model: Model, module: Module, body: list[ast.stmt], text: ExceptionText
) -> Iterator[ast.expr]:
    """The texts that are put into what an endpoint answers with in the end."""
    for node in _own(body):
        match node:
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id=kept), attr="append"), args=[put])
                | ast.Assign(targets=[ast.Subscript(value=ast.Name(id=kept))], value=put)
            ):
                found = text.sent_in(put)
                if found is None or text.is_for_developers(found):
                    continue
                if is_answered_later(model, module, node, kept):
                    yield found


def _made_a_text_by_helper(
    model: Model, module: Module, call: ast.Call, exception: str
) -> ast.expr | None:
    """The exception itself, given to a function that makes its text a response or an error."""
    given = next(
        (
            each
            for each in (*call.args, *(keyword.value for keyword in call.keywords))
            if isinstance(each, ast.Name) and each.id == exception
        ),
        None,
    )
    callee = model.resolve(module, call.func) if given is not None else None
    if not isinstance(callee, Function) or not isinstance(callee.node, FUNCTIONS):
        return None
    filled = argument_filled(callee, call, given) if given is not None else None
    if filled is None:
        return None
    answers = model.is_instance(model.resolve(module, call), RESPONSE, *HTTP_EXCEPTIONS)
    text = ExceptionText(model, callee.module, filled.arg)
    for node in _own(callee.node.body):
        if not answers and not isinstance(callee.module.index.parents.get(node), ast.Raise):
            continue
        for sink in sent_to_client(model, callee.module, node):
            found = text.sent_in(sink)
            if found is None or text.is_for_developers(found) or text.is_traceback(found):
                continue
            if not text.is_known_as_own(found):
                return given
    return None


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a block, without those of functions and of `except` clauses inside it."""
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ExceptHandler)):
            continue
        yield node
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
