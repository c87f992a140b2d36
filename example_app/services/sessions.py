"""Log-in sessions of the RPC surface."""

from __future__ import annotations

from datetime import timedelta

from example_app.core.exceptions import AuthenticationError
from example_app.core.permissions import Actor
from example_app.core.security import (
    hash_token,
    new_opaque_token,
    same_token,
)
from example_app.db.models import LoginSession
from example_app.db.models.base import utc_now
from example_app.db.repositories.sessions import SessionRepository
from example_app.db.repositories.users import UserRepository
from example_app.schemas.sessions import (
    SessionCloseRequest,
    SessionOpenRequest,
    SessionOpenResponse,
)
from example_app.services.auth import actor_of, require_active


class SessionService:
    """Opens, resolves and closes sessions."""

    def __init__(
        self,
        users: UserRepository,
        sessions: SessionRepository,
        lifetime: timedelta,
    ) -> None:
        """Work with the repositories of one transaction."""
        self._users = users
        self._sessions = sessions
        self._lifetime = lifetime

    async def open(self, actor: Actor, body: SessionOpenRequest) -> SessionOpenResponse:
        """Open a session for somebody who has just proved who they are."""
        token = new_opaque_token()
        session = await self._sessions.add(
            LoginSession(
                user_id=actor.id,
                label=body.label,
                token_hash=hash_token(token),
                expires_at=utc_now() + self._lifetime,
            )
        )
        return SessionOpenResponse(token=token, expires_at=session.expires_at)

    async def resolve(self, token: str) -> Actor:
        """Return whose session it is; an expired one is removed."""
        session = await self._find(token)
        if session.expires_at <= utc_now():
            await self._sessions.remove(session)
            # Committed here, because the error below rolls the request's transaction back.
            await self._sessions.session.commit()
            raise AuthenticationError("The session has expired.")
        return actor_of(require_active(await self._users.find(session.user_id)))

    async def close(self, actor: Actor, token: str | None, body: SessionCloseRequest) -> None:
        """End this session, or all sessions of the user."""
        if body.everywhere:
            await self._sessions.remove_of_user(actor.id)
        elif token is not None:
            await self._sessions.remove(await self._find(token))

    async def _find(self, token: str) -> LoginSession:
        token_hash = hash_token(token)
        session = await self._sessions.find_by_hash(token_hash)
        if session is None or not same_token(session.token_hash, token_hash):
            raise AuthenticationError("There is no such session.")
        return session
