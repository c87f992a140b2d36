"""Hostile and broken input: one clear line, and every other file is still checked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from flake8_fastapi_rules.commands import running
from flake8_fastapi_rules.config import SettingsLoader
from flake8_fastapi_rules.linter import Linter
from tests.end_to_end.running import BAD, REPORTED, Far, far, flake8, project

NESTED = 10_000

CASES: dict[str, tuple[bytes, str]] = {
    "syntax.py": (b"x = 1\ndef f(:\n", "syntax.py:2:7: invalid syntax"),
    "indent.py": (b"if x:\npass\n", "indent.py:2:1: invalid syntax: expected an indented block"),
    "tabs.py": (b"if x:\n        y\n\tz\n", "tabs.py:3:"),
    "string.py": (b'x = """\n', "string.py:1:5: invalid syntax: unterminated"),
    "null.py": (b"x = 1\ny = '\0'\n", "null.py:2:1: source contains a null byte"),
    "bytes.py": (b"x = 1\ny = '\xff'\n", "bytes.py:2:1: cannot decode the file as utf-8"),
    "coding.py": (b"# coding: nosuch\n", "coding.py:1:1: unknown encoding: nosuch"),
    "utf16.py": ("x = 1\n".encode("utf-16"), "utf16.py:1:1: "),
    "binary.py": (bytes(range(256)) * 9, "binary.py:1:1: source contains a null byte"),
    "parens.py": (b"x = " + b"(" * NESTED + b")" * NESTED, "parens.py:1:"),
    "brackets.py": (b"x = " + b"[" * NESTED + b"]" * NESTED, "brackets.py:1:"),
    "unary.py": (b"x = " + b"-" * NESTED + b"1\n", "unary.py:1:"),
    "python2.py": (b"print 'x'\n", "python2.py:1:1: invalid syntax: Missing parentheses"),
    "conflict.py": (b"<<<<<<< HEAD\nx = 1\n", "conflict.py:1:1: invalid syntax"),
}

#: Deep trees that Python does parse; nothing of ours may give up on them.
DEEP = {
    "attributes.py": "x = a" + ".b" * 500 + "\n",
    "calls.py": "x = a" + "()" * 500 + "\n",
    "sum.py": "x = " + " + ".join(["1"] * 900) + "\n",
    "strings.py": "x = " + " + ".join(['"a"'] * 900) + "\n",
    "elif.py": "if x: pass\n" + "elif x: pass\n" * 400,
    "nested.py": "".join("    " * n + f"def f{n}():\n" for n in range(60)) + "    " * 60 + "pass\n",
    "long.py": "x = [" + "1, " * 50_000 + "]\n",
    "lines.py": "x = 1\n" * 20_000,
    "cycle.py": "from cycle import *\nfrom cycle2 import x\nx = x\n",
    "cycle2.py": "from cycle import x\nclass A(A): pass\nB = C = B\nfrom cycle2 import x as x\n",
}


def test_each_is_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    project(tmp_path, {name: data for name, (data, _) in CASES.items()} | {"app.py": BAD} | DEEP)
    ran = far("check", cwd=tmp_path)
    assert ran.status == 2
    assert len(ran.lines) == 1, ran.out
    assert ran.lines[0].startswith(REPORTED)
    errors = ran.err.splitlines()
    assert len(errors) == len(CASES), ran.err
    for _, expected in CASES.values():
        assert any(line.startswith(f"error: {expected}") for line in errors), (expected, ran.err)


def test_deep_trees_on_this_python(tmp_path: Path) -> None:
    """The same with every rule on: none may fail on what Python parses."""
    imports = "from fastapi import FastAPI, APIRouter, Depends\n"
    project(tmp_path, {name: imports + text for name, text in DEEP.items()})
    ran = far("check", "--enable", "FAR1,FAR3,FAR4", "--profile", "strict", cwd=tmp_path)
    assert "FAR000" not in ran.out
    assert ran.err == ""


