"""What happens when clients, the disk or the process fail: over real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_async

from example_app.application import create_application
from example_app.config import Settings
from example_app.db.models.base import utc_now
from example_app.schemas.notifications import NotificationResponse
from tests.example_app.conftest import MakeSettings
from tests.example_app.factories import item_body
from tests.example_app.process import Server, running, wait_until

SOCKETS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), files={"max_bytes": 8_000_000}) as started:
        yield started
    assert "Traceback" not in started.log
    assert "unhandled exception" not in started.log


@pytest.fixture(scope="module")
def bearer(server: Server) -> dict[str, str]:
    return server.token()


def files_of(server: Server) -> list[Path]:
    return list((server.directory / "var/files").iterdir())


def open_descriptors(server: Server) -> int:
    assert server.process is not None
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def start_of_upload(bearer: dict[str, str], length: int) -> bytes:
    return (
        "POST /api/v1/files HTTP/1.1\r\nHost: test\r\n"
        f"Authorization: {bearer['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {length}\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    ).encode()


def test_client_gone_in_the_middle_of_an_upload(server: Server, bearer: dict[str, str]) -> None:
    before = len(files_of(server)), open_descriptors(server)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(start_of_upload(bearer, 3_000_000) + b"a" * 1_500_000)
    line = server.wait_for_log("POST /api/v1/files 400")
    assert line.startswith("WARN ")
    assert httpx.get(f"{server.url}/health/ready").status_code == 200
    assert len(files_of(server)) == before[0], "nothing half-written stays"
    wait_until(lambda: open_descriptors(server) <= before[1] + 1)


def test_client_gone_in_the_middle_of_a_stream(server: Server, bearer: dict[str, str]) -> None:
    url = f"{server.url}/api/v1/notifications/stream"
    before = server.log.count("listener gone")
    for _ in range(3):
        with httpx.stream("GET", url, headers=bearer) as stream:
            assert stream.status_code == 200
    wait_until(lambda: server.log.count("listener gone") == before + 3)
    assert (
        '"open": 0'
        in server.log.rpartition("listener gone")[2]
        + server.log.rpartition("listener gone")[0].rpartition("\n")[2]
    )


def test_client_gone_in_the_middle_of_a_download(server: Server, bearer: dict[str, str]) -> None:
    uploaded = httpx.post(
        f"{server.url}/api/v1/files",
        files={"file": ("big.txt", b"a" * 5_000_000)},
        headers=bearer,
        timeout=30,
    )
    url = f"{server.url}/api/v1/files/{uploaded.json()['id']}/content"
    before = open_descriptors(server)
    for _ in range(5):
        with httpx.stream("GET", url, headers=bearer) as stream:
            next(stream.iter_raw(1000))
    wait_until(lambda: open_descriptors(server) <= before + 1)
    assert len(httpx.get(url, headers=bearer).content) == 5_000_000


def test_slow_clients_hold_up_nobody(server: Server, bearer: dict[str, str]) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for connection in slow[:10]:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost:")
    for connection in slow[10:]:
        connection.sendall(start_of_upload(bearer, 1_000_000) + b"a")
    for _ in range(5):
        answer = httpx.get(f"{server.url}/api/v1/items", headers=bearer, timeout=2)
        assert answer.status_code == 200
    for connection in slow:
        connection.close()


def test_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: both fail in the same calls."""
    server = Server(tmp_path)
    server.configure(files={"max_bytes": 8_000_000})
    server.start(file_bytes=600_000)
    try:
        bearer = server.token()
        url = f"{server.url}/api/v1/files"
        for size in (700_000, 2_000_000):  # in the storage; already in the form's temporary file
            files = {"file": ("a.txt", b"a" * size)}
            response = httpx.post(url, files=files, headers=bearer, timeout=30)
            assert (response.status_code, response.json()["code"]) == (507, "storage_full")
        assert files_of(server) == []
        small = httpx.post(url, files={"file": ("a.txt", b"a")}, headers=bearer)
        assert small.status_code == 201
        server.wait_for_log("ERROR POST /api/v1/files 507")
        assert '"event": "storage full"' in server.log
    finally:
        server.stop()
    assert "Traceback" not in server.log


