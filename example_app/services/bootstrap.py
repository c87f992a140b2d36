"""The first administrator."""

from __future__ import annotations

from example_app.config import AuthSettings
from example_app.core.logging import get_logger
from example_app.core.security import PasswordService
from example_app.db.locks import take_start_lock
from example_app.db.models import User
from example_app.db.repositories.users import UserRepository
from example_app.db.session import Database

logger = get_logger(__name__)


async def ensure_admin(
    database: Database, passwords: PasswordService, settings: AuthSettings
) -> None:
    """Create the administrator of the configuration unless there is a user of that name.

    The lock lets several workers start at once: one inserts, the others find the row.
    """
    async with database.transaction() as session:
        await take_start_lock(await session.connection())
        users = UserRepository(session)
        if await users.find_by_username(settings.admin_username) is not None:
            return
        await users.add(
            User(
                username=settings.admin_username,
                email=f"{settings.admin_username}@example.com",
                display_name="Administrator",
                password_hash=await passwords.hash(settings.admin_password.get_secret_value()),
                role="admin",
            )
        )
        logger.info("administrator created", username=settings.admin_username)
