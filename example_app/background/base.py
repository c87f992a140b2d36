"""The base of all background work, with its only try/except."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from example_app.core.logging import get_logger

logger = get_logger(__name__)


class Routine(ABC):
    """Work that nobody waits for: a failure is logged, and the next round runs all the same."""

    interval: float | None = None
    """Seconds between two rounds; None: one round only (for `BackgroundTasks`)."""

    async def run(self) -> None:
        """Run all rounds. Cancellation is no `Exception`, so shutting down ends the loop."""
        unfinished = True
        while unfinished:
            try:
                await self.work()
            except Exception:
                logger.exception("background routine failed", routine=type(self).__name__)
            unfinished = self.interval is not None
            await asyncio.sleep(self.interval or 0)

    @abstractmethod
    async def work(self) -> None:
        """Do the work of one round; exceptions are the base class's business."""
