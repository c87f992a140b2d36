"""FAR407: errors that are returned, and responses that are raised."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Edit, Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.answered import is_answered_with
from flake8_fastapi_rules.semantics.catching import is_tried
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS
from flake8_fastapi_rules.semantics.responses import (
    declares_sequence,
    is_only_response,
    returns_of,
)
from flake8_fastapi_rules.semantics.returned_errors import (
    error_among,
    only_makes_http_errors,
    status_beside_body,
)
from flake8_fastapi_rules.semantics.values import Function, Instance

_ROLES = frozenset({Role.ENDPOINT, Role.DEPENDENCY, Role.EXCEPTION_HANDLER, Role.MIDDLEWARE})
#: What cannot be told before the error is raised: that it is not documented, or caught.
_LEADS_TO = ("FAR227", "FAR408", "FAR409")


class ReturnedError(Rule):
    """Raise errors and return responses, not the other way round.

    ## What it does
    Reports an `HTTPException` (or another exception) that an endpoint, a dependency, a handler or a
    middleware returns, or a helper whose result an endpoint answers with or drops, a response that
    is raised, and an endpoint that returns a tuple of body and status.

    ## Why it matters
    FastAPI takes whatever an endpoint returns for its answer. A returned exception is turned into
    JSON and sent with status 200, and `return body, 404` sends a list of the two, with 200 as
    well. A response is no exception: raising it is a `TypeError` and ends as 500. Clients are told
    that all is well, or that the server is broken, when nothing of the kind is true.

    ## Example
    ```python
    from fastapi import APIRouter, HTTPException

    router = APIRouter(prefix="/items")


    @router.get("/{item_id}")
    async def read_item(item_id: int):
        if item_id < 0:
            return HTTPException(status_code=404, detail="There is no such item")
        return item_id
    ```

    ## Use instead
    ```python
    from fastapi import HTTPException


    def positive(number: int) -> int:
        \"\"\"The number, which has to be positive.\"\"\"
        if number < 0:
            raise HTTPException(status_code=404, detail="There is no such number")
        return number
    ```

    ## Leaves alone
    Functions that make exceptions for others to raise, dependencies that provide nothing but an
    exception, tuples where the declared type is a tuple or list, tuples whose second element is no
    HTTP status, and endpoints below decorators that are not known.

    ## Fix safety
    `return` becomes `raise`, or `raise` becomes `return`, which is what was meant. There is no fix
    within a `try`, whose handlers could catch what is raised then.

    ## Source
    `fastapi.routing.serialize_response` and `jsonable_encoder` (0.165).
    """

    code = "FAR407"
    message = "`{name}` is returned and answered with 200; raise it"
    variants = {
        "given": "`{name}` is returned as a value; raise it",
        "answer": "`{name}` is returned where a response is needed; return a response",
        "raised": "`{name}` is a response and cannot be raised; return it",
        "tuple": "The status {status} is sent as a part of the body, with 200; return a response",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    framework_only = True

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report returned exceptions and tuples."""
        if fact.roles.isdisjoint(_ROLES) or context.module.index.is_generator(fact.node):
            return
        function = context.resolve(fact.node)
        if not isinstance(function, Function):
            return
        model, module = context.model, context.module
        returns = returns_of(module, fact.node)
        errors = {node: e for node in returns if (e := error_among(model, module, node.value))}
        is_endpoint = Role.ENDPOINT in fact.roles
        if Role.MIDDLEWARE in fact.roles:
            reason = Unfixable("what a middleware raises is not answered, either")
            for node, error in errors.items():
                yield self.report(node, "answer", name=_called(error, context), fix=reason)
        elif fact.roles != {Role.DEPENDENCY} or len(errors) < len(returns):
            for node, error in errors.items():
                fix = partial(self._raise, node, function, context)
                variant = None if is_endpoint else "given"
                yield self.report(node, variant, name=_called(error, context), fix=fix)
        if is_endpoint and has_own_signature(model, function):
            if not declares_sequence(model, function):
                for node in returns:
                    status = status_beside_body(model, module, node.value)
                    if status is not None:
                        reason = Unfixable("the response's type is for you to choose")
                        yield self.report(node, "tuple", fix=reason, status=status)

    @on(ast.Return, framework_only=True, hints=("Exception",))
    def check_helper(self, node: ast.Return, context: Context) -> Iterator[Report]:
        """Report HTTP errors among the results of a function that an endpoint answers with."""
        made, model = node.value, context.model
        if not isinstance(made, ast.Call) or terminal_name(made.func).islower():
            return
        error = error_among(model, context.module, made)
        if error is None or not model.is_instance(context.resolve(made), *HTTP_EXCEPTIONS):
            return
        helper = context.module.index.function_of(node)
        function = context.resolve(helper)
        if not isinstance(helper, FUNCTIONS) or not isinstance(function, Function):
            return
        if model.roles(function) or only_makes_http_errors(model, function):
            return
        if is_answered_with(model, function):
            reason = Unfixable("callers may catch what is raised")
            yield self.report(node, "given", name=_called(error, context), fix=reason)

    @on(ast.Raise, framework_only=True)
    def check_raise(self, node: ast.Raise, context: Context) -> Iterator[Report]:
        """Report responses that are raised."""
        value = context.resolve(node.exc)
        cls = value.of if isinstance(value, Instance) else value
        if node.exc is not None and is_only_response(context.model, cls):
            fix = partial(self._return, node, context)
            yield self.report(node, "raised", name=_called(node.exc, context), fix=fix)

    def _raise(self, node: ast.Return, function: Function, context: Context) -> Fix:
        if isinstance(node.value, ast.IfExp | ast.BoolOp):
            raise Unfixable("it is one of several values")
        if not isinstance(node.value, ast.Call):
            raise Unfixable("the exception is made elsewhere")
        if is_tried(function, node):
            raise Unfixable("a `try` around it may catch what is raised")
        return self._exchange(node, "return", "raise", context)

    def _return(self, node: ast.Raise, context: Context) -> Fix:
        function = context.module.index.function_of(node)
        if not isinstance(function, FUNCTIONS) or not isinstance(node.exc, ast.Call) or node.cause:
            raise Unfixable("the response is made elsewhere")
        roles = context.model.roles(Function(context.module, function))
        if roles != {Role.ENDPOINT} or context.module.index.is_generator(function):
            raise Unfixable("the function is no endpoint: its caller would have to return it")
        return self._exchange(node, "raise", "return", context)

    def _exchange(self, node: ast.stmt, old: str, new: str, context: Context) -> Fix:
        text = text_of(context.module)
        start = text.start(node)
        edit = Edit(start, start + len(old), new)
        return fix_of(f"Use `{new}`", "safe", edit, leads_to=_LEADS_TO)


def _called(node: ast.expr, context: Context) -> str:
    """What a message calls an exception or response: its class, or the variable that holds it."""
    return context.shown(node.func if isinstance(node, ast.Call) else node)
