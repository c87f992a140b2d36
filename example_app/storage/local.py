"""Content in a directory of the local disk."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import anyio
from anyio import to_thread

from example_app.core.exceptions import StorageFullError

UNFINISHED: Final = ".part"
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LocalStorage:
    """Writes to a temporary name first: content appears under its key only when complete."""

    def __init__(self, directory: Path) -> None:
        """Use a directory; it is created by `prepare`."""
        self._directory = directory

    def prepare(self) -> None:
        """Create the directory."""
        self._directory.mkdir(parents=True, exist_ok=True)

    async def save(self, chunks: AsyncIterator[bytes]) -> str:
        """Write the chunks and return the key; a full disk is a `StorageFullError`."""
        key = uuid4().hex
        unfinished = self._directory / f"{key}{UNFINISHED}"
        try:
            async with await anyio.open_file(unfinished, "xb") as file:
                async for chunk in chunks:
                    await file.write(chunk)
                await file.flush()
                await to_thread.run_sync(os.fsync, file.wrapped.fileno())
            await to_thread.run_sync(os.replace, unfinished, self.path(key))
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFullError from error
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.Path(unfinished).unlink(missing_ok=True)
        return key

    def path(self, key: str) -> Path:
        """Return the path of a key. Keys are made here, never by clients."""
        return self._directory / key

    async def delete(self, key: str) -> None:
        """Remove content."""
        await anyio.Path(self.path(key)).unlink(missing_ok=True)

    async def keys_older_than(self, seconds: float) -> list[str]:
        """Return the keys of finished content of that age."""
        names = await to_thread.run_sync(self._names_older_than, seconds)
        return [name for name in names if not name.endswith(UNFINISHED)]

    async def remove_unfinished(self, seconds: float) -> int:
        """Remove half-written content of that age."""
        names = await to_thread.run_sync(self._names_older_than, seconds)
        unfinished = [name for name in names if name.endswith(UNFINISHED)]
        for name in unfinished:
            await self.delete(name)
        return len(unfinished)

    def _names_older_than(self, seconds: float) -> list[str]:
        limit = time.time() - seconds
        with os.scandir(self._directory) as entries:
            return [entry.name for entry in entries if entry.stat().st_mtime <= limit]
