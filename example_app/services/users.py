"""Registering, reading and changing users."""

from __future__ import annotations

from uuid import UUID

from example_app.core.exceptions import ConflictError, PermissionDeniedError
from example_app.core.permissions import Actor
from example_app.core.security import PasswordService
from example_app.db.models import OutboxMessage, User
from example_app.db.models.base import utc_now
from example_app.db.repositories.outbox import OutboxRepository
from example_app.db.repositories.sessions import SessionRepository
from example_app.db.repositories.tokens import TokenRepository
from example_app.db.repositories.users import UserRepository
from example_app.schemas.pages import Page, PageParams
from example_app.schemas.users import (
    PasswordChange,
    UserAdminUpdate,
    UserCreate,
    UserResponse,
    UserUpdate,
)


class UserService:
    """The life of an account."""

    def __init__(
        self,
        users: UserRepository,
        tokens: TokenRepository,
        sessions: SessionRepository,
        outbox: OutboxRepository,
        passwords: PasswordService,
    ) -> None:
        """Work with the repositories of one transaction."""
        self._users = users
        self._tokens = tokens
        self._sessions = sessions
        self._outbox = outbox
        self._passwords = passwords

    async def register(self, body: UserCreate) -> UserResponse:
        """Create an account, and note in the same transaction that the webhook is to be told."""
        user = await self._users.add(
            User(
                **body.model_dump(exclude={"password"}),
                password_hash=await self._passwords.hash(body.password.get_secret_value()),
            )
        )
        payload = {"event": "user.registered", "user_id": str(user.id)}
        await self._outbox.add(
            OutboxMessage(kind="webhook", payload=payload, next_attempt_at=utc_now())
        )
        return UserResponse.model_validate(user)

    async def get(self, user_id: UUID) -> UserResponse:
        """Return a user."""
        return UserResponse.model_validate(await self._users.get(user_id))

    async def list_page(self, params: PageParams) -> Page[UserResponse]:
        """Return one page of all users."""
        rows, total = await self._users.list_page(params.limit, params.offset)
        return Page[UserResponse](
            items=[UserResponse.model_validate(row) for row in rows],
            total=total,
            limit=params.limit,
            offset=params.offset,
        )

    async def update_profile(self, actor: Actor, body: UserUpdate) -> UserResponse:
        """Change what users may change of themselves."""
        return await self._change(actor.id, body)

    async def administer(self, actor: Actor, user_id: UUID, body: UserAdminUpdate) -> UserResponse:
        """Change role or activity of somebody else; what they hold open ends with it."""
        user = await self._users.get(user_id)
        if user.id == actor.id:
            raise ConflictError("Administrators cannot change their own role or activity.")
        response = await self._change(user_id, body)
        if not response.is_active:
            await self._log_out_everywhere(user_id)
        return response

    async def change_password(self, actor: Actor, body: PasswordChange) -> None:
        """Replace the password; all refresh tokens and sessions end with the old one."""
        user = await self._users.get(actor.id)
        current = body.current_password.get_secret_value()
        if not await self._passwords.verify(current, user.password_hash):
            raise PermissionDeniedError("The current password is wrong.")
        user.password_hash = await self._passwords.hash(body.new_password.get_secret_value())
        await self._users.flush()
        await self._log_out_everywhere(user.id)

    async def delete(self, actor: Actor, user_id: UUID) -> None:
        """Delete a user and everything that is theirs."""
        user = await self._users.get(user_id)
        if user.id == actor.id:
            raise ConflictError("Administrators cannot delete themselves.")
        await self._users.remove(user)

    async def _change(self, user_id: UUID, body: UserUpdate | UserAdminUpdate) -> UserResponse:
        user = await self._users.get(user_id)
        for name, value in body.model_dump(exclude_unset=True, exclude_none=True).items():
            setattr(user, name, value)
        await self._users.flush()
        return UserResponse.model_validate(user)

    async def _log_out_everywhere(self, user_id: UUID) -> None:
        await self._tokens.remove_of_user(user_id)
        await self._sessions.remove_of_user(user_id)
