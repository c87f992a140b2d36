"""Rows of notifications."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_

from example_app.db.models import Notification
from example_app.db.repositories.base import Repository, Rows


class NotificationRepository(Repository[Notification]):
    """Lists the notifications of a user."""

    model = Notification
    label = "notification"

    async def list_page(self, user_id: UUID, limit: int, offset: int) -> Rows[Notification]:
        """Return one page, newest first."""
        query = select(Notification).where(Notification.user_id == user_id)
        return await self.page(query, Notification.created_at.desc(), limit, offset)

    async def list_after(
        self, user_id: UUID, created_at: datetime, row_id: UUID, limit: int
    ) -> list[Notification]:
        """Return what came after a notification, oldest first."""
        position = tuple_(Notification.created_at, Notification.id)
        query = (
            select(Notification)
            .where(Notification.user_id == user_id, position > (created_at, row_id))
            .order_by(Notification.created_at, Notification.id)
            .limit(limit)
        )
        return list(await self.session.scalars(query))
