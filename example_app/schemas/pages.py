"""Lists are always pages, and pages have a bounded size."""

from __future__ import annotations

from typing import Annotated, Final, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from example_app.schemas.types import number_only

ItemT = TypeVar("ItemT")
MAX_PAGE_SIZE: Final = 100
MAX_OFFSET: Final = 1_000_000


class PageParams(BaseModel):
    """Which part of a list is wanted."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=20, ge=1, le=MAX_PAGE_SIZE, description="Most rows to return.")
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET, description="Rows to skip.")


class PageRequest(PageParams):
    """The same in a body, where numbers are numbers and not text."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE), BeforeValidator(number_only)] = Field(
        default=20, description="Most rows to return."
    )
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET), BeforeValidator(number_only)] = Field(
        default=0, description="Rows to skip."
    )


class Page(BaseModel, Generic[ItemT]):
    """Part of a list, and how long the whole list is."""

    items: list[ItemT] = Field(description="The rows of this page.")
    total: int = Field(ge=0, description="Number of rows on all pages.")
    limit: int = Field(ge=1, le=MAX_PAGE_SIZE, description="Most rows of this page.")
    offset: int = Field(ge=0, description="Rows before this page.")
