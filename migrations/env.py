"""Alembic's environment: run by the command line, by the application's start, and by tests."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from example_app.config_file import load_settings_or_exit
from example_app.core.logging import configure_logging
from example_app.db.engine import build_engine
from example_app.db.models import Base
from example_app.db.models.base import UtcDateTime


def compare_type(
    _context: object, _inspected: object, _column: object, _type: object, declared: object
) -> bool | None:
    """Compare a decorated type by what it stores (None: Alembic's own comparison)."""
    return False if isinstance(declared, UtcDateTime) else None


def run_migrations(connection: Connection) -> None:
    """Run the migrations on an open connection, in a transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=compare_type,
        render_as_batch=True,  # SQLite cannot alter tables in place
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_with_own_engine() -> None:
    """Connect with the application's settings (its command line passes no connection)."""
    configure_logging("WARNING", "console")
    engine = build_engine(load_settings_or_exit().database)
    async with engine.begin() as connection:
        await connection.run_sync(run_migrations)
    await engine.dispose()


def run_offline() -> None:
    """Print the SQL instead of running it (`alembic upgrade head --sql`)."""
    url = load_settings_or_exit().database.url.get_secret_value()
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
elif (given := context.config.attributes.get("connection")) is not None:
    run_migrations(given)
else:
    asyncio.run(run_with_own_engine())
