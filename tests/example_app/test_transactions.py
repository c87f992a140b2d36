"""Nothing is confirmed that was not committed; background tasks see what was."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from example_app.background.welcome import Welcome
from example_app.db.models import Item, User
from example_app.resources import Resources
from tests.example_app.accounts import Account
from tests.example_app.factories import item_body, user_body

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("COMMIT", {}, Exception("gone")), 503),
        (IntegrityError("COMMIT", {}, Exception("deferred")), 409),
        (RuntimeError("COMMIT"), 500),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_failed_commit_is_never_a_success(
    client: httpx.AsyncClient,
    resources: Resources,
    member: Account,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    async def fail(_: AsyncSession) -> None:
        raise error

    monkeypatch.setattr(AsyncSession, "commit", fail)
    response = await client.post("/api/v1/items", json=item_body(), headers=member.bearer)
    assert response.status_code == status
    monkeypatch.undo()
    async with resources.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Item)) == 0


async def test_no_background_task_after_a_failed_commit(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    async def note(self: Welcome) -> None:
        ran.append("welcome")

    async def fail(_: AsyncSession) -> None:
        raise OperationalError("COMMIT", {}, Exception("gone"))

    monkeypatch.setattr(Welcome, "work", note)
    monkeypatch.setattr(AsyncSession, "commit", fail)
    response = await client.post("/api/v1/auth/register", json=user_body())
    assert response.status_code == 503
    assert ran == []


async def test_background_tasks_see_committed_rows(
    client: httpx.AsyncClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    body = user_body()

    async def look(self: Welcome) -> None:
        async with resources.database.transaction() as session:
            seen.extend(await session.scalars(select(User.username)))

    monkeypatch.setattr(Welcome, "work", look)
    response = await client.post("/api/v1/auth/register", json=body)
    assert response.status_code == 201
    assert body["username"] in seen


async def test_errors_roll_back(resources: Resources) -> None:
    async def fail() -> None:
        async with resources.database.transaction() as session:
            await session.execute(text("DELETE FROM users"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with resources.database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1


async def test_foreign_keys_are_checked(resources: Resources) -> None:
    values: dict[str, Any] = {"title": "a", "description": "", "category": "tool", "price_cents": 0}
    item = Item(owner_id=uuid4(), **values)
    with pytest.raises(IntegrityError):
        async with resources.database.transaction() as session:
            session.add(item)


async def test_concurrent_writes(client: httpx.AsyncClient, member: Account) -> None:
    answers = await asyncio.gather(
        *(client.post("/api/v1/items", json=item_body(), headers=member.bearer) for _ in range(40))
    )
    assert {answer.status_code for answer in answers} == {201}
    listed = await client.get("/api/v1/items", headers=member.bearer)
    assert listed.json()["total"] == 40
