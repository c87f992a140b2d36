"""Rows of log-in sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from example_app.db.models import LoginSession
from example_app.db.repositories.base import Repository


class SessionRepository(Repository[LoginSession]):
    """Finds sessions by the hash of their token."""

    model = LoginSession
    label = "session"

    async def find_by_hash(self, token_hash: str) -> LoginSession | None:
        """Return the session with this hash."""
        return await self.session.scalar(
            select(LoginSession).where(LoginSession.token_hash == token_hash)
        )

    async def remove_of_user(self, user_id: UUID) -> None:
        """Remove all sessions of a user."""
        await self.session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))

    async def remove_expired(self, now: datetime) -> None:
        """Remove what has expired."""
        await self.session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
