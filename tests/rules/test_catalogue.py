"""The rules are those of the catalogue, in name, group, profiles, fix and scope."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.rules.base import Rule
from tests.rules.cases import FIXTURES

GROUPS = {
    "1": "application",
    "2": "routing",
    "3": "dependencies",
    "4": "errors",
    "5": "schemas",
    "6": "resources",
    "7": "security",
    "8": "middleware",
    "9": "testing",
}


class Entry(NamedTuple):
    """One rule as the catalogue has it."""

    name: str
    group: str
    profiles: frozenset[str]
    not_in: frozenset[str]
    fix: str
    scope: str
    kind: str

    @classmethod
    def of(cls, rule: type[Rule]) -> Entry:
        """What a rule's class says."""
        kind = "test" if rule.tests_only else "bug" if rule.is_bug else "convention"
        return cls(
            rule.name(),
            rule.group(),
            frozenset(rule.profiles),
            frozenset(rule.not_in),
            rule.fix or "",
            rule.scope,
            kind,
        )


def read_catalogue() -> dict[str, Entry]:
    """The catalogue by code."""
    with Path(__file__).with_name("catalogue.csv").open(newline="") as file:
        return {
            row["code"]: Entry(
                row["name"],
                GROUPS[row["code"][3]],
                frozenset(row["profiles"].split()),
                frozenset(row["not_in"].split()),
                row["fix"],
                row["scope"],
                row["kind"],
            )
            for row in csv.DictReader(file)
        }


CATALOGUE = read_catalogue()


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_rule_is_as_in_the_catalogue(rule: type[Rule]) -> None:
    """A rule is what the catalogue says."""
    assert rule.code in CATALOGUE
    assert Entry.of(rule) == CATALOGUE[rule.code]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_rule_has_fixtures(rule: type[Rule]) -> None:
    """A rule has programs that it reports and programs that it leaves alone.

    They stand in its own folder or, for what spans modules, in projects that select it.
    """
    folder = FIXTURES / "rules" / rule.code
    projects = [
        path.parent
        for path in (FIXTURES / "projects").glob("*/case.toml")
        if rule.code in path.read_text()
    ]
    assert list(folder.glob("flagged*.py")) or projects
    assert list(folder.glob("clean*.py")) or projects


def test_fixtures_belong_to_rules() -> None:
    """Every folder of fixtures is named like a rule of the catalogue."""
    folders = {path.name for path in (FIXTURES / "rules").iterdir() if path.is_dir()}
    assert folders <= CATALOGUE.keys()


def test_all_rules_exist() -> None:
    """Every rule of the catalogue exists."""
    assert CATALOGUE.keys() - {rule.code for rule in all_rules()} == set()
