"""Findings as JSON; `far.schema.json` beside this module describes the document."""

from __future__ import annotations

import json
from typing import Any, TextIO

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.results import PlacedFix, Results
from flake8_fastapi_rules.engine.source import Range
from flake8_fastapi_rules.reporters.view import View, posix

#: Raised when a reader of the old document could be misled by the new one.
FORMAT_VERSION = 1


def write_json(results: Results, stream: TextIO, view: View) -> None:
    """Write one JSON document."""
    document = {
        "format": FORMAT_VERSION,
        "tool": {"name": "flake8-fastapi-rules", "version": view.version},
        "findings": [
            _finding(f, results.fixes.get(f), results.unfixable.get(f), view)
            for f in results.findings
        ],
        "errors": [
            {
                "path": posix(problem.path),
                "line": problem.line or None,
                "column": problem.column + 1 if problem.line else None,
                "message": problem.message,
            }
            for problem in results.problems
        ],
        "summary": {
            "files": results.files,
            "findings": len(results.findings),
            "hidden": results.hidden,
            "by_code": dict(results.statistics()),
        },
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def _finding(
    finding: Finding, fix: PlacedFix | None, unfixable: str | None, view: View
) -> dict[str, Any]:
    return {
        "path": posix(finding.path),
        **place(finding.range),
        "code": finding.code,
        "name": view.rule_name(finding.code),
        "severity": "error" if view.is_error(finding.code) else "warning",
        "message": finding.message,
        "related": [
            {"path": posix(related.path), **place(related.range), "message": related.message}
            for related in finding.related
        ],
        "fix": fix
        and {
            "title": fix.title,
            "safety": fix.safety,
            "edits": [
                {
                    "line": edit.line,
                    "column": edit.column + 1,
                    "end_line": edit.end_line,
                    "end_column": edit.end_column + 1,
                    "text": edit.text,
                }
                for edit in fix.edits
            ],
        },
        "unfixable": unfixable,
    }


def place(where: Range) -> dict[str, int]:
    """A range with 1-based lines and columns; the end column is the one behind the last."""
    return {
        "line": where.line,
        "column": where.column + 1,
        "end_line": where.end_line,
        "end_column": where.end_column + 1,
    }
