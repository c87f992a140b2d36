"""FAR319: a dependency of every route that could be the router's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Edit, Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import (
    Edits,
    add_argument,
    append_element,
    fix_of,
    remove_argument,
    remove_element,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, ParameterKind, Route, Router

#: So many routes make a habit.
_ENOUGH = 3


class RepeatedRouteDependency(Rule):
    """Give a router the dependencies that all its routes have.

    ## What it does
    Reports a router with three routes or more of which each has the same dependency in its
    `dependencies=[...]`, or as a parameter that its function never reads.

    ## Why it matters
    A check that every route needs is forgotten on the next one. On the router it holds for all of
    them.

    ## Example
    ```python
    from fastapi import APIRouter, Depends

    router = APIRouter()


    async def check_quota() -> None:
        return None


    @router.get("/a", dependencies=[Depends(check_quota)])
    async def read_a() -> int:
        return 1


    @router.get("/b", dependencies=[Depends(check_quota)])
    async def read_b() -> int:
        return 2


    @router.get("/c", dependencies=[Depends(check_quota)])
    async def read_c() -> int:
        return 3
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter, Depends, status


    async def check_quota() -> None:
        '''Count the request.'''
        return None


    router = APIRouter(tags=["letters"], dependencies=[Depends(check_quota)])


    @router.get("/a", status_code=status.HTTP_200_OK, operation_id="readA")
    async def read_a() -> int:
        '''Read the first letter.'''
        return 1
    ```

    ## Leaves alone
    Routers with a route that lacks the dependency, with fewer than three routes, or whose routes
    are declared in another module.

    ## Fix safety
    Unsafe: the dependency moves to the router and runs first from then on.

    ## Source
    The convention of shared dependencies at the router.
    """

    code = "FAR319"
    message = "Put `{dependency}` into the `dependencies` of the router: all {count} routes have it"
    variants = {
        "already": "`{dependency}` is on the router already; drop it from its {count} routes",
    }
    profiles = ("opt-in",)
    fix = "unsafe"

    @on(Router)
    def check(self, router: Router, context: Context) -> Iterator[Report]:
        """Report routers whose routes share a dependency."""
        routes = [
            route
            for route in context.facts(Route)
            if getattr(route.receiver, "call", None) is router.node
        ]
        if len(routes) < _ENOUGH or router.has_unknown_arguments:
            return
        listed = [_listed(route, context) for route in routes]
        if any(each is None for each in listed):
            return
        first, *others = [each for each in listed if each is not None]
        for key, dependency in first.items():
            if all(key in other for other in others):
                shown = context.shown(dependency.node, module=dependency.module)
                found = [other[key] for other in (first, *others)]
                fix = partial(_move, context, router, routes, found)
                variant = "already" if _has_it(router, dependency, context) else None
                yield self.report(
                    router.node, variant, fix=fix, dependency=shown, count=len(routes)
                )


def _has_it(router: Router, dependency: Dependency, context: Context) -> bool:
    """Whether a router has a dependency already that its routes have."""
    given = router.arguments.get("dependencies")
    found, _ = context.model.listed_dependencies(router.module, given)
    return any(_key(each) == _key(dependency) for each in found)


def _listed(route: Route, context: Context) -> dict[object, Dependency] | None:
    """The dependencies that a route only has run, by what they are; `None` if it cannot be told.

    They stand in its list, or fill parameters that nothing reads.
    """
    given = route.arguments.get("dependencies")
    if route.has_unknown_arguments:
        return None
    found, is_complete = context.model.listed_dependencies(context.module, given)
    if not is_complete:
        return None
    return {_key(each): each for each in (*found, *_unread(route, context)) if each.target}


def _unread(route: Route, context: Context) -> Iterator[Dependency]:
    """The dependencies of the parameters that a route's function never reads."""
    function, model = route.function, context.model
    if function is None or function.module is not context.module or function.owner is not None:
        return
    if len(getattr(function.node, "decorator_list", ())) > 1:
        return  # another decorator may read them
    for parameter in model.parameters(function):
        if parameter.kind is ParameterKind.DEPENDENCY and not model.is_read(function, parameter):
            dependency = model.dependency_of(parameter)
            if dependency is not None:
                yield dependency


def _key(dependency: Dependency) -> object:
    """What two dependencies have in common that are the same, however they are written."""
    call = dependency.marker.call
    if call is None or not isinstance(dependency.target_node, ast.Name | ast.Attribute):
        return ast.dump(dependency.node)
    others = (ast.dump(keyword) for keyword in call.keywords if keyword.arg != "dependency")
    return dependency.target, dependency.marker.name, tuple(others)


def _move(context: Context, router: Router, routes: list[Route], found: list[Dependency]) -> Fix:
    text = text_of(context.module)
    code = context.source.segment(found[0].node)
    names = {n.id for n in ast.walk(found[0].node) if isinstance(n, ast.Name)}
    index = context.module.index
    for name in names:
        seen = index.lookup(name, router.node)
        if seen is None or not any(
            getattr(binding.node, "lineno", 0) < router.node.lineno for binding in seen[1]
        ):
            raise Unfixable("the dependency is defined behind the router")
    if any(dependency.parameter is not None for dependency in found):
        raise Unfixable("some routes have it as a parameter")
    listed = router.arguments.get("dependencies")
    if _has_it(router, found[0], context):
        added: Edits = ()
    elif listed is None:
        added = add_argument(text, router.node, f"dependencies=[{code}]")
    elif isinstance(listed, ast.List):
        added = append_element(text, listed, code)
    else:
        raise Unfixable("the router's dependencies are no list")
    removals: list[Edit] = []
    for route, dependency in zip(routes, found, strict=True):
        given, call = route.arguments.get("dependencies"), route.call
        keyword = next((k for k in call.keywords if k.value is given), None) if call else None
        if call is None or keyword is None or not isinstance(given, ast.List):
            raise Unfixable("the dependencies of a route are no list")
        removals += (
            remove_argument(text, call, keyword)
            if len(given.elts) == 1
            else remove_element(text, given, dependency.node)
        )
    return fix_of("Move it to the router", "unsafe", added, removals)
