"""The own account, and administration."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.example_app.accounts import Account, log_in
from tests.example_app.factories import PASSWORD, user_body

pytestmark = pytest.mark.anyio


async def test_own_account(client: httpx.AsyncClient, member: Account) -> None:
    me = await client.get("/api/v1/users/me", headers=member.bearer)
    assert me.status_code == 200
    changed = await client.patch(
        "/api/v1/users/me", json={"display_name": "New"}, headers=member.bearer
    )
    assert changed.json() == {**me.json(), "display_name": "New"}


async def test_own_account_needs_a_token(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/users/me")).status_code == 401
    assert (await client.patch("/api/v1/users/me", json={})).status_code == 401
    body = {"current_password": "x", "new_password": "yyyyyyyyyyyy"}
    assert (await client.put("/api/v1/users/me/password", json=body)).status_code == 401


async def test_role_and_activity_are_not_for_oneself(
    client: httpx.AsyncClient, member: Account
) -> None:
    for body in ({"role": "admin"}, {"is_active": True}, {"id": str(uuid4())}):
        response = await client.patch("/api/v1/users/me", json=body, headers=member.bearer)
        assert response.status_code == 422


async def test_addresses_are_taken_once(
    client: httpx.AsyncClient, member: Account, other: Account
) -> None:
    taken = (await client.get("/api/v1/users/me", headers=other.bearer)).json()["email"]
    response = await client.patch("/api/v1/users/me", json={"email": taken}, headers=member.bearer)
    assert response.status_code == 409


async def test_password_change_ends_everything_else(
    client: httpx.AsyncClient, member: Account
) -> None:
    wrong = {"current_password": "wrong", "new_password": "a new password"}
    refused = await client.put("/api/v1/users/me/password", json=wrong, headers=member.bearer)
    assert refused.status_code == 403

    right = {**wrong, "current_password": PASSWORD}
    changed = await client.put("/api/v1/users/me/password", json=right, headers=member.bearer)
    assert (changed.status_code, changed.content) == (204, b"")
    stale = await client.post("/api/v1/auth/refresh", json={"refresh_token": member.refresh_token})
    assert stale.status_code == 401
    user = await client.post("/api/rpc/session/user", json={}, headers=member.session)
    assert user.status_code == 401
    await log_in(client, member.username, "a new password")


async def test_administration(client: httpx.AsyncClient, admin: Account, member: Account) -> None:
    listed = await client.get("/api/v1/users", params={"limit": 1}, headers=admin.bearer)
    assert listed.status_code == 200
    assert listed.json()["total"] == 2
    assert [user["username"] for user in listed.json()["items"]] == ["admin"]

    read = await client.get(f"/api/v1/users/{member.id}", headers=admin.bearer)
    assert read.json()["username"] == member.username
    changed = await client.patch(
        f"/api/v1/users/{member.id}", json={"role": "reader"}, headers=admin.bearer
    )
    assert changed.json()["role"] == "reader"
    created = await client.post("/api/v1/items", json={}, headers=member.bearer)
    assert created.status_code == 403, "a changed role holds at once, whatever the token says"


async def test_deletion_takes_everything_along(
    client: httpx.AsyncClient, admin: Account, member: Account
) -> None:
    item = await client.post(
        "/api/v1/items", json={"title": "a", "category": "book"}, headers=member.bearer
    )
    deleted = await client.delete(f"/api/v1/users/{member.id}", headers=admin.bearer)
    assert (deleted.status_code, deleted.content) == (204, b"")
    item_id = item.json()["id"]
    assert (await client.get(f"/api/v1/items/{item_id}", headers=admin.bearer)).status_code == 404
    assert (await client.get(f"/api/v1/users/{member.id}", headers=admin.bearer)).status_code == 404
    assert (
        await client.delete(f"/api/v1/users/{member.id}", headers=admin.bearer)
    ).status_code == 404


async def test_administrators_cannot_lock_themselves_out(
    client: httpx.AsyncClient, admin: Account
) -> None:
    url = f"/api/v1/users/{admin.id}"
    changed = await client.patch(url, json={"is_active": False}, headers=admin.bearer)
    assert changed.status_code == 409
    assert (await client.delete(url, headers=admin.bearer)).status_code == 409


async def test_administration_is_for_administrators(
    client: httpx.AsyncClient, member: Account
) -> None:
    user_id = uuid4()
    headers = member.bearer
    assert (await client.get("/api/v1/users", headers=headers)).status_code == 403
    assert (await client.get(f"/api/v1/users/{user_id}", headers=headers)).status_code == 403
    patched = await client.patch(f"/api/v1/users/{user_id}", json={}, headers=headers)
    assert patched.status_code == 403
    assert (await client.delete(f"/api/v1/users/{user_id}", headers=headers)).status_code == 403


@pytest.mark.parametrize("user_id", ["1", "me2", "8b1c3e9e-0000-4000-8000-0000000000000"])
async def test_ids_are_uuids(client: httpx.AsyncClient, admin: Account, user_id: str) -> None:
    response = await client.get(f"/api/v1/users/{user_id}", headers=admin.bearer)
    assert response.status_code == 404


async def test_own_account_cannot_be_deleted(client: httpx.AsyncClient, admin: Account) -> None:
    response = await client.delete("/api/v1/users/me", headers=admin.bearer)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, PATCH"


async def test_user_bodies_are_random() -> None:
    assert user_body()["username"] != user_body()["username"]
