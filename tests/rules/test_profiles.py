"""Where conventions contradict each other, each profile holds what its style says."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from flake8_fastapi_rules.config import CHOOSABLE_PROFILES
from flake8_fastapi_rules.linter import in_profile
from flake8_fastapi_rules.rules import all_rules
from tests.rules.cases import ROOT, Case, Header
from tests.rules.linting import lint
from tests.rules.test_catalogue import CATALOGUE

RULES = {rule.code: rule for rule in all_rules()}
DISAGREEMENTS = {
    entry["about"]: entry
    for entry in tomllib.loads((ROOT / "docs" / "disagreements.toml").read_text("utf-8"))[
        "disagreement"
    ]
}


class Program(NamedTuple):
    """A program, and which of the codes at issue each profile reports in it.

    Parameters:
        about: the disagreement.
        text: the program.
        recommended, strict, clean: codes, separated by blanks.
        enable: what is switched on besides.
    """

    about: str
    text: str
    recommended: str = ""
    strict: str = ""
    clean: str = ""
    enable: tuple[str, ...] = ()


def everywhere(about: str, text: str, codes: str = "") -> Program:
    """A program that all profiles judge alike."""
    return Program(about, text, codes, codes, codes)


IMPORTS = """
from typing import Annotated
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from pydantic import BaseModel
router = APIRouter()
"""

PROGRAMS = [
    everywhere("an app in a module variable", "app = FastAPI()", "FAR101"),
    Program(
        "an app in a module variable",
        """
        def create_app() -> FastAPI:
            return FastAPI()
        app = create_app()
        """,
        strict="FAR102",
        clean="FAR102",
    ),
    Program(
        "methods",
        """
        @router.get("/items")
        def list_items() -> list[str]:
            return []
        """,
        clean="FAR202",
    ),
    Program(
        "methods",
        """
        @router.get("/items/clear")
        def clear(request: Request) -> bool:
            request.app.state.items.clear()
            return True
        """,
        recommended="FAR201",
        strict="FAR201",
        clean="FAR201 FAR202",
    ),
    Program(
        "methods",
        """
        @router.post("/items/delete")
        def delete_item(name: str) -> bool:
            return bool(name)
        """,
        strict="FAR220",
    ),
    Program(
        "status codes",
        """
        class Item(BaseModel):
            name: str
        @router.post("/items")
        async def create_item(item: Item, request: Request) -> Item:
            request.state.session.add(item)
            return item
        """,
        recommended="FAR206",
        strict="FAR205 FAR206",
    ),
    Program(
        "status codes",
        """
        class Item(BaseModel):
            name: str
        @router.post("/items", status_code=200)
        async def create_item(item: Item, request: Request) -> Item:
            request.state.session.add(item)
            return item
        """,
        recommended="FAR206",
        strict="FAR206",
    ),
    everywhere(
        "dependencies as defaults",
        """
        async def get_name() -> str:
            return "name"
        @router.post("/items")
        async def show(name: str = Depends(get_name), size: int = Query(1, le=9)) -> str:
            return name * size
        """,
        "FAR301 FAR302",
    ),
    Program(
        "dependencies that do I/O",
        """
        import requests
        def get_rate() -> str:
            return requests.get("https://rates.example", timeout=5).text
        @router.post("/rate")
        async def show(rate: Annotated[str, Depends(get_rate)]) -> str:
            return rate
        """,
        strict="FAR312",
    ),
    Program(
        "the kind of middleware",
        """
        from starlette.middleware.base import BaseHTTPMiddleware
        class Timing(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                return await call_next(request)
        def create_app() -> FastAPI:
            app = FastAPI()
            app.add_middleware(Timing)
            return app
        """,
        strict="FAR801",
    ),
    Program(
        "the kind of middleware",
        """
        def create_app() -> FastAPI:
            app = FastAPI()
            @app.middleware("http")
            async def broken(request, call_next):
                await call_next(request)
            return app
        """,
        recommended="FAR803",
        strict="FAR801 FAR803",
        clean="FAR803",
    ),
    everywhere(
        "the outermost middleware",
        """
        from fastapi.middleware.cors import CORSMiddleware
        from fastapi.middleware.gzip import GZipMiddleware
        def create_app() -> FastAPI:
            app = FastAPI()
            app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"])
            app.add_middleware(GZipMiddleware)
            return app
        """,
        "FAR802",
    ),
    everywhere(
        "the outermost middleware",
        """
        import logging
        from fastapi.middleware.cors import CORSMiddleware
        logger = logging.getLogger(__name__)
        class RequestLoggingMiddleware:
            def __init__(self, app):
                self.app = app
            async def __call__(self, scope, receive, send):
                logger.info("%s", scope["type"])
                await self.app(scope, receive, send)
        def create_app() -> FastAPI:
            app = FastAPI()
            app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"])
            app.add_middleware(RequestLoggingMiddleware)
            return app
        """,
    ),
    Program(
        "engines in modules",
        """
        from sqlalchemy import create_engine
        engine = create_engine("sqlite://")
        """,
        strict="FAR114",
        clean="FAR114",
    ),
    everywhere(
        "engines in modules",
        """
        import sqlite3
        connection = sqlite3.connect("items.db")
        """,
        "FAR113",
    ),
    Program(
        "ids",
        """
        class Item(BaseModel):
            id: int
        @router.post("/items", status_code=200)
        async def find_item(name: str) -> Item:
            return Item(id=len(name))
        """,
        strict="FAR512",
    ),
    everywhere(
        "passwords",
        """
        import hashlib
        class Form(BaseModel):
            password: str
        @router.post("/login")
        async def log_in(form: Form, request: Request) -> bool:
            user = request.state.user
            return user.password == form.password
        @router.post("/register")
        async def register(form: Form) -> str:
            return hashlib.md5(form.password.encode()).hexdigest()
        """,
        "FAR703 FAR704",
    ),
    everywhere(
        "JSON libraries",
        """
        from fastapi.responses import ORJSONResponse
        def create_app() -> FastAPI:
            return FastAPI(default_response_class=ORJSONResponse)
        """,
        "FAR122",
    ),
    everywhere(
        "try/except",
        """
        import jwt
        from fastapi import HTTPException
        async def get_user(token: Annotated[str, Header()]) -> str:
            try:
                return jwt.decode(token, "key" * 20, algorithms=["HS256"])["sub"]
            except jwt.InvalidTokenError as error:
                raise HTTPException(401) from error
        @router.post("/user")
        async def show(user: Annotated[str, Depends(get_user)]) -> str:
            return user
        """,
    ),
    everywhere(
        "try/except",
        """
        @router.post("/number")
        async def show(text: str) -> int:
            try:
                return int(text)
            except ValueError:
                return 0
        """,
        "FAR401",
    ),
    everywhere(
        "configuration",
        """
        import yaml
        class Config(BaseModel):
            port: int = 8000
        def load_config(path: str) -> Config:
            with open(path) as file:
                return Config.model_validate(yaml.safe_load(file))
        """,
    ),
    everywhere(
        "configuration",
        """
        from functools import cache
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            port: int = 8000
        @cache
        def get_settings() -> Settings:
            return Settings()
        """,
    ),
    Program(
        "configuration",
        """
        import yaml
        def load_config(path: str) -> dict:
            with open(path) as file:
                return yaml.safe_load(file)
        """,
        strict="FAR111",
        clean="FAR111",
    ),
    everywhere(
        "authentication",
        """
        from fastapi.security import APIKeyHeader
        scheme = APIKeyHeader(name="X-Auth-Token")
        @router.post("/items/rename", status_code=200)
        async def rename(name: str, token: Annotated[str, Depends(scheme)]) -> bool:
            return name in token
        def create_app() -> FastAPI:
            app = FastAPI()
            app.include_router(router)
            return app
        """,
    ),
    everywhere(
        "authentication",
        """
        from fastapi.security import OAuth2PasswordBearer
        scheme = OAuth2PasswordBearer(tokenUrl="token")
        @router.post("/items/rename", status_code=200)
        async def rename(name: str, token: Annotated[str, Depends(scheme)]) -> bool:
            return name in token
        def create_app() -> FastAPI:
            app = FastAPI()
            app.include_router(router)
            return app
        """,
    ),
    Program(
        "authentication",
        """
        @router.post("/items/rename", status_code=200)
        async def rename(name: str) -> str:
            return name
        def create_app() -> FastAPI:
            app = FastAPI()
            app.include_router(router)
            return app
        """,
        strict="FAR710",
    ),
    everywhere("libraries", "from jose import jwt"),
    Program(
        "libraries",
        "from jose import jwt",
        "FAR722",
        "FAR722",
        "FAR722",
        enable=("FAR722",),
    ),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.about)
def test_each_style_gets_its_own(program: Program, new_folder: Callable[[], Path]) -> None:
    """Of the codes at issue each profile reports its own; of rules that exist."""
    at_issue = set(DISAGREEMENTS[program.about]["rules"].split()) & RULES.keys()
    text = IMPORTS + textwrap.dedent(program.text)
    case = Case(program.about, {"service.py": text}, (), Header(), Path(__file__))
    wanted = {
        "recommended": program.recommended,
        "strict": program.strict,
        "clean-architecture": program.clean,
    }
    for profile, codes in wanted.items():
        settings = {"profile": profile, "enable": list(program.enable)}
        found = lint(case, new_folder(), settings).get("service.py", [])
        reported = {finding.code for finding in found} & at_issue
        assert reported == set(codes.split()) & RULES.keys(), profile


def test_naive_times_are_left_to_other_linters(new_folder: Callable[[], Path]) -> None:
    """No profile says anything on a line that takes the time without a zone."""
    text = (
        IMPORTS + "from datetime import datetime\nasync def now():\n    return datetime.utcnow()\n"
    )
    line = text.splitlines().index("    return datetime.utcnow()") + 1
    case = Case("time", {"service.py": text}, (), Header(), Path(__file__))
    for profile in CHOOSABLE_PROFILES:
        found = lint(case, new_folder(), {"profile": profile}).get("service.py", [])
        assert line not in {finding.line for finding in found}


@pytest.mark.parametrize("about", DISAGREEMENTS)
def test_disagreement_is_shown(about: str) -> None:
    """Each has a program, its codes are in the catalogue, and all are reported somewhere."""
    codes = set(DISAGREEMENTS[about]["rules"].split())
    programs = [program for program in PROGRAMS if program.about == about]
    assert codes <= CATALOGUE.keys()
    assert programs or not codes
    shown = {
        code
        for program in programs
        for codes_of_profile in (program.recommended, program.strict, program.clean)
        for code in codes_of_profile.split()
    }
    assert shown == codes


@pytest.mark.parametrize("profile", CHOOSABLE_PROFILES)
def test_page_lists_each_profile(profile: str) -> None:
    """The page names just the rules that a profile contains."""
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    section = page.split(f"\n## {profile}\n")[1].split("\n## ")[0]
    listed = {word.strip("[") for word in section.replace("]", " ").split() if word[:4] == "[FAR"}
    assert listed == {rule.code for rule in all_rules() if in_profile(rule, profile)}
