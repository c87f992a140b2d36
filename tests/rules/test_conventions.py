"""The table of conventions names rules, files and tests that exist."""

from __future__ import annotations

import ast
import tomllib
from typing import NamedTuple

import pytest

from tests.rules.cases import ROOT
from tests.rules.test_catalogue import CATALOGUE

TESTS = ROOT / "tests" / "example_app"
#: Conventions that no single service can show.
WITHOUT_PLACE = {"patterns-16", "patterns-17", "patterns-18"}


class Convention(NamedTuple):
    """One line of the table."""

    name: str
    says: str
    rules: str
    file: str = ""
    test: str = ""

    def __str__(self) -> str:
        return self.name


def read_conventions() -> list[Convention]:
    """All conventions, in order."""
    sections = tomllib.loads((ROOT / "docs" / "conventions.toml").read_text("utf-8"))
    return [
        Convention(name, **values)
        for section in sections.values()
        for name, values in section["conventions"].items()
    ]


CONVENTIONS = read_conventions()


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_what_it_names_exists(convention: Convention) -> None:
    """Codes are in the catalogue, whose own test compares it with the rules; files are there."""
    codes = convention.rules.split()
    assert set(codes) <= CATALOGUE.keys()
    assert codes == sorted(set(codes))
    assert convention.says.endswith(".")
    if convention.name in WITHOUT_PLACE:
        assert not convention.file
        assert not convention.test
        return
    assert (ROOT / convention.file).is_file(), convention.file
    module, _, function = convention.test.partition("::")
    tree = ast.parse((TESTS / module).read_text("utf-8"))
    functions = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }
    assert function in functions, convention.test


def test_no_convention_is_said_twice() -> None:
    """Each has an id and a sentence of its own."""
    assert len({convention.name for convention in CONVENTIONS}) == len(CONVENTIONS)
    assert len({convention.says for convention in CONVENTIONS}) == len(CONVENTIONS)
