"""FAR309: clean-up that an exception skips."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import SHARED_LINE, UNREADABLE, fix_of, indented, replace_range
from flake8_fastapi_rules.fixes.text import FileText, text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.cleanup import Cleanup, is_cleanup, unprotected_cleanup
from flake8_fastapi_rules.semantics.facts import DependencyFunction


class YieldWithoutCleanup(Rule):
    """Clean up in `finally`, or with `with`, after the `yield` of a dependency.

    ## What it does
    Reports a dependency with `yield` that closes, releases or removes what it made after the
    `yield`, but neither in a `finally` nor by a `with` around the `yield`.

    ## Why it matters
    FastAPI throws an exception of the endpoint, an `HTTPException` too, into the dependency at the
    `yield`. What follows is skipped then: exactly the requests that fail leave their sessions and
    connections open.

    ## Example
    ```python
    from collections.abc import Iterator
    from typing import Annotated

    import httpx
    from fastapi import Depends


    def get_client() -> Iterator[httpx.Client]:
        client = httpx.Client()
        yield client
        client.close()


    def fetch(client: Annotated[httpx.Client, Depends(get_client)]) -> int:
        return client.get("https://example.com").status_code
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    import httpx
    from fastapi import Depends


    async def get_client() -> AsyncIterator[httpx.AsyncClient]:
        '''Lend an HTTP client to one request.'''
        client = httpx.AsyncClient()
        try:
            yield client
        finally:
            await client.aclose()


    async def fetch(client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> int:
        '''Ask for the status of a page.'''
        response = await client.get("https://example.com")
        return response.status_code
    ```

    ## Leaves alone
    Work after the `yield` that is meant for success only, such as a commit or a log entry, and
    clean-up that every exception reaches in another way, and what another branch cleans up.

    ## Fix safety
    Unsafe: the `yield` moves into a `try` and what follows it into its `finally`, where nothing but
    clean-up follows.

    ## Source
    FastAPI's documentation of dependencies with `yield` and `try`.
    """

    code = "FAR309"
    message = "Put this `yield` into `try` and `{cleanup}()` into `finally`: an exception skips it"
    profiles = ("recommended",)
    is_bug = True
    fix = "unsafe"

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report the `yield` whose clean-up can be skipped."""
        if not fact.is_generator:
            return
        found = unprotected_cleanup(context.module.index, fact.node)
        if found is None:
            return

        def fix() -> Fix:
            return _wrap(text_of(context.module), found)

        where = context.related(context.module, found.call, "the clean-up")
        cleanup = context.shown(found.call.func)
        yield self.report(found.node, related=[where], fix=fix, cleanup=cleanup)


def _wrap(text: FileText, found: Cleanup) -> Fix:
    """Put the `yield` into a `try` and all that follows in its block into the `finally`."""
    block = text.block_of(found.statement)
    if block is None:
        raise Unfixable(UNREADABLE)
    following = block[block.index(found.statement) + 1 :]
    if not following or not all(_only_cleans_up(statement) for statement in following):
        raise Unfixable("more than the clean-up follows the `yield`")
    parts = (found.statement, *following)
    if not all(text.own_line(part) for part in parts):
        raise Unfixable(SHARED_LINE)
    if any(
        isinstance(node, ast.Constant | ast.JoinedStr) and node.lineno != node.end_lineno
        for part in parts
        for node in ast.walk(part)
    ):
        raise Unfixable("a string spans several lines")
    start = text.line_start(text.start(found.statement))
    middle = text.line_end(text.end(found.statement))
    end = text.line_end(text.end(following[-1]))
    indentation = text.indentation(start)
    inner = indentation + text.indent_unit
    first = indented(text.text[start:middle], inner)
    rest = indented(text.text[middle:end], inner)
    code = f"{indentation}try:\n{first}\n{indentation}finally:\n{rest}"
    return fix_of("Clean up in `finally`", "unsafe", replace_range(text, start, end, code))


def _only_cleans_up(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but clean up, perhaps under a condition."""
    if isinstance(statement, ast.If):
        return not statement.orelse and all(_only_cleans_up(each) for each in statement.body)
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return isinstance(value, ast.Call) and is_cleanup(value)