def test_inside_flake8_the_other_files_are_checked(tmp_path: Path) -> None:
    # pyflakes, which flake8 runs always, gives up on the deepest ones.
    quick = {name: DEEP[name] for name in ("nested.py", "cycle.py", "cycle2.py")}
    project(tmp_path, {"syntax.py": b"def f(:\n", "app.py": BAD} | quick)
    ran = flake8("--select=FAR,E9", "-j1", cwd=tmp_path)
    assert "app.py:3:7: FAR101" in ran.out
    assert "FAR000" not in ran.out
    assert "syntax.py:1:8: E999" in ran.out


def test_neighbours_that_are_broken(tmp_path: Path) -> None:
    names = [name.removesuffix(".py") for name in CASES]
    imports = "".join(f"from {name} import app{n}\n" for n, name in enumerate(names))
    project(
        tmp_path,
        {name: data for name, (data, _) in CASES.items()} | {"app.py": imports + BAD},
    )
    ran = far("check", "app.py", cwd=tmp_path)
    assert (ran.status, ran.err) == (1, "")
    assert "FAR101" in ran.out


@pytest.mark.skipif(os.name == "nt", reason="links and modes are those of POSIX")
def test_links_and_odd_files(tmp_path: Path) -> None:
    project(tmp_path, {"a/app.py": BAD})
    (tmp_path / "a/loop").symlink_to("..")
    (tmp_path / "a/self.py").symlink_to("self.py")
    (tmp_path / "a/gone.py").symlink_to("nowhere.py")
    (tmp_path / "a/folder.py").mkdir()
    os.mkfifo(tmp_path / "a/pipe.py")
    ran = far("check", cwd=tmp_path)
    assert ran.status == 2
    assert [line.partition(":")[0] for line in ran.lines] == ["a/app.py"]
    assert ran.err.splitlines() == [
        "error: a/gone.py: no such file or directory",
        "error: a/pipe.py: not a regular file",
        "error: a/self.py: too many levels of symbolic links",
    ]


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="the superuser may read every file"
)
def test_unreadable_files_and_directories(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "secret.py": BAD, "closed/x.py": BAD})
    (tmp_path / "secret.py").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        ran = far("check", cwd=tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert ran.status == 2
    assert ran.err.splitlines() == [
        "error: ./closed: permission denied",
        "error: secret.py: permission denied",
    ]


def test_what_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreadable and vanished files, for whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    project(tmp_path, {"app.py": BAD, "secret.py": BAD, "vanished.py": BAD})
    read = running.read_file

    def refusing(path: str) -> bytes:
        if path == "secret.py":
            raise PermissionError(13, "Permission denied", path)
        if path == "vanished.py":
            os.unlink(path)
        return read(path)

    monkeypatch.setattr(running, "read_file", refusing)
    results = running.check_paths(Linter(SettingsLoader()), ["."])
    assert [str(problem) for problem in results.problems] == [
        "secret.py: permission denied",
        "vanished.py: no such file or directory",
    ]
    assert [finding.path for finding in results.findings] == ["app.py"]


def test_folders_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hide nothing else, for whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    project(tmp_path, {"app.py": BAD, "closed/x.py": BAD})
    stat = os.stat

    def refusing(path: Any, *arguments: Any, **keywords: Any) -> os.stat_result:
        if "closed" in Path(os.fsdecode(path)).parts[:-1]:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return stat(path, *arguments, **keywords)

    monkeypatch.setattr(os, "stat", refusing)
    results = running.check_paths(Linter(SettingsLoader()), ["."])
    assert [str(problem) for problem in results.problems] == ["closed/x.py: permission denied"]
    assert [finding.path for finding in results.findings] == ["app.py"]


def test_huge_files_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "SIZE_LIMIT", 1_000_000)
    project(tmp_path, {"app.py": BAD, "huge.py": "x = 1\n" * 200_000})
    results = running.check_paths(Linter(SettingsLoader()), ["."])
    assert [str(problem) for problem in results.problems] == [
        "huge.py: larger than 1 MB, not checked"
    ]
    assert len(results.findings) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[tool\n", "pyproject.toml:1:6: invalid TOML"),
        (b"[project]\nname = '\xff'\n", "pyproject.toml:2: not valid UTF-8"),
        (b"[tool.flake8-fastapi-rules]\nprofil = 1\n", "pyproject.toml: unknown key `profil`"),
        (b"[tool.flake8-fastapi-rules]\nenable = ['FAR999']\n", "unknown rule `FAR999`"),
    ],
)
def test_broken_pyproject(run_far: Far, tmp_path: Path, data: bytes, message: str) -> None:
    project(tmp_path, {"app.py": BAD, "b.py": BAD, "pyproject.toml": data})
    for command in ("check", "config", "fix", "baseline"):
        ran = run_far(command)
        assert ran.status == 2, command
        assert ran.err.startswith("error: "), command
        assert message in ran.err, command
        assert ran.err.count("\n") == 1, command
    # What cannot be read at all configures nothing; the code is checked with the defaults.
    is_broken = b"flake8-fastapi-rules" not in data
    assert run_far("check").out.count("FAR101") == (2 if is_broken else 0)


