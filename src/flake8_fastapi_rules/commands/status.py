"""Exit statuses."""

from __future__ import annotations

#: Nothing to report.
CLEAN = 0
#: There are findings.
FINDINGS = 1
#: Wrong usage, a mistake in the configuration, or a file that could not be checked.
USAGE = 2
#: A rule or the linter itself failed (FAR000).
INTERNAL = 3
