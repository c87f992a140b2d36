"""FAR718: secrets in addresses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.credentials import is_one_time, is_secret_name, snake
from flake8_fastapi_rules.semantics.dependents import serves_operations
from flake8_fastapi_rules.semantics.facts import DependencyFunction, Endpoint, ParameterKind
from flake8_fastapi_rules.semantics.operations import names_of
from flake8_fastapi_rules.semantics.secret_parameters import (
    is_secret_parameter,
    looks_at_link,
    secret_of_class,
    secret_of_model,
)
from flake8_fastapi_rules.semantics.values import External, Function

_PLACES = {ParameterKind.QUERY: "query", ParameterKind.PATH: "path"}


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
        model = context.model
        of_one_time = is_one_time(*names_of(endpoint))
        function = Function(context.module, endpoint.node, endpoint.view_class)
        for parameter in model.parameters(function, model.path_names(endpoint)):
            if parameter.kind is ParameterKind.DEPENDENCY:
                field = secret_of_class(model, parameter, of_one_time=of_one_time)
            elif parameter.kind not in _PLACES:
                continue
            elif is_secret_parameter(model, parameter, of_one_time=of_one_time):
                where = _PLACES[parameter.kind]
                yield self.report(parameter.node, name=parameter.name, where=where)
                continue
            else:
                field = secret_of_model(model, parameter, of_one_time=of_one_time)
            if field is not None:
                related = [context.related(field.module, field.node, "the field")]
                yield self.report(parameter.node, name=field.name, where="query", related=related)

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
        model, node = context.model, fact.node
        found = [
            parameter
            for parameter in model.parameters(Function(context.module, node))
            if parameter.kind is ParameterKind.QUERY
            and is_secret_parameter(model, parameter, of_one_time=False)
            and not looks_at_link(node.name)
        ]
        for parameter in found:
            is_token = "token" in snake(parameter.alias or parameter.name)
            if serves_operations(model, context.module, node, beside_links=is_token):
                yield self.report(parameter.node, name=parameter.name, where="query")
