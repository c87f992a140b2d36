"""The application factory: the only place where things are wired together."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware

from example_app import __version__
from example_app.api import openapi
from example_app.api.errors import handle_unexpected, plain_error, setup_exception_handlers
from example_app.api.health import router as health_router
from example_app.api.router import router as api_router
from example_app.config import Settings
from example_app.core.logging import configure_logging
from example_app.lifespan import build_lifespan
from example_app.middleware.access_log import AccessLogMiddleware
from example_app.middleware.request_context import REQUEST_ID_HEADER, RequestContextMiddleware
from example_app.middleware.security_headers import SecurityHeadersMiddleware
from example_app.middleware.unhandled_errors import UnhandledErrorMiddleware


def create_application(settings: Settings) -> FastAPI:
    """Build an application; nothing is opened before its lifespan starts."""
    configure_logging(settings.log.level, settings.log.format)
    app = FastAPI(
        title=openapi.TITLE,
        version=__version__,
        summary="A service that obeys all the rules.",
        description=openapi.DESCRIPTION,
        contact=openapi.CONTACT,
        license_info=openapi.LICENSE,
        openapi_tags=openapi.TAGS,
        servers=[{"url": "/", "description": "This server."}],
        lifespan=build_lifespan(settings),
        # Without a schema there is nothing that the documentation pages could show.
        openapi_url="/openapi.json" if settings.debug else None,
        docs_url="/docs" if settings.debug else None,
        redoc_url=None,
    )
    app.include_router(api_router, prefix="/api")
    app.include_router(health_router)
    # FastAPI's documented way to change the schema.
    app.openapi = openapi.openapi_31(app)  # type: ignore[method-assign]
    setup_exception_handlers(app)
    add_middleware(app, settings)
    return app


def add_middleware(app: FastAPI, settings: Settings) -> None:
    """Wrap the application, from inside out: what is added last sees a request first."""
    app.add_middleware(
        UnhandledErrorMiddleware, on_exception=handle_unexpected, on_plain_error=plain_error
    )
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-Auth-Token", REQUEST_ID_HEADER],
        expose_headers=[REQUEST_ID_HEADER, "Retry-After"],
    )
    app.add_middleware(SecurityHeadersMiddleware, debug=settings.debug)
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(AccessLogMiddleware, body_bytes=settings.log.body_bytes)
