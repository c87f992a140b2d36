"""What all repositories share."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnExpressionArgument, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from example_app.core.exceptions import NotFoundError
from example_app.db.models import Base

ModelT = TypeVar("ModelT", bound=Base)
Rows = tuple[list[ModelT], int]


class Repository(Generic[ModelT]):
    """Reads and writes the rows of one table."""

    model: type[ModelT]
    label: ClassVar[str] = "resource"

    def __init__(self, session: AsyncSession) -> None:
        """Work within a session that somebody else opened and will commit."""
        self.session = session

    async def find(self, row_id: UUID) -> ModelT | None:
        """Return a row, or None."""
        return await self.session.get(self.model, row_id)

    async def get(self, row_id: UUID) -> ModelT:
        """Return a row, or raise `NotFoundError`."""
        row = await self.find(row_id)
        if row is None:
            raise NotFoundError(f"There is no such {self.label}.")
        return row

    async def add(self, row: ModelT) -> ModelT:
        """Insert a row; a violated constraint is raised here, not at the commit."""
        self.session.add(row)
        await self.session.flush()
        return row

    async def remove(self, row: ModelT) -> None:
        """Delete a row."""
        await self.session.delete(row)
        await self.session.flush()

    async def flush(self) -> None:
        """Send changed attributes to the database."""
        await self.session.flush()

    async def page(
        self,
        query: Select[ModelT],
        order: ColumnExpressionArgument[Any],
        limit: int,
        offset: int,
    ) -> Rows[ModelT]:
        """Return one page of a query and the number of all its rows; the id breaks ties."""
        total = await self.session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await self.session.scalars(
            query.order_by(order, self.model.id).limit(limit).offset(offset)
        )
        return list(rows), total or 0
