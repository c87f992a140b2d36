"""Notifications, and the messages of their WebSocket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from example_app.schemas.types import TEXT_PATTERN

Kind = Literal["welcome", "message", "alert"]


class NotificationCreate(BaseModel):
    """A notification that is to be sent to somebody."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "recipient": "3f0c2d36-3e4f-4c3a-9f0e-6f1f0a5c7b11",
                    "kind": "message",
                    "text": "Hello.",
                }
            ]
        },
    )

    recipient: UUID = Field(description="The user who gets it.")
    kind: Kind = Field(default="message", description="What kind of notification it is.")
    text: str = Field(min_length=1, max_length=500, pattern=TEXT_PATTERN, description="Its text.")


class NotificationResponse(BaseModel):
    """A notification."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Identifies the notification.")
    kind: Kind = Field(description="What kind of notification it is.")
    text: str = Field(description="Its text.")
    created_at: datetime = Field(description="When it was sent.")
    read_at: datetime | None = Field(default=None, description="When it was read, if it was.")


class Authenticate(BaseModel):
    """The first message of a client: who it is."""

    type: Literal["authenticate"] = Field(description="Kind of message.")
    token: str = Field(max_length=2000, description="An access token.")


class Ping(BaseModel):
    """Asks whether the other side is still there."""

    type: Literal["ping"] = Field(description="Kind of message.")


ClientMessage = Annotated[Authenticate | Ping, Field(discriminator="type")]
CLIENT_MESSAGE: Final[TypeAdapter[Authenticate | Ping]] = TypeAdapter(ClientMessage)
"""Parses any message of a client; a plain union has no `model_validate_json` of its own."""


class ServerMessage(BaseModel):
    """A message of the server."""

    type: Literal["ready", "pong", "error", "notification"] = Field(description="Kind of message.")
    detail: str | None = Field(default=None, description="What is wrong, for errors.")
    notification: NotificationResponse | None = Field(
        default=None, description="The notification, if it is one."
    )
