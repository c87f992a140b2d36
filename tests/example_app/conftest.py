"""A fresh application, database and storage for each test."""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient

from example_app.application import create_application
from example_app.config import AuthSettings, DatabaseSettings, Settings
from example_app.core.security import PasswordService
from example_app.db.engine import build_engine
from example_app.db.migrate import migrate
from example_app.db.session import Database
from example_app.resources import Resources
from example_app.services.bootstrap import ensure_admin
from tests.example_app.accounts import ADMIN_PASSWORD, Account, log_in, register

MakeSettings = Callable[..., Settings]
MakeApp = Callable[..., FastAPI]

AUTH: dict[str, Any] = {
    "jwt_secret": "a secret that only the tests know, and that is long enough",
    "admin_password": ADMIN_PASSWORD,
    "password_memory_kib": 32,
    "websocket_timeout": 1.0,
}
LIMITS = {"login": "1000/minute", "registration": "1000/minute"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in an empty directory, without the developer's own configuration; restore logging."""
    monkeypatch.chdir(tmp_path)
    for name in ("EXAMPLE_APP_CONFIG", "EXAMPLE_APP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr(logging, "_srcfile", logging._srcfile)
    for name in ("logThreads", "logProcesses", "logMultiprocessing"):
        monkeypatch.setattr(logging, name, True)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the administrator, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "app.db"

    async def build() -> None:
        database = Database(build_engine(DatabaseSettings(url=f"sqlite+aiosqlite:///{path}")))
        await migrate(database.engine)
        await ensure_admin(database, PasswordService(32), AuthSettings(**AUTH))
        await database.close()

    anyio.run(build)
    return path


@pytest.fixture
def make_settings(tmp_path: Path, template_database: Path) -> MakeSettings:
    """Build settings; keyword arguments replace keys of the sections."""

    def make(**sections: Any) -> Settings:
        path = tmp_path / "app.db"
        if not path.exists():
            shutil.copy(template_database, path)
        defaults: dict[str, Any] = {
            "debug": True,
            "cors_origins": ["https://app.example.com"],
            "database": {"url": f"sqlite+aiosqlite:///{path}", "migrate": False},
            "auth": AUTH,
            "limits": LIMITS,
            "files": {"directory": tmp_path / "files", "max_bytes": 100_000},
            "background": {"purge_seconds": 600, "outbox_seconds": 600},
        }
        for name, value in sections.items():
            known = defaults.get(name)
            merge = isinstance(value, dict) and isinstance(known, dict)
            defaults[name] = {**known, **value} if merge else value
        return Settings(**defaults)

    return make


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_application(settings)


@pytest.fixture
async def client(app: FastAPI, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of a running application; unforeseen errors are answered, not raised."""
    async with serving(app) as running:
        yield running


def serving(app: FastAPI) -> Any:
    """Run the lifespan (which ASGITransport does not) around a client."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def run() -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
        ):
            yield client

    return run()


@pytest.fixture
def socket_client(app: FastAPI) -> Iterator[TestClient]:
    """A synchronous client, for WebSockets."""
    with TestClient(app) as running:
        yield running


@pytest.fixture
def resources(app: FastAPI, client: httpx.AsyncClient) -> Resources:
    shared: Resources = app.state.resources
    return shared


@pytest.fixture
async def admin(client: httpx.AsyncClient) -> Account:
    return await log_in(client, "admin", ADMIN_PASSWORD)


@pytest.fixture
async def member(client: httpx.AsyncClient) -> Account:
    return await register(client)


@pytest.fixture
async def other(client: httpx.AsyncClient) -> Account:
    return await register(client)
