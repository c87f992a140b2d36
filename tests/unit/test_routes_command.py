"""`far routes`: formats, filters, and the page in a real browser."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flake8_fastapi_rules.cli import main

FILES = {
    "shop/__init__.py": "",
    "shop/items.py": '''
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import OAuth2PasswordBearer

scheme = OAuth2PasswordBearer("token")
router = APIRouter(prefix="/items", tags=["items"])


def current_user(token: Annotated[str, Depends(scheme)]) -> str:
    return token


@router.get("/", status_code=200)
async def list_items() -> list[str]:
    return []


@router.post("/", dependencies=[Depends(current_user)], operation_id="create|item")
async def create_item() -> None:
    """Make one."""
''',
    "shop/main.py": """
import os

from fastapi import FastAPI

from shop.items import router

app = FastAPI()
app.include_router(router, prefix="/v1")
if os.environ.get("DEBUG"):

    @app.get("/<debug>")
    async def debug() -> str:
        return ""
""",
    "tests/test_shop.py": """
from fastapi import FastAPI

test_app = FastAPI()


@test_app.get("/test")
async def nothing() -> None:
    pass
""",
    "pyproject.toml": "",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, as the working directory."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def far(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The output of a successful `far routes`."""
    assert main(["routes", *arguments]) == 0
    return capsys.readouterr().out


def records(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """The objects of `--format json`."""
    found: list[dict[str, Any]] = json.loads(far(capsys, "--format", "json", *arguments))
    return found


def test_json(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All fields, as FastAPI would have them."""
    listed, created, debug = records(capsys)
    assert created == {
        "app": "shop.main:app",
        "method": "POST",
        "path": "/v1/items/",
        "handler": "shop.items:create_item",
        "file": "shop/items.py",
        "line": 21,
        "name": "create_item",
        "operation_id": "create|item",
        "tags": ["items"],
        "status_code": None,
        "dependencies": [
            "shop.items:current_user",
            "fastapi.security.oauth2:OAuth2PasswordBearer",
        ],
        "security": [
            "shop.items:current_user",
            "fastapi.security.oauth2:OAuth2PasswordBearer",
        ],
        "dependencies_complete": True,
        "include_in_schema": True,
        "deprecated": False,
        "certain": True,
    }
    assert listed["operation_id"] == "list_items_v1_items__get"
    assert debug["certain"] is False


def test_filters(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each filter alone, and together."""

    def handlers(*arguments: str) -> list[str]:
        return [row["handler"].partition(":")[2] for row in records(capsys, *arguments)]

    assert handlers("--method", "post,put") == ["create_item"]
    assert handlers("--path", "/v1/*") == ["list_items", "create_item"]
    assert handlers("--path", "debug") == ["debug"]
    assert handlers("--handler", "shop.items:*") == ["list_items", "create_item"]
    assert handlers("--unprotected") == ["list_items", "debug"]
    assert handlers("--unprotected", "--path", "/v1/*") == ["list_items"]
    assert handlers("--app", "nothing") == []
    assert handlers("--tests", "--app", "test_app") == ["nothing"]
    assert handlers("tests") == ["nothing"]
    assert handlers("shop/main.py") == ["list_items", "create_item", "debug"]


def test_table(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table names handler and place; uncertain routes are marked."""
    lines = far(capsys).splitlines()
    assert lines[0] == "shop.main:app: 3 routes"
    assert re.search(r"POST +/v1/items/ +create_item +shop/items.py:21 +current_user, O", lines[3])
    assert "/<debug> (uncertain)" in lines[4]


def test_apps_of_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Services of one repository, and apps of one factory, are told apart by their places."""
    text = (
        "from fastapi import FastAPI\n\n\ndef create_app():\n    app = FastAPI()\n"
        "    app.get('/')(print)\n    return app\n"
    )
    for name in ("billing", "catalogue"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pyproject.toml").write_text("")
        (folder / "main.py").write_text(text)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert [row["app"] for row in records(capsys)] == [
        "main:create_app (billing/main.py)",
        "main:create_app (catalogue/main.py)",
    ]
    page = far(capsys, "--format", "html")
    assert page.count("<h2>main:create_app (") == page.count("<td><code>/</code></td>") == 2
    more = "    inner = FastAPI()\n    inner.get('/')(print)\n    return app"
    (tmp_path / "billing/main.py").write_text(text.replace("    return app", more))
    assert [row["app"] for row in records(capsys, "billing")] == [
        "main:create_app (billing/main.py:5)",
        "main:create_app (billing/main.py:7)",
    ]


def test_csv(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same fields as in JSON."""
    rows = list(csv.DictReader(io.StringIO(far(capsys, "--format", "csv"))))
    assert list(rows[0]) == list(records(capsys)[0])
    assert rows[1]["dependencies"].split()[0] == "shop.items:current_user"


def test_markdown(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that Markdown understands."""
    text = far(capsys, "--format", "markdown")
    assert text.startswith("## `shop.main:app`\n\n3 routes.\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}


def test_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without apps, and one that is not there."""
    assert far(capsys, str(tmp_path)) == "no routes found\n"
    assert records(capsys, str(tmp_path)) == []
    assert main(["routes", str(tmp_path / "missing")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_files_that_cannot_be_read(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are named: their routes are missing."""
    (tmp_path / "broken.py").write_text("from fastapi import FastAPI\ndef (\n")
    (tmp_path / "bytes.py").write_bytes(b"from fastapi import FastAPI\nx = '\xff'\n")
    assert main(["routes", str(tmp_path / "broken.py")]) == 2
    assert "broken.py:2:5: invalid syntax" in capsys.readouterr().err
    assert main(["routes", str(tmp_path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "broken.py:2:5: invalid syntax" in errors[0]
    assert "bytes.py:2:1: cannot decode the file as utf-8" in errors[1]


def test_page_is_self_contained(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is loaded from elsewhere, and all text is escaped."""
    page = far(capsys, "--format", "html")
    assert not re.search(r"(?:src|href)\s*=|@import|url\(", page)
    assert "&lt;debug&gt;" in page
    assert "<debug>" not in page
    assert page.count("<svg") == 1


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
@pytest.mark.parametrize(("query", "shown"), [("", 3), ("post items", 1), ("nothing", 0)])
def test_page_in_a_browser(
    shop: Path, capsys: pytest.CaptureFixture[str], query: str, shown: int
) -> None:
    """The browser draws the diagram, and the search leaves the rows that fit."""
    page = shop / "routes.html"
    page.write_text(far(capsys, "--format", "html"))
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={shop / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
            f"{page.as_uri()}#{query.replace(' ', '%20')}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert f'<output id="count">{shown} of 3</output>' in done.stdout, done.stderr[-2000:]
    rows = re.findall(r"<tr[^>]*data-text[^>]*>", done.stdout)
    assert sum('hidden=""' not in row for row in rows) == shown
    assert re.search(r'<svg class="tree".*shop\.items:router.*</svg>', done.stdout, re.DOTALL)
