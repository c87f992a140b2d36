"""Migrations: there and back, in step with the models, once for several workers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

from example_app.config import DatabaseSettings
from example_app.db.engine import build_engine
from example_app.db.migrate import alembic_config, migrate
from example_app.db.models import Base

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    return DatabaseSettings(url=f"sqlite+aiosqlite:///{tmp_path}/new.db")


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


async def test_up_down_up(settings: DatabaseSettings) -> None:
    engine = build_engine(settings)
    steps: list[set[str]] = []

    def config(connection: Connection) -> Config:
        found = alembic_config()
        found.attributes["connection"] = connection
        return found

    def run(connection: Connection) -> None:
        command.upgrade(config(connection), "head")
        steps.append(tables(connection))
        command.check(config(connection))
        command.downgrade(config(connection), "base")
        steps.append(tables(connection))
        command.upgrade(config(connection), "head")
        steps.append(tables(connection))

    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()
    expected = set(Base.metadata.tables)
    assert steps == [expected, set(), expected]


async def test_several_workers_at_once(settings: DatabaseSettings) -> None:
    engines = [build_engine(settings) for _ in range(4)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    async with engines[0].connect() as connection:
        assert await connection.run_sync(tables) == set(Base.metadata.tables)
    for engine in engines:
        await engine.dispose()


def test_command_line(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"auth: {{jwt_secret: {'s' * 40}, admin_password: {'s' * 12}}}\n"
        f"database: {{url: 'sqlite+aiosqlite:///{tmp_path}/cli.db'}}\n"
    )
    environment = {"EXAMPLE_APP_CONFIG": str(config), "PATH": "", "PYTHONPATH": str(ROOT)}

    def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

    alembic("upgrade", "head")
    assert "No new upgrade operations" in alembic("check").stdout
    assert "CREATE TABLE users" in alembic("upgrade", "head", "--sql").stdout
