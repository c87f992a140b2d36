"""The request log: one line per request, also when it failed.

    INFO POST /api/rpc/items/list 200 03.98ms {"limit":100}

Headers are never logged. Bodies are: capped, as compact JSON, with secrets replaced.
"""

from __future__ import annotations

import logging
import re
import time
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from example_app.core.logging import ACCESS_LOGGER
from example_app.core.redaction import describe_body

PATH_CHARACTERS: Final = "/~:@!$&'()*+,;="
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/_.-]*")

logger = logging.getLogger(ACCESS_LOGGER)


class AccessLogMiddleware:
    """Logs method, path, status, duration and body; the level follows the status."""

    def __init__(self, app: ASGIApp, body_bytes: int) -> None:
        """Wrap an application; longer bodies than `body_bytes` are not logged."""
        self.app = app
        self.body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500  # what the server answers if the application never does
        size = 0
        written = False
        kept = bytearray()

        async def receive_and_keep() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                chunk = message.get("body", b"")
                size += len(chunk)
                kept.extend(chunk[: self.body_bytes - len(kept)])
            return message

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                write_line()  # now, so that the time does not include background tasks

        def write_line() -> None:
            nonlocal written
            if written:
                return
            written = True
            elapsed = (time.perf_counter() - started) * 1000
            path = scope["path"]
            if not PLAIN_PATH.fullmatch(path):
                path = quote(path, safe=PATH_CHARACTERS)
            line = f"{scope['method']} {path} {status} {elapsed:05.2f}ms"
            if size:
                content_type = Headers(scope=scope).get("content-type", "")
                line += f" {describe_body(bytes(kept), size, content_type)}"
            logger.log(level_of(status), line)

        try:
            await self.app(scope, receive_and_keep, send_and_note)
        finally:
            write_line()  # for requests that ended without a complete response


def level_of(status: int) -> int:
    """Return the level at which a status is logged."""
    if status < 400:
        return logging.INFO
    return logging.WARNING if status < 500 else logging.ERROR
