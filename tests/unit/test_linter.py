"""Which rules are on for a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from flake8_fastapi_rules.config import ConfigError, Layer, Settings, SettingsLoader
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.linter import Flake8Choices, Linter
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.model import Model
from tests.unit.rules_for_tests import make_rule, own_registry


@pytest.fixture
def rules() -> Iterator[list[type[Rule]]]:
    with own_registry():
        yield [
            make_rule("FAR191", "a-bug"),
            make_rule("FAR192", "a-convention", is_bug=False),
            make_rule("FAR291", "a-strict-one", profiles=("strict",), is_bug=False),
            make_rule("FAR292", "not-so-clean", not_in=("clean-architecture",)),
            make_rule("FAR391", "clean-one", profiles=("strict", "clean-architecture")),
            make_rule("FAR392", "an-opt-in", profiles=("opt-in",)),
            make_rule("FAR991", "for-tests", tests_only=True, is_bug=False),
        ]


def on_for(
    rules: Sequence[type[Rule]],
    path: str = "app.py",
    only: Sequence[str] = (),
    also: Sequence[str] = (),
    **settings: Any,
) -> list[str]:
    loader = SettingsLoader([Layer("test", settings)], isolated=True)
    linter = Linter(loader, rules=rules, only=only)
    linter.enable_also(also)
    return [rule.code for rule in linter.rules_for(path)]


def test_profiles(rules: list[type[Rule]]) -> None:
    assert on_for(rules) == ["FAR191", "FAR192", "FAR292"]
    assert on_for(rules, profile="strict") == ["FAR191", "FAR192", "FAR291", "FAR292", "FAR391"]
    assert on_for(rules, profile="clean-architecture") == ["FAR191", "FAR192", "FAR391"]


def test_test_files(rules: list[type[Rule]]) -> None:
    assert on_for(rules, "tests/x.py") == ["FAR191", "FAR292", "FAR991"]
    assert on_for(rules, "test_x.py", enable=["FAR192", "FAR392"]) == [
        "FAR191", "FAR292", "FAR392", "FAR991",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"enable": ["FAR392"]}, ["FAR191", "FAR192", "FAR292", "FAR392"]),
        ({"enable": ["an-opt-in"]}, ["FAR191", "FAR192", "FAR292", "FAR392"]),
        ({"enable": ["far39"]}, ["FAR191", "FAR192", "FAR292", "FAR391", "FAR392"]),
        ({"enable": ["FAR"]}, ["FAR191", "FAR192", "FAR292"]),
        ({"disable": ["FAR"]}, []),
        ({"disable": ["FAR"], "enable": ["FAR2"]}, ["FAR291", "FAR292"]),
        ({"disable": ["FAR1"], "enable": ["FAR192"]}, ["FAR192", "FAR292"]),
        ({"disable": ["FAR192"], "enable": ["FAR1"]}, ["FAR191", "FAR292"]),
        ({"disable": ["a_bug"], "enable": ["FAR191"]}, ["FAR192", "FAR292"]),
        ({"disable": "FAR191, not-so-clean"}, ["FAR192"]),
    ],
)
def test_enable_and_disable(
    rules: list[type[Rule]], settings: dict[str, Any], expected: list[str]
) -> None:
    assert on_for(rules, **settings) == expected


def test_only(rules: list[type[Rule]]) -> None:
    assert on_for(rules, only=["FAR3"]) == ["FAR391", "FAR392"]
    assert on_for(rules, only=["FAR"]) == ["FAR191", "FAR192", "FAR292"]
    assert on_for(rules, only=["an-opt-in", "FAR191"]) == ["FAR191", "FAR392"]
    assert on_for(rules, only=["FAR19"], disable=["FAR191"]) == ["FAR192"]


def test_also_takes_what_flake8_selects(rules: list[type[Rule]]) -> None:
    assert on_for(rules, also=["E", "F", "FAR", "FAR392", "FAR777"]) == [
        "FAR191", "FAR192", "FAR292", "FAR392",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"enable": ["FAR777"]}, "test: unknown rule `FAR777`"),
        ({"disable": ["a-bog"]}, "test: unknown rule `a-bog`; did you mean `a-bug`?"),
        ({"enable": ["E501"]}, "test: unknown rule `E501`"),
        ({"enable": ["FAR3911"]}, "test: unknown rule `FAR3911`; did you mean `FAR391`?"),
    ],
)
def test_unknown_rules(rules: list[type[Rule]], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        on_for(rules, **settings)
    assert str(caught.value) == message


def test_unknown_rule_to_run_only(rules: list[type[Rule]]) -> None:
    with pytest.raises(ConfigError, match="command line: unknown rule `FAR7`"):
        on_for(rules, only=["FAR7"])


def test_per_path_profile_of_a_project(rules: list[type[Rule]], tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.flake8-fastapi-rules]\nprofile = 'strict'\n"
        "per-path-profiles = { 'rpc/**' = 'clean-architecture' }\n"
    )
    linter = Linter(SettingsLoader(), rules=rules)
    assert "FAR292" in [rule.code for rule in linter.rules_for(str(tmp_path / "a.py"))]
    assert "FAR292" not in [rule.code for rule in linter.rules_for(str(tmp_path / "rpc/a.py"))]


def test_one_model_for_files_that_differ_in_profile_only(
    rules: list[type[Rule]], tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.flake8-fastapi-rules]\nper-path-profiles = { 'rpc/**' = 'strict' }\n"
    )
    linter = Linter(SettingsLoader(), rules=rules)
    models = {
        id(linter.model_for(linter.settings(str(tmp_path / name))))
        for name in ("a.py", "rpc/b.py", "sub/c.py")
    }
    assert len(models) == 1


@pytest.mark.parametrize(
    ("choices", "hidden"),
    [
        (Flake8Choices(), False),
        (Flake8Choices(ignored=("FAR",)), True),
        (Flake8Choices(ignored=("FAR2",)), False),
        (Flake8Choices(selected=("FAR",), ignored=("FAR1",)), True),
        (Flake8Choices(selected=("FAR191",), ignored=("FAR1",)), False),
        (Flake8Choices(selected=("FAR191",), ignored=("FAR191",)), True),
        (Flake8Choices(per_file=(("app.py", ("FAR1",)),)), True),
        (Flake8Choices(per_file=(("main.py", ("FAR1",)),)), False),
    ],
)
def test_flake8_choices(choices: Flake8Choices, hidden: bool) -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> Iterator[Report]:
        yield self.report(node)

    with own_registry():
        rule = make_rule("FAR191", handler=handler)
        linter = Linter(SettingsLoader(isolated=True), rules=[rule], choices=choices)
        results = linter.check_text(Source("app.py", "x = 1\n"))
    assert (results.findings == []) is hidden


def test_noqa_is_applied_by_check_text_only() -> None:
    @on(ast.Constant)
    def handler(self: Any, node: ast.Constant, context: Context) -> Iterator[Report]:
        yield self.report(node)

    source = Source("app.py", "x = 1  # noqa\n")
    with own_registry():
        rule = make_rule("FAR191", handler=handler)
        linter = Linter(SettingsLoader(isolated=True), rules=[rule])
        assert len(linter.check(source)) == 1
        assert linter.check_text(source).findings == []
        assert len(linter.check_text(source, noqa=False).findings) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A repository larger than the limit is checked with one model after the other."""
    models: list[Model] = []

    def make_model(settings: Settings) -> Model:
        models.append(Model(settings))
        return models[-1]

    text = "from fastapi import FastAPI\n\napp = FastAPI()\n"
    monkeypatch.setattr("flake8_fastapi_rules.linter.MODEL_LIMIT", 3 * len(text))
    linter = Linter(SettingsLoader(isolated=True), only=["FAR101"], make_model=make_model)
    for number in range(10):
        file = tmp_path / f"app{number}.py"
        file.write_text(text)
        findings = linter.check(Source.from_bytes(str(file), file.read_bytes()))
        assert [finding.code for finding in findings] == ["FAR101"]
    assert [model.characters // len(text) for model in models] == [5, 5]


def test_models_of_other_projects_are_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[str | None] = []

    def make_model(settings: Settings) -> Model:
        made.append(settings.root)
        return Model(settings)

    text = "from fastapi import FastAPI\n\napp = FastAPI()\n"
    monkeypatch.setattr("flake8_fastapi_rules.linter.MODEL_LIMIT", 2 * len(text))
    linter = Linter(SettingsLoader(), only=["FAR101"], make_model=make_model)
    for name in "abcda":
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "pyproject.toml").touch()
        (folder / "app.py").write_text(text)
        source = Source.from_bytes(str(folder / "app.py"), text.encode())
        assert len(linter.check(source)) == 1
    assert made == [str(tmp_path / name) for name in "abcda"]


