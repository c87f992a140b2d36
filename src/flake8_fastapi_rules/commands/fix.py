"""`far fix`: apply fixes, or mark findings that are to stay."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from flake8_fastapi_rules.commands import status
from flake8_fastapi_rules.commands.options import add_paths, add_settings, listed, make_loader
from flake8_fastapi_rules.commands.running import files_to_check, problem_of, read_file
from flake8_fastapi_rules.config import ConfigError
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.results import Problem
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.fixes.apply import FixOutcome, apply_all_fixes
from flake8_fastapi_rules.fixes.files import NotWritten, SourceFile
from flake8_fastapi_rules.fixes.noqa import add_noqa
from flake8_fastapi_rules.linter import Linter, best_match, normalized
from flake8_fastapi_rules.reporters.data import FORMAT_VERSION, place
from flake8_fastapi_rules.reporters.view import posix, printable
from flake8_fastapi_rules.rules import all_rules

HELP = "mend what can be mended"
DESCRIPTION = """\
Apply the safe fixes: those that keep behaviour, OpenAPI schema and comments as they are. A fix
after which the file would not parse, would lose a comment or would have a new finding is not
applied. "-" reads standard input and writes the fixed text to standard output.

Exit status: 0 done (with --diff and --check: nothing to do), 1 with --diff and --check: something
to do, 2 wrong usage or configuration or a file that could not be checked or written, 3 internal
error. Findings that are left do not count; "far check" reports them."""

#: A fix may open the way for one in another file; this many rounds over all files are enough.
_PASSES = 5
#: So many files are fixed in step; their texts, old and new, are in memory at once.
_TOGETHER = 1000
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t].*?import[ \t]*\([^)]*\)|(?:from|import)[ \t].*)", re.MULTILINE
)
_WORD = re.compile(r"\w+")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_paths(parser, 'files or directories, or "-" for standard input')
    add_settings(parser)
    group = parser.add_argument_group("fixing")
    group.add_argument("--unsafe-fixes", action="store_true", help="apply the unsafe ones too")
    mode = group.add_mutually_exclusive_group()
    mode.add_argument("--diff", action="store_true", help="write nothing, show the changes")
    mode.add_argument("--check", action="store_true", help="write nothing, name the files")
    group.add_argument(
        "--add-noqa",
        nargs="?",
        metavar="=REASON",
        help="fix nothing, but add # noqa comments for the findings of now",
    )
    group.add_argument("--show-left", action="store_true", help="list the findings that are left")
    group.add_argument(
        "--format", choices=("text", "json"), default="text", help="of the summary (default: text)"
    )
    parser.add_argument(
        "--stdin-filename", metavar="PATH", default="stdin.py", help='what "-" is to be taken for'
    )


@dataclass(slots=True)
class _Summary:
    """What was done so far."""

    files: list[str] = field(default_factory=list)
    changed: dict[str, None] = field(default_factory=dict)
    done: dict[str, list[Finding]] = field(default_factory=dict)
    left: dict[str, list[tuple[Finding, str]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    crashed: list[Finding] = field(default_factory=list)


def run(arguments: argparse.Namespace) -> int:
    """Fix the files."""
    summary = _Summary()
    write = not (arguments.diff or arguments.check)
    only: frozenset[str] | None = None
    linter = make_loader(arguments, select_restricts=False)[1]
    with _ending_tidily():
        for _ in range(_PASSES if write and "-" not in arguments.paths else 1):
            only = _pass(linter, arguments, summary, only)
            if not only:
                break
    _report(arguments, summary)
    if summary.crashed:
        return status.INTERNAL
    if summary.problems:
        return status.USAGE
    return status.FINDINGS if summary.changed and not write else status.CLEAN


@contextmanager
def _ending_tidily() -> Iterator[None]:
    """Let signals that end the process end it as Ctrl-C does: no temporary file is left behind."""
    numbers = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    changed = [
        number
        for number in numbers
        if number is not None
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(number) is signal.SIG_DFL  # `nohup` ignores one of them
    ]
    for number in changed:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt(number)


def _pass(
    linter: Linter, arguments: argparse.Namespace, summary: _Summary, only: frozenset[str] | None
) -> frozenset[str]:
    """Fix files once. What was concluded in the pass before counts no more, only what was written.

    Parameters:
        only: what the pass before has given; `None` for the first pass over all.

    Returns:
        The files to look at once more: those that were changed, those that they import where a fix
        changed what these are used for, and those that import them where it changed what they are.
    """
    linter.start_anew()
    changed: set[str] = set()
    if only is None:
        files = summary.files = files_to_check(linter, arguments.paths, summary.problems)
    else:
        files = sorted(only)
        summary.crashed = [finding for finding in summary.crashed if finding.path not in only]
    for start in range(0, len(files), _TOGETHER):
        changed |= _fix_files(files[start : start + _TOGETHER], linter, arguments, summary)
    down = {rule.code for rule in linter.rules if rule.fix_reaches_imported}
    up = {rule.code for rule in linter.rules if rule.fix_reaches_importers}
    imported = _imported_by(_mended(changed, down, summary), summary.files)
    importers = _importers_of(_mended(changed, up, summary), summary.files)
    return frozenset(changed | imported | importers)


def _mended(paths: Iterable[str], codes: set[str], summary: _Summary) -> list[str]:
    """Those of the changed files in which a finding of one of the rules was fixed."""
    return [path for path in paths if any(f.code in codes for f in summary.done.get(path, ()))]


def _importers_of(paths: Iterable[str], files: Iterable[str]) -> set[str]:
    """The files whose imports speak of others by their names: perhaps more than import them."""
    names = {_module_name(path) for path in paths}
    if not names:
        return set()  # no file need be read for that
    return {path for path in files if not names.isdisjoint(_imported_words(path))}


def _module_name(path: str) -> str:
    place = Path(path)
    return place.parent.name if place.stem == "__init__" else place.stem


def _imported_words(path: str) -> set[str]:
    try:
        text = read_file(path).decode("utf-8", errors="replace")
    except (OSError, SourceError):
        return set()  # reported already
    return {word for line in _IMPORT.findall(text) for word in _WORD.findall(line)}


def _imported_by(paths: Iterable[str], files: Iterable[str]) -> set[str]:
    """The files whose names occur in the imports of others: perhaps more than they import."""
    words = {word for path in paths for word in _imported_words(path)}
    return {path for path in files if _module_name(path) in words}


def _fix_files(
    paths: Sequence[str], linter: Linter, arguments: argparse.Namespace, summary: _Summary
) -> set[str]:
    """Fix some files in step; those that were changed."""
    files: dict[str, SourceFile] = {}
    for path in paths:
        name = arguments.stdin_filename if path == "-" else path
        with _problems_noted(name, summary):
            data = sys.stdin.buffer.read() if path == "-" else read_file(path)
            files[path] = SourceFile.of(Path(path), data, name)
    outcomes = _outcomes([file.source for file in files.values()], linter, arguments)
    changed: set[str] = set()
    for (path, file), outcome in zip(files.items(), outcomes, strict=True):
        with _problems_noted(file.source.path, summary):
            if isinstance(outcome, Exception):
                raise outcome
            try:
                if _finish(file, outcome, arguments, summary):
                    changed.add(path)
            except NotWritten:
                linter.load([file.source])  # that is what stays
                raise
    return changed


@contextmanager
def _problems_noted(name: str, summary: _Summary) -> Iterator[None]:
    try:
        yield
    except (OSError, SourceError, ConfigError) as error:
        problem = problem_of(name, error)
        if problem not in summary.problems:
            summary.problems.append(problem)
    except NotWritten as error:
        summary.problems.append(Problem(name, 0, 0, f"not changed: {error}"))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is to become of a file: its text, what was done, what is left and why."""

    after: Source
    done: tuple[Finding, ...]
    left: list[tuple[Finding, str]]
    findings: list[Finding]


