"""The names that the execution of assembling code goes by, and its limits."""

from __future__ import annotations

from flake8_fastapi_rules.semantics.framework import VERBS

#: How many elements of one sequence are looked at.
WIDTH = 2_000
APP = "fastapi.FastAPI"
ROUTER = "fastapi.APIRouter"
ADDERS = frozenset(VERBS) | {"api_route", "websocket", "route", "websocket_route"}
DIRECT = frozenset({"add_api_route", "add_api_websocket_route", "add_route", "add_websocket_route"})
VERSIONED = "generate_and_include_versioned_routers"
HANDLING = frozenset({"add_exception_handler", "exception_handler"})
#: What registers a start-up or shut-down handler.
EVENTS = frozenset({"on_event", "add_event_handler"})
KNOWN = ADDERS | DIRECT | HANDLING | EVENTS | {"include_router", "mount", "__init__", VERSIONED}
POSITIONAL: dict[str, tuple[str, ...]] = {
    "add_api_route": ("path", "endpoint"),
    "add_api_websocket_route": ("path", "endpoint", "name"),
    "add_route": ("path", "endpoint", "methods", "name", "include_in_schema"),
    "add_websocket_route": ("path", "endpoint", "name"),
    "websocket": ("path", "name"),
    "websocket_route": ("path", "name"),
    "route": ("path", "methods", "name", "include_in_schema"),
    "include_router": ("router",),
    "mount": ("path", "app", "name"),
}
#: What an app is told by default and hands out as attributes.
APP_DEFAULTS: dict[str, str | None] = {
    "title": "FastAPI",
    "version": "0.1.0",
    "openapi_url": "/openapi.json",
    "docs_url": "/docs",
    "redoc_url": "/redoc",
    "swagger_ui_oauth2_redirect_url": "/docs/oauth2-redirect",
    "root_path": "",
}
