"""Rows of items."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnExpressionArgument, or_, select

from example_app.db.models import Item
from example_app.db.repositories.base import Repository, Rows


class ItemRepository(Repository[Item]):
    """Searches items."""

    model = Item
    label = "item"

    async def search(
        self,
        *,
        owner_id: UUID | None,
        text: str | None,
        category: str | None,
        order: str,
        limit: int,
        offset: int,
    ) -> Rows[Item]:
        """Return one page of the items of an owner (None: of all) that contain a text."""
        query = select(Item)
        if owner_id is not None:
            query = query.where(Item.owner_id == owner_id)
        if category is not None:
            query = query.where(Item.category == category)
        if text is not None:
            query = query.where(
                or_(
                    Item.title.icontains(text, autoescape=True),
                    Item.description.icontains(text, autoescape=True),
                )
            )
        orders: dict[str, ColumnExpressionArgument[Any]] = {
            "newest": Item.created_at.desc(),
            "title": Item.title.asc(),
            "price": Item.price_cents.asc(),
        }
        return await self.page(query, orders[order], limit, offset)
