"""Items, POST only."""

from __future__ import annotations

from fastapi import APIRouter, Depends, status

from example_app.api.dependencies import (
    ItemServiceDep,
    SessionUser,
    require_session_permission,
)
from example_app.api.openapi import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from example_app.schemas.items import (
    ItemChangeRequest,
    ItemCreate,
    ItemListRequest,
    ItemReference,
    ItemResponse,
)
from example_app.schemas.pages import Page
from example_app.schemas.sessions import DoneResponse

router = APIRouter(
    prefix="/items",
    tags=["rpc-items"],
    responses={**UNAUTHORIZED, **FORBIDDEN},
    dependencies=[Depends(require_session_permission("items:read"))],
)


@router.post("/list", status_code=status.HTTP_200_OK, operation_id="rpc_list_items")
async def list_items(
    body: ItemListRequest, user: SessionUser, service: ItemServiceDep
) -> Page[ItemResponse]:
    """List the own items; administrators see all."""
    return await service.list_page(user, body)


@router.post(
    "/get", status_code=status.HTTP_200_OK, operation_id="rpc_get_item", responses=NOT_FOUND
)
async def get_item(body: ItemReference, user: SessionUser, service: ItemServiceDep) -> ItemResponse:
    """Return an item."""
    return await service.get(user, body.item_id)


@router.post(
    "/create",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_create_item",
    dependencies=[Depends(require_session_permission("items:write"))],
)
async def create_item(body: ItemCreate, user: SessionUser, service: ItemServiceDep) -> ItemResponse:
    """Create an item."""
    return await service.create(user, body)


@router.post(
    "/update",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_update_item",
    responses=NOT_FOUND,
    dependencies=[Depends(require_session_permission("items:write"))],
)
async def update_item(
    body: ItemChangeRequest, user: SessionUser, service: ItemServiceDep
) -> ItemResponse:
    """Change only what the body names."""
    return await service.update(user, body.item_id, body.changes)


@router.post(
    "/delete",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_delete_item",
    responses=NOT_FOUND,
    dependencies=[Depends(require_session_permission("items:write"))],
)
async def delete_item(
    body: ItemReference, user: SessionUser, service: ItemServiceDep
) -> DoneResponse:
    """Delete an item."""
    await service.delete(user, body.item_id)
    return DoneResponse()
