"""Collections of sockets that connections share, and loops that send to what is in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import terminal_name

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import ModuleIndex
    from flake8_fastapi_rules.semantics.modules import Module

_SENDS = frozenset({"send_bytes", "send_json", "send_text"})
#: What other things than sockets have as well: then the collection has to be named after them.
_GENERAL = frozenset({"close", "send"})
_SOCKET_WORDS = ("client", "conn", "listener", "peer", "room", "socket", "subscriber", "ws")
#: Words in names of functions that send to the socket that they are given.
_HELPER_WORDS = ("send", "notify", "push", "emit", "deliver", "close", "disconnect")
_VIEWS = frozenset({"values", "items", "keys"})
#: How many names a collection is followed through.
_DEPTH = 4


def shared_collection(module: Module, given: ast.expr) -> ast.expr | None:
    """The collection that a loop goes through while others may change it; `None` for copies.

    For `self.sockets`, `self.rooms[name]` and `self.sockets.values()` alike, also by a local name.
    """
    found = _collection(given)
    return found if found is not None and _outlives_the_call(module.index, found) else None


def awaits_sends(module: Module, loop: ast.AST, target: ast.expr, collection: ast.expr) -> bool:
    """Whether a loop or comprehension awaits a `send` to an element, and then goes on.

    Parameters:
        target: what stands for an element.
        collection: what the loop goes through; when it is named after sockets, also what else may
            well send to one counts.
    """
    names = _with_elements(loop, {n.id for n in ast.walk(target) if isinstance(n, ast.Name)})
    holder = ast.unparse(collection).lower()
    of_sockets = "websocket" in module.source.text.lower() and any(
        word in holder for word in _SOCKET_WORDS
    )
    return any(
        isinstance(node, ast.Await)
        and _is_send(node.value, names, of_sockets=of_sockets)
        and not (isinstance(loop, ast.For) and _ends_loop(module.index, node))
        for node in ast.walk(loop)
    )


def holds_lock(module: Module, node: ast.AST) -> bool:
    """Whether a lock around a node, by its name, keeps others from changing anything meanwhile."""
    return any(
        isinstance(each, ast.AsyncWith | ast.With)
        and any("lock" in ast.unparse(item.context_expr).lower() for item in each.items)
        for each in module.index.ancestors(node)
    )


def _outlives_the_call(index: ModuleIndex, node: ast.expr, depth: int = 0) -> bool:
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
    found = index.lookup(node.id, node)
    if found is None:
        return False
    scope, bindings = found
    if scope is index.module_scope:
        return True
    if len(bindings) != 1:
        return False
    if bindings[0].kind == "for" and bindings[0].value is not None:
        return _is_of_shared(index, bindings[0].value, depth + 1)
    if bindings[0].kind not in {"assign", "annotated", "walrus"}:
        return False
    value = bindings[0].value if not bindings[0].path else None
    if isinstance(value, ast.Name) or value is None:
        return False
    shared = _collection(value)
    return shared is not None and _outlives_the_call(index, shared, depth + 1)


def _is_of_shared(index: ModuleIndex, looped: ast.expr, depth: int) -> bool:
    """Whether a loop gives the very collections that a mapping holds, be it a copied one."""
    match _copied(looped):
        case ast.Call(func=ast.Attribute(value=held, attr="values" | "items"), args=[]):
            return isinstance(held, ast.Attribute) or _outlives_the_call(index, held, depth)
    return False


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
