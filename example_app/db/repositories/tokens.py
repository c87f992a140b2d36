"""Rows of refresh tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from example_app.db.models import RefreshToken
from example_app.db.repositories.base import Repository


class TokenRepository(Repository[RefreshToken]):
    """Spends tokens, and removes them by family, user or age."""

    model = RefreshToken
    label = "token"

    async def find_by_hash(self, token_hash: str) -> RefreshToken | None:
        """Return the token with this hash."""
        return await self.session.scalar(
            select(RefreshToken).where(RefreshToken.token_hash == token_hash)
        )

    async def spend(self, token_id: UUID, now: datetime) -> bool:
        """Mark a token as spent; of several concurrent calls exactly one returns True."""
        spent = await self.session.scalars(
            update(RefreshToken)
            .where(RefreshToken.id == token_id, RefreshToken.spent_at.is_(None))
            .values(spent_at=now)
            .returning(RefreshToken.id)
        )
        return spent.one_or_none() is not None

    async def remove_family(self, family: UUID) -> None:
        """Remove all tokens that descend from one log-in."""
        await self.session.execute(delete(RefreshToken).where(RefreshToken.family == family))

    async def remove_of_user(self, user_id: UUID) -> None:
        """Remove all tokens of a user."""
        await self.session.execute(delete(RefreshToken).where(RefreshToken.user_id == user_id))

    async def remove_expired(self, now: datetime) -> None:
        """Remove what has expired."""
        await self.session.execute(delete(RefreshToken).where(RefreshToken.expires_at <= now))
