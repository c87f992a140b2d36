"""Items: everybody sees and changes their own, administrators all."""

from __future__ import annotations

from uuid import UUID

from example_app.core.exceptions import NotFoundError
from example_app.core.permissions import Actor
from example_app.db.models import Item
from example_app.db.repositories.items import ItemRepository
from example_app.schemas.items import ItemCreate, ItemFilter, ItemResponse, ItemUpdate
from example_app.schemas.pages import Page


class ItemService:
    """What can be done with items."""

    def __init__(self, items: ItemRepository) -> None:
        """Work with the repository of one transaction."""
        self._items = items

    async def create(self, actor: Actor, body: ItemCreate) -> ItemResponse:
        """Create an item that belongs to whoever asks."""
        item = await self._items.add(Item(**body.model_dump(), owner_id=actor.id))
        return ItemResponse.model_validate(item)

    async def list_page(self, actor: Actor, wanted: ItemFilter) -> Page[ItemResponse]:
        """Return one page of the items that match."""
        rows, total = await self._items.search(
            owner_id=None if actor.is_admin else actor.id, **wanted.model_dump()
        )
        return Page[ItemResponse](
            items=[ItemResponse.model_validate(row) for row in rows],
            total=total,
            limit=wanted.limit,
            offset=wanted.offset,
        )

    async def get(self, actor: Actor, item_id: UUID) -> ItemResponse:
        """Return an item."""
        return ItemResponse.model_validate(await self._get_own(actor, item_id))

    async def replace(self, actor: Actor, item_id: UUID, body: ItemCreate) -> ItemResponse:
        """Give an item a new state; what the request leaves out returns to its default."""
        item = await self._get_own(actor, item_id)
        return await self._assign(item, body.model_dump())

    async def update(self, actor: Actor, item_id: UUID, body: ItemUpdate) -> ItemResponse:
        """Change only what the request names."""
        item = await self._get_own(actor, item_id)
        return await self._assign(item, body.model_dump(exclude_unset=True, exclude_none=True))

    async def delete(self, actor: Actor, item_id: UUID) -> None:
        """Delete an item."""
        await self._items.remove(await self._get_own(actor, item_id))

    async def _assign(self, item: Item, values: dict[str, object]) -> ItemResponse:
        for name, value in values.items():
            setattr(item, name, value)
        await self._items.flush()
        return ItemResponse.model_validate(item)

    async def _get_own(self, actor: Actor, item_id: UUID) -> Item:
        """Return an item of the actor; that others exist is nobody's business."""
        item = await self._items.get(item_id)
        if item.owner_id != actor.id and not actor.is_admin:
            raise NotFoundError("There is no such item.")
        return item
