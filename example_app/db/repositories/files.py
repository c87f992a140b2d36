"""Rows of files."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from example_app.db.models import StoredFile
from example_app.db.repositories.base import Repository, Rows


class FileRepository(Repository[StoredFile]):
    """Finds the files of a user, and which keys of the storage are in use."""

    model = StoredFile
    label = "file"

    async def list_page(self, owner_id: UUID | None, limit: int, offset: int) -> Rows[StoredFile]:
        """Return one page of an owner's files (None: of all), newest first."""
        query = select(StoredFile)
        if owner_id is not None:
            query = query.where(StoredFile.owner_id == owner_id)
        return await self.page(query, StoredFile.created_at.desc(), limit, offset)

    async def keys_in_use(self, keys: Collection[str]) -> set[str]:
        """Return those of the keys that a row names."""
        query = select(StoredFile.storage_key).where(StoredFile.storage_key.in_(keys))
        return set(await self.session.scalars(query))
