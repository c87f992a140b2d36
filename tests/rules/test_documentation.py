"""The examples in the rules' documentation do what the text says of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.engine.suppress import unsuppressed
from flake8_fastapi_rules.linter import in_profile
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.rules.base import Rule
from tests.rules.cases import DEFAULT_NAME, Case, header_of
from tests.rules.judge import Judge, contradiction
from tests.rules.linting import lint

NewFolder = Callable[[], Path]
UNNAMED = "example.py"


def examples(section: str) -> list[Case]:
    """The examples of one section of all rules, as cases."""
    cases = []
    for rule in all_rules():
        for index, files in enumerate(rule.documentation().examples(section)):
            header = header_of(next(iter(files.values())))
            if list(files) == [UNNAMED]:
                files = {header.options.get("filename", DEFAULT_NAME): files[UNNAMED]}
            name = f"{rule.code}-{section.split(maxsplit=1)[0].lower()}{index}"
            origin = Path(__import__(rule.__module__, fromlist=["_"]).__file__)
            cases.append(Case(name, files, (rule.code,), header, origin))
    return cases


def profiles_to_try(rule: type[Rule]) -> list[str]:
    """`strict`, and what the rule itself belongs to when that is another one."""
    if in_profile(rule, "strict") or "opt-in" in rule.profiles:
        return ["strict"]
    return ["strict", *(profile for profile in rule.profiles if profile != "recommended")]


@pytest.mark.parametrize("case", examples("Example"), ids=str)
def test_example_is_reported(case: Case, new_folder: NewFolder) -> None:
    """With the recommended rules and its own on, an example has exactly its own findings."""
    (rule,) = case.rules
    found = lint(case, new_folder(), {"profile": "recommended", "enable": [rule.code]})
    codes = {
        finding.code
        for path, findings in found.items()
        for finding in unsuppressed(Source(path, case.files[path]), findings)
    }
    assert codes == {rule.code}, listing(found)


@pytest.mark.parametrize("case", examples("Use instead"), ids=str)
def test_use_instead_is_silent(case: Case, new_folder: NewFolder) -> None:
    """What is recommended instead has no findings in `strict` and in the rule's own profile."""
    (rule,) = case.rules
    for profile in profiles_to_try(rule):
        found = lint(case, new_folder(), {"profile": profile, "enable": [rule.code]})
        assert not found, f"{profile}:\n{listing(found)}"


JUDGED = [
    case
    for section in ("Example", "Use instead")
    for case in examples(section)
    if case.header.verdict and case.header.verdict.kind != "skip"
]


@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_example_is_judged(case: Case, new_folder: NewFolder, judge: Judge) -> None:
    """An example that says in its header what FastAPI does with it is right."""
    folder = new_folder()
    case.write(folder, {})
    assert case.header.verdict
    problem = contradiction(case, case.header.verdict, judge, folder)
    assert not problem, problem


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_examples_are_programs(rule: type[Rule]) -> None:
    """All examples parse."""
    for section in ("Example", "Use instead"):
        for files in rule.documentation().examples(section):
            for path, text in files.items():
                if path.endswith(".py"):
                    ast.parse(text, path)


def listing(found: dict[str, list[Finding]]) -> str:
    """Findings, one a line."""
    lines = [
        f"{path}:{finding.line}: {finding.code} {finding.message}"
        for path, findings in found.items()
        for finding in findings
    ]
    return "\n".join(lines) or "nothing is reported"
