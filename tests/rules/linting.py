"""Runs the linter on cases, and applies its fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.config import SettingsLoader
from flake8_fastapi_rules.engine.findings import Edit, Finding
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.linter import INTERNAL_ERROR, Linter
from flake8_fastapi_rules.rules import all_rules
from tests.rules.cases import Case


@cache
def hundreds() -> tuple[str, ...]:
    """Selectors that name all rules together, each more specific than a profile."""
    return tuple(sorted({rule.code[:4] for rule in all_rules()}))


def only(codes: Iterable[str]) -> dict[str, Any]:
    """Settings under which just these codes run."""
    return {"enable": sorted(codes), "disable": list(hundreds())}


def everything() -> dict[str, Any]:
    """Settings under which every rule runs."""
    return {"profile": "strict", "enable": list(hundreds())}


def lint(
    case: Case, folder: Path, settings: Mapping[str, Any] | None = None
) -> dict[str, list[Finding]]:
    """Write a case into `folder` and check its Python files.

    Parameters:
        case: the case.
        folder: an empty folder.
        settings: changes to the settings of the case; by default only its own codes run.

    Returns:
        The findings by relative path; files without findings are left out.
    """
    case.write(folder, case.settings(**(only(case.select) if settings is None else settings)))
    return lint_folder(folder, case.files)


def lint_folder(folder: Path, paths: Iterable[str]) -> dict[str, list[Finding]]:
    """Check files below a folder, given by relative paths, as one run."""
    linter = Linter(SettingsLoader())
    found: dict[str, list[Finding]] = {}
    for path in paths:
        if path.endswith(".py"):
            file = folder / path
            findings = linter.check(Source.from_bytes(str(file), file.read_bytes()))
            if findings:
                found[path] = findings
    return found


def crashes(found: Mapping[str, list[Finding]]) -> list[str]:
    """The messages of internal errors among findings."""
    findings = [finding for each in found.values() for finding in each]
    return [f"{f.path}:{f.line}: {f.message}" for f in findings if f.code == INTERNAL_ERROR]


def fix(case: Case, folder: Path) -> dict[str, str]:
    """The texts of a case after its fixes; unsafe ones only where the rule is declared so."""
    case.write(folder, case.settings(**only(case.select)))
    unsafe = case.header.options.get("fixes") == "unsafe" or any(
        rule.fix == "unsafe" for rule in case.rules
    )
    texts = dict(case.files)
    for _ in range(20):
        before = dict(texts)
        for path, findings in lint_folder(folder, texts).items():
            texts[path] = _spliced(texts[path], findings, unsafe=unsafe)
            (folder / path).write_bytes(texts[path].encode())
        if texts == before:
            return texts
    raise AssertionError(f"{case}: the fixes do not come to an end")


def _spliced(text: str, findings: Iterable[Finding], *, unsafe: bool) -> str:
    """Apply the fixes that neither overlap nor share a group with an earlier one."""
    taken: list[Edit] = []
    groups: set[str] = set()
    for finding in findings:
        made = finding.make_fix() if finding.make_fix else None
        if made is None or (made.safety == "unsafe" and not unsafe) or made.group in groups:
            continue
        new = [edit for edit in made.edits if edit not in taken]
        if any(a.start < b.end and b.start < a.end for a in new for b in taken):
            continue
        taken += new
        if made.group:
            groups.add(made.group)
    for edit in sorted(taken, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
