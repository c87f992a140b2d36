"""Every endpoint for every role: nothing is open by accident."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.example_app.accounts import ADMIN_PASSWORD, Account, log_in, register, register_as

pytestmark = pytest.mark.anyio

ROLES = ("nobody", "inactive", "reader", "member", "admin")
PUBLIC = {
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/token"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/rpc/session/login"),
}
OWN, READ, WRITE, ADMIN = "own", "read", "write", "admin"
NEEDED = {
    ("GET", "/api/v1/users/me"): OWN,
    ("PATCH", "/api/v1/users/me"): OWN,
    ("PUT", "/api/v1/users/me/password"): OWN,
    ("GET", "/api/v1/users"): ADMIN,
    ("GET", "/api/v1/users/{user_id}"): ADMIN,
    ("PATCH", "/api/v1/users/{user_id}"): ADMIN,
    ("DELETE", "/api/v1/users/{user_id}"): ADMIN,
    ("GET", "/api/v1/items"): READ,
    ("POST", "/api/v1/items"): WRITE,
    ("GET", "/api/v1/items/{item_id}"): READ,
    ("PUT", "/api/v1/items/{item_id}"): WRITE,
    ("PATCH", "/api/v1/items/{item_id}"): WRITE,
    ("DELETE", "/api/v1/items/{item_id}"): WRITE,
    ("GET", "/api/v1/files"): READ,
    ("POST", "/api/v1/files"): WRITE,
    ("GET", "/api/v1/files/{file_id}"): READ,
    ("GET", "/api/v1/files/{file_id}/content"): READ,
    ("DELETE", "/api/v1/files/{file_id}"): WRITE,
    ("GET", "/api/v1/notifications"): READ,
    ("POST", "/api/v1/notifications"): ADMIN,
    ("GET", "/api/v1/notifications/stream"): READ,
    ("PATCH", "/api/v1/notifications/{notification_id}/read"): READ,
    ("POST", "/api/rpc/session/logout"): OWN,
    ("POST", "/api/rpc/session/user"): OWN,
    ("POST", "/api/rpc/items/list"): READ,
    ("POST", "/api/rpc/items/get"): READ,
    ("POST", "/api/rpc/items/create"): WRITE,
    ("POST", "/api/rpc/items/update"): WRITE,
    ("POST", "/api/rpc/items/delete"): WRITE,
    ("POST", "/api/rpc/files/list"): READ,
    ("POST", "/api/rpc/files/upload"): WRITE,
    ("POST", "/api/rpc/files/delete"): WRITE,
    ("GET", "/api/rpc/files/{file_id}/content"): READ,
}
ALLOWED = {
    OWN: {"reader", "member", "admin"},
    READ: {"reader", "member", "admin"},
    WRITE: {"member", "admin"},
    ADMIN: {"admin"},
}
ITEM = {"title": "a", "category": "tool"}
REFERENCE = {"item_id": str(uuid4())}
BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("PUT", "/api/v1/users/me/password"): {
        "current_password": "wrong",
        "new_password": "y" * 12,
    },
    ("POST", "/api/v1/items"): ITEM,
    ("PUT", "/api/v1/items/{item_id}"): ITEM,
    ("POST", "/api/v1/notifications"): {"recipient": str(uuid4()), "text": "x"},
    ("POST", "/api/rpc/items/create"): ITEM,
    ("POST", "/api/rpc/items/get"): REFERENCE,
    ("POST", "/api/rpc/items/delete"): REFERENCE,
    ("POST", "/api/rpc/items/update"): {**REFERENCE, "changes": {}},
    ("POST", "/api/rpc/files/delete"): {"file_id": str(uuid4())},
}
UPLOADS = {("POST", "/api/v1/files"), ("POST", "/api/rpc/files/upload")}


def operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(app.routes):
        for method in context.methods or ():
            if context.path_format and context.path_format.startswith(("/api", "/health")):
                yield method, context.path_format


def test_the_matrix_is_complete(app: FastAPI) -> None:
    assert set(operations(app)) == PUBLIC | set(NEEDED)


@pytest.fixture
async def accounts(client: httpx.AsyncClient) -> dict[str, Account | None]:
    admin = await log_in(client, "admin", ADMIN_PASSWORD)
    inactive = await register(client)
    url = f"/api/v1/users/{inactive.id}"
    await client.patch(url, json={"is_active": False}, headers=admin.bearer)
    return {
        "nobody": None,
        "inactive": inactive,
        "reader": await register_as(client, admin, "reader"),
        "member": await register(client),
        "admin": admin,
    }


async def test_every_endpoint_for_every_role(
    client: httpx.AsyncClient, accounts: dict[str, Account | None]
) -> None:
    found: dict[tuple[str, str, str], int] = {}
    for (method, template), need in NEEDED.items():
        if template.endswith("/stream") or template.endswith("/logout"):
            continue  # a stream does not end, and log-out would end the others' sessions
        for role, account in accounts.items():
            path = template
            for name in ("user_id", "item_id", "file_id", "notification_id"):
                path = path.replace(f"{{{name}}}", str(uuid4()))
            rpc = template.startswith("/api/rpc")
            headers = {} if account is None else account.session if rpc else account.bearer
            key = (method, template)
            if key in UPLOADS:
                files = {"file": ("a.txt", b"a")}
                response = await client.request(method, path, files=files, headers=headers)
            else:
                body = None if method in {"GET", "DELETE"} else BODIES.get(key, {})
                response = await client.request(method, path, json=body, headers=headers)
            found[role, method, template] = response.status_code
            if account is None or role == "inactive":
                assert response.status_code == 401, (role, key)
            elif role not in ALLOWED[need]:
                assert response.status_code == 403, (role, key)
            elif template.endswith("/me/password"):
                assert response.status_code == 403, "the password was wrong"
            else:
                named = "{" in template or (key in BODIES and "items/create" not in template)
                expected = {404} if named and BODIES.get(key) != ITEM else {200, 201, 204}
                if "{" in template:
                    expected = {404}
                assert response.status_code in expected, (role, key, response.text)
    assert len(found) == (len(NEEDED) - 2) * len(ROLES)


async def test_streams_and_log_out_need_credentials(
    client: httpx.AsyncClient, accounts: dict[str, Account | None]
) -> None:
    inactive = accounts["inactive"]
    assert inactive is not None
    for headers in ({}, inactive.bearer):
        answer = await client.get("/api/v1/notifications/stream", headers=headers)
        assert answer.status_code == 401
    for headers in ({}, inactive.session):
        answer = await client.post("/api/rpc/session/logout", json={}, headers=headers)
        assert answer.status_code == 401
