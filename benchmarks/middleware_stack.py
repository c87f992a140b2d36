"""What the reference service's middleware costs, as ratios of CPU time in one run.

    python -m benchmarks.middleware_stack [requests]     called in this process, without a server
    python -m benchmarks.middleware_stack --served       served by uvicorn, asked by wrk

Three stacks answer the same small requests: none, the service's four pure ASGI classes (and CORS),
and the same four jobs written with `BaseHTTPMiddleware`. Rounds alternate, so that a busy machine
slows all three; the median round counts. Lines are logged to a null device. A served request is
what users pay for: reading and writing HTTP is part of it, for the bare app too.
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.types import ASGIApp, Message, Scope

from example_app.api.errors import handle_unexpected, plain_error
from example_app.core.logging import ACCESS_LOGGER, configure_logging, get_logger
from example_app.middleware.access_log import AccessLogMiddleware
from example_app.middleware.request_context import RequestContextMiddleware
from example_app.middleware.security_headers import HEADERS, SecurityHeadersMiddleware
from example_app.middleware.unhandled_errors import UnhandledErrorMiddleware
from example_app.schemas.items import ItemBase, ItemCreate

Next = Callable[[Request], Awaitable[Response]]
ROUNDS = 15
SERVED_ROUNDS = 5
WRK = ("wrk", "-t1", "-c8", "-d2s")
ORIGINS = ["https://app.example.com"]
REQUESTS = {
    "GET that does nothing": ("GET", "/ping", b""),
    "POST of a validated body": ("POST", "/items", b'{"title": "Hammer", "category": "tool"}'),
}


def bare() -> FastAPI:
    """Build an application with two routes and no middleware."""
    app = FastAPI()

    @app.get("/ping")
    async def ping() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/items")
    async def create_item(body: ItemCreate) -> ItemBase:
        return body

    return app


def pure_asgi() -> FastAPI:
    """Wrap it as `example_app.application` does."""
    app = bare()
    app.add_middleware(
        UnhandledErrorMiddleware, on_exception=handle_unexpected, on_plain_error=plain_error
    )
    app.add_middleware(CORSMiddleware, allow_origins=ORIGINS)
    app.add_middleware(SecurityHeadersMiddleware, debug=True)
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(AccessLogMiddleware, body_bytes=2048)
    return app


class CatchErrors(BaseHTTPMiddleware):
    """The same as UnhandledErrorMiddleware."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Answer what nobody caught."""
        try:
            return await call_next(request)
        except Exception as error:
            return await handle_unexpected(request, error)


class AddHeaders(BaseHTTPMiddleware):
    """The same as SecurityHeadersMiddleware."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Add the headers."""
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class AddContext(BaseHTTPMiddleware):
    """The same as RequestContextMiddleware."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Add an id and the time."""
        started = time.perf_counter()
        request.state.request_id = uuid4().hex
        response = await call_next(request)
        response.headers["X-Request-ID"] = request.state.request_id
        response.headers["Server-Timing"] = f"app;dur={time.perf_counter() - started:.2f}"
        return response


class LogRequests(BaseHTTPMiddleware):
    """The same as AccessLogMiddleware."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Write one line."""
        started = time.perf_counter()
        response = await call_next(request)
        elapsed = (time.perf_counter() - started) * 1000
        line = f"{request.method} {request.url.path} {response.status_code} {elapsed:05.2f}ms"
        get_logger(ACCESS_LOGGER).info(line)
        return response


def base_http() -> FastAPI:
    """Wrap it in the same jobs, written with `BaseHTTPMiddleware`."""
    app = bare()
    app.add_middleware(CatchErrors)
    app.add_middleware(CORSMiddleware, allow_origins=ORIGINS)
    app.add_middleware(AddHeaders)
    app.add_middleware(AddContext)
    app.add_middleware(LogRequests)
    return app


STACKS: dict[str, Callable[[], FastAPI]] = {
    "bare": bare,
    "pure ASGI": pure_asgi,
    "BaseHTTPMiddleware": base_http,
}


async def request(app: ASGIApp, method: str, path: str, body: bytes) -> None:
    """Send one request and read the whole answer."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"test"),
            (b"accept", b"*/*"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Message) -> None:
        return None

    await app(scope, receive, send)


async def cpu_seconds(app: ASGIApp, requests: int, kind: str) -> float:
    """Return the CPU time of a number of requests."""
    started = time.process_time()
    for _ in range(requests):
        await request(app, *REQUESTS[kind])
    return time.process_time() - started


async def measure(requests: int, kind: str) -> dict[str, float]:
    """Return the median CPU time per request of each stack, in microseconds."""
    configure_logging("WARNING", "json", stream=io.StringIO())
    stacks = {name: build() for name, build in STACKS.items()}
    times: dict[str, list[float]] = {name: [] for name in stacks}
    for app in stacks.values():
        await cpu_seconds(app, 50, kind)
    for _ in range(ROUNDS):
        for name, app in stacks.items():
            times[name].append(await cpu_seconds(app, requests, kind) / requests * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def serve(name: str, port: int) -> None:
    """Serve one of the stacks until the process is ended."""
    with Path(os.devnull).open("w") as nowhere:
        configure_logging("WARNING", "json", stream=nowhere)
        uvicorn.run(STACKS[name](), port=port, log_config=None, access_log=False)


def start(name: str) -> tuple[BaseProcess, int]:
    """Start the server of a stack; return its process and port once it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(name, port))
    server.start()
    while server.is_alive():
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    return server, port


def cpu_of(process: BaseProcess) -> float:
    """Return the CPU seconds that a process has used (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_served() -> dict[str, float]:
    """Return the smallest CPU time per served request of each stack, in microseconds.

    What else the machine does can only add to it.
    """
    if shutil.which(WRK[0]) is None:
        sys.exit("wrk is not installed")
    servers = {name: start(name) for name in STACKS}
    times: dict[str, list[float]] = {name: [] for name in STACKS}
    try:
        for _ in range(SERVED_ROUNDS + 1):
            for name, (server, port) in servers.items():
                before = cpu_of(server)
                command = [*WRK, f"http://127.0.0.1:{port}/ping"]
                told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                found = re.search(r"(\d+) requests in", told)
                assert found is not None, told
                times[name].append((cpu_of(server) - before) / int(found[1]) * 1e6)
    finally:
        for server, _ in servers.values():
            server.terminate()
    return {name: min(values[1:]) for name, values in times.items()}


def report(kind: str, found: dict[str, float]) -> None:
    """Print the times and their ratios."""
    print(kind)
    for name, microseconds in found.items():
        ratio = microseconds / found["bare"]
        print(f"  {name:20} {microseconds:8.1f} µs  {ratio:5.2f} x bare")


def main() -> None:
    """Print a table for each kind of request."""
    if sys.argv[1:] == ["--served"]:
        report("GET that does nothing, served", measure_served())
        return
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for kind in REQUESTS:
        report(kind, asyncio.run(measure(requests, kind)))


if __name__ == "__main__":
    main()
