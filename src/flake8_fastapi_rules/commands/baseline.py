"""`far baseline`: write down the known findings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flake8_fastapi_rules import __version__
from flake8_fastapi_rules.commands.check import exit_status, report_problems
from flake8_fastapi_rules.commands.options import add_paths, add_settings, make_loader
from flake8_fastapi_rules.commands.running import check_paths
from flake8_fastapi_rules.engine.baseline import Baseline
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.reporters.view import View

HELP = "write down today's findings, to be told of new ones only"
DESCRIPTION = """\
Write the findings of now into a file. "far check --baseline FILE" then reports new ones only.
Entries hold the text of the line, so moving code does not wake them up. Run it again to drop
what has been mended."""
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
    results = check_paths(linter, arguments.paths)
    view = View(__version__, {})
    file = Path(arguments.output)
    baseline = Baseline.of(file, results.findings, view.source)
    baseline.write(file)
    count = baseline.counts.total()
    print(f"{count} finding{'' if count == 1 else 's'} written to {file}")
    results.findings = [f for f in results.findings if f.code == INTERNAL_ERROR]
    for finding in results.findings:
        sys.stderr.write(f"error: {finding.path}:{finding.line}: {finding.message}\n")
    report_problems(results)
    return exit_status(results)
