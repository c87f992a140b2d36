"""Run every rule over any code and report crashes of the linter and slow files.

    python benchmarks/crash.py PATH... [--slow SECONDS] [--jobs N]

The exit status is 1 when anything crashed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.semantics.files import python_files


@dataclass(slots=True)
class Tally:
    """What a run over some files showed.

    Parameters:
        files, lines, findings, unreadable: how many.
        crashes: messages by place.
        slow: seconds and path.
        seconds: spent in the linter.
    """

    files: int = 0
    lines: int = 0
    findings: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    crashes: list[str] = field(default_factory=list)
    slow: list[tuple[float, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the figures of another run."""
        self.files += other.files
        self.lines += other.lines
        self.findings += other.findings
        self.unreadable += other.unreadable
        self.seconds += other.seconds
        self.crashes += other.crashes
        self.slow += other.slow


def everything_on() -> Linter:
    """A linter with all rules on and no project's own configuration."""
    hundreds = sorted({rule.code[:4] for rule in all_rules()})
    layer = Layer("benchmark", {"profile": "strict", "enable": hundreds})
    return Linter(SettingsLoader([layer], isolated=True))


def check_files(files: list[Path], slow: float) -> Tally:
    """Check files as one run, with the fixes computed too."""
    linter = everything_on()
    tally = Tally()
    for path in files:
        start = time.perf_counter()
        try:
            source = Source.from_bytes(str(path), path.read_bytes())
            results = linter.check_text(source, noqa=False, fixes=True)
        except (SourceError, OSError):
            tally.unreadable += 1
            continue
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            tally.crashes.append(f"{path}: not caught by the linter: {error!r}")
            continue
        seconds = time.perf_counter() - start
        tally.files += 1
        tally.seconds += seconds
        tally.unreadable += len(results.problems)
        tally.lines += len(source.lines)
        tally.findings += len(results.findings)
        tally.crashes += [
            f"{f.path}:{f.line}: {f.message}" for f in results.findings if f.code == INTERNAL_ERROR
        ]
        if seconds >= slow:
            tally.slow.append((seconds, str(path)))
    return tally


def batches(paths: list[Path], size: int) -> Iterator[list[Path]]:
    """The Python files below paths; a batch never mixes two of the paths."""
    for path in paths:
        files = [path] if path.is_file() else list(python_files(path))
        for start in range(0, len(files), size):
            yield files[start : start + size]


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--slow", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--batch", type=int, default=400, help="files that share one model")
    options = parser.parse_args()
    total = Tally()
    work = list(batches(options.paths, options.batch))
    with ProcessPoolExecutor(options.jobs) as pool:
        for tally in pool.map(check_files, work, [options.slow] * len(work)):
            for crash in sorted(set(tally.crashes) - set(total.crashes)):
                print(f"crash: {crash}", flush=True)
            total.add(tally)
    print(
        f"{total.files} files, {total.lines} lines, {total.findings} findings, "
        f"{total.unreadable} unreadable, {total.seconds:.1f} s "
        f"({total.seconds / max(total.files, 1) * 1000:.1f} ms per file)"
    )
    for seconds, path in sorted(total.slow, reverse=True)[:20]:
        print(f"slow: {seconds:6.1f} s  {path}")
    return 1 if total.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
