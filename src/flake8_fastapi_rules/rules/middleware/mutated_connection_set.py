"""FAR804: sending to sockets while others come and go."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.engine.index import ModuleIndex, terminal_name
from flake8_fastapi_rules.fixes.edit import fix_of, wrap
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on

_SENDS = frozenset({"send_bytes", "send_json", "send_text"})
#: What other things than sockets have as well: then the collection has to be named after them.
_GENERAL = frozenset({"close", "send"})
_SOCKET_WORDS = ("client", "conn", "listener", "peer", "room", "socket", "subscriber", "ws")
#: Words in names of functions that send to the socket that they are given.
_HELPER_WORDS = ("send", "notify", "push", "emit", "deliver", "close", "disconnect")
_VIEWS = frozenset({"values", "items", "keys"})
#: How many names a collection is followed through.
_DEPTH = 4


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
        index = context.module.index
        shared = _collection(given)
        if shared is None or not self._outlives_the_call(shared, context):
            return
        names = _with_elements(loop, {n.id for n in ast.walk(target) if isinstance(n, ast.Name)})
        holder = ast.unparse(shared).lower()
        of_sockets = "websocket" in context.source.text.lower() and any(
            word in holder for word in _SOCKET_WORDS
        )
        if (
            any(
                isinstance(node, ast.Await)
                and _is_send(node.value, names, of_sockets=of_sockets)
                and not (isinstance(loop, ast.For) and _ends_loop(index, node))
                for node in ast.walk(loop)
            )
            and isinstance(index.function_of(loop), ast.AsyncFunctionDef)
            and not _holds_lock(index.ancestors(loop))
        ):
            fix = partial(self._fix, given, context)
            yield self.report(given, fix=fix, name=ast.unparse(given))

    def _outlives_the_call(self, node: ast.expr, context: Context, depth: int = 0) -> bool:
        """Whether others can reach the collection: an attribute, or a variable of the module.

        Also by a local name that is just another name for it.
        """
        if depth > _DEPTH:
            return False  # `for room in room.values()`: a name that stands for part of itself
        while isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Attribute):
            return True
        if not isinstance(node, ast.Name):
            return False
        found = context.module.index.lookup(node.id, node)
        if found is None:
            return False
        scope, bindings = found
        if scope is context.module.index.module_scope:
            return True
        if len(bindings) != 1:
            return False
        if bindings[0].kind == "for" and bindings[0].value is not None:
            return self._is_of_shared(bindings[0].value, context, depth + 1)
        if bindings[0].kind not in {"assign", "annotated", "walrus"}:
            return False
        value = bindings[0].value if not bindings[0].path else None
        if isinstance(value, ast.Name) or value is None:
            return False
        shared = _collection(value)
        return shared is not None and self._outlives_the_call(shared, context, depth + 1)

    def _is_of_shared(self, looped: ast.expr, context: Context, depth: int) -> bool:
        """Whether a loop gives the very collections that a mapping holds, be it a copied one."""
        match _copied(looped):
            case ast.Call(func=ast.Attribute(value=held, attr="values" | "items"), args=[]):
                if isinstance(held, ast.Attribute):
                    return True
                return self._outlives_the_call(held, context, depth)
        return False

    def _fix(self, node: ast.expr, context: Context) -> Fix:
        edits = wrap(text_of(context.module), node, "list(", ")")
        return fix_of("Iterate over a copy", "unsafe", edits)


def _collection(node: ast.expr) -> ast.expr | None:
    """The collection itself, for `self.sockets`, `self.rooms[name]` and `self.sockets.values()`."""
    if isinstance(node, ast.Call):
        func = node.func
        if isinstance(func, ast.Name) and func.id == "enumerate" and node.args:
            return _collection(node.args[0])
        if not isinstance(func, ast.Attribute):
            return None
        if func.attr == "get" and node.args:  # of a mapping of collections
            return func.value if isinstance(func.value, ast.Attribute | ast.Name) else None
        return func.value if func.attr in _VIEWS and not node.args else None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return None  # a copy
    return node if isinstance(node, ast.Attribute | ast.Name | ast.Subscript) else None


def _copied(node: ast.expr) -> ast.expr:
    """`room` of `list(room)`"""
    match node:
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[given]):
            return given
    return node


def _with_elements(loop: ast.AST, names: set[str]) -> set[str]:
    """Names of elements with those of loops inside over the elements: `for socket in room`."""
    found = set(names)
    for node in ast.walk(loop):
        if isinstance(node, ast.For | ast.comprehension) and node is not loop:
            inner = _collection(_copied(node.iter))
            if isinstance(inner, ast.Name) and inner.id in found:
                found.update(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
    return found


def _is_send(node: ast.expr, names: set[str], *, of_sockets: bool) -> bool:
    """Whether what is awaited sends to an element of the collection, by itself or by a helper.

    `socket.send_text(...)`, `sockets[name].send_text(...)`, either of them in `wait_for(...)`; of
    what is named like sockets also `send_to(socket, ...)`.
    """
    sends = _SENDS | _GENERAL if of_sockets else _SENDS
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and func.attr in sends
            and isinstance(func.value, ast.Name | ast.Subscript | ast.Attribute)
            and any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(func.value))
        ):
            return True
        called = terminal_name(func)
        if (
            of_sockets
            and any(word in called for word in _HELPER_WORDS)
            and any(isinstance(each, ast.Name) and each.id in names for each in call.args)
        ):
            return True
    return False


def _ends_loop(index: ModuleIndex, node: ast.Await) -> bool:
    """Whether the loop ends right after something is awaited: nothing is taken from it any more."""
    statement = index.statement_of(node)
    block = index.parents.get(statement) if statement is not None else None
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(block, name, None)
        if isinstance(statements, list) and statement in statements:
            following = statements[statements.index(statement) :]
            return any(isinstance(each, ast.Break | ast.Return | ast.Raise) for each in following)
    return False


def _holds_lock(around: Iterable[ast.AST]) -> bool:
    """Whether a lock keeps others from changing anything meanwhile."""
    return any(
        isinstance(each, ast.AsyncWith | ast.With)
        and any("lock" in ast.unparse(item.context_expr).lower() for item in each.items)
        for each in around
    )