@pytest.mark.skipif(sys.platform == "win32", reason="such files exist elsewhere only")
@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "setup.cfg", "tox.ini"])
def test_metadata_that_never_ends(run_far: Far, tmp_path: Path, name: str) -> None:
    project(tmp_path, {"app.py": BAD})
    os.mkfifo(tmp_path / name)
    ran = run_far("check")
    assert REPORTED in ran.out
    is_ours = name == "pyproject.toml"
    assert ran.err == ("error: pyproject.toml: cannot be read: not a regular file\n" * is_ours)


def test_broken_pyproject_of_a_part(run_far: Far, tmp_path: Path) -> None:
    settings = b"[tool.flake8-fastapi-rules]\ndisable = ['FAR101']\n"
    files = {"app.py": BAD, "part/app.py": BAD, "part/pyproject.toml": b"[tool\n"}
    project(tmp_path, {"pyproject.toml": settings, **files})
    for options in ((), ("--jobs", "2")):
        ran = run_far("check", *options)
        assert ran.status == 2
        assert [line.split(":")[0] for line in ran.out.splitlines()] == ["part/app.py"]
        assert ran.err == (
            "error: part/pyproject.toml:1:6: invalid TOML: "
            "Expected ']' at the end of a table declaration\n"
        )


def test_a_baseline_is_not_written_from_what_is_not_known(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    run_far("baseline")
    known = (tmp_path / ".far-baseline.json").read_text("utf-8")
    ran = run_far("baseline", "nosuch")
    assert (ran.status, ran.out) == (2, "nothing written to .far-baseline.json\n")
    assert ran.err == "error: nosuch: no such file or directory\n"
    project(tmp_path, {"other.py": BAD, "pyproject.toml": b"[tool\n"})
    ran = run_far("baseline")
    assert (ran.status, ran.out) == (2, "nothing written to .far-baseline.json\n")
    assert (tmp_path / ".far-baseline.json").read_text("utf-8") == known
    # A file that cannot be parsed has no findings now; it does not stand in the way of the others.
    project(tmp_path, {"broken.py": "def f(:\n", "pyproject.toml": ""})
    ran = run_far("baseline")
    assert (ran.status, ran.out) == (2, "2 findings written to .far-baseline.json\n")


@pytest.mark.skipif(sys.platform == "win32", reason="such files exist elsewhere only")
def test_a_baseline_goes_to_what_is_no_plain_file(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "kept/known.json": ""})
    (tmp_path / "link.json").symlink_to("kept/known.json")
    assert run_far("baseline", "--output", "link.json").status == 0
    assert (tmp_path / "link.json").is_symlink()
    assert "FAR101" in (tmp_path / "kept/known.json").read_text("utf-8")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run_far("baseline", "--output", "pipe").status == 0
    assert b"FAR101" in os.read(reader, 10_000)
    os.close(reader)


