"""A lock for what only one of several starting workers may do at a time."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LOCK_KEY: Final = 4_270_815_162


async def take_start_lock(connection: AsyncConnection) -> None:
    """Wait for the lock; it ends with the connection's transaction."""
    if connection.dialect.name == "sqlite":
        # Must come before anything else: SQLite's own transactions begin at the first write.
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
