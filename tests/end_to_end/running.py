"""Runs the `far` command and flake8 as users do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

BAD = "from fastapi import FastAPI\n\napp = FastAPI()\n"
GOOD = (
    "from fastapi import FastAPI\n\n\ndef create_app() -> FastAPI:\n"
    '    return FastAPI(title="Shop", version="1", description="Sells")\n'
)
REPORTED = "app.py:3:7: FAR101 App `app` is built at import; build it in a factory such as"
#: A package whose module can only be understood together with its neighbour.
NEIGHBOURS = {
    "pkg/__init__.py": "",
    "pkg/our_fastapi.py": "from fastapi import FastAPI as Web\n",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process did."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


#: The `run_far` fixture.
Far = Callable[..., Ran]


def run(
    *command: str,
    cwd: Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> Ran:
    """Run a command to its end, for `timeout` seconds at most."""
    process = subprocess.run(
        command,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=timeout,
        check=False,
    )
    out, err = process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace")
    return Ran(process.returncode, out, err)


def script(name: str) -> str:
    """An installed command; unlike `python -m`, it does not import from the current directory."""
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert path, f"{name} is not installed beside this Python"
    return path


def far(*arguments: str, cwd: Path, stdin: bytes = b"", **env: str) -> Ran:
    """Run `far` in a process of its own."""
    return run(script("far"), *arguments, cwd=cwd, stdin=stdin, env=env)


def flake8(*arguments: str, cwd: Path, stdin: bytes = b"") -> Ran:
    """Run flake8 in a process of its own."""
    return run(script("flake8"), *arguments, cwd=cwd, stdin=stdin)


def findings(text: str) -> list[str]:
    """The lines with our codes, with paths as they are without a leading `./`."""
    lines = (line.removeprefix("./") for line in text.splitlines())
    return sorted(line for line in lines if re.match(r".+?:\d+:\d+: FAR\d{3} ", line))


def project(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder
