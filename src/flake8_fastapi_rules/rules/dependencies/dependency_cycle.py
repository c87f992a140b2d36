"""FAR315: dependencies that wait for each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import DependencyFunction, Parameter
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.values import Function

_LIMIT = 40


class DependencyCycle(Rule):
    """Break cycles of dependencies.

    ## What it does
    Reports dependencies that depend on each other, directly or through others. The last of them is
    reported, with the whole cycle.

    ## Why it matters
    FastAPI follows the dependencies of a route when it is registered. A cycle has no end: the
    import fails with a `RecursionError`.

    ## Example
    ```python
    from __future__ import annotations

    from typing import Annotated

    from fastapi import Depends


    class Users:
        def __init__(self, items: Annotated[Items, Depends()]) -> None:
            self.items = items


    class Items:
        def __init__(self, users: Annotated[Users, Depends()]) -> None:
            self.users = users
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends


    class Users:
        '''The users.'''


    class Items:
        '''The items of users.'''

        def __init__(self, users: Annotated[Users, Depends()]) -> None:
            '''Take the users.'''
            self.users = users
    ```

    ## Leaves alone
    Functions that call each other, and dependencies that cannot be resolved.

    ## Source
    `fastapi.dependencies.utils.get_dependant`, which follows dependencies without end.
    """

    code = "FAR315"
    message = "Break the cycle of dependencies {cycle}: FastAPI follows it without end"
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report the last dependency of a cycle."""
        model = context.model
        start = Function(context.module, fact.node, fact.cls)
        for parameter in model.parameters(start):
            cycle = _cycle(model, start, parameter)
            if cycle is None:
                continue
            if max(cycle, key=_place).node is not start.node:
                continue
            shown = " → ".join(f"`{each.shown_name}`" for each in (*cycle, start))
            where = [context.related(f.module, f.node, f.shown_name) for f in cycle[1:]]
            yield self.report(parameter.node, related=where, cycle=shown)


def _cycle(model: Model, start: Function, parameter: Parameter) -> tuple[Function, ...] | None:
    """The shortest way from a dependency back to itself through one of its parameters."""
    queue: list[tuple[Function, ...]] = []
    first = _target(model, parameter)
    if first is not None:
        queue.append((start, first))
    seen: set[ast.AST] = set()
    while queue:
        path = queue.pop(0)
        last = path[-1]
        if last.node is start.node:
            return path[:-1]
        if last.node in seen or len(path) > _LIMIT:
            continue
        seen.add(last.node)
        for each in model.parameters(last):
            target = _target(model, each)
            if target is not None:
                queue.append((*path, target))
    return None


def _target(model: Model, parameter: Parameter) -> Function | None:
    dependency = model.dependency_of(parameter)
    return model.callable_of(dependency.target) if dependency is not None else None


def _place(function: Function) -> tuple[str, int]:
    return str(function.module.path), function.node.lineno
