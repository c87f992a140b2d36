"""Plant faults into a project that has none, and count how many are found.

    python benchmarks/mutation.py [PROJECT] [--rules FAR1,FAR205] [--missed]

Each `flagged*.py` of `fixtures/rules` is planted as one more module into a copy of the project (by
default the reference service), as it is written and in every other import style that makes sense
for it: modules and names under aliases, re-exported by a neighbour, by star. With everything
switched on, each of the fixture's own markers must be found on its line. The table has a line for
each rule: how many faults were planted in how many spellings, and which part of them was found.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.linter import Linter
from tests.rules.cases import Case, rule_cases
from tests.rules.linting import everything
from tests.rules.variants import Variant, import_styles

BUG_RECALL, OTHER_RECALL = 0.95, 0.85


@dataclass(slots=True)
class Score:
    """What became of the faults of one rule.

    Parameters:
        planted, found: how many faults, each spelling counted.
        styles: how often each spelling was planted.
        missed: a line of text for each fault that was not found.
    """

    planted: int = 0
    found: int = 0
    styles: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The part that was found."""
        return self.found / self.planted if self.planted else 1.0


def spellings(case: Case, path: str) -> Iterator[tuple[str, Variant]]:
    """A fixture's file as it is, and in other import styles."""
    text = case.files[path]
    yield "as written", Variant(text)
    lines = [expected.line for expected in case.expectations[path]]
    for style, variant in import_styles(text, lines):
        if not case.skipped(style):
            yield style, variant


def plant(case: Case, project: Path) -> Score:
    """Plant one fixture in all its spellings into a copy of `project`, and count what is found."""
    score = Score()
    ((path, expectations),) = case.expectations.items()
    for style, variant in spellings(case, path):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "project"
            shutil.copytree(project, home / project.name)
            (home / "pyproject.toml").write_text('[project]\nname = "planted"\n')
            file = home / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(variant.text)
            for name, text in variant.siblings.items():
                (file.parent / name).write_text(text)
            settings = {**case.settings(), **everything()}
            linter = Linter(SettingsLoader([Layer("benchmark", settings)], isolated=True))
            found = linter.check(Source.from_bytes(str(file), file.read_bytes()))
        lines = {(finding.line, finding.code) for finding in found}
        score.styles[style] += 1
        for expected in expectations:
            score.planted += 1
            if (variant.line(expected.line), expected.code) in lines:
                score.found += 1
            else:
                score.missed.append(f"{case.origin.name}:{expected.line} ({style})")
    return score


def main() -> int:
    """Print the table; the exit status is 1 when a rule finds too little."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("project", nargs="?", type=Path, default=ROOT / "example_app")
    parser.add_argument("--rules", default="FAR", help="prefixes of codes, with commas")
    parser.add_argument("--missed", action="store_true", help="list what was not found")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    prefixes = tuple(options.rules.split(","))
    cases = [
        case
        for case in rule_cases()
        if case.is_flagged and len(case.files) == 1 and case.rules[0].code.startswith(prefixes)
    ]
    bugs = {case.rules[0].code for case in cases if case.rules[0].is_bug}
    scores: dict[str, Score] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        results = pool.map(plant, cases, [options.project.resolve()] * len(cases))
        for case, result in zip(cases, results, strict=True):
            score = scores.setdefault(case.rules[0].code, Score())
            score.planted += result.planted
            score.found += result.found
            score.styles.update(result.styles)
            score.missed += result.missed
    too_low = 0
    print("| rule | planted | spellings | found | recall |\n|---|---|---|---|---|")
    for code, score in sorted(scores.items()):
        wanted = BUG_RECALL if code in bugs else OTHER_RECALL
        too_low += score.recall < wanted
        mark = "" if score.recall >= wanted else " (too low)"
        print(
            f"| {code} | {score.planted} | {len(score.styles)} | {score.found} "
            f"| {score.recall:.0%}{mark} |"
        )
        if options.missed:
            for missed in score.missed:
                print(f"    {missed}")
    planted = sum(score.planted for score in scores.values())
    found = sum(score.found for score in scores.values())
    if planted:
        print(f"\n{len(scores)} rules, {found} of {planted} faults found: {found / planted:.1%}")
    return int(bool(too_low))


if __name__ == "__main__":
    sys.exit(main())
