"""Items on the REST surface."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.example_app.accounts import Account
from tests.example_app.factories import item_body

pytestmark = pytest.mark.anyio


async def create(client: httpx.AsyncClient, owner: Account, **values: object) -> dict[str, object]:
    response = await client.post("/api/v1/items", json=item_body(**values), headers=owner.bearer)
    assert response.status_code == 201
    created: dict[str, object] = response.json()
    return created


async def test_life_of_an_item(client: httpx.AsyncClient, member: Account) -> None:
    item = await create(client, member, title="Hammer", category="tool", price_cents=1999)
    assert item["owner_id"] == member.id

    item_id = item["id"]
    read = await client.get(f"/api/v1/items/{item_id}", headers=member.bearer)
    assert read.json() == item

    replaced = await client.put(
        f"/api/v1/items/{item_id}",
        json={"title": "Saw", "category": "tool"},
        headers=member.bearer,
    )
    assert replaced.status_code == 200
    assert replaced.json()["title"] == "Saw"
    assert replaced.json()["price_cents"] == 0, "what is left out returns to its default"

    deleted = await client.delete(f"/api/v1/items/{item_id}", headers=member.bearer)
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await client.get(f"/api/v1/items/{item_id}", headers=member.bearer)
    assert gone.status_code == 404


async def test_patch_touches_only_what_was_sent(client: httpx.AsyncClient, member: Account) -> None:
    item = await create(client, member, price_cents=100)
    changed = await client.patch(
        f"/api/v1/items/{item['id']}",
        json={"title": "New", "description": None},
        headers=member.bearer,
    )
    assert changed.status_code == 200
    expected = {**item, "title": "New", "updated_at": changed.json()["updated_at"]}
    assert changed.json() == expected
    assert changed.json()["updated_at"] > str(item["updated_at"])


async def test_list_filters_orders_and_pages(client: httpx.AsyncClient, member: Account) -> None:
    for number in range(5):
        await create(client, member, title=f"Thing {number}", category="tool", price_cents=number)
    await create(client, member, title="100% Book", category="book", price_cents=50)

    page = await client.get(
        "/api/v1/items",
        params={"category": "tool", "order": "price", "limit": 2, "offset": 1},
        headers=member.bearer,
    )
    assert page.status_code == 200
    assert page.json()["total"] == 5
    assert [item["price_cents"] for item in page.json()["items"]] == [1, 2]

    found = await client.get("/api/v1/items", params={"text": "0%"}, headers=member.bearer)
    assert [item["title"] for item in found.json()["items"]] == ["100% Book"], "% is no wildcard"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "101"}, "query.limit"),
        ({"limit": "0"}, "query.limit"),
        ({"offset": "-1"}, "query.offset"),
        ({"category": "car"}, "query.category"),
        ({"order": "random"}, "query.order"),
        ({"text": ""}, "query.text"),
    ],
)
async def test_invalid_queries(
    client: httpx.AsyncClient, member: Account, params: dict[str, str], field: str
) -> None:
    response = await client.get("/api/v1/items", params=params, headers=member.bearer)
    assert response.status_code == 422
    assert [problem["field"] for problem in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": "", "category": "tool"},
        {"title": " x", "category": "tool"},
        {"title": "a\nb", "category": "tool"},
        {"title": "a", "category": "car"},
        {"title": "a", "category": "tool", "price_cents": -1},
        {"title": "a", "category": "tool", "price_cents": True},
        {"title": "a", "category": "tool", "price_cents": "5"},
        {"title": "a", "category": "tool", "price_cents": 1.5},
        {"title": "a", "category": "tool", "description": "\x00"},
        {"title": "a", "category": "tool", "owner_id": "8b1c3e9e-0000-4000-8000-000000000000"},
    ],
)
async def test_invalid_bodies(
    client: httpx.AsyncClient, member: Account, body: dict[str, object]
) -> None:
    response = await client.post("/api/v1/items", json=body, headers=member.bearer)
    assert response.status_code == 422
    assert response.json()["code"] == "invalid_request"


async def test_items_of_others_do_not_exist(
    client: httpx.AsyncClient, member: Account, other: Account, admin: Account
) -> None:
    item = await create(client, member)
    url = f"/api/v1/items/{item['id']}"
    body = item_body()
    answers = [
        await client.get(url, headers=other.bearer),
        await client.put(url, json=body, headers=other.bearer),
        await client.patch(url, json={}, headers=other.bearer),
        await client.delete(url, headers=other.bearer),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    listed = await client.get("/api/v1/items", headers=other.bearer)
    assert listed.json()["total"] == 0
    assert (await client.get(url, headers=admin.bearer)).status_code == 200


async def test_items_need_a_token(client: httpx.AsyncClient) -> None:
    item_id = uuid4()
    assert (await client.get("/api/v1/items")).status_code == 401
    assert (await client.post("/api/v1/items", json=item_body())).status_code == 401
    assert (await client.get(f"/api/v1/items/{item_id}")).status_code == 401
    assert (await client.put(f"/api/v1/items/{item_id}", json=item_body())).status_code == 401
    assert (await client.patch(f"/api/v1/items/{item_id}", json={})).status_code == 401
    assert (await client.delete(f"/api/v1/items/{item_id}")).status_code == 401
