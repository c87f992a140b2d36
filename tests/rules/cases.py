"""The fixtures as data: files with settings, and the findings that their markers announce.

`fixtures/README.md` describes the format.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import tokenize
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.config import TABLE, option_fields
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.rules.base import Rule

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
DEFAULT_NAME = "example.py"
#: The rows of the matrix that a header may switch off with `# far-skip: ROW reason`.
ROWS = (
    "everything", "module-alias", "name-alias", "re-export", "star", "type-checking",
    "crlf", "tabs", "bom", "non-ascii", "flake8", "noqa", "fix", "comments", "judge", "schema",
)  # fmt: skip

_CODE = re.compile(r"(FAR[0-9]{3})(?:@(-?[0-9]+))?")
_MARKER = re.compile(r"#\s*(FAR[0-9]{3}\b.*)$")
_CARETS = re.compile(r"^\s*#(?=[ ^])[ ^]*\^[ ^]*(FAR[0-9]{3}\b.*)?$")
_HEADER = re.compile(r"^# far(-judge|-skip)?:\s*(.*)$")


class FormatError(Exception):
    """A fixture that does not follow the format."""


@dataclass(frozen=True, slots=True, order=True)
class Expectation:
    """A finding that a marker announces.

    Parameters:
        line: the 1-based line.
        code: the code.
        message: a part of the message, if the marker gives one.
        columns: the 0-based first column and the column behind the last, if carets give them.
    """

    line: int
    code: str
    message: str = ""
    columns: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What FastAPI is expected to do with a fixture.

    Parameters:
        kind: `imports`, `import-fails`, `openapi-fails`, `warns` or `skip`.
        names: exception or warning classes of which one is expected.
        text: a part of the message, or the reason to skip.
    """

    kind: str
    names: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Header:
    """What the comment lines at the top of a file (or `case.toml`) say."""

    options: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    skips: Mapping[str, str] = field(default_factory=dict)

    @property
    def select(self) -> tuple[str, ...]:
        """The codes to run, if the header names them."""
        return tuple(_listed(self.options.get("select", ())))

    @property
    def filename(self) -> str:
        """The path under which the linter sees the file."""
        return str(self.options.get("filename", DEFAULT_NAME))


