"""Notifications that follow a request."""

from __future__ import annotations

from uuid import UUID

from example_app.background.base import Routine
from example_app.db.repositories.notifications import NotificationRepository
from example_app.db.repositories.users import UserRepository
from example_app.db.session import Database
from example_app.realtime.manager import ConnectionManager
from example_app.schemas.notifications import NotificationCreate, NotificationResponse
from example_app.services.notifications import NotificationService


class Welcome(Routine):
    """Greets a new user. It opens a transaction of its own: the request's has ended."""

    def __init__(self, database: Database, manager: ConnectionManager, user_id: UUID) -> None:
        """Remember whom to greet: the id, not the row of a session that is closed."""
        self._database = database
        self._manager = manager
        self._user_id = user_id

    async def work(self) -> None:
        """Store the greeting, then announce it."""
        body = NotificationCreate(recipient=self._user_id, kind="welcome", text="Welcome!")
        async with self._database.transaction() as session:
            service = NotificationService(NotificationRepository(session), UserRepository(session))
            notification = await service.send(body)
        self._manager.publish(self._user_id, notification)


class Announce(Routine):
    """Announces a notification to the listeners, after it was committed."""

    def __init__(
        self, manager: ConnectionManager, user_id: UUID, notification: NotificationResponse
    ) -> None:
        """Remember what to announce to whom."""
        self._manager = manager
        self._user_id = user_id
        self._notification = notification

    async def work(self) -> None:
        """Announce it."""
        self._manager.publish(self._user_id, self._notification)
