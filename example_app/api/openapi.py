"""What the documentation says about the whole service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, status

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

# Referred to by name rather than as `model`: FastAPI documents the models of additional responses
# under the media type of the route's own response, which is wrong for streams (0.165). The health
# routes use the model itself, which puts it among the components.
ERROR_CONTENT: Final = {
    "application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorResponse.__name__}"}}
}
UNAUTHORIZED: Final[Responses] = {
    status.HTTP_401_UNAUTHORIZED: {
        "content": ERROR_CONTENT,
        "description": "Credentials are missing or not valid.",
    }
}
FORBIDDEN: Final[Responses] = {
    status.HTTP_403_FORBIDDEN: {
        "content": ERROR_CONTENT,
        "description": "The user may not do this.",
    }
}
NOT_FOUND: Final[Responses] = {
    status.HTTP_404_NOT_FOUND: {
        "content": ERROR_CONTENT,
        "description": "There is no such resource for this user.",
    }
}
CONFLICT: Final[Responses] = {
    status.HTTP_409_CONFLICT: {
        "content": ERROR_CONTENT,
        "description": "The request conflicts with the present state.",
    }
}
RATE_LIMITED: Final[Responses] = {
    status.HTTP_429_TOO_MANY_REQUESTS: {
        "content": ERROR_CONTENT,
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
        "content": ERROR_CONTENT,
        "description": "The type of the file is not accepted.",
    },
    status.HTTP_507_INSUFFICIENT_STORAGE: {
        "content": ERROR_CONTENT,
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
        "content": ERROR_CONTENT,
        "description": "The file has no such part.",
    },
}
COMMON_ERRORS: Final[Responses] = {
    status.HTTP_400_BAD_REQUEST: {
        "content": ERROR_CONTENT,
        "description": "The request cannot be read.",
    },
    status.HTTP_413_CONTENT_TOO_LARGE: {
        "content": ERROR_CONTENT,
        "description": "The body is too large.",
    },
    status.HTTP_422_UNPROCESSABLE_CONTENT: {
        "content": ERROR_CONTENT,
        "description": "The request is not valid; `errors` says where.",
    },
    status.HTTP_500_INTERNAL_SERVER_ERROR: {
        "content": ERROR_CONTENT,
        "description": "Something went wrong in the service.",
    },
    status.HTTP_503_SERVICE_UNAVAILABLE: {
        "content": ERROR_CONTENT,
        "description": "The database cannot be reached; `Retry-After` says when to try again.",
    },
}
MAX_UPLOAD_BODY: Final = UPLOAD_CEILING + 64 * 1024
"""The largest allowed file, and what a multipart body adds to it."""


def openapi_31(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return a replacement for `app.openapi` whose document really is OpenAPI 3.1.

    FastAPI describes server-sent events by `itemSchema`, a keyword of OpenAPI 3.2, in a document
    that says 3.1 (0.165); validators refuse it. In 3.1 a stream is a string.
    """
    generate = app.openapi

    def generate_31() -> dict[str, Any]:
        schema = generate()
        for methods in schema["paths"].values():
            for operation in methods.values():
                for response in operation["responses"].values():
                    for content in response.get("content", {}).values():
                        if content.pop("itemSchema", None) is not None:
                            content["schema"] = {"type": "string"}
        return schema

    return generate_31
