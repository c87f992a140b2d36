"""FAR313: a plain `def` dependency that takes a thread for nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker
from flake8_fastapi_rules.fixes.edit import Edits, fix_of
from flake8_fastapi_rules.fixes.idioms import annotate_generator
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import is_abstract
from flake8_fastapi_rules.semantics.facts import DependencyFunction
from flake8_fastapi_rules.semantics.values import Function


class ThreadpoolDependency(Rule):
    """Make dependencies that never block `async def`.

    ## What it does
    Reports a plain `def` dependency of which every call is known and none blocks.

    ## Why it matters
    FastAPI runs plain dependencies in a thread pool. Handing a function to another thread and
    waiting for it takes far longer than reading a header or an attribute of `app.state`, uses up
    one of 40 threads, and loses changes to context variables. The same function as `async def`
    runs in place.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends, Request

    router = APIRouter()


    def user_agent(request: Request) -> str:
        return request.headers.get("user-agent", "")


    @router.get("/agent")
    async def agent(name: Annotated[str, Depends(user_agent)]) -> str:
        return name
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends, Request

    router = APIRouter()


    async def user_agent(request: Request) -> str:
        \"\"\"Read the name of the client.\"\"\"
        return request.headers.get("user-agent", "")


    @router.get("/agent", status_code=200, operation_id="agent", tags=["clients"])
    async def agent(name: Annotated[str, Depends(user_agent)]) -> str:
        \"\"\"Answer the name of the client.\"\"\"
        return name
    ```

    ## Leaves alone
    Dependencies that block, that call something which may block, that other code calls directly,
    classes, place-holders that raise `NotImplementedError` and what is used for endpoints as well.

    ## Fix safety
    Unsafe: it adds `async`, and what calls the function by a way that cannot be seen gets a
    coroutine.

    ## Source
    FastAPI's documentation on concurrency; AnyIO's default of 40 worker threads.
    """

    code = "FAR313"
    message = (
        "Dependency `{name}` takes a thread of the pool to do nothing that blocks; make it async"
    )
    profiles = ("opt-in",)
    scope = "project"
    fix = "unsafe"

    @on(DependencyFunction)
    def check(self, dependency: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report plain functions that certainly do not block."""
        node = dependency.node
        if isinstance(node, ast.AsyncFunctionDef) or node.name == "__init__":
            return
        function = context.resolve(node)
        if not isinstance(function, Function) or len(context.model.roles(function)) != 1:
            return
        if node.decorator_list or not context.model.effects.never_blocks(function):
            return
        if context.model.direct_calls(function):
            return
        if is_abstract(function) and any(isinstance(each, ast.Raise) for each in node.body):
            return  # a place-holder that the app overrides
        fix = self._fix(context, node)
        yield self.report(context.source.name_range(node), name=dependency.name, fix=fix)

    def _fix(self, context: Context, node: ast.FunctionDef) -> FixMaker:
        def fix() -> Fix:
            text = text_of(context.module)
            start = text.start(node)
            typed: Edits = ()
            if context.module.index.is_generator(node):
                typed = annotate_generator(text, node, context.resolve)
            return fix_of("Make it `async def`", "unsafe", Edit(start, start, "async "), typed)

        return fix
