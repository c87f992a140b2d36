"""Files: streamed into the storage, described by a row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from example_app.core.exceptions import (
    FileTooLargeError,
    InvalidFileError,
    NotFoundError,
    UnsupportedFileTypeError,
)
from example_app.core.permissions import Actor
from example_app.db.models import StoredFile
from example_app.db.repositories.files import FileRepository
from example_app.schemas.files import StoredFileResponse
from example_app.schemas.pages import Page, PageParams
from example_app.storage.inspection import harmless_name, sniff_media_type
from example_app.storage.protocol import Storage

CHUNK_SIZE: Final = 64 * 1024


class Upload(Protocol):
    """What is needed of an upload; FastAPI's `UploadFile` has it."""

    @property
    def filename(self) -> str | None:
        """The name that the client gave."""
        ...

    async def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        ...


@dataclass(frozen=True)
class Download:
    """Where a file can be read, and what to tell about it."""

    path: Path
    name: str
    media_type: str


class FileService:
    """What can be done with files."""

    def __init__(self, files: FileRepository, storage: Storage, max_bytes: int) -> None:
        """Work with the repository of one transaction and a storage."""
        self._files = files
        self._storage = storage
        self._max_bytes = max_bytes

    async def upload(self, actor: Actor, upload: Upload) -> StoredFileResponse:
        """Check and store an upload; its row is written last, so no row lacks its content."""
        head = await upload.read(CHUNK_SIZE)
        if not head:
            raise InvalidFileError("The file is empty.")
        media_type = sniff_media_type(head)
        if media_type is None:
            raise UnsupportedFileTypeError
        stream = _CountedChunks(head, upload, self._max_bytes)
        key = await self._storage.save(stream.chunks())
        row = await self._files.add(
            StoredFile(
                owner_id=actor.id,
                name=harmless_name(upload.filename),
                media_type=media_type,
                size=stream.size,
                storage_key=key,
            )
        )
        return StoredFileResponse.model_validate(row)

    async def list_page(self, actor: Actor, params: PageParams) -> Page[StoredFileResponse]:
        """Return one page of the files."""
        owner_id = None if actor.is_admin else actor.id
        rows, total = await self._files.list_page(owner_id, params.limit, params.offset)
        return Page[StoredFileResponse](
            items=[StoredFileResponse.model_validate(row) for row in rows],
            total=total,
            limit=params.limit,
            offset=params.offset,
        )

    async def get(self, actor: Actor, file_id: UUID) -> StoredFileResponse:
        """Return what is known of a file."""
        return StoredFileResponse.model_validate(await self._get_own(actor, file_id))

    async def download(self, actor: Actor, file_id: UUID) -> Download:
        """Return where the content is."""
        row = await self._get_own(actor, file_id)
        return Download(self._storage.path(row.storage_key), row.name, row.media_type)

    async def delete(self, actor: Actor, file_id: UUID) -> str:
        """Delete the row and return the key, whose content may go once that is committed."""
        row = await self._get_own(actor, file_id)
        await self._files.remove(row)
        return row.storage_key

    async def _get_own(self, actor: Actor, file_id: UUID) -> StoredFile:
        row = await self._files.get(file_id)
        if row.owner_id != actor.id and not actor.is_admin:
            raise NotFoundError("There is no such file.")
        return row


class _CountedChunks:
    """Reads an upload in chunks and stops as soon as it is too large."""

    def __init__(self, head: bytes, upload: Upload, max_bytes: int) -> None:
        self._head = head
        self._upload = upload
        self._max_bytes = max_bytes
        self.size = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks, the first of which was read before."""
        chunk = self._head
        while chunk:
            self.size += len(chunk)
            if self.size > self._max_bytes:
                raise FileTooLargeError(f"Files may have {self._max_bytes} bytes.")
            yield chunk
            chunk = await self._upload.read(CHUNK_SIZE)
