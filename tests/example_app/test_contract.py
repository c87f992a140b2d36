"""The schema and the service agree: schemathesis with all its checks, and Spectral. Slow."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.example_app.accounts import ADMIN_PASSWORD
from tests.example_app.factories import item_body
from tests.example_app.process import Server, running

pytestmark = pytest.mark.slow

# A stream does not end by itself; test_process.py reads it. Logging out and changing the password
# would end the credentials of the run in its middle; the run without credentials calls both.
ENDLESS = ("stream_notifications",)
SELF_DESTRUCTIVE = ("rpc_close_session", "replace_own_password")
CONFIG = """\
seed = {seed}
headers = {headers}
[phases.stateful]
max-steps = 10
# Settings of single operations (below) do not reach this phase; the others send invalid data.
generation.mode = "positive"
[generation]
max-examples = {examples}
# No schema can say which bytes are a picture, a PDF or a text.
[[operations]]
include-operation-id = ["upload_file", "rpc_upload_file"]
# Multipart knows texts only: schemathesis sends null and 0 as the texts "null" and "0", and wants
# them refused.
generation.mode = "positive"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "413", "415", "507"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("server")
    with running(directory, files={"max_bytes": 1_000_000}) as started:
        headers = started.token()
        for _ in range(3):
            httpx.post(f"{started.url}/api/v1/items", json=item_body(), headers=headers)
        yield started
    assert "unhandled exception" not in started.log
    assert " 500 " not in "\n".join(started.access_lines)


def schemathesis(
    server: Server, directory: Path, headers: dict[str, str], excluded: tuple[str, ...]
) -> str:
    inline = ", ".join(f'"{name}" = "{value}"' for name, value in headers.items())
    text = CONFIG.format(seed=1, headers=f"{{ {inline} }}", examples=40)
    (directory / "schemathesis.toml").write_text(text)
    command = [sys.executable, "-m", "schemathesis.cli"]
    script = Path(sys.executable).with_name("schemathesis")
    if script.exists():
        command = [str(script)]
    ids = [part for name in excluded for part in ("--exclude-operation-id", name)]
    ran = subprocess.run(
        [*command, "run", f"{server.url}/openapi.json", "--checks", "all", *ids],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr
    return ran.stdout


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="needs the group `contract`")
def test_schemathesis_with_credentials(server: Server, tmp_path: Path) -> None:
    opened = httpx.post(
        f"{server.url}/api/rpc/session/login", auth=("admin", ADMIN_PASSWORD), json={}
    )
    headers = {**server.token(), "X-Auth-Token": opened.json()["token"]}
    print(schemathesis(server, tmp_path, headers, ENDLESS + SELF_DESTRUCTIVE))


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="needs the group `contract`")
def test_schemathesis_without_credentials(server: Server, tmp_path: Path) -> None:
    print(schemathesis(server, tmp_path, {}, ()))


@pytest.mark.skipif(shutil.which("npx") is None, reason="needs npm for Spectral")
def test_spectral(server: Server, tmp_path: Path) -> None:
    schema = httpx.get(f"{server.url}/openapi.json", timeout=30).json()
    (tmp_path / "openapi.json").write_text(json.dumps(schema))
    (tmp_path / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    ran = subprocess.run(
        [
            "npx",
            "--yes",
            "-p",
            "@stoplight/spectral-cli@6",
            "spectral",
            "lint",
            "--fail-severity=hint",
            "openapi.json",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if "npm error" in ran.stderr:
        pytest.skip(f"npm cannot install Spectral: {ran.stderr[-300:]}")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No results" in ran.stdout
