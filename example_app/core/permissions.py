"""Who may do what: roles, permissions, and the scopes that a token can be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from example_app.core.exceptions import PermissionDeniedError

Role = Literal["reader", "member", "admin"]
Permission = Literal[
    "items:read",
    "items:write",
    "files:read",
    "files:write",
    "notifications:read",
    "notifications:send",
    "users:manage",
]

ALL_PERMISSIONS: Final[frozenset[Permission]] = frozenset(get_args(Permission))

PERMISSIONS_BY_ROLE: Final[dict[Role, frozenset[Permission]]] = {
    "reader": frozenset({"items:read", "files:read", "notifications:read"}),
    "member": frozenset(
        {"items:read", "items:write", "files:read", "files:write", "notifications:read"}
    ),
    "admin": ALL_PERMISSIONS,
}

SCOPE_DESCRIPTIONS: Final[dict[str, str]] = {
    "items:read": "Read items.",
    "items:write": "Create, change and delete items.",
    "files:read": "List and download files.",
    "files:write": "Upload and delete files.",
    "notifications:read": "Read and receive notifications.",
    "notifications:send": "Send notifications to others.",
    "users:manage": "See and change all users.",
}


def granted_scopes(role: Role, requested: frozenset[str] | None = None) -> frozenset[str]:
    """Return what a role may do, narrowed to what was requested (None: not narrowed)."""
    allowed: frozenset[str] = frozenset(PERMISSIONS_BY_ROLE[role])
    return allowed if requested is None else allowed & requested


@dataclass(frozen=True)
class Actor:
    """Whoever makes the request; always derived from credentials, never from its body."""

    id: UUID
    username: str
    role: Role
    scopes: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Whether this is an administrator."""
        return self.role == "admin"

    def require(self, *permissions: str) -> None:
        """Raise `PermissionDeniedError` unless role and token include all of the permissions."""
        if not self.scopes.issuperset(permissions):
            raise PermissionDeniedError
