"""`far fix` from the command line; what fixes do is tested rule by rule."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.running import BAD, Far, far, project

OLD = """\
from fastapi import APIRouter, Depends

router = APIRouter()


def current_user() -> int:
    return 1


@router.get("/items")
async def list_items(user: int = Depends(current_user)) -> list[int]:  # who asks
    return [user]
"""
NEW = OLD.replace(
    "from fastapi import APIRouter, Depends\n",
    "from typing import Annotated\n\nfrom fastapi import APIRouter, Depends\n",
).replace("user: int = Depends(current_user)", "user: Annotated[int, Depends(current_user)]")
SELECT = ("--select", "FAR301")


def test_fixes_and_says_so(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"api.py": OLD, "other.py": "x = 1\n"})
    ran = run_far("fix", *SELECT)
    assert (tmp_path / "api.py").read_text() == NEW
    assert (ran.status, ran.lines) == (
        0,
        ["1 fixed in 1 file", "     1 FAR301 depends-without-annotated"],
    )
    assert run_far("check", *SELECT).status == 0
    assert run_far("fix", *SELECT).lines[0] == "nothing fixed"


def test_diff_can_be_applied(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"sub/api.py": OLD})
    ran = run_far("fix", "--diff", *SELECT)
    assert ran.status == 1
    assert (tmp_path / "sub/api.py").read_text() == OLD
    assert "1 would be fixed in 1 file" in ran.err
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=ran.out.encode(), check=True)
    assert (tmp_path / "sub/api.py").read_text() == NEW
    assert run_far("fix", "--diff", *SELECT).status == 0


def test_check_names_the_files(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"api.py": OLD})
    ran = run_far("fix", "--check", *SELECT)
    assert ran.status == 1
    assert ran.lines[0] == "would change api.py"
    assert (tmp_path / "api.py").read_text() == OLD


def test_standard_input_to_standard_output(tmp_path: Path) -> None:
    data = OLD.replace("\n", "\r\n").encode()
    ran = far("fix", "-", *SELECT, cwd=tmp_path, stdin=data)
    assert (ran.status, ran.out) == (0, NEW.replace("\n", "\r\n"))
    assert far("fix", "-", *SELECT, cwd=tmp_path, stdin=b"x = 1").out == "x = 1"


def test_only_what_is_selected(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"api.py": OLD})
    run_far("fix", "--select", "FAR101")
    assert (tmp_path / "api.py").read_text() == OLD


def test_what_is_left_and_why(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    ran = run_far("fix", "--select", "FAR101")
    assert ran.status == 0
    assert ran.lines == ["nothing fixed", "1 left", "     1 the rule has no fix: FAR101"]
    ran = run_far("fix", "--select", "FAR101", "--show-left")
    assert ran.lines[2].startswith("app.py:3:7: FAR101 App `app`")


def test_reasons_of_the_rule(run_far: Far, tmp_path: Path) -> None:
    untyped = OLD.replace("user: int = ", "user = ")
    text = f"{untyped}\n\ndef other(a, b=Depends(current_user), /, c=Depends(current_user)): ...\n"
    project(tmp_path, {"a.py": text, "b.py": untyped})
    ran = run_far("fix", *SELECT)
    assert ran.lines == ["nothing fixed", "4 left", "     4 the parameter has no type: FAR301"]


def test_summary_for_programs(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"api.py": OLD, "app.py": BAD})
    ran = run_far("fix", "--select", "FAR301,FAR101", "--format", "json")
    document = json.loads(ran.out)
    assert document["changed"] == ["api.py"]
    (fixed,), (left,) = document["fixed"], document["left"]
    assert (fixed["path"], fixed["line"], fixed["code"]) == ("api.py", 11, "FAR301")
    assert (left["path"], left["code"], left["reason"]) == (
        "app.py",
        "FAR101",
        "the rule has no fix",
    )
    assert document["errors"] == []
    ran = run_far("fix", "--select", "FAR101", "--format", "json", "--diff")
    assert json.loads(ran.err)["changed"] == []


def test_reasons_in_reports(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"api.py": OLD.replace("user: int = ", "user = ")})
    ran = run_far("check", *SELECT, "--format", "json")
    (finding,) = json.loads(ran.out)["findings"]
    assert finding["fix"] is None
    assert finding["unfixable"] == "the parameter has no type"


def test_fixes_that_open_the_way_elsewhere(run_far: Far, tmp_path: Path) -> None:
    api = (
        "from fastapi import APIRouter, Depends\nfrom deps import user\n\nrouter = APIRouter()\n\n"
        '@router.get("/")\ndef index(user: int = Depends(user())) -> int:\n    return user\n'
    )
    deps = "def user() -> int:\n    return 1\n"
    project(tmp_path, {"api.py": api, "deps.py": deps})
    run_far("fix", "--select", "FAR303,FAR313", "--unsafe-fixes")
    assert "Depends(user))" in (tmp_path / "api.py").read_text()
    assert (tmp_path / "deps.py").read_text() == f"async {deps}"


def test_fixes_that_free_a_class_elsewhere(run_far: Far, tmp_path: Path) -> None:
    """The `Config` of a model can go as soon as no model of another file derives from it."""
    base = (
        "from pydantic import BaseModel\n\n\nclass Base(BaseModel):\n"
        "    class Config:\n        validate_assignment = True\n"
    )
    derived = (
        "from base import Base\n\n\nclass Derived(Base):\n"
        "    class Config(Base.Config):\n        extra = 'forbid'\n"
    )
    project(tmp_path, {"base.py": base, "derived.py": derived})
    run_far("fix", "--select", "FAR509")
    assert "class Config" not in (tmp_path / "base.py").read_text()
    assert run_far("fix", "--select", "FAR509").lines[0] == "nothing fixed"


def test_fixes_that_reach_files_that_import(run_far: Far, tmp_path: Path) -> None:
    """The lifespan of an app is run by the fixtures of tests that are checked before it."""
    app = (
        "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        '@app.on_event("startup")\ndef start() -> None:\n    print()\n'
    )
    fixture = (
        "import pytest\nfrom fastapi.testclient import TestClient\nfrom zoo import app\n\n\n"
        "@pytest.fixture\ndef client():\n    return TestClient(app)\n"
    )
    project(tmp_path, {"zoo.py": app, "conftest.py": fixture})
    run_far("fix", "--select", "FAR103,FAR903", "--unsafe-fixes")
    assert "lifespan=lifespan" in (tmp_path / "zoo.py").read_text()
    assert "with TestClient(app) as client" in (tmp_path / "conftest.py").read_text()


def test_definitions_of_files_that_change_are_the_same(run_far: Far, tmp_path: Path) -> None:
    """What a test overrides is still depended on when the file of the dependency is fixed too."""
    head = "from fastapi import APIRouter, Depends, FastAPI, Query, status\n"
    deps = f"{head}\n\ndef user(q: int = Query(1)) -> int:\n    return q\n"
    api = (
        f"{head}from deps import user\n\napp = FastAPI()\n\n\n"
        '@app.get("/")\ndef index(who=Depends(user)) -> int:\n    return who\n'
    )
    test = (
        f"{head}from api import app\nfrom deps import user\n\n\n"
        "def test_index() -> None:\n    app.dependency_overrides[user] = lambda: 2\n"
        "    assert status.HTTP_422_UNPROCESSABLE_ENTITY == 422\n"
    )
    project(tmp_path, {"api.py": api, "deps.py": deps, "test_api.py": test})
    ran = run_far("fix", "--select", "FAR302,FAR124", "--enable", "FAR9")
    assert "Annotated[int, Query()] = 1" in (tmp_path / "deps.py").read_text()
    assert "HTTP_422_UNPROCESSABLE_CONTENT" in (tmp_path / "test_api.py").read_text(), ran.out
    assert run_far("fix", "--select", "FAR302,FAR124", "--enable", "FAR9").lines[0] == (
        "nothing fixed"
    )


def test_classes_of_files_that_change_are_the_same(run_far: Far, tmp_path: Path) -> None:
    """What others do with an enumeration still counts when its own file is fixed."""
    schemas = (
        "from enum import Enum\n\nfrom pydantic import BaseModel\n\n\n"
        'class State(str, Enum):\n    OPEN = "open"\n\n\n'
        "class Ticket(BaseModel):\n    state: State\n\n"
        "    class Config:\n        from_attributes = True\n"
    )
    service = (
        "from schemas import State, Ticket\n\n\n"
        "def is_open(ticket: Ticket) -> bool:\n    return ticket.state == State.OPEN\n"
    )
    project(tmp_path, {"schemas.py": schemas, "service.py": service})
    ran = run_far("fix", "--select", "FAR509", "--enable", "FAR511")
    assert ran.lines[0] == "1 fixed in 1 file", ran.out


def test_noqa_is_obeyed(run_far: Far, tmp_path: Path) -> None:
    text = OLD.replace("# who asks", "# noqa: FAR301")
    project(tmp_path, {"api.py": text})
    run_far("fix", *SELECT)
    assert (tmp_path / "api.py").read_text() == text


def test_noqa_is_obeyed_beside_a_fix(run_far: Far, tmp_path: Path) -> None:
    text = (
        "from typing import Annotated\n\nfrom fastapi import APIRouter, Query\n\n"
        'router = APIRouter(prefix="/items")\n\n\n@router.get("")\nasync def items(\n'
        "    size: int = Query(1),  # noqa: FAR302\n    start: int = Query(2),\n"
        ") -> int:\n    return size + start\n"
    )
    project(tmp_path, {"api.py": text})
    run_far("fix", "--select", "FAR302")
    fixed = text.replace("start: int = Query(2)", "start: Annotated[int, Query()] = 2")
    assert (tmp_path / "api.py").read_text() == fixed


def test_add_noqa(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "b.py": BAD})
    ran = run_far("fix", "--add-noqa", "--select", "FAR101", "app.py")
    assert (ran.status, ran.lines[0]) == (0, "1 marked in 1 file")
    assert (tmp_path / "app.py").read_text().splitlines()[2] == "app = FastAPI()  # noqa: FAR101"
    run_far("fix", "--add-noqa=until autumn", "--select", "FAR101")
    line = (tmp_path / "b.py").read_text().splitlines()[2]
    assert line == "app = FastAPI()  # noqa: FAR101 - until autumn"
    assert run_far("check", "--select", "FAR101").status == 0


def test_broken_files_are_named_and_left(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"api.py": OLD, "broken.py": "def (:\n", "bytes.py": b"x = '\xff'\n"})
    ran = run_far("fix", *SELECT)
    assert ran.status == 2
    assert ran.err.splitlines() == [
        "error: broken.py:1:5: invalid syntax",
        "error: bytes.py:1:1: cannot decode the file as utf-8",
    ]
    assert (tmp_path / "api.py").read_text() == NEW
    assert (tmp_path / "broken.py").read_text() == "def (:\n"


@pytest.mark.skipif(os.name == "nt", reason="links and modes are those of POSIX")
def test_what_must_not_be_written(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"readonly.py": OLD, "elsewhere/api.txt": OLD})
    (tmp_path / "readonly.py").chmod(0o444)
    (tmp_path / "link.py").symlink_to("elsewhere/api.txt")
    ran = run_far("fix", "--check", *SELECT)
    assert ran.status == 2
    assert "would change" not in ran.out
    ran = run_far("fix", *SELECT)
    assert ran.status == 2
    assert ran.err.splitlines() == [
        "error: link.py: not changed: it is a symbolic link",
        "error: readonly.py: not changed: it is read-only",
    ]
    assert ran.lines[-1] == "     1 the file was not changed: it is read-only: FAR301"
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "readonly.py").read_text() == OLD


HEAD = "from typing import Annotated\nfrom fastapi import Depends\ndef user() -> int: ...\n"
#: Odd but valid texts, before and after.
LAYOUTS = {
    "CRLF and BOM": (
        b"\xef\xbb\xbf"
        + f"{HEAD}def f(\n    a: int = Depends(user),  # a\n): ...\n".replace(
            "\n", "\r\n"
        ).encode(),
        b"\xef\xbb\xbf"
        + f"{HEAD}def f(\n    a: Annotated[int, Depends(user)],  # a\n): ...\n".replace(
            "\n", "\r\n"
        ).encode(),
    ),
    "Latin-1": (
        f"# coding: latin-1\n{HEAD}def f(a: int = Depends(user)): 'é'  # ü\n".encode("latin-1"),
        f"# coding: latin-1\n{HEAD}def f(a: Annotated[int, Depends(user)]): 'é'  # ü\n".encode(
            "latin-1"
        ),
    ),
    "form feed, tabs, no last newline": (
        f"{HEAD}\x0c\nclass A:\n\tdef f(self, a: int = Depends(user)):\n\t\tpass".encode(),
        f"{HEAD}\x0c\nclass A:\n\tdef f(self, a: Annotated[int, Depends(user)]):\n"
        "\t\tpass".encode(),
    ),
    "comments between parameters": (
        f"{HEAD}def f(  # f\n    # first\n    b=1,  # b\n    # second\n"
        "    a: int = Depends(user)  # a\n    # last\n): ...\n".encode(),
        f"{HEAD}def f(  # f\n    # first\n    b=1,  # b\n    *,\n    # second\n"
        "    a: Annotated[int, Depends(user)]  # a\n    # last\n): ...\n".encode(),
    ),
    "line continuation": (
        f"{HEAD}x = 1 + \\\n  2\ndef f(a: \\\n  int = Depends(user), \\\n  b=1): ...\n".encode(),
        f"{HEAD}x = 1 + \\\n  2\ndef f(a: \\\n  Annotated[int, Depends(user)], \\\n"
        "  b=1): ...\n".encode(),
    ),
    "comment inside of a marker": (
        f"{HEAD}def f(a: int = Depends(  # why\n    user)): ...\n".encode(),
        f"{HEAD}def f(a: Annotated[int, Depends(  # why\n    user)]): ...\n".encode(),
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts_are_kept(tmp_path: Path, case: str) -> None:
    before, after = LAYOUTS[case]
    path = tmp_path / "api.py"
    path.write_bytes(before)
    far("fix", *SELECT, cwd=tmp_path)
    assert path.read_bytes() == after
    assert far("fix", *SELECT, cwd=tmp_path).out.startswith("nothing fixed")
    assert path.read_bytes() == after


NAMES = [f"api{number}.py" for number in range(40)]


def stopped_in_the_middle(folder: Path, number: int, delay: float) -> int:
    """Start `far fix`, send it a signal once the first file is written, and wait for its end."""
    project(folder, dict.fromkeys(NAMES, OLD))
    process = subprocess.Popen(
        [sys.executable, "-m", "flake8_fastapi_rules", "fix", *SELECT],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(3000):
        if process.poll() is not None or (folder / NAMES[0]).read_text() == NEW:
            break
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(number)
    return process.wait()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3])
def test_killed_in_the_middle(tmp_path: Path, delay: float) -> None:
    stopped_in_the_middle(tmp_path, signal.SIGKILL, delay)
    assert {(tmp_path / name).read_text() for name in NAMES} <= {OLD, NEW}
    assert (tmp_path / NAMES[0]).read_text() == NEW


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_asked_to_stop_in_the_middle(tmp_path: Path, name: str) -> None:
    number = signal.Signals[name]
    # Where it was through already, there was nothing to stop.
    assert stopped_in_the_middle(tmp_path, number, 0.0) in (128 + number, 0)
    assert {(tmp_path / name).read_text() for name in NAMES} <= {OLD, NEW}
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".tmp") == []
