"""FAR513: lists without an end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.bases import is_of_made_model
from flake8_fastapi_rules.semantics.bound import inherited_dependencies, view_dependencies
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Parameter, Route, RouteKind
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.responses import response_type, returns_of, types_in
from flake8_fastapi_rules.semantics.values import Class, Constant, Expression, External, Function

_LISTS = frozenset(
    {"builtins.list", "collections.abc.Sequence", "collections.abc.Iterable", "builtins.set"}
)
_PAGING = re.compile(
    r"^(limit|offset|skip|page|page_?(size|number|num|no|token|index)|per_page|size|take|top|count"
    r"|cursor|after|before|start|end|first|last|max_results|pagination|paging|params|n|from_|to"
    r"|since|until)$|_(limit|offset|page|cursor)$|pagina|^(limit|page)_",
    re.IGNORECASE,
)
_CLOSED = ("enum.Enum",)
#: How a function reads the query by itself.
_QUERY = re.compile(r"query_params|query_string|\.url\b|\.scope\b")


class UnpaginatedList(Rule):
    """Answer lists in pages.

    ## What it does
    Reports a GET operation that answers with a list and takes no parameter for a page: no limit,
    offset, page, cursor or the like, neither itself nor through a dependency.

    ## Why it matters
    The list grows with the data. What took milliseconds with ten rows takes the memory of server
    and client with a million, and a limit that comes later breaks the clients.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.get("")
    async def read_items() -> list[str]:
        return find_all()
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/items", tags=["items"])


    @router.get("", status_code=200, operation_id="read_items")
    async def read_items(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[str]:
        \"\"\"Answer the first items.\"\"\"
        return find(limit)
    ```

    ## Leaves alone
    Lists of names or numbers that are written down in the code, lists of enumerations, other
    answers than lists, and operations whose parameters or dependencies cannot all be told.

    ## Source
    The convention of paginated lists.
    """

    code = "FAR513"
    message = "`{name}` answers a list without paging parameters"
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report lists without pages."""
        function = route.function
        if route.kind is not RouteKind.HTTP or route.methods != ("GET",) or function is None:
            return
        declared = response_type(context.model, route)
        if declared is None or not has_own_signature(context.model, function):
            return
        if function.module.index.is_generator(function.node):
            return
        parts = [
            part
            for part in types_in(context.model, declared.module, declared.node)
            if part.value != Constant(None)
        ]
        if not parts or not isinstance(parts[0].value, External):
            return
        if parts[0].value.name not in _LISTS or parts[0].is_contained:
            return
        if any(context.model.is_subclass(part.value, *_CLOSED) for part in parts[1:2]):
            return
        if any(part.value == External("typing.Literal") for part in parts):
            return
        if self._is_written_down(function, context) or self._has_paging(route, function, context):
            return
        yield self.report(route.node, name=getattr(function.node, "name", "lambda"))

    def _is_written_down(self, function: Function, context: Context) -> bool:
        """Whether the list is one of names and numbers that the code fixes."""
        returns = returns_of(function.module, function.node)
        is_filled = False
        for statement in returns:
            value = context.model.resolve(function.module, statement.value)
            if not isinstance(value, Expression) or not isinstance(value.node, ast.List | ast.Set):
                return False
            if not all(isinstance(each, ast.Constant | ast.Attribute) for each in value.node.elts):
                return False  # records: what stands there today comes from a database tomorrow
            is_filled = is_filled or bool(value.node.elts)
        return is_filled  # an empty one is filled later on

    def _has_paging(self, route: Route, function: Function, context: Context) -> bool:
        """Whether a parameter is for paging, or may be one."""
        model = context.model
        dependencies, complete = model.all_dependencies(function)
        if not complete or any(isinstance(d.target, External) for d in dependencies):
            return True
        if route.view_class is not None:
            dependencies += tuple(view_dependencies(model, route.view_class))
        for inherited in inherited_dependencies(model, route) or ():
            dependencies += (inherited,)
            if inherited.function is not None:
                dependencies += model.all_dependencies(inherited.function)[0]
        names = {*context.settings.page_size_names}
        functions = [function, *(d.function for d in dependencies if d.function is not None)]
        parameters: list[Parameter] = [p for f in functions for p in model.parameters(f)]
        for dependency in dependencies:
            if isinstance(dependency.target, Class):
                parameters += model.class_parameters(dependency.target) or ()
        for parameter in parameters:
            alias = parameter.alias or parameter.name
            if alias in names or _PAGING.search(alias) or _PAGING.search(parameter.name):
                return True
            typed = model.resolver.annotation(parameter.type_module, parameter.type_node)
            of = getattr(typed, "of", None)
            if is_of_made_model(typed):
                return True  # its fields are not known
            if isinstance(of, Class) and model.is_subclass(of, "pydantic.BaseModel"):
                if any(_PAGING.search(field.name) for field in model.class_parameters(of) or ()):
                    return True
            if model.is_instance(typed, "starlette.requests.Request"):
                # A dependency that takes the request to tell who asks has nothing to do with pages.
                owner = parameter.function
                if owner is None or _QUERY.search(parameter.module.source.segment(owner)):
                    return True
                if owner is function.node and _is_handed_on(function.module, parameter):
                    return True
        return False


def _is_handed_on(module: Module, parameter: Parameter) -> bool:
    """Whether something else than attributes is made of a parameter: others may read it."""
    if parameter.function is None:
        return True
    return any(
        isinstance(node, ast.Name)
        and node.id == parameter.name
        and not isinstance(module.index.parents.get(node), ast.Attribute)
        for node in ast.walk(parameter.function)
    )
