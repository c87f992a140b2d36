"""Registering, and JSON web tokens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from sqlalchemy import select

from example_app.config import Settings
from example_app.core.tokens import ALGORITHM
from example_app.db.models import RefreshToken, User
from example_app.resources import Resources
from tests.example_app.accounts import Account, log_in, register
from tests.example_app.factories import PASSWORD, user_body

pytestmark = pytest.mark.anyio

NOBODY = "8b1c3e9e-0000-4000-8000-000000000000"


async def test_registration(client: httpx.AsyncClient) -> None:
    body = user_body(display_name="Ada  Lovelace")
    response = await client.post("/api/v1/auth/register", json=body)
    assert response.status_code == 201
    user = response.json()
    assert user["display_name"] == "Ada Lovelace"
    assert user["role"] == "member"
    assert not {"password", "password_hash"} & set(user)


async def test_names_are_taken_once(client: httpx.AsyncClient) -> None:
    body = user_body()
    assert (await client.post("/api/v1/auth/register", json=body)).status_code == 201
    again = await client.post("/api/v1/auth/register", json=body)
    assert again.status_code == 409
    assert again.json()["code"] == "conflict"


@pytest.mark.parametrize(
    "change",
    [
        {"password": "too short"},
        {"username": "abcdef", "password": "xx-ABCDEF-xx"},
        {"username": "Capital"},
        {"email": "nobody"},
        {"role": "admin"},
        {"id": NOBODY},
    ],
)
async def test_registration_is_checked(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    body = {**user_body(), **change}
    response = await client.post("/api/v1/auth/register", json=body)
    assert response.status_code == 422
    assert change.get("password", "no password") not in response.text


async def test_passwords_are_stored_as_argon2id(
    client: httpx.AsyncClient, resources: Resources, member: Account
) -> None:
    async with resources.database.transaction() as session:
        user = await session.scalar(select(User).where(User.username == member.username))
    assert user is not None
    assert user.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("username", "password"),
    [("admin", "wrong"), ("nobody", PASSWORD), ("bad\x00name", PASSWORD), ("x", "x")],
)
async def test_wrong_credentials_look_alike(
    client: httpx.AsyncClient, username: str, password: str
) -> None:
    form = {"username": username, "password": password}
    response = await client.post("/api/v1/auth/token", data=form)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"] == "User name or password is wrong."


async def test_access_tokens_live_15_minutes(member: Account) -> None:
    claims = jwt.decode(member.access_token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert claims["sub"] == member.id
    assert claims["type"] == "access"


async def test_scopes_narrow_a_token(client: httpx.AsyncClient, member: Account) -> None:
    narrow = await log_in(client, member.username, PASSWORD, scope="items:read users:manage")
    claims = jwt.decode(narrow.access_token, options={"verify_signature": False})
    assert claims["scope"] == "items:read", "only what the role has"
    assert (await client.get("/api/v1/items", headers=narrow.bearer)).status_code == 200
    assert (await client.get("/api/v1/files", headers=narrow.bearer)).status_code == 403
    created = await client.post("/api/v1/items", json={}, headers=narrow.bearer)
    assert created.status_code in {403, 422}

    refreshed = await client.post(
        "/api/v1/auth/refresh", json={"refresh_token": narrow.refresh_token}
    )
    assert refreshed.json()["scope"] == "items:read", "refreshing does not widen"


async def test_a_token_without_scopes_stays_without(
    client: httpx.AsyncClient, member: Account
) -> None:
    empty = await log_in(client, member.username, PASSWORD, scope="users:manage")
    refreshed = await client.post(
        "/api/v1/auth/refresh", json={"refresh_token": empty.refresh_token}
    )
    assert refreshed.json()["scope"] == ""


def forge(settings: Settings, user_id: str, key: str | None = None, **changes: Any) -> str:
    now = datetime.now(UTC)
    algorithm = changes.pop("algorithm", ALGORITHM)
    claims: dict[str, Any] = {
        "sub": user_id,
        "type": "access",
        "jti": str(uuid4()),
        "iss": settings.auth.jwt_issuer,
        "aud": settings.auth.jwt_audience,
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "scope": "items:read",
        **changes,
    }
    secret = settings.auth.jwt_secret.get_secret_value() if key is None else key
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm)


async def test_a_well_made_token_is_accepted(
    client: httpx.AsyncClient, settings: Settings, member: Account
) -> None:
    headers = {"Authorization": f"Bearer {forge(settings, member.id)}"}
    assert (await client.get("/api/v1/items", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "flaw",
    [
        {"type": "refresh"},
        {"type": None},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"algorithm": "HS384"},
        {"algorithm": "none", "key": ""},
        {"key": "another key that is long enough for HS256"},
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"aud": None},
        {"sub": None},
        {"sub": "not a uuid"},
        {"jti": None},
        {"sub": NOBODY},
    ],
    ids=str,
)
async def test_flawed_tokens_are_refused(
    client: httpx.AsyncClient, settings: Settings, member: Account, flaw: dict[str, Any]
) -> None:
    token = forge(settings, flaw.pop("sub", member.id), **flaw)
    response = await client.get("/api/v1/items", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


async def test_tampered_tokens_are_refused(client: httpx.AsyncClient, member: Account) -> None:
    head, payload, signature = member.access_token.split(".")
    for token in (
        f"{head}.{payload}.{signature[:-3]}AAA",
        f"{head}.{payload[:-3]}AAA.{signature}",
        f"{head}.{payload}.",
        "not-a-token",
    ):
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/api/v1/users/me", headers=headers)).status_code == 401


async def test_deleted_and_inactive_users_are_refused(
    client: httpx.AsyncClient, admin: Account, member: Account, other: Account
) -> None:
    await client.patch(
        f"/api/v1/users/{member.id}", json={"is_active": False}, headers=admin.bearer
    )
    await client.delete(f"/api/v1/users/{other.id}", headers=admin.bearer)
    for account in (member, other):
        assert (await client.get("/api/v1/users/me", headers=account.bearer)).status_code == 401
        token = {"refresh_token": account.refresh_token}
        assert (await client.post("/api/v1/auth/refresh", json=token)).status_code == 401
        form = {"username": account.username, "password": PASSWORD}
        assert (await client.post("/api/v1/auth/token", data=form)).status_code == 401


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def test_refresh_tokens_rotate(client: httpx.AsyncClient, member: Account) -> None:
    first = await refresh(client, member.refresh_token)
    assert first.status_code == 200
    second = await refresh(client, first.json()["refresh_token"])
    assert second.status_code == 200
    headers = {"Authorization": f"Bearer {second.json()['access_token']}"}
    assert (await client.get("/api/v1/users/me", headers=headers)).status_code == 200


async def test_reuse_revokes_the_family(client: httpx.AsyncClient, member: Account) -> None:
    elsewhere = await log_in(client, member.username, PASSWORD)
    newest = (await refresh(client, member.refresh_token)).json()["refresh_token"]
    assert (await refresh(client, member.refresh_token)).status_code == 401, "replay"
    assert (await refresh(client, newest)).status_code == 401, "the family has ended"
    assert (await refresh(client, elsewhere.refresh_token)).status_code == 200, "others go on"


async def test_concurrent_refreshes_succeed_at_most_once(
    client: httpx.AsyncClient, member: Account
) -> None:
    answers = await asyncio.gather(*(refresh(client, member.refresh_token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]


async def test_refresh_tokens_are_stored_as_hashes(resources: Resources, member: Account) -> None:
    async with resources.database.transaction() as session:
        rows = list(await session.scalars(select(RefreshToken)))
    assert rows
    assert all(row.token_hash not in member.refresh_token for row in rows)
    assert all(len(row.token_hash) == 64 for row in rows)


async def test_access_tokens_do_not_refresh(client: httpx.AsyncClient, member: Account) -> None:
    assert (await refresh(client, member.access_token)).status_code == 401


async def test_log_out_ends_the_family(client: httpx.AsyncClient, member: Account) -> None:
    token = {"refresh_token": member.refresh_token}
    ended = await client.post("/api/v1/auth/logout", json=token)
    assert (ended.status_code, ended.content) == (204, b"")
    assert (await refresh(client, member.refresh_token)).status_code == 401
    assert (await client.post("/api/v1/auth/logout", json=token)).status_code == 401


async def test_registered_users_can_log_in_at_once(client: httpx.AsyncClient) -> None:
    account = await register(client)
    assert account.access_token
