"""Draw findings for a human verdict, and compute precision from the verdicts.

    python benchmarks/sample.py draw PROJECT... [--codes FAR2] [--size 40] [--seed 0] > sample.md
    python benchmarks/sample.py score VERDICTS.csv PROJECT...

`draw` lints the projects and prints up to SIZE findings of each rule, chosen at random with a
fixed seed, with their source and a checkbox each. Verdicts are kept in a CSV file with the columns
`code`, `place` (as the sample prints it), `verdict` (`right` or `wrong`) and `note`; `draw --csv
FILE` adds the places that have no verdict yet. `score` prints precision by rule and findings per
1,000 lines.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.semantics.modules import python_files

CONTEXT = 4
VERDICTS = ("right", "wrong")


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a project.

    Parameters:
        project: the project's name.
        path: the file below the project's folder.
        finding: the finding.
    """

    project: str
    path: str
    finding: Finding

    @property
    def place(self) -> str:
        """Where it is, in words that are the same on every machine."""
        return f"{self.project}/{self.path}:{self.finding.line}:{self.finding.column + 1}"


@dataclass(frozen=True, slots=True)
class Project:
    """The findings in a project and its size in lines of Python."""

    name: str
    lines: int
    found: Sequence[Found]


def lint(root: Path, profile: str, codes: Sequence[str]) -> Project:
    """Lint a project as its users would, without its own configuration of the linter.

    Parameters:
        root: its folder.
        profile: the profile.
        codes: selectors of rules that run besides the profile's.
    """
    # Versions come from the project's own metadata, settings do not.
    layer = Layer("benchmark", {"profile": profile, "enable": list(codes)})
    linter = Linter(SettingsLoader([layer]))
    found: list[Found] = []
    lines = 0
    for path in python_files(root.resolve()):
        try:
            source = Source.from_bytes(str(path), path.read_bytes())
            findings = linter.check_text(source).findings
        except (SourceError, OSError):
            continue
        lines += sum(1 for line in source.lines if line.strip())
        relative = path.relative_to(root.resolve()).as_posix()
        found += [Found(root.resolve().name, relative, finding) for finding in findings]
    return Project(root.resolve().name, lines, found)


def drawn(found: Iterable[Found], size: int, seed: int) -> dict[str, list[Found]]:
    """Up to `size` findings of each rule; more findings elsewhere do not change a rule's draw."""
    by_code: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        by_code[each.finding.code].append(each)
    chosen = {}
    for code, candidates in sorted(by_code.items()):
        candidates.sort(key=lambda each: each.place)
        generator = random.Random(f"{seed} {code}")
        picked = candidates
        if len(candidates) > size:
            picked = sorted(generator.sample(candidates, size), key=lambda each: each.place)
        chosen[code] = picked
    return chosen


def shown(root: Path, found: Found, verdict: str) -> str:
    """A finding with its source, as a Markdown list item."""
    finding = found.finding
    box = {"right": "[x] right", "wrong": "[ ] WRONG"}.get(verdict, "[ ]")
    parts = [f"- {box} `{found.place}` {finding.message}"]
    parts += [f"  - {r.path}:{r.range.line}: {r.message}" for r in finding.related]
    lines = (root / found.path).read_text(errors="replace").splitlines()
    first = max(finding.line - 1 - CONTEXT, 0)
    last = min(max(finding.range.end_line, finding.line + CONTEXT), finding.line + 3 * CONTEXT)
    parts.append("\n  ```python")
    for number in range(first + 1, min(last, len(lines)) + 1):
        mark = ">" if number == finding.line else " "
        parts.append(f"  {mark}{number:5} {lines[number - 1]}")
    parts.append("  ```\n")
    return "\n".join(parts)


def read_verdicts(path: Path | None) -> dict[tuple[str, str], dict[str, str]]:
    """The verdicts of a CSV file by code and place."""
    if path is None or not path.exists():
        return {}
    with path.open(newline="") as file:
        return {(row["code"], row["place"]): row for row in csv.DictReader(file)}


def write_verdicts(path: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write verdicts, sorted."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["code", "place", "verdict", "note"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["code"], row["place"])))


def draw(options: argparse.Namespace) -> None:
    """Print a sample."""
    projects = {root.resolve().name: root.resolve() for root in options.projects}
    results = [lint(root, options.profile, options.codes) for root in projects.values()]
    found = [each for project in results for each in project.found]
    if options.codes:
        found = [each for each in found if each.finding.code.startswith(tuple(options.codes))]
    verdicts = read_verdicts(options.csv)
    for code, chosen in drawn(found, options.size, options.seed).items():
        total = sum(1 for each in found if each.finding.code == code)
        name = next((rule.name() for rule in all_rules() if rule.code == code), "internal error")
        print(f"## {code} {name}: {len(chosen)} of {total}\n")
        for each in chosen:
            row = verdicts.setdefault(
                (code, each.place), {"code": code, "place": each.place, "verdict": "", "note": ""}
            )
            print(shown(projects[each.project], each, row["verdict"]))
    if options.csv:
        write_verdicts(options.csv, verdicts.values())


def score(options: argparse.Namespace) -> None:
    """Print precision by rule, and how often each rule reports."""
    verdicts = read_verdicts(options.verdicts)
    bad = [row for row in verdicts.values() if row["verdict"] not in (*VERDICTS, "")]
    if bad:
        sys.exit(f"verdicts are {' and '.join(VERDICTS)}, not {bad[0]['verdict']!r}")
    judged = Counter((row["code"], row["verdict"]) for row in verdicts.values())
    projects = [lint(root, options.profile, ()) for root in options.projects]
    reported = Counter(each.finding.code for project in projects for each in project.found)
    lines = sum(project.lines for project in projects)
    print("| rule | name | findings | per 1,000 lines | judged | right | precision |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for rule in all_rules():
        right, wrong = judged[rule.code, "right"], judged[rule.code, "wrong"]
        if not (reported[rule.code] or right or wrong):
            continue
        precision = f"{right / (right + wrong):.0%}" if right + wrong else "-"
        rate = f"{reported[rule.code] / lines * 1000:.2f}" if lines else "-"
        print(
            f"| {rule.code} | {rule.name()} | {reported[rule.code]} | {rate} | {right + wrong} "
            f"| {right} | {precision} |"
        )
    right = sum(n for (_, verdict), n in judged.items() if verdict == "right")
    wrong = sum(n for (_, verdict), n in judged.items() if verdict == "wrong")
    rate = f"{sum(reported.values()) / lines * 1000:.2f}" if lines else "-"
    total = f"{right / (right + wrong):.0%}" if right + wrong else "-"
    print(f"| all | | {reported.total()} | {rate} | {right + wrong} | {right} | {total} |")
    print(
        f"\n{len(projects)} projects, {lines} lines that are not empty, profile {options.profile}"
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("draw", help="print a sample")
    one.add_argument("projects", nargs="+", type=Path)
    one.add_argument("--size", type=int, default=40)
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--codes", nargs="*", default=[], help="selectors; also switched on")
    one.add_argument("--csv", type=Path, help="verdicts to show and to extend")
    one.set_defaults(command=draw)
    two = commands.add_parser("score", help="print precision")
    two.add_argument("verdicts", type=Path)
    two.add_argument("projects", nargs="*", type=Path)
    two.set_defaults(command=score)
    for each in (one, two):
        each.add_argument("--profile", default="recommended")
    options = parser.parse_args()
    options.command(options)


if __name__ == "__main__":
    main()
