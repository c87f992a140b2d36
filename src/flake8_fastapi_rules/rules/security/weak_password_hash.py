"""FAR703: passwords behind a hash that is made to be fast."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import WEAK_SCHEMES
from flake8_fastapi_rules.semantics.password_hashes import (
    answers_or_looks_up,
    becomes_key,
    hashes_well,
    is_helper_of_good_hash,
    is_made_of_password,
    is_shortened,
    salt_given,
    scheme_of_new,
    takes_salt,
    weak_hash,
)
from flake8_fastapi_rules.semantics.values import Constant

_CONTEXT = "passlib.context.CryptContext"


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
            scheme = scheme_of_new(call)
            name = context.model.text(context.module, scheme) if scheme is not None else None
            if scheme is not None and name in WEAK_SCHEMES:
                yield self.report(scheme, name=name)
            return
        if not any(is_made_of_password(context.module, each) for each in call.args):
            return
        if takes_salt(callee.name):
            if isinstance(context.resolve(salt_given(callee.name, call)), Constant):
                yield self.report(call, "salt", name=context.shown(call.func))
            return
        name = weak_hash(callee.name)
        if name is not None and not self._is_only_a_step(call, context):
            yield self.report(call, name=name)

    def _is_only_a_step(self, call: ast.Call, context: Context) -> bool:
        """Whether a real password hash follows, or the digest is not there to be stored."""
        model, module = context.model, context.module
        function = module.index.function_of(call)
        return function is not None and (
            answers_or_looks_up(module, function)
            or hashes_well(model, module, function)
            or becomes_key(module.index, call, function)
            or is_shortened(module.index, call)
            or is_helper_of_good_hash(model, module, function)
        )
