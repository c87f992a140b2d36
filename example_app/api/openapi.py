"""What the documentation says about the whole service."""

from __future__ import annotations

from typing import Any, Final

from fastapi import status

from example_app.config import UPLOAD_CEILING
from example_app.schemas.errors import ErrorResponse

Responses = dict[int | str, dict[str, Any]]

TITLE: Final = "Example service"
DESCRIPTION: Final = """\
Users, items, files and notifications, on two surfaces over the same services:

- `/api/v1` is REST: JSON web tokens, HTTP's own methods and status codes;
- `/api/rpc` is POST only: HTTP Basic opens a session, whose token goes in `X-Auth-Token`.

Every error has the same shape, and the id of the request that finds it in the log.
"""
CONTACT: Final = {
    "name": "Maintainers of the example service",
    "url": "https://example.com/support",
    "email": "support@example.com",
}
LICENSE: Final = {"name": "MIT", "identifier": "MIT"}
TAGS: Final[list[dict[str, Any]]] = [
    {"name": "auth", "description": "Registering, and getting tokens."},
    {"name": "users", "description": "The own account; for administrators all accounts."},
    {"name": "items", "description": "Things that users own."},
    {"name": "files", "description": "Uploads and downloads."},
    {"name": "notifications", "description": "Messages to users, also live."},
    {"name": "rpc-session", "description": "POST only: logging in and out."},
    {"name": "rpc-items", "description": "POST only: items."},
    {"name": "rpc-files", "description": "POST only, downloads aside: files."},
    {"name": "health", "description": "Whether the service works."},
]

UNAUTHORIZED: Final[Responses] = {
    status.HTTP_401_UNAUTHORIZED: {
        "model": ErrorResponse,
        "description": "Credentials are missing or not valid.",
    }
}
FORBIDDEN: Final[Responses] = {
    status.HTTP_403_FORBIDDEN: {
        "model": ErrorResponse,
        "description": "The user may not do this.",
    }
}
NOT_FOUND: Final[Responses] = {
    status.HTTP_404_NOT_FOUND: {
        "model": ErrorResponse,
        "description": "There is no such resource for this user.",
    }
}
CONFLICT: Final[Responses] = {
    status.HTTP_409_CONFLICT: {
        "model": ErrorResponse,
        "description": "The request conflicts with the present state.",
    }
}
RATE_LIMITED: Final[Responses] = {
    status.HTTP_429_TOO_MANY_REQUESTS: {
        "model": ErrorResponse,
        "description": "Too many requests; `Retry-After` says how long to wait.",
        "headers": {
            "Retry-After": {
                "description": "Seconds to wait.",
                "schema": {"type": "integer", "minimum": 1},
            }
        },
    }
}
UPLOAD_ERRORS: Final[Responses] = {
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: {
        "model": ErrorResponse,
        "description": "The type of the file is not accepted.",
    },
    status.HTTP_507_INSUFFICIENT_STORAGE: {
        "model": ErrorResponse,
        "description": "There is no room for the file.",
    },
}
DOWNLOAD: Final[Responses] = {
    status.HTTP_200_OK: {
        "description": "The content.",
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
    },
    status.HTTP_206_PARTIAL_CONTENT: {"description": "The part that `Range` asked for."},
    status.HTTP_416_RANGE_NOT_SATISFIABLE: {
        "model": ErrorResponse,
        "description": "The file has no such part.",
    },
}
COMMON_ERRORS: Final[Responses] = {
    status.HTTP_400_BAD_REQUEST: {
        "model": ErrorResponse,
        "description": "The request cannot be read.",
    },
    status.HTTP_413_CONTENT_TOO_LARGE: {
        "model": ErrorResponse,
        "description": "The body is too large.",
    },
    status.HTTP_422_UNPROCESSABLE_CONTENT: {
        "model": ErrorResponse,
        "description": "The request is not valid; `errors` says where.",
    },
    status.HTTP_500_INTERNAL_SERVER_ERROR: {
        "model": ErrorResponse,
        "description": "Something went wrong in the service.",
    },
    status.HTTP_503_SERVICE_UNAVAILABLE: {
        "model": ErrorResponse,
        "description": "The database cannot be reached; `Retry-After` says when to try again.",
    },
}
MAX_UPLOAD_BODY: Final = UPLOAD_CEILING + 64 * 1024
"""The largest allowed file, and what a multipart body adds to it."""
