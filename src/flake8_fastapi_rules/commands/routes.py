"""`far routes`: every app's route table, without importing anything."""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from flake8_fastapi_rules.commands import status
from flake8_fastapi_rules.commands.check import report_problems
from flake8_fastapi_rules.commands.options import add_settings, make_loader
from flake8_fastapi_rules.commands.running import problem_of, read_file
from flake8_fastapi_rules.config import Settings, display_path
from flake8_fastapi_rules.engine.memory import lasting
from flake8_fastapi_rules.engine.results import Problem, Results
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.reporters.routes import FORMATS, RouteRow, route_rows
from flake8_fastapi_rules.reporters.routes_page import as_page
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module, absolute
from flake8_fastapi_rules.semantics.project import Project

HELP = "show every app's routes"
DESCRIPTION = """\
Show the routes of every app below a directory (or in a file): method, path, handler, security
dependencies, status and tags. Nothing is imported. What only run time decides is marked.

Exit status: 0 done, 2 wrong usage or configuration or a file that could not be read, whose routes
are then missing.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="default: .")
    parser.add_argument("--format", choices=(*FORMATS, "html"), default="table")
    group = parser.add_argument_group("filters")
    group.add_argument("--app", metavar="NAME", help="only apps whose name contains this")
    group.add_argument("--method", metavar="METHODS", help="only these methods, such as POST,PUT")
    group.add_argument(
        "--path", dest="paths", metavar="GLOB", help="only paths that match, or contain, this"
    )
    group.add_argument("--handler", metavar="GLOB", help="only handlers that match, or contain, it")
    group.add_argument(
        "--unprotected", action="store_true", help="only routes without a security dependency"
    )
    group.add_argument("--tests", action="store_true", help="also apps that test files make")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the routes."""
    path = absolute(arguments.path)
    if not path.exists():
        sys.stderr.write(f"error: {arguments.path}: no such file or directory\n")
        return status.USAGE
    _, linter = make_loader(arguments)
    settings = linter.configuration(arguments.path).settings
    project = project_below(path, settings, tests=arguments.tests)
    apps = [app for app in project.apps if arguments.app is None or arguments.app in app.name]
    rows = [row for row in route_rows(project, apps) if _is_wanted(row, arguments)]
    if arguments.format == "html":
        sys.stdout.write(as_page(project, apps, rows))
    else:
        sys.stdout.write(FORMATS[arguments.format](rows))
    problems = sorted(set(_problems(path, project)))
    report_problems(Results(problems=problems))
    return status.USAGE if problems else status.CLEAN


def _problems(path: Path, project: Project) -> Iterator[Problem]:
    """The files whose routes are missing since they could not be read or parsed."""
    modules = project.model.modules
    for file in [path] if path.is_file() else modules.files_that_matter(path):
        if modules.load(file) is None:
            try:
                Source.from_bytes(str(file), read_file(str(file)))
            except (OSError, SourceError) as error:
                yield problem_of(display_path(file), error)
    for module in project.modules:
        assert module.tree
        if module.error is not None:
            yield problem_of(display_path(module.path), module.error)


def project_below(path: Path, settings: Settings, *, tests: bool = True) -> Project:
    """The graph of the code below a directory, or of one file and what it imports.

    Parameters:
        tests: look at test files too. Those below a path that is itself among tests always count.
    """
    tests = tests or settings.is_test_path(str(path / "x.py"))
    model = Model(settings)
    with lasting():
        modules: Sequence[Module]
        if path.is_dir():
            modules = [
                module
                for file in model.modules.files_that_matter(path)
                if tests or not settings.is_test_path(str(file))
                if (module := model.modules.load(file)) is not None
            ]
        else:
            loaded = model.modules.load(path)
            modules = [loaded] if loaded is not None else []
        return Project(model, modules)


def _is_wanted(row: RouteRow, arguments: argparse.Namespace) -> bool:
    if arguments.method is not None:
        wanted = {method.strip().upper() for method in arguments.method.split(",")}
        if row.method not in wanted:
            return False
    if arguments.paths is not None and not _fits(row.path, arguments.paths):
        return False
    if arguments.handler is not None and not _fits(row.handler, arguments.handler):
        return False
    return not (arguments.unprotected and row.security)


def _fits(text: str | None, pattern: str) -> bool:
    if text is None:
        return False
    return fnmatch.fnmatchcase(text, pattern) or pattern in text
