"""From exceptions to the one JSON shape of errors: the only place that knows both sides."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException

from example_app.core import exceptions as domain
from example_app.core.logging import get_logger
from example_app.db.failures import UNAVAILABLE
from example_app.schemas.errors import ErrorResponse, FieldProblem
from example_app.storage.local import NO_ROOM

STATUS_BY_ERROR: Final[dict[type[domain.DomainError], int]] = {
    domain.DomainError: status.HTTP_400_BAD_REQUEST,
    domain.AuthenticationError: status.HTTP_401_UNAUTHORIZED,
    domain.PermissionDeniedError: status.HTTP_403_FORBIDDEN,
    domain.NotFoundError: status.HTTP_404_NOT_FOUND,
    domain.ConflictError: status.HTTP_409_CONFLICT,
    domain.FileTooLargeError: status.HTTP_413_CONTENT_TOO_LARGE,
    domain.UnsupportedFileTypeError: status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    domain.InvalidFileError: status.HTTP_422_UNPROCESSABLE_CONTENT,
    domain.RateLimitedError: status.HTTP_429_TOO_MANY_REQUESTS,
    domain.StorageFullError: status.HTTP_507_INSUFFICIENT_STORAGE,
}
UNAVAILABLE_RETRY_SECONDS: Final = 5
# Python 3.13 renamed them; error codes must not depend on the interpreter.
RENAMED_PHRASES: Final[dict[int, str]] = {
    status.HTTP_413_CONTENT_TOO_LARGE: "Content Too Large",
    status.HTTP_416_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
    status.HTTP_422_UNPROCESSABLE_CONTENT: "Unprocessable Content",
}

logger = get_logger(__name__)


def error_response(
    request: Request,
    status_code: int,
    *,
    code: str | None = None,
    detail: str | None = None,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Build an error answer; code and detail default to the status's own phrase."""
    phrase = RENAMED_PHRASES.get(status_code) or HTTPStatus(status_code).phrase
    body = ErrorResponse(
        code=code or phrase.lower().replace(" ", "_").replace("-", "_"),
        detail=detail or phrase,
        request_id=getattr(request.state, "request_id", ""),
        path=request.url.path,
        errors=errors or [],
    )
    return JSONResponse(body.model_dump(), status_code=status_code, headers=headers)


def plain_error(request: Request, status_code: int, headers: dict[str, str]) -> JSONResponse:
    """Reshape an error that Starlette answered in plain text."""
    return error_response(request, status_code, headers=headers)


async def handle_domain_error(request: Request, error: domain.DomainError) -> JSONResponse:
    """Answer an error that the service raised on purpose, with the closest status of its bases."""
    status_code = next(
        STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR
    )
    headers: dict[str, str] = {}
    if isinstance(error, domain.AuthenticationError):
        headers["WWW-Authenticate"] = error.challenge
    if isinstance(error, domain.RateLimitedError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, domain.StorageFullError):
        logger.error("storage full")
    return error_response(
        request, status_code, code=error.code, detail=error.detail, headers=headers
    )


async def handle_http_error(request: Request, error: HTTPException) -> JSONResponse:
    """Answer what FastAPI and Starlette raise: 404, 405, broken bodies.

    FastAPI reports every failure to read a form as 400, also a full disk under its temporary files.
    """
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in NO_ROOM:
        return await handle_domain_error(request, domain.StorageFullError())
    headers = dict(error.headers or {})
    if error.status_code == status.HTTP_405_METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request))
    return error_response(request, error.status_code, detail=str(error.detail), headers=headers)


def allowed_methods(request: Request) -> list[str]:
    """Return all methods of a path; Starlette's own `Allow` has those of one route only."""
    path = request.scope["path"]
    routes = [route for route in iter_route_contexts(request.app.routes) if route.methods]
    matching = [route for route in routes if route.path_regex.match(path)]
    # `/users/me` matches `/users/{user_id}` too, which is another resource.
    return sorted(
        method
        for route in matching
        if route.path == matching[0].path
        for method in route.methods or ()
    )


async def handle_invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer a request that does not fit the schema, field by field, without its values."""
    problems = [
        FieldProblem(
            field=".".join(str(part) for part in problem["loc"]),
            message=problem["msg"],
            type=problem["type"],
        )
        for problem in error.errors()
    ]
    return error_response(
        request,
        status.HTTP_422_UNPROCESSABLE_CONTENT,
        code="invalid_request",
        detail="The request is not valid.",
        errors=problems,
    )


async def handle_integrity_error(request: Request, error: IntegrityError) -> JSONResponse:
    """Answer a violated constraint: somebody else was faster, or has that name already."""
    logger.info("constraint violated", error=type(error.orig).__name__)
    return error_response(
        request,
        status.HTTP_409_CONFLICT,
        code=domain.ConflictError.code,
        detail="It exists already, or something that it refers to does not.",
    )


async def handle_unavailable(request: Request, error: Exception) -> JSONResponse:
    """Answer while the database cannot be reached: it may work again in a moment."""
    logger.error("database unavailable", error=type(error).__name__, path=request.url.path)
    return error_response(
        request,
        status.HTTP_503_SERVICE_UNAVAILABLE,
        code="unavailable",
        detail="The service is not available at the moment.",
        headers={"Retry-After": str(UNAVAILABLE_RETRY_SECONDS)},
    )


async def handle_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Log everything about an error that nobody foresaw; tell the client nothing of it."""
    logger.error(
        "unhandled exception",
        method=request.method,
        path=request.url.path,
        exc_info=error,
    )
    return error_response(
        request,
        status.HTTP_500_INTERNAL_SERVER_ERROR,
        code="internal_error",
        detail="Something went wrong.",
    )


def setup_exception_handlers(app: FastAPI) -> None:
    """Register all handlers.

    The one for HTTP errors is Starlette's base class: FastAPI's subclass would miss 404 and 405.
    """
    app.exception_handler(domain.DomainError)(handle_domain_error)
    app.exception_handler(HTTPException)(handle_http_error)
    app.exception_handler(RequestValidationError)(handle_invalid_request)
    app.exception_handler(IntegrityError)(handle_integrity_error)
    for unavailable in UNAVAILABLE:
        app.exception_handler(unavailable)(handle_unavailable)
    app.exception_handler(Exception)(handle_unexpected)
