"""The service on PostgreSQL, whose server the tests start themselves (never one that runs)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import Connection

from example_app.config import DatabaseSettings
from example_app.db.engine import build_engine
from example_app.db.migrate import alembic_config, migrate
from tests.example_app.factories import item_body, user_body
from tests.example_app.process import Server, free_port, running


def binaries() -> Path | None:
    """Find the newest server; Debian does not put it on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


BINARIES = binaries()
pytestmark = pytest.mark.skipif(BINARIES is None, reason="PostgreSQL's initdb is not installed")


class Postgres:
    """A server on loopback, with a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.prefix: list[str] = []
        if os.geteuid() == 0:
            # The server refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
            self.prefix = ["setpriv", *ids, "--clear-groups"]

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://tester@127.0.0.1:{self.port}/postgres"

    def command(self, name: str, *arguments: str) -> list[str]:
        assert BINARIES is not None
        return [*self.prefix, str(BINARIES / name), *arguments]

    def create(self) -> None:
        options = ["--auth=trust", "--username=tester", "--encoding=UTF8", "--no-sync"]
        command = self.command("initdb", "-D", str(self.directory), *options)
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.directory), "-F"]
        command = self.command("postgres", "-D", str(self.directory), *options)
        log = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        ready = self.command("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1")
        for _ in range(100):
            if subprocess.run(ready, capture_output=True, check=False, cwd="/").returncode == 0:
                return
            Server.process_pause()
        raise AssertionError("PostgreSQL does not start")

    def stop(self) -> None:
        assert self.process is not None
        command = self.command("pg_ctl", "-D", str(self.directory), "-m", "immediate", "stop")
        subprocess.run(command, capture_output=True, check=False, cwd="/")
        self.process.wait(20)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    # Not pytest's own directory: it is closed to other users, such as the server's.
    with TemporaryDirectory(prefix="example-app-pg-") as name:
        server = Postgres(Path(name))
        server.create()
        server.start()
        yield server
        server.stop()


def test_everything_on_postgres(postgres: Postgres, tmp_path: Path) -> None:
    with (
        running(tmp_path, database={"url": postgres.url}) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        client.headers.update(server.token())
        body = user_body()
        user = client.post("/api/v1/auth/register", json=body)
        assert user.status_code == 201
        assert client.post("/api/v1/auth/register", json=body).status_code == 409
        assert client.post("/api/v1/items", json=item_body(title="50% off")).status_code == 201
        found = client.get("/api/v1/items", params={"text": "50%"})
        assert found.json()["total"] == 1
        item_id = found.json()["items"][0]["id"]
        changed = client.patch(f"/api/v1/items/{item_id}", json={"title": "grün"})
        assert changed.json()["title"] == "grün"
        assert changed.json()["created_at"].endswith("Z")
        file = client.post("/api/v1/files", files={"file": ("a.txt", b"abc")})
        assert client.get(f"/api/v1/files/{file.json()['id']}/content").content == b"abc"
        wrong = client.post("/api/v1/auth/token", data={"username": "a\x00b", "password": "x"})
        assert wrong.status_code == 401
        form = {"username": "admin", "password": "administrator-1"}
        pair = client.post("/api/v1/auth/token", data=form).json()
        token = {"refresh_token": pair["refresh_token"]}
        answers = [client.post("/api/v1/auth/refresh", json=token) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 401]
        opened = client.post("/api/rpc/session/login", auth=("admin", form["password"]), json={})
        session = {"X-Auth-Token": opened.json()["token"]}
        assert client.post("/api/rpc/items/list", json={}, headers=session).json()["total"] == 1
        first = client.post(
            "/api/v1/notifications", json={"recipient": user.json()["id"], "text": "x"}
        )
        assert first.status_code == 201
        assert client.delete(f"/api/v1/users/{user.json()['id']}").status_code == 204

        postgres.stop()
        down = client.get("/api/v1/items")
        assert (down.status_code, down.json()["code"]) == (503, "unavailable")
        assert int(down.headers["retry-after"]) > 0
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
        server.wait_for_log('"event": "database unavailable"')
        postgres.start()
        assert client.get("/health/ready").status_code == 200
        assert client.get(f"/api/v1/items/{item_id}").json()["title"] == "grün"
    assert "unhandled exception" not in server.log


def test_database_down_at_start(tmp_path: Path) -> None:
    server = Server(tmp_path)
    url = f"postgresql+asyncpg://tester:hunter2@127.0.0.1:{free_port()}/postgres"
    server.configure(database={"url": url})
    server.start(wait=False)
    assert server.process is not None
    assert server.process.wait(60) == 3
    server.wait_for_log("database cannot be used")
    assert "Application startup failed" in server.log
    assert "hunter2" not in server.log


@pytest.mark.anyio
async def test_migrations_on_postgres(postgres: Postgres) -> None:
    engine = build_engine(DatabaseSettings(url=SecretStr(postgres.url)))
    await migrate(engine)

    def down_up_check(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        command.upgrade(config, "head")
        command.check(config)

    async with engine.begin() as connection:
        await connection.run_sync(down_up_check)
    await engine.dispose()
