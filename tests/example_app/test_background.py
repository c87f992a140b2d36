"""Routines: what they do, and that nothing stops them."""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import timedelta

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update

from example_app.application import create_application
from example_app.background.base import Routine
from example_app.background.outbox import DeliverOutbox
from example_app.background.purge import PurgeExpired, SweepFiles
from example_app.db.models import LoginSession, OutboxMessage, RefreshToken
from example_app.db.models.base import utc_now
from example_app.lifespan import stop
from example_app.resources import Resources
from tests.example_app.accounts import Account
from tests.example_app.conftest import MakeSettings, serving
from tests.example_app.factories import user_body

pytestmark = pytest.mark.anyio


class Faulty(Routine):
    interval = 0.001

    def __init__(self) -> None:
        self.rounds = 0

    async def work(self) -> None:
        self.rounds += 1
        raise RuntimeError("boom")


async def test_a_failed_round_is_logged_and_the_next_one_runs(
    client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    routine = Faulty()
    with anyio.move_on_after(0.5):
        await routine.run()
    assert routine.rounds >= 2


async def test_one_round_only(client: httpx.AsyncClient) -> None:
    routine = Faulty()
    routine.interval = None
    await routine.run()
    assert routine.rounds == 1


async def test_failures_are_logged_with_traceback(
    make_settings: MakeSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    routine = Faulty()
    routine.interval = None
    async with serving(create_application(make_settings())):
        await routine.run()
    lines = [line for line in capfd.readouterr().err.splitlines() if "routine failed" in line]
    entry = json.loads(lines[0])
    assert entry["routine"] == "Faulty"
    assert "RuntimeError: boom" in entry["exception"]


async def test_stopping_cancels_and_waits() -> None:
    task = asyncio.create_task(Faulty().run())
    await asyncio.sleep(0.01)
    await stop(task)
    assert task.cancelled()


async def test_routines_end_with_the_application(app: FastAPI) -> None:
    before = asyncio.all_tasks()
    async with serving(app):
        assert len(asyncio.all_tasks() - before) == 3
    assert asyncio.all_tasks() - before == set()


async def test_purge(resources: Resources, member: Account, other: Account) -> None:
    database = resources.database
    async with database.transaction() as session:
        past = utc_now() - timedelta(seconds=1)
        for model in (RefreshToken, LoginSession):
            first = select(model.id).limit(1).scalar_subquery()
            await session.execute(update(model).where(model.id == first).values(expires_at=past))
    await PurgeExpired(database, 1).work()
    async with database.transaction() as session:
        for model in (RefreshToken, LoginSession):
            assert await session.scalar(select(func.count()).select_from(model)) == 1


async def test_sweep(client: httpx.AsyncClient, resources: Resources, member: Account) -> None:
    directory = resources.settings.files.directory
    files = {"file": ("a.txt", b"kept")}
    await client.post("/api/v1/files", files=files, headers=member.bearer)
    [kept] = directory.iterdir()
    young, orphan, unfinished = (directory / n for n in ("young", "orphan", "half.part"))
    for path in (young, orphan, unfinished):
        path.write_bytes(b"x")
    old = time.time() - 3700
    for path in (kept, orphan, unfinished):
        os.utime(path, (old, old))
    sweep = SweepFiles(resources.database, resources.storage, 1, 60)
    await sweep.work()
    assert set(directory.iterdir()) == {kept, young}
    await sweep.work()


async def outbox_size(resources: Resources) -> int:
    async with resources.database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(OutboxMessage)) or 0


async def test_the_webhook_is_told(client: httpx.AsyncClient, resources: Resources) -> None:
    created = await client.post("/api/v1/auth/register", json=user_body())
    requests: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(json.loads(request.content))
        return httpx.Response(503 if len(requests) == 1 else 204)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport) as outside:
        deliver = DeliverOutbox(resources.database, outside, "https://hook.example", 1)
        with pytest.raises(httpx.HTTPStatusError):
            await deliver.work()
        assert await outbox_size(resources) == 1, "it is tried again"
        await deliver.work()
        assert len(requests) == 1, "but not at once"
        async with resources.database.transaction() as session:
            await session.execute(update(OutboxMessage).values(next_attempt_at=utc_now()))
        await deliver.work()
    assert await outbox_size(resources) == 0
    assert requests[0] == requests[1], "repetitions can be told by their id"
    assert requests[0]["user_id"] == created.json()["id"]


async def test_a_failed_registration_tells_nobody(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    body = user_body()
    await client.post("/api/v1/auth/register", json=body)
    await client.post("/api/v1/auth/register", json=body)
    assert await outbox_size(resources) == 1


async def test_without_webhook_messages_are_dropped(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await client.post("/api/v1/auth/register", json=user_body())
    await DeliverOutbox(resources.database, resources.http_client, None, 1).work()
    assert await outbox_size(resources) == 0


async def test_start_fails_clearly_without_database(
    make_settings: MakeSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings(
        database={"url": "postgresql+asyncpg://u:p4ss@127.0.0.1:1/x", "migrate": True},
        webhook={"url": "https://hook.example"},
    )
    with pytest.raises(OSError):  # noqa: PT011
        async with serving(create_application(settings)):
            pytest.fail("it must not start")
    output = capfd.readouterr().err
    assert "database cannot be used" in output
    assert "p4ss" not in output
