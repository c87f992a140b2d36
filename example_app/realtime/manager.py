"""Who listens to notifications in this process.

Several instances of the service need a broker (Redis, PostgreSQL's NOTIFY) that feeds `publish`
in each of them: a connection lives in one process only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from example_app.core.logging import get_logger
from example_app.schemas.notifications import NotificationResponse

QUEUE_SIZE: Final = 100

logger = get_logger(__name__)


class Subscription:
    """One listener: a bounded queue, and a flag that says that it was too slow."""

    def __init__(self) -> None:
        """Begin with an empty queue."""
        self.queue: asyncio.Queue[NotificationResponse] = asyncio.Queue(QUEUE_SIZE)
        self.overflowed = asyncio.Event()

    def offer(self, notification: NotificationResponse) -> None:
        """Add to the queue without waiting: a slow listener must not hold up the others."""
        if self.queue.full():
            self.overflowed.set()
        else:
            self.queue.put_nowait(notification)


class ConnectionManager:
    """Knows the listeners of each user."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self._listeners: dict[UUID, set[Subscription]] = {}

    @property
    def count(self) -> int:
        """Number of listeners."""
        return sum(len(listeners) for listeners in self._listeners.values())

    @contextmanager
    def subscribe(self, user_id: UUID, channel: str) -> Iterator[Subscription]:
        """Listen for a user until the block ends, however it ends."""
        subscription = Subscription()
        self._listeners.setdefault(user_id, set()).add(subscription)
        logger.info("listener connected", user_id=str(user_id), channel=channel, open=self.count)
        try:
            yield subscription
        finally:
            self._listeners[user_id].discard(subscription)
            if not self._listeners[user_id]:
                del self._listeners[user_id]
            logger.info("listener gone", user_id=str(user_id), channel=channel, open=self.count)

    def publish(self, user_id: UUID, notification: NotificationResponse) -> None:
        """Hand a notification to all listeners of a user."""
        for subscription in tuple(self._listeners.get(user_id, ())):
            subscription.offer(notification)
