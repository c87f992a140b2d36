"""FAR222: a page size that a client may choose as it likes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import add_argument, fix_of, wrap
from flake8_fastapi_rules.fixes.imports import ensure_imports
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    DependencyFunction,
    Endpoint,
    Parameter,
)
from flake8_fastapi_rules.semantics.page_sizes import LISTS, unbounded_page_sizes
from flake8_fastapi_rules.semantics.values import Constant, Function


class UnboundedPageSize(Rule):
    """Give the page size an upper bound.

    ## What it does
    Reports query parameters with a number for a page size (`limit`, `page_size`, `per_page`,
    `size`, `take`, in camel case, too; configurable) without an upper bound, in operations,
    dependencies and query models.

    ## Why it matters
    `?limit=1000000` makes the service read, validate and serialise the whole table, in one request,
    as often as somebody likes.

    ## Example
    ```python
    from fastapi import Depends


    async def page(offset: int = 0, limit: int = 20) -> tuple[int, int]:
        return offset, limit


    Page = Depends(page)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends, Query


    async def page(
        offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> tuple[int, int]:
        \"\"\"Say which items are asked for.\"\"\"
        return offset, limit


    Page = Annotated[tuple[int, int], Depends(page)]
    ```

    ## Leaves alone
    `le=` and `lt=` in the parameter function, in `Field` and in constrained types; enumerations and
    literals; a bound in the body (`min(limit, 100)`, a comparison); `size` without
    another parameter of a page where no list is the answer; limits of rates and quotas; amounts
    (`float` where nothing says where a page begins); metadata and types that cannot be told.

    ## Fix safety
    The fix adds `le=100` (or the default, if that is larger): larger pages are refused then;
    unsafe.

    ## Source
    The convention that page parameters are bounded; OWASP API4:2023.
    """

    code = "FAR222"
    message = "`{name}` has no upper bound: one request can ask for everything; add `le=`"
    variants = {"field": "`{name}` of `{model}` has no upper bound; add `le=` to the field"}
    profiles = ("recommended",)
    scope = "project"
    fix = "unsafe"

    @on(Endpoint)
    def check_endpoint(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report each page size of an operation."""
        if not endpoint.is_websocket:
            path_names = context.model.path_names(endpoint)
            function = Function(endpoint.module, endpoint.node)
            models = [
                context.model.resolver.annotation(route.module, route.arguments["response_model"])
                for route in endpoint.routes
                if "response_model" in route.arguments
            ]
            lists = any(context.model.is_instance(each, *LISTS) for each in models)
            yield from self._check(function, path_names, context, lists=lists)

    @on(DependencyFunction)
    def check_dependency(
        self, dependency: DependencyFunction, context: Context
    ) -> Iterator[Report]:
        """Report each page size of a dependency."""
        function = Function(dependency.module, dependency.node)
        yield from self._check(function, frozenset(), context)

    def _check(
        self,
        function: Function,
        path_names: frozenset[str],
        context: Context,
        *,
        lists: bool = False,
    ) -> Iterator[Report]:
        for size in unbounded_page_sizes(context.model, function, path_names, lists=lists):
            if size.model is None or size.field is None or size.field_module is None:
                fix = partial(self._fix, size.parameter, context)
                yield self.report(size.parameter.node, fix=fix, name=size.name)
                continue
            yield self.report(
                size.parameter.node,
                "field",
                fix=Unfixable("the field is in a model that others may use"),
                related=[context.related(size.field_module, size.field, "without a bound")],
                name=size.name,
                model=size.model.node.name,
            )

    def _fix(self, parameter: Parameter, context: Context) -> Fix:
        function = parameter.function
        if parameter.module is not context.module or not isinstance(function, FUNCTIONS):
            raise Unfixable("the parameter is defined elsewhere")
        text = text_of(context.module)
        default = parameter.default
        marker = parameter.marker
        if marker is not None and marker.call is not None:
            default = marker.argument("default", 0) or default
        given = context.resolve(default)
        largest = given.value if isinstance(given, Constant) else 0
        bound = f"le={max(100, largest)}" if type(largest) is int else "le=100"
        group = signature_group(function)
        if marker is not None:
            if (
                marker.call is None
                or marker.call is not marker.node
                or marker.module is not context.module
                or marker.call_module is not context.module
            ):
                raise Unfixable("the marker is made elsewhere")
            edits = add_argument(text, marker.call, bound)
            return fix_of("Add an upper bound", "unsafe", edits, group=group)
        annotation = parameter.annotation
        if annotation is None:
            raise Unfixable("the parameter has no type")
        if parameter.has_metadata or isinstance(annotation, ast.Constant):
            raise Unfixable("its type is made elsewhere, or a string")
        imported = ensure_imports(text, [("typing", "Annotated"), ("fastapi", "Query")], function)
        (annotated, query), imports = imported
        wrapped = wrap(text, annotation, f"{annotated}[", f", {query}({bound})]")
        return fix_of("Add an upper bound", "unsafe", wrapped, imports, group=group)
