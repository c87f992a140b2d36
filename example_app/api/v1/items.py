"""Items."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, status

from example_app.api.dependencies import (
    CurrentUser,
    ItemQuery,
    ItemServiceDep,
    require_permission,
)
from example_app.api.openapi import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from example_app.schemas.items import ItemCreate, ItemResponse, ItemUpdate
from example_app.schemas.pages import Page

router = APIRouter(
    prefix="/items",
    tags=["items"],
    responses={**UNAUTHORIZED, **FORBIDDEN},
    dependencies=[Depends(require_permission("items:read"))],
)

ItemId = Annotated[UUID, Path(description="The item.")]
NewItem = Annotated[
    ItemCreate,
    Body(
        description="The item to create.",
        openapi_examples={
            "tool": {
                "summary": "Something useful",
                "value": {"title": "Hammer", "category": "tool", "price_cents": 1999},
            },
            "book": {
                "summary": "Something to read",
                "value": {"title": "Rules", "category": "book", "description": "All of them."},
            },
        },
    ),
]


@router.get("", status_code=status.HTTP_200_OK, operation_id="list_items")
async def list_items(
    wanted: ItemQuery, user: CurrentUser, service: ItemServiceDep
) -> Page[ItemResponse]:
    """List the own items; administrators see all."""
    return await service.list_page(user, wanted)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="create_item",
    dependencies=[Depends(require_permission("items:write"))],
)
async def create_item(body: NewItem, user: CurrentUser, service: ItemServiceDep) -> ItemResponse:
    """Create an item."""
    return await service.create(user, body)


@router.get(
    "/{item_id}",
    status_code=status.HTTP_200_OK,
    operation_id="get_item",
    responses=NOT_FOUND,
)
async def get_item(item_id: ItemId, user: CurrentUser, service: ItemServiceDep) -> ItemResponse:
    """Return an item."""
    return await service.get(user, item_id)


@router.put(
    "/{item_id}",
    status_code=status.HTTP_200_OK,
    operation_id="replace_item",
    responses=NOT_FOUND,
    dependencies=[Depends(require_permission("items:write"))],
)
async def replace_item(
    item_id: ItemId, body: ItemCreate, user: CurrentUser, service: ItemServiceDep
) -> ItemResponse:
    """Replace the whole state of an item."""
    return await service.replace(user, item_id, body)


@router.patch(
    "/{item_id}",
    status_code=status.HTTP_200_OK,
    operation_id="update_item",
    responses=NOT_FOUND,
    dependencies=[Depends(require_permission("items:write"))],
)
async def update_item(
    item_id: ItemId, body: ItemUpdate, user: CurrentUser, service: ItemServiceDep
) -> ItemResponse:
    """Change only what the body names."""
    return await service.update(user, item_id, body)


@router.delete(
    "/{item_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="delete_item",
    responses=NOT_FOUND,
    dependencies=[Depends(require_permission("items:write"))],
)
async def delete_item(item_id: ItemId, user: CurrentUser, service: ItemServiceDep) -> None:
    """Delete an item."""
    await service.delete(user, item_id)
