"""Rows of users."""

from __future__ import annotations

from sqlalchemy import select

from example_app.db.models import User
from example_app.db.repositories.base import Repository, Rows


class UserRepository(Repository[User]):
    """Finds users by their names too."""

    model = User
    label = "user"

    async def find_by_username(self, username: str) -> User | None:
        """Return the user of this name."""
        return await self.session.scalar(select(User).where(User.username == username))

    async def find_first_admin(self) -> User | None:
        """Return the oldest active administrator."""
        query = select(User).where(User.role == "admin", User.is_active)
        return await self.session.scalar(query.order_by(User.created_at).limit(1))

    async def list_page(self, limit: int, offset: int) -> Rows[User]:
        """Return one page of all users, by name."""
        return await self.page(select(User), User.username.asc(), limit, offset)
