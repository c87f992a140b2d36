"""The service as a real process, over real sockets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.example_app.factories import item_body, user_body
from tests.example_app.process import ROOT, Server, running

LINE = re.compile(r"(INFO|WARN|ERROR) [A-Z]+ /\S* \d{3} \d{2,}\.\d{2}ms( .+)?")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as running_server:
        yield running_server
    assert "Traceback" not in running_server.log


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=server.token(), timeout=30) as running_client:
        yield running_client


def test_it_says_where_to_look(server: Server) -> None:
    for part in (f"{server.url}/docs", "Log in as:      admin", "given.yaml"):
        assert part in server.log


def test_a_day_in_the_life(client: httpx.Client) -> None:
    item = client.post("/api/v1/items", json=item_body())
    assert item.status_code == 201
    file = client.post("/api/v1/files", files={"file": ("a.txt", b"0123456789")})
    assert file.status_code == 201
    url = f"/api/v1/files/{file.json()['id']}/content"
    assert client.get(url, headers={"Range": "bytes=3-5"}).content == b"345"
    opened = client.post("/api/rpc/session/login", auth=("admin", "administrator-1"), json={})
    session = {"X-Auth-Token": opened.json()["token"]}
    listed = client.post("/api/rpc/items/list", json={}, headers=session)
    assert item.json() in listed.json()["items"]


def test_request_log(server: Server, client: httpx.Client) -> None:
    before = len(server.access_lines)
    body = {"limit": 100, "text": "grün"}
    opened = client.post("/api/rpc/session/login", auth=("admin", "administrator-1"), json={})
    session = {"X-Auth-Token": opened.json()["token"]}
    client.post("/api/rpc/items/list", json=body, headers=session)
    client.get("/api/v1/items?limit=1000")
    client.get("/nowhere?password=hunter2")
    client.post("/api/v1/auth/register", json=user_body(password="hunter2hunter2"))
    server.wait_for_log("/api/v1/auth/register 201")
    lines = server.access_lines[before:]
    assert len(lines) == 5
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert re.fullmatch(r"INFO POST /api/rpc/session/login 200 \d{2,}\.\d{2}ms \{\}", lines[0])
    assert re.fullmatch(
        r'INFO POST /api/rpc/items/list 200 \d{2,}\.\d{2}ms \{"limit":100,"text":"grün"\}',
        lines[1],
    )
    assert re.fullmatch(r"WARN GET /api/v1/items 422 \d{2,}\.\d{2}ms", lines[2])
    assert re.fullmatch(r"WARN GET /nowhere 404 \d{2,}\.\d{2}ms", lines[3])
    assert '"password":"***"' in lines[4]
    assert "hunter2" not in server.log


def test_other_lines_are_structured(server: Server) -> None:
    lines = [line for line in server.log.splitlines() if line.startswith("{")]
    assert {"event", "level", "logger", "timestamp"} <= set(json.loads(lines[0]))


def test_websocket(server: Server, client: httpx.Client) -> None:
    user = client.post("/api/v1/auth/register", json=user_body(username="socket_user")).json()
    token = server.token("socket_user", "correct horse battery")["Authorization"].split()[1]
    url = server.url.replace("http", "ws") + "/api/v1/notifications/ws"
    with connect(url) as socket:
        socket.send(json.dumps({"type": "authenticate", "token": token}))
        assert json.loads(socket.recv(10))["type"] == "ready"
        body = {"recipient": user["id"], "text": "Hello."}
        assert client.post("/api/v1/notifications", json=body).status_code == 201
        assert json.loads(socket.recv(10))["notification"]["text"] == "Hello."
    server.wait_for_log("listener gone")
    with connect(url) as socket:
        socket.send("{")
        with pytest.raises(Exception, match="4401"):
            socket.recv(10)


def test_server_sent_events(client: httpx.Client) -> None:
    me = client.get("/api/v1/users/me").json()
    body = {"recipient": me["id"], "text": "one"}
    first = client.post("/api/v1/notifications", json=body).json()
    second = client.post("/api/v1/notifications", json={**body, "text": "two"}).json()
    headers = {"Last-Event-ID": first["id"]}
    with client.stream("GET", "/api/v1/notifications/stream", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines: list[str] = []
        for line in stream.iter_lines():
            lines.append(line)
            if line.startswith("id:"):
                break
    assert f"id: {second['id']}" in lines
    assert "event: message" in lines
    assert any('"text":"two"' in line for line in lines)


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "uvicorn", "--factory", "example_app.main:create_app", "--port", "PORT"),
        (
            "-m",
            "fastapi",
            "run",
            "--entrypoint",
            "example_app.main:create_app",
            "--host",
            "127.0.0.1",
            "--port",
            "PORT",
        ),
    ],
    ids=["uvicorn", "fastapi"],
)
def test_other_servers(tmp_path: Path, command: tuple[str, ...]) -> None:
    with running(tmp_path, *command) as server:
        assert httpx.get(f"{server.url}/api/v1/items").status_code == 401
    lines = [line for line in server.access_lines if "/api/v1/items" in line]
    assert len(lines) == 1, "the server's own access log would repeat it"
    assert LINE.fullmatch(lines[0])


def test_gunicorn_with_two_workers(tmp_path: Path) -> None:
    command = (
        "-m",
        "gunicorn",
        "--config",
        str(ROOT / "gunicorn.conf.py"),
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:PORT",
        "example_app.main:create_app()",
    )
    with running(tmp_path, *command) as server:
        headers = server.token()
        for _ in range(20):  # new connections, so that both workers get some
            created = httpx.post(f"{server.url}/api/v1/items", json=item_body(), headers=headers)
            assert created.status_code == 201
        listed = httpx.get(f"{server.url}/api/v1/items", headers=headers)
        assert listed.json()["total"] == 20
        assert server.log.count("application started") == 2
        assert server.log.count("administrator created") == 1
    assert len([line for line in server.access_lines if "POST /api/v1/items" in line]) == 20


def test_wrong_configuration_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("debug: perhaps\n")
    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "--factory", "example_app.main:create_app"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "EXAMPLE_APP_CONFIG": "bad.yaml", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("example_app: bad.yaml: ")
    assert len(ended.stderr.splitlines()) == 1
