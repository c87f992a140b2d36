"""Counting requests per client, in memory or in Redis."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem
from limits import parse as parse_limit
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from example_app.core.exceptions import RateLimitedError


class RateLimiter:
    """Named limits, each counted per client."""

    def __init__(self, storage_uri: str, limits: dict[str, str]) -> None:
        """Connect to the storage and parse the limits (`10/minute`)."""
        storage = storage_from_string(storage_uri)
        if not isinstance(storage, Storage):
            raise TypeError("limits.storage_uri needs a storage that begins with async+")
        self._strategy = MovingWindowRateLimiter(storage)
        self._limits: dict[str, RateLimitItem] = {
            name: parse_limit(text) for name, text in limits.items()
        }

    async def hit(self, name: str, client: str) -> None:
        """Count one request, or raise `RateLimitedError` when the client has used up its share."""
        limit = self._limits[name]
        if await self._strategy.hit(limit, name, client):
            return
        window = await self._strategy.get_window_stats(limit, name, client)
        raise RateLimitedError(max(1, math.ceil(window.reset_time - time.time())))
