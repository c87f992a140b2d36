"""Every dependency of the endpoints, as `Annotated` aliases.

The only module that reads `app.state`. Chains are at most three functions deep:
permission → user → session, or service → repository → session. Endpoints never write `Depends`
for a value; what has no value (permissions, limits) goes into `dependencies=[...]`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, File, Query, Request, Security, UploadFile, WebSocket
from fastapi.requests import HTTPConnection
from fastapi.security import (
    APIKeyHeader,
    HTTPBasic,
    HTTPBasicCredentials,
    OAuth2PasswordBearer,
    SecurityScopes,
)
from sqlalchemy.ext.asyncio import AsyncSession

from example_app.api.authentication import (
    actor_by_first_message,
    actor_by_password,
    actor_by_session,
    actor_by_token,
    build_auth_service,
    build_session_service,
)
from example_app.core.permissions import SCOPE_DESCRIPTIONS, Actor, Permission
from example_app.db.repositories.files import FileRepository
from example_app.db.repositories.items import ItemRepository
from example_app.db.repositories.notifications import NotificationRepository
from example_app.db.repositories.outbox import OutboxRepository
from example_app.db.repositories.sessions import SessionRepository
from example_app.db.repositories.tokens import TokenRepository
from example_app.db.repositories.users import UserRepository
from example_app.realtime.events import NotificationStream
from example_app.resources import Resources
from example_app.schemas.items import ItemFilter
from example_app.schemas.pages import PageParams
from example_app.services.auth import AuthService
from example_app.services.files import FileService
from example_app.services.items import ItemService
from example_app.services.notifications import NotificationService
from example_app.services.sessions import SessionService
from example_app.services.users import UserService

# auto_error=False: the domain's own error is raised instead, in the one shape of errors, and only
# if authentication is switched on.
bearer_scheme = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token", scopes=SCOPE_DESCRIPTIONS, auto_error=False
)
basic_scheme = HTTPBasic(auto_error=False)
session_scheme = APIKeyHeader(name="X-Auth-Token", auto_error=False)

BearerToken = Annotated[str | None, Depends(bearer_scheme)]
SessionToken = Annotated[str | None, Depends(session_scheme)]
BasicCredentials = Annotated[HTTPBasicCredentials | None, Depends(basic_scheme)]
PageQuery = Annotated[PageParams, Query()]
ItemQuery = Annotated[ItemFilter, Query()]
UploadedFile = Annotated[
    UploadFile,
    File(description="The content, and its name.", json_schema_extra={"minLength": 1}),
]


def resources_of(connection: HTTPConnection) -> Resources:
    """Return what the lifespan opened (HTTPConnection: for requests and WebSockets alike)."""
    resources: Resources = connection.app.state.resources
    return resources


async def get_resources(connection: HTTPConnection) -> Resources:
    """Provide the container of all shared objects."""
    return resources_of(connection)


async def get_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """Provide the transaction of a request.

    Since FastAPI 0.118 code after `yield` runs after the response, unless the dependency has the
    scope `function` (0.121). Only with that scope does the commit come first: a client never sees
    success for what was not saved, and background tasks see what was.
    """
    async with resources_of(connection).database.transaction() as session:
        yield session


async def get_now() -> datetime:
    """Provide the present time; not cached, so that each use gets its own."""
    return datetime.now(UTC)


ResourcesDep = Annotated[Resources, Depends(get_resources)]
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
NowDep = Annotated[datetime, Depends(get_now, use_cache=False)]


async def get_users(session: SessionDep) -> UserRepository:
    """Provide the rows of users."""
    return UserRepository(session)


Users = Annotated[UserRepository, Depends(get_users)]


async def get_auth_service(session: SessionDep, resources: ResourcesDep) -> AuthService:
    """Provide logging in with tokens: service → session."""
    return build_auth_service(resources, session)


async def get_session_service(session: SessionDep, resources: ResourcesDep) -> SessionService:
    """Provide logging in with sessions: service → session."""
    return build_session_service(resources, session)


async def get_user_service(
    users: Users, session: SessionDep, resources: ResourcesDep
) -> UserService:
    """Provide the life of accounts: service → users → session."""
    return UserService(
        users,
        TokenRepository(session),
        SessionRepository(session),
        OutboxRepository(session),
        resources.passwords,
    )


async def get_item_service(session: SessionDep) -> ItemService:
    """Provide what can be done with items: service → session."""
    return ItemService(ItemRepository(session))


async def get_file_service(session: SessionDep, resources: ResourcesDep) -> FileService:
    """Provide what can be done with files: service → session."""
    limit = resources.settings.files.max_bytes
    return FileService(FileRepository(session), resources.storage, limit)


async def get_notification_service(users: Users, session: SessionDep) -> NotificationService:
    """Provide what can be done with notifications: service → users → session."""
    return NotificationService(NotificationRepository(session), users)


async def get_notification_stream(resources: ResourcesDep) -> NotificationStream:
    """Provide live notifications; a stream holds no transaction while it is open."""
    return NotificationStream(resources.connections, resources.database)


AuthServiceDep = Annotated[AuthService, Depends(get_auth_service)]
SessionServiceDep = Annotated[SessionService, Depends(get_session_service)]
UserServiceDep = Annotated[UserService, Depends(get_user_service)]
ItemServiceDep = Annotated[ItemService, Depends(get_item_service)]
FileServiceDep = Annotated[FileService, Depends(get_file_service)]
NotificationServiceDep = Annotated[NotificationService, Depends(get_notification_service)]
NotificationStreamDep = Annotated[NotificationStream, Depends(get_notification_stream)]


async def get_current_user(
    needed: SecurityScopes, token: BearerToken, session: SessionDep, resources: ResourcesDep
) -> Actor:
    """Provide whoever sent a valid access token that has the scopes of `Security(...)`.

    It takes the session rather than the service: permission → user → session are three steps.
    """
    actor = await actor_by_token(resources, session, token)
    actor.require(*needed.scopes)
    return actor


async def get_session_user(
    token: SessionToken, session: SessionDep, resources: ResourcesDep
) -> Actor:
    """Provide whoever sent the token of an open session."""
    return await actor_by_session(resources, session, token)


async def get_basic_user(
    credentials: BasicCredentials, session: SessionDep, resources: ResourcesDep
) -> Actor:
    """Provide whoever sent name and password by HTTP Basic."""
    return await actor_by_password(resources, session, credentials)


async def get_socket_user(websocket: WebSocket, resources: ResourcesDep) -> Actor:
    """Provide whoever the first message of a WebSocket proves it is; nothing is sent before."""
    await websocket.accept()
    return await actor_by_first_message(websocket, resources)


CurrentUser = Annotated[Actor, Depends(get_current_user)]
FileReader = Annotated[Actor, Security(get_current_user, scopes=["files:read"])]
FileWriter = Annotated[Actor, Security(get_current_user, scopes=["files:write"])]
SessionUser = Annotated[Actor, Depends(get_session_user)]
BasicUser = Annotated[Actor, Depends(get_basic_user)]
SocketUser = Annotated[Actor, Depends(get_socket_user)]


def require_permission(permission: Permission) -> Callable[[Actor], Awaitable[None]]:
    """Return a dependency that refuses users of the REST surface without a permission."""

    async def check_permission(user: CurrentUser) -> None:
        """Refuse the request unless role and token include the permission."""
        user.require(permission)

    return check_permission


def require_session_permission(permission: Permission) -> Callable[[Actor], Awaitable[None]]:
    """Return a dependency that refuses users of the RPC surface without a permission."""

    async def check_permission(user: SessionUser) -> None:
        """Refuse the request unless the role includes the permission."""
        user.require(permission)

    return check_permission


class RateLimit:
    """A dependency with a parameter: counts requests per client against a named limit."""

    def __init__(self, name: str) -> None:
        """Choose the limit."""
        self.name = name

    async def __call__(self, request: Request, resources: ResourcesDep) -> None:
        """Refuse the request when its client has used up its share."""
        client = request.client.host if request.client else "unknown"
        await resources.limiter.hit(self.name, client)
