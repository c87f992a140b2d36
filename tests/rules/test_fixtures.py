"""The matrix: every fixture in every style, with the findings that its markers announce."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.rules import all_rules
from tests.rules.cases import (
    FIXTURES,
    Case,
    difference,
    fixed_twin,
    project_cases,
    rule_cases,
    without_markers,
)
from tests.rules.flake8_runs import Reported, run_flake8
from tests.rules.judge import Judge, Verdict, contradiction, module_of
from tests.rules.linting import crashes, everything, fix, lint, lint_folder
from tests.rules.variants import (
    Variant,
    comments_of,
    import_styles,
    text_styles,
    with_comments,
    with_noqa,
)

NewFolder = Callable[[], Path]

CASES = (*rule_cases(), *project_cases())
FIXABLE = {rule.code for rule in all_rules() if rule.fix}
FIXED = [case for case in rule_cases() if case.is_flagged and FIXABLE & set(case.select)]
GROUPS = sorted({case.name.partition("/")[0] for case in CASES})

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def skip_if_asked(case: Case, row: str) -> None:
    """Skip a row of the matrix for a case whose header gives a reason."""
    if reason := case.skipped(row):
        pytest.skip(reason)


@every_case
def test_findings(case: Case, new_folder: NewFolder) -> None:
    """Exactly what the markers announce is reported."""
    missing = set(case.select) - {rule.code for rule in all_rules()}
    assert not missing, f"no such rule: {', '.join(sorted(missing))}"
    problem = difference(case, lint(case, new_folder()))
    assert not problem, f"{case.origin}\n{problem}"


@every_case
def test_everything_on(case: Case, new_folder: NewFolder) -> None:
    """All rules together do not crash."""
    skip_if_asked(case, "everything")
    assert not crashes(lint(case, new_folder(), everything()))


@every_case
def test_import_styles(case: Case, new_folder: NewFolder) -> None:
    """However names are imported, the same lines are reported."""
    found = lint(case, new_folder())
    problems: list[str] = []
    for style, variants in restyled(case, found).items():
        if case.skipped(style):
            continue
        files = dict(case.files)
        for path, variant in variants.items():
            files[path] = variant.text
            folder = path.rpartition("/")[0] if case.origin.name == "case.toml" else ""
            siblings = {f"{folder}/{name}".lstrip("/"): t for name, t in variant.siblings.items()}
            files.update(siblings)
        result = lint(case.with_files(files, style), new_folder())
        for path in case.files:
            same = Variant(case.files[path])
            variant = variants.get(path, same)
            wanted = [(variant.line(f.line), f.code) for f in found.get(path, ())]
            got = [(f.line, f.code) for f in result.get(path, ())]
            problems += compared(f"{style}: {path}", wanted, got, variant.text)
    assert not problems, f"{case.origin}\n" + "\n".join(problems)


def restyled(case: Case, found: dict[str, list[Finding]]) -> dict[str, dict[str, Variant]]:
    """The variants of a case's files by import style."""
    files = {path: text for path, text in case.files.items() if path.endswith(".py")}
    trees = {path: ast.parse(text) for path, text in files.items()}
    imported = [
        (node, alias.name)
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    own = {part for path in files for part in module_of(path).split(".")}
    exported = {name for node, name in imported if node.level or node.module.split(".")[0] in own}
    styles: dict[str, dict[str, Variant]] = {}
    for path, text in files.items():
        if "*" in exported and len(files) > 1:
            break
        lines = [finding.line for finding in found.get(path, ())]
        for style, variant in import_styles(text, lines, exported, own):
            # A module next to several files would have to be found from each of them.
            if not variant.siblings or len(files) == 1:
                styles.setdefault(style, {})[path] = variant
    return styles


@pytest.mark.parametrize("case", rule_cases(), ids=str)
def test_text_styles(case: Case, new_folder: NewFolder) -> None:
    """However the text is encoded and indented, the same places are reported."""
    found = lint(case, new_folder())
    problems: list[str] = []
    for path, text in case.files.items():
        for style, variant, data in text_styles(text, found.get(path, [])):
            if case.skipped(style):
                continue
            folder = new_folder()
            lint(case.with_files({path: variant.text}, style), folder)
            (folder / path).write_bytes(data)
            result = lint_folder(folder, [path]).get(path, [])
            wanted = [variant.expected(finding) for finding in found.get(path, ())]
            same = Variant(variant.text)
            got = [same.expected(finding) for finding in result]
            problems += compared(f"{style}: {path}", wanted, got, variant.text)
    assert not problems, f"{case.origin}\n" + "\n".join(problems)


def compared(
    where: str, wanted: Iterable[tuple[Any, ...]], got: Iterable[tuple[Any, ...]], text: str
) -> list[str]:
    """What differs between findings wanted and got, with the text of their lines."""
    lines = text.split("\n")
    expected, found = Counter(wanted), Counter(got)
    return [
        f"{where}: {what} {item}\n    {lines[item[0] - 1].strip()}"
        for what, items in (("lost", expected - found), ("new", found - expected))
        for item in sorted(items.elements())
    ]


@pytest.mark.parametrize("group", GROUPS)
def test_flake8(group: str, new_folder: NewFolder) -> None:
    """Real flake8 prints what the linter finds with everything on, and obeys `noqa`."""
    folder = new_folder()
    expected: Counter[Reported] = Counter()
    silenced: dict[Path, Case] = {}
    for index, case in enumerate(c for c in CASES if c.name.partition("/")[0] == group):
        if not case.skipped("flake8"):
            here = folder / f"plain{index}"
            for path, findings in lint(case, here, everything()).items():
                reported = [Reported.of(here / path, finding) for finding in findings]
                expected.update(
                    each for each in reported if not each.is_hidden_in(case.files[path])
                )
        if not case.skipped("noqa") and case.is_flagged:
            here = folder / f"silenced{index}"
            found = lint(case, here)
            texts = {path: with_noqa(case.files[path], each) for path, each in found.items()}
            lint(case.with_files({**case.files, **texts}, "noqa"), here)
            silenced[here] = case
    printed = Counter(run_flake8(folder))
    plain = Counter({item: n for item, n in printed.items() if "/silenced" not in item.path})
    assert plain == expected, difference_of(expected, plain)
    left = [item for item in printed if any(item.is_below(here) for here in silenced)]
    assert not left, "not silenced by noqa:\n" + "\n".join(map(str, left))


def difference_of(expected: Counter[Reported], printed: Counter[Reported]) -> str:
    """What only one of the linter and flake8 reports."""
    return "\n".join(
        [f"only the linter: {item}" for item in sorted(expected - printed)]
        + [f"only flake8: {item}" for item in sorted(printed - expected)]
    )


def original(case: Case) -> Case:
    """The case as an author would have written it: without markers."""
    return case.with_files({p: without_markers(t) for p, t in case.files.items()}, "unmarked")


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_fix(case: Case, new_folder: NewFolder) -> None:
    """The fix gives the fixed twin, the loop rejects none; a second run has nothing to do."""
    skip_if_asked(case, "fix")
    plain = original(case)
    fixed = fix(plain, new_folder())
    for path, text in fixed.items():
        ast.parse(text)
        missing = Counter(comments_of(plain.files[path])) - Counter(comments_of(text))
        assert not missing, f"{path}: lost comments {sorted(missing)}"
    twin = fixed_twin(case)
    if twin:
        assert fixed == original(twin).files
        problem = difference(twin, lint(twin, new_folder()))
        assert not problem, f"{twin.origin}\n{problem}"
    again = fix(plain.with_files({**plain.files, **fixed}, "fixed"), new_folder())
    assert again == fixed, "a second run changes the text again"


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_fix_among_other_rules(case: Case, new_folder: NewFolder) -> None:
    """With the whole strict profile on, no other rule stands in the way of the fix."""
    skip_if_asked(case, "fix")
    plain = original(case)
    settings = {"profile": case.header.options.get("profile", "strict"), "enable": case.select}
    assert fix(plain, new_folder(), settings) == fix(plain, new_folder())


@pytest.mark.parametrize("code", sorted(FIXABLE))
def test_every_fix_is_shown(code: str) -> None:
    """A rule with a fix has a fixture that shows its result."""
    assert list((FIXTURES / "rules" / code).glob("fixed*.py"))


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_fix_keeps_comments(case: Case, new_folder: NewFolder) -> None:
    """With a comment on every line, fixes lose none, and what they give still parses."""
    skip_if_asked(case, "comments")
    plain = original(case)
    commented = {path: with_comments(text) for path, text in plain.files.items()}
    files = {path: text for path, (text, _) in commented.items()}
    fixed = fix(plain.with_files(files, "comments"), new_folder(), strictly=False)
    for path, text in fixed.items():
        ast.parse(text)
        lost = [comment for comment in commented[path][1] if comment not in text]
        assert not lost, f"{path}: {lost}\n{text}"


JUDGED = [
    candidate
    for case in CASES
    for candidate in (case, fixed_twin(case))
    if candidate
    and (
        candidate.header.verdict
        or not (
            candidate.is_flagged
            or candidate.origin.name == "case.toml"
            or {"fastapi", "starlette"} & set(candidate.header.options)
        )
    )
]


@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_judge(case: Case, new_folder: NewFolder, judge: Judge) -> None:
    """FastAPI does what the fixture says."""
    skip_if_asked(case, "judge")
    verdict = case.header.verdict or Verdict("imports")
    if verdict.kind == "skip":
        pytest.skip(verdict.text)
    folder = new_folder()
    case.write(folder, {})
    problem = contradiction(case, verdict, judge, folder)
    assert not problem, f"{case.origin}\n{problem}"


SAFELY_FIXED = [
    case for case in FIXED if any(rule.fix == "safe" for rule in case.rules) and fixed_twin(case)
]


@pytest.mark.parametrize("case", SAFELY_FIXED, ids=str)
def test_safe_fix_keeps_schema(case: Case, new_folder: NewFolder, judge: Judge) -> None:
    """A safe fix of a program that works changes neither its schema nor its routes."""
    skip_if_asked(case, "judge")
    skip_if_asked(case, "schema")
    verdict = case.header.verdict
    if verdict and verdict.kind == "skip":
        pytest.skip(verdict.text)
    twin = fixed_twin(case)
    assert twin
    answers = []
    for each in (case, twin):
        folder = new_folder()
        each.write(folder, {})
        answers.append(judge.ask(folder, module_of(case.header.filename)))
    before, after = answers
    if before.problem():
        assert not after.problem() or after.raw["error"] is None
        return
    assert after.apps == before.apps
