"""The request log: its format, and what must not be in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from example_app.core.logging import ACCESS_LOGGER, AccessFormatter
from example_app.core.redaction import describe_body
from example_app.middleware.access_log import AccessLogMiddleware, level_of

pytestmark = pytest.mark.anyio

LINE = re.compile(
    r"(?P<level>INFO|WARN|ERROR) (?P<method>[A-Z]+) (?P<path>/\S*) (?P<status>\d{3}) "
    r"(?P<ms>\d{2,}\.\d{2})ms(?: (?P<body>.+))?"
)
Lines = Callable[..., Awaitable[list[str]]]


@pytest.fixture
def log_of(caplog: pytest.LogCaptureFixture) -> Lines:
    """Send one request to an echo that answers with a status; return the lines."""
    formatter = AccessFormatter()
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(formatter.format(record))

    async def run(
        status: int | None, method: str = "POST", path: str = "/x", **request: object
    ) -> list[str]:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            more = True
            while more:
                message: Message = await receive()
                more = message.get("more_body", False)
            if status is None:
                raise RuntimeError("boom")
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        app = AccessLogMiddleware(answer, body_bytes=200)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        handler = Collect()
        logger = logging.getLogger(ACCESS_LOGGER)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        lines.clear()
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.request("POST", path, **request)  # type: ignore[arg-type]
        logger.removeHandler(handler)
        return list(lines)

    return run


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "INFO"), (399, "INFO"), (400, "WARN"), (499, "WARN"), (500, "ERROR"), (None, "ERROR")],
)
async def test_level_follows_status(log_of: Lines, status: int | None, level: str) -> None:
    [line] = await log_of(status, path="/a/b?query=secret")
    match = LINE.fullmatch(line)
    assert match is not None, line
    assert match["level"] == level
    assert (match["method"], match["path"]) == ("POST", "/a/b")
    assert match["status"] == str(status or 500)
    assert match["body"] is None


async def test_body_is_compact_json(log_of: Lines) -> None:
    body = {"cursor": "…", "groupBy": "day", "limit": 100}
    [line] = await log_of(200, json=body)
    assert line.endswith('ms {"cursor":"…","groupBy":"day","limit":100}')


async def test_secrets_are_replaced(log_of: Lines) -> None:
    body = {
        "username": "ada",
        "password": "hunter2",
        "nested": [{"refresh_token": "hunter2", "apiKey": "hunter2", "n": 1}],
    }
    [line] = await log_of(200, json=body, headers={"Authorization": "Bearer hunter2"})
    assert "hunter2" not in line
    assert '"username":"ada"' in line
    assert line.count("***") == 3
    [line] = await log_of(200, data={"username": "ada", "password": "hunter2"})
    assert line.endswith('{"username":"ada","password":"***"}')


async def test_long_bodies_are_only_described(log_of: Lines) -> None:
    [line] = await log_of(200, json={"password": "hunter2", "text": "a" * 300})
    assert "hunter2" not in line
    assert json.loads(LINE.fullmatch(line)["body"]) == {  # type: ignore[index]
        "bytes": 332,
        "type": "application/json",
    }


async def test_lines_cannot_be_forged(log_of: Lines) -> None:
    [line] = await log_of(200, path="/a%0AINFO%20GET%20/b%20200", json={"a": "\u2028\x85\x7f\n"})
    assert len(line.splitlines()) == 1
    assert "/a%0AINFO%20GET" in line


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", '{"bytes":1,"invalid":true}'),
        (b"[" * 100_000, "application/json", '{"bytes":100000,"invalid":true}'),
        (b"\xff", "application/json; charset=utf-8", '{"bytes":1,"invalid":true}'),
        (b'"\\ud800"', "application/json", '"\\ud800"'),
        (b"[1, null]", "application/problem+json", "[1,null]"),
        (b"abc", "multipart/form-data; boundary=x", '{"bytes":3,"type":"multipart/form-data"}'),
        (b"a=1&a=2&token=x", "application/x-www-form-urlencoded", '{"a":"2","token":"***"}'),
    ],
    ids=repr,
)
def test_bodies(body: bytes, content_type: str, expected: str) -> None:
    assert describe_body(body, len(body), content_type) == expected


def test_levels() -> None:
    assert [level_of(code) for code in (204, 404, 503)] == [
        logging.INFO,
        logging.WARNING,
        logging.ERROR,
    ]