def _outcomes(
    sources: Sequence[Source], linter: Linter, arguments: argparse.Namespace
) -> list[_Outcome | Exception]:
    selectors = tuple(map(normalized, listed(arguments.select)))
    wanted_codes = {r.code for r in linter.rules if not selectors or best_match(r, selectors)}

    def wanted(finding: Finding) -> bool:
        return finding.code in wanted_codes

    def check(source: Source) -> list[Finding] | Exception:
        try:
            results = linter.check_text(source)
        except ConfigError as error:
            return error
        if results.problems:
            problem = results.problems[0]
            return SourceError(problem.message, problem.line, problem.column)
        return results.findings

    def check_all(sources: Sequence[Source]) -> list[list[Finding] | Exception]:
        linter.load(sources)
        return [check(source) for source in sources]

    if arguments.add_noqa is None:
        fixed = apply_all_fixes(sources, check_all, unsafe=arguments.unsafe_fixes, wanted=wanted)
        return [each if isinstance(each, Exception) else _fixed(each) for each in fixed]
    found: list[_Outcome | Exception] = []
    for source in sources:
        findings = check(source)
        if isinstance(findings, Exception):
            found.append(findings)
            continue
        marked = add_noqa(source, filter(wanted, findings), arguments.add_noqa)
        found.append(_Outcome(marked.after, tuple(marked.added), list(marked.left), findings))
    return found


