"""The routers of the RPC surface."""

from __future__ import annotations

from fastapi import APIRouter

from example_app.api.rpc import files, items, session

router = APIRouter(prefix="/rpc")
router.include_router(session.router)
router.include_router(items.router)
router.include_router(files.router)
