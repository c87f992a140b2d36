"""Opening what the application shares, and closing it in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI

from example_app.background.base import Routine
from example_app.background.outbox import DeliverOutbox
from example_app.background.purge import PurgeExpired, SweepFiles
from example_app.config import Settings
from example_app.core.logging import get_logger
from example_app.core.rate_limit import RateLimiter
from example_app.core.security import PasswordService
from example_app.core.tokens import TokenCodec
from example_app.db.engine import build_engine
from example_app.db.migrate import migrate
from example_app.db.session import Database
from example_app.realtime.manager import ConnectionManager
from example_app.resources import Resources
from example_app.services.bootstrap import ensure_admin
from example_app.storage.local import LocalStorage

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

logger = get_logger(__name__)


def build_lifespan(settings: Settings) -> Lifespan:
    """Return the lifespan of an application with these settings."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Open everything, serve, close everything: also when a later step of opening fails."""
        async with AsyncExitStack() as stack:
            resources = await open_resources(settings, stack)
            for routine in build_routines(resources):
                stack.push_async_callback(stop, asyncio.create_task(routine.run()))
            app.state.resources = resources
            logger.info("application started", debug=settings.debug)
            yield
            logger.info("application stopping", listeners=resources.connections.count)

    return lifespan


async def open_resources(settings: Settings, stack: AsyncExitStack) -> Resources:
    """Open what is shared; the stack closes it."""
    database = Database(build_engine(settings.database))
    stack.push_async_callback(database.close)
    passwords = PasswordService(settings.auth.password_memory_kib)
    await prepare_database(settings, database, passwords)
    storage = LocalStorage(settings.files.directory)
    storage.prepare()
    client = await stack.enter_async_context(httpx.AsyncClient(timeout=settings.webhook.timeout))
    auth = settings.auth
    return Resources(
        settings=settings,
        database=database,
        storage=storage,
        connections=ConnectionManager(),
        http_client=client,
        passwords=passwords,
        codec=TokenCodec(
            secret=auth.jwt_secret.get_secret_value(),
            issuer=auth.jwt_issuer,
            audience=auth.jwt_audience,
            access_lifetime=timedelta(minutes=auth.access_token_minutes),
            refresh_lifetime=timedelta(days=auth.refresh_token_days),
        ),
        limiter=RateLimiter(
            settings.limits.storage_uri,
            {"login": settings.limits.login, "registration": settings.limits.registration},
        ),
    )


async def prepare_database(
    settings: Settings, database: Database, passwords: PasswordService
) -> None:
    """Bring the schema up to date and see to it that somebody can log in.

    A database that cannot be reached ends the start: whoever started the process starts it again.
    """
    try:
        if settings.database.migrate:
            await migrate(database.engine)
        await ensure_admin(database, passwords, settings.auth)
    except Exception as error:
        logger.error("database cannot be used", error=type(error).__name__)
        raise


def build_routines(resources: Resources) -> list[Routine]:
    """Return the routines that run as long as the application."""
    settings = resources.settings
    url = settings.webhook.url
    return [
        PurgeExpired(resources.database, settings.background.purge_seconds),
        SweepFiles(
            resources.database,
            resources.storage,
            settings.background.purge_seconds,
            settings.files.orphan_minutes,
        ),
        DeliverOutbox(
            resources.database,
            resources.http_client,
            str(url) if url else None,
            settings.background.outbox_seconds,
        ),
    ]


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a routine and wait until it is gone."""
    task.cancel()
    await asyncio.wait([task])
