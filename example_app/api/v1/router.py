"""The routers of the REST surface."""

from __future__ import annotations

from fastapi import APIRouter

from example_app.api.v1 import auth, files, items, notifications, users

router = APIRouter(prefix="/v1")
router.include_router(auth.router)
router.include_router(users.router)
router.include_router(items.router)
router.include_router(files.router)
router.include_router(notifications.router)