async def open_socket(server: Server, token: str) -> ClientConnection:
    url = server.url.replace("http", "ws") + "/api/v1/notifications/ws"
    # Uncompressed: a compressed flood of one letter would fit into the kernel's buffers.
    connection = await connect_async(url, open_timeout=60, ping_interval=None, compression=None)
    await connection.send(json.dumps({"type": "authenticate", "token": token}))
    assert json.loads(await connection.recv())["type"] == "ready"
    return connection


def test_200_websockets(server: Server, bearer: dict[str, str]) -> None:
    token = bearer["Authorization"].split()[1]

    async def run() -> None:
        sockets = await asyncio.gather(*(open_socket(server, token) for _ in range(SOCKETS)))
        async with httpx.AsyncClient(base_url=server.url, headers=bearer, timeout=30) as client:
            me = (await client.get("/api/v1/users/me")).json()
            body = {"recipient": me["id"], "text": "to all"}
            sent = await client.post("/api/v1/notifications", json=body)
            assert sent.status_code == 201
        async with asyncio.timeout(30):
            messages = await asyncio.gather(*(each.recv() for each in sockets))
        assert {json.loads(each)["notification"]["id"] for each in messages} == {sent.json()["id"]}
        await asyncio.gather(*(each.close() for each in sockets[: SOCKETS // 2]))
        for each in sockets[SOCKETS // 2 :]:
            each.transport.abort()  # gone without a word

    before = server.log.count("listener gone")
    asyncio.run(run())
    wait_until(lambda: server.log.count("listener gone") >= before + SOCKETS)


async def serve_here(settings: Settings, port: int) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    """Run uvicorn in this process, so that the test can reach the connection manager."""
    config = uvicorn.Config(create_application(settings), port=port, log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    for _ in range(1000):
        if server.started:
            break
        await asyncio.sleep(0.01)
    return server, task


@pytest.mark.anyio
async def test_a_socket_that_does_not_read_is_dropped(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    target = Server(tmp_path)
    server, task = await serve_here(make_settings(), target.port)
    app = server.config.app
    assert isinstance(app, FastAPI)
    manager = app.state.resources.connections
    token = (await asyncio.to_thread(target.token))["Authorization"].split()[1]
    slow = await open_socket(target, token)
    quick = await open_socket(target, token)
    [user_id] = manager._listeners
    slow.transport.pause_reading()
    notification = NotificationResponse.model_validate(
        {"id": uuid4(), "kind": "alert", "text": "x" * 50_000, "created_at": utc_now()}
    )
    async with asyncio.timeout(20):
        while manager.count == 2:
            manager.publish(user_id, notification)
            assert json.loads(await quick.recv())["type"] == "notification"
    await quick.close()
    slow.transport.abort()
    server.should_exit = True
    await task


def test_kill_in_the_middle_of_writes(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.configure()
    server.start()
    bearer = server.token()
    items: list[str] = []
    files: dict[str, str] = {}
    stopped = threading.Event()

    def write(number: int) -> None:
        with httpx.Client(base_url=server.url, headers=bearer, timeout=30) as client:
            while not stopped.is_set():
                try:
                    if number % 2:
                        created = client.post("/api/v1/items", json=item_body())
                        if created.status_code == 201:
                            items.append(created.json()["id"])
                    else:
                        content = os.urandom(8).hex().encode() * 20_000
                        upload = {"file": ("a.txt", content)}
                        created = client.post("/api/v1/files", files=upload)
                        if created.status_code == 201:
                            digest = hashlib.sha256(content).hexdigest()
                            files[created.json()["id"]] = digest
                except httpx.TransportError:
                    return

    with ThreadPoolExecutor(6) as pool:
        for number in range(6):
            pool.submit(write, number)
        threading.Event().wait(2)
        server.kill()
        stopped.set()
    assert items
    assert files

    server.start()
    try:
        with httpx.Client(base_url=server.url, headers=bearer, timeout=30) as client:
            for item_id in items:
                assert client.get(f"/api/v1/items/{item_id}").status_code == 200
            for file_id, digest in files.items():
                content = client.get(f"/api/v1/files/{file_id}/content").content
                assert hashlib.sha256(content).hexdigest() == digest
            assert client.post("/api/v1/items", json=item_body()).status_code == 201
    finally:
        server.stop()