def test_parts_of_one_project_are_read_once(tmp_path: Path) -> None:
    """Parts of a repository with requirements of their own have models of their own."""
    (tmp_path / ".git").mkdir()
    waiting = "import time\n\n\nasync def wait() -> None:\n    time.sleep(1)\n"
    unused = "from fastapi import Depends\n\nfrom a.deps import wait\n"
    for part, version in (("a", "0.110"), ("b", "0.160")):
        (tmp_path / part).mkdir()
        (tmp_path / part / "__init__.py").touch()
        (tmp_path / part / "pyproject.toml").write_text(
            f'[project]\nname = "{part}"\ndependencies = ["fastapi=={version}"]\n'
        )
    deps, main = tmp_path / "a" / "deps.py", tmp_path / "b" / "main.py"
    deps.write_text(waiting)
    linter = Linter(SettingsLoader(), only=["FAR601"])

    def found(text: str) -> list[str]:
        main.write_text(text)
        linter.check(Source(str(main), text))
        return [finding.code for finding in linter.check(Source(str(deps), waiting))]

    assert found(unused) == []
    models = [linter.model_for(linter.settings(str(file)), str(file)) for file in (deps, main)]
    assert models[0] is not models[1]
    assert models[0].texts is models[1].texts
    assert found(f"{unused}\nwaiting = Depends(wait)\n") == ["FAR601"]


def test_a_route_that_is_gone_is_asked_nothing(tmp_path: Path) -> None:
    """Rules that look at all routes of a project see none of an earlier text of a file."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    gone = '\n\n@router.post("/gone")\ndef gone() -> int:\n    return 1\n'
    kept = (
        "from fastapi import APIRouter, Depends\n"
        "from sqlalchemy.orm import Session\n\n"
        "router = APIRouter()\n\n\n"
        "def session():\n    session = Session()\n    yield session\n    session.commit()\n\n\n"
        '@router.post("/kept")\n'
        "def kept(session: Session = Depends(session)) -> int:\n"
        "    session.add(1)\n    return 1\n"
    )
    file = tmp_path / "app.py"
    file.write_text(kept + gone)
    linter = Linter(SettingsLoader([Layer("test", {})], isolated=True), only=["FAR326"])
    for text in (kept + gone, kept):
        found = linter.check(Source(str(file), text))
        assert [finding.code for finding in found] == ["FAR326"]
