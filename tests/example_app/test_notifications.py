"""Notifications by request, and as server-sent events."""

from __future__ import annotations

from uuid import UUID, uuid4

import anyio
import httpx
import pytest

from example_app.core.permissions import Actor
from example_app.realtime.events import NotificationStream
from example_app.realtime.manager import QUEUE_SIZE
from example_app.resources import Resources
from example_app.schemas.notifications import NotificationResponse
from tests.example_app.accounts import Account

pytestmark = pytest.mark.anyio


async def send(client: httpx.AsyncClient, admin: Account, to: str, text: str) -> httpx.Response:
    body = {"recipient": to, "text": text}
    return await client.post("/api/v1/notifications", json=body, headers=admin.bearer)


async def test_new_users_are_welcomed(client: httpx.AsyncClient, member: Account) -> None:
    listed = await client.get("/api/v1/notifications", headers=member.bearer)
    assert [row["kind"] for row in listed.json()["items"]] == ["welcome"]


async def test_send_list_and_read(
    client: httpx.AsyncClient, admin: Account, member: Account, other: Account
) -> None:
    sent = await send(client, admin, member.id, "Hello.")
    assert sent.status_code == 201
    notification_id = sent.json()["id"]
    listed = await client.get("/api/v1/notifications", headers=member.bearer)
    assert listed.json()["items"][0] == sent.json()

    url = f"/api/v1/notifications/{notification_id}/read"
    read = await client.patch(url, headers=member.bearer)
    assert read.json()["read_at"] is not None
    again = await client.patch(url, headers=member.bearer)
    assert again.json() == read.json(), "the first time counts"
    assert (await client.patch(url, headers=other.bearer)).status_code == 404


async def test_unknown_recipients(client: httpx.AsyncClient, admin: Account) -> None:
    assert (await send(client, admin, str(uuid4()), "Hello.")).status_code == 404


async def test_notifications_are_protected(client: httpx.AsyncClient, member: Account) -> None:
    assert (await client.get("/api/v1/notifications")).status_code == 401
    assert (await client.get("/api/v1/notifications/stream")).status_code == 401
    body = {"recipient": member.id, "text": "Hello."}
    assert (await client.post("/api/v1/notifications", json=body)).status_code == 401
    forbidden = await client.post("/api/v1/notifications", json=body, headers=member.bearer)
    assert forbidden.status_code == 403
    notification_id = uuid4()
    answer = await client.patch(f"/api/v1/notifications/{notification_id}/read")
    assert answer.status_code == 401


def actor(account: Account) -> Actor:
    return Actor(UUID(account.id), account.username, "member", frozenset())


async def test_stream_replays_what_was_missed(
    client: httpx.AsyncClient, resources: Resources, admin: Account, member: Account
) -> None:
    first = (await send(client, admin, member.id, "1")).json()
    second = (await send(client, admin, member.id, "2")).json()
    stream = NotificationStream(resources.connections, resources.database)
    received: list[NotificationResponse] = []
    with anyio.fail_after(5):
        async for notification in stream.follow(actor(member), UUID(first["id"])):
            received.append(notification)
            if len(received) == 1:
                # Came while the missed ones were read: must not come twice.
                resources.connections.publish(UUID(member.id), notification)
                await send(client, admin, member.id, "3")
            else:
                break
    assert [row.text for row in received] == ["2", "3"]
    assert str(received[0].id) == second["id"]


@pytest.mark.parametrize("whose", ["nobody", "other"])
async def test_stream_ignores_foreign_positions(
    client: httpx.AsyncClient,
    resources: Resources,
    admin: Account,
    member: Account,
    other: Account,
    whose: str,
) -> None:
    foreign = (await send(client, admin, other.id, "secret")).json()["id"]
    position = UUID(foreign) if whose == "other" else uuid4()
    stream = NotificationStream(resources.connections, resources.database)
    with anyio.move_on_after(0.2):
        async for _ in stream.follow(actor(member), position):
            pytest.fail("there is nothing to replay")
    assert resources.connections.count == 0, "the subscription has ended"


async def test_slow_listeners_are_dropped(resources: Resources, member: Account) -> None:
    stream = NotificationStream(resources.connections, resources.database)
    notification = NotificationResponse.model_validate(
        {"id": uuid4(), "kind": "alert", "text": "x", "created_at": "2026-01-01T00:00:00Z"}
    )
    received = 0
    with anyio.fail_after(5):
        following = stream.follow(actor(member), None)
        while resources.connections.count == 0:
            async with anyio.create_task_group() as group:

                async def publish_many() -> None:
                    await anyio.sleep(0.05)
                    for _ in range(QUEUE_SIZE + 10):
                        resources.connections.publish(UUID(member.id), notification)

                group.start_soon(publish_many)
                async for _ in following:
                    received += 1
            break
    assert 0 < received <= QUEUE_SIZE + 10
    assert resources.connections.count == 0
