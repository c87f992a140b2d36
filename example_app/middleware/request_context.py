"""Outer part of the request context: an id for every request, and how long it took."""

from __future__ import annotations

import os
import re
import time
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID_HEADER: Final = "X-Request-ID"
RAW_HEADER: Final = REQUEST_ID_HEADER.lower().encode()
ACCEPTABLE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestContextMiddleware:
    """Gives each request an id: the client's when it is harmless, else a new one.

    The id is in `request.state.request_id`, in every log line, and in the response.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an ASGI application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        request_id = self.request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()

        async def send_with_context(message: Message) -> None:
            if message["type"] == "http.response.start":
                elapsed = (time.perf_counter() - started) * 1000
                message["headers"] = [
                    *message["headers"],
                    (RAW_HEADER, request_id.encode()),
                    (b"server-timing", b"app;dur=%.2f" % elapsed),
                ]
            await send(message)

        # Servers run each request in a context of its own, so nothing has to be reset.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        await self.app(scope, receive, send_with_context)

    @staticmethod
    def request_id(scope: Scope) -> str:
        """Return the id that the client sent, if it is harmless, else a new one."""
        for name, value in scope["headers"]:
            if name == RAW_HEADER and ACCEPTABLE_ID.fullmatch(value):
                return str(value, "ascii")
        return os.urandom(16).hex()
