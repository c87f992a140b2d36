"""What every check of a program must fulfil, whatever the program."""

from __future__ import annotations

import ast
import inspect
from functools import cache

from flake8_fastapi_rules.config import Layer, Settings, SettingsLoader
from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.semantics import facts
from flake8_fastapi_rules.semantics.model import Model
from tests.rules.linting import everything

#: A path with no files around it.
PATH = "/nowhere/project/app/example.py"
FACTS = tuple(
    kind
    for _, kind in inspect.getmembers(facts, inspect.isclass)
    if kind.__module__ == facts.__name__ and hasattr(kind, "__dataclass_fields__")
    if "module" in kind.__dataclass_fields__
)


@cache
def linter() -> Linter:
    """A linter with every rule on and no configuration of its own."""
    return Linter(SettingsLoader([Layer("the test", everything())], isolated=True))


def check_rules(text: str) -> None:
    """Every rule copes with a program, says the same twice, and reports places that exist."""
    source = Source(PATH, text)
    tree = source.parse()
    before = ast.dump(tree)
    findings = linter().check(source, tree)
    assert not [f.message for f in findings if f.code == INTERNAL_ERROR]
    assert ast.dump(tree) == before, "the tree was changed"
    assert linter().check(Source(PATH, text)) == findings
    for finding in findings:
        where = finding.range
        assert 1 <= where.line <= where.end_line <= len(source.lines)
        assert 0 <= where.column <= len(source.lines[where.line - 1])
        assert 0 <= where.end_column <= len(source.lines[where.end_line - 1])
        assert "{" not in finding.message or "`" in finding.message
        if finding.make_fix is None:
            continue
        try:
            fix = finding.make_fix()
        except Unfixable:
            continue
        for edit in fix.edits:
            assert 0 <= edit.start <= edit.end <= len(text)


def check_model(text: str) -> None:
    """The semantic model answers every question about a program."""
    model = Model(Settings())
    try:
        module = model.load(Source(PATH, text))
    except SourceError:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.expr):
            model.resolve(module, node)
    for kind in FACTS:
        model.facts(module, kind)
