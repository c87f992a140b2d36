"""Entry points: `create_app` for `--factory` servers, `main` for `python -m example_app`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from example_app.application import create_application
from example_app.config import Settings
from example_app.config_file import (
    CONFIG_VARIABLE,
    DEFAULT_CONFIG,
    ConfigurationError,
    fail,
    load_settings,
    load_settings_or_exit,
    resolve_config_path,
)


def create_app() -> FastAPI:
    """Build the application from the configuration file.

    Servers call this: `uvicorn --factory example_app.main:create_app`,
    `gunicorn "example_app.main:create_app()"`, `fastapi run --entrypoint` with the same name.
    """
    return create_application(load_settings_or_exit())


def main(arguments: Sequence[str] | None = None) -> None:
    """Load the configuration, build the application, say where to look, and serve it."""
    parser = argparse.ArgumentParser(prog="example_app", description="Run the reference service.")
    parser.add_argument(
        "--config", metavar="PATH", help=f"default: ${CONFIG_VARIABLE}, else {DEFAULT_CONFIG}"
    )
    options = parser.parse_args(arguments)
    try:
        path = resolve_config_path(options.config)
        settings = load_settings(path)
    except ConfigurationError as error:
        fail(str(error))
    print(describe(settings, str(path.resolve())), flush=True)
    uvicorn.run(
        create_application(settings),
        host=settings.server.host,
        port=settings.server.port,
        log_config=None,  # logging is configured by the application, for every server alike
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.server.graceful_timeout,
    )


def describe(settings: Settings, config_path: str) -> str:
    """Tell a first user where everything is."""
    address = f"http://{settings.server.host}:{settings.server.port}"
    docs = f"{address}/docs" if settings.debug else "off (they need debug: true)"
    return "\n".join(
        [
            f"Service:        {address}",
            f"Documentation:  {docs}",
            f"Health:         {address}/health/ready",
            f"Log in as:      {settings.auth.admin_username}, "
            "password: auth.admin_password of the configuration",
            f"Configuration:  {config_path}",
        ]
    )
