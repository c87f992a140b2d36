"""FAR311: a dependency that is a context manager."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, remove_decorator
from flake8_fastapi_rules.fixes.imports import import_group, remove_unused_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, DependencyFunction
from flake8_fastapi_rules.semantics.values import External, Function, Instance

_DECORATORS = ("contextlib.contextmanager", "contextlib.asynccontextmanager")


class ContextManagerDependency(Rule):
    """Leave a yield dependency undecorated: FastAPI makes the context manager.

    ## What it does
    Reports `@contextmanager` and `@asynccontextmanager` on a function that is used as a dependency.

    ## Why it matters
    FastAPI turns a generator function into a context manager by itself. One that is decorated
    already is called like any other function, or wrapped a second time, depending on the version:
    the endpoint receives the context manager instead of what it yields, or the request fails.

    ## Example
    ```python
    from collections.abc import Iterator
    from contextlib import contextmanager
    from typing import Annotated

    from fastapi import Depends


    @contextmanager
    def get_buffer() -> Iterator[list[int]]:
        buffer: list[int] = []
        try:
            yield buffer
        finally:
            buffer.clear()


    def count(buffer: Annotated[list[int], Depends(get_buffer)]) -> int:
        return len(buffer)
    ```

    ## Use instead
    ```python
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends


    def get_buffer() -> Iterator[list[int]]:
        '''Lend a buffer to one request.'''
        buffer: list[int] = []
        try:
            yield buffer
        finally:
            buffer.clear()


    def count(buffer: Annotated[list[int], Depends(get_buffer)]) -> int:
        '''Count what is in the buffer.'''
        return len(buffer)
    ```

    ## Leaves alone
    Context managers that are entered with `with` only, lifespans, and dependencies that enter a
    context manager themselves.

    ## Fix safety
    Safe: the decorator goes, and its import if nothing else needs it. There is no fix where the
    project also calls the function itself, as in `with get_buffer() as buffer`: write a dependency
    that enters it.

    ## Source
    FastAPI's documentation of dependencies with `yield`, and
    `fastapi.dependencies.utils.solve_dependencies`.
    """

    code = "FAR311"
    message = "Drop `@{decorator}`: FastAPI makes a context manager of `{name}` by itself"
    variants = {
        "call": "Give `{marker}` the generator itself: FastAPI does not enter `{decorator}(...)`",
        "shared": (
            "Enter `{name}` in a dependency of its own: FastAPI does not enter `@{decorator}`"
        ),
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "safe"
    hints = ("contextmanager", "contextlib")

    @on(Dependency)
    def check_call(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report dependencies that a call makes context managers of."""
        made = dependency.target
        if (
            dependency.target_node is not None
            and isinstance(made, Instance)
            and isinstance(made.of, External)
            and made.of.name in _DECORATORS
            and made.call is not None
            and made.module is not None
        ):
            yield self.report(
                dependency.target_node,
                "call",
                related=[context.related(made.module, made.call, "the context manager")],
                fix=Unfixable("the generator behind the context manager must be found"),
                marker=dependency.marker.name,
                decorator=made.of.name.rpartition(".")[2],
            )

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report dependencies decorated as context managers."""
        node, model = fact.node, context.model
        for decorator in node.decorator_list:
            value = context.resolve(decorator)
            name = getattr(value, "name", None)
            if name not in _DECORATORS:
                continue
            is_shared = bool(model.direct_calls(Function(context.module, node)))

            def fix(decorator=decorator) -> Fix:  # type: ignore[no-untyped-def]
                text = text_of(context.module)
                local = context.source.segment(decorator).partition(".")[0]
                return fix_of(
                    "Drop the decorator",
                    "safe",
                    remove_decorator(text, node, decorator),
                    remove_unused_import(text, local, [decorator]),
                    group=import_group(local),
                    leads_to=("FAR309", "FAR310", "FAR312", "FAR313", "FAR326"),
                )

            yield self.report(
                decorator,
                "shared" if is_shared else None,
                fix=Unfixable("the project calls it as a context manager too")
                if is_shared
                else fix,
                name=fact.name,
                decorator=context.shown(decorator),
            )
