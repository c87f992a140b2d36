"""Plan and runner: who sees what, places, order, crashes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from flake8_fastapi_rules.config import SettingsLoader
from flake8_fastapi_rules.engine.findings import Edit, Finding, Fix, Unfixable
from flake8_fastapi_rules.engine.plan import Plan
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules.base import Context, Report, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.modules import Module
from tests.unit.rules_for_tests import make_rule, own_registry


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    with own_registry():
        yield


def check(text: str, *rules: Any, path: str = "app.py") -> list[Finding]:
    return Linter(SettingsLoader(isolated=True), rules=rules).check(Source(path, text))


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def test_subjects_are_facts_nodes_and_the_module() -> None:
    seen: list[object] = []

    @on(ast.Call, ast.Name)
    def nodes(self: Any, node: ast.AST, context: Context) -> None:
        seen.append(type(node))

    @on(App)
    def facts(self: Any, app: App, context: Context) -> None:
        seen.append(app.names)

    @on(Module)
    def module(self: Any, subject: Module, context: Context) -> None:
        seen.append(subject is context.module)

    rule = make_rule("FAR998", nodes=nodes, facts=facts, module=module)
    assert check("from fastapi import FastAPI\napp = FastAPI()\n", rule) == []
    assert sorted(map(str, seen)) == sorted(
        map(str, [ast.Call, ast.Name, ast.Name, ("app",), True])
    )


def test_places() -> None:
    @on(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Return)
    def handler(self: Any, node: ast.AST, context: Context) -> Iterator[Report]:
        yield self.report(node)

    @on(Module)
    def module(self: Any, subject: Module, context: Context) -> Iterator[Report]:
        yield self.report(Range(9, 1, 9, 2))

    text = (
        "@deco\ndef f(): return 'é', 1\nclass Ünit: pass\nasync def g(): ...\n"
        "async   def\\\n    h(): ...\n"
    )
    rule = make_rule("FAR998", handler=handler, module=module)
    places = [(f.range.line, f.column, f.range.end_column) for f in check(text, rule)]
    assert places == [(2, 4, 5), (2, 9, 22), (3, 6, 10), (4, 10, 11), (5, 0, 12), (9, 1, 2)]


def test_findings_are_sorted_and_unique() -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> list[Report]:
        return [self.report(node), self.report(node)]

    late = make_rule("FAR997", handler=handler)
    early = make_rule("FAR996", handler=handler)
    found = check("x = [1, 2]\n", late, early)
    assert [(f.column, f.code) for f in found] == [
        (5, "FAR996"), (5, "FAR997"), (8, "FAR996"), (8, "FAR997"),
    ]  # fmt: skip


def test_hints() -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> list[Report]:
        return [self.report(node)]

    rule = make_rule("FAR998", handler=handler, hints=("alpha", "beta"))
    assert codes(check("x = 'beta'\n", rule)) == ["FAR998"]
    assert check("x = 'gamma'\n", rule) == []


def test_plan_knows_when_it_is_empty() -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> None: ...

    plan = Plan.of([make_rule("FAR998", handler=handler, hints=("alpha",))()])
    assert plan
    assert plan.for_text("alpha")
    assert not plan.for_text("beta")


@pytest.mark.parametrize("error", [ValueError("bad\nvalue"), RecursionError(), MemoryError("x")])
def test_a_crash_costs_one_finding(error: Exception) -> None:
    @on(ast.Constant)
    def crashing(self: Any, node: ast.Constant, context: Context) -> Iterator[Report]:
        if node.value == 1:
            yield self.report(node)
        raise error

    @on(ast.Constant)
    def working(self: Any, node: ast.Constant, context: Context) -> Iterator[Report]:
        yield self.report(node)

    bad = make_rule("FAR996", "bad-rule", crashing=crashing)
    good = make_rule("FAR997", working=working)
    found = check("x = [1,\n 2]\n", bad, good)
    assert codes(found) == [INTERNAL_ERROR, "FAR996", "FAR997", "FAR997"]
    message = found[0].message
    assert "FAR996 (bad-rule)" in message
    assert type(error).__name__ in message
    assert "test_runner.py" in message
    assert "\n" not in message
    assert (found[0].line, found[0].column) == (1, 5)


def test_a_crash_of_the_model_costs_only_its_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    @on(App)
    def facts(self: Any, app: App, context: Context) -> None: ...

    @on(ast.Constant)
    def working(self: Any, node: ast.Constant, context: Context) -> Iterator[Report]:
        yield self.report(node)

    rule = make_rule("FAR997", facts=facts, working=working)
    linter = Linter(SettingsLoader(isolated=True), rules=[rule])
    model = linter.model_for(linter.settings("app.py"))
    monkeypatch.setattr(model, "facts", lambda module, kind: 1 / 0)
    found = linter.check(Source("app.py", "import fastapi\nx = 1\n"))
    assert codes(found) == [INTERNAL_ERROR, "FAR997"]
    assert "finding App for FAR997: ZeroDivisionError" in found[0].message


def test_a_model_that_cannot_load_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> None: ...

    linter = Linter(SettingsLoader(isolated=True), rules=[make_rule("FAR997", handler=handler)])
    model = linter.model_for(linter.settings("app.py"))
    monkeypatch.setattr(model, "load", lambda source, tree: 1 / 0)
    assert codes(linter.check(Source("app.py", "x = 1\n"))) == [INTERNAL_ERROR]


def test_fixes_are_placed_and_their_crashes_isolated() -> None:
    def good() -> Fix:
        return Fix("Make it two", "safe", (Edit(9, 10, "2"), Edit(4, 4, "(")))

    def bad() -> Fix:
        raise KeyError("lost")

    def refused() -> Fix:
        raise Unfixable("it is two")

    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> Iterator[Report]:
        yield self.report(node, fix={1: good, 3: bad}.get(int(node.value), refused))

    rule = make_rule("FAR998", handler=handler, fix="safe")
    linter = Linter(SettingsLoader(isolated=True), rules=[rule])
    results = linter.check_text(Source("app.py", "x = [\n  1,\n  2, 3, 3]\n"), fixes=True)
    assert codes(results.findings) == [INTERNAL_ERROR, "FAR998", "FAR998", "FAR998", "FAR998"]
    assert "the fix of FAR998: KeyError: 'lost'" in results.findings[0].message
    (fix,) = results.fixes.values()
    assert list(results.unfixable.values()) == ["it is two"]
    assert [(e.line, e.column, e.end_line, e.end_column, e.text) for e in fix.edits] == [
        (1, 4, 1, 4, "("),
        (2, 3, 2, 4, "2"),
    ]


def test_the_tree_is_left_as_it_was() -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> None: ...

    text = "from fastapi import FastAPI\napp = FastAPI()\n"
    tree = ast.parse(text)
    before = ast.dump(tree, include_attributes=True)
    linter = Linter(SettingsLoader(isolated=True), rules=[make_rule("FAR998", handler=handler)])
    linter.check(Source("app.py", text), tree)
    assert ast.dump(tree, include_attributes=True) == before
