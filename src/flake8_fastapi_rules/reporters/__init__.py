"""How findings are written: for people, for CI systems, for other programs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TextIO

from flake8_fastapi_rules.engine.results import Results
from flake8_fastapi_rules.reporters.view import View

#: Format to the module and function that writes it; loaded when asked for.
FORMATS: Mapping[str, tuple[str, str]] = {
    "concise": ("text", "write_concise"),
    "full": ("text", "write_full"),
    "json": ("data", "write_json"),
    "sarif": ("sarif", "write_sarif"),
    "github": ("services", "write_github"),
    "gitlab": ("services", "write_gitlab"),
    "rdjson": ("services", "write_rdjson"),
    "junit": ("services", "write_junit"),
}

#: Formats that carry fixes, which are therefore computed.
WITH_FIXES = frozenset({"json", "sarif", "rdjson"})
#: Formats for people: only these may be followed by other lines on the same stream.
FOR_PEOPLE = frozenset({"concise", "full"})


def write(name: str, results: Results, stream: TextIO, view: View) -> None:
    """Write `results` in the format `name`."""
    module, function = FORMATS[name]
    getattr(importlib.import_module(f"{__name__}.{module}"), function)(results, stream, view)
