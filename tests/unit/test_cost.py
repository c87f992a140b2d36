"""What a check must not do: work that tells nothing, counted instead of timed."""

from __future__ import annotations

import gc
import multiprocessing
import os
import weakref
from pathlib import Path

import pytest
from flake8.options.parse_args import parse_args

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.index import ModuleIndex
from flake8_fastapi_rules.engine.memory import discard, lasting
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.engine.words import WordFinder
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.plugin import FastAPIRules
from flake8_fastapi_rules.semantics.files import python_files
from flake8_fastapi_rules.semantics.imports import _words_in_imports

PROJECT = {
    "pyproject.toml": "",
    "app/__init__.py": "",
    "app/main.py": """\
        from fastapi import FastAPI

        from app.views import router

        def create_app() -> FastAPI:
            app = FastAPI()
            app.include_router(router)
            return app
        """,
    "app/views.py": """\
        from fastapi import APIRouter

        from app import service
        from app.names import normal

        router = APIRouter()

        @router.get("/items/{name}")
        async def read(name: str) -> str:
            service.prepare(normal(name))
            return normal(name)
        """,
    "app/service.py": "def prepare(name: str) -> None:\n    print(name)\n",
    "app/names.py": "def normal(name: str) -> str:\n    return name.lower()\n",
    "app/sums.py": "def total(numbers: list[int]) -> int:\n    return sum(numbers)\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in PROJECT.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            "\n".join(line[8:] if line[:8].isspace() else line for line in text.split("\n"))
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(linter: Linter, path: str) -> None:
    linter.check(Source.from_bytes(path, Path(path).read_bytes()))


def test_what_concerns_no_rule_is_not_indexed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linter = Linter(SettingsLoader(isolated=True))
    check(linter, "app/main.py")
    indexed: list[ModuleIndex] = []
    original = ModuleIndex.__init__

    def counted(self: ModuleIndex, *args: object) -> None:
        indexed.append(self)
        original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ModuleIndex, "__init__", counted)
    check(linter, "app/sums.py")
    assert indexed == []


