"""Removing what is no longer needed."""

from __future__ import annotations

from typing import Final

from example_app.background.base import Routine
from example_app.core.logging import get_logger
from example_app.db.models.base import utc_now
from example_app.db.repositories.files import FileRepository
from example_app.db.repositories.sessions import SessionRepository
from example_app.db.repositories.tokens import TokenRepository
from example_app.db.session import Database
from example_app.storage.protocol import Storage

BATCH: Final = 500

logger = get_logger(__name__)


class PurgeExpired(Routine):
    """Removes expired tokens and sessions."""

    def __init__(self, database: Database, interval: float) -> None:
        """Open a transaction of its own for each round."""
        self.interval = interval
        self._database = database

    async def work(self) -> None:
        """Remove what has expired by now."""
        async with self._database.transaction() as session:
            await TokenRepository(session).remove_expired(utc_now())
            await SessionRepository(session).remove_expired(utc_now())


class SweepFiles(Routine):
    """Removes content that no row names: left by a crash, or by a commit that failed."""

    def __init__(self, database: Database, storage: Storage, interval: float, minutes: int) -> None:
        """Leave alone what is younger than some minutes: it may be an upload under way."""
        self.interval = interval
        self._database = database
        self._storage = storage
        self._age = minutes * 60.0

    async def work(self) -> None:
        """Remove half-written and orphaned content."""
        removed = await self._storage.remove_unfinished(self._age)
        keys = await self._storage.keys_older_than(self._age)
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            async with self._database.transaction() as session:
                used = await FileRepository(session).keys_in_use(batch)
            for key in set(batch) - used:
                await self._storage.delete(key)
                removed += 1
        if removed:
            logger.warning("orphaned files removed", count=removed)


class RemoveContent(Routine):
    """Removes the content of a deleted file, after the deletion was committed."""

    def __init__(self, storage: Storage, key: str) -> None:
        """Remember what to remove."""
        self._storage = storage
        self._key = key

    async def work(self) -> None:
        """Remove it."""
        await self._storage.delete(self._key)
