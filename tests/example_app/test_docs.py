"""The documentation's first session works as it stands, on a fresh checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.example_app.process import ROOT, Server

DOCUMENT = ROOT / "docs" / "example-app.md"


def session() -> str:
    [text] = re.findall(r"```bash\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(text)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_first_session(tmp_path: Path) -> None:
    server = Server(tmp_path)
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EXAMPLE_APP_SERVER__PORT": str(server.port),
        "URL": server.url,
    }
    with (tmp_path / "log.txt").open("wb") as log:
        server.process = subprocess.Popen(
            [sys.executable, "-m", "example_app"],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        server.wait_until_ready()
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", session()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        server.stop()
    assert ran.returncode == 0, ran.stderr
    assert '"title":"Hammer"' in ran.stdout
    assert '"total":1' in ran.stdout
    assert "hello{" in ran.stdout, "the part of the file, then the next answer"
    assert ran.stdout.endswith('{"done":true}')
    assert "INFO POST /api/v1/items 201 " in server.log
    assert str(tmp_path / "config.yaml") in server.log


@pytest.mark.parametrize(
    "path",
    # `var/` is where the running service keeps its files: a fresh checkout has none.
    sorted(set(re.findall(r"`([a-z_/]+\.py|[a-z]+/)`", DOCUMENT.read_text())) - {"var/"}),
)
def test_named_files_exist(path: str) -> None:
    assert (ROOT / "example_app" / path).exists() or (ROOT / path).exists()
