"""What the service expects of a storage; anything with these methods will do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol


class Storage(Protocol):
    """Keeps content under keys that it makes itself."""

    async def save(self, chunks: AsyncIterator[bytes]) -> str:
        """Write the chunks; return the key. If that fails, nothing is left behind."""
        ...

    def path(self, key: str) -> Path:
        """Return where the content can be read."""
        ...

    async def delete(self, key: str) -> None:
        """Remove content; no error if there is none."""
        ...

    async def keys_older_than(self, seconds: float) -> list[str]:
        """Return the keys of all content that was written before that time."""
        ...

    async def remove_unfinished(self, seconds: float) -> int:
        """Remove what a crash left half written before that time; return how many."""
        ...
