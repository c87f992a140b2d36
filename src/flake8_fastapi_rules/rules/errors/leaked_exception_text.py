"""FAR405: what an unexpected exception says, sent to the client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.handlers import registrations
from flake8_fastapi_rules.semantics.libraries import is_internal_error
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.routines import caught_by
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
    qualified_name,
)

_HTTP_EXCEPTIONS = ("starlette.exceptions.HTTPException", "fastapi.HTTPException")
_SOCKET_EXCEPTIONS = ("starlette.exceptions.WebSocketException", "fastapi.WebSocketException")
#: Where the text stands in what is sent: keyword and position.
_DETAIL = ("detail", 1)
_CONTENT = ("content", 0)
_REASON = ("reason", 1)
#: The methods of a WebSocket that send text.
_SENDING = {"send_text": ("data", 0), "send_json": ("data", 0), "close": _REASON}
_SQL = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s.+\sset\s|delete\s+from\s)",
    re.IGNORECASE | re.DOTALL,
)
#: Attributes of exceptions that hold their text, or the SQL behind it.
_TEXTS = frozenset({"args", "orig", "statement", "message", "msg", "pgerror", "strerror"})
_STRINGIFIERS = frozenset({"str", "repr", "format", "ascii"})
#: Text for developers only is text that clients do not get.
_GUARD = re.compile(r"debug|dev|local|environment|verbose|is_prod|production", re.IGNORECASE)
_TRACEBACKS = frozenset(
    {"traceback.format_exc", "traceback.format_exception", "traceback.format_tb"}
)


class LeakedExceptionText(Rule):
    """Log what an unexpected exception says; do not send it.

    ## What it does
    Reports the text of an `Exception`, of an error of a database, of the operating system or of an
    HTTP client, a traceback, and SQL, in the `detail` of an `HTTPException`, in a response, or in
    what a WebSocket sends.

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
    validation errors, the class name of an exception, and text that is sent only under a condition
    that says debug or development.

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

    @on(ast.ExceptHandler)
    def check_except(self, handler: ast.ExceptHandler, context: Context) -> Iterator[Report]:
        """Report texts of unexpected exceptions that leave an `except` clause."""
        if not context.module.mentions_framework:
            return
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
            name = qualified_name(handler.caught) or ""
            if not isinstance(handler.caught, External) or not is_internal_error(name):
                return
            names.append(name)
        if len(arguments) >= 2 and names:
            yield from self._check(fact.node.body, arguments[-1].arg, names, context)

    @on(FrameworkFunction)
    def check_sql(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report SQL in the errors that FastAPI code answers with."""
        for node in context.module.index.own_nodes(fact.node):
            if not isinstance(node, ast.Call) or not context.model.is_instance(
                context.resolve(node), *_HTTP_EXCEPTIONS
            ):
                continue
            for sink in self._sinks(node, context):
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
        for node in _own(body):
            for sink in self._sinks(node, context):
                found = self._leak(sink, exception, context)
                if found is None or self._is_guarded(found, context):
                    continue
                if exception is not None and not _is_traceback(found, context):
                    name = names[0].rpartition(".")[2]
                    yield self.report(found, name=name)
                elif _is_traceback(found, context):
                    yield self.report(found, "traceback")

    def _sinks(self, node: ast.AST, context: Context) -> Iterator[ast.expr]:
        """The expressions in a statement or call that go to the client."""
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            function = context.module.index.function_of(node)
            if isinstance(function, FUNCTIONS):
                roles = context.model.roles(Function(context.module, function))
                if Role.ENDPOINT in roles:
                    yield node.value
        if not isinstance(node, ast.Call):
            return
        if isinstance(node.func, ast.Attribute) and node.func.attr in _SENDING:
            receiver = context.resolve(node.func.value)
            if context.model.is_instance(receiver, "starlette.websockets.WebSocket"):
                given = _argument(node, *_SENDING[node.func.attr])
                if given is not None:
                    yield given
            return
        value = context.resolve(node)
        if isinstance(value, Instance) and value.call is node:
            for kinds, (keyword, position) in (
                (_HTTP_EXCEPTIONS, _DETAIL),
                (_SOCKET_EXCEPTIONS, _REASON),
                ((RESPONSE,), _CONTENT),
            ):
                if context.model.is_instance(value, *kinds):
                    if isinstance(value.of, Class) and not _takes(value.of, keyword, context):
                        return
                    given = _argument(node, keyword, position)
                    if given is not None:
                        yield given

    def _leak(
        self, node: ast.expr, exception: str | None, context: Context, depth: int = 0
    ) -> ast.expr | None:
        """The part of an expression that holds the exception's text."""
        match node:
            case ast.JoinedStr(values=values):
                for part in values:
                    if isinstance(part, ast.FormattedValue):
                        if _is_name(part.value, exception):
                            return node
                        if self._leak(part.value, exception, context, depth) is not None:
                            return node
                return None
            case ast.Call(func=ast.Name(id=name), args=[argument, *_]) if name in _STRINGIFIERS:
                return node if _is_text_of(argument, exception) else None
            case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant()), args=arguments):
                return node if any(_is_text_of(a, exception) for a in arguments) else None
            case ast.Call():
                if _is_traceback(node, context):
                    return node
                if isinstance(node.func, ast.Name) and node.func.id in (
                    "type",
                    "len",
                    "isinstance",
                ):
                    return None
                inner = [*node.args, *(keyword.value for keyword in node.keywords)]
                if isinstance(node.func, ast.Attribute) and node.func.attr in (
                    "join",
                    "splitlines",
                ):
                    inner.append(node.func.value)
                    return self._first(inner, exception, context, depth)
                value = context.resolve(node.func)
                is_model = context.model.is_subclass(value, "pydantic.BaseModel")
                is_dict = value == External("builtins.dict")
                return (
                    self._first(inner, exception, context, depth) if is_model or is_dict else None
                )
            case ast.BinOp(op=ast.Mod(), right=right):
                parts = right.elts if isinstance(right, ast.Tuple) else [right]
                if any(_is_text_of(part, exception) for part in parts):
                    return node
                return self._first(parts, exception, context, depth)
            case ast.BinOp(left=left, right=right):
                return self._first([left, right], exception, context, depth)
            case ast.Dict(values=values):
                return self._first(list(values), exception, context, depth)
            case ast.List(elts=values) | ast.Tuple(elts=values):
                return self._first(values, exception, context, depth)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                if _GUARD.search(context.source.segment(test)):
                    return None
                return self._first([body, orelse], exception, context, depth)
            case ast.BoolOp(values=values):
                return self._first(values, exception, context, depth)
            case ast.Attribute() | ast.Subscript():
                return node if _is_text_of(node, exception) else None
            case ast.Name(id=name) if name != exception and depth < 2:
                bound = _bound(context.resolve(node))
                if bound is None or self._is_guarded(bound, context):
                    return None
                if self._leak(bound, exception, context, depth + 1):
                    if exception is None or self._is_within(bound, node, context):
                        return node
                return None
            case _:
                return None

    def _first(
        self, nodes: list[ast.expr], exception: str | None, context: Context, depth: int
    ) -> ast.expr | None:
        return next(
            (found for n in nodes if (found := self._leak(n, exception, context, depth))), None
        )

    def _is_within(self, bound: ast.expr, use: ast.expr, context: Context) -> bool:
        """Whether a variable got its value in the same `except` clause, or function, as its use."""
        index = context.module.index

        def clause(node: ast.AST) -> ast.AST | None:
            return next(
                (
                    a
                    for a in index.ancestors(node)
                    if isinstance(a, (ast.ExceptHandler, *FUNCTIONS))
                ),
                None,
            )

        return clause(bound) is clause(use)

    def _is_guarded(self, node: ast.expr, context: Context) -> bool:
        """Whether the text is sent under a condition that says it is for developers."""
        for parent in context.module.index.ancestors(node):
            if isinstance(parent, FUNCTIONS):
                return False
            if isinstance(parent, ast.If) and _GUARD.search(context.source.segment(parent.test)):
                return True
        return False


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a block, without those of functions and of `except` clauses inside it."""
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ExceptHandler)):
            continue
        yield node
        stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _argument(call: ast.Call, keyword: str, position: int) -> ast.expr | None:
    for each in call.keywords:
        if each.arg == keyword:
            return each.value
    if position < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args):
        return call.args[position]
    return None


def _takes(cls: Class, keyword: str, context: Context) -> bool:
    """Whether a class of the project has the constructor of its base."""
    init = context.model.resolver.class_attribute(cls, "__init__", instance=True)
    return not isinstance(init, Function)


def _is_name(node: ast.expr, name: str | None) -> bool:
    return name is not None and isinstance(node, ast.Name) and node.id == name


def _is_text_of(node: ast.expr, exception: str | None) -> bool:
    """Whether an expression is the exception, its text, or a part of it."""
    if _is_name(node, exception):
        return True
    if isinstance(node, ast.Attribute):
        return node.attr in _TEXTS and _is_text_of(node.value, exception)
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and _is_text_of(node.value, exception)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _STRINGIFIERS and any(_is_text_of(a, exception) for a in node.args)
    return False


def _is_traceback(node: ast.expr, context: Context) -> bool:
    if not isinstance(node, ast.Call):
        return False
    callee = context.resolve(node.func)
    return isinstance(callee, External) and callee.name in _TRACEBACKS


def _bound(value: Value) -> ast.expr | None:
    if isinstance(value, Expression):
        return value.node
    return value.call if isinstance(value, Instance) else None
