"""Findings in the formats of GitHub, GitLab, reviewdog and JUnit readers."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

from flake8_fastapi_rules.engine.results import Results
from flake8_fastapi_rules.reporters.view import View, posix

_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_github(results: Results, stream: TextIO, view: View) -> None:
    """Write workflow commands that GitHub shows beside the changed lines."""
    for finding in results.findings:
        level = "error" if view.is_error(finding.code) else "warning"
        properties = {
            "title": f"{finding.code} {view.rule_name(finding.code)}",
            "file": posix(finding.path),
            "line": finding.line,
            "endLine": finding.range.end_line,
            "col": finding.column + 1,
            "endColumn": finding.range.end_column + 1,
        }
        if finding.range.end_line != finding.line:  # columns are allowed on one line only
            del properties["col"], properties["endColumn"]
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        text = f"{finding.path}:{finding.line}:{finding.column + 1}: {finding.code} "
        stream.write(f"::{level} {listed}::{_data(text + finding.message)}\n")
    for problem in results.problems:
        place = f",line={problem.line},col={problem.column + 1}" if problem.line else ""
        file = _property(posix(problem.path))
        stream.write(f"::error file={file}{place}::{_data(problem.message)}\n")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")


def write_gitlab(results: Results, stream: TextIO, view: View) -> None:
    """Write a Code Quality report; fingerprints do not depend on line numbers."""
    entries: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for finding in results.findings:
        source = view.source(finding.path)
        lines = source.lines if source else []
        text = lines[finding.line - 1].strip() if finding.line <= len(lines) else ""
        key = "\0".join((posix(finding.path), finding.code, finding.message, text))
        seen[key] = seen.get(key, 0) + 1
        digest = hashlib.sha256(f"{key}\0{seen[key]}".encode(errors="replace")).hexdigest()
        where = finding.range
        entries.append(
            {
                "check_name": finding.code,
                "description": f"{finding.code} {finding.message}",
                "fingerprint": digest,
                "severity": "major" if view.is_error(finding.code) else "minor",
                "location": {
                    "path": posix(finding.path),
                    "positions": {
                        "begin": {"line": where.line, "column": where.column + 1},
                        "end": {"line": where.end_line, "column": where.end_column + 1},
                    },
                },
            }
        )
    for problem in results.problems:
        digest = hashlib.sha256(str(problem).encode(errors="replace")).hexdigest()
        entries.append(
            {
                "check_name": "not-checked",
                "description": problem.message,
                "fingerprint": digest,
                "severity": "critical",
                "location": {
                    "path": posix(problem.path),
                    "lines": {"begin": problem.line or 1},
                },
            }
        )
    json.dump(entries, stream, indent=2)
    stream.write("\n")


def write_rdjson(results: Results, stream: TextIO, view: View) -> None:
    """Write reviewdog's diagnostic format, with fixes as suggestions."""
    diagnostics: list[dict[str, Any]] = []
    for finding in results.findings:
        where = finding.range
        entry: dict[str, Any] = {
            "message": finding.message,
            "location": {
                "path": posix(finding.path),
                "range": _bytes_range(
                    view,
                    finding.path,
                    (where.line, where.column),
                    (where.end_line, where.end_column),
                ),
            },
            "severity": "ERROR" if view.is_error(finding.code) else "WARNING",
            "code": {"value": finding.code},
        }
        if fix := results.fixes.get(finding):
            entry["suggestions"] = [
                {
                    "range": _bytes_range(
                        view,
                        finding.path,
                        (edit.line, edit.column),
                        (edit.end_line, edit.end_column),
                    ),
                    "text": edit.text,
                }
                for edit in fix.edits
            ]
        if finding.related:
            entry["related_locations"] = [
                {
                    "message": related.message,
                    "location": {
                        "path": posix(related.path),
                        "range": _bytes_range(
                            view,
                            related.path,
                            (related.range.line, related.range.column),
                            (related.range.end_line, related.range.end_column),
                        ),
                    },
                }
                for related in finding.related
            ]
        diagnostics.append(entry)
    for problem in results.problems:
        location: dict[str, Any] = {"path": posix(problem.path)}
        if problem.line:
            location["range"] = {"start": {"line": problem.line, "column": problem.column + 1}}
        diagnostics.append({"message": problem.message, "location": location, "severity": "ERROR"})
    document = {
        "source": {"name": "far"},
        "diagnostics": diagnostics,
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def _bytes_range(
    view: View, path: str, start: tuple[int, int], end: tuple[int, int]
) -> dict[str, Any]:
    """A range with 1-based columns that count UTF-8 bytes, as reviewdog wants them."""
    source = view.source(path)

    def position(line: int, column: int) -> dict[str, int]:
        if source is not None and line <= len(source.lines):
            column = len(source.lines[line - 1][:column].encode(errors="replace"))
        return {"line": line, "column": column + 1}

    return {"start": position(*start), "end": position(*end)}


def write_junit(results: Results, stream: TextIO, view: View) -> None:
    """Write a JUnit report: a suite per file, a failed case per finding."""
    suites: dict[str, list[str]] = {}
    for finding in results.findings:
        name = f"{finding.code} {view.rule_name(finding.code)}"
        place = f"line {finding.line}, column {finding.column + 1}"
        case = (
            f"    <testcase name={_attribute(f'{name} ({place})')}"
            f' classname={_attribute(posix(finding.path))} line="{finding.line}">\n'
            f"      <failure type={_attribute(finding.code)}"
            f" message={_attribute(finding.message)}>"
            f"{_text(f'{finding.path}:{finding.line}:{finding.column + 1}')}</failure>\n"
            "    </testcase>\n"
        )
        suites.setdefault(posix(finding.path), []).append(case)
    for problem in results.problems:
        case = (
            f'    <testcase name="not checked" classname={_attribute(posix(problem.path))}>\n'
            f"      <error message={_attribute(problem.message)}>{_text(str(problem))}</error>\n"
            "    </testcase>\n"
        )
        suites.setdefault(posix(problem.path), []).append(case)
    failures, errors = len(results.findings), len(results.problems)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(
        f'<testsuites name="far" tests="{failures + errors}" failures="{failures}"'
        f' errors="{errors}">\n'
    )
    for path, cases in suites.items():
        failed = sum("<failure" in case for case in cases)
        stream.write(
            f'  <testsuite name={_attribute(path)} tests="{len(cases)}" failures="{failed}"'
            f' errors="{len(cases) - failed}">\n'
        )
        stream.writelines(cases)
        stream.write("  </testsuite>\n")
    stream.write("</testsuites>\n")


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text).replace("\n", " "))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
