"""Users of several roles, and how they log in."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from tests.example_app.factories import PASSWORD, user_body

ADMIN_PASSWORD = "administrator-1"


@dataclass
class Account:
    """A registered user with tokens for both surfaces."""

    id: str
    username: str
    password: str
    access_token: str
    refresh_token: str
    session_token: str = field(default="")

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    @property
    def session(self) -> dict[str, str]:
        return {"X-Auth-Token": self.session_token}


async def log_in(
    client: httpx.AsyncClient, username: str, password: str, scope: str = ""
) -> Account:
    form = {"username": username, "password": password, "scope": scope}
    tokens = await client.post("/api/v1/auth/token", data=form)
    assert tokens.status_code == 200, tokens.text
    pair = tokens.json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    me = await client.get("/api/v1/users/me", headers=bearer)
    opened = await client.post("/api/rpc/session/login", auth=(username, password), json={})
    assert opened.status_code == 200, opened.text
    return Account(
        id=me.json()["id"],
        username=username,
        password=password,
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        session_token=opened.json()["token"],
    )


async def register(client: httpx.AsyncClient, **values: object) -> Account:
    body = user_body(**values)
    created = await client.post("/api/v1/auth/register", json=body)
    assert created.status_code == 201, created.text
    return await log_in(client, str(body["username"]), str(body["password"]))


async def register_as(client: httpx.AsyncClient, admin: Account, role: str) -> Account:
    """Register a user and have the administrator change the role; log in with the new one."""
    account = await register(client)
    url = f"/api/v1/users/{account.id}"
    changed = await client.patch(url, json={"role": role}, headers=admin.bearer)
    assert changed.status_code == 200, changed.text
    return await log_in(client, account.username, PASSWORD)
