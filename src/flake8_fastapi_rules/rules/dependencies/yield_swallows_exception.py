"""FAR310: an exception that ends in a dependency."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import terminal_name
from flake8_fastapi_rules.fixes.edit import Edits, fix_of, insert_after, replace_statement
from flake8_fastapi_rules.fixes.text import FileText, text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.cleanup import (
    swallowing_handlers,
    tries_around,
    yields_of,
)
from flake8_fastapi_rules.semantics.facts import DependencyFunction
from flake8_fastapi_rules.semantics.framework import YIELD_MUST_RAISE
from flake8_fastapi_rules.semantics.values import External, Function

#: Words in the names of functions that do not return.
_ENDING = ("raise", "abort", "fail", "exit", "throw")
#: Exceptions that FastAPI does not throw into a dependency for an endpoint's sake, or that end a
#: WebSocket, for which no response is missing.
_HARMLESS = frozenset(
    {
        "builtins.GeneratorExit", "builtins.StopIteration", "builtins.StopAsyncIteration",
        "starlette.websockets.WebSocketDisconnect", "fastapi.WebSocketDisconnect",
        "builtins.KeyboardInterrupt",
    }
)  # fmt: skip


class YieldSwallowsException(Rule):
    """Raise again what a dependency catches around its `yield`.

    ## What it does
    Reports an `except` around the `yield` of a dependency that does not raise, and
    `contextlib.suppress(...)` around a `yield`.

    ## Why it matters
    The exception that arrives at the `yield` is the endpoint's, an `HTTPException` too. FastAPI
    makes the response of it after the dependencies have seen it; if one of them keeps it, there is
    no response at all: the client gets a 500 in place of the 404 that was meant, and the log says
    nothing of the cause.

    ## Example
    ```python
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends


    def get_lines() -> Iterator[list[str]]:
        lines: list[str] = []
        try:
            yield lines
        except Exception:
            lines.clear()


    def count(lines: Annotated[list[str], Depends(get_lines)]) -> int:
        return len(lines)
    ```

    ## Use instead
    ```python
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends


    def get_lines() -> Iterator[list[str]]:
        '''Lend a buffer to one request.'''
        lines: list[str] = []
        try:
            yield lines
        except Exception:
            lines.clear()
            raise


    def count(lines: Annotated[list[str], Depends(get_lines)]) -> int:
        '''Count the lines of the buffer.'''
        return len(lines)
    ```

    ## Leaves alone
    Handlers that raise, this exception or another one, on every path or behind the `try`; handlers
    that call what may raise for them; `WebSocketDisconnect`, `GeneratorExit` and the like; and
    projects that support FastAPI before 0.110, which raised by itself.

    ## Fix safety
    Unsafe: `raise` is added at the end of the handler, which changes what happens from then on.

    ## Source
    FastAPI 0.110: dependencies with `yield` and `except` must raise again. Before 0.110 the
    exception went on by itself.
    """

    code = "FAR310"
    message = "Raise again in this `except`: swallowed by `{name}`, an exception gives no response"
    variants = {
        "suppress": "Do not suppress around `yield`: swallowed, an exception gives no response",
        "finally": "Do not return in this `finally`: it swallows the exception, and there is no "
        "response",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "unsafe"

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report handlers around the `yield` that keep the exception."""
        if not fact.is_generator or not context.settings.fastapi_at_least(*YIELD_MUST_RAISE):
            return
        index, node = context.module.index, fact.node
        for handler in swallowing_handlers(index, node):
            if _is_harmless(handler.type, context) or _may_raise(handler, fact, context):
                continue

            def fix(handler: ast.ExceptHandler = handler) -> Fix:
                text = text_of(context.module)
                return fix_of("Raise again", "unsafe", _raise_again(text, handler))

            yield self.report(handler, fix=fix, name=fact.name)
        yields = yields_of(index, node)
        finals = [t.finalbody for each in yields for t in tries_around(index, node, each)]
        in_finals = {part for body in finals for each in body for part in ast.walk(each)}
        for each in index.own_nodes(node):
            if isinstance(each, ast.Return) and each in in_finals:
                reason = Unfixable("where the function ends is for you to say")
                yield self.report(each, "finally", fix=reason)
        for each in yields:
            for parent in index.ancestors(each):
                if parent is node:
                    break
                for item in getattr(parent, "items", ()):
                    if isinstance(item, ast.withitem) and isinstance(item.context_expr, ast.Call):
                        callee = context.resolve(item.context_expr.func)
                        if callee == External("contextlib.suppress"):
                            reason = Unfixable("what it may suppress is for you to say")
                            yield self.report(item.context_expr, "suppress", fix=reason)


def _is_harmless(caught: ast.expr | None, context: Context) -> bool:
    if caught is None:
        return False
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return all(getattr(context.resolve(name), "name", None) in _HARMLESS for name in names)


def _may_raise(handler: ast.ExceptHandler, fact: DependencyFunction, context: Context) -> bool:
    """Whether something that a handler calls may raise in its place."""
    inside = {id(node) for node in ast.walk(handler)}
    for site in context.model.effects.calls(Function(context.module, fact.node, fact.cls)):
        if id(site.node) not in inside:
            continue
        if site.target is not None and any(
            isinstance(node, ast.Raise)
            for node in site.target.module.index.own_nodes(site.target.node)
        ):
            return True
        func = site.node.func
        name = terminal_name(func)
        if any(word in name.lower() for word in _ENDING):
            return True
    return False


def _raise_again(text: FileText, handler: ast.ExceptHandler) -> Edits:
    """Add `raise` to a handler; in the place of a `pass` or `return` at its end."""
    last = handler.body[-1]
    is_replaced = isinstance(last, ast.Pass) or (
        isinstance(last, ast.Return) and last.value is None
    )
    if any(isinstance(node, ast.Return) for node in ast.walk(handler) if node is not last):
        raise Unfixable("the handler returns on another way")
    if is_replaced:
        return (replace_statement(text, last, "raise"),)
    return (insert_after(text, last, "raise"),)
