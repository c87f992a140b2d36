"""The innermost middleware: every error leaves the application in the one JSON shape.

Starlette runs the handler for `Exception` outside all user middleware. A 500 made there has no
request id, no CORS headers and no log line, so browsers cannot even read it. Here it has them all.
Starlette 1.x also answers bodies above `max_body_size` and unusable ranges in plain text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]
StatusHandler = Callable[[Request, int, dict[str, str]], Response]


class UnhandledErrorMiddleware:
    """Catches what no handler caught, and reshapes plain-text errors."""

    def __init__(
        self, app: ASGIApp, on_exception: ExceptionHandler, on_plain_error: StatusHandler
    ) -> None:
        """Wrap an application with the two functions that build the answers."""
        self.app = app
        self.on_exception = on_exception
        self.on_plain_error = on_plain_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        replaced = False

        async def send_in_shape(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start":
                started = True
                if message["status"] >= 400:
                    headers = Headers(raw=message["headers"])
                    replaced = headers.get("content-type", "").startswith("text/plain")
                if replaced:
                    request, kept = Request(scope, receive), kept_headers(headers)
                    response = self.on_plain_error(request, message["status"], kept)
                    await response(scope, receive, send)
            if not replaced:
                await send(message)

        try:
            await self.app(scope, receive, send_in_shape)
        except Exception as error:
            response = await self.on_exception(Request(scope, receive), error)
            if started:
                # Half a response is out. Raising makes the server close the connection, which is
                # the only way left to tell the client that the rest is missing.
                raise
            await response(scope, receive, send)


def kept_headers(headers: Headers) -> dict[str, str]:
    """Return the headers that outlive the replacement of a body: all that do not describe it."""
    return {
        name: value
        for name, value in headers.items()
        if name == "content-range" or not name.startswith("content-")
    }
