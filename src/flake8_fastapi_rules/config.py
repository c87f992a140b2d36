"""Settings: what can be configured, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Layer name to the package or module names that belong to it, upper layers first.
DEFAULT_LAYERS: Mapping[str, tuple[str, ...]] = {
    "routers": ("routers", "routes", "api", "endpoints", "views"),
    "services": ("services",),
    "repositories": ("repositories", "repository", "crud", "dao", "database", "db"),
    "models": ("models",),
    "schemas": ("schemas",),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, resolved for one file.

    Versions are tuples of integers, such as `(0, 121)`; `None` means the newest.
    """

    profile: str = "recommended"
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    fastapi_version: tuple[int, ...] | None = None
    starlette_version: tuple[int, ...] | None = None
    src: tuple[str, ...] = ()
    test_paths: tuple[str, ...] = ("test_*.py", "*_test.py", "conftest.py", "tests/**")
    health_paths: tuple[str, ...] = (
        "/health", "/healthz", "/ready", "/readyz", "/readiness",
        "/live", "/livez", "/liveness", "/ping", "/status",
    )  # fmt: skip
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_LAYERS))
    settings_modules: tuple[str, ...] = ("config", "settings", "conf")
    entry_points: tuple[str, ...] = ("__main__.py", "main.py", "asgi.py", "wsgi.py")
    #: FAR401: exception types an endpoint may catch (qualified or bare names).
    allowed_exceptions: tuple[str, ...] = ()
    #: FAR201: functions or methods whose writes are meant in a GET (qualified or bare names).
    allowed_writes: tuple[str, ...] = ()
    #: FAR222: names of query parameters that hold a page size.
    page_size_names: tuple[str, ...] = ("limit", "page_size", "per_page", "size", "take")
    #: FAR314: how deep a chain of dependencies may be.
    dependency_depth: int = 3
    #: FAR307: how often the same annotation may be written before it wants an alias.
    repeated_annotations: int = 3
    #: FAR710: paths (words in them) that need no authentication.
    public_paths: tuple[str, ...] = (
        "login", "logout", "token", "refresh", "register", "signup", "sign-up",
        "password", "reset", "forgot", "webhook", "webhooks", "callback",
    )  # fmt: skip
    #: FAR228: `kebab`, `snake` or `camel`.
    path_case: str = "kebab"

    def fastapi_at_least(self, *version: int) -> bool:
        """Whether the checked project's FastAPI is `version` or newer."""
        return self.fastapi_version is None or self.fastapi_version >= version

    def starlette_at_least(self, *version: int) -> bool:
        """Whether the checked project's Starlette is `version` or newer."""
        return self.starlette_version is None or self.starlette_version >= version
