"""Runs the linter on cases, and applies its fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.config import SettingsLoader
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.fixes.apply import NO_FIX, apply_fixes
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


def fix(
    case: Case, folder: Path, settings: Mapping[str, Any] | None = None, *, strictly: bool = True
) -> dict[str, str]:
    """The texts of a case after the fixes of its own rules.

    Unsafe fixes are applied only where a rule (or the header) is declared so.

    Parameters:
        case: the case.
        folder: an empty folder.
        settings: changes to the settings of the case; by default only its own codes run.
        strictly: a fix that the loop rejects is a failure.
    """
    case.write(folder, case.settings(**(only(case.select) if settings is None else settings)))
    unsafe = case.header.options.get("fixes") == "unsafe" or any(
        rule.fix == "unsafe" for rule in case.rules
    )
    texts = dict(case.files)
    for path in case.files:
        if not path.endswith(".py"):
            continue
        file = folder / path
        outcome = apply_fixes(
            Source.from_bytes(str(file), file.read_bytes()),
            Linter(SettingsLoader()).check,
            unsafe=unsafe,
            wanted=lambda finding: finding.code in case.select,
        )
        assert outcome.converged, f"{path}: the fixes do not come to an end"
        fixable = {rule.code for rule in case.rules if rule.fix}
        for left in outcome.left:
            silent = left.reason == NO_FIX and left.finding.code in fixable
            assert not silent, f"{path}:{left.finding.line}: nothing says why it is left"
        rejected = [
            f"{path}:{left.finding.line}: {left.finding.code}: {left.reason}"
            for left in outcome.left
            if left.is_rejected
        ]
        assert not (strictly and rejected), "rejected fixes:\n" + "\n".join(rejected)
        texts[path] = outcome.after.text
        file.write_bytes(texts[path].encode())
    return texts
