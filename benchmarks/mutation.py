"""Plant faults into code that has none, and count how many are found.

    python benchmarks/mutation.py [--rules FAR1,FAR205] [--missed] service
    python benchmarks/mutation.py [--rules FAR601] [--missed] projects [--endpoints 2] FOLDER...
    python benchmarks/mutation.py [--rules FAR1] [--missed] fixtures

`service` breaks one convention of the reference service at a time, as `mutations/*.toml` says, and
lints all of it under `strict` (opt-in rules: with the rule itself): the rule must report it, and
nothing else may be reported but what the mutation says must come along.

`projects` plants the faults of `plants.toml` into endpoints of other people's projects, drawn at
random with a fixed seed from those that do not have the fault.

`fixtures` plants each `flagged*.py` of `fixtures/rules` as one more module into a copy of the
reference service, as it is written and in every other import style that makes sense for it: modules
and names under aliases, re-exported by a neighbour, by star. Each of the fixture's own markers must
be found on its line.

The tables have a line for each rule. The exit status is 1 when a rule finds too little: less than
95 % of what crashes or misbehaves in silence, less than 85 % of the rest.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.mutants import MutationError, Outcome, Workbench, mutations
from benchmarks.planting import Project, plants
from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules
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


def show(scores: Mapping[str, Score], missed: bool) -> int:
    """Print the table of rules; gives 1 when one of them finds too little."""
    bugs = {rule.code for rule in all_rules() if rule.is_bug}
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
        for line in score.missed if missed else ():
            print(f"    {line}")
    planted = sum(score.planted for score in scores.values())
    found = sum(score.found for score in scores.values())
    if planted:
        print(f"\n{len(scores)} rules, {found} of {planted} faults found: {found / planted:.1%}")
    return int(bool(too_low))


def fixtures(options: argparse.Namespace, prefixes: tuple[str, ...]) -> int:
    """Plant fixtures into a copy of the reference service."""
    cases = [
        case
        for case in rule_cases()
        if case.is_flagged and len(case.files) == 1 and case.rules[0].code.startswith(prefixes)
    ]
    scores: dict[str, Score] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        results = pool.map(plant, cases, [ROOT / "example_app"] * len(cases))
        for case, result in zip(cases, results, strict=True):
            score = scores.setdefault(case.rules[0].code, Score())
            score.planted += result.planted
            score.found += result.found
            score.styles.update(result.styles)
            score.missed += result.missed
    return show(scores, options.missed)


_workbench: Workbench | None = None


def mutated(position: int) -> Outcome | str:
    """Try one mutation of the reference service; a text when it cannot be applied."""
    global _workbench  # noqa: PLW0603 - one copy of the service for each process
    if _workbench is None:
        _workbench = Workbench(Path(tempfile.mkdtemp(prefix="mutation")))
    try:
        return _workbench.outcome(mutations()[position])
    except MutationError as error:
        return str(error)


def service(options: argparse.Namespace, prefixes: tuple[str, ...]) -> int:
    """Break one convention of the reference service at a time."""
    chosen = [i for i, m in enumerate(mutations()) if m.code.startswith(prefixes)]
    scores: dict[str, Score] = {}
    exact: Counter[str] = Counter()
    with ProcessPoolExecutor(options.jobs) as pool:
        for position, outcome in zip(chosen, pool.map(mutated, chosen), strict=True):
            mutation = mutations()[position]
            score = scores.setdefault(mutation.code, Score())
            score.planted += 1
            score.styles[mutation.about] += 1
            if isinstance(outcome, str):
                score.missed.append(f"{mutation}: {outcome}")
                continue
            score.found += outcome.found
            exact[mutation.code] += outcome.exact
            if not outcome.exact:
                besides = " ".join(sorted(outcome.extra)) or "nothing"
                lacking = " ".join(sorted(outcome.missing)) or "nothing"
                said = "found" if outcome.found else "missed"
                score.missed.append(f"{mutation}: {said}; besides {besides}; lacking {lacking}")
    status = show(scores, options.missed)
    total = sum(score.planted for score in scores.values())
    print(f"{sum(exact.values())} of {total} with just that code")
    return status if sum(exact.values()) == total else 1


def projects(options: argparse.Namespace, prefixes: tuple[str, ...]) -> int:
    """Plant faults into endpoints of other people's projects."""
    scores: dict[str, Score] = {}
    chosen = [plant for plant in plants() if plant.code.startswith(prefixes)]
    for root in options.folders:
        project = Project(root.resolve())
        print(f"{root.name}: {len(project.targets)} endpoints", file=sys.stderr)
        for each in chosen:
            score = scores.setdefault(each.code, Score())
            for target, is_found in project.trials(each, options.endpoints, options.seed):
                score.planted += 1
                score.found += is_found
                score.styles[each.about] += 1
                if not is_found:
                    where = f"{Path(target.path).relative_to(project.root)}:{target.line}"
                    score.missed.append(f"{each.about}: {root.name}/{where}")
    return show(scores, options.missed)


def main() -> int:
    """Print the table; the exit status is 1 when a rule finds too little."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", default="FAR", help="prefixes of codes, with commas")
    parser.add_argument("--missed", action="store_true", help="list what was not found")
    parser.add_argument("--jobs", type=int, default=2)
    ways = parser.add_subparsers(required=True)
    ways.add_parser("service").set_defaults(run=service)
    ways.add_parser("fixtures").set_defaults(run=fixtures)
    others = ways.add_parser("projects")
    others.add_argument("folders", nargs="+", type=Path)
    others.add_argument("--endpoints", type=int, default=2, help="for each spelling and project")
    others.add_argument("--seed", type=int, default=1)
    others.set_defaults(run=projects)
    options = parser.parse_args()
    status: int = options.run(options, tuple(options.rules.split(",")))
    return status


if __name__ == "__main__":
    sys.exit(main())
