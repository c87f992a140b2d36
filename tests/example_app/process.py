"""Starting the service as a real process on a free port."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.example_app.accounts import ADMIN_PASSWORD

ROOT = Path(__file__).parents[2]
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Poll until a condition holds."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        pause.wait(0.05)


@dataclass
class Server:
    """A running process of the service, in a directory of its own."""

    directory: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.directory / "log.txt").read_text(encoding="utf-8", errors="replace")

    @property
    def access_lines(self) -> list[str]:
        return re.findall(r"^(?:INFO|WARN|ERROR) .*$", self.log, re.MULTILINE)

    def configure(self, **sections: Any) -> Path:
        """Write a configuration file; keyword arguments replace keys of the sections."""
        settings: dict[str, Any] = {
            "debug": True,
            "server": {"port": self.port, "graceful_timeout": 1},
            "auth": {
                "jwt_secret": "a secret that only the tests know, and that is long enough",
                "admin_password": ADMIN_PASSWORD,
                "password_memory_kib": 32,
            },
            "limits": {"login": "100000/minute", "registration": "100000/minute"},
        }
        for name, value in sections.items():
            known = settings.get(name)
            merge = isinstance(known, dict) and isinstance(value, dict)
            settings[name] = {**known, **value} if merge else value  # type: ignore[dict-item]
        path = self.directory / "given.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path

    def start(self, *command: str, file_bytes: int | None = None, wait: bool = True) -> None:
        """Run a command of this Python's environment, with the configuration."""
        environment = {
            **os.environ,
            "EXAMPLE_APP_CONFIG": str(self.directory / "given.yaml"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("COVERAGE_PROCESS_START", None)
        arguments = command or ("-m", "example_app")

        with (self.directory / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.directory,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if file_bytes is not None:
            limits = (file_bytes, file_bytes)
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, limits)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Poll the health check until it answers."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(base_url=self.url, timeout=2) as client:
            while time.monotonic() < deadline:
                assert self.process.poll() is None, self.log
                try:
                    if client.get("/health/ready").status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                self.process_pause()
        raise AssertionError(f"not ready: {self.log}")

    @staticmethod
    def process_pause() -> None:
        threading.Event().wait(0.1)

    def wait_for_log(self, text: str, seconds: float = 10) -> str:
        """Wait until a line contains a text, and return the line."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.log.splitlines():
                if text in line:
                    return line
            self.process_pause()
        raise AssertionError(f"{text!r} is not in {self.log}")

    def kill(self) -> None:
        """End the process as `kill -9` does: it cannot clean up."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask the process to end, and return its status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode

    def token(self, username: str = "admin", password: str = ADMIN_PASSWORD) -> dict[str, str]:
        """Log in; return the header of the REST surface."""
        form = {"username": username, "password": password}
        answer = httpx.post(f"{self.url}/api/v1/auth/token", data=form, timeout=30)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@contextmanager
def running(directory: Path, *command: str, **sections: Any) -> Iterator[Server]:
    """A server with this configuration, stopped at the end."""
    server = Server(directory)
    server.configure(**sections)
    arguments = [argument.replace("PORT", str(server.port)) for argument in command]
    server.start(*arguments)
    try:
        yield server
    finally:
        server.stop()
