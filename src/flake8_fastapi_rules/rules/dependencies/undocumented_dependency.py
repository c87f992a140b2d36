"""FAR317: a dependency without a docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import DependencyFunction


class UndocumentedDependency(Rule):
    """Say in a docstring what a dependency provides.

    ## What it does
    Reports a dependency function, or a class that is a dependency, without a docstring.

    ## Why it matters
    A dependency is used far from where it is written, by name only. What it provides, what it
    raises and what it needs in turn stands nowhere else, and the chain of dependencies behind an
    endpoint can be followed only as far as each link explains itself.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit() -> int:
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
    Lambdas, and methods of a class that has a docstring itself.

    ## Source
    The convention that chains of dependencies are documented.
    """

    code = "FAR317"
    message = "Say in a docstring what the dependency `{name}` provides"
    profiles = ("strict",)
    scope = "project"

    @on(DependencyFunction)
    def check_function(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report dependency functions without docstring."""
        node = fact.node
        owner = context.module.index.class_of(node)
        if ast.get_docstring(node, clean=False) is not None:
            return
        if owner is None or node.name not in ("__init__", "__call__"):
            yield self.report(context.source.name_range(node), name=fact.name)
        elif node.name == "__call__" and ast.get_docstring(owner, clean=False) is None:
            yield self.report(context.source.name_range(owner), name=owner.name)

    @on(ast.ClassDef)
    def check_class(self, node: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report classes that are dependencies without docstring."""
        if ast.get_docstring(node, clean=False) is not None:
            return
        if node in context.model.uses(context.module).classes:
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            init = next((each for each in methods if each.name == "__init__"), None)
            if init is None or ast.get_docstring(init, clean=False) is None:
                yield self.report(context.source.name_range(node), name=node.name)
