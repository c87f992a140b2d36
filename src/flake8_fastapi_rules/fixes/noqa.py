"""`# noqa` comments for findings that are to stay."""

from __future__ import annotations

import ast
import io
import re
import token
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.engine.suppress import Suppressions

_CODES = re.compile(r"# noqa:[ \t]?(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NoqaOutcome:
    """What became of one file.

    Parameters:
        after: the text with the comments.
        added: the findings that are hidden now.
        left: those that are not, with the reason.
    """

    after: Source
    added: tuple[Finding, ...]
    left: tuple[tuple[Finding, str], ...]


def add_noqa(source: Source, findings: Iterable[Finding], reason: str = "") -> NoqaOutcome:
    """Add `# noqa: CODE` for findings, on the line where it counts for each of them.

    Codes are added to a `noqa` comment that is there. In a text that goes on over several lines
    (a string, lines joined by backslashes) the comment is put behind the last one, where flake8
    looks for it.

    Parameters:
        reason: why; it is written behind new codes.
    """
    findings = list(findings)
    ends = _comment_lines(source)
    wanted: dict[int, list[Finding]] = {}
    left: list[tuple[Finding, str]] = []
    for finding in findings:
        line = ends.get(finding.line)
        if line is None:
            left.append((finding, "no comment can stand on its line"))
        else:
            wanted.setdefault(line, []).append(finding)
    lines = list(source.lines)
    for line, those in wanted.items():
        codes = sorted({finding.code for finding in those})
        lines[line - 1] = _with_codes(lines[line - 1], codes, " ".join(reason.split()))
    after = Source(source.path, "\n".join(lines))
    if not _same_code(source, after):
        return NoqaOutcome(source, (), tuple((f, "the code would change") for f in findings))
    suppressions = Suppressions(after)
    added: list[Finding] = []
    for those in wanted.values():
        for finding in those:
            if suppressions.covers(finding.code, finding.line):
                added.append(finding)
            else:
                left.append((finding, "flake8 would not see the comment"))
    return NoqaOutcome(after, tuple(sorted(added)), tuple(sorted(left)))


def _comment_lines(source: Source) -> dict[int, int]:
    """For each line the line whose end takes the comment for it."""
    result: dict[int, int] = {}
    first: int | None = None
    try:
        reader = io.StringIO(source.text, newline="\n").readline
        for found in tokenize.generate_tokens(reader):
            if found.type in (token.INDENT, token.DEDENT, token.ENDMARKER):
                continue
            first = found.start[0] if first is None else min(first, found.start[0])
            if found.type in (token.NL, token.NEWLINE):
                last = found.start[0]
                result.update(dict.fromkeys(range(first, last + 1), last))
                first = None
    except (tokenize.TokenError, SyntaxError, IndexError):
        return {}
    return result


def _with_codes(line: str, codes: list[str], reason: str) -> str:
    match = _CODES.search(line)
    if match is not None:
        present = re.split(r"[,\s]+", match.group("codes"))
        new = [code for code in codes if code not in present]
        comma = "," if re.search(r"\w,\w", match.group("codes")) else ", "
        end = match.end("codes")
        return line[:end] + "".join(comma + code for code in new) + line[end:]
    because = f" - {reason}" if reason else ""
    return f"{line.rstrip()}  # noqa: {', '.join(codes)}{because}"


def _same_code(before: Source, after: Source) -> bool:
    try:
        return ast.dump(before.parse()) == ast.dump(after.parse())
    except SourceError:
        return False
