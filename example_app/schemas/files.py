"""Files, as clients see them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from example_app.schemas.pages import PageRequest


class StoredFileResponse(BaseModel):
    """What is known of a file."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Identifies the file.")
    owner_id: UUID = Field(description="Whose it is.")
    name: str = Field(description="The name it was uploaded under, made harmless.")
    media_type: str = Field(description="What its content was found to be.")
    size: int = Field(ge=1, description="Number of bytes.")
    created_at: datetime = Field(description="When it was uploaded.")


class FileListRequest(PageRequest):
    """Which files are wanted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"limit": 10}]})


class FileReference(BaseModel):
    """Names one file."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"file_id": "3f0c2d36-3e4f-4c3a-9f0e-6f1f0a5c7b11"}]},
    )

    file_id: UUID = Field(description="Identifies the file.")
