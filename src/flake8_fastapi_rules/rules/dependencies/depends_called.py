"""FAR303: a dependency that is called where it should be named."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import fix_of, replace
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency
from flake8_fastapi_rules.semantics.values import Function, Value

#: What can be told only of a function that is a dependency.
_LEADS_TO = (
    "FAR208", "FAR209", "FAR308", "FAR309", "FAR310", "FAR311", "FAR312", "FAR313", "FAR314",
    "FAR316", "FAR317", "FAR326", "FAR710",
)  # fmt: skip


class DependsCalled(Rule):
    """Give `Depends` the function itself, not what a call of it returns.

    ## What it does
    Reports `Depends(get_session())` where the call returns nothing that can be called: the result
    of a generator or async function, an object without `__call__`, a plain value.

    ## Why it matters
    `Depends` wants something to call once per request. With brackets the function runs once, when
    the module is imported, and FastAPI then tries to call its result: the import fails.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Depends


    async def get_limit() -> int:
        return 10


    async def get_page(limit: Annotated[int, Depends(get_limit())]) -> range:
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
    Calls that return a function, a class or an object with `__call__`, such as
    `Depends(require_role("admin"))` and `Depends(RateLimiter(times=5))`, and calls whose result
    cannot be told.

    ## Fix safety
    Unsafe: the fix takes the brackets away where nothing stands in them; the code did not work
    before, so look at whether it does now what was meant.

    ## Source
    FastAPI's dependency injection: `Depends` takes a callable.
    """

    code = "FAR303"
    message = "Write `{marker}({target})`: a call of `{target}` returns nothing that can be called"
    variants = {
        "async": "Write `{marker}({target})`: a call of `{target}` only makes a coroutine",
        "generator": "Write `{marker}({target})`: a call of `{target}` only makes a generator",
        "arguments": "Give `{marker}` something to call: `{target}(...)` returns no callable",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    fix = "unsafe"
    fix_reaches_imported = True

    @on(Dependency)
    def check(self, dependency: Dependency, context: Context) -> Iterator[Report]:
        """Report dependencies that are calls with a result that cannot be called."""
        call = dependency.target_node
        if not isinstance(call, ast.Call) or not dependency.marker.is_direct:
            return
        callee = context.resolve(call.func)
        kind = self._kind(callee, call, context)
        if kind is None:
            return
        text = context.shown(call.func)
        if call.args or call.keywords:
            yield self.report(
                call,
                "arguments",
                fix=Unfixable("it is called with arguments"),
                marker=dependency.marker.name,
                target=text,
            )
            return

        def fix() -> Fix:
            file = text_of(context.module)
            edit = replace(file, call, text)
            return fix_of(f"Drop the call of `{text}`", "unsafe", edit, leads_to=_LEADS_TO)

        variant = None if kind == "value" else kind
        yield self.report(call, variant, fix=fix, marker=dependency.marker.name, target=text)

    def _kind(self, callee: Value, call: ast.Call, context: Context) -> str | None:
        """What a call gives, if that cannot be called."""
        model = context.model
        if not isinstance(callee, Function) or not isinstance(callee.node, FUNCTIONS):
            return "value" if model.is_callable(context.resolve(call)) is False else None
        if not model.returns_as_written(callee):
            return None
        if callee.module.index.is_generator(callee.node):
            return "generator"
        if isinstance(callee.node, ast.AsyncFunctionDef):
            return "async"
        if model.returns_nothing(callee):
            return "value"
        return "value" if model.is_callable(model.resolver.returned(callee)) is False else None
