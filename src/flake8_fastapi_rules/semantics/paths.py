"""Paths as Starlette matches them: converters, patterns, and which paths hide which."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")

#: The regular expressions of Starlette's converters.
CONVERTERS: dict[str, str] = {
    "str": "[^/]+",
    "path": ".*",
    "int": "[0-9]+",
    "float": r"[0-9]+(\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
}


@dataclass(frozen=True, slots=True)
class PathParameter:
    """One `{name:converter}` of a path."""

    name: str
    converter: str


def names_in(path: str) -> tuple[str, ...]:
    """The names of a path's parameters, in order."""
    return tuple(match.group(1) for match in _PARAMETER.finditer(path))


def parameters_in(path: str) -> tuple[PathParameter, ...]:
    """The parameters of a path, in order."""
    return tuple(
        PathParameter(match.group(1), (match.group(2) or ":str")[1:])
        for match in _PARAMETER.finditer(path)
    )


def format_of(path: str) -> str:
    """The path without converters: Starlette's `path_format`."""
    return _PARAMETER.sub(lambda match: "{" + match.group(1) + "}", path)


def pattern_of(path: str) -> str | None:
    """The path with parameter names erased, so that equal patterns match the same paths.

    `None` when a converter is not one of Starlette's own.
    """
    if any(parameter.converter not in CONVERTERS for parameter in parameters_in(path)):
        return None
    return _PARAMETER.sub(lambda match: "{" + (match.group(2) or ":str") + "}", path)
