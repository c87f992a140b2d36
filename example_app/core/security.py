"""Passwords and opaque tokens.

Argon2id needs tens of milliseconds of CPU by design, so hashing leaves the event loop.
"""

from __future__ import annotations

import hashlib
import secrets

from anyio import to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher


class PasswordService:
    """Hashes and verifies passwords with Argon2id in a worker thread."""

    def __init__(self, memory_kib: int) -> None:
        """Set the memory cost; the other costs are the library's recommended ones."""
        self._hasher = PasswordHash((Argon2Hasher(memory_cost=memory_kib),))
        # Verified against when there is no such user, so that the answer takes as long.
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str) -> str:
        """Return the salted hash of a password."""
        return await to_thread.run_sync(self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Compare a password with its hash; without a hash the answer is no, as slowly."""
        matches = await to_thread.run_sync(self._hasher.verify, password, stored or self._decoy)
        return matches and stored is not None


def new_opaque_token() -> str:
    """Return a random token that nobody can guess (256 bits)."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is stored of a token.

    A plain SHA-256 is right here, unlike for passwords: a token has full entropy, so there is
    nothing to guess, and it is looked up by this hash.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def same_token(left: str, right: str) -> bool:
    """Compare two token hashes in constant time."""
    return secrets.compare_digest(left, right)
