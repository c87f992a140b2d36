"""FAR307: the same `Annotated` again and again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import fix_of, insert_before, replace
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on


class RepeatedDependencyAnnotation(Rule):
    """Give an `Annotated[T, Depends(f)]` that is used often a name.

    ## What it does
    Reports the same `Annotated[T, Depends(f)]` written out three times or more in the project
    (`repeated-annotations`).

    ## Why it matters
    What is repeated has to be changed in many places, and differs soon. An alias such as
    `SessionDep = Annotated[Session, Depends(get_session)]` names the dependency once and makes
    signatures short.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit() -> int:
        return 10


    async def first(limit: Annotated[int, Depends(get_limit)]) -> int:
        return limit


    async def second(limit: Annotated[int, Depends(get_limit)]) -> int:
        return limit


    async def third(limit: Annotated[int, Depends(get_limit)]) -> int:
        return limit
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit() -> int:
        '''Give the size of a page.'''
        return 10


    Limit = Annotated[int, Depends(get_limit)]


    async def first(limit: Limit) -> int:
        '''Give the size of the first page.'''
        return limit


    async def second(limit: Limit) -> int:
        '''Give the size of the second page.'''
        return limit


    async def third(limit: Limit) -> int:
        '''Give the size of the third page.'''
        return limit
    ```

    ## Leaves alone
    Aliases themselves, and what cannot be resolved.

    ## Fix safety
    Unsafe: an alias is made in front of the first use in the file, named after the type, or one
    that the file has already is used. Where the alias should live, and what it should be called, is
    for a person to say.

    ## Source
    The convention of type aliases for common dependencies.
    """

    code = "FAR307"
    message = "Give `{annotation}` a name: it is written out {count} times"
    profiles = ("strict",)
    scope = "project"
    fix = "unsafe"

    @on(ast.Subscript)
    def check(self, node: ast.Subscript, context: Context) -> Iterator[Report]:
        """Report each time that a common annotation is written out."""
        count = context.model.repetitions(context.module, node)
        if count >= context.settings.repeated_annotations:
            yield self.report(
                node,
                fix=partial(_name_it, context, node),
                annotation=context.shown(node, 70),
                count=count,
            )


def _name_it(context: Context, node: ast.Subscript) -> Fix:
    """Use an alias, which is made in front of the first use unless there is one."""
    text, index = text_of(context.module), context.module.index
    if text.index.annotations_are_text:
        raise Unfixable("annotations are kept as strings here")
    dumped = ast.dump(node)
    function = next((each for each in index.ancestors(node) if isinstance(each, FUNCTIONS)), None)
    group = signature_group(function) if function is not None else None
    for statement in context.module.tree.body:
        if isinstance(statement, ast.Assign) and ast.dump(statement.value) == dumped:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and statement.lineno < node.lineno:
                edit = replace(text, node, target.id)
                return fix_of(f"Use `{target.id}`", "unsafe", edit, group=group)
    same = [each for each in index.nodes(ast.Subscript) if ast.dump(each) == dumped]
    first = min(same, key=lambda each: (each.lineno, each.col_offset))
    place = next(
        each for each in context.module.tree.body if any(c is first for c in ast.walk(each))
    )
    elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    kind = elements[0] if elements else None
    if not isinstance(kind, ast.Name | ast.Attribute):
        raise Unfixable("its type gives no name for an alias")
    last = kind.attr if isinstance(kind, ast.Attribute) else kind.id
    name = f"{last[:1].upper()}{last[1:]}Dep"
    if index.lookup(name, node) is not None:
        raise Unfixable("the alias' name is taken")
    if any(
        isinstance(each, ast.Name) and each.id in _names_bound_in(place) for each in ast.walk(node)
    ):
        raise Unfixable("it speaks of a name that is defined with its first use")
    alias = insert_before(text, place, f"{name} = {context.source.segment(node)}", blank=2)
    return fix_of(f"Use `{name}`", "unsafe", alias, replace(text, node, name), group=group)


def _names_bound_in(statement: ast.stmt) -> frozenset[str]:
    """The names of definitions inside of a top-level statement."""
    return frozenset(
        each.name for each in ast.walk(statement) if isinstance(each, (*FUNCTIONS, ast.ClassDef))
    )
