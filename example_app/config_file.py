"""Finding, generating and loading the configuration file.

A configuration that cannot be used is reported as one line, before anything listens.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import yaml
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict, SettingsError

from example_app.config import ENV_PREFIX, Settings

CONFIG_VARIABLE = f"{ENV_PREFIX}CONFIG"
DEFAULT_CONFIG = Path("config.yaml")

TEMPLATE = """\
# Written at the first start. It holds secrets: keep it out of version control.
# All keys, with their meaning: config.example.yaml.
debug: true
auth:
  jwt_secret: {jwt_secret}
  admin_username: admin
  admin_password: {admin_password}
"""


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says in one line what to change."""


def resolve_config_path(argument: str | None = None) -> Path:
    """Choose the file: the argument, else `EXAMPLE_APP_CONFIG`, else `config.yaml` (generated).

    A file that somebody named must exist; only the default one is generated.
    """
    named = argument or os.environ.get(CONFIG_VARIABLE)
    if named is None:
        try:
            generate_config(DEFAULT_CONFIG)
        except OSError as error:
            reason = f"{DEFAULT_CONFIG.resolve()} cannot be written: {error.strerror}"
            raise ConfigurationError(reason) from None
        return DEFAULT_CONFIG
    path = Path(named)
    if not path.is_file():
        raise ConfigurationError(f"configuration file {path} does not exist")
    return path


def generate_config(path: Path) -> bool:
    """Write a configuration with fresh secrets unless there is one; tell whether it was written.

    The file appears under its name only when complete, readable by its owner alone. When several
    workers start at once, the first to link it wins and all others read that one.
    """
    if path.exists():
        return False
    text = TEMPLATE.format(
        jwt_secret=secrets.token_urlsafe(48), admin_password=secrets.token_urlsafe(15)
    )
    # A name that nobody has: in containers, the process that crashed before had the same id.
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True


def load_settings(path: Path) -> Settings:
    """Read and validate the configuration, or raise `ConfigurationError`."""

    class FileSettings(Settings):
        """The settings, bound to one file."""

        model_config = SettingsConfigDict(yaml_file=path)

    try:
        return FileSettings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"{path}: {problems}") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{path} cannot be read: {reason}") from None
    except (SettingsError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{path} is not a mapping of settings: {reason}") from None


def load_settings_or_exit(argument: str | None = None) -> Settings:
    """Load the settings; on failure print one line to stderr and exit with status 2."""
    try:
        return load_settings(resolve_config_path(argument))
    except ConfigurationError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """End the process as a command does that was called wrongly."""
    print(f"example_app: {message}", file=sys.stderr)
    raise SystemExit(2)
