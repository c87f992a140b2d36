"""Files. Here the permissions are OAuth2 scopes, declared by `Security(...)`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Path, status
from fastapi.responses import FileResponse

from example_app.api.dependencies import (
    FileReader,
    FileServiceDep,
    FileWriter,
    PageQuery,
    ResourcesDep,
    UploadedFile,
)
from example_app.api.openapi import (
    DOWNLOAD,
    FORBIDDEN,
    MAX_UPLOAD_BODY,
    NOT_FOUND,
    UNAUTHORIZED,
    UPLOAD_ERRORS,
)
from example_app.background.purge import RemoveContent
from example_app.schemas.files import StoredFileResponse
from example_app.schemas.pages import Page

router = APIRouter(prefix="/files", tags=["files"], responses={**UNAUTHORIZED, **FORBIDDEN})

FileId = Annotated[UUID, Path(description="The file.")]


@router.get("", status_code=status.HTTP_200_OK, operation_id="list_files")
async def list_files(
    params: PageQuery, user: FileReader, service: FileServiceDep
) -> Page[StoredFileResponse]:
    """List the own files; administrators see all."""
    return await service.list_page(user, params)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="upload_file",
    responses=UPLOAD_ERRORS,
    max_body_size=MAX_UPLOAD_BODY,
)
async def upload_file(
    file: UploadedFile,
    user: FileWriter,
    service: FileServiceDep,
) -> StoredFileResponse:
    """Upload a picture, a PDF or a text."""
    return await service.upload(user, file)


@router.get(
    "/{file_id}", status_code=status.HTTP_200_OK, operation_id="get_file", responses=NOT_FOUND
)
async def get_file(
    file_id: FileId, user: FileReader, service: FileServiceDep
) -> StoredFileResponse:
    """Return what is known of a file."""
    return await service.get(user, file_id)


@router.get(
    "/{file_id}/content",
    status_code=status.HTTP_200_OK,
    operation_id="download_file",
    response_class=FileResponse,
    responses={**NOT_FOUND, **DOWNLOAD},
)
async def download_file(file_id: FileId, user: FileReader, service: FileServiceDep) -> FileResponse:
    """Return the content of a file, or the part that `Range` asks for."""
    file = await service.download(user, file_id)
    return FileResponse(file.path, media_type=file.media_type, filename=file.name)


@router.delete(
    "/{file_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="delete_file",
    responses=NOT_FOUND,
)
async def delete_file(
    file_id: FileId,
    user: FileWriter,
    service: FileServiceDep,
    resources: ResourcesDep,
    background_tasks: BackgroundTasks,
) -> None:
    """Delete a file; its content goes once that is saved."""
    key = await service.delete(user, file_id)
    background_tasks.add_task(RemoveContent(resources.storage, key).run)
