"""`far config`: the settings that hold for a path, and where they come from."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from flake8_fastapi_rules.commands import status
from flake8_fastapi_rules.commands.options import add_settings, make_loader
from flake8_fastapi_rules.config import display_path, key_of, option_fields

HELP = "show the settings that hold for a path"
DESCRIPTION = "Show every setting that holds for a file or directory, and where it comes from."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="default: .")
    add_settings(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Print the settings."""
    _, linter = make_loader(arguments)
    configuration = linter.configuration(arguments.path)
    settings, origins = configuration.settings, configuration.origins
    rows = {
        key_of(option.name): (
            _plain(option.metadata["kind"], getattr(settings, option.name)),
            origins[option.name],
        )
        for option in option_fields()
    }
    is_file = not os.path.isdir(arguments.path)
    codes = [rule.code for rule in linter.rules_for(arguments.path)]
    if arguments.format == "json":
        document = {
            "path": arguments.path,
            "root": settings.root,
            "file": str(configuration.file) if configuration.file else None,
            "settings": {key: {"value": v, "origin": o} for key, (v, o) in rows.items()},
            "is_test": is_file and settings.is_test_path(arguments.path),
            "rules": codes,
        }
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return status.CLEAN
    found = display_path(configuration.file) if configuration.file else "none found"
    print(f"settings for {arguments.path}")
    print(f"project: {settings.root}")
    print(f"pyproject.toml with [tool.flake8-fastapi-rules]: {found}\n")
    width = max(map(len, rows))
    for key, (value, origin) in rows.items():
        print(f"{key:{width}} = {_toml(value)}  # {origin}")
    if is_file and settings.is_test_path(arguments.path):
        print("\na test file: conventions are not checked")
    print(f"\n{len(codes)} rules are on: {' '.join(codes)}")
    return status.CLEAN


def _plain(kind: str, value: Any) -> Any:
    if kind == "version":
        return "newest" if value is None else ".".join(map(str, value))
    if isinstance(value, Mapping):
        return {k: list(v) if isinstance(v, tuple) else v for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    """A value as it would be written in TOML."""
    if isinstance(value, dict):
        items = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{ {items} }}" if items else "{}"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if key.isidentifier() else json.dumps(key)
