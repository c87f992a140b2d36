"""Files: POST only, except for the download itself."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Path, status
from fastapi.responses import FileResponse

from example_app.api.dependencies import (
    FileServiceDep,
    ResourcesDep,
    SessionUser,
    UploadedFile,
    require_session_permission,
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
from example_app.schemas.files import FileListRequest, FileReference, StoredFileResponse
from example_app.schemas.pages import Page
from example_app.schemas.sessions import DoneResponse

router = APIRouter(
    prefix="/files",
    tags=["rpc-files"],
    responses={**UNAUTHORIZED, **FORBIDDEN},
    dependencies=[Depends(require_session_permission("files:read"))],
)


@router.post("/list", status_code=status.HTTP_200_OK, operation_id="rpc_list_files")
async def list_files(
    body: FileListRequest, user: SessionUser, service: FileServiceDep
) -> Page[StoredFileResponse]:
    """List the own files; administrators see all."""
    return await service.list_page(user, body)


@router.post(
    "/upload",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_upload_file",
    responses=UPLOAD_ERRORS,
    dependencies=[Depends(require_session_permission("files:write"))],
    max_body_size=MAX_UPLOAD_BODY,
)
async def upload_file(
    file: UploadedFile,
    user: SessionUser,
    service: FileServiceDep,
) -> StoredFileResponse:
    """Upload a picture, a PDF or a text."""
    return await service.upload(user, file)


@router.get(
    "/{file_id}/content",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_download_file",
    response_class=FileResponse,
    responses={**NOT_FOUND, **DOWNLOAD},
)
async def download_file(
    file_id: Annotated[UUID, Path(description="The file.")],
    user: SessionUser,
    service: FileServiceDep,
) -> FileResponse:
    """Return the content of a file, or the part that `Range` asks for."""
    file = await service.download(user, file_id)
    return FileResponse(file.path, media_type=file.media_type, filename=file.name)


@router.post(
    "/delete",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_delete_file",
    responses=NOT_FOUND,
    dependencies=[Depends(require_session_permission("files:write"))],
)
async def delete_file(
    body: FileReference,
    user: SessionUser,
    service: FileServiceDep,
    resources: ResourcesDep,
    background_tasks: BackgroundTasks,
) -> DoneResponse:
    """Delete a file; its content goes once that is saved."""
    key = await service.delete(user, body.file_id)
    background_tasks.add_task(RemoveContent(resources.storage, key).run)
    return DoneResponse()
