"""Findings as SARIF 2.1.0, for code scanning services."""

from __future__ import annotations

import json
import os
from typing import Any, TextIO
from urllib.parse import quote

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.results import PlacedFix, Results
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Range
from flake8_fastapi_rules.reporters.view import View, posix
from flake8_fastapi_rules.rules.base import Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write_sarif(results: Results, stream: TextIO, view: View) -> None:
    """Write one SARIF log with one run."""
    codes = sorted({*view.rules, *(finding.code for finding in results.findings)})
    index = {code: number for number, code in enumerate(codes)}
    notifications = [
        {
            "level": "error",
            "message": {"text": problem.message},
            "locations": [
                _location(
                    problem.path,
                    Range(problem.line, problem.column, problem.line, problem.column),
                )
            ],
        }
        for problem in results.problems
    ]
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "flake8-fastapi-rules",
                        "version": view.version,
                        "rules": [_rule(code, view.rules.get(code)) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not results.problems,
                        "toolExecutionNotifications": notifications,
                    }
                ],
                "results": [
                    _result(finding, results.fixes.get(finding), index, view)
                    for finding in results.findings
                ],
            }
        ],
    }
    json.dump(log, stream, indent=2)
    stream.write("\n")


def _rule(code: str, rule: type[Rule] | None) -> dict[str, Any]:
    if rule is None:
        text = "The linter itself failed" if code == INTERNAL_ERROR else code
        return {"id": code, "name": "internal-error", "shortDescription": {"text": text}}
    page = rule.documentation()
    sections = "\n\n".join(f"## {title}\n\n{body}" for title, body in page.sections.items())
    return {
        "id": code,
        "name": rule.name(),
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.sections.get("What it does", page.summary)},
        "help": {"text": page.summary, "markdown": f"{page.summary}\n\n{sections}"},
        "defaultConfiguration": {"level": "error" if rule.is_bug else "warning"},
        "properties": {"tags": [rule.group(), *rule.profiles]},
    }


def _result(
    finding: Finding, fix: PlacedFix | None, index: dict[str, int], view: View
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": "error" if view.is_error(finding.code) else "warning",
        "message": {"text": finding.message},
        "locations": [_location(finding.path, finding.range)],
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                **_location(related.path, related.range),
                "message": {"text": related.message},
            }
            for number, related in enumerate(finding.related)
        ]
    if fix:
        result["fixes"] = [
            {
                "description": {"text": f"{fix.title} ({fix.safety})"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": _uri(finding.path)},
                        "replacements": [
                            {
                                "deletedRegion": _region(
                                    Range(e.line, e.column, e.end_line, e.end_column)
                                ),
                                "insertedContent": {"text": e.text},
                            }
                            for e in fix.edits
                        ],
                    }
                ],
            }
        ]
    return result


def _location(path: str, where: Range) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if where.line:
        physical["region"] = _region(where)
    return {"physicalLocation": physical}


def _region(where: Range) -> dict[str, int]:
    return {
        "startLine": where.line,
        "startColumn": where.column + 1,
        "endLine": where.end_line,
        "endColumn": where.end_column + 1,
    }


def _uri(path: str) -> str:
    uri = quote(posix(path), errors="surrogateescape")
    return f"file://{uri}" if os.path.isabs(path) else uri
