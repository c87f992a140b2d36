"""Delivering the outbox: calls that must not be lost, not even by a restart."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import httpx

from example_app.background.base import Routine
from example_app.core.logging import get_logger
from example_app.db.models.base import utc_now
from example_app.db.repositories.outbox import OutboxRepository
from example_app.db.session import Database

MAX_DELAY_SECONDS: Final = 3600

logger = get_logger(__name__)


class DeliverOutbox(Routine):
    """Posts each message to the webhook; what fails is tried again, later and later."""

    def __init__(
        self, database: Database, client: httpx.AsyncClient, url: str | None, interval: float
    ) -> None:
        """Without a URL the messages are dropped: nobody wants to know."""
        self.interval = interval
        self._database = database
        self._client = client
        self._url = url

    async def work(self) -> None:
        """Deliver all messages that are due."""
        while await self.deliver_next():
            pass

    async def deliver_next(self) -> bool:
        """Deliver one message; tell whether there was one.

        The attempt is committed before the call: a crash in between repeats the call, and the
        receiver tells repetitions by the message's id.
        """
        async with self._database.transaction() as session:
            message = await OutboxRepository(session).claim_next(utc_now())
            if message is None:
                return False
            message.attempts += 1
            delay = min(2.0**message.attempts, MAX_DELAY_SECONDS)
            message.next_attempt_at = utc_now() + timedelta(seconds=delay)
        if self._url is not None:
            response = await self._client.post(
                self._url, json={"id": str(message.id), **message.payload}
            )
            response.raise_for_status()
        async with self._database.transaction() as session:
            repository = OutboxRepository(session)
            delivered = await repository.get(message.id)
            await repository.remove(delivered)
        logger.info("outbox message delivered", message_id=str(message.id))
        return True
