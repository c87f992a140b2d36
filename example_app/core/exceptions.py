"""What can go wrong in the domain.

These classes know nothing of HTTP: `example_app.api.errors` holds the one table that maps them to
status codes. Each has a machine-readable code and a message that a client may read.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """Base of all errors that the service raises on purpose."""

    code: ClassVar[str] = "domain_error"
    message: ClassVar[str] = "The request cannot be fulfilled."

    def __init__(self, message: str | None = None) -> None:
        """Keep a message for the client."""
        self.detail = message or self.message
        super().__init__(self.detail)


class NotFoundError(DomainError):
    """There is no such thing, or not for this user."""

    code = "not_found"
    message = "There is no such resource."


class ConflictError(DomainError):
    """The request contradicts the present state."""

    code = "conflict"
    message = "The request conflicts with the present state."


class AuthenticationError(DomainError):
    """Nobody knows who is asking."""

    code = "not_authenticated"
    message = "Valid credentials are needed."

    def __init__(self, message: str | None = None, *, challenge: str = "Bearer") -> None:
        """Remember how the client is to authenticate (`WWW-Authenticate`)."""
        super().__init__(message)
        self.challenge = challenge


class PermissionDeniedError(DomainError):
    """The user is known, and may not do this."""

    code = "permission_denied"
    message = "You may not do this."


class RateLimitedError(DomainError):
    """Too many requests from one client."""

    code = "rate_limited"
    message = "Too many requests; try again later."

    def __init__(self, retry_after: int) -> None:
        """Remember after how many seconds another request will be served."""
        super().__init__()
        self.retry_after = retry_after


class InvalidFileError(DomainError):
    """An upload that can never be accepted, such as an empty one."""

    code = "invalid_file"
    message = "The file cannot be accepted."


class UnsupportedFileTypeError(DomainError):
    """An upload whose content is of no accepted type."""

    code = "unsupported_file_type"
    message = "The type of the file is not accepted."


class FileTooLargeError(DomainError):
    """An upload above the configured size."""

    code = "file_too_large"
    message = "The file is too large."


class StorageFullError(DomainError):
    """The disk has no room for an upload."""

    code = "storage_full"
    message = "There is no room for the file."
