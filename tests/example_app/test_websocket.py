"""The WebSocket: authentication by first message, answers, broadcasts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from example_app.realtime.websocket import reply_to
from tests.example_app.accounts import ADMIN_PASSWORD
from tests.example_app.factories import user_body
from tests.example_app.process import wait_until


def token_of(client: TestClient, username: str, password: str) -> str:
    form = {"username": username, "password": password}
    token: str = client.post("/api/v1/auth/token", data=form).json()["access_token"]
    return token


@pytest.fixture
def admin_token(socket_client: TestClient) -> str:
    return token_of(socket_client, "admin", ADMIN_PASSWORD)


@pytest.fixture
def user(socket_client: TestClient) -> dict[str, Any]:
    body = user_body()
    created = socket_client.post("/api/v1/auth/register", json=body).json()
    token = token_of(socket_client, str(body["username"]), str(body["password"]))
    return {**created, "token": token}


@pytest.fixture
def socket(socket_client: TestClient, user: dict[str, Any]) -> Iterator[WebSocketTestSession]:
    with socket_client.websocket_connect("/api/v1/notifications/ws") as session:
        session.send_json({"type": "authenticate", "token": user["token"]})
        assert session.receive_json()["type"] == "ready"
        yield session


def send(client: TestClient, admin_token: str, recipient: str, text: str) -> None:
    headers = {"Authorization": f"Bearer {admin_token}"}
    body = {"recipient": recipient, "text": text}
    response = client.post("/api/v1/notifications", json=body, headers=headers)
    assert response.status_code == 201


def test_notifications_arrive(
    socket_client: TestClient, socket: WebSocketTestSession, user: dict[str, Any], admin_token: str
) -> None:
    send(socket_client, admin_token, user["id"], "Hello.")
    message = socket.receive_json()
    assert message["type"] == "notification"
    assert message["notification"]["text"] == "Hello."


def test_only_the_recipient_gets_them(
    socket_client: TestClient, socket: WebSocketTestSession, admin_token: str
) -> None:
    someone = socket_client.post("/api/v1/auth/register", json=user_body()).json()
    send(socket_client, admin_token, someone["id"], "Secret.")
    socket.send_json({"type": "ping"})
    assert socket.receive_json() == {"type": "pong"}


def test_messages_are_answered(socket: WebSocketTestSession) -> None:
    socket.send_text("{not json")
    assert socket.receive_json()["type"] == "error"
    socket.send_json({"type": "unknown"})
    assert socket.receive_json()["type"] == "error"
    socket.send_json({"type": "ping"})
    assert socket.receive_json() == {"type": "pong"}


def test_authenticating_twice_is_an_error() -> None:
    assert reply_to('{"type": "authenticate", "token": "x"}').type == "error"


@pytest.mark.parametrize(
    "first",
    [
        '{"type": "authenticate", "token": "made up"}',
        '{"type": "ping"}',
        "{not json",
        b"\x00\x01",
        None,
    ],
)
def test_whoever_does_not_authenticate_is_told_and_closed(
    socket_client: TestClient, app: FastAPI, first: str | bytes | None
) -> None:
    with socket_client.websocket_connect("/api/v1/notifications/ws") as session:
        if isinstance(first, bytes):
            session.send_bytes(first)
        elif first is not None:
            session.send_text(first)
        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_json()
    assert closed.value.code == 4401
    assert app.state.resources.connections.count == 0, "it never listened"


def test_refresh_tokens_do_not_open_sockets(socket_client: TestClient) -> None:
    form = {"username": "admin", "password": ADMIN_PASSWORD}
    pair = socket_client.post("/api/v1/auth/token", data=form).json()
    with socket_client.websocket_connect("/api/v1/notifications/ws") as session:
        session.send_json({"type": "authenticate", "token": pair["refresh_token"]})
        with pytest.raises(WebSocketDisconnect) as closed:
            session.receive_json()
    assert closed.value.code == 4401


def test_disconnects_are_cleaned_up(
    socket_client: TestClient, app: FastAPI, user: dict[str, Any]
) -> None:
    manager = app.state.resources.connections
    for _ in range(3):
        with socket_client.websocket_connect("/api/v1/notifications/ws") as session:
            session.send_json({"type": "authenticate", "token": user["token"]})
            assert session.receive_json()["type"] == "ready"
            assert manager.count == 1
        wait_until(lambda: manager.count == 0)


def test_slow_sockets_are_closed(
    socket_client: TestClient, app: FastAPI, socket: WebSocketTestSession, user: dict[str, Any]
) -> None:
    manager = app.state.resources.connections
    [subscription] = manager._listeners[UUID(user["id"])]
    assert socket_client.portal is not None
    socket_client.portal.call(subscription.overflowed.set)
    with pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 1013
    wait_until(lambda: manager.count == 0)
