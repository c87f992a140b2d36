"""Known findings, kept in a file so that only new ones are reported.

An entry names the file, the code and the text of the line, not its number: it still fits after
code has moved. As many findings are hidden as the baseline counts for such a line.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Source

_VERSION = 1

SourceOf = Callable[[str], Source | None]
Key = tuple[str, str, str]


class BaselineError(Exception):
    """A baseline file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known findings.

    Parameters:
        folder: what paths in the file are relative to: where it lies.
        counts: how many findings are known for a path, code and line text.
    """

    folder: Path
    counts: Counter[Key]

    @classmethod
    def of(cls, file: Path, findings: Iterable[Finding], source_of: SourceOf) -> Baseline:
        """The baseline that hides `findings`, to be written to `file`."""
        folder = Path(os.path.abspath(file)).parent
        keys = (_key(folder, f, source_of) for f in findings if f.code != INTERNAL_ERROR)
        return cls(folder, Counter(keys))

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """Read a baseline file.

        Raises:
            BaselineError: when it cannot be read or is not one.
        """
        try:
            document = json.loads(file.read_text("utf-8"))
            if document["version"] != _VERSION:
                raise BaselineError(f"{file}: made by another version, write it anew")
            counts: Counter[Key] = Counter()
            for path, entries in document["findings"].items():
                for entry in entries:
                    key = (str(path), str(entry["code"]), str(entry["line"]))
                    counts[key] += int(entry.get("count", 1))
        except OSError as error:
            raise BaselineError(f"{file}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BaselineError(f"{file}: not a baseline file") from error
        return cls(Path(os.path.abspath(file)).parent, counts)

    def write(self, file: Path) -> None:
        """Write the file, sorted, so that its changes are easy to read.

        Raises:
            BaselineError: when it cannot be written.
        """
        findings: dict[str, list[dict[str, object]]] = {}
        for (path, code, line), count in sorted(self.counts.items()):
            entry: dict[str, object] = {"code": code, "line": line}
            if count > 1:
                entry["count"] = count
            findings.setdefault(path, []).append(entry)
        text = json.dumps({"version": _VERSION, "findings": findings}, indent=1) + "\n"
        try:
            if file.exists() and not file.is_file():  # a device or a pipe stays what it is
                file.write_text(text, "utf-8")
                return
            place = Path(os.path.realpath(file))  # and so does a symbolic link
            temporary = place.with_name(f".{place.name}.tmp")
            try:
                temporary.write_text(text, "utf-8")
                temporary.replace(place)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise BaselineError(f"{file}: {error.strerror}") from error

    def unknown(
        self, findings: Iterable[Finding], source_of: SourceOf
    ) -> tuple[list[Finding], list[Finding]]:
        """The findings that the baseline does not know, and those that it hides."""
        left = self.counts.copy()
        new: list[Finding] = []
        hidden: list[Finding] = []
        for finding in findings:
            key = _key(self.folder, finding, source_of)
            if left[key] > 0:
                left[key] -= 1
                hidden.append(finding)
            else:
                new.append(finding)
        return new, hidden


def _key(folder: Path, finding: Finding, source_of: SourceOf) -> Key:
    source = source_of(finding.path)
    lines = source.lines if source else []
    line = lines[finding.line - 1] if finding.line <= len(lines) else ""
    path = os.path.relpath(os.path.abspath(finding.path), folder)
    return PurePath(path).as_posix(), finding.code, " ".join(line.split())
