"""The database object: opened once by the lifespan, it hands out transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker


class Database:
    """An engine together with its session factory."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Make sessions on an engine.

        Objects stay readable after the commit (`expire_on_commit=False`): an async session could
        not reload them implicitly.
        """
        self.engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commit at the end, roll back on any exception, always give the connection back."""
        async with self._sessions() as session:
            yield session
            await session.commit()

    async def ping(self) -> None:
        """Ask the database for a sign of life."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
