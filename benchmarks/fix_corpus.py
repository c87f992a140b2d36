"""Fix whole projects and check that nothing but the fixes happened to them.

    python benchmarks/fix_corpus.py FOLDER... --into SCRATCH [--jobs N] [--timeout SECONDS]

Each FOLDER is a project. A copy of its Python files and requirements is made below SCRATCH; the
projects themselves are only read. `far fix` runs on the copy with every rule on: first the safe
fixes, then the unsafe ones. Of each it is checked that

- every file that compiled still does, and has the comments that it had,
- no line is touched that no edit of a fix speaks of, in any round,
- another run changes nothing,
- no rule has more findings in the whole project than before, but for those that a fix announces
  (`Fix.leads_to`),
- another process with another hash seed, on another copy, writes the same bytes.

Printed are the figures by project and by rule: findings with fixes, fixed, left and why. The exit
status is 1 when a check failed. Every project has a process of its own, with a time limit.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import tokenize
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.cli import main as far
from flake8_fastapi_rules.commands import fix as command
from flake8_fastapi_rules.commands.running import check_paths
from flake8_fastapi_rules.commands.status import INTERNAL
from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.findings import Edit
from flake8_fastapi_rules.fixes.apply import FixOutcome, Round, apply_all_fixes
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules

#: What a project is judged by besides its code.
KEPT = ("*.py", "pyproject.toml", "requirements*.txt", "setup.cfg", "Pipfile")
FIXABLE = {rule.code for rule in all_rules() if rule.fix}
#: Fixes that change several statements: handlers and their app, a route and the one it moves to.
WIDE = {"FAR103", "FAR204", "FAR211", "FAR214", "FAR307", "FAR319", "FAR326", "FAR802"}


@dataclass
class Result:
    """What became of one project.

    Parameters:
        files: Python files.
        touched: files with findings of rules that have a fix.
        changed: files that were changed.
        fixed: by rule.
        left: by rule, then by reason; only rules that have a fix.
        problems: what must not be.
        seconds: spent in all.
    """

    project: str
    files: int = 0
    touched: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    fixed: Counter[str] = field(default_factory=Counter)
    left: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


# -- one project, in a process of its own --------------------------------------------------


def everything_on() -> list[str]:
    """Options of `far` that switch every rule on and read no configuration."""
    hundreds = ",".join(sorted({rule.code[:4] for rule in all_rules()}))
    return ["--isolated", "--profile", "strict", "--enable", hundreds]


def findings_of(folder: Path) -> Counter[str]:
    """How many findings each rule has in a project."""
    hundreds = sorted({rule.code[:4] for rule in all_rules()})
    layer = Layer("benchmark", {"profile": "strict", "enable": hundreds})
    results = check_paths(Linter(SettingsLoader([layer], isolated=True)), [str(folder)])
    return Counter(finding.code for finding in results.findings)


def compiles(text: str) -> bool:
    """Whether Python takes a program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "x.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def comments_of(text: str) -> Counter[str] | None:
    """The comments of a program; `None` when it cannot be read token by token."""
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text, newline="\n").readline)
        return Counter(found.string for found in tokens if found.type == tokenize.COMMENT)
    except (tokenize.TokenError, SyntaxError, IndexError):
        return None


def outside(text: str, spans: Iterable[tuple[int, int]]) -> list[str]:
    """The pieces of a text between spans."""
    pieces, position = [], 0
    for start, end in spans:
        pieces.append(text[position:start])
        position = end
    return [*pieces, text[position:]]


def places_after(edits: list[Edit]) -> Iterator[tuple[int, int]]:
    """Where the new texts of edits stand once all of them are made."""
    shift = 0
    for edit in edits:
        yield edit.start + shift, edit.start + shift + len(edit.text)
        shift += len(edit.text) - (edit.end - edit.start)


