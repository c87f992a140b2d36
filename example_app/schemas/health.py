"""Answers of the health checks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class HealthResponse(BaseModel):
    """The service is well; if it is not, the answer is an error."""

    status: Literal["ok"] = Field(description="Always `ok`.")
    version: str = Field(description="Version of the service.")
    checked_at: datetime = Field(description="When the check was made.")
