"""Users, as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from example_app.core.permissions import Role
from example_app.schemas.types import Email, Flag, Line, Username


class UserBase(BaseModel):
    """Fields that creation and answers have in common."""

    username: Username = Field(description="Name to log in with.")
    email: Email = Field(description="Address, in lower case.")
    display_name: Line = Field(description="Name that others see.")

    @field_validator("display_name")
    @classmethod
    def single_spaces(cls, name: str) -> str:
        """Fold runs of spaces, so that two names never look alike by accident."""
        return " ".join(name.split())


class UserCreate(UserBase):
    """What a new user sends. Neither role nor id: those are not the client's to choose."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "username": "ada",
                    "email": "ada@example.com",
                    "display_name": "Ada Lovelace",
                    "password": "correct horse battery",
                }
            ]
        },
    )

    password: SecretStr = Field(min_length=12, max_length=128, description="At least 12 signs.")

    @model_validator(mode="after")
    def password_is_not_the_name(self) -> Self:
        """Refuse the first password that anybody would try."""
        if self.username in self.password.get_secret_value().lower():
            raise ValueError("the password must not contain the user name")
        return self


class UserUpdate(BaseModel):
    """What users may change of themselves. Absent and null fields stay as they are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"display_name": "Ada L."}]}
    )

    display_name: Line | None = Field(default=None, description="Name that others see.")
    email: Email | None = Field(default=None, description="Address, in lower case.")


class UserAdminUpdate(BaseModel):
    """What administrators may change of others. Absent and null fields stay as they are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"role": "reader", "is_active": True}]}
    )

    role: Role | None = Field(default=None, description="What the user may do.")
    is_active: Flag | None = Field(default=None, description="Whether the user may log in.")


class PasswordChange(BaseModel):
    """The old password as proof, and the new one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"current_password": "correct horse battery", "new_password": "staple of paper"}
            ]
        },
    )

    current_password: SecretStr = Field(max_length=128, description="The present password.")
    new_password: SecretStr = Field(min_length=12, max_length=128, description="The next one.")


class UserResponse(UserBase):
    """A user. The password's hash is not among the fields, so it cannot leak."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Identifies the user.")
    role: Role = Field(description="What the user may do.")
    is_active: bool = Field(description="Whether the user may log in.")
    created_at: datetime = Field(description="When the user registered.")
