"""Hashes of passwords: which are too fast, what they are made of, what becomes of them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, targets_of
from flake8_fastapi_rules.semantics.credentials import is_password_name, last_name
from flake8_fastapi_rules.semantics.libraries import PASSWORD_HASHES, WEAK_HASHES, spellings
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import ModuleIndex
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

_METHODS = frozenset({"update", "hash", "encrypt", "verify"})
#: Derivations whose salt is a parameter.
_SALTED = {"hashlib.pbkdf2_hmac": 2, "hashlib.scrypt": 1}
#: What the key of a cipher is called.
_KEYS = re.compile(r"(?:^|_)key(?:$|_)")
#: Functions that make a key, to sign or to encrypt with, of a password.
_DERIVES = re.compile(r"(?:^|_)derive(?:_|$)|(?:^|_)(?:key|secret)$")
#: What the other side of a protocol sends to be hashed with the password.
_CHALLENGE = re.compile(r"\bnonce|\bchallenge\b|\brealm\b")


def weak_hash(name: str) -> str | None:
    """The algorithm of a call by its canonical name, if it is too fast for passwords."""
    for spelling in spellings(name):
        owner, _, method = spelling.rpartition(".")
        if spelling in WEAK_HASHES and not spelling.startswith("passlib."):
            return spelling.removesuffix(".new").rpartition(".")[2]
        if owner in WEAK_HASHES and method in _METHODS:
            return owner.removesuffix(".new").rpartition(".")[2]
    return None


def takes_salt(name: str) -> bool:
    """Whether what a canonical name stands for derives a key, and is given the salt for it."""
    return name in _SALTED


def salt_given(name: str, call: ast.Call) -> ast.expr | None:
    """The salt in a call of what `takes_salt`."""
    return argument(call, "salt", _SALTED[name])


def scheme_of_new(context: ast.Call) -> ast.expr | None:
    """The scheme that new passwords get from a `CryptContext(...)`: `default`, else the first."""
    default = argument(context, "default")
    if default is not None:
        return default
    schemes = argument(context, "schemes", 0)
    if not isinstance(schemes, ast.List | ast.Tuple) or not schemes.elts:
        return None
    return schemes.elts[0]


def is_made_of_password(module: Module, node: ast.expr) -> bool:
    """Whether an expression, or what its local name stands for, has a password in it."""
    if _holds_password(node):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value if node.func.attr == "encode" else node
    if not isinstance(node, ast.Name):
        return False
    found = module.index.lookup(node.id, node)
    if found is None or not isinstance(found[0].node, FUNCTIONS) or len(found[1]) != 1:
        return False
    value = found[1][0].given
    return value is not None and _holds_password(value)


def _holds_password(node: ast.expr) -> bool:
    match node:
        case ast.JoinedStr(values=values):
            return any(_holds_password(v) for v in values)
        case ast.FormattedValue(value=inner):
            return _holds_password(inner)
        case ast.BinOp(left=left, right=right):
            return _holds_password(left) or _holds_password(right)
        case ast.Call(func=ast.Attribute(attr="encode", value=inner)):
            return _holds_password(inner)
        case ast.Call(func=ast.Name(id="str" | "bytes"), args=[inner, *_]):
            return _holds_password(inner)
        case _:
            return is_password_name(last_name(node))


def answers_or_looks_up(module: Module, function: ast.AST) -> bool:
    """Whether a function speaks of leaked passwords, or of what a protocol sends to be hashed."""
    said = module.source.segment(function).lower()
    return "pwned" in said or _CHALLENGE.search(said) is not None


def hashes_well(model: Model, module: Module, function: ast.AST) -> bool:
    """Whether a function makes or checks, itself, a hash that is made for passwords."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            callee = model.library_object(module, node.func)
            if callee is not None and not PASSWORD_HASHES.isdisjoint(spellings(callee.name)):
                return True
    return False


def is_helper_of_good_hash(model: Model, module: Module, function: ast.AST) -> bool:
    """Whether a function of this module that calls another one `hashes_well`.

    Such a helper shortens long passwords for bcrypt.
    """
    index = module.index
    return any(
        isinstance(outer := index.function_of(each), FUNCTIONS)
        and outer is not function
        and isinstance(called := model.resolve(module, each.func), Function)
        and called.node is function
        and hashes_well(model, module, outer)
        for each in index.calls_of(frozenset({getattr(function, "name", "")}))
    )


def is_shortened(index: ModuleIndex, digest: ast.Call) -> bool:
    """Whether only a piece of a digest is kept, which is to tell things apart."""
    for asked in _asked_for(index, digest):
        called = index.parents.get(asked)
        piece = index.parents.get(called) if isinstance(called, ast.Call) else None
        if isinstance(piece, ast.Subscript) and isinstance(piece.slice, ast.Slice):
            return True
    return False


def becomes_key(index: ModuleIndex, digest: ast.Call, function: ast.AST) -> bool:
    """Whether the bytes of a digest are the key of a cipher, as far as names tell.

    Parameters:
        function: the function that the call stands in.
    """
    asked = _asked_for(index, digest)
    if not any(each.attr == "digest" for each in asked):
        return False
    if _DERIVES.search(getattr(function, "name", "")):
        return True
    named: set[str] = set()
    for node in ast.walk(function):
        targets = targets_of(node)
        if targets and any(
            each in asked or (isinstance(each, ast.Name) and each.id in named)
            for each in ast.walk(node)
        ):
            named.update(t.id for t in targets if isinstance(t, ast.Name))
    return any(_KEYS.search(name.lower()) for name in named)


def _asked_for(index: ModuleIndex, digest: ast.Call) -> list[ast.Attribute]:
    """What a hash is asked for, at once or by its name: `made.hexdigest`."""
    parent = index.parents.get(digest)
    if isinstance(parent, ast.Attribute):
        return [parent]
    names = {each.id for each in targets_of(parent) if isinstance(each, ast.Name)}
    function = index.function_of(digest) if names else None
    return [
        each
        for each in (index.own_nodes(function) if function is not None else ())
        if isinstance(each, ast.Attribute)
        and isinstance(each.value, ast.Name)
        and each.value.id in names
    ]
