"""Notifications: stored first, then announced to whoever listens."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from example_app.core.exceptions import NotFoundError
from example_app.core.permissions import Actor
from example_app.db.models import Notification
from example_app.db.models.base import utc_now
from example_app.db.repositories.notifications import NotificationRepository
from example_app.db.repositories.users import UserRepository
from example_app.schemas.notifications import NotificationCreate, NotificationResponse
from example_app.schemas.pages import Page, PageParams

REPLAY_LIMIT: Final = 100


class NotificationService:
    """What can be done with notifications."""

    def __init__(self, notifications: NotificationRepository, users: UserRepository) -> None:
        """Work with the repositories of one transaction."""
        self._notifications = notifications
        self._users = users

    async def send(self, body: NotificationCreate) -> NotificationResponse:
        """Store a notification for a user who exists."""
        recipient = await self._users.get(body.recipient)
        row = await self._notifications.add(
            Notification(user_id=recipient.id, kind=body.kind, text=body.text)
        )
        return NotificationResponse.model_validate(row)

    async def list_page(self, actor: Actor, params: PageParams) -> Page[NotificationResponse]:
        """Return one page of the actor's notifications."""
        rows, total = await self._notifications.list_page(actor.id, params.limit, params.offset)
        return Page[NotificationResponse](
            items=[NotificationResponse.model_validate(row) for row in rows],
            total=total,
            limit=params.limit,
            offset=params.offset,
        )

    async def mark_read(self, actor: Actor, notification_id: UUID) -> NotificationResponse:
        """Note that the actor has read a notification; the first time counts."""
        row = await self._notifications.get(notification_id)
        if row.user_id != actor.id:
            raise NotFoundError("There is no such notification.")
        row.read_at = row.read_at or utc_now()
        await self._notifications.flush()
        return NotificationResponse.model_validate(row)

    async def list_missed(
        self, actor: Actor, last_event_id: UUID | None
    ) -> list[NotificationResponse]:
        """Return what came after the notification that a client saw last."""
        if last_event_id is None:
            return []
        last = await self._notifications.find(last_event_id)
        if last is None or last.user_id != actor.id:
            return []
        rows = await self._notifications.list_after(
            actor.id, last.created_at, last.id, REPLAY_LIMIT
        )
        return [NotificationResponse.model_validate(row) for row in rows]
