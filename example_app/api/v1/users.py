"""The own account; for administrators all accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, status

from example_app.api.dependencies import (
    CurrentUser,
    PageQuery,
    RateLimit,
    UserServiceDep,
    require_permission,
)
from example_app.api.openapi import CONFLICT, FORBIDDEN, NOT_FOUND, RATE_LIMITED, UNAUTHORIZED
from example_app.schemas.pages import Page
from example_app.schemas.users import (
    PasswordChange,
    UserAdminUpdate,
    UserResponse,
    UserUpdate,
)

router = APIRouter(prefix="/users", tags=["users"], responses={**UNAUTHORIZED, **FORBIDDEN})

# Every path below says `:uuid`, so that `DELETE /users/me` is a method that `me` does not have
# (405) rather than a user with a wrong id (422).
UserId = Annotated[UUID, Path(description="The user.")]


@router.get("/me", status_code=status.HTTP_200_OK, operation_id="get_own_user")
async def get_own_user(user: CurrentUser, service: UserServiceDep) -> UserResponse:
    """Return the own account."""
    return await service.get(user.id)


@router.patch(
    "/me", status_code=status.HTTP_200_OK, operation_id="update_own_user", responses=CONFLICT
)
async def update_own_user(
    body: UserUpdate, user: CurrentUser, service: UserServiceDep
) -> UserResponse:
    """Change parts of the own account."""
    return await service.update_profile(user, body)


@router.put(
    "/me/password",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="replace_own_password",
    responses=RATE_LIMITED,
    dependencies=[Depends(RateLimit("login"))],
)
async def replace_own_password(
    body: PasswordChange, user: CurrentUser, service: UserServiceDep
) -> None:
    """Replace the own password; all refresh tokens and sessions end."""
    await service.change_password(user, body)


@router.get(
    "",
    status_code=status.HTTP_200_OK,
    operation_id="list_users",
    dependencies=[Depends(require_permission("users:manage"))],
)
async def list_users(params: PageQuery, service: UserServiceDep) -> Page[UserResponse]:
    """List all accounts, by name."""
    return await service.list_page(params)


@router.get(
    "/{user_id:uuid}",
    status_code=status.HTTP_200_OK,
    operation_id="get_user",
    responses=NOT_FOUND,
    dependencies=[Depends(require_permission("users:manage"))],
)
async def get_user(user_id: UserId, service: UserServiceDep) -> UserResponse:
    """Return any account."""
    return await service.get(user_id)


@router.patch(
    "/{user_id:uuid}",
    status_code=status.HTTP_200_OK,
    operation_id="update_user",
    responses={**NOT_FOUND, **CONFLICT},
    dependencies=[Depends(require_permission("users:manage"))],
)
async def update_user(
    user_id: UserId, body: UserAdminUpdate, user: CurrentUser, service: UserServiceDep
) -> UserResponse:
    """Change role or activity of somebody else."""
    return await service.administer(user, user_id, body)


@router.delete(
    "/{user_id:uuid}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="delete_user",
    responses={**NOT_FOUND, **CONFLICT},
    dependencies=[Depends(require_permission("users:manage"))],
)
async def delete_user(user_id: UserId, user: CurrentUser, service: UserServiceDep) -> None:
    """Delete an account and everything that is its own."""
    await service.delete(user, user_id)
