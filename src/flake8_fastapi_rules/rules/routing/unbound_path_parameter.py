"""FAR208: a path parameter that nobody takes."""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS, all_arguments
from flake8_fastapi_rules.fixes.edit import Edits, fix_of
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.signature import add_parameter, signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.bound import own_parameters, prefix_parameters
from flake8_fastapi_rules.semantics.facts import Route, RouteKind
from flake8_fastapi_rules.semantics.framework import PLAIN_ROUTES, path_parameters
from flake8_fastapi_rules.semantics.values import Function

#: Converter to the type that it produces; the import where the type is not built in.
_TYPES = {"int": "int", "float": "float", "uuid": "UUID"}


class UnboundPathParameter(Rule):
    """Take every parameter of the path, in the endpoint or in a dependency.

    ## What it does
    Reports a parameter in the path of a route that neither the endpoint nor any of its dependencies
    takes: own and nested ones, and those of the route, its routers, includes and app.

    ## Why it matters
    The value is matched and thrown away. Nearly always a parameter was renamed on one side only,
    and the endpoint's own became a required query parameter: every request gets a 422.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items/{item_id}")
    async def read_item(id: int) -> int:
        return id
    ```

    ## Use instead
    ```python
    from uuid import UUID

    from fastapi import APIRouter

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("/{item_id}", status_code=200, operation_id="read_item")
    async def read_item(item_id: UUID) -> str:
        \"\"\"Read an item.\"\"\"
        return str(item_id)
    ```

    ## Leaves alone
    Endpoints that read `request.path_params`, the URL or the scope, or pass the request on;
    endpoints with a dependency or decorator that cannot be resolved; paths that are no constants;
    the rest of a path (`{rest:path}`) in preflights (OPTIONS) and where it is the whole path, as
    for a page that answers all of them; endpoints that do nothing but raise; tests whose endpoints
    take nothing at all.

    ## Fix safety
    The fix adds the parameter, typed by the path's converter. What the endpoint does is unchanged;
    the schema gains the parameter, which was missing from it.

    ## Source
    `fastapi.dependencies.utils.get_dependant`: path names bind by name or alias (0.165).
    """

    code = "FAR208"
    message = "Path parameter `{name}` is bound by no parameter of `{function}` or its dependencies"
    variants = {
        "prefix": "Path parameter `{name}` of the prefix is bound by no parameter of `{function}` "
        "or its dependencies",
        "near": "Path parameter `{name}` is not bound; did you mean it by the parameter `{near}`?",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "safe"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the route's decorator or call, once for each parameter that is left over."""
        if route.kind is RouteKind.WEBHOOK or route.verb in PLAIN_ROUTES:
            return
        for each in [route] if route.function else _of_table(route, context):
            yield from self._check(each, context)

    def _check(self, route: Route, context: Context) -> Iterator[Report]:
        own = own_parameters(context.model, route)
        names = prefix_parameters(context.model, route) | own
        if route.methods == ("OPTIONS",) or _is_for_all_paths(route.path or ""):
            names = {name: kind for name, kind in names.items() if kind != "path"}
        if not names or self._is_test_of_paths(route, context) or _only_raises(route):
            return
        bound = context.model.bound_names(route)
        if bound is None:
            return
        for name, converter in names.items():
            if name in bound.path:
                continue
            near = difflib.get_close_matches(name, bound.query, 1, 0.7) or [
                other for other in bound.query if other in name.split("_") and len(names) == 1
            ]
            yield self.report(
                route.node,
                "near" if near else None if name in own else "prefix",
                fix=partial(self._fix, route, name, converter, context),
                name=name,
                function=getattr(route.endpoint, "name", "<lambda>"),
                near=near[0] if near else "",
            )

    def _is_test_of_paths(self, route: Route, context: Context) -> bool:
        """Whether a test serves a path with a function that takes nothing: only the path counts."""
        function = route.endpoint
        if not context.settings.is_test_path(str(context.module.path)):
            return False
        return function is not None and not any(all_arguments(function.args))

    def _fix(self, route: Route, name: str, converter: str, context: Context) -> Fix:
        function = route.endpoint
        if not isinstance(function, FUNCTIONS) or route.endpoint_module is not context.module:
            raise Unfixable("the function is in another module")
        for other in context.model.uses(context.module).routes.get(function, ()):
            names = prefix_parameters(context.model, other) | path_parameters(other.path or "")
            if name not in names:
                raise Unfixable("another path of the function has no such parameter")
        if context.model.direct_calls(Function(context.module, function)):
            raise Unfixable("the function is called elsewhere, too")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise Unfixable("the name cannot be that of a Python parameter")
        if any(argument.arg == name for argument in all_arguments(function.args)):
            raise Unfixable("the function has a parameter of this name, which means something else")
        text = text_of(context.module)
        type_name = _TYPES.get(converter, "str")
        imports: Edits = ()
        if type_name == "UUID":
            imported = ensure_import(text, "uuid", "UUID", function)
            type_name, imports = imported.name, imported.edits
        edits = add_parameter(text, function, f"{name}: {type_name}")
        return fix_of(
            f"Add the parameter `{name}`",
            "safe",
            edits,
            imports,
            group=signature_group(function),
            leads_to=("FAR221",),
        )


def _of_table(route: Route, context: Context) -> Iterator[Route]:
    """What a registration in a loop stands for, whose paths and functions a table names."""
    seen: set[tuple[ast.AST, frozenset[str]]] = set()
    for resolved in context.model.project(context.module).routes_at(route):
        function = resolved.endpoint
        if function is None or resolved.local_path is None:
            continue
        row = function.node, frozenset(path_parameters(resolved.local_path))
        if row not in seen:
            seen.add(row)
            yield replace(
                route,
                path=resolved.local_path,
                endpoint=function.node,
                endpoint_module=function.module,
                view_class=function.owner,
            )


def _only_raises(route: Route) -> bool:
    """Whether nothing is served at a path, whatever it says: `raise HTTPException(403)`."""
    body = [
        statement
        for statement in (route.endpoint.body if isinstance(route.endpoint, FUNCTIONS) else ())
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
    return len(body) == 1 and isinstance(body[0], ast.Raise)


def _is_for_all_paths(path: str) -> bool:
    """Whether a path is nothing but a parameter that takes all of them: `/{rest:path}`."""
    return re.fullmatch(r"/?\{\w+:path\}", path) is not None