@pytest.mark.skipif(sys.platform != "linux", reason="others do not remove it while it is in use")
def test_a_current_directory_that_is_gone(run_far: Far, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    for command in ("check", "fix", "routes", "baseline", "config"):
        ran = run_far(command)
        assert ran.status == 2, command
        assert ran.err == "error: the current directory does not exist any more\n", command


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_names_that_are_no_text(run_far: Far, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9\n.py")).write_text(BAD)
    for name in ("concise", "full", "json", "sarif", "github", "gitlab", "rdjson", "junit"):
        ran = run_far("check", "--format", name)
        assert ran.status == 1, (name, ran.err)
        assert "FAR101" in ran.out


def test_standard_input_that_is_no_text(tmp_path: Path) -> None:
    ran = far("check", "-", cwd=tmp_path, stdin=b"x = '\xff'\n")
    assert ran.status == 2
    assert ran.err.startswith("error: stdin.py:1:1: ")


#: Short texts that stand for more than any computer can hold.
GROWING = {
    "texts.py": "from fastapi import APIRouter\nrouter = APIRouter()\ns0 = 'a'\n"
    + "".join(f"s{n + 1} = s{n} + s{n}\nt{n} = f'{{s{n}}}{{s{n}}}'\n" for n in range(60))
    + "@router.get(s60)\ndef read(): ...\n@router.get(t59)\ndef other(): ...\n",
    "dependencies.py": "from fastapi import APIRouter, Depends\ndef d0(): ...\n"
    + "".join(
        f"def e{n}(a=Depends(d{n})): ...\n"
        f"def d{n + 1}(a=Depends(d{n}), b=Depends(d{n}), c=Depends(e{n})): ...\n"
        for n in range(60)
    )
    + "router = APIRouter()\n@router.get('/')\ndef read(a=Depends(d60)): ...\n",
    "routers.py": "from fastapi import APIRouter, FastAPI\nr30 = APIRouter()\n"
    + "@r30.get('/')\ndef read(): ...\n"
    + "".join(
        f"r{n} = APIRouter()\nr{n}.include_router(r{n + 1}, prefix='/a')\n"
        f"r{n}.include_router(r{n + 1}, prefix='/b')\n"
        for n in reversed(range(30))
    )
    + "def create_app():\n    app = FastAPI()\n    app.include_router(r0)\n    return app\n",
}


GROWING["lists.py"] = (
    "from fastapi import APIRouter, FastAPI\n"
    "from fastapi.middleware.cors import CORSMiddleware\n"
    "l0 = m0 = ['a']\n"
    + "".join(f"l{n + 1} = [*l{n}, *l{n}]\nm{n + 1} = m{n} + m{n}\n" for n in range(60))
    + "def create_app():\n    app = FastAPI()\n"
    + "    app.add_middleware(CORSMiddleware, allow_origins=l60)\n"
    + "    app.include_router(APIRouter(), tags=m60)\n    return app\n"
    + "router = APIRouter(tags=l60)\n@router.get('/', tags=m60)\ndef read(): ...\n"
)
GROWING["calls.py"] = (
    "from fastapi import APIRouter\ndef f0(): raise ValueError\nn0 = 9\n"
    + "".join(
        f"def f{n + 1}(x=None):\n    f{n}(x)\n    f{n}(1)\n    return f{n}()\n"
        f"n{n + 1} = n{n} * n{n}\n"
        for n in range(60)
    )
    + "ACCESS_TOKEN_EXPIRE_MINUTES = n60\n"
    + "router = APIRouter()\n@router.get('/')\ndef read(): f60()\n"
)


@pytest.mark.parametrize("name", sorted(GROWING))
def test_texts_that_stand_for_too_much(tmp_path: Path, name: str) -> None:
    project(tmp_path, {name: GROWING[name]})
    ran = far("check", "--profile", "strict", cwd=tmp_path)
    assert ran.status == 1
    assert not ran.err
    assert "FAR219" in ran.out
