"""Items and files on the RPC surface: POST only, downloads aside."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.example_app.accounts import Account, register_as
from tests.example_app.factories import item_body

pytestmark = pytest.mark.anyio


async def test_life_of_an_item(client: httpx.AsyncClient, member: Account) -> None:
    headers = member.session
    created = await client.post("/api/rpc/items/create", json=item_body(), headers=headers)
    assert created.status_code == 200
    item = created.json()
    reference = {"item_id": item["id"]}
    read = await client.post("/api/rpc/items/get", json=reference, headers=headers)
    assert read.json() == item
    changed = await client.post(
        "/api/rpc/items/update", json={**reference, "changes": {"title": "New"}}, headers=headers
    )
    assert changed.json()["title"] == "New"
    assert changed.json()["price_cents"] == item["price_cents"]
    listed = await client.post("/api/rpc/items/list", json={"text": "new"}, headers=headers)
    assert listed.json()["total"] == 1
    both = await client.get(f"/api/v1/items/{item['id']}", headers=member.bearer)
    assert both.json() == changed.json(), "both surfaces show the same"
    deleted = await client.post("/api/rpc/items/delete", json=reference, headers=headers)
    assert deleted.json() == {"done": True}
    gone = await client.post("/api/rpc/items/get", json=reference, headers=headers)
    assert gone.status_code == 404


async def test_life_of_a_file(client: httpx.AsyncClient, member: Account) -> None:
    headers = member.session
    uploaded = await client.post(
        "/api/rpc/files/upload", files={"file": ("a.txt", b"hello")}, headers=headers
    )
    assert uploaded.status_code == 200
    file_id = uploaded.json()["id"]
    content = await client.get(f"/api/rpc/files/{file_id}/content", headers=headers)
    assert content.content == b"hello"
    listed = await client.post("/api/rpc/files/list", json={}, headers=headers)
    assert listed.json()["total"] == 1
    reference = {"file_id": file_id}
    deleted = await client.post("/api/rpc/files/delete", json=reference, headers=headers)
    assert deleted.json() == {"done": True}
    gone = await client.get(f"/api/rpc/files/{file_id}/content", headers=headers)
    assert gone.status_code == 404


async def test_rpc_needs_a_session(client: httpx.AsyncClient, member: Account) -> None:
    reference = {"item_id": str(uuid4())}
    file_id = uuid4()
    headers = member.bearer  # the other surface's token is none here
    answers = [
        await client.post("/api/rpc/items/list", json={}, headers=headers),
        await client.post("/api/rpc/items/get", json=reference, headers=headers),
        await client.post("/api/rpc/items/create", json=item_body(), headers=headers),
        await client.post(
            "/api/rpc/items/update", json={**reference, "changes": {}}, headers=headers
        ),
        await client.post("/api/rpc/items/delete", json=reference, headers=headers),
        await client.post("/api/rpc/files/list", json={}, headers=headers),
        await client.post("/api/rpc/files/upload", files={"file": ("a", b"a")}, headers=headers),
        await client.post("/api/rpc/files/delete", json={"file_id": str(file_id)}, headers=headers),
        await client.get(f"/api/rpc/files/{file_id}/content", headers=headers),
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_authenticated"


async def test_readers_only_read(client: httpx.AsyncClient, admin: Account) -> None:
    reader = await register_as(client, admin, "reader")
    headers = reader.session
    listed = await client.post("/api/rpc/items/list", json={}, headers=headers)
    assert listed.status_code == 200
    created = await client.post("/api/rpc/items/create", json=item_body(), headers=headers)
    assert created.status_code == 403
    uploaded = await client.post(
        "/api/rpc/files/upload", files={"file": ("a", b"a")}, headers=headers
    )
    assert uploaded.status_code == 403


def test_only_downloads_are_not_post(app: FastAPI) -> None:
    methods = {
        context.path: context.methods
        for context in iter_route_contexts(app.routes)
        if (context.path or "").startswith("/api/rpc")
    }
    assert methods
    others = {path for path, allowed in methods.items() if allowed != {"POST"}}
    assert others == {"/api/rpc/files/{file_id}/content"}
