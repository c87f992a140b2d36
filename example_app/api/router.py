"""The main router: both surfaces, included once by the application."""

from __future__ import annotations

from fastapi import APIRouter

from example_app.api.openapi import COMMON_ERRORS
from example_app.api.rpc.router import router as rpc_router
from example_app.api.v1.router import router as v1_router

MAX_BODY_BYTES = 64 * 1024

# The limit is on the router, not on the application: there it would lie outside all middleware, so
# that its answers would lack request id, CORS headers and log line (FastAPI 0.164).
router = APIRouter(responses=COMMON_ERRORS, max_body_size=MAX_BODY_BYTES)
router.include_router(v1_router)
router.include_router(rpc_router)
