"""The one shape of all errors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """What is wrong with one part of the request."""

    field: str = Field(description="Where it is, such as `body.title`.")
    message: str = Field(description="What is wrong with it.")
    type: str = Field(description="The kind of problem, for programs.")


class ErrorResponse(BaseModel):
    """An error. The request id finds the matching lines in the log."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "not_found",
                    "detail": "There is no such item.",
                    "request_id": "0e0c1a51b6b34a2fa8c1c0d4a5a7a0d4",
                    "path": "/api/v1/items/3f0c2d36-3e4f-4c3a-9f0e-6f1f0a5c7b11",
                    "errors": [],
                }
            ]
        }
    )

    code: str = Field(description="Identifies the kind of error, for programs.")
    detail: str = Field(description="Says what happened, for people.")
    request_id: str = Field(description="The id of the request.")
    path: str = Field(description="The path of the request, without its query.")
    errors: list[FieldProblem] = Field(description="Problems field by field; mostly empty.")
