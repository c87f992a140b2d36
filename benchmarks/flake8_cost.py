"""Measure what the plugin costs inside of flake8: paired runs with and without it.

    python benchmarks/flake8_cost.py PATH... [--pairs 7] [--jobs 1]

Both runs happen in fresh interpreters, in turn, with the order of the two changing from pair to
pair. Without the plugin means that flake8 does not see its entry point at all; everything else,
other plugins included, is the same. The profile is the default one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

#: Runs flake8 in a process in which our distribution has no entry points.
WITHOUT = """
import importlib.metadata, sys
everything = importlib.metadata.distributions
def others(**kwargs):
    for each in everything(**kwargs):
        if each.metadata["name"] != "flake8-fastapi-rules":
            yield each
importlib.metadata.distributions = others
from flake8.main.cli import main
sys.exit(main())
"""
WITH = "import sys; from flake8.main.cli import main; sys.exit(main())"


def seconds(program: str, paths: list[Path], jobs: int) -> tuple[float, int]:
    """The processor time of one run, with its children's, and the number of reports."""
    command = [sys.executable, "-c", program, "--isolated", f"-j{jobs}", "--exit-zero"]
    before = os.times()
    start = time.perf_counter()
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=True)
    wall = time.perf_counter() - start
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    ours = sum(1 for line in done.stdout.splitlines() if ": FAR" in line)
    # With one process, processor time is what a quiet machine would need.
    return (used if jobs == 1 else wall), ours


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    ratios: list[float] = []
    plain: list[float] = []
    findings = 0
    for pair in range(options.pairs + 1):
        order = (WITHOUT, WITH) if pair % 2 else (WITH, WITHOUT)
        taken = {}
        for program in order:
            taken[program], count = seconds(program, options.paths, options.jobs)
            if program is WITH:
                findings = count
            elif count:
                sys.exit("the run without the plugin reports FAR codes")
        if pair == 0:  # fills the caches of the file system
            continue
        ratios.append(taken[WITH] / taken[WITHOUT])
        plain.append(taken[WITHOUT])
        print(f"pair {pair}: {taken[WITHOUT]:.2f} s without, {taken[WITH]:.2f} s with the plugin")
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(
        f"median ratio {statistics.median(ratios):.3f} ({spread}) over {options.pairs} pairs; "
        f"flake8 alone {statistics.median(plain):.2f} s; {findings} findings"
    )


if __name__ == "__main__":
    main()
