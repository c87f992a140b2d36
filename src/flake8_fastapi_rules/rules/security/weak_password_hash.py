"""FAR703: passwords behind a hash that is made to be fast."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, argument, targets_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import is_password_name, last_name
from flake8_fastapi_rules.semantics.libraries import (
    PASSWORD_HASHES,
    WEAK_HASHES,
    WEAK_SCHEMES,
    spellings,
)
from flake8_fastapi_rules.semantics.values import Constant, Function

_METHODS = frozenset({"update", "hash", "encrypt", "verify"})
_CONTEXT = "passlib.context.CryptContext"
#: Derivations whose salt is a parameter.
_SALTED = {"hashlib.pbkdf2_hmac": 2, "hashlib.scrypt": 1}


#: What the key of a cipher is called.
_KEYS = re.compile(r"(?:^|_)key(?:$|_)")
#: What the other side of a protocol sends to be hashed with the password.
_CHALLENGE = re.compile(r"\bnonce|\bchallenge\b|\brealm\b")

#: Functions that make a key, to sign or to encrypt with, of a password.
_DERIVES = re.compile(r"(?:^|_)derive(?:_|$)|(?:^|_)(?:key|secret)$")


class WeakPasswordHash(Rule):
    """Hash passwords with a hash made for passwords.

    ## What it does
    Reports a password that is hashed with MD5, SHA-1, SHA-2, SHA-3 or BLAKE2, a passlib scheme of
    that kind, and a key derivation with a constant salt.

    ## Why it matters
    These hashes are made to be fast: a graphics card tries billions of passwords a second. Without
    a salt of its own for each password, one table breaks all of them at once. Argon2 and bcrypt are
    slow on purpose and salt by themselves.

    ## Example
    ```python
    import hashlib


    def hash_password(password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()
    ```

    ## Use instead
    ```python
    from pwdlib import PasswordHash

    passwords = PasswordHash.recommended()


    def hash_password(password: str) -> str:
        return passwords.hash(password)
    ```

    ## Leaves alone
    A fast hash in front of bcrypt or Argon2, also in a function of its own, digests that are the
    key of a cipher, look-ups of leaked passwords, answers to the nonce of a protocol (WS-Security,
    Digest), and hashes of anything else.

    ## Source
    OWASP: password storage; CWE-916.
    """

    code = "FAR703"
    message = "`{name}` is too fast for passwords; use Argon2 or bcrypt"
    variants = {"salt": "`{name}` has the same salt for every password; use Argon2 or bcrypt"}
    profiles = ("recommended",)
    hints = ("hashlib", "passlib", "Crypto")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report hashes of passwords, and passlib contexts that make them."""
        callee = context.library_object(call.func)
        if callee is None:
            return
        if callee.name == _CONTEXT:
            scheme = self._first_scheme(call, context)
            if scheme is not None and context.model.text(context.module, scheme) in WEAK_SCHEMES:
                yield self.report(scheme, name=context.model.text(context.module, scheme))
            return
        if not any(
            self._is_password(each) or self._is_made_of_one(each, context) for each in call.args
        ):
            return
        if callee.name in _SALTED:
            salt = argument(call, "salt", _SALTED[callee.name])
            if isinstance(context.resolve(salt), Constant):
                yield self.report(call, "salt", name=context.shown(call.func))
            return
        name = self._weak_hash(callee.name)
        if name is not None and not self._is_only_a_step(call, context):
            yield self.report(call, name=name)

    def _weak_hash(self, name: str) -> str | None:
        for spelling in spellings(name):
            owner, _, method = spelling.rpartition(".")
            if spelling in WEAK_HASHES and not spelling.startswith("passlib."):
                return spelling.removesuffix(".new").rpartition(".")[2]
            if owner in WEAK_HASHES and method in _METHODS:
                return owner.removesuffix(".new").rpartition(".")[2]
        return None

    def _first_scheme(self, call: ast.Call, context: Context) -> ast.expr | None:
        """The scheme that new passwords get: `default`, else the first."""
        default = argument(call, "default")
        if default is not None:
            return default
        schemes = argument(call, "schemes", 0)
        if not isinstance(schemes, ast.List | ast.Tuple) or not schemes.elts:
            return None
        return schemes.elts[0]

    def _is_password(self, node: ast.expr) -> bool:
        match node:
            case ast.JoinedStr(values=values):
                return any(self._is_password(v) for v in values)
            case ast.FormattedValue(value=inner):
                return self._is_password(inner)
            case ast.BinOp(left=left, right=right):
                return self._is_password(left) or self._is_password(right)
            case ast.Call(func=ast.Attribute(attr="encode", value=inner)):
                return self._is_password(inner)
            case ast.Call(func=ast.Name(id="str" | "bytes"), args=[inner, *_]):
                return self._is_password(inner)
            case _:
                return is_password_name(last_name(node))

    def _is_made_of_one(self, node: ast.expr, context: Context) -> bool:
        """Whether a local name stands for a text with a password in it."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value if node.func.attr == "encode" else node
        if not isinstance(node, ast.Name):
            return False
        found = context.module.index.lookup(node.id, node)
        if found is None or not isinstance(found[0].node, FUNCTIONS) or len(found[1]) != 1:
            return False
        value = found[1][0].given
        return value is not None and self._is_password(value)

    def _is_only_a_step(self, call: ast.Call, context: Context) -> bool:
        """Whether a real password hash follows, or the password is only looked up."""
        function = context.module.index.function_of(call)
        if function is None:
            return False
        said = context.source.segment(function).lower()
        if "pwned" in said or _CHALLENGE.search(said):
            return True
        if self._hashes_well(function, context) or self._becomes_key(call, function, context):
            return True
        if self._is_shortened(call, context):
            return True
        # A helper that shortens long passwords for bcrypt: ask those who call it.
        name = getattr(function, "name", "")
        index = context.module.index
        return any(
            isinstance(outer := index.function_of(each), FUNCTIONS)
            and outer is not function
            and isinstance(called := context.resolve(each.func), Function)
            and called.node is function
            and self._hashes_well(outer, context)
            for each in index.calls_of(frozenset({name}))
        )

    def _is_shortened(self, call: ast.Call, context: Context) -> bool:
        """Whether only a piece of the digest is kept, which is to tell things apart."""
        parents = context.module.index.parents
        for digest in self._asked_for(call, context):
            called = parents.get(digest)
            piece = parents.get(called) if isinstance(called, ast.Call) else None
            if isinstance(piece, ast.Subscript) and isinstance(piece.slice, ast.Slice):
                return True
        return False

    def _asked_for(self, call: ast.Call, context: Context) -> list[ast.Attribute]:
        """What a hash is asked for, at once or by its name: `made.hexdigest`."""
        index = context.module.index
        parent = index.parents.get(call)
        if isinstance(parent, ast.Attribute):
            return [parent]
        names = {each.id for each in targets_of(parent) if isinstance(each, ast.Name)}
        function = index.function_of(call) if names else None
        return [
            each
            for each in (index.own_nodes(function) if function is not None else ())
            if isinstance(each, ast.Attribute)
            and isinstance(each.value, ast.Name)
            and each.value.id in names
        ]

    def _hashes_well(self, function: ast.AST, context: Context) -> bool:
        """Whether a function makes or checks a real password hash."""
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                callee = context.library_object(node.func)
                if callee is not None and not PASSWORD_HASHES.isdisjoint(spellings(callee.name)):
                    return True
        return False

    def _becomes_key(self, call: ast.Call, function: ast.AST, context: Context) -> bool:
        """Whether the bytes of the digest are the key of a cipher."""
        asked = self._asked_for(call, context)
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
