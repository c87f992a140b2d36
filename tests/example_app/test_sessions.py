"""Logging in with HTTP Basic on the RPC surface."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from example_app.application import create_application
from example_app.core.security import hash_token
from example_app.db.models import LoginSession
from example_app.db.models.base import utc_now
from example_app.resources import Resources
from tests.example_app.accounts import Account
from tests.example_app.conftest import MakeSettings, serving
from tests.example_app.factories import PASSWORD

pytestmark = pytest.mark.anyio


async def test_session(client: httpx.AsyncClient, member: Account) -> None:
    opened = await client.post(
        "/api/rpc/session/login", auth=(member.username, PASSWORD), json={"label": "test"}
    )
    assert opened.status_code == 200
    headers = {"X-Auth-Token": opened.json()["token"]}
    user = await client.post("/api/rpc/session/user", json={}, headers=headers)
    assert user.json()["username"] == member.username

    closed = await client.post("/api/rpc/session/logout", json={}, headers=headers)
    assert closed.json() == {"done": True}
    after = await client.post("/api/rpc/session/user", json={}, headers=headers)
    assert after.status_code == 401
    still = await client.post("/api/rpc/session/user", json={}, headers=member.session)
    assert still.status_code == 200, "other sessions go on"


async def test_log_out_everywhere(client: httpx.AsyncClient, member: Account) -> None:
    opened = await client.post("/api/rpc/session/login", auth=(member.username, PASSWORD), json={})
    headers = {"X-Auth-Token": opened.json()["token"]}
    await client.post("/api/rpc/session/logout", json={"everywhere": True}, headers=headers)
    after = await client.post("/api/rpc/session/user", json={}, headers=member.session)
    assert after.status_code == 401


async def test_wrong_credentials(client: httpx.AsyncClient, member: Account) -> None:
    wrong = await client.post("/api/rpc/session/login", auth=(member.username, "wrong"), json={})
    missing = await client.post("/api/rpc/session/login", json={})
    assert (wrong.status_code, missing.status_code) == (401, 401)
    assert missing.headers["www-authenticate"] == "Basic"
    no_session = await client.post("/api/rpc/session/user", json={})
    made_up = await client.post(
        "/api/rpc/session/logout", json={}, headers={"X-Auth-Token": "made up"}
    )
    assert (no_session.status_code, made_up.status_code) == (401, 401)
    assert (await client.post("/api/rpc/session/logout", json={})).status_code == 401


async def test_sessions_are_stored_as_hashes(resources: Resources, member: Account) -> None:
    async with resources.database.transaction() as session:
        hashes = set(await session.scalars(select(LoginSession.token_hash)))
    assert member.session_token not in hashes
    assert hash_token(member.session_token) in hashes


async def test_expired_sessions_are_removed(
    client: httpx.AsyncClient, resources: Resources, member: Account
) -> None:
    async with resources.database.transaction() as session:
        await session.execute(
            update(LoginSession).values(expires_at=utc_now() - timedelta(seconds=1))
        )
    user = await client.post("/api/rpc/session/user", json={}, headers=member.session)
    assert user.status_code == 401
    assert user.json()["detail"] == "The session has expired."
    async with resources.database.transaction() as session:
        assert list(await session.scalars(select(LoginSession))) == []


async def test_inactive_users_have_no_sessions(
    client: httpx.AsyncClient, admin: Account, member: Account
) -> None:
    await client.patch(
        f"/api/v1/users/{member.id}", json={"is_active": False}, headers=admin.bearer
    )
    user = await client.post("/api/rpc/session/user", json={}, headers=member.session)
    assert user.status_code == 401


async def test_authentication_can_be_off_in_debug_mode(make_settings: MakeSettings) -> None:
    settings = make_settings(auth={"enabled": False})
    async with serving(create_application(settings)) as client:
        me = await client.get("/api/v1/users/me")
        user = await client.post("/api/rpc/session/user", json={})
        opened = await client.post("/api/rpc/session/login", json={})
        assert me.json()["username"] == user.json()["username"] == "admin"
        assert opened.status_code == 200
        assert (await client.post("/api/rpc/session/logout", json={})).status_code == 200
