"""The hooks, run by real pre-commit in a repository made for the test.

pre-commit installs the hooks into an environment of its own, so this needs a package index.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.end_to_end.running import BAD, GOOD, REPORTED, Ran, project, run, script
from tests.end_to_end.test_far_fix import NEW, OLD

ROOT = Path(__file__).parents[2]

FAR = """\
repos:
  - repo: {hooks}
    rev: v0
    hooks:
      - id: far-check
        args: [--select, FAR101]
      - id: far-fix
        args: [--select, FAR301]
"""

#: The way of the README: flake8's hook with this package beside it; flake8 comes from the index
#: here, so that no other repository is needed.
FLAKE8 = """\
repos:
  - repo: local
    hooks:
      - id: flake8
        name: flake8
        entry: flake8 --select=FAR101
        language: python
        types: [python]
        require_serial: true
        additional_dependencies: [flake8, "{hooks}"]
"""


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the project as it is now, with a tag."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, folder)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignore)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "hooks")
    git(folder, "tag", "v0")
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    ran = run("git", *identity, *arguments, cwd=folder)
    assert ran.status == 0, ran.err


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pre-commit's own store, empty at first."""
    return tmp_path_factory.mktemp("home")


def pre_commit(folder: Path, home: Path, config: str) -> Ran:
    """Run all hooks over all files of a new repository in `folder`."""
    project(folder, {".pre-commit-config.yaml": config})
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    env = {"PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"}
    command = (script("pre-commit"), "run", "--all-files", "--verbose")
    return run(*command, cwd=folder, env=env, timeout=400)


def test_far(tmp_path: Path, hooks: Path, home: Path) -> None:
    project(tmp_path, {"app.py": BAD, "api.py": OLD, "good.py": GOOD, "notes.txt": BAD})
    ran = pre_commit(tmp_path, home, FAR.format(hooks=hooks))
    assert ran.status == 1, ran.out + ran.err
    assert REPORTED in ran.out
    assert "notes.txt" not in ran.out
    assert "files were modified by this hook" in ran.out
    assert (tmp_path / "api.py").read_text() == NEW
    (tmp_path / "app.py").write_text(GOOD)
    ran = pre_commit(tmp_path, home, FAR.format(hooks=hooks))
    assert ran.status == 0, ran.out + ran.err
    assert ran.out.count("Passed") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a path is no requirement there")
def test_flake8(tmp_path: Path, hooks: Path, home: Path) -> None:
    project(tmp_path, {"app.py": BAD, "good.py": GOOD})
    ran = pre_commit(tmp_path, home, FLAKE8.format(hooks=hooks))
    assert ran.status == 1, ran.out + ran.err
    assert REPORTED in ran.out
    assert "good.py" not in ran.out
