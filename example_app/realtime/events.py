"""The stream of notifications that server-sent events carry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from example_app.core.permissions import Actor
from example_app.db.repositories.notifications import NotificationRepository
from example_app.db.repositories.users import UserRepository
from example_app.db.session import Database
from example_app.realtime.manager import ConnectionManager
from example_app.schemas.notifications import NotificationResponse
from example_app.services.notifications import NotificationService


class NotificationStream:
    """Follows the notifications of a user without holding a database connection."""

    def __init__(self, manager: ConnectionManager, database: Database) -> None:
        """Listen at a manager; read from a database what was missed."""
        self._manager = manager
        self._database = database

    async def follow(
        self, actor: Actor, last_event_id: UUID | None
    ) -> AsyncIterator[NotificationResponse]:
        """Yield what was missed, then what comes, until the client goes or proves too slow.

        It listens before it reads, so that nothing falls between the two, and skips what came by
        both ways.
        """
        with self._manager.subscribe(actor.id, "events") as subscription:
            missed = await self._missed(actor, last_event_id)
            for notification in missed:
                yield notification
            seen = {notification.id for notification in missed}
            while not subscription.overflowed.is_set():
                notification = await subscription.queue.get()
                if notification.id not in seen:
                    yield notification

    async def _missed(self, actor: Actor, last_event_id: UUID | None) -> list[NotificationResponse]:
        async with self._database.transaction() as session:
            service = NotificationService(NotificationRepository(session), UserRepository(session))
            return await service.list_missed(actor, last_event_id)
