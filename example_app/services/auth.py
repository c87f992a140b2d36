"""Logging in: JWT pairs for the REST surface, who the bearer of a token is."""

from __future__ import annotations

from uuid import UUID, uuid4

from example_app.core.exceptions import AuthenticationError
from example_app.core.logging import get_logger
from example_app.core.permissions import Actor, granted_scopes
from example_app.core.security import PasswordService, hash_token, same_token
from example_app.core.tokens import Claims, TokenCodec
from example_app.db.models import RefreshToken, User
from example_app.db.models.base import utc_now
from example_app.db.repositories.tokens import TokenRepository
from example_app.db.repositories.users import UserRepository
from example_app.schemas.auth import RefreshRequest, TokenForm, TokenResponse

logger = get_logger(__name__)


def require_active(user: User | None) -> User:
    """Return the user; nobody and inactive users are refused alike."""
    if user is None or not user.is_active:
        raise AuthenticationError("The user does not exist or is not active.")
    return user


def actor_of(user: User, scopes: frozenset[str] | None = None) -> Actor:
    """Return who a user is to the services: what the role may do, narrowed by a token."""
    return Actor(
        id=user.id,
        username=user.username,
        role=user.role,
        scopes=granted_scopes(user.role, scopes),
    )


async def check_password(
    users: UserRepository, passwords: PasswordService, username: str, password: str
) -> User:
    """Return the active user with these credentials.

    Unknown names cost as much time as wrong passwords, and all failures look alike.
    """
    # PostgreSQL refuses NUL in a text parameter, and no name contains it.
    user = None if "\x00" in username else await users.find_by_username(username)
    stored = user.password_hash if user else None
    if not await passwords.verify(password, stored) or user is None or not user.is_active:
        raise AuthenticationError("User name or password is wrong.")
    return user


class AuthService:
    """Issues, rotates and revokes tokens."""

    def __init__(
        self,
        users: UserRepository,
        tokens: TokenRepository,
        passwords: PasswordService,
        codec: TokenCodec,
    ) -> None:
        """Work with the repositories of one transaction."""
        self._users = users
        self._tokens = tokens
        self._passwords = passwords
        self._codec = codec

    async def log_in(self, form: TokenForm) -> TokenResponse:
        """Exchange name and password for the first pair of a family."""
        user = await check_password(
            self._users, self._passwords, form.username, form.password.get_secret_value()
        )
        wanted = frozenset(form.scope.split()) or None
        return await self._issue(user, uuid4(), wanted)

    async def identify(self, token: str) -> Actor:
        """Return whose access token it is; role and activity are those of this moment."""
        claims = self._codec.decode(token, "access")
        user = require_active(await self._users.find(claims.sub))
        return actor_of(user, claims.scopes)

    async def refresh(self, body: RefreshRequest) -> TokenResponse:
        """Exchange a refresh token for the next pair of its family.

        A token that comes a second time was stolen, from the client or from the thief: nobody can
        tell, so the whole family ends.
        """
        claims, row = await self._verify(body.refresh_token)
        if not await self._tokens.spend(row.id, utc_now()):
            await self._tokens.remove_family(row.family)
            # Committed here, because the error below rolls the request's transaction back.
            await self._tokens.session.commit()
            logger.warning("refresh token reused", user_id=str(row.user_id))
            raise AuthenticationError("The token is not valid.")
        user = require_active(await self._users.find(row.user_id))
        return await self._issue(user, row.family, claims.scopes)

    async def log_out(self, body: RefreshRequest) -> None:
        """End the family of a token."""
        _, row = await self._verify(body.refresh_token)
        await self._tokens.remove_family(row.family)

    async def _verify(self, token: str) -> tuple[Claims, RefreshToken]:
        claims = self._codec.decode(token, "refresh")
        token_hash = hash_token(token)
        row = await self._tokens.find_by_hash(token_hash)
        if row is None or not same_token(row.token_hash, token_hash):
            raise AuthenticationError("The token is not valid.")
        return claims, row

    async def _issue(
        self, user: User, family: UUID, wanted: frozenset[str] | None
    ) -> TokenResponse:
        scopes = granted_scopes(user.role, wanted)
        refresh_token = self._codec.refresh_token(user.id, family, scopes)
        await self._tokens.add(
            RefreshToken(
                user_id=user.id,
                family=family,
                token_hash=hash_token(refresh_token),
                expires_at=utc_now() + self._codec.refresh_lifetime,
            )
        )
        return TokenResponse(
            access_token=self._codec.access_token(user.id, scopes),
            refresh_token=refresh_token,
            expires_in=int(self._codec.access_lifetime.total_seconds()),
            scope=" ".join(sorted(scopes)),
        )
