"""Each option does what its page says: its documented example changes what is reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flake8_fastapi_rules.commands.running import check_paths
from flake8_fastapi_rules.config import SettingsLoader, key_of, option_fields
from flake8_fastapi_rules.linter import Linter

#: By option: the rules that run, the files, and the codes without and with the documented example.
Case = tuple[tuple[str, ...], Mapping[str, str], list[str], list[str]]

MODULE_APP = "from fastapi import FastAPI\n\napp = FastAPI()\n"
TRY = """\
from fastapi import APIRouter

router = APIRouter()


@router.get("/items")
def read_items() -> list[int]:
    try:
        return load()
    except ValueError:
        return []
"""
CACHE_TRY = """\
from fastapi import APIRouter

from app.cache import CacheMiss, load

router = APIRouter()


@router.get("/items")
def read_items() -> list[int]:
    try:
        return load()
    except CacheMiss:
        return []
"""
CACHE = """\
class CacheMiss(Exception): ...


def load() -> list[int]:
    raise CacheMiss
"""
HEALTH = """\
from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/up")
    def up() -> dict[str, str]:
        return {"status": "ok"}

    return app
"""
WRITE = """\
from fastapi import APIRouter

from app.documents import mark_read

router = APIRouter()


@router.get("/documents")
def read_document() -> int:
    return mark_read()
"""
DOCUMENTS = """\
import sqlite3

connection = sqlite3.connect("documents.db")


def mark_read() -> int:
    connection.execute("UPDATE documents SET is_read = 1")
    connection.commit()
    return 1
"""
PAGE = """\
from fastapi import APIRouter

router = APIRouter()


@router.get("/items")
def read_items(count: int = 10) -> list[int]:
    return list(range(count))
"""
FEEDBACK = """\
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer

router = APIRouter()
bearer = HTTPBearer()


@router.delete("/items/{item_id}")
def delete_item(item_id: int, token: Annotated[str, Depends(bearer)]) -> None: ...


@router.post("/feedback")
def send_feedback(text: str) -> None: ...


def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    return app
"""
CHAIN = """\
from typing import Annotated

from fastapi import APIRouter, Depends

router = APIRouter()


def one() -> int:
    return 1


def two(value: Annotated[int, Depends(one)]) -> int:
    return value


def three(value: Annotated[int, Depends(two)]) -> int:
    return value


def four(value: Annotated[int, Depends(three)]) -> int:
    return value


@router.get("/")
def read(value: Annotated[int, Depends(four)]) -> int:
    return value
"""
REPEATED = """\
from typing import Annotated

from fastapi import APIRouter, Depends

router = APIRouter()


def session() -> int:
    return 1


@router.get("/a")
def read_a(value: Annotated[int, Depends(session)]) -> int:
    return value


@router.get("/b")
def read_b(value: Annotated[int, Depends(session)]) -> int:
    return value
"""
CASED = """\
from fastapi import APIRouter

router = APIRouter()


@router.get("/old_items")
def read_items() -> list[int]:
    return []
"""
ENVIRONMENT = """\
import os

from fastapi import APIRouter

DEBUG = os.environ["DEBUG"]
router = APIRouter()


@router.get("/debug")
def is_debug() -> bool:
    return bool(DEBUG)
"""
ORJSON = """\
from fastapi import APIRouter
from fastapi.responses import ORJSONResponse

router = APIRouter(default_response_class=ORJSONResponse)
"""
TEMPLATES = """\
from fastapi.templating import Jinja2Templates

templates = Jinja2Templates("templates", autoescape=True)
"""
THREADED = """\
from typing import Annotated

from fastapi import APIRouter, Depends

router = APIRouter()


def page(number: int = 1) -> int:
    return number


@router.get("/items")
async def read_items(number: Annotated[int, Depends(page)]) -> int:
    return number
"""
LAYERED = {
    "app/__init__.py": "",
    "app/storage/__init__.py": "",
    "app/storage/items.py": "from app.web.items import router\n\nprint(router)\n",
    "app/web/__init__.py": "",
    "app/web/items.py": "from fastapi import APIRouter\n\nrouter = APIRouter()\n",
}
#: `lib` lies where nobody would look for it.
SOURCES = {
    "services/api/lib/__init__.py": "",
    "services/api/lib/documents.py": DOCUMENTS,
    "web.py": WRITE.replace("app.", "lib."),
}

#: Options that switch rules themselves.
SWITCHES = ("profile", "enable", "disable", "per_path_profiles")

CASES: dict[str, Case] = {
    "profile": (("FAR101", "FAR108"), {"app.py": MODULE_APP}, ["FAR101"], ["FAR101", "FAR108"]),
    "enable": (("FAR313",), {"app.py": THREADED}, [], ["FAR313"]),
    "disable": (("FAR401",), {"app.py": TRY}, ["FAR401"], []),
    "per_path_profiles": (
        ("FAR202",),
        {"app/rpc/items.py": CASED},
        [],
        ["FAR202"],
    ),
    "exclude": (("FAR401",), {"legacy/app.py": TRY}, ["FAR401"], []),
    "test_paths": (("FAR401",), {"checks/app.py": TRY}, ["FAR401"], []),
    "health_paths": (("FAR119",), {"app.py": HEALTH}, ["FAR119"], []),
    "layers": (("FAR115",), LAYERED, [], ["FAR115"]),
    "settings_modules": (("FAR110",), {"env.py": ENVIRONMENT}, ["FAR110"], []),
    "entry_points": (("FAR110",), {"serve.py": ENVIRONMENT}, ["FAR110"], []),
    "allowed_exceptions": (
        ("FAR401",),
        {"app/__init__.py": "", "app/cache.py": CACHE, "app/items.py": CACHE_TRY},
        ["FAR401"],
        [],
    ),
    "allowed_writes": (
        ("FAR201",),
        {"app/__init__.py": "", "app/api.py": WRITE, "app/documents.py": DOCUMENTS},
        ["FAR201"],
        [],
    ),
    "page_size_names": (("FAR222",), {"app.py": PAGE}, [], ["FAR222"]),
    "public_paths": (("FAR710",), {"app.py": FEEDBACK}, ["FAR710"], []),
    "dependency_depth": (("FAR314",), {"app.py": CHAIN}, ["FAR314"], []),
    "repeated_annotations": (("FAR307",), {"app.py": REPEATED}, [], ["FAR307"]),
    "path_case": (("FAR228",), {"app.py": CASED}, ["FAR228"], []),
    "fastapi_version": (("FAR122",), {"app.py": ORJSON}, ["FAR122"], []),
    "starlette_version": (("FAR125",), {"app.py": TEMPLATES}, ["FAR125"], []),
    "src": (("FAR201",), SOURCES, [], ["FAR201"]),
}


def test_every_option_has_a_case() -> None:
    assert set(CASES) == {option.name for option in option_fields()}


@pytest.mark.parametrize("option", option_fields(), ids=lambda option: option.name)
def test_the_documented_example_changes_what_is_reported(tmp_path: Path, option: Any) -> None:
    codes, files, before, after = CASES[option.name]
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def found(*lines: str) -> list[str]:
        settings = "\n".join(("[tool.flake8-fastapi-rules]", *lines))
        (tmp_path / "pyproject.toml").write_text(settings)
        results = check_paths(Linter(SettingsLoader()), [str(tmp_path)])
        assert not results.problems
        return sorted({f.code for f in results.findings} & set(codes))

    everything = [] if option.name in SWITCHES else [f"enable = {list(codes)}"]
    assert found(*everything) == before
    example = f"{key_of(option.name)} = {option.metadata['example']}"
    assert found(*everything, example) == after
