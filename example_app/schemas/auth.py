"""Requests for tokens, and tokens."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class TokenForm(BaseModel):
    """The form of OAuth2's password grant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"grant_type": "password", "username": "ada", "password": "correct horse battery"}
            ]
        }
    )

    grant_type: Literal["password"] = Field(default="password", description="Kind of grant.")
    username: str = Field(min_length=1, max_length=254, description="Name to log in with.")
    password: SecretStr = Field(min_length=1, max_length=128, description="The password.")
    scope: str = Field(
        default="", max_length=500, description="Wanted scopes, separated by spaces; none: all."
    )


class RefreshRequest(BaseModel):
    """A refresh token that is to be exchanged or revoked."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"refresh_token": "eyJhbGciOi…"}]}
    )

    refresh_token: str = Field(max_length=2000, description="The newest token of its family.")


class TokenResponse(BaseModel):
    """A pair of tokens."""

    access_token: str = Field(description="Sent as `Authorization: Bearer …`.")
    refresh_token: str = Field(description="Exchanged once for the next pair.")
    token_type: Literal["bearer"] = Field(default="bearer", description="Always `bearer`.")
    expires_in: int = Field(ge=1, description="Seconds until the access token ends.")
    scope: str = Field(description="What the access token may be used for.")
