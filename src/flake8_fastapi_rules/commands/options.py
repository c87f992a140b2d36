"""Options that several subcommands share, and the linter that they ask for."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from flake8_fastapi_rules.config import (
    CHOOSABLE_PROFILES,
    ConfigError,
    Layer,
    SettingsLoader,
    flake8_layer,
    split_list,
)
from flake8_fastapi_rules.linter import Flake8Choices, Linter, check_selectors, normalized


def add_paths(parser: argparse.ArgumentParser, text: str = "files or directories") -> None:
    """Add `[PATH ...]`, by default the current directory."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", default=["."], help=f"{text} (default: .)"
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose rules and settings."""
    group = parser.add_argument_group("rules and settings")
    group.add_argument("--profile", choices=CHOOSABLE_PROFILES, help="the set of rules")
    for name, text in (
        ("select", "run only these rules (codes, prefixes or names)"),
        ("enable", "switch these on besides the profile"),
        ("disable", "switch these off"),
    ):
        group.add_argument(f"--{name}", action="append", metavar="RULES", help=text)
    group.add_argument("--fastapi-version", metavar="VERSION", help="the oldest FastAPI supported")
    group.add_argument("--src", action="append", metavar="DIR", help="where top packages lie")
    group.add_argument("--exclude", action="append", metavar="GLOBS", help="leave these out")
    group.add_argument(
        "--isolated", action="store_true", help="read no configuration file and no requirements"
    )


def listed(values: list[str] | None) -> tuple[str, ...]:
    """The items of an option that may be repeated and may hold lists."""
    return tuple(item for value in values or () for item in split_list(value))


def make_loader(
    arguments: argparse.Namespace, *, select_restricts: bool = True
) -> tuple[SettingsLoader, Linter]:
    """The settings loader and the linter that the options and flake8's file ask for.

    Parameters:
        select_restricts: `--select` lets no other rule run; else it only switches rules on.

    Raises:
        ConfigError: for a mistake in them.
    """
    given: dict[str, object] = {}
    for key in ("profile", "fastapi_version"):
        if (value := getattr(arguments, key)) is not None:
            given[key.replace("_", "-")] = value
    for key in ("enable", "disable", "src", "exclude"):
        if (value := getattr(arguments, key)) is not None:
            given[key] = listed(value)
    for folder in listed(arguments.src):
        if not os.path.isdir(folder):
            raise ConfigError(f"no such directory: `{folder}`", "--src")
    layers = [Layer("command line", given)]
    also: tuple[str, ...] = ()
    choices = Flake8Choices()
    if not arguments.isolated:
        layer, section = flake8_layer(Path.cwd())
        if layer is not None:
            layers.append(layer)
            selected, ignored = (
                tuple(
                    code
                    for key in keys
                    for code in split_list(section.get(key, ""))
                    if code.startswith("FAR")
                )
                for keys in (("select", "extend-select"), ("ignore", "extend-ignore"))
            )
            given_to_flake8 = {*split_list(section.get("select", ""))}
            # Who names none of our codes there and runs `far` wants them all the same.
            restricted = bool(selected and given_to_flake8 and not arguments.select)
            restricted = restricted and given_to_flake8.isdisjoint({"F", "FA", "FAR"})
            choices = Flake8Choices(selected, ignored, per_file_ignores(section), restricted)
            also = selected
    loader = SettingsLoader(layers, isolated=arguments.isolated)
    select = listed(arguments.select)
    linter = Linter(loader, only=select if select_restricts else (), choices=choices)
    check_selectors(select, linter.rules, "command line")
    linter.enable_also((*also, *map(normalized, select)))
    return loader, linter


def per_file_ignores(section: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Flake8's `per-file-ignores`, as far as they speak of our codes."""
    text = section.get("per-file-ignores", "") if isinstance(section, dict) else ""
    pairs: list[tuple[str, tuple[str, ...]]] = []
    globs: list[str] = []
    codes: list[str] = []
    in_codes = False
    for word in text.replace(",", " ").replace(":", " : ").split():
        if word == ":":
            in_codes = True
        elif in_codes and word[0].isupper() and word.isalnum():
            codes.append(word)
        else:
            if in_codes:
                pairs += [(glob, tuple(codes)) for glob in globs]
                globs, codes, in_codes = [], [], False
            globs.append(os.path.abspath(word) if "/" in word else word)
    pairs += [(glob, tuple(codes)) for glob in globs]
    ours = ((glob, tuple(c for c in found if c.startswith("FAR"))) for glob, found in pairs)
    return tuple((glob, found) for glob, found in ours if found)
