"""JSON web tokens: short access tokens, and refresh tokens that belong to a family.

HS256 suffices because one service both signs and verifies. As soon as another service verifies
the tokens, use a key pair (EdDSA), so that it cannot sign them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid4

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from example_app.core.exceptions import AuthenticationError

ALGORITHM: Final = "HS256"
TokenType = Literal["access", "refresh"]


class Claims(BaseModel):
    """The claims of a token that was verified."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    sub: UUID = Field(description="The user.")
    type: TokenType = Field(description="What the token may be used for.")
    jti: UUID = Field(description="Identifies the token.")
    exp: datetime = Field(description="When the token ends.")
    family: UUID | None = Field(default=None, description="Family of a refresh token.")
    scope: str = Field(default="", description="Scopes of an access token, separated by spaces.")

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes as a set."""
        return frozenset(self.scope.split())


@dataclass(frozen=True)
class TokenCodec:
    """Makes and verifies tokens."""

    secret: str
    issuer: str
    audience: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta

    def access_token(self, user_id: UUID, scopes: frozenset[str]) -> str:
        """Return an access token for a user."""
        scope = " ".join(sorted(scopes))
        return self._encode(user_id, "access", self.access_lifetime, scope=scope)

    def refresh_token(self, user_id: UUID, family: UUID, scopes: frozenset[str]) -> str:
        """Return a refresh token that belongs to a family."""
        scope = " ".join(sorted(scopes))
        return self._encode(
            user_id, "refresh", self.refresh_lifetime, scope=scope, family=str(family)
        )

    def decode(self, token: str, expected: TokenType) -> Claims:
        """Verify a token and return its claims, or raise `AuthenticationError`.

        The client never learns which check failed.
        """
        try:
            payload = jwt.decode(
                token,
                self.secret,
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience,
                options={"require": ["sub", "exp", "iat", "jti", "iss", "aud"]},
            )
            claims = Claims.model_validate(payload)
        except (jwt.InvalidTokenError, ValidationError) as error:
            raise AuthenticationError("The token is not valid.") from error
        if claims.type != expected:
            raise AuthenticationError("The token is not valid.")
        return claims

    def _encode(self, user_id: UUID, kind: TokenType, lifetime: timedelta, **extra: str) -> str:
        now = datetime.now(UTC)
        payload = {
            "sub": str(user_id),  # RFC 7519 wants a string, and PyJWT refuses anything else
            "type": kind,
            "jti": str(uuid4()),
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "exp": now + lifetime,
            **extra,
        }
        return jwt.encode(payload, self.secret, algorithm=ALGORITHM)
