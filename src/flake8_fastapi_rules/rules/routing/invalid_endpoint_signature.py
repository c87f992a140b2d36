"""FAR209: parameters that FastAPI cannot fill in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.decorators import has_own_signature, hiding_decorator
from flake8_fastapi_rules.semantics.facts import DependencyFunction, Endpoint
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode


class InvalidEndpointSignature(Rule):
    """Give endpoints and dependencies only parameters that FastAPI can fill in.

    ## What it does
    Reports `*args`, `**kwargs`, positional-only parameters and a stray `self` or `cls` in the
    signature of an endpoint or dependency; also where FastAPI sees them instead of the function's
    own parameters, because a decorator of the project returns a wrapper without
    `functools.wraps`.

    ## Why it matters
    FastAPI takes `args`, `kwargs`, `self` and `cls` for required query parameters, so that every
    request without them gets a 422; and since it passes everything by keyword, a positional-only
    parameter fails each request with a 500.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/items")
    async def read_items(**filters: str) -> list[str]:
        return []
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Query


    def item_filters(color: Annotated[str, Query(max_length=20)] = "any") -> dict[str, str]:
        \"\"\"The filters of a list of items.\"\"\"
        return {"color": color}
    ```

    ## Leaves alone
    `self` in methods and class-based views; functions under a decorator that may change the
    signature, and those that get a `__signature__` or are wrapped after their `def`; `__init__` of
    Pydantic models, which show their fields. A decorator of the project that uses
    `functools.wraps` shows the function's own.

    ## Source
    `fastapi.dependencies.utils.get_dependant` walks `inspect.signature` and knows no parameter
    kinds (0.165).
    """

    code = "FAR209"
    message = "FastAPI takes `{name}` for a query parameter; declare what the request holds"
    variants = {
        "positional": "FastAPI passes `{name}` by keyword; a positional-only parameter fails",
        "hidden": (
            "`{decorator}` hides the signature: `{name}` becomes a query parameter; "
            "use `functools.wraps`"
        ),
    }
    profiles = ("recommended",)
    is_bug = True

    @on(Endpoint)
    def check_endpoint(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the parameters of an endpoint."""
        if any(
            route.verb in {"route", "add_route", "websocket_route"} for route in endpoint.routes
        ):
            return
        is_method = endpoint.view_class is not None and (
            any(route.style in {"add", "call"} for route in endpoint.routes)
            or self._may_be_view(endpoint.view_class)
        )
        yield from self._check(endpoint.node, context, is_method=is_method)

    @on(DependencyFunction)
    def check_dependency(
        self, dependency: DependencyFunction, context: Context
    ) -> Iterator[Report]:
        """Report the parameters of a dependency."""
        owner = context.module.index.class_of(dependency.node)
        if (
            owner is not None
            and getattr(dependency.node, "name", None) == "__init__"
            and context.model.is_subclass(Class(context.module, owner), "pydantic.BaseModel")
        ):
            return  # Pydantic shows the fields, whatever `**data` its `__init__` takes
        yield from self._check(dependency.node, context, is_method=owner is not None)

    def _may_be_view(self, cls: Class) -> bool:
        """Whether something may turn the class's methods into endpoints without `self`."""
        return bool(cls.node.decorator_list or cls.node.bases or cls.node.keywords)

    def _check(self, node: FunctionNode, context: Context, *, is_method: bool) -> Iterator[Report]:
        function = Function(context.module, node)
        if not has_own_signature(context.model, function):
            yield from self._hidden(function, context)
            return
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        implicit = positional[0] if positional and is_method and not _is_static(node) else None
        for argument in arguments.posonlyargs:
            if argument is not implicit:
                yield self.report(argument, "positional", name=argument.arg)
        for argument in arguments.args[:1]:
            if argument.arg in {"self", "cls"} and argument is not implicit:
                if argument.annotation is None and not arguments.defaults[len(positional) - 1 :]:
                    yield self.report(argument, name=argument.arg)
        for star in (arguments.vararg, arguments.kwarg):
            if star is not None:
                yield self.report(star, name=star.arg)

    def _hidden(self, function: Function, context: Context) -> Iterator[Report]:
        """Report the decorator that leaves FastAPI nothing but stars to see."""
        hidden = hiding_decorator(context.model, function)
        if hidden is None:
            return
        decorator, wrapper = hidden
        star = wrapper.node.args.vararg or wrapper.node.args.kwarg
        yield self.report(
            decorator,
            "hidden",
            related=[context.related(wrapper.module, wrapper.node, "what FastAPI sees")],
            decorator=context.shown(decorator, 40),
            name=star.arg if star is not None else "",
        )


def _is_static(node: FunctionNode) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
