"""Rows of the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from example_app.db.models import OutboxMessage
from example_app.db.repositories.base import Repository


class OutboxRepository(Repository[OutboxMessage]):
    """Finds the calls that are due."""

    model = OutboxMessage
    label = "message"

    async def claim_next(self, now: datetime) -> OutboxMessage | None:
        """Return the next message that is due; on PostgreSQL no other worker gets the same one."""
        return await self.session.scalar(
            select(OutboxMessage)
            .where(OutboxMessage.next_attempt_at <= now)
            .order_by(OutboxMessage.next_attempt_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
