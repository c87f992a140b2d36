"""The shared objects of the application: opened by the lifespan, read by the dependencies."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from example_app.config import Settings
from example_app.core.rate_limit import RateLimiter
from example_app.core.security import PasswordService
from example_app.core.tokens import TokenCodec
from example_app.db.session import Database
from example_app.realtime.manager import ConnectionManager
from example_app.storage.protocol import Storage


@dataclass(frozen=True)
class Resources:
    """Everything that lives as long as the application."""

    settings: Settings
    database: Database
    storage: Storage
    connections: ConnectionManager
    http_client: httpx.AsyncClient
    passwords: PasswordService
    codec: TokenCodec
    limiter: RateLimiter
