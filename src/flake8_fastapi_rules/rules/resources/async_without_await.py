"""FAR615: an `async def` that blocks and never awaits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import UNREADABLE, Edits, fix_of
from flake8_fastapi_rules.fixes.idioms import annotate_generator
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.values import External, Function

_ROLES = frozenset({Role.ENDPOINT, Role.DEPENDENCY})


class AsyncWithoutAwait(Rule):
    """Declare functions that only block as plain `def`.

    ## What it does
    Reports an `async def` endpoint or dependency that awaits nothing and blocks, itself or through
    a function that it calls.

    ## Why it matters
    `async` gives such a function nothing and takes the event loop from everybody else while it
    blocks. As a plain `def` FastAPI runs it in a thread pool, and nothing else has to change.

    ## Example
    ```python
    import pathlib

    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/motd")
    async def motd() -> str:
        return pathlib.Path("/etc/motd").read_text()  # noqa: FAR601
    ```

    ## Use instead
    ```python
    import pathlib

    from fastapi import APIRouter

    router = APIRouter()


    @router.get("/motd", status_code=200, operation_id="motd", tags=["system"])
    def motd() -> str:
        \"\"\"Answer the message of the day.\"\"\"
        return pathlib.Path("/etc/motd").read_text()
    ```

    ## Leaves alone
    Functions with `await`, `async for` or `async with`, functions that do not block or that use
    `asyncio` (tasks cannot be started from a thread), and functions that other code calls directly.

    ## Fix safety
    Unsafe: it removes `async`, so that the function runs in another thread.

    ## Source
    FastAPI's documentation on concurrency: if in doubt, use plain `def`.
    """

    code = "FAR615"
    message = "`{name}` awaits nothing and blocks the event loop: make it a plain `def`"
    profiles = ("opt-in",)
    fix = "unsafe"
    hints = ("async",)

    @on(FrameworkFunction)
    def check(self, function: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report asynchronous functions that block and never wait."""
        node = function.node
        if not isinstance(node, ast.AsyncFunctionDef) or not function.roles <= _ROLES:
            return
        for part in context.module.index.own_nodes(node):
            if isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith) or (
                isinstance(part, ast.comprehension) and part.is_async
            ):
                return
        value = context.resolve(node)
        if not isinstance(value, Function) or context.model.effects.blocks(value) is None:
            return
        if context.model.direct_calls(value) or self._needs_loop(value, context):
            return
        yield self.report(
            context.source.name_range(node), name=node.name, fix=self._fix(context, node)
        )

    def _needs_loop(self, function: Function, context: Context) -> bool:
        """Whether a function does what only works on the event loop: start tasks, for one."""
        return any(
            isinstance(site.callee, External)
            and site.callee.name.startswith(("asyncio.", "anyio.", "contextvars."))
            for site in context.model.effects.calls(function)
        )

    def _fix(self, context: Context, node: ast.AsyncFunctionDef) -> FixMaker:
        def fix() -> Fix:
            text = text_of(context.module)
            keyword = text.token_at(text.start(node))
            following = text.token_at(keyword.end) if keyword is not None else None
            if keyword is None or following is None or keyword.string != "async":
                raise Unfixable(UNREADABLE)
            edit = Edit(keyword.start, following.start, "")
            typed: Edits = ()
            if context.module.index.is_generator(node):
                typed = annotate_generator(text, node, context.resolve)
            return fix_of("Make it a plain `def`", "unsafe", edit, typed, leads_to=("FAR312",))

        return fix
