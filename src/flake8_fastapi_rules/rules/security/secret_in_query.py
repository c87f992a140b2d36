"""FAR718: secrets in addresses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.bound import inherited_dependencies
from flake8_fastapi_rules.semantics.credentials import (
    is_key_name,
    is_one_time,
    is_password_name,
    is_secret_name,
    is_token_name,
    snake,
)
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    DependencyFunction,
    Endpoint,
    Parameter,
    ParameterKind,
    RouteKind,
)
from flake8_fastapi_rules.semantics.schemas import schema_fields
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance

_PLACES = {ParameterKind.QUERY: "query", ParameterKind.PATH: "path"}
#: What a dependency does that lets people in, rather than look at a link that was sent.
_VERIFIES = re.compile(
    r"^_*verify(?:$|_(?=(?:access|admin|api|auth|bearer|internal|jwt|key|secret|token|user)(?:_|$)))"
)


class SecretInQuery(Rule):
    """Take secrets from headers or the body, never from the address.

    ## What it does
    Reports passwords, tokens and keys that are query or path parameters of an HTTP operation, and
    `APIKeyQuery`.

    ## Why it matters
    Addresses are written down everywhere: in the logs of servers and proxies, in browsers'
    histories, in the `Referer` of the next request.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/orders")
    async def read_orders(api_key: str) -> str:
        return api_key
    ```

    ## Use instead
    ```python
    from fastapi.security import APIKeyHeader

    api_key = APIKeyHeader(name="X-API-Key")
    ```

    ## Leaves alone
    Tokens that are good for one use, told by path or name: `verify`, `confirm`, `reset`, `invite`,
    `unsubscribe` and the like; page and continuation tokens; WebSockets, where browsers cannot send
    headers.

    ## Source
    CWE-598.
    """

    code = "FAR718"
    message = (
        "`{name}` is a secret in the {where}, which logs keep; take it from a header or the body"
    )
    profiles = ("strict",)

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report parameters that are secrets."""
        if endpoint.is_websocket:
            return
        said = [endpoint.node.name, *(route.path or "" for route in endpoint.routes)]
        of_one_time = is_one_time(*said)
        function = Function(context.module, endpoint.node, endpoint.view_class)
        names = context.model.path_names(endpoint)
        for parameter in context.model.parameters(function, names):
            if parameter.kind is ParameterKind.DEPENDENCY:
                yield from self._gathered(parameter, of_one_time, context)
            if parameter.kind not in _PLACES:
                continue
            where = _PLACES[parameter.kind]
            if self._is_secret(parameter, of_one_time, context):
                yield self.report(parameter.node, name=parameter.name, where=where)
            else:
                yield from self._fields(parameter, of_one_time, context)

    @on_calls(("APIKeyQuery",))
    def check_scheme(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report the scheme of `fastapi.security` that takes a key from the query."""
        if context.library_object(call.func) == External("fastapi.security.APIKeyQuery"):
            name = context.model.text(context.module, argument(call, "name", 0))
            if is_secret_name(name):
                yield self.report(call, name=name, where="query")

    @on(DependencyFunction)
    def check_dependency(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report parameters of dependencies of operations; WebSockets have no better place."""
        function = Function(context.module, fact.node)
        found = [
            parameter
            for parameter in context.model.parameters(function)
            if parameter.kind is ParameterKind.QUERY
            and self._is_secret(parameter, False, context)
            and not is_one_time(_VERIFIES.sub("", snake(fact.node.name)))
        ]
        for parameter in found:
            is_token = "token" in snake(parameter.alias or parameter.name)
            if not _serves_operations(context, fact.node, beside_links=is_token):
                continue
            yield self.report(parameter.node, name=parameter.name, where="query")

    def _gathered(
        self, parameter: Parameter, of_one_time: bool, context: Context
    ) -> Iterator[Report]:
        """Report the first secret among the fields of a class that gathers query parameters."""
        model = context.model
        dependency = model.dependency_of(parameter)
        cls = dependency.target if dependency is not None else None
        if not isinstance(cls, Class) or model.callable_of(cls) is not None:
            return
        for each in model.class_parameters(cls) or ():
            if each.kind is ParameterKind.QUERY and self._is_secret(each, of_one_time, context):
                related = [context.related(each.module, each.node, "the field")]
                name = f"{cls.node.name}.{each.name}"
                yield self.report(parameter.node, name=name, where="query", related=related)
                return

    def _fields(
        self, parameter: Parameter, of_one_time: bool, context: Context
    ) -> Iterator[Report]:
        """Report the first secret in a model of query parameters."""
        typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
        if not isinstance(typed, Instance) or not isinstance(typed.of, Class):
            return
        if not context.model.is_instance(typed, "pydantic.BaseModel"):
            return
        for each in schema_fields(context.model, typed.of):
            alias = context.model.text(each.module, each.argument("alias"))
            if _is_kept_secret(snake(alias or each.name), of_one_time):
                related = [context.related(each.module, each.node.target, "the field")]
                name = f"{typed.of.node.name}.{each.name}"
                yield self.report(parameter.node, name=name, where="query", related=related)
                return

    def _is_secret(self, parameter: Parameter, of_one_time: bool, context: Context) -> bool:
        name = snake(parameter.alias or parameter.name)
        if not is_secret_name(name) and _is_plainly_secret(parameter.name):
            name = snake(parameter.name)  # a short alias makes it no less of a secret
        if not _is_kept_secret(name, of_one_time):
            return False
        typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
        return not typed or not context.model.is_instance(
            typed, "builtins.bool", "builtins.int", "enum.Enum"
        )


def _is_kept_secret(name: str, of_one_time: bool) -> bool:
    """Whether a name is that of a secret, but not of a token that is good for one use."""
    if not is_secret_name(name) or is_one_time(name):
        return False
    return not (of_one_time and "token" in name)


def _is_plainly_secret(name: str) -> bool:
    """Whether a name says by itself that it is a secret: a bare `token` may be one of a page."""
    return is_password_name(name) or is_key_name(name) or is_token_name(name, bare=False)


def _serves_operations(context: Context, function: ast.AST, *, beside_links: bool) -> bool:
    """Whether a dependency belongs to an HTTP operation of the project.

    Parameters:
        beside_links: those do not count that are reached once, by a link that was sent.
    """
    routes = context.model.project(context.module).all_routes
    if any(
        route.kind is RouteKind.HTTP
        and not (beside_links and is_one_time(route.path or "", route.name or ""))
        and _calls(context, route.dependencies, function)
        for route in routes
    ):
        return True
    for endpoint in context.facts(Endpoint):
        said = [endpoint.node.name, *(route.path or "" for route in endpoint.routes)]
        if not endpoint.is_websocket and not (beside_links and is_one_time(*said)):
            own = Function(context.module, endpoint.node, endpoint.view_class)
            below = list(context.model.all_dependencies(own)[0])
            for route in endpoint.routes:
                below += inherited_dependencies(context.model, route) or ()
            if _calls(context, below, function):
                return True
    return False


def _calls(context: Context, dependencies: Iterable[Dependency], function: ast.AST) -> bool:
    """Whether one of some dependencies is a function, or a class with it as constructor."""
    called = (each.function or context.model.callable_of(each.target) for each in dependencies)
    return any(each is not None and each.node is function for each in called)
