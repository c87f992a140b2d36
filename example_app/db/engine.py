"""The engine: pool settings, SQLite pragmas, and a log line with the time of each statement."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, ExecutionContext, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from example_app.config import DatabaseSettings
from example_app.core.logging import get_logger

logger = get_logger(__name__)


def build_engine(settings: DatabaseSettings) -> AsyncEngine:
    """Create the engine; it connects at the first use."""
    url = make_url(settings.url.get_secret_value())
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_pre_ping=not sqlite,  # a database that was restarted costs no failed request
        connect_args={"timeout": settings.connect_timeout},
        hide_parameters=True,  # statements may be logged, values never
    )
    if sqlite:
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    _log_statements(engine, settings.slow_query_ms)
    return engine


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Make SQLite check foreign keys, read while it writes, and keep what it confirmed."""
    cursor = connection.cursor()
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _log_statements(engine: AsyncEngine, slow_ms: float) -> None:
    """Log each statement with its time: at debug level, slow ones as warnings."""

    def before(
        connection: Connection,
        _cursor: DBAPICursor,
        _statement: str,
        _parameters: Any,
        _context: ExecutionContext | None,
        _many: bool,
    ) -> None:
        connection.info["statement_started"] = time.perf_counter()

    def after(
        connection: Connection,
        _cursor: DBAPICursor,
        statement: str,
        _parameters: Any,
        _context: ExecutionContext | None,
        _many: bool,
    ) -> None:
        elapsed = (time.perf_counter() - connection.info["statement_started"]) * 1000
        log = logger.warning if elapsed >= slow_ms else logger.debug
        log("database statement", statement=" ".join(statement.split()), ms=round(elapsed, 2))

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
