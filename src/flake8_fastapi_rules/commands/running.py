"""Checks the files that a command line names, in one process or several."""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from flake8_fastapi_rules.config import BrokenFileError, ConfigError
from flake8_fastapi_rules.engine.discovery import python_files
from flake8_fastapi_rules.engine.findings import Finding, Fix, Unfixable
from flake8_fastapi_rules.engine.results import Problem, Results
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter

#: Larger files are data, not code; checking them would take minutes.
SIZE_LIMIT = 10_000_000


def check_paths(
    linter: Linter,
    paths: Sequence[str],
    *,
    stdin_filename: str = "stdin.py",
    noqa: bool = True,
    fixes: bool = False,
    jobs: int = 1,
) -> Results:
    """Check files, directories and (`-`) standard input.

    Parameters:
        linter: checks each file.
        paths: as named on the command line.
        stdin_filename: what standard input is to be taken for.
        noqa: obey `# noqa` comments.
        fixes: compute the fixes too.
        jobs: how many processes to use.
    """
    results = Results()
    files = files_to_check(linter, paths, results.problems)
    check = partial(_check_file, linter, stdin_filename=stdin_filename, noqa=noqa, fixes=fixes)
    jobs = min(jobs, len(files))
    if jobs > 1 and "-" not in files:
        parts = _check_in_parallel(linter, check, files, jobs)
    else:
        parts = [check(file) for file in files]
    for part in parts:
        results.add(part)
    results.findings.sort()
    # One mistake in a configuration concerns many files.
    results.problems = sorted(set(results.problems))
    return results


def _check_file(
    linter: Linter, path: str, *, stdin_filename: str, noqa: bool, fixes: bool
) -> Results:
    name = stdin_filename if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else read_file(path)
        source = Source.from_bytes(name, data)
        try:
            results = linter.check_text(source, noqa=noqa, fixes=fixes)
        except BrokenFileError as error:
            results = linter.without_files.check_text(source, noqa=noqa, fixes=fixes)
            results.problems.append(problem_of(name, error))
    except (OSError, SourceError, ConfigError) as error:
        return Results(files=1, problems=[problem_of(name, error)])
    if path == "-":
        results.sources[name] = source
    return results


def files_to_check(linter: Linter, paths: Sequence[str], problems: list[Problem]) -> list[str]:
    """The files that paths stand for, without those that the settings exclude.

    Parameters:
        problems: takes the directories that cannot be listed.
    """

    def is_excluded(path: str) -> bool:
        try:
            return linter.settings(path).is_excluded(path)
        except ConfigError:
            return False  # reported when the file is checked

    def on_error(error: OSError) -> None:
        problems.append(problem_of(str(error.filename), error))

    return python_files(paths, is_excluded, on_error)


def problem_of(path: str, error: OSError | SourceError | ConfigError) -> Problem:
    """What to tell of a file that could not be read, decoded or parsed, or of its settings."""
    if isinstance(error, SourceError):
        return Problem(path, error.line, error.column, error.message)
    if isinstance(error, ConfigError):
        return Problem(error.origin, 0, 0, error.message)
    return Problem(path, 0, 0, _reason(error))


def read_file(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: when it cannot be read, is no regular file, or is too large.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # a pipe would never end
        raise OSError(0, "not a regular file", path)
    if status.st_size > SIZE_LIMIT:
        raise OSError(0, f"larger than {SIZE_LIMIT // 1_000_000} MB, not checked", path)
    with open(path, "rb") as file:
        return file.read()


def _reason(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _check_in_parallel(
    linter: Linter, check: partial[Results], files: Sequence[str], jobs: int
) -> list[Results]:
    """Check blocks of neighbouring files (they share what the model learns) in processes."""
    size = max(1, -(-len(files) // (jobs * 4)))
    blocks = [files[start : start + size] for start in range(0, len(files), size)]
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    if context.get_start_method() == "fork":
        linter.prepare(files)
    global _worker_check  # noqa: PLW0603 - inherited by forked workers, set by an initializer else
    try:
        with ProcessPoolExecutor(jobs, context, _set_check, (check,)) as pool:
            return list(pool.map(_check_block, blocks))
    except (BrokenProcessPool, OSError):
        return [check(file) for file in files]
    finally:
        _worker_check = None


_worker_check: partial[Results] | None = None


def _set_check(check: partial[Results]) -> None:
    global _worker_check  # noqa: PLW0603
    _worker_check = check


def _check_block(files: Sequence[str]) -> Results:
    assert _worker_check is not None
    results = Results()
    for file in files:
        results.add(_worker_check(file))
    # What computes a fix cannot be sent to another process; that there is one can.
    stripped = {finding: _portable(finding) for finding in results.findings}
    results.findings = list(stripped.values())
    results.fixes = {stripped[finding]: fix for finding, fix in results.fixes.items()}
    results.unfixable = {stripped[finding]: why for finding, why in results.unfixable.items()}
    return results


def _portable(finding: Finding) -> Finding:
    make_fix = _elsewhere if finding.make_fix else None
    return Finding(
        finding.path,
        finding.range,
        finding.code,
        finding.message,
        finding.related,
        make_fix,
        finding.unfixable,
    )


def _elsewhere() -> Fix:
    """Stands for a fix that another process could compute."""
    raise Unfixable("it is computed in another process")
