"""The texts of a project, searched all at once: the same answers as file by file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flake8_fastapi_rules.semantics import files
from flake8_fastapi_rules.semantics.files import ProjectFiles, python_files

WORDS = ("ab", "b(", "ab (", "partial", "", "\n", "a", "ä")
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map("".join), max_size=6)


def written(folder: Path, contents: list[str]) -> list[Path]:
    paths = [folder / f"m{number}.py" for number in range(len(contents))]
    for path, text in zip(paths, contents, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@settings(deadline=None, max_examples=60)
@given(texts, st.sampled_from(["ab", "a", "ba", "ä", "partial"]), st.booleans())
def test_questions_to_all_texts_are_questions_to_each(
    tmp_path_factory: pytest.TempPathFactory, contents: list[str], word: str, keeps: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_KEPT", 1_000 if keeps else 0)
        paths = written(tmp_path_factory.mktemp("project"), contents)
        project = ProjectFiles(paths[0].parent if paths else tmp_path_factory.mktemp("empty"))
        has_word = [path for path, text in zip(paths, contents, strict=True) if word in text]
        assert list(project.mentioning(word)) == has_word
        called = re.compile(rf"(?a:\b){word}[ \t]*\(")
        assert list(project.calling(word)) == [
            path
            for path, text in zip(paths, contents, strict=True)
            if path in has_word and (called.search(text) or "partial" in text)
        ]


def test_a_test_sees_where_its_text_starts_and_ends(tmp_path: Path) -> None:
    paths = written(tmp_path, ["import a", "", "import fastapi", "x = 1"])
    project = ProjectFiles(tmp_path)
    found = project.tested(lambda text, start, end: text.find(b"fastapi", start, end) >= 0)
    assert list(found) == [(path, path is paths[2]) for path in paths]


def test_texts_that_are_kept_are_read_once(tmp_path: Path) -> None:
    (path,) = written(tmp_path, ["first()"])
    project = ProjectFiles(tmp_path)
    assert project.mentioning("first") == (path,)
    path.write_text("second()")
    assert project.mentioning("second") == ()
    assert list(project.calling("first")) == [path]


def test_an_environment_around_the_project_hides_nothing(tmp_path: Path) -> None:
    """`python -m venv .` in the project; an environment below it is left out."""
    for name in ("pyvenv.cfg", "main.py", "other/pyvenv.cfg", "other/main.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(python_files(tmp_path)) == [tmp_path / "main.py"]
