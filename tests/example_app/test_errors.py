"""One shape for all errors, and nothing internal in them."""

from __future__ import annotations

import json
from typing import NoReturn

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from example_app.api.errors import STATUS_BY_ERROR
from example_app.api.router import MAX_BODY_BYTES
from example_app.application import create_application
from example_app.core import exceptions as domain
from example_app.services.items import ItemService
from tests.example_app.accounts import Account
from tests.example_app.conftest import MakeSettings, serving

pytestmark = pytest.mark.anyio

SHAPE = {"code", "detail", "request_id", "path", "errors"}


def assert_shape(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status
    body = response.json()
    assert set(body) == SHAPE
    assert body["code"] == code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["path"] == response.request.url.path
    assert response.headers["content-type"] == "application/json"


async def test_framework_errors(client: httpx.AsyncClient, member: Account) -> None:
    assert_shape(await client.get("/nowhere?token=secret"), 404, "not_found")
    wrong_method = await client.delete("/api/v1/items", headers=member.bearer)
    assert_shape(wrong_method, 405, "method_not_allowed")
    assert wrong_method.headers["allow"] == "GET, POST"
    own = await client.post("/api/v1/users/me", headers=member.bearer)
    assert own.headers["allow"] == "GET, PATCH"
    headers = {**member.bearer, "Content-Type": "application/json"}
    too_long = b'{"title": "' + b"a" * MAX_BODY_BYTES + b'"}'
    large = await client.post("/api/v1/items", content=too_long, headers=headers)
    assert_shape(large, 413, "content_too_large")
    broken = await client.post("/api/v1/items", content=b"{", headers=headers)
    assert_shape(broken, 422, "invalid_request")
    form = await client.post(
        "/api/v1/files",
        content=b"--x",
        headers={**member.bearer, "Content-Type": "multipart/form-data"},
    )
    assert_shape(form, 400, "bad_request")


async def test_bodies_without_a_length_are_limited_too(
    client: httpx.AsyncClient, member: Account
) -> None:
    async def chunks():  # type: ignore[no-untyped-def]
        for _ in range(10):
            yield b" " * (MAX_BODY_BYTES // 4)

    headers = {**member.bearer, "Content-Type": "application/json"}
    response = await client.post("/api/v1/items", content=chunks(), headers=headers)
    assert_shape(response, 413, "content_too_large")


async def test_json_needs_its_content_type(client: httpx.AsyncClient, member: Account) -> None:
    body = json.dumps({"title": "a", "category": "tool"})
    response = await client.post("/api/v1/items", content=body, headers=member.bearer)
    assert_shape(response, 422, "invalid_request")


async def test_values_are_not_echoed(client: httpx.AsyncClient) -> None:
    body = {"username": "ada", "password": "hunter2"}
    response = await client.post("/api/v1/auth/register", json=body)
    assert_shape(response, 422, "invalid_request")
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("connection string postgres://u:p@h"), 500, "internal_error"),
        (OperationalError("SELECT secret", {}, Exception("gone")), 503, "unavailable"),
        (PoolTimeoutError("QueuePool limit"), 503, "unavailable"),
        (ConnectionRefusedError(111, "Connection refused"), 503, "unavailable"),
        (domain.DomainError(), 400, "domain_error"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_internals_stay_inside(
    client: httpx.AsyncClient,
    member: Account,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    code: str,
) -> None:
    async def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(ItemService, "list_page", fail)
    response = await client.get("/api/v1/items", headers=member.bearer)
    assert_shape(response, status, code)
    assert "postgres" not in response.text
    assert "SELECT" not in response.text
    assert ("retry-after" in response.headers) == (status == 503)


async def test_a_500_has_everything_that_a_200_has(
    client: httpx.AsyncClient,
    member: Account,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fail(*_: object) -> NoReturn:
        raise RuntimeError("boom")

    monkeypatch.setattr(ItemService, "list_page", fail)
    headers = {**member.bearer, "Origin": "https://app.example.com", "X-Request-ID": "mine"}
    response = await client.get("/api/v1/items", headers=headers)
    assert_shape(response, 500, "internal_error")
    assert response.headers["x-request-id"] == "mine"
    assert response.headers["access-control-allow-origin"] == "https://app.example.com"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_the_log_has_what_the_client_does_not_get(
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def fail(*_: object) -> NoReturn:
        raise RuntimeError("boom")

    monkeypatch.setattr(ItemService, "list_page", fail)
    settings = make_settings(auth={"enabled": False})
    async with serving(create_application(settings)) as client:
        await client.get("/api/v1/items", headers={"X-Request-ID": "mine"})
    lines = capfd.readouterr().err.splitlines()
    [entry] = [json.loads(line) for line in lines if "unhandled exception" in line]
    assert entry["request_id"] == "mine"
    assert entry["user_id"]
    assert (entry["method"], entry["path"]) == ("GET", "/api/v1/items")
    assert "RuntimeError: boom" in entry["exception"]
    [access] = [line for line in lines if line.startswith("ERROR GET /api/v1/items 500 ")]
    assert access


async def test_an_error_in_the_middle_of_a_response(
    make_settings: MakeSettings,
) -> None:
    """Half a response cannot be taken back: the exception reaches the server."""
    app = create_application(make_settings())

    async def broken(scope: object, receive: object, send):  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("boom")

    app.mount("/broken", broken)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        with pytest.raises(RuntimeError, match="boom"):
            await client.get("/broken/")


def test_every_domain_error_has_a_status() -> None:
    def all_subclasses(kind: type) -> set[type]:
        return {kind}.union(*(all_subclasses(child) for child in kind.__subclasses__()))

    assert all_subclasses(domain.DomainError) == set(STATUS_BY_ERROR)


def test_starlettes_own_errors_are_handled(app: FastAPI) -> None:
    names = {
        f"{kind.__module__}.{kind.__name__}"
        for kind in app.exception_handlers
        if isinstance(kind, type)
    }
    assert "starlette.exceptions.HTTPException" in names
