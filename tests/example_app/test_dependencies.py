"""Dependencies: replaced by tests, cached within a request or not, and what they log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from example_app.api.dependencies import NowDep, get_now
from example_app.application import create_application
from tests.example_app.conftest import MakeSettings, serving

LONG_AGO = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def stopped_clock(app: FastAPI) -> Iterator[None]:
    """Let the application believe that it is long ago."""
    app.dependency_overrides[get_now] = lambda: LONG_AGO
    yield
    app.dependency_overrides.clear()


@pytest.mark.anyio
@pytest.mark.usefixtures("stopped_clock")
async def test_dependencies_can_be_overridden(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live")
    assert datetime.fromisoformat(answer.json()["checked_at"]) == LONG_AGO


async def same_twice(first: NowDep, second: NowDep) -> bool:
    """Tell whether both parameters got one value."""
    return first is second


async def same_when_cached(
    first: Annotated[datetime, Depends(get_now)], second: Annotated[datetime, Depends(get_now)]
) -> bool:
    """The same with FastAPI's default."""
    return first is second


@pytest.mark.parametrize(("endpoint", "same"), [(same_twice, False), (same_when_cached, True)])
def test_the_time_is_not_cached(endpoint: Callable[..., object], same: bool) -> None:
    app = FastAPI()
    app.get("/same")(endpoint)
    with TestClient(app) as client:
        assert client.get("/same").json() is same


@pytest.mark.anyio
async def test_statements_are_logged_with_their_time(
    make_settings: MakeSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    """From the configured time on as warnings: here from none."""
    settings = make_settings(database={"slow_query_ms": 0})
    async with serving(create_application(settings)) as client:
        assert (await client.get("/health/ready")).status_code == 200
    entries = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[0] == "{"]
    statements = [entry for entry in entries if entry["event"] == "database statement"]
    assert statements
    assert all(entry["ms"] >= 0 and entry["level"] == "warning" for entry in statements)
