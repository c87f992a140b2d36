"""Print how our findings compare with those of other tools, as a Markdown table.

    python benchmarks/conformance.py CORPUS [--differences]

CORPUS holds checkouts of repositories, one folder `owner__name` each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.conformance.comparing import Row, compare
from tests.conformance.explanations import EXPLANATIONS
from tests.conformance.sets import SETS


def rows_of(corpus: Path) -> list[Row]:
    """The comparison with every set that the corpus holds."""
    rows: list[Row] = []
    for peers in SETS:
        with tempfile.TemporaryDirectory() as temporary:
            reading = peers.read(corpus, Path(temporary))
            if reading is None:
                print(f"not in the corpus: {peers.name}", file=sys.stderr)
                continue
            rows += compare(peers, reading, EXPLANATIONS)
    return rows


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--differences", action="store_true", help="list each difference")
    options = parser.parse_args()
    rows = rows_of(options.corpus)
    print("| set | their rule | our rules | theirs | ours too | explained | unexplained |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        left = len(row.missing) + len(row.surplus)
        if not (row.claimed or left or row.explained):
            continue
        print(
            f"| {row.set_name} | {row.rule} | {' '.join(row.codes)} | {row.claimed} | {row.agreed} "
            f"| {len(row.explained)} | {left} |"
        )
    if unread := sum(row.unread for row in rows):
        print(f"\n{unread} of their reports are in files that this Python cannot parse.")
    if options.differences:
        for row in rows:
            for place in row.missing:
                print(f"{row.set_name}: only {row.rule}: {place}")
            for place in row.surplus:
                print(f"{row.set_name}: only ours ({row.rule}): {place}")
            for place, explanation in row.explained:
                print(f"{row.set_name}: {row.rule}: {place}: {explanation.reason}")
    return 1 if any(row.missing or row.surplus for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