def check_round(each: Round) -> Iterator[str]:
    """What a round did besides its edits, and whether these stay near what they mend."""
    edits = sorted({*each.tidied, *(e for applied in each.applied for e in applied.fix.edits)})
    before = outside(each.before.text, [(edit.start, edit.end) for edit in edits])
    after = outside(each.after.text, places_after(edits))
    if before != after:
        yield "text outside of the edits changed"
    statements = [
        node
        for node in each.before.parse().body
        if not isinstance(node, ast.Import | ast.ImportFrom)
    ]
    for applied in each.applied:
        finding = applied.finding
        reported = _at(statements, finding.line)
        if finding.code in WIDE or not reported:
            continue  # several statements by intent, or a name that is imported and used
        for edit in applied.fix.edits:
            if edit.start == edit.end or each.before.text[edit.start : edit.end].isspace():
                continue  # an insertion takes nothing away
            line = each.before.position(edit.start)[0]
            own = _at(statements, line)
            if own and not any(node in reported for node in own):
                yield f"{finding.code}: line {line} is in another statement than the finding"


def _at(statements: list[ast.stmt], line: int) -> list[ast.stmt]:
    return [node for node in statements if _first(node) <= line <= (node.end_lineno or 0)]


def _first(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def check_outcome(path: str, outcome: FixOutcome) -> Iterator[str]:
    """What is wrong with the fixes of one file."""
    before, after = outcome.before.text, outcome.after.text
    if compiles(before) and not compiles(after):
        yield f"{path}: does not compile any more"
    comments = comments_of(before)
    if comments is not None and comments_of(after) != comments:
        yield f"{path}: comments differ"
    if not outcome.converged:
        yield f"{path}: fixes undo each other"
    for each in outcome.rounds:
        yield from (f"{path}: {problem}" for problem in check_round(each))


def run_fixes(folder: Path, *, unsafe: bool, result: Result | None) -> dict[str, Any]:
    """Run `far fix` on a copy; with a result, check each file and count.

    Returns:
        Its summary, with the exit status and the codes that fixes announce.
    """
    announced: set[str] = set()

    def recording(*args: Any, **options: Any) -> list[FixOutcome | Exception]:
        outcomes = apply_all_fixes(*args, **options)
        if result is not None:
            for outcome in outcomes:
                if isinstance(outcome, FixOutcome):
                    record(result, outcome)
        return outcomes

    def record(result: Result, outcome: FixOutcome) -> None:
        path = os.path.relpath(outcome.before.path, folder)
        result.problems += check_outcome(path, outcome)
        for applied in outcome.applied:
            announced.update(applied.fix.leads_to)
            result.fixed[applied.finding.code] += 1
        for left in outcome.left:
            if left.is_rejected:
                place = f"{path}:{left.finding.line}"
                result.problems.append(f"{place}: {left.finding.code} rejected: {left.reason}")

    command.apply_all_fixes = recording  # type: ignore[attr-defined]
    options = ["fix", *everything_on(), "--format", "json", *(["--unsafe-fixes"] * unsafe)]
    printed = io.StringIO()
    with redirect_stdout(printed):
        status = far([*options, str(folder)])
    command.apply_all_fixes = apply_all_fixes  # type: ignore[attr-defined]
    document = {**json.loads(printed.getvalue()), "status": status, "announced": announced}
    if result is None:
        return document
    result.changed |= set(document["changed"])
    result.touched |= {item["path"] for item in document["fixed"]}
    result.touched |= {item["path"] for item in document["left"] if item["code"] in FIXABLE}
    result.left = defaultdict(Counter)
    for item in document["left"]:
        if item["code"] in FIXABLE:
            result.left[item["code"]][item["reason"]] += 1
    return document


def digest(folder: Path) -> str:
    """A checksum of all files of a copy."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


def one_project(folder: Path, scratch: Path, *, once: bool) -> Result:
    """Fix one project in all ways.

    Parameters:
        once: leave out the other process.
    """
    result = Result(folder.name)
    start = time.perf_counter()
    copy, other = scratch / folder.name, scratch / f"{folder.name}.again"
    copy_project(folder, copy)
    if not once:
        copy_project(folder, other)
    result.files = sum(1 for _ in copy.rglob("*.py"))
    before = findings_of(copy)
    for unsafe in (False, True):
        kind = "unsafe" if unsafe else "safe"
        fixed = run_fixes(copy, unsafe=unsafe, result=result)
        if fixed["status"] == INTERNAL:
            result.problems.append(f"{kind}: a rule crashed")
        first = digest(copy)
        again = run_fixes(copy, unsafe=unsafe, result=None)
        if digest(copy) != first:
            result.problems.append(f"{kind}: a second run changed {', '.join(again['changed'])}")
        # Nothing is left out of the summary, so this is what a check would find.
        after = Counter(item["code"] for item in again["left"])
        for code, more in sorted((after - before).items()):
            if code not in fixed["announced"]:
                result.problems.append(f"{kind}: {more} more of {code} after the fixes")
        before = after
        if once:
            continue
        command_line = [sys.executable, __file__, "--only-fix", str(other)]
        seed = {**os.environ, "PYTHONHASHSEED": "7"}
        subprocess.run([*command_line, *(["--unsafe"] * unsafe)], env=seed, check=True)
        if digest(other) != first:
            result.problems.append(f"{kind}: another process wrote other texts")
    shutil.rmtree(other, ignore_errors=True)
    result.seconds = time.perf_counter() - start
    return result


def copy_project(folder: Path, target: Path) -> None:
    """Copy what the linter reads."""
    shutil.rmtree(target, ignore_errors=True)
    # A repository of its own: what lies beside the copies is none of the project's.
    (target / ".git").mkdir(parents=True)
    for pattern in KEPT:
        for path in folder.rglob(pattern):
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 1_000_000:
                place = target / path.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)


# -- all projects ---------------------------------------------------------------------------


def in_process(folder: Path, scratch: Path, timeout: float, options: list[str]) -> Result:
    """Run one project in a process with a time limit."""
    command_line = [
        sys.executable,
        __file__,
        str(folder),
        "--into",
        str(scratch),
        "--one",
        *options,
    ]
    try:
        done = subprocess.run(
            command_line, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return Result(folder.name, problems=[f"took more than {timeout:.0f} s"])
    if done.returncode:
        return Result(folder.name, problems=["the check crashed", *done.stderr.splitlines()[-3:]])
    data = json.loads(done.stdout.splitlines()[-1])
    return Result(
        **{
            **data,
            "touched": set(data["touched"]),
            "changed": set(data["changed"]),
            "fixed": Counter(data["fixed"]),
            "left": {code: Counter(reasons) for code, reasons in data["left"].items()},
        }
    )


def print_tables(results: list[Result]) -> None:
    """Print the figures as Markdown."""
    print("| project | files | with fixes | changed | fixed | left | problems | s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for each in results:
        left = sum(counts.total() for counts in each.left.values())
        print(
            f"| {each.project} | {each.files} | {len(each.touched)} | {len(each.changed)} "
            f"| {each.fixed.total()} | {left} | {len(each.problems)} | {each.seconds:.0f} |"
        )
    fixed: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for each in results:
        fixed += each.fixed
        for code, counts in each.left.items():
            reasons[code] += counts
    print(
        f"| all | {sum(r.files for r in results)} | {sum(len(r.touched) for r in results)} "
        f"| {sum(len(r.changed) for r in results)} | {fixed.total()} "
        f"| {sum(counts.total() for counts in reasons.values())} "
        f"| {sum(len(r.problems) for r in results)} | {sum(r.seconds for r in results):.0f} |"
    )
    print("\n| rule | fixed | left | why |\n| --- | ---: | ---: | --- |")
    for code in sorted({*fixed, *reasons}):
        why = "; ".join(f"{reason} ({count})" for reason, count in reasons[code].most_common())
        print(f"| {code} | {fixed[code]} | {reasons[code].total()} | {why} |")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--into", type=Path, metavar="SCRATCH")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=900.0, metavar="SECONDS")
    parser.add_argument("--once", action="store_true", help="leave out the other process")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only-fix", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--unsafe", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_fix:
        run_fixes(options.only_fix, unsafe=options.unsafe, result=None)
        return 0
    if options.into is None:
        parser.error("--into is required")
    if options.one:
        result = one_project(options.folders[0], options.into, once=options.once)
        print(json.dumps(vars(result), default=sorted))
        return 0
    results = []
    more = ["--once"] if options.once else []
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [
            pool.submit(in_process, folder, options.into, options.timeout, more)
            for folder in options.folders
        ]
        for each in runs:
            result = each.result()
            results.append(result)
            for problem in result.problems:
                print(f"{result.project}: {problem}", file=sys.stderr, flush=True)
    print_tables(results)
    return 1 if any(result.problems for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
