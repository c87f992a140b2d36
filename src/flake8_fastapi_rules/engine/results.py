"""What a run over files gives: findings, files that could not be checked, fixes with positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flake8_fastapi_rules.engine.findings import Finding, Safety, Unfixable
from flake8_fastapi_rules.engine.source import Source


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A file that could not be checked.

    Parameters:
        path: the file, as it was named.
        line, column: where, 1-based and 0-based; `0` when the place is not known.
        message: what is wrong.
    """

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f":{self.line}:{self.column + 1}" if self.line else ""
        return f"{self.path}{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class PlacedEdit:
    """A text edit by positions: lines 1-based, columns 0-based characters."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class PlacedFix:
    """A fix whose edits are given by positions."""

    title: str
    safety: Safety
    edits: tuple[PlacedEdit, ...]


@dataclass(slots=True)
class Results:
    """What was found.

    Parameters:
        findings: sorted by path and place.
        problems: files that could not be checked.
        fixes: the fixes of findings, as far as they were computed.
        unfixable: why a finding has no fix although its rule has, as far as that was computed.
        files: the number of files that were checked.
        sources: texts that cannot be read again, such as standard input.
        hidden: findings that a baseline holds back.
    """

    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    fixes: dict[Finding, PlacedFix] = field(default_factory=dict)
    unfixable: dict[Finding, str] = field(default_factory=dict)
    files: int = 0
    sources: dict[str, Source] = field(default_factory=dict)
    hidden: int = 0

    def add(self, other: Results) -> None:
        """Take in the results for further files."""
        self.findings += other.findings
        self.problems += other.problems
        self.fixes.update(other.fixes)
        self.unfixable.update(other.unfixable)
        self.files += other.files
        self.sources.update(other.sources)

    def statistics(self) -> Mapping[str, int]:
        """How many findings each code has, by code."""
        counts: dict[str, int] = {}
        for finding in self.findings:
            counts[finding.code] = counts.get(finding.code, 0) + 1
        return dict(sorted(counts.items()))


def placed_fix(source: Source, finding: Finding) -> PlacedFix | None:
    """Compute the fix of a finding in `source`, if its rule has one.

    Raises:
        Unfixable: with the reason, when this case has none.
    """
    if finding.make_fix is None:
        if finding.unfixable:
            raise Unfixable(finding.unfixable)
        return None
    fix = finding.make_fix()
    edits = tuple(
        PlacedEdit(*source.position(edit.start), *source.position(edit.end), edit.text)
        for edit in sorted(fix.edits)
    )
    return PlacedFix(fix.title, fix.safety, edits)
