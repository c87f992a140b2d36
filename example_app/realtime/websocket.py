"""Serving one authenticated WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from fastapi import WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketState

from example_app.core.logging import get_logger
from example_app.core.permissions import Actor
from example_app.realtime.manager import ConnectionManager, Subscription
from example_app.schemas.notifications import CLIENT_MESSAGE, ServerMessage

TRY_AGAIN_LATER: Final = 1013
CLOSE_SECONDS: Final = 1.0

logger = get_logger(__name__)


async def serve_socket(websocket: WebSocket, actor: Actor, manager: ConnectionManager) -> None:
    """Send notifications and answer messages until the client leaves or proves too slow."""
    with manager.subscribe(actor.id, "websocket") as subscription:
        await websocket.send_text(ServerMessage(type="ready").model_dump_json())
        tasks = {
            asyncio.create_task(_answer(websocket), name="answer"),
            asyncio.create_task(_forward(websocket, subscription), name="forward"),
            asyncio.create_task(subscription.overflowed.wait(), name="overflow"),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            # Waited for so that none outlives the socket. Not `gather`: when the server cancels
            # this too, that would raise the tasks' cancellation instead of the server's own.
            await asyncio.wait(tasks)
            for task in tasks:
                note_failure(task)
    if subscription.overflowed.is_set() and websocket.client_state is WebSocketState.CONNECTED:
        logger.warning("listener too slow", user_id=str(actor.id))
        # A client that reads nothing does not read this either: do not wait for it for long.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await websocket.close(TRY_AGAIN_LATER, "too slow")


def note_failure(task: asyncio.Task[Any]) -> None:
    """Log why a task ended, unless it was cancelled; mostly it wrote to a socket just closed."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.info("socket failed", task=task.get_name(), error=type(error).__name__)


async def _answer(websocket: WebSocket) -> None:
    """Answer each message; `iter_text` ends when the client disconnects."""
    async for text in websocket.iter_text():
        await websocket.send_text(reply_to(text).model_dump_json(exclude_none=True))


async def _forward(websocket: WebSocket, subscription: Subscription) -> None:
    """Pass on notifications as they come."""
    while True:
        notification = await subscription.queue.get()
        message = ServerMessage(type="notification", notification=notification)
        await websocket.send_text(message.model_dump_json(exclude_none=True))


def reply_to(text: str) -> ServerMessage:
    """Return the answer to one message; what cannot be understood gets an error, not silence."""
    try:
        message = CLIENT_MESSAGE.validate_json(text)
    except ValidationError:
        return ServerMessage(type="error", detail="The message is not understood.")
    if message.type == "ping":
        return ServerMessage(type="pong")
    return ServerMessage(type="error", detail="This connection is authenticated already.")
