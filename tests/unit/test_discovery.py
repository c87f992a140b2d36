"""The files that paths stand for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flake8_fastapi_rules.engine.discovery import python_files


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.py", "a/z.py", "a/b/c.py", "a/data.txt", "script", ".git/x.py", ".venv/x.py",
        "node_modules/x.py", "build/x.py", "dist/x.py", "lib/site-packages/x.py",
        "myenv/lib/x.py", "__pycache__/x.py", ".hidden.py",
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("myenv/pyvenv.cfg").touch()


def test_directories_are_searched_in_order() -> None:
    assert python_files(["."]) == [".hidden.py", "b.py", "a/z.py", "a/b/c.py"]


def test_what_is_named_is_taken_whatever_it_is() -> None:
    named = ["script", "build", ".venv/x.py", "nosuch.py", "-"]
    assert python_files(named) == ["script", "build/x.py", ".venv/x.py", "nosuch.py", "-"]


def test_each_file_once(tmp_path: Path) -> None:
    assert python_files(["a", "a/z.py", str(tmp_path / "a"), "./b.py", "b.py"]) == [
        "a/z.py", "a/b/c.py", "./b.py",
    ]  # fmt: skip


def test_excluded_files_and_directories() -> None:
    assert python_files(["."], lambda path: path.endswith(("b.py", "a/b"))) == [
        ".hidden.py",
        "a/z.py",
    ]


def test_loops_of_links_end() -> None:
    os.symlink("..", "a/b/up")
    os.symlink("self", "a/self")
    os.symlink("nowhere", "a/gone.py")
    assert python_files(["a"]) == ["a/gone.py", "a/z.py", "a/b/c.py"]


def test_a_link_that_is_named_is_followed() -> None:
    os.symlink("a", "link")
    assert python_files(["link"]) == ["link/z.py", "link/b/c.py"]


def test_packages_may_be_called_build() -> None:
    for name in ("shop/__init__.py", "shop/build/y.py", "shop/env/lib/y.py", "a/dist/__init__.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("shop/env/pyvenv.cfg").touch()
    assert python_files(["shop"]) == ["shop/__init__.py", "shop/build/y.py"]
    assert "a/dist/__init__.py" in python_files(["a"])
