"""FAR314: dependencies of dependencies of dependencies."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, Endpoint
from flake8_fastapi_rules.semantics.values import Function, Value


class DeepDependencyChain(Rule):
    """Keep chains of dependencies short.

    ## What it does
    Reports a parameter of an endpoint, or an element of `dependencies=[...]`, behind which a chain
    of more than three dependencies stands (`dependency-depth`), and prints the chain.

    ## Why it matters
    Each link runs for each request and can answer it with an error of its own. Beyond three links
    nobody can tell from an endpoint what has to be true for it to run, and a test has to replace
    the right link of many.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends

    router = APIRouter()


    async def get_settings() -> str:
        return "sqlite://"


    async def get_engine(url: Annotated[str, Depends(get_settings)]) -> str:
        return url


    async def get_session(engine: Annotated[str, Depends(get_engine)]) -> str:
        return engine


    async def get_items(session: Annotated[str, Depends(get_session)]) -> list[str]:
        return [session]


    @router.get("/items")
    async def list_items(items: Annotated[list[str], Depends(get_items)]) -> list[str]:
        return items
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends, status

    router = APIRouter(tags=["items"])


    async def get_session() -> str:
        '''Give a session of the engine that the lifespan has opened.'''
        return "sqlite://"


    async def get_items(session: Annotated[str, Depends(get_session)]) -> str:
        '''Read the items.'''
        return session


    @router.get("/items", status_code=status.HTTP_200_OK, operation_id="listItems")
    async def list_items(items: Annotated[str, Depends(get_items)]) -> str:
        '''List all items.'''
        return items
    ```

    ## Leaves alone
    Dependencies that libraries bring, such as security schemes: only the project's own count.

    ## Source
    The convention of chains of at most three dependencies.
    """

    code = "FAR314"
    message = "Shorten the chain of {depth} dependencies behind `{name}`: {chain}"
    profiles = ("strict",)
    scope = "project"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report parameters with a long chain behind them."""
        model = context.model
        function = Function(context.module, endpoint.node, endpoint.view_class)
        for parameter in model.parameters(function):
            dependency = model.dependency_of(parameter)
            if dependency is not None:
                yield from self._report_chain(
                    parameter.node, parameter.name, dependency.target, context
                )

    @on(Dependency)
    def check_list(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report what stands in `dependencies=[...]` with a long chain behind it."""
        node, parents = dependency.node, context.module.index.parents
        sequence = parents.get(node)
        argument = parents.get(sequence) if isinstance(sequence, ast.List | ast.Tuple) else None
        if isinstance(argument, ast.keyword) and argument.arg == "dependencies":
            target = dependency.target_node
            home = dependency.marker.call_module if target is not None else None
            name = context.shown(target or node, module=home)
            yield from self._report_chain(node, name, dependency.target, context)

    def _report_chain(
        self, place: ast.AST, name: str, target: Value, context: Context
    ) -> Iterator[Report]:
        first = context.model.callable_of(target)
        if first is None:
            return
        chain = (first, *context.model.chain(first))
        if len(chain) > context.settings.dependency_depth:
            shown = " → ".join(f"`{each.shown_name}`" for each in chain)
            where = [context.related(f.module, f.node, f.shown_name) for f in chain]
            yield self.report(place, related=where, depth=len(chain), name=name, chain=shown)
