"""Bounded load on two workers over loopback: no error, flat memory. Slow; needs wrk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.middleware_stack import measure_served
from tests.example_app.factories import item_body
from tests.example_app.process import ROOT, Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
]

SECONDS = 6
PAGE_KIB = 4
LIST_ITEMS = """\
wrk.method = "POST"
wrk.body = '{"limit": 5}'
wrk.headers["Content-Type"] = "application/json"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.configure()
    binding = f"127.0.0.1:{server.port}"
    config = str(ROOT / "gunicorn.conf.py")
    application = "example_app.main:create_app()"
    server.start("-m", "gunicorn", "-c", config, "-b", binding, "-w", "2", application)
    try:
        with httpx.Client(base_url=server.url, headers=server.token(), timeout=30) as client:
            for _ in range(20):
                assert client.post("/api/v1/items", json=item_body()).status_code == 201
        yield server
    finally:
        server.stop()
    assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def session(server: Server) -> dict[str, str]:
    credentials = ("admin", "administrator-1")
    answer = httpx.post(f"{server.url}/api/rpc/session/login", auth=credentials, json={})
    return {"X-Auth-Token": answer.json()["token"]}


def resident_kib(server: Server) -> int:
    """The memory of the two workers."""
    assert server.process is not None
    master = server.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    assert len(children) == 2
    return (
        sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in children) * PAGE_KIB
    )


def put_load(url: str, headers: dict[str, str], *options: str) -> int:
    """Let wrk ask for some seconds; every answer must be a success. Returns how many came."""
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", *given, *options, url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told, told
    assert "Socket errors" not in told, told
    count = re.search(r"(\d+) requests in", told)
    assert count is not None, told
    return int(count[1])


def test_reading_through_both_surfaces(
    server: Server, session: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "list.lua"
    script.write_text(LIST_ITEMS)
    bearer = server.token()

    def one_round() -> int:
        return (
            put_load(f"{server.url}/health/live", {})
            + put_load(f"{server.url}/api/v1/items?limit=5", bearer)
            + put_load(f"{server.url}/api/rpc/items/list", session, "-s", str(script))
        )

    one_round()  # caches fill up
    before = resident_kib(server)
    answered = one_round() + one_round()
    grown = resident_kib(server) - before
    assert answered > 500
    assert grown < before * 0.05, f"{grown} KiB more after {answered} requests"


def test_middleware_costs_little() -> None:
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("the machine is too busy to compare CPU times")
    runs = [measure_served() for _ in range(3)]
    assert all(times["pure ASGI"] < 0.5 * times["BaseHTTPMiddleware"] for times in runs), runs
    # What else the machine does makes single runs differ by a fifth.
    assert min(times["pure ASGI"] / times["bare"] for times in runs) <= 1.5, runs
