"""Request ids, timing, security headers, CORS, compression."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.base import BaseHTTPMiddleware

from example_app.application import create_application
from tests.example_app.accounts import Account
from tests.example_app.conftest import MakeSettings, serving
from tests.example_app.factories import item_body

pytestmark = pytest.mark.anyio

ORIGIN = "https://app.example.com"


@pytest.mark.parametrize("offered", ["abc-123", "A.b_c", "x" * 64])
async def test_request_ids_are_taken_over(client: httpx.AsyncClient, offered: str) -> None:
    response = await client.get("/health", headers={"X-Request-ID": offered})
    assert response.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "a\tb", "<script>"])
async def test_strange_request_ids_are_replaced(client: httpx.AsyncClient, offered: str) -> None:
    response = await client.get("/health", headers={"X-Request-ID": offered})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


async def test_timing(client: httpx.AsyncClient) -> None:
    response = await client.get("/health")
    assert re.fullmatch(r"app;dur=\d+\.\d\d", response.headers["server-timing"])


async def test_security_headers(make_settings: MakeSettings) -> None:
    for debug in (True, False):
        app = create_application(make_settings(debug=debug))
        async with serving(app) as client:
            response = await client.get("/nowhere")
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["cache-control"] == "no-store"
        assert ("strict-transport-security" in response.headers) is not debug
        assert ("content-security-policy" in response.headers) is not debug


async def test_named_origins_only(client: httpx.AsyncClient) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    allowed = await client.options("/api/v1/items", headers={"Origin": ORIGIN, **preflight})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert allowed.headers["x-content-type-options"] == "nosniff"
    assert "x-request-id" in allowed.headers
    refused = await client.options(
        "/api/v1/items", headers={"Origin": "https://evil.example", **preflight}
    )
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


async def test_long_answers_are_compressed(client: httpx.AsyncClient, member: Account) -> None:
    for _ in range(10):
        await client.post("/api/v1/items", json=item_body(), headers=member.bearer)
    listed = await client.get("/api/v1/items", headers=member.bearer)
    assert listed.headers["content-encoding"] == "gzip"
    assert listed.json()["total"] == 10


def test_all_middleware_is_pure_asgi_and_in_order(app: FastAPI) -> None:
    classes = [middleware.cls for middleware in app.user_middleware]
    assert [getattr(cls, "__name__", "") for cls in classes] == [
        "AccessLogMiddleware",
        "RequestContextMiddleware",
        "SecurityHeadersMiddleware",
        "CORSMiddleware",
        "GZipMiddleware",
        "UnhandledErrorMiddleware",
    ]
    assert not any(isinstance(cls, type) and issubclass(cls, BaseHTTPMiddleware) for cls in classes)
    assert CORSMiddleware in classes
