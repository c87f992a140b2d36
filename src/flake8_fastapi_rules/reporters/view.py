"""What reporters know besides the findings: rules, texts, colours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.rules.base import Rule

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True)
class View:
    """What a reporter may use.

    Parameters:
        version: of this package.
        rules: code to rule.
        color: whether escape codes for colours may be written.
        sources: texts at hand, by path; others are read again from their files.
    """

    version: str
    rules: Mapping[str, type[Rule]]
    color: bool = False
    sources: dict[str, Source | None] = field(default_factory=dict)

    def source(self, path: str) -> Source | None:
        """The text behind a path, `None` when it cannot be read any more."""
        if path not in self.sources:
            try:
                self.sources[path] = Source.from_bytes(path, Path(path).read_bytes())
            except (OSError, SourceError, ValueError):
                self.sources[path] = None
        return self.sources[path]

    def rule_name(self, code: str) -> str:
        """The name of a rule; crashes of the linter have one too."""
        rule = self.rules.get(code)
        return rule.name() if rule else "internal-error"

    def is_error(self, code: str) -> bool:
        """Whether findings of `code` are bugs rather than conventions."""
        rule = self.rules.get(code)
        return rule is None or rule.is_bug

    def summary(self, code: str) -> str:
        """The first line of a rule's documentation."""
        rule = self.rules.get(code)
        return rule.documentation().summary if rule else "The linter itself failed."


def printable(text: str) -> str:
    """`text` on one line and without characters that steer a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def posix(path: str) -> str:
    """A path with forward slashes, without a leading `./`."""
    return PurePath(path).as_posix()
