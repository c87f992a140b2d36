"""Finding out who is asking: by token, by session, or by the first message of a WebSocket.

Plain functions; the dependencies that call them are in `example_app.api.dependencies`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from fastapi import WebSocket, WebSocketException
from fastapi.security import HTTPBasicCredentials
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from example_app.core.exceptions import AuthenticationError
from example_app.core.permissions import Actor
from example_app.db.repositories.sessions import SessionRepository
from example_app.db.repositories.tokens import TokenRepository
from example_app.db.repositories.users import UserRepository
from example_app.resources import Resources
from example_app.schemas.notifications import CLIENT_MESSAGE, Authenticate
from example_app.services.auth import AuthService, actor_of, check_password, require_active
from example_app.services.sessions import SessionService

UNAUTHENTICATED: Final = 4401


def build_auth_service(resources: Resources, session: AsyncSession) -> AuthService:
    """Return the service for tokens, within a transaction."""
    users, tokens = UserRepository(session), TokenRepository(session)
    return AuthService(users, tokens, resources.passwords, resources.codec)


def build_session_service(resources: Resources, session: AsyncSession) -> SessionService:
    """Return the service for sessions, within a transaction."""
    users, sessions = UserRepository(session), SessionRepository(session)
    lifetime = timedelta(minutes=resources.settings.auth.session_minutes)
    return SessionService(users, sessions, lifetime)


async def stand_in(resources: Resources, session: AsyncSession, challenge: str) -> Actor:
    """Return who everybody is while debug mode has authentication switched off."""
    if resources.settings.auth.enabled:
        raise AuthenticationError(challenge=challenge)
    admin = await UserRepository(session).find_first_admin()
    return actor_of(require_active(admin))


async def actor_by_token(resources: Resources, session: AsyncSession, token: str | None) -> Actor:
    """Return whose access token it is; without one there is only the stand-in of debug mode."""
    if token is not None:
        actor = await build_auth_service(resources, session).identify(token)
    else:
        actor = await stand_in(resources, session, challenge="Bearer")
    structlog.contextvars.bind_contextvars(user_id=str(actor.id))
    return actor


async def actor_by_session(resources: Resources, session: AsyncSession, token: str | None) -> Actor:
    """Return whose session it is; without one there is only the stand-in of debug mode."""
    if token is not None:
        actor = await build_session_service(resources, session).resolve(token)
    else:
        actor = await stand_in(resources, session, challenge="Basic")
    structlog.contextvars.bind_contextvars(user_id=str(actor.id))
    return actor


async def actor_by_password(
    resources: Resources, session: AsyncSession, credentials: HTTPBasicCredentials | None
) -> Actor:
    """Return whose name and password these are."""
    if credentials is not None:
        users = UserRepository(session)
        username, password = credentials.username, credentials.password
        return actor_of(await check_password(users, resources.passwords, username, password))
    return await stand_in(resources, session, challenge="Basic")


async def actor_by_first_message(websocket: WebSocket, resources: Resources) -> Actor:
    """Return whose access token an accepted WebSocket sends as its first message.

    Browsers cannot set headers on a WebSocket, and a token in the URL would end up in logs. The
    socket must have been accepted: before that, servers answer 403 and the close code is lost.
    """
    try:
        async with asyncio.timeout(resources.settings.auth.websocket_timeout):
            message = CLIENT_MESSAGE.validate_json(await websocket.receive_text())
        if not isinstance(message, Authenticate):
            raise AuthenticationError("The first message must authenticate.")
        async with resources.database.transaction() as session:
            return await actor_by_token(resources, session, message.token)
    except (TimeoutError, ValidationError, KeyError) as error:
        # KeyError: Starlette's `receive_text` on a binary message.
        reason = "The first message must authenticate."
        raise WebSocketException(UNAUTHENTICATED, reason) from error
    except AuthenticationError as error:
        raise WebSocketException(UNAUTHENTICATED, error.detail) from error
