"""FAR316: a dependency that does not say what it gives."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import DependencyFunction


class UntypedDependency(Rule):
    """Annotate what a dependency returns or yields.

    ## What it does
    Reports a dependency function (or the `__call__` of a dependency object) without a return
    annotation.

    ## Why it matters
    Whoever writes `Annotated[T, Depends(get_thing)]` has to know what `T` is, and a type checker
    has to be able to compare. Without an annotation the two drift apart in silence.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit():
        return 10


    async def get_page(limit: Annotated[int, Depends(get_limit)]) -> range:
        return range(limit)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit() -> int:
        '''Give the size of a page.'''
        return 10


    async def get_page(limit: Annotated[int, Depends(get_limit)]) -> range:
        '''Give the positions on the first page.'''
        return range(limit)
    ```

    ## Leaves alone
    Classes, whose type is known, lambdas, and functions that are no dependencies.

    ## Source
    The convention of typed dependencies.
    """

    code = "FAR316"
    message = "Annotate what the dependency `{name}` {gives}"
    profiles = ("strict",)
    scope = "project"

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report dependencies without return annotation."""
        if fact.node.returns is None and fact.node.name != "__init__":
            place = context.source.name_range(fact.node)
            gives = "yields" if fact.is_generator else "returns"
            yield self.report(place, name=fact.name, gives=gives)
