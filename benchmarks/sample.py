"""Draw findings for a human verdict, and compute precision from the verdicts.

    python benchmarks/sample.py lint CORPUS --out findings.json [--only NAME...]
    python benchmarks/sample.py draw CORPUS findings.json [--codes FAR2] [--size 40] [--seed 0]
    python benchmarks/sample.py score findings.json > docs/precision.md

`lint` checks the projects of `benchmarks/projects.csv` below CORPUS (one folder `owner__name`
each, at the commit named there) with every rule switched on, each in a process of its own that is
started in the project's folder, as its users would. `draw` prints up to SIZE findings of each rule,
chosen at random with a fixed seed, with their source; findings that have a verdict are left out
with `--new`. `score` prints precision by rule and findings per 1,000 lines.

Verdicts are kept in `benchmarks/verdicts/*.csv`; see the README there.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.semantics.files import python_files

HERE = Path(__file__).parent
CONTEXT = 5
#: What a verdict may be, see benchmarks/verdicts/README.md.
VERDICTS = ("right", "true", "wrong")
#: Below this number of findings judged a percentage says nothing.
ENOUGH = 5
#: Rules of the strict profile that have to guess.
HEURISTIC = frozenset({"FAR318", "FAR613", "FAR617", "FAR711", "FAR716"})


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a project.

    Parameters:
        project: the project's name.
        path: the file below the project's folder.
        code, line, column, end, message: the finding; `end` is its last line.
        related: what it names elsewhere, one line each.
    """

    project: str
    path: str
    code: str
    line: int
    column: int
    end: int
    message: str
    related: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it is, in words that are the same on every machine."""
        return f"{self.project}/{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Linted:
    """All findings and the sizes of the projects, in lines of Python that are not empty."""

    found: Sequence[Found]
    lines: Mapping[str, int]


def lint_here(name: str, folders: Sequence[str]) -> dict[str, object]:
    """Lint the working directory with everything on, without its own settings of the linter.

    Parameters:
        name: the project's name.
        folders: the folders below that are checked; none for all.
    """
    root = Path.cwd()
    # Versions come from the project's own metadata, settings do not.
    everything = sorted({rule.code[:4] for rule in all_rules()})
    layer = Layer("benchmark", {"profile": "strict", "enable": everything})
    linter = Linter(SettingsLoader([layer]))
    found: list[Found] = []
    lines = 0
    for path in (p for folder in folders or ["."] for p in python_files(root / folder)):
        try:
            source = Source.from_bytes(str(path), path.read_bytes())
            findings = linter.check_text(source).findings
        except (SourceError, OSError):
            continue
        lines += sum(1 for line in source.lines if line.strip())
        relative = path.relative_to(root).as_posix()
        for each in findings:
            related = tuple(
                f"{os.path.relpath(r.path, root)}:{r.range.line}: {r.message}" for r in each.related
            )
            end = max(each.range.end_line, each.line)
            where = (each.line, each.column + 1, end)
            found.append(Found(name, relative, each.code, *where, each.message, related))
    return {"project": name, "lines": lines, "found": [asdict(each) for each in found]}


def projects_of(path: Path) -> list[dict[str, str]]:
    """The rows of the table of projects: project, commit, folders, style."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def lint(options: argparse.Namespace) -> None:
    """Lint the projects, each in a process of its own."""
    results = {}
    if options.out.exists():
        results = {each["project"]: each for each in json.loads(options.out.read_text())}
    for row in projects_of(options.projects):
        name = row["project"]
        if options.only and name not in options.only:
            continue
        folder = options.corpus.resolve() / name
        if not folder.is_dir():
            print(f"not in the corpus: {name}", file=sys.stderr)
            continue
        command = [sys.executable, str(Path(__file__).resolve()), "here", name]
        done = subprocess.run(
            [*command, *row["folders"].split()],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{name}: {done.stderr}")
        results[name] = json.loads(done.stdout)
        print(f"{name}: {len(results[name]['found'])}", file=sys.stderr)
        options.out.write_text(json.dumps(list(results.values())))


def read_findings(path: Path) -> Linted:
    """What `lint` wrote."""
    found: list[Found] = []
    lines = {}
    for project in json.loads(path.read_text()):
        lines[project["project"]] = project["lines"]
        for each in project["found"]:
            found.append(Found(**{**each, "related": tuple(each["related"])}))
    return Linted(found, lines)


def drawn(found: Iterable[Found], size: int, seed: int) -> dict[str, list[Found]]:
    """Up to `size` findings of each rule; more findings elsewhere do not change a rule's draw."""
    by_code: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        by_code[each.code].append(each)
    chosen = {}
    for code, candidates in sorted(by_code.items()):
        candidates.sort(key=lambda each: each.place)
        generator = random.Random(f"{seed} {code}")
        picked = candidates
        if len(candidates) > size:
            picked = sorted(generator.sample(candidates, size), key=lambda each: each.place)
        chosen[code] = picked
    return chosen


def shown(corpus: Path, found: Found, context: int) -> str:
    """A finding with its source."""
    parts = [f"- {found.code} `{found.place}` {found.message}"]
    parts += [f"  - {each}" for each in found.related]
    lines = (corpus / found.project / found.path).read_text(errors="replace").splitlines()
    first = max(found.line - 1 - context, 0)
    last = min(max(found.end, found.line + context), found.line + 3 * context)
    for number in range(first + 1, min(last, len(lines)) + 1):
        mark = ">" if number == found.line else " "
        parts.append(f"  {mark}{number:5} {lines[number - 1]}")
    return "\n".join(parts) + "\n"


def read_verdicts(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The verdicts of all files in a folder, by code and place."""
    verdicts = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["verdict"] not in VERDICTS:
                    sys.exit(f"{path}: verdicts are {', '.join(VERDICTS)}, not {row['verdict']!r}")
                verdicts[row["code"], row["place"]] = row
    return verdicts


def draw(options: argparse.Namespace) -> None:
    """Print a sample."""
    found = read_findings(options.findings).found
    codes = tuple(options.codes)
    found = [each for each in found if not codes or each.code.startswith(codes)]
    verdicts = read_verdicts(options.verdicts)
    for code, chosen in drawn(found, options.size, options.seed).items():
        total = sum(1 for each in found if each.code == code)
        name = next((rule.name() for rule in all_rules() if rule.code == code), "internal error")
        print(f"## {code} {name}: {len(chosen)} of {total}\n")
        for each in chosen:
            verdict = verdicts.get((code, each.place))
            if verdict and options.new:
                continue
            if verdict:
                print(f"[{verdict['verdict']}: {verdict['note']}]")
            print(shown(options.corpus, each, options.context))


def score(options: argparse.Namespace) -> None:
    """Print precision by rule, and how often each rule reports."""
    linted = read_findings(options.findings)
    reported = Counter(each.code for each in linted.found)
    places = {(each.code, each.place) for each in linted.found}
    total_lines = sum(linted.lines.values())
    verdicts = read_verdicts(options.verdicts)
    first: Counter[tuple[str, str]] = Counter()
    now: Counter[tuple[str, str]] = Counter()
    for (code, place), row in verdicts.items():
        first[code, row["verdict"]] += 1
        now[code, row["verdict"]] += (code, place) in places
    print((HERE / "precision_head.md").read_text())
    print(
        "| rule | name | profile | findings | per 1,000 lines | read | right | true only | wrong "
        "| precision at first reading | still reported: read | wrong | precision now |"
    )
    print("| --- | --- | --- " + "| ---: " * 10 + "|")
    below = []
    for rule in all_rules():
        code = rule.code
        profile = rule.profiles[0] if rule.profiles else "opt-in"
        if not reported[code] and not any(first[code, v] for v in VERDICTS):
            continue
        counts = [first[code, v] for v in VERDICTS]
        left = [now[code, v] for v in VERDICTS]
        wrong = left[2] + (left[1] if profile == "recommended" else 0)
        print(
            f"| {code} | {rule.name()} | {profile} | {reported[code]} "
            f"| {reported[code] / total_lines * 1000:.2f} | {sum(counts)} "
            f"| {counts[0]} | {counts[1]} | {counts[2]} | {precision(counts, profile)} "
            f"| {sum(left)} | {wrong} | {precision(left, profile)} |"
        )
        goal = 0.95 if profile == "recommended" else 0.90 if code in HEURISTIC else 0.97
        if sum(left) >= ENOUGH and 1 - wrong / sum(left) < goal:
            below.append(code)
    print(f"\n{len(linted.lines)} projects, {total_lines:,} lines of Python that are not empty,")
    print(f"{reported.total():,} findings with every rule on, {len(verdicts):,} of them judged.")
    print(f"\nBelow its goal with {ENOUGH} findings or more: {', '.join(below) or 'none'}.")
    silent = [r.code for r in all_rules() if not reported[r.code]]
    print(f"\nNo finding in any of these projects: {', '.join(silent)}.")
    print("\n| project | lines | findings | of `recommended` |\n| --- | ---: | ---: | ---: |")
    recommended = {rule.code for rule in all_rules() if "recommended" in rule.profiles}
    for project, lines in sorted(linted.lines.items()):
        here = [each for each in linted.found if each.project == project]
        count = sum(1 for each in here if each.code in recommended)
        print(f"| {project.replace('__', '/')} | {lines:,} | {len(here):,} | {count:,} |")


def precision(counts: Sequence[int], profile: str) -> str:
    """The share of findings that are right, or for other profiles than the default's true."""
    right, true, wrong = counts
    if not right + true + wrong:
        return "-"
    good = right if profile == "recommended" else right + true
    return f"{good / (right + true + wrong):.0%}"


def main() -> None:
    """Run from the command line."""
    if sys.argv[1:2] == ["here"]:
        json.dump(lint_here(sys.argv[2], sys.argv[3:]), sys.stdout)
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("lint", help="lint the projects")
    one.add_argument("corpus", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--projects", type=Path, default=HERE / "projects.csv")
    one.add_argument("--only", nargs="*", default=[], help="names of projects")
    one.set_defaults(command=lint)
    two = commands.add_parser("draw", help="print a sample")
    two.add_argument("corpus", type=Path)
    two.add_argument("findings", type=Path)
    two.add_argument("--size", type=int, default=40)
    two.add_argument("--seed", type=int, default=0)
    two.add_argument("--context", type=int, default=CONTEXT)
    two.add_argument("--codes", nargs="*", default=[], help="selectors")
    two.add_argument("--new", action="store_true", help="leave out what has a verdict")
    two.set_defaults(command=draw)
    three = commands.add_parser("score", help="print precision")
    three.add_argument("findings", type=Path)
    three.set_defaults(command=score)
    for each in (two, three):
        each.add_argument("--verdicts", type=Path, default=HERE / "verdicts")
    options = parser.parse_args()
    options.command(options)


if __name__ == "__main__":
    main()
