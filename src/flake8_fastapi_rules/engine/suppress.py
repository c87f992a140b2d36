"""`# noqa` as flake8 understands it, for the runs that flake8 has no part in.

The expressions and the mapping of lines follow flake8 7.1 to 7.5: codes are prefixes, compared as
they are written; a comment counts for all lines of a multi-line string or of lines joined by
backslashes that it ends; brackets join nothing; `# flake8: noqa` at the start of any line silences
the file, whatever follows it.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from functools import cached_property

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source

_LINE = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


class Suppressions:
    """The `noqa` comments of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @cached_property
    def whole_file(self) -> bool:
        """Whether a line says `# flake8: noqa`."""
        text = self._source.text
        return "flake8" in text.lower() and any(map(_FILE.match, self._source.lines))

    def covers(self, code: str, line: int) -> bool:
        """Whether a comment hides findings of `code` on a 1-based line."""
        if self.whole_file:
            return True
        if not self._mentioned:
            return False
        match = _LINE.search(self._text_for(line))
        if match is None:
            return False
        codes = match.group("codes")
        if codes is None:
            return True
        return code.startswith(tuple(item for item in re.split(r"[,\s]", codes) if item))

    @cached_property
    def _mentioned(self) -> bool:
        return "noqa" in self._source.text.lower()

    def _text_for(self, line: int) -> str:
        joined = self._joined.get(line)
        if joined is not None:
            return joined
        lines = self._source.lines
        return lines[line - 1] if 0 < line <= len(lines) else ""

    @cached_property
    def _joined(self) -> Mapping[int, str]:
        """For each line the text in which its comment is looked for."""
        lines = [line + "\n" for line in self._source.lines]
        result: dict[int, str] = {}
        first, last = len(lines) + 2, -1
        try:
            for token in tokenize.generate_tokens(io.StringIO(self._source.text).readline):
                if token.type in (tokenize.ENDMARKER, tokenize.DEDENT):
                    continue
                first, last = min(first, token.start[0]), max(last, token.end[0])
                if token.type in (tokenize.NL, tokenize.NEWLINE):
                    joined = "".join(lines[first - 1 : last])
                    result.update(dict.fromkeys(range(first, last + 1), joined))
                    first, last = len(lines) + 2, -1
        except (tokenize.TokenError, SyntaxError):
            return {}
        return result


def unsuppressed(source: Source, findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one file that no comment hides."""
    suppressions = Suppressions(source)
    return [f for f in findings if not suppressions.covers(f.code, f.line)]
