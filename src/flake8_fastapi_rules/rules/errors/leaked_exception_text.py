"""FAR405: what an unexpected exception says, sent to the client."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.answers import sent_to_client
from flake8_fastapi_rules.semantics.catching import caught_by
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS
from flake8_fastapi_rules.semantics.handlers import registrations
from flake8_fastapi_rules.semantics.leaked_text import leaked_texts
from flake8_fastapi_rules.semantics.libraries import is_internal_error
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.sql import is_statement
from flake8_fastapi_rules.semantics.values import Constant, External, qualified_name


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
                    if isinstance(part, ast.Name) and is_statement(context.resolve(part)):
                        yield self.report(part, "sql", name=part.id)

    def _check(
        self, body: list[ast.stmt], exception: str | None, names: list[str], context: Context
    ) -> Iterator[Report]:
        model, module = context.model, context.module
        for leaked in leaked_texts(model, module, body, exception, is_current=bool(names)):
            if names and not leaked.is_traceback:
                yield self.report(leaked.node, name=names[0].rpartition(".")[2])
            else:
                yield self.report(leaked.node, "traceback")
