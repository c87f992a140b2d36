"""FAR320: a scope that does not exist, or that ends too early."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, DependencyFunction
from flake8_fastapi_rules.semantics.framework import DEPENDENCY_SCOPES, SCOPES
from flake8_fastapi_rules.semantics.values import Function


class InvalidDependencyScope(Rule):
    """Give a dependency a scope that exists and that its users do not outlive.

    ## What it does
    Reports `Depends(..., scope=...)` with another scope than `"function"` and `"request"`, and a
    dependency with `yield` that lives as long as the request but depends on one with
    `scope="function"`.

    ## Why it matters
    FastAPI takes any text as a scope without a word and then treats the dependency as one of the
    request. A dependency that ends with the function, on which one of the request relies, would be
    closed too early: FastAPI refuses it with a `DependencyScopeError` at import.

    ## Example
    ```python
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends


    def get_items() -> Iterator[list[int]]:
        yield []


    def count(items: Annotated[list[int], Depends(get_items, scope="func")]) -> int:
        return len(items)
    ```

    ## Use instead
    ```python
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends


    def get_items() -> Iterator[list[int]]:
        '''Lend an empty list to one request.'''
        yield []


    def count(items: Annotated[list[int], Depends(get_items, scope="function")]) -> int:
        '''Count what is in the list.'''
        return len(items)
    ```

    ## Leaves alone
    Dependencies without `yield`, which have no end; scopes that cannot be told; projects that
    support FastAPI before 0.121, which has no scopes.

    ## Source
    FastAPI 0.121: `Depends(scope=)`; `fastapi.dependencies.utils.get_dependant`.
    """

    code = "FAR320"
    message = 'Use "function" or "request": FastAPI knows no scope "{scope}"'
    variants = {
        "early": 'Give `{name}` scope "request": `{function}` lives on when it has ended already',
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("scope",)

    @on(Dependency)
    def check_name(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report scopes that do not exist."""
        if dependency.scope is None or not context.settings.fastapi_at_least(*DEPENDENCY_SCOPES):
            return
        if dependency.scope not in SCOPES and dependency.marker.is_direct:
            place = dependency.marker.argument("scope")
            yield self.report(place or dependency.node, scope=dependency.scope)

    @on(DependencyFunction)
    def check_order(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report what a dependency of the request needs and a function's end takes away."""
        if not fact.is_generator or not context.settings.fastapi_at_least(*DEPENDENCY_SCOPES):
            return
        model = context.model
        uses = model.uses(context.module).dependencies.get(fact.node, ())
        if not any(use.scope in {None, "request"} for use in uses):
            return
        function = Function(context.module, fact.node, fact.cls)
        for parameter in model.parameters(function):
            inner = model.dependency_of(parameter)
            if inner is None or inner.scope != "function":
                continue
            name = fact.node.name
            yield self.report(parameter.node, "early", name=parameter.name, function=name)