@dataclass(frozen=True)
class Case:
    """One or more files that are checked together.

    Parameters:
        name: such as `FAR101/flagged_factory`.
        files: relative path to text.
        select: the codes that run.
        header: its settings.
        origin: where the case stands in the repository; a file or a folder.
    """

    name: str
    files: Mapping[str, str]
    select: tuple[str, ...]
    header: Header
    origin: Path

    def __str__(self) -> str:
        return self.name

    @cached_property
    def expectations(self) -> dict[str, list[Expectation]]:
        """What the markers announce, by file; files without markers are left out."""
        found = {path: list(markers_of(text)) for path, text in self.files.items()}
        return {path: sorted(expected) for path, expected in found.items() if expected}

    @property
    def rules(self) -> list[type[Rule]]:
        """The selected rules that exist."""
        return [rule for rule in all_rules() if rule.code in self.select]

    @property
    def is_flagged(self) -> bool:
        """Whether any finding is expected."""
        return bool(self.expectations)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """The settings by their keys, with the profile of the rules unless one is given."""
        options = {f.name.replace("_", "-"): f for f in option_fields()}
        values: dict[str, Any] = {"profile": self._default_profile()}
        for short, value in self.header.options.items():
            if short in ("select", "filename", "fixes"):
                continue
            key = {"fastapi": "fastapi-version", "starlette": "starlette-version"}.get(short, short)
            if key not in options:
                raise FormatError(f"{self.origin}: unknown setting {short!r} in the header")
            values[key] = _converted(options[key].metadata["kind"], value)
        return {**values, **{key.replace("_", "-"): value for key, value in changes.items()}}

    def _default_profile(self) -> str:
        profiles = {profile for rule in self.rules for profile in rule.profiles}
        excluded = {profile for rule in self.rules for profile in rule.not_in}
        for profile in ("recommended", "strict", "clean-architecture"):
            if profile in profiles and profile not in excluded:
                return profile
        return "recommended"

    def skipped(self, row: str) -> str | None:
        """Why the case opts out of a row of the matrix; `None` if it does not."""
        return self.header.skips.get(row)

    def with_files(self, files: Mapping[str, str], suffix: str) -> Case:
        """The same case with other texts."""
        return replace(self, name=f"{self.name}[{suffix}]", files=dict(files))

    def write(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Write the files into `folder`, which becomes the root of a project of its own."""
        (folder / ".git").mkdir(parents=True, exist_ok=True)
        given = self.files.get("pyproject.toml", '[project]\nname = "case"\n')
        lines = [f"{key} = {_toml(value)}" for key, value in settings.items()]
        table = "\n".join([f"\n[tool.{TABLE}]", *lines, ""])
        for path, text in {**self.files, "pyproject.toml": given + table}.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())


def markers_of(text: str) -> Iterator[Expectation]:
    """The findings that the marker comments of `text` announce."""
    lines = text.split("\n")
    comments = _comments(text)
    for number, line in enumerate(lines, 1):
        column = comments.get(number)
        if column is not None and _CARETS.match(line):
            continue
        marker = _MARKER.match(line[column:]) if column is not None else None
        items = list(_items(marker[1])) if marker else []
        carets: list[tuple[int, int]] = []
        for below in range(number + 1, len(lines) + 1):
            found = _CARETS.match(lines[below - 1]) if below in comments else None
            if not found:
                break
            carets += _caret_columns(lines[below - 1])
            items += _items(found[1]) if found[1] else ()
        if carets and len(carets) != len(items):
            raise FormatError(f"line {number}: {len(carets)} caret groups, {len(items)} codes")
        for index, (offset, code, message) in enumerate(items):
            columns = carets[index] if carets else None
            yield Expectation(number + offset, code, message, columns)


def _items(text: str) -> Iterator[tuple[int, str, str]]:
    """Split `FAR101: part FAR102@-2` into offsets of lines, codes and parts of messages."""
    for part in re.split(r"[\s,;]+(?=FAR[0-9]{3}\b)", text.strip()):
        code, _, message = part.partition(":")
        match = _CODE.fullmatch(code.strip())
        if not match:
            raise FormatError(f"bad marker {part!r}")
        yield int(match[2] or 0), match[1], message.strip()


def _caret_columns(line: str) -> list[tuple[int, int]]:
    """The columns of the groups of carets; a `#` right before the first caret belongs to it."""
    groups = [match.span() for match in re.finditer(r"\^+", line)]
    first, last = groups[0]
    if line[first - 1] == "#":
        groups[0] = (first - 1, last)
    return groups


def _comments(text: str) -> dict[int, int]:
    """The 1-based line and 0-based column of every comment."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        found = ((number, line.find("#")) for number, line in enumerate(text.split("\n"), 1))
        return {number: column for number, column in found if column >= 0}
    return {token.start[0]: token.start[1] for token in tokens if token.type == tokenize.COMMENT}


def without_markers(text: str) -> str:
    """The text without markers, caret lines and header: what an author would have written."""
    kept: list[str] = []
    comments = _comments(text)
    in_header = True
    for number, line in enumerate(text.split("\n"), 1):
        in_header = in_header and bool(_HEADER.match(line))
        column = comments.get(number)
        if in_header or (column is not None and _CARETS.match(line)):
            continue
        if column is not None and _MARKER.match(line[column:]):
            line = line[:column].rstrip()
        kept.append(line)
    return "\n".join(kept)


def header_of(text: str) -> Header:
    """Read the header lines of a file."""
    options: dict[str, Any] = {}
    verdict: Verdict | None = None
    skips: dict[str, str] = {}
    for line in text.split("\n"):
        match = _HEADER.match(line)
        if not match:
            break
        kind, rest = match.groups()
        if kind == "-judge":
            verdict = verdict_of(rest)
        elif kind == "-skip":
            row, _, reason = rest.partition(" ")
            _add_skip(skips, row, reason)
        else:
            for item in shlex.split(rest):
                key, equals, value = item.partition("=")
                if not equals:
                    raise FormatError(f"header item {item!r} is not KEY=VALUE")
                options[key] = value
    return Header(options, verdict, skips)


def verdict_of(text: str) -> Verdict:
    """Read `import-fails TypeError: part of the message` and its like."""
    kind, _, rest = text.strip().partition(" ")
    if kind not in ("imports", "import-fails", "openapi-fails", "warns", "skip"):
        raise FormatError(f"unknown verdict {kind!r}")
    if kind == "skip":
        if not rest.strip():
            raise FormatError("a skipped judge needs a reason")
        return Verdict(kind, (), rest.strip())
    names, _, part = rest.partition(":")
    return Verdict(kind, tuple(names.split()), part.strip())


def _add_skip(skips: dict[str, str], row: str, reason: str) -> None:
    if row not in ROWS:
        raise FormatError(f"unknown row {row!r}; rows: {', '.join(ROWS)}")
    if not reason.strip():
        raise FormatError(f"skipping {row!r} needs a reason")
    skips[row] = reason.strip()


def _listed(value: str | Iterable[str]) -> list[str]:
    return value.split(",") if isinstance(value, str) else list(value)


def _converted(kind: str, value: Any) -> Any:
    """A value of a one-line header in the type that the setting wants."""
    if not isinstance(value, str):
        return value
    if kind == "strings":
        return value.split(",")
    return int(value) if kind == "integer" else value


def _toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, Mapping):
        items = (f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items())
        return "{ " + ", ".join(items) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


