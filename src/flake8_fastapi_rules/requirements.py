"""Which versions of FastAPI and Starlette a project asks for, read from its own metadata."""

from __future__ import annotations

import ast
import configparser
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Version = tuple[int, ...]

#: FastAPI release from which a Starlette is the newest that it accepts (`None`: no upper bound).
#: From the `starlette` requirement in FastAPI's releases; the last release below each bound.
NEWEST_STARLETTE: tuple[tuple[Version, Version | None], ...] = (
    ((0, 0), (0, 20, 4)),
    ((0, 87), (0, 21)),
    ((0, 88), (0, 22)),
    ((0, 90), (0, 23, 1)),
    ((0, 91), (0, 24)),
    ((0, 92), (0, 25)),
    ((0, 94), (0, 26, 1)),
    ((0, 95, 2), (0, 27)),
    ((0, 107), (0, 28)),
    ((0, 108), (0, 32)),
    ((0, 109), (0, 35, 1)),
    ((0, 109, 2), (0, 36, 3)),
    ((0, 110, 1), (0, 37, 2)),
    ((0, 112, 1), (0, 38, 6)),
    ((0, 115, 2), (0, 40)),
    ((0, 115, 3), (0, 41, 3)),
    ((0, 115, 7), (0, 45, 3)),
    ((0, 115, 10), (0, 46, 2)),
    ((0, 116, 1), (0, 47, 3)),
    ((0, 116, 2), (0, 48)),
    ((0, 120, 1), (0, 49, 3)),
    ((0, 121, 3), (0, 50)),
    ((0, 128, 3), (0, 52, 1)),
    ((0, 133), None),
)

_REQUIREMENT = re.compile(
    r"^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*"
    r"\(?\s*(?P<bounds>(?:===|==|~=|>=|<=|!=|<|>)[^;#)]*)?"
)
#: How the names of the files and folders begin that `requirements_in` reads.
METADATA = ("pyproject.toml", "requirements", "requires.txt", "setup.cfg", "setup.py", "Pipfile")
_CLAUSE = re.compile(r"(===|==|~=|>=|<=|!=|<|>|\^|~)?\s*v?(\d+(?:\.\d+)*)(\.\*)?")


#: A part of a version that is larger than those of all releases.
_ANY = 99_999


@dataclass(frozen=True, slots=True)
class Bounds:
    """The releases that a requirement accepts.

    Parameters:
        lower: the oldest release, `None` when there is no lower bound.
        below: the first release that is too new, `None` when there is no upper bound.
    """

    lower: Version | None = None
    below: Version | None = None

    @property
    def supported(self) -> Version | None:
        """The release that must work: the oldest, else the newest; `None`: the newest of all."""
        if self.lower is not None or self.below is None:
            return self.lower
        parts = list(self.below)
        while parts and not parts[-1]:
            parts.pop()
        return (*parts[:-1], parts[-1] - 1, _ANY) if parts else None


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a project says of one distribution, and the file that says so."""

    bounds: Bounds
    file: Path


def parse_bounds(text: str) -> Bounds:
    """Read version clauses of PEP 440 (`>=0.100,<0.116`) or Poetry (`^0.115`, `~0.115.2`)."""
    lowers: list[Version] = []
    uppers: list[Version] = []
    for clause in text.split("||", maxsplit=1)[0].split(","):
        match = _CLAUSE.match(clause.strip())
        if not match:
            continue
        operator, digits, star = match.group(1) or "==", match.group(2), match.group(3)
        version = tuple(int(part) for part in digits.split("."))
        if operator in (">=", ">"):
            lowers.append(version)
        elif operator == "<":
            uppers.append(version)
        elif operator == "<=":
            uppers.append((*version, 1))
        elif operator in ("==", "==="):
            lowers.append(version)
            uppers.append(_next(version) if star else (*version, 1))
        elif operator == "~=":
            lowers.append(version)
            uppers.append(_next(version[:-1] or version))
        elif operator == "^":
            lowers.append(version)
            significant = next((i for i, part in enumerate(version) if part), len(version) - 1)
            uppers.append(_next(version[: significant + 1]))
        elif operator == "~":
            lowers.append(version)
            uppers.append(_next(version[:2]))
    return Bounds(max(lowers, default=None), min(uppers, default=None))


def _next(version: Version) -> Version:
    return (*version[:-1], version[-1] + 1)


def parse_requirement(text: str) -> tuple[str, Bounds] | None:
    """The normalised name and the bounds of a requirement line such as `fastapi[all]>=0.100`."""
    match = _REQUIREMENT.match(text)
    if not match:
        return None
    name = re.sub(r"[-_.]+", "-", match.group("name")).lower()
    return name, parse_bounds(match.group("bounds") or "")


def requirement_of(directory: Path, distribution: str) -> Requirement | None:
    """What the metadata in `directory` itself (not above it) asks of `distribution`.

    Files that cannot be read or parsed say nothing here; a broken `pyproject.toml` is reported by
    whoever reads the settings.
    """
    return requirements_in(directory).get(distribution)


def newest_starlette_of(fastapi: Bounds) -> Version | None:
    """The newest Starlette that such a FastAPI accepts; `None`: the newest of all."""
    if fastapi.below is None:
        return None
    newest: Version | None = None
    for first, starlette in NEWEST_STARLETTE:
        if first >= fastapi.below:
            break
        newest = starlette
    return newest


def regular_bytes(file: Path) -> bytes:
    """The bytes of a regular file: of a pipe with its name the end would never come.

    Raises:
        OSError: when it cannot be read or is something else.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(0, "not a regular file", str(file))
    return file.read_bytes()


