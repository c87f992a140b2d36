"""FAR407: errors that are returned, and responses that are raised."""

from __future__ import annotations

import ast
import http
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Edit, Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.answered import is_answered_with
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.flow import may_end_without_value
from flake8_fastapi_rules.semantics.framework import HTTP_EXCEPTIONS, RESPONSE
from flake8_fastapi_rules.semantics.responses import response_type, returns_of, types_in
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance, Value

_ROLES = frozenset({Role.ENDPOINT, Role.DEPENDENCY, Role.EXCEPTION_HANDLER, Role.MIDDLEWARE})
_STATUSES = frozenset(int(status) for status in http.HTTPStatus)
#: What cannot be told before the error is raised: that it is not documented, or caught.
_LEADS_TO = ("FAR227", "FAR408", "FAR409")
_SEQUENCES = ("builtins.tuple", "builtins.list", "collections.abc.Sequence")


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
        returns = returns_of(context.module, fact.node)
        errors = {node: name for node in returns if (name := self._error(node.value, context))}
        is_endpoint = Role.ENDPOINT in fact.roles
        if Role.MIDDLEWARE in fact.roles:
            reason = Unfixable("what a middleware raises is not answered, either")
            for node, name in errors.items():
                yield self.report(node, "answer", name=name, fix=reason)
        elif fact.roles != {Role.DEPENDENCY} or len(errors) < len(returns):
            for node, name in errors.items():
                fix = partial(self._raise, node, fact, context)
                yield self.report(node, None if is_endpoint else "given", name=name, fix=fix)
        if is_endpoint and has_own_signature(context.model, function):
            if not self._declares_sequence(function, context):
                for node in returns:
                    status = self._status(node.value, context)
                    if status is not None:
                        reason = Unfixable("the response's type is for you to choose")
                        yield self.report(node, "tuple", fix=reason, status=status)

    @on(ast.Return, framework_only=True, hints=("Exception",))
    def check_helper(self, node: ast.Return, context: Context) -> Iterator[Report]:
        """Report HTTP errors among the results of a function that an endpoint answers with."""
        made = node.value
        if not isinstance(made, ast.Call) or terminal_name(made.func).islower():
            return
        name = self._error(made, context)
        if name is None or not context.model.is_instance(context.resolve(made), *HTTP_EXCEPTIONS):
            return
        helper = context.module.index.function_of(node)
        function = context.resolve(helper)
        if not isinstance(helper, FUNCTIONS) or not isinstance(function, Function):
            return
        if context.model.roles(function) or self._only_makes_errors(function, context):
            return
        if is_answered_with(context.model, function):
            yield self.report(
                node, "given", name=name, fix=Unfixable("callers may catch what is raised")
            )

    @on(ast.Raise, framework_only=True)
    def check_raise(self, node: ast.Raise, context: Context) -> Iterator[Report]:
        """Report responses that are raised."""
        value = context.resolve(node.exc)
        cls = value.of if isinstance(value, Instance) else value
        if not isinstance(cls, Class | External) or not context.model.is_subclass(cls, RESPONSE):
            return
        if isinstance(cls, Class):
            resolver = context.model.resolver
            if not resolver.has_known_bases(cls) or resolver.is_subclass(
                cls, "builtins.BaseException"
            ):
                return
        assert node.exc is not None
        yield self.report(
            node,
            "raised",
            name=self._name(node.exc, context),
            fix=partial(self._return, node, context),
        )

    def _name(self, node: ast.expr, context: Context) -> str:
        shown = node.func if isinstance(node, ast.Call) else node
        return context.shown(shown)

    def _error(self, node: ast.expr | None, context: Context) -> str | None:
        """The name of the exception that an expression makes, or that a variable holds."""
        if isinstance(node, ast.IfExp | ast.BoolOp):
            parts = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
            return next((name for part in parts if (name := self._error(part, context))), None)
        if isinstance(node, ast.NamedExpr):
            return self._error(node.value, context)
        if not isinstance(node, ast.Call | ast.Name):
            return None
        value = context.resolve(node)
        if not isinstance(value, Instance) or value.call is None:
            return None
        made = self._made_by(node, context)
        if value.call is not made and isinstance(made, ast.Call):
            if not self._only_makes_errors(context.resolve(made.func), context):
                return None
        if not context.model.is_instance(value, *HTTP_EXCEPTIONS, "builtins.BaseException"):
            return None
        if context.model.is_instance(value, RESPONSE):
            return None
        return self._name(node, context)

    def _made_by(self, node: ast.Call | ast.Name, context: Context) -> ast.expr | None:
        """The call itself, or the one that a variable holds the result of."""
        if isinstance(node, ast.Call):
            return node
        found = context.module.index.lookup(node.id, node)
        made = found[1][0].value if found is not None and len(found[1]) == 1 else None
        return made.value if isinstance(made, ast.Await) else made

    def _only_makes_errors(self, callee: Value, context: Context) -> bool:
        """Whether a function of the project returns an `HTTPException` on every path."""
        if not isinstance(callee, Function) or not isinstance(callee.node, ast.FunctionDef):
            return False
        if callee.node.decorator_list or may_end_without_value(callee.node.body):
            return False
        values = [
            context.model.resolve(callee.module, each.value)
            for each in returns_of(callee.module, callee.node)
        ]
        return bool(values) and all(
            isinstance(value, Instance)
            and value.call is not None
            and context.model.is_instance(value, *HTTP_EXCEPTIONS)
            for value in values
        )

    def _status(self, node: ast.expr | None, context: Context) -> int | None:
        if isinstance(node, ast.IfExp):
            return self._status(node.body, context) or self._status(node.orelse, context)
        if not isinstance(node, ast.Tuple) or len(node.elts) not in (2, 3):
            return None
        body, given = node.elts[:2]
        status = context.model.status(context.module, given)
        if status not in _STATUSES or context.model.status(context.module, body) is not None:
            return None
        return status

    def _declares_sequence(self, function: Function, context: Context) -> bool:
        for route in context.model.uses(context.module).routes.get(function.node, ()):
            declared = response_type(context.model, route)
            if declared is None:
                continue
            for part in types_in(context.model, declared.module, declared.node):
                if not part.value or context.model.is_subclass(part.value, *_SEQUENCES):
                    return True
        return False

    def _raise(self, node: ast.Return, fact: FrameworkFunction, context: Context) -> Fix:
        if isinstance(node.value, ast.IfExp | ast.BoolOp):
            raise Unfixable("it is one of several values")
        if not isinstance(node.value, ast.Call):
            raise Unfixable("the exception is made elsewhere")
        if _is_tried(node, fact.node, context):
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


def _is_tried(node: ast.AST, function: ast.AST, context: Context) -> bool:
    """Whether an exception raised at a place may be caught in its own function."""
    for parent in context.module.index.ancestors(node):
        if parent is function:
            return False
        if isinstance(parent, ast.Try | ast.TryStar | ast.With | ast.AsyncWith):
            return True
    return False
