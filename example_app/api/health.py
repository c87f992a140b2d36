"""Health checks, for people and for whatever restarts the service."""

from __future__ import annotations

from fastapi import APIRouter, status

from example_app import __version__
from example_app.api.dependencies import NowDep, ResourcesDep
from example_app.api.openapi import COMMON_ERRORS, Responses
from example_app.schemas.errors import ErrorResponse
from example_app.schemas.health import HealthResponse

UNAVAILABLE: Responses = {
    status.HTTP_503_SERVICE_UNAVAILABLE: {
        "model": ErrorResponse,
        "description": "The database cannot be reached.",
    }
}

router = APIRouter(prefix="/health", tags=["health"], responses={**COMMON_ERRORS, **UNAVAILABLE})


@router.get("", status_code=status.HTTP_200_OK, operation_id="get_health")
async def get_health(now: NowDep) -> HealthResponse:
    """Tell that the service answers, and its version."""
    return HealthResponse(status="ok", version=__version__, checked_at=now)


@router.get("/live", status_code=status.HTTP_200_OK, operation_id="get_liveness")
async def get_liveness(now: NowDep) -> HealthResponse:
    """Tell that the process works; if not, it should be restarted."""
    return HealthResponse(status="ok", version=__version__, checked_at=now)


@router.get("/ready", status_code=status.HTTP_200_OK, operation_id="get_readiness")
async def get_readiness(now: NowDep, resources: ResourcesDep) -> HealthResponse:
    """Tell that the database answers too; if not (503), requests should go elsewhere."""
    await resources.database.ping()
    return HealthResponse(status="ok", version=__version__, checked_at=now)