def requirements_in(directory: Path) -> dict[str, Requirement]:
    """What the metadata in `directory` itself asks for, by normalised distribution name."""
    try:
        names = os.listdir(directory)
    except OSError:
        return {}
    if not any(name.startswith(METADATA) for name in names):
        return {}
    found: dict[str, Requirement] = {}
    for file, name, bounds in _entries(directory):
        known = found.get(name)
        if known is None or (known.bounds == Bounds() and bounds != Bounds()):
            found[name] = Requirement(bounds, file)
    return found


def _entries(directory: Path) -> Iterator[tuple[Path, str, Bounds]]:
    pyproject = directory / "pyproject.toml"
    try:
        metadata = tomllib.loads(regular_bytes(pyproject).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        metadata = {}
    for name, bounds in _pyproject_entries(metadata):
        yield pyproject, name, bounds
    yield from _pipfile_entries(directory / "Pipfile")
    files = [
        *sorted(directory.glob("requirements*.txt")),
        *sorted(directory.glob("requirements/*.txt")),
        *sorted(directory.glob("requires.txt")),
        *sorted(directory.glob("requirements*.in")),
        *sorted(directory.glob("requirements/*.in")),
    ]
    for file in files:
        try:
            lines = regular_bytes(file).decode("utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            if entry := parse_requirement(line):
                yield file, *entry
    yield from _setup_entries(directory / "setup.py")
    setup = directory / "setup.cfg"
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(regular_bytes(setup).decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError, OSError):
        return
    texts = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        texts += [text for _, text in parser.items("options.extras_require")]
    for text in texts:
        for line in text.splitlines():
            if entry := parse_requirement(line):
                yield setup, *entry


def _setup_entries(setup: Path) -> Iterator[tuple[Path, str, Bounds]]:
    """What `install_requires=[...]` of a `setup.py` names as literals; it is not executed."""
    try:
        tree = ast.parse(regular_bytes(setup))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "install_requires":
            for each in getattr(node.value, "elts", ()):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    if entry := parse_requirement(each.value):
                        yield setup, *entry


def _pipfile_entries(pipfile: Path) -> Iterator[tuple[Path, str, Bounds]]:
    try:
        metadata = tomllib.loads(regular_bytes(pipfile).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    for section in ("packages", "dev-packages"):
        for name, asked in _table(metadata.get(section)).items():
            version = asked.get("version") if isinstance(asked, dict) else asked
            bounds = version if isinstance(version, str) and version != "*" else ""
            if entry := parse_requirement(f"{name}{bounds}"):
                yield pipfile, *entry


def _pyproject_entries(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Bounds]]:
    project = _table(metadata.get("project"))
    if isinstance(python := project.get("requires-python"), str):
        yield "python", parse_bounds(python)
    lists = [project.get("dependencies")]
    lists += _table(project.get("optional-dependencies")).values()
    lists += _table(metadata.get("dependency-groups")).values()
    for items in lists:
        for item in items if isinstance(items, list) else ():
            if isinstance(item, str) and (entry := parse_requirement(item)):
                yield entry
    poetry = _table(_table(metadata.get("tool")).get("poetry"))
    tables = [_table(poetry.get("dependencies")), _table(poetry.get("dev-dependencies"))]
    for group in _table(poetry.get("group")).values():
        tables.append(_table(_table(group).get("dependencies")))
    for table in tables:
        for name, value in table.items():
            text = value.get("version") if isinstance(value, dict) else value
            if isinstance(text, str):
                yield re.sub(r"[-_.]+", "-", name).lower(), parse_bounds(text)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
