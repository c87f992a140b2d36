"""Notifications: sent, listed, and live as server-sent events or by WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Header, Path, WebSocket, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from example_app.api.dependencies import (
    CurrentUser,
    NotificationServiceDep,
    NotificationStreamDep,
    PageQuery,
    ResourcesDep,
    SocketUser,
    require_permission,
)
from example_app.api.openapi import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from example_app.background.welcome import Announce
from example_app.realtime.websocket import serve_socket
from example_app.schemas.notifications import NotificationCreate, NotificationResponse
from example_app.schemas.pages import Page

router = APIRouter(
    prefix="/notifications", tags=["notifications"], responses={**UNAUTHORIZED, **FORBIDDEN}
)

NotificationId = Annotated[UUID, Path(description="The notification.")]
LastEventId = Annotated[
    UUID | None, Header(description="The last notification that the client has seen.")
]


@router.get(
    "",
    status_code=status.HTTP_200_OK,
    operation_id="list_notifications",
    dependencies=[Depends(require_permission("notifications:read"))],
)
async def list_notifications(
    params: PageQuery, user: CurrentUser, service: NotificationServiceDep
) -> Page[NotificationResponse]:
    """List the own notifications, newest first."""
    return await service.list_page(user, params)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="send_notification",
    responses=NOT_FOUND,
    dependencies=[Depends(require_permission("notifications:send"))],
)
async def send_notification(
    body: NotificationCreate,
    service: NotificationServiceDep,
    resources: ResourcesDep,
    background_tasks: BackgroundTasks,
) -> NotificationResponse:
    """Send a notification; whoever listens gets it once it is saved."""
    notification = await service.send(body)
    announce = Announce(resources.connections, body.recipient, notification)
    background_tasks.add_task(announce.run)
    return notification


@router.get(
    "/stream",
    status_code=status.HTTP_200_OK,
    operation_id="stream_notifications",
    response_class=EventSourceResponse,
    dependencies=[Depends(require_permission("notifications:read"))],
)
async def stream_notifications(
    user: CurrentUser, stream: NotificationStreamDep, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Stream notifications as they come; `Last-Event-ID` brings what was missed first."""
    async for notification in stream.follow(user, last_event_id):
        yield ServerSentEvent(data=notification, event=notification.kind, id=str(notification.id))


@router.patch(
    "/{notification_id}/read",
    status_code=status.HTTP_200_OK,
    operation_id="mark_notification_read",
    responses=NOT_FOUND,
    dependencies=[Depends(require_permission("notifications:read"))],
)
async def mark_notification_read(
    notification_id: NotificationId, user: CurrentUser, service: NotificationServiceDep
) -> NotificationResponse:
    """Note that a notification was read."""
    return await service.mark_read(user, notification_id)


@router.websocket("/ws")
async def follow_notifications(
    websocket: WebSocket, user: SocketUser, resources: ResourcesDep
) -> None:
    """Exchange messages until the client leaves; the first one must authenticate."""
    await serve_socket(websocket, user, resources.connections)
