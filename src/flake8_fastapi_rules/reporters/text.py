"""Findings for people: one line each, or with an excerpt of the source."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TextIO

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.results import Results
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.reporters.view import View, printable

_STYLES = {"code": "1;31", "path": "1", "bar": "34", "caret": "1;31", "help": "36", "note": "33"}
#: Longer ranges are cut in the middle.
_EXCERPT_LINES = 6
#: Of longer lines only a window around the finding is shown.
_WIDTH = 160


def write_concise(results: Results, stream: TextIO, view: View) -> None:
    """Write `path:line:column: CODE message` lines."""
    for finding in results.findings:
        place = f"{printable(finding.path)}:{finding.line}:{finding.column + 1}:"
        code = _paint(view, "code", finding.code)
        stream.write(f"{_paint(view, 'path', place)} {code} {printable(finding.message)}\n")


def write_full(results: Results, stream: TextIO, view: View) -> None:
    """Write every finding with an excerpt, carets, related places and help."""
    for finding in results.findings:
        stream.write("\n".join(_full(finding, view)) + "\n\n")


def _full(finding: Finding, view: View) -> Iterator[str]:
    yield f"{_paint(view, 'code', finding.code)} {printable(finding.message)}"
    yield from _excerpt(finding.path, finding.range, view, "caret")
    for related in finding.related:
        yield f"{_paint(view, 'note', 'note:')} {printable(related.message)}"
        yield from _excerpt(related.path, related.range, view, "note")
    rule = view.rules.get(finding.code)
    if rule is None:
        return
    text = f"far explain {finding.code}"
    if finding.make_fix is not None and rule.fix is not None:
        unsafe = "" if rule.fix == "safe" else " --unsafe-fixes"
        text += f"; far fix{unsafe} --select {finding.code} may mend it"
    yield f"{_paint(view, 'help', 'help:')} {view.summary(finding.code)} ({text})"


def _excerpt(path: str, where: Range, view: View, style: str) -> Iterator[str]:
    source = view.source(path)
    place = f"{printable(path)}:{where.line}:{where.column + 1}"
    if source is None or where.line > len(source.lines):
        yield f" {_paint(view, 'bar', '-->')} {_paint(view, 'path', place)}"
        return
    numbers = _shown_lines(where, source)
    margin = len(str(numbers[-1]))
    bar = _paint(view, "bar", f"{'':{margin}} |")
    yield f"{'':{margin}}{_paint(view, 'bar', '-->')} {_paint(view, 'path', place)}"
    yield bar
    previous = numbers[0] - 1
    for number in numbers:
        if number != previous + 1:
            yield _paint(view, "bar", "...")
        previous = number
        text = source.lines[number - 1]
        start = where.column if number == where.line else len(text) - len(text.lstrip())
        end = where.end_column if number == where.end_line else len(text.rstrip())
        left = max(0, start - _WIDTH // 2) if len(text) > _WIDTH else 0
        shown = text[left : left + _WIDTH]
        start, end = start - left, min(max(end - left, start - left + 1), len(shown) + 1)
        yield f"{_paint(view, 'bar', f'{number:{margin}} |')} {_visible(shown)}".rstrip()
        carets = "^" * max(_width(shown[start:end]), 1)
        yield f"{bar} {_blank(shown[:start])}{_paint(view, style, carets)}"


def _shown_lines(where: Range, source: Source) -> list[int]:
    last = min(max(where.end_line, where.line), len(source.lines))
    numbers = [n for n in range(where.line, last + 1) if n == where.line or source.lines[n - 1]]
    if len(numbers) > _EXCERPT_LINES:
        numbers = [*numbers[:3], *numbers[-2:]]
    return numbers


def _visible(text: str) -> str:
    return "".join("\ufffd" if _is_control(c) else c for c in text.rstrip("\n"))


def _blank(text: str) -> str:
    """White space as wide as `text`; tabs stay tabs so that carets stand below."""
    return "".join("\t" if c == "\t" else " " * _width(c) for c in text)


def _width(text: str) -> int:
    total = 0
    for character in text:
        if unicodedata.combining(character):
            continue
        total += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return total


def _is_control(character: str) -> bool:
    return character != "\t" and unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _paint(view: View, style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if view.color else text
