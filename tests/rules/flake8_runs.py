"""Real flake8 over folders of cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flake8.main.application import Application

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.engine.suppress import Suppressions

_LINE = re.compile(r"^(.+?):(\d+):(\d+): (FAR\d{3}) (.*)$")


@dataclass(frozen=True, slots=True, order=True)
class Reported:
    """One line of flake8's output; the column is 1-based there."""

    path: str
    line: int
    column: int
    code: str
    message: str

    @classmethod
    def of(cls, path: Path, finding: Finding) -> Reported:
        """What flake8 must print for a finding."""
        return cls(str(path), finding.line, finding.column + 1, finding.code, finding.message)

    def is_below(self, folder: Path) -> bool:
        """Whether it is about a file in a folder."""
        return folder in Path(self.path).parents

    def is_hidden_in(self, text: str) -> bool:
        """Whether a `noqa` comment of the fixture itself hides it."""
        return Suppressions(Source(self.path, text)).covers(self.code, self.line)


def run_flake8(folder: Path) -> list[Reported]:
    """Check a folder with all other configuration left aside; gives our codes only."""
    output = folder / "flake8.txt"
    application = Application()
    application.run(["--isolated", "-j1", "--select=FAR", f"--output-file={output}", str(folder)])
    found = []
    for line in output.read_text().splitlines():
        match = _LINE.match(line)
        assert match, line
        path, row, column, code, message = match.groups()
        found.append(Reported(path, int(row), int(column), code, message))
    return found
