"""The outbox: calls to other services that must survive a restart."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from example_app.db.models.base import Base, UtcDateTime


class OutboxMessage(Base):
    """One call, written in the same transaction as what it tells of."""

    __tablename__ = "outbox_messages"

    kind: Mapped[str] = mapped_column(String(32))
    payload: Mapped[dict[str, str]] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
