"""`far baseline`: write down the known findings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from flake8_fastapi_rules import __version__
from flake8_fastapi_rules.commands.check import exit_status, report_problems
from flake8_fastapi_rules.commands.options import add_paths, add_settings, make_loader
from flake8_fastapi_rules.commands.running import check_paths, files_to_check, problem_of
from flake8_fastapi_rules.config import ConfigError
from flake8_fastapi_rules.engine.baseline import Baseline
from flake8_fastapi_rules.engine.results import Problem, Results
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.reporters.view import View

HELP = "write down today's findings, to be told of new ones only"
DESCRIPTION = """\
Write the findings of now into a file. "far check --baseline FILE" then reports new ones only.
Entries hold the text of the line, so moving code does not wake them up. Run it again to drop
what has been mended. Nothing is written when a path does not exist or a folder or a configuration
cannot be read: the baseline would forget what it knows."""
DEFAULT_FILE = ".far-baseline.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_paths(parser)
    add_settings(parser)
    parser.add_argument(
        "--output", metavar="FILE", default=DEFAULT_FILE, help=f"default: {DEFAULT_FILE}"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check and write the baseline."""
    _, linter = make_loader(arguments)
    file = Path(arguments.output)
    if obstacles := sorted(set(_obstacles(linter, arguments.paths))):
        print(f"nothing written to {file}")
        results = Results(problems=obstacles)
        report_problems(results)
        return exit_status(results)
    results = check_paths(linter, arguments.paths)
    view = View(__version__, {})
    baseline = Baseline.of(file, results.findings, view.source)
    baseline.write(file)
    count = baseline.counts.total()
    print(f"{count} finding{'' if count == 1 else 's'} written to {file}")
    results.findings = [f for f in results.findings if f.code == INTERNAL_ERROR]
    for finding in results.findings:
        sys.stderr.write(f"error: {finding.path}:{finding.line}: {finding.message}\n")
    report_problems(results)
    return exit_status(results)


def _obstacles(linter: Linter, paths: Sequence[str]) -> Iterator[Problem]:
    """What leaves open which files there are, or which rules are on for them."""
    problems: list[Problem] = []
    files = files_to_check(linter, paths, problems)
    yield from problems
    for path in files:
        try:
            linter.configuration(path)
            os.lstat(path)
        except (ConfigError, OSError) as error:
            yield problem_of(path, error)
