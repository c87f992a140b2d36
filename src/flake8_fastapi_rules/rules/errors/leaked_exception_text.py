"""FAR405: what an unexpected exception says, sent to the client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.answers import is_answered_later, sent_to_client
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.catching import caught_by
from flake8_fastapi_rules.semantics.exception_text import ExceptionText
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS, RESPONSE
from flake8_fastapi_rules.semantics.handlers import registrations
from flake8_fastapi_rules.semantics.libraries import is_internal_error
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    External,
    Function,
    qualified_name,
)

_SQL = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s.+\sset\s|delete\s+from\s)",
    re.IGNORECASE | re.DOTALL,
)


class LeakedExceptionText(Rule):
    """Log what an unexpected exception says; do not send it.

    ## What it does
    Reports the text of an `Exception`, of an error of a database, of the operating system or of an
    HTTP client, a traceback, and SQL, in the `detail` of an `HTTPException`, in a response, in
    what a stream yields, or in what a WebSocket sends.

    ## Why it matters
    Nobody knows beforehand what such a text contains: SQL with its values, paths, host names,
    tokens in URLs. It helps attackers and tells users nothing. And a client that shows or matches
    it breaks with the next version of a library.

    ## Example
    ```python
    from fastapi import HTTPException


    def load(name: str) -> str:
        try:
            return fetch(name)
        except Exception as error:
            raise HTTPException(status_code=500, detail=str(error)) from error
    ```

    ## Use instead
    ```python
    from fastapi import Request
    from fastapi.responses import JSONResponse

    from app.logs import logger


    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s failed", request.url.path, exc_info=error)
        return JSONResponse({"detail": "Internal error"}, status_code=500)
    ```

    ## Leaves alone
    Exceptions of the project, builtin ones such as `ValueError` that code raises to say something,
    validation errors, what `isinstance` says to be one of them, the class name of an exception, and
    text that is sent only under a condition that says debug or development.

    ## Source
    OWASP: improper error handling; CWE-209.
    """

    code = "FAR405"
    message = (
        "The text of `{name}` is sent to the client; log it, and answer with a text of your own"
    )
    variants = {
        "traceback": "A traceback is sent to the client; log it",
        "sql": "The SQL in `{name}` is sent to the client; log it",
    }
    profiles = ("recommended",)
    hints = ("except", "exc", "Exc", "traceback")
    framework_only = True

    @on(ast.ExceptHandler, framework_only=True)
    def check_except(self, handler: ast.ExceptHandler, context: Context) -> Iterator[Report]:
        """Report texts of unexpected exceptions that leave an `except` clause."""
        caught = caught_by(context.model, context.module, handler)
        names = [name for name in caught or () if self._is_internal(name, context)]
        yield from self._check(handler.body, handler.name if names else None, names, context)

    def _is_internal(self, name: str, context: Context) -> bool:
        """Whether nobody wrote the text of an exception for clients.

        A builtin exception that the project raises itself says what the project wants to say.
        """
        if not is_internal_error(name):
            return False
        word = name.removeprefix("builtins.")
        if word == name or word in {"Exception", "BaseException", "OSError"}:
            return True
        return not any(modules_mentioning(context.model, context.module, f"raise {word}"))

    @on(FrameworkFunction)
    def check_handler(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report texts of unexpected exceptions that a registered handler answers with."""
        if Role.EXCEPTION_HANDLER not in fact.roles:
            return
        arguments = [*fact.node.args.posonlyargs, *fact.node.args.args]
        names = []
        for handler in registrations(context.model, context.module, fact.node):
            is_any = handler.caught == Constant(500)  # what nothing else handles
            name = "builtins.Exception" if is_any else qualified_name(handler.caught) or ""
            if not (is_any or isinstance(handler.caught, External)) or not is_internal_error(name):
                return
            names.append(name)
        if len(arguments) >= 2 and names:
            yield from self._check(fact.node.body, arguments[-1].arg, names, context)

    @on(FrameworkFunction)
    def check_sql(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report SQL in the errors that FastAPI code answers with."""
        for node in context.module.index.own_nodes(fact.node):
            if not isinstance(node, ast.Call) or not context.model.is_instance(
                context.resolve(node), *HTTP_EXCEPTIONS
            ):
                continue
            for sink in sent_to_client(context.model, context.module, node):
                for part in ast.walk(sink):
                    if isinstance(part, ast.Name) and self._is_sql(part, context):
                        yield self.report(part, "sql", name=part.id)

    def _is_sql(self, node: ast.Name, context: Context) -> bool:
        """Whether a variable holds an SQL statement."""
        match context.resolve(node):
            case Constant(value=str() as text):
                return bool(_SQL.match(text))
            case Expression(node=ast.JoinedStr(values=values)):
                parts = (v.value if isinstance(v, ast.Constant) else "x" for v in values)
                return bool(_SQL.match("".join(map(str, parts))))
        return False

    def _check(
        self, body: list[ast.stmt], exception: str | None, names: list[str], context: Context
    ) -> Iterator[Report]:
        text = ExceptionText(context.model, context.module, exception, is_current=bool(names))
        is_sent = False
        for node in _own(body):
            if exception is not None and isinstance(node, ast.Call):
                given = self._handed_over(node, exception, context)
                if given is not None and not self._is_known_as_own(
                    given, exception, context.module, context
                ):
                    yield self.report(given, name=names[0].rpartition(".")[2])
            for sink in sent_to_client(context.model, context.module, node):
                found = text.sent_in(sink)
                if found is None or text.is_for_developers(found):
                    continue
                if exception is not None and self._is_known_as_own(
                    found, exception, context.module, context
                ):
                    continue
                is_sent = True
                if names and not text.is_traceback(found):
                    name = names[0].rpartition(".")[2]
                    yield self.report(found, name=name)
                else:
                    yield self.report(found, "traceback")
        if exception is not None and not is_sent:
            for found in self._kept(body, text, context):
                if not self._is_known_as_own(found, exception, context.module, context):
                    yield self.report(found, name=names[0].rpartition(".")[2])

    def _kept(
        self, body: list[ast.stmt], text: ExceptionText, context: Context
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
                    if is_answered_later(context.model, context.module, node, kept):
                        yield found

    def _handed_over(self, call: ast.Call, exception: str, context: Context) -> ast.expr | None:
        """The exception itself, given to a helper that makes its text a response or an error."""
        model = context.model
        given = next(
            (
                each
                for each in (*call.args, *(keyword.value for keyword in call.keywords))
                if isinstance(each, ast.Name) and each.id == exception
            ),
            None,
        )
        callee = context.resolve(call.func) if given is not None else None
        if not isinstance(callee, Function) or not isinstance(callee.node, FUNCTIONS):
            return None
        filled = argument_filled(callee, call, given) if given is not None else None
        if filled is None:
            return None
        answers = model.is_instance(context.resolve(call), RESPONSE, *HTTP_EXCEPTIONS)
        text = ExceptionText(model, callee.module, filled.arg)
        for node in _own(callee.node.body):
            if not answers and not isinstance(callee.module.index.parents.get(node), ast.Raise):
                continue
            for sink in sent_to_client(model, callee.module, node):
                found = text.sent_in(sink)
                if found is None or text.is_for_developers(found) or text.is_traceback(found):
                    continue
                if not self._is_known_as_own(found, filled.arg, callee.module, context):
                    return given
        return None

    def _is_known_as_own(
        self, node: ast.expr, exception: str, module: Module, context: Context
    ) -> bool:
        """Whether a condition around a text says that the exception is one of the project's."""
        child: ast.AST = node
        for parent in module.index.ancestors(node):
            if isinstance(parent, ast.ExceptHandler):
                return False
            if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
                test = module.index.condition(parent.test)
                if child in (parent.orelse if isinstance(parent, ast.If) else [parent.orelse]):
                    match test:
                        case ast.UnaryOp(op=ast.Not(), operand=inner):
                            test = inner
                        case _:
                            test = ast.Constant(None)
                kinds = _kinds_asked(test, exception)
                if kinds:
                    return all(
                        isinstance(context.model.resolve(module, kind), Class) for kind in kinds
                    )
            child = parent
        return False


def _kinds_asked(test: ast.expr, exception: str) -> list[ast.expr]:
    """The classes of which a condition says that the exception is one: `isinstance(error, X)`."""
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kinds]):
            if name == exception:
                return kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
        case ast.BoolOp(op=ast.And(), values=values):
            return next((found for v in values if (found := _kinds_asked(v, exception))), [])
    return []


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a block, without those of functions and of `except` clauses inside it."""
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ExceptHandler)):
            continue
        yield node
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
