"""Items, as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from example_app.schemas.pages import PageParams, PageRequest
from example_app.schemas.types import TEXT_PATTERN, Cents, Line

Category = Literal["book", "game", "tool"]
ItemOrder = Literal["newest", "title", "price"]


class ItemBase(BaseModel):
    """Fields that creation and answers have in common."""

    title: Line = Field(description="What it is called.")
    description: str = Field(
        default="", max_length=1000, pattern=TEXT_PATTERN, description="What it is."
    )
    category: Category = Field(description="What kind of thing it is.")
    price_cents: Cents = Field(default=0, description="Price in cents.")


class ItemCreate(ItemBase):
    """A new item, or the whole new state of one. The owner is whoever asks."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"title": "Hammer", "category": "tool", "price_cents": 1999}]
        },
    )


class ItemUpdate(BaseModel):
    """Changes to an item. Absent and null fields stay as they are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"price_cents": 1499}]}
    )

    title: Line | None = Field(default=None, description="What it is called.")
    description: str | None = Field(
        default=None, max_length=1000, pattern=TEXT_PATTERN, description="What it is."
    )
    category: Category | None = Field(default=None, description="What kind of thing it is.")
    price_cents: Cents | None = Field(default=None, description="Price in cents.")


class ItemResponse(ItemBase):
    """An item."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Identifies the item.")
    owner_id: UUID = Field(description="Whose it is.")
    created_at: datetime = Field(description="When it was created.")
    updated_at: datetime = Field(description="When it was last changed.")


class ItemFilter(PageParams):
    """Which items are wanted, and in which order."""

    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        pattern=TEXT_PATTERN,
        description="Part of title or description.",
    )
    category: Category | None = Field(default=None, description="Only of this kind.")
    order: ItemOrder = Field(default="newest", description="What comes first.")


class ItemListRequest(PageRequest, ItemFilter):
    """The same as a body, for the RPC surface."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "ham", "limit": 10}]}
    )


class ItemReference(BaseModel):
    """Names one item."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"item_id": "3f0c2d36-3e4f-4c3a-9f0e-6f1f0a5c7b11"}]},
    )

    item_id: UUID = Field(description="Identifies the item.")


class ItemChangeRequest(ItemReference):
    """Names an item and what is to change of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "item_id": "3f0c2d36-3e4f-4c3a-9f0e-6f1f0a5c7b11",
                    "changes": {"price_cents": 1499},
                }
            ]
        },
    )

    changes: ItemUpdate = Field(description="The new values.")
