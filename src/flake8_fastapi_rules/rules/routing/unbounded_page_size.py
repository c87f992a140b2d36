"""FAR222: a page size that a client may choose as it likes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS, mentions
from flake8_fastapi_rules.fixes.edit import add_argument, fix_of, wrap
from flake8_fastapi_rules.fixes.imports import ensure_imports
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import (
    DependencyFunction,
    Endpoint,
    Parameter,
    ParameterKind,
)
from flake8_fastapi_rules.semantics.parameters import fields_of
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function, Value

_BOUNDS = ("le", "lt")
#: A name that means a page only beside another one that says where it begins, or for a list.
_OF_RATES = frozenset({"period", "window", "interval", "quota"})
_VAGUE = "size"
#: Verbs of functions that answer with lists.
_LISTING = frozenset({"browse", "find", "list", "paginate", "query", "search"})
#: Types of integers without an upper bound.
_INTEGERS = (
    External("builtins.int"),
    External("pydantic.NonNegativeInt"),
    External("pydantic.PositiveInt"),
)
_LISTS = ("builtins.list", "collections.abc.Sequence", "typing.Sequence")
_PAGING = frozenset({"after", "before", "cursor", "offset", "page", "page_number", "skip", "start"})


class UnboundedPageSize(Rule):
    """Give the page size an upper bound.

    ## What it does
    Reports integer query parameters for a page size (`limit`, `page_size`, `per_page`, `size`,
    `take`; configurable) without an upper bound, in operations, dependencies and query models.

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
    another parameter of a page where no list is the answer; limits of rates and quotas; metadata
    and types that cannot be told.

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
            lists = any(context.model.is_instance(each, *_LISTS) for each in models)
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
        if not has_own_signature(context.model, function):
            return
        parameters = context.model.parameters(function, path_names)
        names = {parameter.alias or parameter.name for parameter in parameters}
        for parameter in parameters:
            if parameter.kind is ParameterKind.DEPENDENCY:
                yield from self._of_class(parameter, context)
            if parameter.kind is not ParameterKind.QUERY:
                continue
            name = parameter.alias or parameter.name
            if self._is_page_size(name, names, function, context, lists=lists):
                if self._is_unbounded(parameter, context) and not self._is_checked(parameter):
                    yield self.report(
                        parameter.node,
                        fix=partial(self._fix, parameter, context),
                        name=name,
                    )
            else:
                yield from self._of_model(parameter, context)

    def _is_page_size(
        self,
        name: str,
        names: set[str],
        function: Function | None,
        context: Context,
        *,
        lists: bool = False,
    ) -> bool:
        if name not in context.settings.page_size_names:
            return False
        said = getattr(function.node, "name", "") if function is not None else ""
        is_of_rates = not names.isdisjoint(_OF_RATES) or "rate_limit" in said or "quota" in said
        if is_of_rates and "page" not in name:
            return False  # a limit on something else than what is shown
        if name != _VAGUE or lists or not names.isdisjoint(_PAGING):
            return True
        return function is not None and self._answers_with_list(function, context)

    def _answers_with_list(self, function: Function, context: Context) -> bool:
        node = function.node
        if isinstance(node, ast.Lambda):
            return False
        returned = context.model.resolver.annotation(function.module, node.returns)
        return node.name.split("_")[0] in _LISTING or context.model.is_instance(returned, *_LISTS)

    def _of_class(self, parameter: Parameter, context: Context) -> Iterator[Report]:
        """Report a page size among the fields of a model or dataclass that is a dependency."""
        dependency = context.model.dependency_of(parameter)
        target = dependency.target if dependency is not None else None
        if isinstance(target, Class) and context.model.callable_of(target) is None:
            yield from self._of_fields(target, parameter, context)

    def _of_model(self, parameter: Parameter, context: Context) -> Iterator[Report]:
        """Report a page size among the fields of a `Query()` model."""
        cls = context.model.resolver.resolve(parameter.type_module, parameter.type_node)
        if parameter.marker is not None and context.model.is_subclass(cls, "pydantic.BaseModel"):
            yield from self._of_fields(cls, parameter, context)

    def _of_fields(self, cls: Value, parameter: Parameter, context: Context) -> Iterator[Report]:
        resolver = context.model.resolver
        if not isinstance(cls, Class) or any(
            isinstance(s, FUNCTIONS) and s.decorator_list
            for base in resolver.mro(cls)
            if isinstance(base, Class)
            for s in base.node.body
        ):
            return
        fields = context.model.class_parameters(cls) or ()
        names = {field.name for field in fields}
        homes = {s.target.id: (m, s) for m, s in fields_of(resolver, cls)}  # type: ignore[union-attr]
        for field in fields:
            home, statement = homes[field.name]
            if not self._is_page_size(field.name, names, None, context):
                continue
            if self._has_bound(statement.value) or not self._is_unbounded(field, context):
                continue
            yield self.report(
                parameter.node,
                "field",
                fix=Unfixable("the field is in a model that others may use"),
                related=[context.related(home, statement, "without a bound")],
                name=field.name,
                model=cls.node.name,
            )

    def _has_bound(self, node: ast.expr | None) -> bool:
        """Whether a call such as `Query(...)` or `Field(...)` bounds, or may bound, its value."""
        if not isinstance(node, ast.Call):
            return node is not None and not isinstance(node, ast.Constant)
        return any(keyword.arg in {*_BOUNDS, None} for keyword in node.keywords)

    def _is_unbounded(self, parameter: Parameter, context: Context) -> bool:
        resolver = context.model.resolver
        if not self._is_integer(parameter, context):
            return False
        _, _, metadata = resolver.unwrapped(parameter.module, parameter.annotation)
        for home, part in metadata:
            callee = resolver.resolve(home, part.func) if isinstance(part, ast.Call) else None
            is_known = isinstance(callee, External) and callee.name in {
                "fastapi.Query",
                "pydantic.Field",
            }
            if isinstance(part, ast.Constant):
                continue
            if not is_known or self._has_bound(part):
                return False
        marker = parameter.marker
        if marker is not None and not marker.in_annotated:
            return marker.call is None or not self._has_bound(marker.call)
        return True

    def _is_integer(self, parameter: Parameter, context: Context) -> bool:
        """Whether a type is that of integers, or one of them constrained, but not from above."""
        match parameter.type_node:
            case ast.Call(func=func) as made:  # `conint(ge=1)`
                callee = context.model.resolver.resolve(parameter.type_module, func)
                return callee == External("pydantic.conint") and not self._has_bound(made)
        parts = [
            part.value
            for part in types_in(context.model, parameter.type_module, parameter.type_node)
            if part.value != Constant(None)
        ]
        return len(parts) == 1 and parts[0] in _INTEGERS

    def _is_checked(self, parameter: Parameter) -> bool:
        """Whether the body compares the value, or makes another of it."""
        function, name = parameter.function, parameter.name
        if not isinstance(function, FUNCTIONS):
            return True
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Name(id="min" | "sorted" | "clamp")):
                    if mentions(node, {name}):
                        return True
                case ast.Compare() if mentions(node, {name}) and not _is_from_below(node):
                    return True
                case ast.Name(id=bound, ctx=ast.Store()) if bound == name:
                    return True
        return False

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


def _is_from_below(test: ast.Compare) -> bool:
    """Whether a comparison says nothing of large values: `limit < 1`, `len(rows) < limit`."""
    ordered = ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.In | ast.NotIn
    if not any(isinstance(op, ordered) for op in test.ops):
        return True
    others = [e for e in (test.left, *test.comparators) if not isinstance(e, ast.Name)]
    return bool(others) and all(
        (isinstance(each, ast.Constant) and each.value in {0, 1})
        or (isinstance(each, ast.Call) and last_name(each.func) == "len")
        for each in others
    )
