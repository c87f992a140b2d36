"""Runs a plan over one module and makes findings of what the handlers report."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import PurePath
from typing import Any

from flake8_fastapi_rules.engine.findings import Finding, Unfixable
from flake8_fastapi_rules.engine.plan import Plan, ReportLike, Step
from flake8_fastapi_rules.engine.source import Range, Source

#: The code of findings about crashes of the linter itself.
INTERNAL_ERROR = "FAR000"

#: Statements with a body: what is said of them is said of the word that they begin with.
_COMPOUND = (
    ast.Try,
    ast.TryStar,
    ast.With,
    ast.AsyncWith,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.If,
)

SubjectsOf = Callable[[type, frozenset[str]], Iterable[Any]]


def run(plan: Plan, source: Source, subjects_of: SubjectsOf, context: object) -> list[Finding]:
    """Run every step of `plan` and return sorted, unique findings.

    A handler that raises costs only its own report: the first crash of each rule becomes one
    `FAR000`, and everything else goes on. The same holds for `subjects_of`.

    Parameters:
        plan: the steps, already limited to what applies to the file.
        source: the file; places of reports are nodes or ranges of it.
        subjects_of: gives the subjects of one type in the module; of calls, those of something
            with one of the names, when names are given.
        context: handed to the handlers.
    """
    findings: list[Finding] = []
    crashed: set[str] = set()
    for subject_type, steps in plan.steps:
        for called, group in groupby(steps, key=lambda step: step.condition.called):
            alike = tuple(group)
            try:
                subjects = tuple(subjects_of(subject_type, called))
            except Exception as error:
                rules = ", ".join(dict.fromkeys(step.code for step in alike))
                where = f"finding {subject_type.__name__} for {rules}"
                findings.append(_crash(source, None, where, error))
                continue
            for step in alike:
                for subject in subjects:
                    try:
                        for report in step.handler(subject, context) or ():
                            findings.append(_finding(source, step, report))
                    except Exception as error:
                        if step.code not in crashed:
                            crashed.add(step.code)
                            where = f"{step.code} ({step.name})"
                            findings.append(_crash(source, subject, where, error))
    return unique(findings)


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in order, without those that say the same of the same place twice."""
    seen: dict[tuple[Range, str, str], Finding] = {}
    for finding in sorted(findings):
        seen.setdefault((finding.range, finding.code, finding.message), finding)
    return list(seen.values())


def crash_finding(source: Source, where: str, error: BaseException) -> Finding:
    """The `FAR000` finding for a crash that belongs to no place in the file."""
    return _crash(source, None, where, error)


def _finding(source: Source, step: Step, report: ReportLike) -> Finding:
    return Finding(
        source.path,
        _range(source, report.place),
        step.code,
        report.message,
        tuple(report.related),
        None if isinstance(report.fix, Unfixable) else report.fix,
        str(report.fix) if isinstance(report.fix, Unfixable) else "",
    )


def _range(source: Source, place: ast.AST | Range) -> Range:
    if isinstance(place, Range):
        return place
    if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return source.name_range(place)
    if isinstance(place, _COMPOUND):
        return source.keyword_range(place)
    return source.range_of(place)


def _crash(source: Source, subject: object, where: str, error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    place = ""
    if frames:
        last = frames[-1]
        place = f" at {'/'.join(PurePath(last.filename).parts[-2:])}:{last.lineno} in {last.name}"
    detail = " ".join(str(error).split())[:200]
    message = (
        f"internal error in {where}: {type(error).__name__}"
        f"{': ' + detail if detail else ''}{place}; please report this"
    )
    at = Range(1, 0, 1, 0)
    node = subject if isinstance(subject, ast.AST) else getattr(subject, "node", None)
    if isinstance(node, ast.AST) and hasattr(node, "lineno"):
        try:
            at = _range(source, node)
        except Exception:  # the crash must not hide behind one of its own
            at = Range(node.lineno, 0, node.lineno, 0)
    return Finding(source.path, at, INTERNAL_ERROR, message)
