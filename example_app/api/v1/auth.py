"""Registering, and getting tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Form, status

from example_app.api.dependencies import (
    AuthServiceDep,
    RateLimit,
    ResourcesDep,
    UserServiceDep,
)
from example_app.api.openapi import CONFLICT, RATE_LIMITED, UNAUTHORIZED
from example_app.background.welcome import Welcome
from example_app.schemas.auth import RefreshRequest, TokenForm, TokenResponse
from example_app.schemas.users import UserCreate, UserResponse

router = APIRouter(prefix="/auth", tags=["auth"], responses=RATE_LIMITED)


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    operation_id="register_user",
    responses=CONFLICT,
    dependencies=[Depends(RateLimit("registration"))],
)
async def register_user(
    body: UserCreate,
    service: UserServiceDep,
    resources: ResourcesDep,
    background_tasks: BackgroundTasks,
) -> UserResponse:
    """Create an account. A greeting follows once it is saved."""
    user = await service.register(body)
    welcome = Welcome(resources.database, resources.connections, user.id)
    background_tasks.add_task(welcome.run)
    return user


@router.post(
    "/token",
    status_code=status.HTTP_200_OK,
    operation_id="create_token",
    responses=UNAUTHORIZED,
    dependencies=[Depends(RateLimit("login"))],
)
async def create_token(
    form: Annotated[TokenForm, Form()], service: AuthServiceDep
) -> TokenResponse:
    """Exchange name and password for an access token and a refresh token."""
    return await service.log_in(form)


@router.post(
    "/refresh",
    status_code=status.HTTP_200_OK,
    operation_id="refresh_token",
    responses=UNAUTHORIZED,
    dependencies=[Depends(RateLimit("login"))],
)
async def refresh_token(body: RefreshRequest, service: AuthServiceDep) -> TokenResponse:
    """Exchange a refresh token for the next pair; it can be used once."""
    return await service.refresh(body)


@router.post(
    "/logout",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="revoke_token",
    responses=UNAUTHORIZED,
    dependencies=[Depends(RateLimit("login"))],
)
async def log_out(body: RefreshRequest, service: AuthServiceDep) -> None:
    """Revoke a refresh token and all of its family."""
    await service.log_out(body)
