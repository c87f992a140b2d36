"""FAR203: a generic way to register a route that has one of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import argument_of, fix_of
from flake8_fastapi_rules.fixes.idioms import change_verb
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route
from flake8_fastapi_rules.semantics.framework import METHOD_OF_VERB

_VERB_OF_METHOD = {method: verb for verb, method in METHOD_OF_VERB.items()}


class GenericRouteDecorator(Rule):
    """Register operations with the decorator of their method.

    ## What it does
    Reports `@router.api_route(path, methods=["GET"])` with one literal method, `@router.route` and
    `@app.route`, and `add_api_route` with a literal path and one method for a function that stands
    beside it.

    ## Why it matters
    `@router.get(path)` says the same in the words that everybody looks for. `route` is not the
    same at all: it is Starlette's, and what it registers has no validation, no dependencies and no
    documentation.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.api_route("/rate", methods=["GET"])
    async def read_rate() -> float:
        return 1.5
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(tags=["rates"])


    @router.get("/rate", status_code=200, operation_id="read_rate")
    async def read_rate() -> float:
        \"\"\"Answer today's rate.\"\"\"
        return 1.5
    ```

    ## Leaves alone
    Several methods, methods without a decorator of their own, methods and paths that are not
    literal, and `add_api_route` for methods, lambdas, imported and generated functions, which
    cannot be decorated.

    ## Fix safety
    The decorator of the verb registers the same route; safe. `route` and `add_api_route` are left
    to you.

    ## Source
    FastAPI's documentation on path operation decorators.
    """

    code = "FAR203"
    message = "Use `{new}` instead of `{old}` with one method"
    variants = {
        "plain": "`{old}` is Starlette's: no validation, no dependencies, no documentation; "
        "use `{new}`",
    }
    profiles = ("recommended",)
    fix = "safe"
    hints = ("route",)

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report routes whose verb's own decorator does the same."""
        call = route.call
        if call is None or not isinstance(call.func, ast.Attribute):
            return
        if not context.model.is_instance(route.receiver, "fastapi.FastAPI", "fastapi.APIRouter"):
            return
        owner = context.source.segment(call.func.value)
        old = f"{owner}.{route.verb}" if len(owner) < 30 else route.verb
        if route.verb == "route" and route.style == "decorator":
            only = route.methods[0] if route.methods and len(route.methods) == 1 else ""
            new = old.removesuffix("route") + _VERB_OF_METHOD.get(only, "api_route")
            fix = Unfixable("FastAPI's routes take other functions than Starlette's")
            yield self.report(route.node, "plain", fix=fix, old=old, new=new)
            return
        if route.verb not in {"api_route", "add_api_route"}:
            return
        method = self._one_method(route, context)
        verb = _VERB_OF_METHOD.get(method or "")
        if verb is None:
            return
        if route.verb == "add_api_route" and not self._could_be_decorated(route, context):
            return
        new = f"{old.removesuffix(route.verb)}{verb}"
        yield self.report(
            route.node, fix=lambda: self._fix(route, call, verb, context), old=old, new=new
        )

    def _one_method(self, route: Route, context: Context) -> str | None:
        given = context.model.elements(route.module, route.arguments.get("methods"))
        if given is None or len(given) != 1 or given[0][0] is not route.module:
            return None
        method = context.model.text(*given[0])
        return None if method is None else method.upper()

    def _could_be_decorated(self, route: Route, context: Context) -> bool:
        endpoint = route.endpoint
        named = route.arguments.get("endpoint")
        index = context.module.index
        return (
            isinstance(endpoint, FUNCTIONS)
            and route.endpoint_module is context.module
            and isinstance(named, ast.Name)
            and named.id == endpoint.name
            and isinstance(route.path_node, ast.Constant)
            and index.scope_of(endpoint) is index.scope_of(route.node)
            and not index.branch_of(route.node, index.scope_of(route.node))
        )

    def _fix(self, route: Route, call: ast.Call, verb: str, context: Context) -> Fix:
        argument = argument_of(call, "methods")
        if route.style != "decorator" or argument is None:
            raise Unfixable("it is no decorator")
        edits = change_verb(text_of(context.module), call, verb, argument)
        return fix_of(f"Use `{verb}`", "safe", edits)