def _fixed(outcome: FixOutcome) -> _Outcome:
    return _Outcome(
        outcome.after,
        tuple(item.finding for item in outcome.applied),
        [(item.finding, item.reason) for item in outcome.left],
        [item.finding for item in outcome.left],
    )


def _finish(
    file: SourceFile, outcome: _Outcome, arguments: argparse.Namespace, summary: _Summary
) -> bool:
    """Write one file and note what was done; whether that changed it."""
    name, after = file.source.path, outcome.after
    crashed = (finding for finding in outcome.findings if finding.code == INTERNAL_ERROR)
    summary.crashed.extend(crashed)
    summary.left[name] = outcome.left
    try:
        _put(file, after, arguments)
    except NotWritten as error:
        reason = f"the file was not changed: {error}"
        summary.left[name] = sorted([*outcome.left, *((f, reason) for f in outcome.done)])
        raise
    if after.text == file.source.text:
        return False
    summary.changed[name] = None
    summary.done.setdefault(name, []).extend(outcome.done)
    return True


def _put(file: SourceFile, after: Source, arguments: argparse.Namespace) -> None:
    """Write the text, or show what would be written."""
    changed = after.text != file.source.text
    if arguments.diff:
        sys.stdout.write(file.diff(after.text))
    elif arguments.check:
        if changed:
            if str(file.path) != "-":
                file.require_writable()
            print(f"would change {printable(file.source.path)}")
    elif str(file.path) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(file.encoded(after.text) if changed else file.data)
    elif changed:
        file.write(after.text)


def _write_text(arguments: argparse.Namespace, summary: _Summary, stream: TextIO) -> None:
    what = "marked" if arguments.add_noqa is not None else "fixed"
    would = "would be " if arguments.diff or arguments.check else ""
    files = len(summary.changed)
    done = Counter(finding.code for findings in summary.done.values() for finding in findings)
    stream.write(f"{done.total() or 'nothing'} {would}{what}")
    stream.write(f" in {files} file{'' if files == 1 else 's'}\n" if files else "\n")
    names = {rule.code: rule.name() for rule in all_rules()}
    for code, count in sorted(done.items()):
        stream.write(f"{count:6} {code} {names.get(code, '')}".rstrip() + "\n")
    left = [pair for pairs in summary.left.values() for pair in pairs]
    if left:
        stream.write(f"{len(left)} left\n")
    if arguments.show_left:
        for finding, reason in left:
            where = f"{printable(finding.path)}:{finding.line}:{finding.column + 1}"
            text = f"{finding.code} {printable(finding.message)} ({printable(reason)})"
            stream.write(f"{where}: {text}\n")
    else:
        stream.writelines(f"{line}\n" for line in _reasons(left))


def _reasons(left: Sequence[tuple[Finding, str]]) -> Iterator[str]:
    """Why findings are left, each reason with the rules and their numbers, the commonest first."""
    codes: dict[str, Counter[str]] = {}
    for finding, reason in left:
        codes.setdefault(reason, Counter())[finding.code] += 1
    for reason, counts in sorted(codes.items(), key=lambda item: (-item[1].total(), item[0])):
        rules = ", ".join(f"{code} ({count})" for code, count in sorted(counts.items()))
        text = (
            f"{counts.total():6} {printable(reason)}: {rules if len(counts) > 1 else min(counts)}"
        )
        yield from textwrap.wrap(text, 100, subsequent_indent=" " * 7, break_long_words=False)


def _document(summary: _Summary) -> dict[str, Any]:
    """The summary for programs: every finding that was fixed, or left with the reason."""

    def described(finding: Finding) -> dict[str, Any]:
        return {
            "path": posix(finding.path),
            **place(finding.range),
            "code": finding.code,
            "message": finding.message,
        }

    return {
        "format": FORMAT_VERSION,
        "changed": [posix(path) for path in summary.changed],
        "fixed": [described(f) for findings in summary.done.values() for f in findings],
        "left": [
            described(finding) | {"reason": reason}
            for pairs in summary.left.values()
            for finding, reason in pairs
        ],
        "errors": [
            {"path": posix(problem.path), "message": problem.message}
            for problem in sorted(summary.problems)
        ],
    }


def _report(arguments: argparse.Namespace, summary: _Summary) -> None:
    sys.stdout.flush()
    aside = sys.stderr if arguments.diff or "-" in arguments.paths else sys.stdout
    if arguments.format == "json":
        json.dump(_document(summary), aside, indent=2)
        aside.write("\n")
    else:
        _write_text(arguments, summary, aside)
    aside.flush()
    for problem in sorted(summary.problems):
        sys.stderr.write(f"error: {printable(str(problem))}\n")
    for finding in summary.crashed:
        sys.stderr.write(f"error: {finding.path}:{finding.line}: {printable(finding.message)}\n")
