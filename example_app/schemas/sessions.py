"""Log-in sessions of the RPC surface."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from example_app.schemas.types import Flag, Line


class SessionOpenRequest(BaseModel):
    """Opens a session; name and password come by HTTP Basic."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"label": "laptop"}]})

    label: Line = Field(default="session", max_length=50, description="Tells sessions apart.")


class SessionOpenResponse(BaseModel):
    """A new session."""

    token: str = Field(description="Sent as `X-Auth-Token`; it is shown only here.")
    expires_at: datetime = Field(description="When the session ends.")


class SessionCloseRequest(BaseModel):
    """Closes sessions."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"everywhere": False}]}
    )

    everywhere: Flag = Field(default=False, description="Close all sessions of the user.")


class SessionUserRequest(BaseModel):
    """Asks who the session belongs to; it needs no fields."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class DoneResponse(BaseModel):
    """It is done, and there is nothing else to say."""

    done: bool = Field(default=True, description="Always true.")
