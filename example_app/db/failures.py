"""Which exceptions mean that the database cannot be reached.

Until a connection stands, SQLAlchemy passes on what the operating system and asyncpg raise.
"""

from __future__ import annotations

from typing import Final

from asyncpg.exceptions import CannotConnectNowError, PostgresConnectionError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

UNAVAILABLE: Final[tuple[type[Exception], ...]] = (
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    PostgresConnectionError,
    CannotConnectNowError,
    ConnectionError,
    TimeoutError,
)
