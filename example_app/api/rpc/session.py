"""Logging in with HTTP Basic, and out."""

from __future__ import annotations

from fastapi import APIRouter, Depends, status

from example_app.api.dependencies import (
    BasicUser,
    RateLimit,
    SessionServiceDep,
    SessionToken,
    SessionUser,
    UserServiceDep,
)
from example_app.api.openapi import RATE_LIMITED, UNAUTHORIZED
from example_app.schemas.sessions import (
    DoneResponse,
    SessionCloseRequest,
    SessionOpenRequest,
    SessionOpenResponse,
    SessionUserRequest,
)
from example_app.schemas.users import UserResponse

router = APIRouter(prefix="/session", tags=["rpc-session"], responses=UNAUTHORIZED)


@router.post(
    "/login",
    status_code=status.HTTP_200_OK,
    operation_id="rpc_open_session",
    responses=RATE_LIMITED,
    dependencies=[Depends(RateLimit("login"))],
)
async def open_session(
    body: SessionOpenRequest, user: BasicUser, service: SessionServiceDep
) -> SessionOpenResponse:
    """Exchange name and password (HTTP Basic) for a token that goes in `X-Auth-Token`."""
    return await service.open(user, body)


@router.post("/logout", status_code=status.HTTP_200_OK, operation_id="rpc_close_session")
async def close_session(
    body: SessionCloseRequest, user: SessionUser, token: SessionToken, service: SessionServiceDep
) -> DoneResponse:
    """End this session, or all sessions of the user."""
    await service.close(user, token, body)
    return DoneResponse()


@router.post("/user", status_code=status.HTTP_200_OK, operation_id="rpc_get_session_user")
async def get_session_user(
    body: SessionUserRequest, user: SessionUser, service: UserServiceDep
) -> UserResponse:
    """Return the account that the session belongs to."""
    del body  # all requests of this surface have a body; this one carries nothing
    return await service.get(user.id)
