"""FAR804: sending to sockets while others come and go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of, wrap
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.sockets import awaits_sends, holds_lock, shared_collection


class MutatedConnectionSet(Rule):
    """Iterate over a copy of the connections when the loop awaits.

    ## What it does
    Reports a loop over a shared collection of sockets (an attribute or a module variable) that
    awaits a `send` on its elements.

    ## Why it matters
    While the loop waits for a slow client, another connects or leaves and changes the collection:
    a set or dictionary then raises `RuntimeError`, a list skips somebody.

    ## Example
    ```python
    from fastapi import WebSocket


    class ConnectionManager:
        def __init__(self) -> None:
            self.connections: set[WebSocket] = set()

        async def broadcast(self, text: str) -> None:
            for connection in self.connections:
                await connection.send_text(text)
    ```

    ## Use instead
    ```python
    from fastapi import WebSocket


    class ConnectionManager:
        def __init__(self) -> None:
            self.connections: set[WebSocket] = set()

        async def broadcast(self, text: str) -> None:
            for connection in list(self.connections):
                await connection.send_text(text)
    ```

    ## Leaves alone
    Loops over copies (`list(...)`, `tuple(...)`, `.copy()`), over local collections, under a lock,
    and loops that await nothing.

    ## Fix safety
    The fix wraps the collection in `list(...)`; unsafe, since a client that leaves meanwhile is
    still sent to.

    ## Source
    Python raises `RuntimeError: Set changed size during iteration`.
    """

    code = "FAR804"
    message = "`{name}` may change while this loop awaits; iterate over `list({name})`"
    profiles = ("strict",)
    fix = "unsafe"
    hints = ("send", ".close(")

    @on(ast.For)
    def check(self, loop: ast.For, context: Context) -> Iterator[Report]:
        """Report the collection of a loop that awaits sends."""
        yield from self._check(loop, loop.target, loop.iter, context)

    @on(ast.ListComp, ast.SetComp, ast.DictComp)
    def check_comprehension(
        self, made: ast.ListComp | ast.SetComp | ast.DictComp, context: Context
    ) -> Iterator[Report]:
        """Report the collection of a comprehension that awaits sends."""
        for each in made.generators:
            yield from self._check(made, each.target, each.iter, context)

    def _check(
        self, loop: ast.AST, target: ast.expr, given: ast.expr, context: Context
    ) -> Iterator[Report]:
        module = context.module
        collection = shared_collection(module, given)
        if (
            collection is not None
            and awaits_sends(module, loop, target, collection)
            and isinstance(module.index.function_of(loop), ast.AsyncFunctionDef)
            and not holds_lock(module, loop)
        ):
            fix = partial(self._fix, given, context)
            yield self.report(given, fix=fix, name=ast.unparse(given))

    def _fix(self, node: ast.expr, context: Context) -> Fix:
        edits = wrap(text_of(context.module), node, "list(", ")")
        return fix_of("Iterate over a copy", "unsafe", edits)