def test_only_what_declares_something_is_parsed_for_the_roles_of_functions(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    original = Source.parse

    def counted(self: Source) -> object:
        parsed.append(Path(self.path).as_posix())
        return original(self)

    monkeypatch.setattr(Source, "parse", counted)
    check(Linter(SettingsLoader(isolated=True)), "app/sums.py")
    assert sorted(parsed) == ["app/main.py", "app/sums.py", "app/views.py"]


def test_a_text_is_parsed_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    original = Source.parse

    def counted(self: Source) -> object:
        parsed.append(self.text)
        return original(self)

    monkeypatch.setattr(Source, "parse", counted)
    linter = Linter(SettingsLoader(isolated=True))
    for name in PROJECT:
        if name.endswith(".py"):
            check(linter, name)
    assert len(parsed) == len(set(parsed))


def test_words_are_found_wherever_they_are() -> None:
    words = ["token", "text(", '"sub"', "...", "os.", ".copy", "Ünter", "a b", "=", "key"]
    finder = WordFinder(words)
    for text in (
        "", "x = 1", "access_token_key", "text (x)", "context(x)", "{'sub': 1}", '{"sub": ...}',
        "infos.x", "x.copy()", "copy()", "Ünterlage", "a b", "a  b", "xa bx", "TOKEN", "t.o",
    ):  # fmt: skip
        for _ in range(2):  # names that are known already, too
            assert finder.found_in(text) == {word for word in words if word in text}, text


def test_calls_by_name_include_what_aliases_may_stand_for() -> None:
    text = (
        "from a import run as go, stop\nimport uvicorn\n"
        "def f(given, start):\n"
        "    uvicorn.run(1)\n    go(2)\n    stop(3)\n    given(4)\n"
        "    held = stop\n    held(5)\n    run(6)\n    x[0](7)\n"
    )
    calls = ModuleIndex(Source("m.py", text).parse()).calls_of(frozenset({"run"}))
    assert [call.args[0].value for call in calls] == [1, 2, 5, 6]  # type: ignore[attr-defined]


def test_the_collector_rests_and_is_as_before() -> None:
    discard()
    usual = gc.get_freeze_count()  # Python 3.12 keeps some objects there by itself
    for enable in (gc.enable, gc.disable):
        enable()
        before = gc.isenabled()
        with lasting():
            assert not gc.isenabled()
        assert gc.isenabled() is before
    gc.enable()
    assert gc.get_freeze_count() > usual
    discard()
    assert gc.get_freeze_count() == usual


@pytest.mark.parametrize(("size", "is_kept"), [(3_000_000, False), (1_000, True)])
def test_much_that_a_former_linter_knew_is_given_back(
    size: int, is_kept: bool, tmp_path: Path
) -> None:
    class Loop:
        """What refers to itself, as trees, indexes and models do."""

    def check() -> weakref.ref[Loop]:
        loop = Loop()
        loop.itself = loop  # type: ignore[attr-defined]
        linter = Linter(SettingsLoader(isolated=True))
        linter.kept = loop  # type: ignore[attr-defined]
        linter.check(Source(str(tmp_path / "m.py"), "import fastapi\n#" + "x" * size))
        return weakref.ref(loop)

    discard()
    first = check()
    assert first() is not None  # the collector rests
    second = check()
    assert (first() is not None) is is_kept
    assert second() is not None


def test_a_model_goes_with_its_linter() -> None:
    """No table outside of it keeps what it knew: neither rules' nor the semantic model's."""
    app = Path(__file__).parents[2] / "example_app"
    layer = Layer("test", {"profile": "strict", "enable": [f"FAR{n}" for n in range(1, 10)]})

    def check() -> weakref.ref[object]:
        linter = Linter(SettingsLoader([layer], isolated=True))
        for path in python_files(app):
            linter.check_text(Source.from_bytes(str(path), path.read_bytes()))
        return weakref.ref(linter.model_for(linter.settings(str(app / "main.py"))))

    model = check()
    assert model() is not None  # the collector rests
    discard()
    assert model() is None


class TestPreparation:
    """What flake8's workers share is read before they are forked off."""

    @pytest.mark.parametrize(
        ("arguments", "method", "is_prepared"),
        [
            (["-j2", "app"], "fork", True),
            (["-j2", "app/names.py", "app/main.py"], "fork", True),
            (["-j1", "app"], "fork", False),  # nobody to share it with
            (["-j2", "app/main.py"], "fork", False),  # flake8 starts no workers for one file
            (["-j2", "-"], "fork", False),
            (["-j2", "app"], "spawn", False),  # they would inherit nothing
            (["-j2", "app/names.py", "app/sums.py"], "fork", False),  # nothing to FastAPI
        ],
    )
    def test_before_workers(
        self,
        project: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: list[str],
        method: str,
        is_prepared: bool,
    ) -> None:
        monkeypatch.setattr(FastAPIRules, "_linter", None)
        monkeypatch.setattr(multiprocessing, "get_start_method", lambda **_: method)
        checked: list[str] = []
        monkeypatch.setattr(Linter, "check", lambda _, source: checked.append(source.path))
        parse_args(["--isolated", *arguments])
        assert [Path(path).name for path in checked] == ["main.py"] * is_prepared

    def test_a_pipe_is_not_read(self, project: Path) -> None:
        os.mkfifo("app/pipe.py")
        linter = Linter(SettingsLoader(isolated=True))
        linter.prepare(["app/pipe.py"])  # reading it would never end


def test_words_of_imports_are_told_from_the_text() -> None:
    text = (
        "from a import (  # see (there)\n    b,\n)\nimport c \\\n    as d\nif x: import e\n"
        "from . import f\ng = 1\n"
    )
    words = _words_in_imports(text)
    assert words >= {"a", "b", "c", "d", "e", "f", ""}
    assert "g" not in words
