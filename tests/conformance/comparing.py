"""Compares our findings with the claims of other tools and their fixtures."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Literal

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules

#: What two reports must share to be about the same thing: the line, the innermost function (or,
#: outside of functions, the statement), or only the file.
Level = Literal["line", "unit", "file"]


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """What a peer says of a line: that its rule applies there."""

    path: Path
    line: int
    rule: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The files of a set and what the peer says of them.

    Parameters:
        files: all files, with the rules that they are about; where none of these rules is claimed
            the code is clean by the peer's word.
        claims: the peer's reports.
    """

    files: Mapping[Path, tuple[str, ...]]
    claims: Sequence[Claim]


@dataclass(frozen=True, slots=True)
class PeerSet:
    """Fixtures or projects with a peer's opinion of them.

    Parameters:
        name: what it is called in the table.
        rules: the peer's rules with our codes that cover them.
        read: makes the reading; gets the corpus folder and a folder for temporary files; `None`
            when the corpus lacks the set.
        both_ways: what we report and the peer does not is a difference too.
        level: how precisely reports must meet.
        settings: changes to our settings.
    """

    name: str
    rules: Mapping[str, tuple[str, ...]]
    read: Callable[[Path, Path], Reading | None]
    both_ways: bool = True
    level: Level = "unit"
    settings: Mapping[str, object] = field(default_factory=dict)

    def codes(self, rule: str) -> frozenset[str]:
        """Our codes for a rule of the peer, as far as the rules exist."""
        return frozenset(self.rules[rule]) & {each.code for each in all_rules()}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why we differ on purpose.

    Parameters:
        rule: the peer's rule.
        where: a regular expression that occurs in the line of the `def` (or of the statement).
        reason: what is true of the code, and how that is known.
        path: a glob for the file's path.
        kind: whether the peer reports what we do not (`silent`) or the other way round (`ours`).
    """

    rule: str
    where: str
    reason: str
    path: str = "*"
    kind: Literal["silent", "ours"] = "silent"

    def fits(self, rule: str, kind: str, place: Place) -> bool:
        """Whether it explains a difference."""
        return (
            (self.rule, self.kind) == (rule, kind)
            and fnmatch(str(place.path), self.path)
            and re.search(self.where, place.name) is not None
        )


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where reports meet: a line, function, statement or file, with a name for people."""

    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name}"


@dataclass(slots=True)
class Row:
    """How we compare on one rule of one set.

    Parameters:
        claimed: places that the peer reports; agreed: those of them that we report too.
        missing: claimed, not ours, not explained; surplus: ours, not claimed, not explained.
        explained: differences with their reasons.
        unread: claims in files that this Python cannot parse.
    """

    set_name: str
    rule: str
    codes: tuple[str, ...]
    claimed: int = 0
    agreed: int = 0
    unread: int = 0
    missing: list[Place] = field(default_factory=list)
    surplus: list[Place] = field(default_factory=list)
    explained: list[tuple[Place, Explanation]] = field(default_factory=list)


def compare(peers: PeerSet, reading: Reading, explanations: Sequence[Explanation]) -> list[Row]:
    """Compare on every rule of a set for which a rule of ours exists."""
    wanted = {rule: peers.codes(rule) for rule in peers.rules}
    codes = frozenset().union(*wanted.values())
    found = our_findings(reading.files, codes, peers.settings)
    rows = []
    for rule, ours in wanted.items():
        if not ours:
            continue
        row = Row(peers.name, rule, tuple(sorted(ours)))
        about = {path for path, rules in reading.files.items() if rule in rules}
        claims = [claim for claim in reading.claims if claim.rule == rule]
        readable = [claim for claim in claims if is_readable(claim.path)]
        row.unread = len(claims) - len(readable)
        claimed = {place_of(claim.path, claim.line, peers.level) for claim in readable}
        reported = {place_of(path, line, peers.level) for path, line, code in found if code in ours}
        row.claimed, row.agreed = len(claimed), len(claimed & reported)
        sort_out(row, "silent", sorted(claimed - reported), row.missing, explanations)
        if peers.both_ways:
            surplus = sorted(place for place in reported - claimed if place.path in about)
            sort_out(row, "ours", surplus, row.surplus, explanations)
        rows.append(row)
    return rows


def sort_out(
    row: Row, kind: str, places: list[Place], left: list[Place], table: Sequence[Explanation]
) -> None:
    """Divide differences into explained ones and the rest."""
    for place in places:
        reason = next((each for each in table if each.fits(row.rule, kind, place)), None)
        if reason:
            row.explained.append((place, reason))
        else:
            left.append(place)


def our_findings(
    files: Iterable[Path], codes: Iterable[str], settings: Mapping[str, object]
) -> list[tuple[Path, int, str]]:
    """Our findings of some codes: file, line, code."""
    hundreds = sorted({rule.code[:4] for rule in all_rules()})
    layer = Layer(
        "conformance",
        {
            "profile": "strict",
            "enable": sorted(codes),
            "disable": hundreds,
            "test-paths": [],
            **settings,
        },
    )
    linter = Linter(SettingsLoader([layer], isolated=True))
    found = []
    for path in files:
        try:
            findings = linter.check(Source.from_bytes(str(path), path.read_bytes()))
        except SourceError:
            continue
        found += [(path, finding.line, finding.code) for finding in findings]
    return found


def place_of(path: Path, line: int, level: Level) -> Place:
    """What a report on a line is about."""
    lines, units = _units(path)
    if level == "file":
        return Place(path, 1, path.stem)
    if level == "line":
        return Place(path, line, lines[line - 1].strip() if line <= len(lines) else "")
    best = max((unit for unit in units if unit[0] <= line <= unit[1]), default=None)
    if best is None:
        return Place(path, line, lines[line - 1].strip() if line <= len(lines) else "")
    return Place(path, best[0], best[2])


@cache
def is_readable(path: Path) -> bool:
    """Whether this Python can parse a file."""
    try:
        Source.from_bytes(str(path), path.read_bytes()).parse()
    except SourceError:
        return False
    return True


@cache
def _units(path: Path) -> tuple[list[str], list[tuple[int, int, str]]]:
    """The lines of a file, and its functions and statements outside of functions.

    A unit is its first and last line with a name; of nested ones the inner begins later.
    """
    source = Source.from_bytes(str(path), path.read_bytes())
    try:
        tree = source.parse()
    except SourceError:
        return source.lines, []
    units: list[tuple[int, int, str]] = []

    def visit(body: Iterable[ast.stmt], *, inside: bool) -> None:
        for node in body:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            end = node.end_lineno or node.lineno
            if is_function or not inside:
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                units.append((first, end, source.lines[node.lineno - 1].strip()))
            for child in ast.iter_child_nodes(node):
                nested = [child] if isinstance(child, ast.stmt) else getattr(child, "body", [])
                statements = nested if isinstance(nested, list) else []
                visit(
                    [each for each in statements if isinstance(each, ast.stmt)],
                    inside=inside or is_function,
                )

    visit(tree.body, inside=False)
    return source.lines, units
