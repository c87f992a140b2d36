"""Health checks."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from example_app.db.session import Database

pytestmark = pytest.mark.anyio


async def test_all_is_well(client: httpx.AsyncClient) -> None:
    for response in (
        await client.get("/health"),
        await client.get("/health/live"),
        await client.get("/health/ready"),
    ):
        assert response.status_code == 200
        assert response.json()["status"] == "ok"


async def test_not_ready_without_database(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Database) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(Database, "ping", fail)
    ready = await client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["code"] == "unavailable"
    assert (await client.get("/health/live")).status_code == 200