@cache
def rule_cases() -> tuple[Case, ...]:
    """Every `flagged*.py` and `clean*.py` of every rule."""
    cases = []
    for path in sorted((FIXTURES / "rules").glob("*/*.py")):
        if path.stem.split("_")[0] in ("flagged", "clean"):
            cases.append(read_case(path))
    return tuple(cases)


def read_case(path: Path) -> Case:
    """Read one file of `fixtures/rules`."""
    text = path.read_bytes().decode()
    code = path.parent.name
    try:
        header = header_of(text)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    name = f"{code}/{path.stem}"
    return Case(name, {header.filename: text}, header.select or (code,), header, path)


def fixed_twin(case: Case) -> Case | None:
    """The `fixed*.py` that belongs to a `flagged*.py`, under the settings of the latter."""
    path = case.origin.with_name(case.origin.name.replace("flagged", "fixed", 1))
    if not case.origin.name.startswith("flagged") or not path.exists():
        return None
    twin = read_case(path)
    (text,) = twin.files.values()
    header = replace(case.header, verdict=twin.header.verdict, skips=twin.header.skips)
    files = {case.header.filename: text}
    return replace(case, name=twin.name, files=files, header=header, origin=path)


@cache
def project_cases() -> tuple[Case, ...]:
    """Every folder of `fixtures/projects` that has a `case.toml`."""
    return tuple(read_project(path) for path in sorted((FIXTURES / "projects").glob("*/case.toml")))


def read_project(path: Path) -> Case:
    """Read a project by its `case.toml`."""
    table = tomllib.loads(path.read_text())
    skips: dict[str, str] = {}
    for row, reason in table.pop("skip", {}).items():
        _add_skip(skips, row, reason)
    verdict = table.pop("judge", None)
    header = Header(table, verdict_of(verdict) if verdict else None, skips)
    folder = path.parent
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes().decode()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != path and "__pycache__" not in file.parts
    }
    if not header.select:
        raise FormatError(f"{path}: `select` is missing")
    return Case(f"projects/{folder.name}", files, header.select, header, path)


def difference(case: Case, findings: Mapping[str, list[Finding]]) -> str:
    """What is missing and what is too much; empty when the findings are as announced.

    Parameters:
        case: the case.
        findings: by relative path.
    """
    report: list[str] = []
    for path, text in case.files.items():
        lines = text.split("\n")
        left = sorted(findings.get(path, ()))
        missing: list[Expectation] = []
        # The precise markers choose first when several stand on one line.
        expectations = case.expectations.get(path, ())
        for expected in sorted(expectations, key=lambda e: (not e.message, not e.columns)):
            match = next((found for found in left if _mismatch(expected, found) == ""), None)
            if match is None:
                missing.append(expected)
            else:
                left.remove(match)
        for expected in sorted(missing):
            near = next((found for found in left if _mismatch(expected, found)), None)
            why = _mismatch(expected, near) if near else "not reported"
            if near:
                left.remove(near)
            report.append(
                f"{path}:{expected.line}: expected {expected.code}: {why}\n"
                f"    {lines[expected.line - 1].strip()}"
            )
        for found in left:
            shown = lines[found.line - 1].strip() if found.line <= len(lines) else "(no such line)"
            report.append(
                f"{path}:{found.line}:{found.column}: not expected: {found.code} {found.message}\n"
                f"    {shown}"
            )
    for path in findings.keys() - case.files.keys():
        report += [f"{path}: not expected: {found}" for found in findings[path]]
    return "\n".join(report)


def _mismatch(expected: Expectation, found: Finding) -> str | None:
    """`""` when they match, `None` when they are unrelated, else what differs."""
    if (expected.line, expected.code) != (found.line, found.code):
        return None
    if expected.message not in found.message:
        return f"message {found.message!r} lacks {expected.message!r}"
    if expected.columns is not None:
        start, end = expected.columns
        where = found.range
        found_end = where.end_column if where.end_line == where.line else end
        if (where.column, found_end) != (start, end):
            return f"columns {where.column}-{found_end} instead of {start}-{end}"
    return ""
