"""Headers that make browsers careful."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final[dict[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
    "Cache-Control": "no-store",
}
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


class SecurityHeadersMiddleware:
    """Adds the headers to every response, also to errors and to CORS preflights."""

    def __init__(self, app: ASGIApp, debug: bool) -> None:
        """Wrap an application; debug mode serves a documentation page, which needs scripts."""
        self.app = app
        headers = dict(HEADERS)
        if not debug:
            headers["Content-Security-Policy"] = API_POLICY
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        # Encoded once; `MutableHeaders` would search the list again for each of them.
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                missing = [header for header in self.headers if header[0] not in present]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self.app(scope, receive, send_with_headers)
