"""`far check`: report findings."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TextIO

from flake8_fastapi_rules import __version__, reporters
from flake8_fastapi_rules.commands import status
from flake8_fastapi_rules.commands.options import add_paths, add_settings, make_loader
from flake8_fastapi_rules.commands.running import check_paths
from flake8_fastapi_rules.engine.baseline import Baseline
from flake8_fastapi_rules.engine.results import Results
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.reporters.view import View, printable

HELP = "report what is wrong"
DESCRIPTION = """\
Check Python files. Directories are searched for *.py, but for hidden ones, virtual environments,
"build", "dist", "node_modules" and "site-packages"; "-" reads standard input.

Exit status: 0 nothing found, 1 findings, 2 wrong usage or configuration or a file that could
not be checked, 3 internal error."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_paths(parser, 'files or directories, or "-" for standard input')
    add_settings(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        choices=tuple(reporters.FORMATS),
        help="default: full on a terminal, else concise",
    )
    group.add_argument("--output-file", metavar="FILE", help="write there instead")
    group.add_argument("--statistics", action="store_true", help="count findings by rule")
    group.add_argument("--exit-zero", action="store_true", help="findings do not count as failure")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    group = parser.add_argument_group("running")
    group.add_argument(
        "--stdin-filename", metavar="PATH", default="stdin.py", help='what "-" is to be taken for'
    )
    group.add_argument(
        "-j", "--jobs", type=_jobs, default=1, metavar="N", help='processes, or "auto" (default: 1)'
    )
    group.add_argument("--baseline", metavar="FILE", help="hide the findings that FILE knows")
    group.add_argument(
        "--disable-noqa", action="store_true", help="report what # noqa comments hide too"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check, report, and say how it went."""
    _, linter = make_loader(arguments)
    baseline = Baseline.read(Path(arguments.baseline)) if arguments.baseline else None
    to_terminal = sys.stdout.isatty() and not arguments.output_file
    name = arguments.format or ("full" if to_terminal else "concise")
    results = check_paths(
        linter,
        arguments.paths,
        stdin_filename=arguments.stdin_filename,
        noqa=not arguments.disable_noqa,
        fixes=name in reporters.WITH_FIXES,
        jobs=arguments.jobs,
    )
    view = View(
        __version__,
        {rule.code: rule for rule in linter.rules},
        use_color(arguments.color, to_terminal),
        dict(results.sources),
    )
    if baseline is not None:
        results.findings, hidden = baseline.unknown(results.findings, view.source)
        results.hidden = len(hidden)
    _report(results, name, arguments, view)
    return exit_status(results, arguments.exit_zero)


def _report(results: Results, name: str, arguments: argparse.Namespace, view: View) -> None:
    with contextlib.ExitStack() as stack:
        stream: TextIO = sys.stdout
        if arguments.output_file:
            stream = stack.enter_context(open(arguments.output_file, "w", encoding="utf-8"))
        reporters.write(name, results, stream, view)
        aside = stream if name in reporters.FOR_PEOPLE else sys.stderr
        if arguments.statistics:
            for code, count in results.statistics().items():
                aside.write(f"{count:6} {code} {view.rule_name(code)}\n")
        if name == "full":
            aside.write(_summary(results) + "\n")
    report_problems(results)


def report_problems(results: Results) -> None:
    """Name the files that could not be checked, on standard error."""
    sys.stdout.flush()
    for problem in results.problems:
        sys.stderr.write(f"error: {printable(str(problem))}\n")


def _summary(results: Results) -> str:
    count = len(results.findings)
    text = f"{count or 'no'} finding{'' if count == 1 else 's'}"
    text += f" in {results.files} file{'' if results.files == 1 else 's'}"
    if results.hidden:
        text += f", {results.hidden} hidden by the baseline"
    return text


def exit_status(results: Results, exit_zero: bool = False) -> int:
    """The exit status for results: the gravest of what happened."""
    if any(finding.code == INTERNAL_ERROR for finding in results.findings):
        return status.INTERNAL
    if results.problems:
        return status.USAGE
    if results.findings and not exit_zero:
        return status.FINDINGS
    return status.CLEAN


def use_color(choice: str, to_terminal: bool) -> bool:
    """Whether to colour; `NO_COLOR` and dumb terminals are respected unless told otherwise."""
    if choice != "auto":
        return choice == "always"
    return to_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _jobs(text: str) -> int:
    if text == "auto":
        return os.cpu_count() or 1
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError('expected a positive number or "auto"')
    return int(text)
