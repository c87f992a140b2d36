# ruff: noqa: E501 - a case stands on one line
"""What expressions mean: every way in which real code binds, imports and passes on a thing.

Each case is a small project and the value of the name `it` at the end of its module `main`.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.semantics import files
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.values import (
    AnnotatedAlias,
    Constant,
    Instance,
    ModuleValue,
    Value,
    qualified_name,
)

DEPS = {"deps.py": "from fastapi import Depends\ndef get_db(): ...\nclass Repo: ...\n"}
SET_UP = "def set_up(app):\n    app.mount('/x', make())\n    return app\n"
APP = "fastapi.FastAPI"
ROUTER = "fastapi.APIRouter"

CASES: dict[str, tuple[dict[str, str], str | None]] = {
    # imports
    "from import": ({"main.py": "from fastapi import Depends as it"}, "fastapi.Depends"),
    "module import": ({"main.py": "import fastapi\nit = fastapi.Depends"}, "fastapi.Depends"),
    "module alias": ({"main.py": "import fastapi as f\nit = f.Depends"}, "fastapi.Depends"),
    "dotted import": (
        {"main.py": "import fastapi.routing\nit = fastapi.routing.APIRouter"},
        ROUTER,
    ),
    "dotted import as": ({"main.py": "import fastapi.routing as r\nit = r.APIRouter"}, ROUTER),
    "package named like a module of the standard library": (
        {
            "profile/schema.py": "from fastapi import Depends",
            "main.py": "import profile.schema as s\nit = s.Depends",
        },
        "fastapi.Depends",
    ),
    "usual module beside a module of a package": (
        {
            "app/__init__.py": "",
            "app/routes.py": "from schemas import it",
            "app/schemas.py": "from fastapi import Depends as it",
            "main.py": "from app.routes import it",
        },
        "fastapi.Depends",
    ),
    "other module beside a module of a package": (
        {
            "app/__init__.py": "",
            "app/routes.py": "from stripe_api import it",
            "app/stripe_api.py": "from fastapi import Depends as it",
            "main.py": "from app.routes import it",
        },
        "stripe_api.it",
    ),
    "src that is a package by mistake": (
        {
            "src/__init__.py": "",
            "src/shop/__init__.py": "",
            "src/shop/routers/items.py": "from shop.deps import it",
            "src/shop/deps.py": "from fastapi import Depends as it",
            "main.py": "from shop.routers.items import it",
        },
        "fastapi.Depends",
    ),
    "module of the standard library": (
        {
            "profile.py": "from fastapi import Depends as run",
            "main.py": "from profile import run as it",
        },
        "profile.run",
    ),
    "another home": (
        {"main.py": "from fastapi.param_functions import Query as it"},
        "fastapi.Query",
    ),
    "class of params": ({"main.py": "from fastapi.params import Depends as it"}, "fastapi.Depends"),
    "handed in": (
        {
            "web.py": SET_UP,
            "main.py": "from fastapi import FastAPI\nfrom web import set_up\nset_up(FastAPI())\nit = set_up(other)",
        },
        APP,
    ),
    "handed in by tests only": (
        {
            "web.py": SET_UP,
            "tests/helpers.py": "from fastapi import FastAPI\nfrom web import set_up\nset_up(FastAPI())",
            "main.py": "from web import set_up\nit = set_up(other)",
        },
        None,
    ),
    "handed in, and something else": (
        {
            "web.py": SET_UP,
            "main.py": "from fastapi import FastAPI\nfrom web import set_up\nset_up(FastAPI())\nset_up([])\nit = set_up(other)",
        },
        None,
    ),
    "other library": ({"main.py": "from docket import Depends as it"}, "docket.Depends"),
    "star of fastapi": ({"main.py": "from fastapi import *\nit = Depends"}, "fastapi.Depends"),
    "type checking": (
        {
            "main.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fastapi import FastAPI\nit = FastAPI"
        },
        APP,
    ),
    "optional import": (
        {
            "main.py": "try:\n    from fastapi import FastAPI\nexcept ImportError:\n    FastAPI = None\nit = FastAPI"
        },
        APP,
    ),
    "import with another for old versions": (
        {
            "main.py": "try:\n    from fastapi import FastAPI\nexcept ModuleNotFoundError:\n    from starlette.applications import Starlette as FastAPI\nit = FastAPI"
        },
        APP,
    ),
    "import with a class in its place": (
        {
            "main.py": "try:\n    from fastapi import FastAPI\nexcept ImportError:\n    class FastAPI: ...\nit = FastAPI"
        },
        APP,
    ),
    "import with another when something fails": (
        {
            "main.py": "try:\n    from fastapi import FastAPI\nexcept RuntimeError:\n    from starlette.applications import Starlette as FastAPI\nit = FastAPI"
        },
        None,
    ),
    "import in a function": (
        {"main.py": "def f():\n    from fastapi import FastAPI\n    return FastAPI()\nit = f()"},
        APP,
    ),
    # factories that are told the class of their products
    "sessionmaker": (
        {"main.py": "from sqlalchemy.orm import sessionmaker\nit = sessionmaker(engine)()"},
        "sqlalchemy.orm.Session",
    ),
    "sessionmaker with a class": (
        {
            "main.py": "from sqlalchemy.orm import sessionmaker\nfrom sqlalchemy.ext.asyncio import AsyncSession\nSL = sessionmaker(engine, class_=AsyncSession)\nit = SL()"
        },
        "sqlalchemy.ext.asyncio.AsyncSession",
    ),
    "sessionmaker with a class by position": (
        {
            "main.py": "from sqlalchemy.orm import sessionmaker\nfrom sqlalchemy.ext.asyncio import AsyncSession\nit = sessionmaker(engine, AsyncSession).begin()"
        },
        "sqlalchemy.ext.asyncio.AsyncSession",
    ),
    "sessionmaker with unknown arguments": (
        {"main.py": "from sqlalchemy.orm import sessionmaker\nit = sessionmaker(**options)()"},
        None,
    ),
    "sessionmaker as a bare annotation": (
        {
            "main.py": "from sqlalchemy.orm import sessionmaker\ndef f(make: sessionmaker):\n    return make()\nit = f()"
        },
        None,
    ),
    "async_sessionmaker as an annotation": (
        {
            "main.py": "from sqlalchemy.ext.asyncio import async_sessionmaker\ndef f(make: async_sessionmaker):\n    return make()\nit = f()"
        },
        "sqlalchemy.ext.asyncio.AsyncSession",
    ),
    "annotated context manager": (
        {
            "main.py": "from contextlib import AbstractContextManager\nfrom sqlalchemy.orm import Session\ndef f(cm: AbstractContextManager[Session]):\n    with cm as session:\n        return session\nit = f()"
        },
        "sqlalchemy.orm.Session",
    ),
    # the project's own modules
    "sibling": ({**DEPS, "main.py": "from deps import get_db as it"}, "deps.get_db"),
    "package": (
        {
            "app/__init__.py": "",
            "app/deps.py": "def get_db(): ...",
            "main.py": "from app.deps import get_db as it",
        },
        "app.deps.get_db",
    ),
    "re-export": (
        {
            "app/__init__.py": "from .inner import get_db",
            "app/inner.py": "def get_db(): ...",
            "main.py": "from app import get_db as it",
        },
        "app.inner.get_db",
    ),
    "re-export of fastapi": (
        {"web.py": "from fastapi import APIRouter", "main.py": "from web import APIRouter as it"},
        ROUTER,
    ),
    "star re-export": (
        {
            "web.py": "from fastapi import APIRouter\n_x = 1",
            "main.py": "from web import *\nit = APIRouter",
        },
        ROUTER,
    ),
    "star honours __all__": (
        {
            "web.py": "from fastapi import APIRouter\n__all__ = []",
            "main.py": "from web import *\nit = APIRouter",
        },
        None,
    ),
    "relative": (
        {
            "app/__init__.py": "",
            "app/main.py": "from .deps import get_db as it",
            "app/deps.py": "def get_db(): ...",
        },
        "app.deps.get_db",
    ),
    "relative, two dots": (
        {
            "app/__init__.py": "",
            "app/deps.py": "def get_db(): ...",
            "app/api/__init__.py": "",
            "app/api/main.py": "from ..deps import get_db as it",
        },
        "app.deps.get_db",
    ),
    "submodule attribute": (
        {
            "app/__init__.py": "",
            "app/deps.py": "def get_db(): ...",
            "main.py": "import app.deps\nit = app.deps.get_db",
        },
        "app.deps.get_db",
    ),
    "submodule by from": (
        {
            "app/__init__.py": "",
            "app/deps.py": "def get_db(): ...",
            "main.py": "from app import deps\nit = deps.get_db",
        },
        "app.deps.get_db",
    ),
    "namespace package": (
        {"app/deps.py": "def get_db(): ...", "main.py": "from app.deps import get_db as it"},
        "app.deps.get_db",
    ),
    "src layout": (
        {
            "src/app/__init__.py": "",
            "src/app/deps.py": "def get_db(): ...",
            "tests/main.py": "from app.deps import get_db as it",
        },
        "app.deps.get_db",
    ),
    "a package named like a library": (
        {
            "app/__init__.py": "",
            "app/fastapi/__init__.py": "",
            "app/fastapi/main.py": "from fastapi import FastAPI as it",
        },
        APP,
    ),
    "import cycle": (
        {"a.py": "from b import it", "b.py": "from a import it", "main.py": "from a import it"},
        None,
    ),
    "import cycle that ends": (
        {
            "a.py": "from b import other\nfrom fastapi import FastAPI\nit = FastAPI()",
            "b.py": "from a import it\nother = it",
            "main.py": "from b import other as it",
        },
        APP,
    ),
    "missing module": ({"main.py": "from app.missing import it"}, "app.missing.it"),
    # bindings
    "annotated": ({"main.py": "from fastapi import FastAPI\nit: FastAPI = make()"}, APP),
    "walrus": ({"main.py": "from fastapi import FastAPI\nif (it := FastAPI()): pass"}, APP),
    "unpacking": ({"main.py": "from fastapi import FastAPI\na, it = 1, FastAPI()"}, APP),
    "both branches agree": (
        {
            "main.py": "from fastapi import FastAPI\nif x:\n    it = FastAPI()\nelse:\n    it = FastAPI(debug=True)"
        },
        APP,
    ),
    "branches differ": (
        {
            "main.py": "from fastapi import FastAPI, APIRouter\nif x:\n    it = FastAPI()\nelse:\n    it = APIRouter()"
        },
        None,
    ),
    "rebound later": (
        {
            "main.py": "from fastapi import FastAPI, APIRouter\nx = FastAPI()\nit = x\nx = APIRouter()"
        },
        APP,
    ),
    "None until set": (
        {"main.py": "from fastapi import FastAPI\nit = None\nif x:\n    it = FastAPI()"},
        APP,
    ),
    "set through global": (
        {
            "main.py": "from fastapi import FastAPI\nit = None\ndef start():\n    global it\n    it = FastAPI()"
        },
        APP,
    ),
    "handed through a library": (
        {
            "main.py": "import fastapi, gradio\nit = fastapi.FastAPI()\nit = gradio.mount_gradio_app(it, 1)"
        },
        APP,
    ),
    "parameter shadows": (
        {
            "main.py": "from fastapi import FastAPI\napp = FastAPI()\ndef f(app): return app\nit = f(1)"
        },
        None,
    ),
    "class scope is not seen by methods": (
        {"main.py": "x = 1\nclass A:\n    x = 2\n    def f(self): return x\nit = A().f()"},
        1,  # type: ignore[dict-item]
    ),
    # functions and classes
    "factory by its local": (
        {
            "main.py": "from fastapi import FastAPI\ndef make():\n    app = FastAPI()\n    return app\nit = make()"
        },
        APP,
    ),
    "factory by its annotation": (
        {
            "main.py": "from fastapi import FastAPI\ndef make() -> FastAPI:\n    return load()\nit = make()"
        },
        APP,
    ),
    "factory of another module": (
        {
            "factory.py": "from fastapi import FastAPI\ndef make() -> 'FastAPI':\n    return FastAPI()",
            "main.py": "import factory\nit = factory.make()",
        },
        APP,
    ),
    "subclass": (
        {"main.py": "from fastapi import APIRouter\nclass R(APIRouter): ...\nit = R()"},
        "main.R",
    ),
    "method of a subclass": (
        {"main.py": "from fastapi import APIRouter\nclass R(APIRouter): ...\nit = R().get"},
        "fastapi.APIRouter.get",
    ),
    "class made by a function": (
        {
            "main.py": "from fastapi import APIRouter\ndef make(route):\n    class R(APIRouter): ...\n    return R\nRouter = make(1)\nit = Router().get"
        },
        "fastapi.APIRouter.get",
    ),
    "attribute set in __init__": (
        {
            "main.py": "from fastapi import APIRouter\nclass S:\n    def __init__(self):\n        self.router = APIRouter()\nit = S().router"
        },
        ROUTER,
    ),
    "self in a method": (
        {
            "main.py": "from fastapi import APIRouter\nclass S:\n    def __init__(self): self.router = APIRouter()\n    def get(self): return self.router\nit = S().get()"
        },
        ROUTER,
    ),
    "property": (
        {
            "main.py": "from fastapi import APIRouter\nclass S:\n    @property\n    def router(self) -> APIRouter: return x\nit = S().router"
        },
        ROUTER,
    ),
    "inherited attribute": (
        {
            "main.py": "from fastapi import APIRouter\nclass A:\n    router = APIRouter()\nclass B(A): ...\nit = B.router"
        },
        ROUTER,
    ),
    "super": (
        {
            "main.py": "from fastapi import FastAPI\nclass A(FastAPI):\n    def f(self): return super().get\nit = A().f()"
        },
        "fastapi.FastAPI.get",
    ),
    "annotated parameter": (
        {"main.py": "from fastapi import FastAPI\ndef f(app: FastAPI): return app\nit = f(1)"},
        APP,
    ),
    "optional parameter": (
        {
            "main.py": "from fastapi import FastAPI\ndef f(app: 'FastAPI | None' = None): return app\nit = f(1)"
        },
        APP,
    ),
    "type[...]": (
        {
            "main.py": "from fastapi import APIRouter\ndef f() -> type[APIRouter]: return x\nit = f()()"
        },
        ROUTER,
    ),
    "callable object": (
        {"main.py": "class A:\n    def __call__(self) -> 'B': ...\nclass B: ...\nit = A()()"},
        "main.B",
    ),
    "partial": (
        {**DEPS, "main.py": "import functools, deps\nit = functools.partial(deps.get_db, 1)"},
        "deps.get_db",
    ),
    "cast": (
        {"main.py": "from typing import cast\nfrom fastapi import FastAPI\nit = cast(FastAPI, x)"},
        APP,
    ),
    "await": (
        {
            "main.py": "async def f() -> 'A': ...\nclass A: ...\nasync def g(): return await f()\nit = g()"
        },
        "main.A",
    ),
    # annotations and injection
    "annotated alias": (
        {
            **DEPS,
            "main.py": "from typing import Annotated\nfrom deps import Repo, get_db\nfrom fastapi import Depends\nDb = Annotated[Repo, Depends(get_db)]\ndef f(db: Db): return db\nit = f(1)",
        },
        "deps.Repo",
    ),
    "alias of another module": (
        {
            "types_.py": "from typing import Annotated\nfrom fastapi import Depends\nclass Repo: ...\nDb = Annotated[Repo, Depends()]",
            "main.py": "from types_ import Db\ndef f(db: Db): return db\nit = f(1)",
        },
        "types_.Repo",
    ),
    "injected without annotation": (
        {
            "main.py": "from fastapi import Depends\nclass Repo: ...\ndef get() -> Repo: ...\ndef f(r=Depends(get)): return r\nit = f()"
        },
        "main.Repo",
    ),
    "injected by a generator": (
        {
            "main.py": "from fastapi import Depends\nfrom collections.abc import Iterator\nclass Repo: ...\ndef get() -> Iterator[Repo]:\n    yield x\ndef f(r=Depends(get)): return r\nit = f()"
        },
        "main.Repo",
    ),
    "helper that makes Depends": (
        {"main.py": "from fastapi import Depends\ndef need(x): return Depends(x)\nit = need(1)"},
        "fastapi.Depends",
    ),
    # containers and statements
    "loop over a list": (
        {"main.py": "from fastapi import APIRouter\nfor it in [APIRouter(), APIRouter()]: pass"},
        ROUTER,
    ),
    "loop over an annotated list": (
        {
            "main.py": "class A: ...\ndef f(xs: list[A]):\n    for x in xs:\n        return x\nit = f([])"
        },
        "main.A",
    ),
    "loop over enumerate": (
        {
            "main.py": "class A: ...\ndef f(xs: list[A]):\n    for n, x in enumerate(xs):\n        return x\nit = f([])"
        },
        "main.A",
    ),
    "loop over zip": (
        {
            "main.py": "class A: ...\ndef f(xs: list[A]):\n    for n, x in zip([1], xs):\n        return x\nit = f([])"
        },
        "main.A",
    ),
    "loop over reversed": (
        {
            "main.py": "class A: ...\ndef f(xs: list[A]):\n    for x in reversed(xs):\n        return x\nit = f([])"
        },
        "main.A",
    ),
    "loop over items": (
        {
            "main.py": "class A: ...\ndef f(xs: dict[str, A]):\n    for n, x in xs.items():\n        return x\nit = f([])"
        },
        "main.A",
    ),
    "loop over values": (
        {
            "main.py": "class A: ...\ndef f(xs: dict[str, A]):\n    for x in xs.values():\n        return x\nit = f([])"
        },
        "main.A",
    ),
    "with": (
        {
            "main.py": "from contextlib import contextmanager\nfrom collections.abc import Iterator\nclass A: ...\n@contextmanager\ndef f() -> Iterator[A]:\n    yield A()\nwith f() as it: pass"
        },
        "main.A",
    ),
    "with __enter__": (
        {"main.py": "class A:\n    def __enter__(self): return self\nwith A() as it: pass"},
        "main.A",
    ),
    "dictionary item": (
        {"main.py": "from fastapi import FastAPI\nd = {'a': FastAPI()}\nit = d['a']"},
        APP,
    ),
    # constants
    "concatenation": ({"main.py": "A = '/api'\nit = A + '/v1'"}, "/api/v1"),
    "f-string": ({"main.py": "A = '/api'\nV = 1\nit = f'{A}/v{V}'"}, "/api/v1"),
    "setting": (
        {
            "main.py": "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    prefix: str = '/api'\nsettings = S()\nit = settings.prefix"
        },
        "/api",
    ),
    "enum member": (
        {
            "main.py": "from enum import Enum\nclass P(str, Enum):\n    users = '/users'\nit = P.users.value"
        },
        "/users",
    ),
    "run-time f-string": ({"main.py": "import os\nit = f'{os.environ[1]}/v1'"}, None),
    # nothing to be known, and nothing that breaks
    "self reference": ({"main.py": "it = it"}, None),
    "mutual recursion": ({"main.py": "def a(): return b()\ndef b(): return a()\nit = a()"}, None),
    "recursive class": ({"main.py": "class A(A): ...\nit = A().x"}, None),
    "undefined": ({"main.py": "it = nowhere"}, None),
    "deleted": ({"main.py": "from fastapi import FastAPI\nit = FastAPI()\ndel it"}, APP),
    # type variables
    "type variable of a base": (
        {
            "main.py": "from base import Repository, User\nclass Users(Repository[User]): ...\nasync def f():\n    global it\n    it = await Users().get(1)",
            "base.py": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass User: ...\nclass Repository(Generic[T]):\n    model: type[T]\n    async def get(self, key) -> T | None:\n        return await self.session.get(self.model, key)",
        },
        "base.User",
    ),
    "type variables through two bases": (
        {
            "main.py": "from typing import Generic, TypeVar\nK = TypeVar('K')\nV = TypeVar('V')\nclass User: ...\nclass A(Generic[K, V]):\n    def get(self) -> 'V': ...\nclass B(A[int, V]): ...\nclass C(B[User]): ...\nit = C().get()",
        },
        "main.User",
    ),
    "type variable of an object": (
        {
            "main.py": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass User: ...\nclass Repo(Generic[T]):\n    def all(self) -> list[T]: ...\nit = Repo[User]().all()[0]",
        },
        "main.User",
    ),
    "type variable of a parameter's type": (
        {
            "main.py": "from typing import Generic, TypeVar, Optional\nT = TypeVar('T')\nclass User: ...\nclass Repo(Generic[T]):\n    def one(self) -> Optional[T]: ...\ndef f(repo: Repo[User]):\n    global it\n    it = repo.one()",
        },
        "main.User",
    ),
    "type variable of an attribute": (
        {
            "main.py": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass User: ...\nclass Page(Generic[T]):\n    first: T\nclass Users(Page[User]): ...\nit = Users().first",
        },
        "main.User",
    ),
    "type variable that nobody fills": (
        {
            "main.py": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass Repo(Generic[T]):\n    def one(self) -> T: ...\nit = Repo().one()",
        },
        None,
    ),
}
if sys.version_info >= (3, 12):
    CASES["PEP 695 alias"] = (
        {
            "main.py": "from typing import Annotated\nfrom fastapi import Depends\nclass Repo: ...\ntype Db = Annotated[Repo, Depends()]\ndef f(db: Db): return db\nit = f(1)"
        },
        "main.Repo",
    )


def resolve(folder: Path, files: dict[str, str]) -> Value:
    (folder / "pyproject.toml").write_text("")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    model = Model(Settings())
    main = next(name for name in files if name.endswith("main.py"))
    module = model.modules.load(folder / main)
    assert module is not None
    return model.resolver.module_attribute(module, "it")


@pytest.mark.parametrize("name", CASES)
def test_meaning(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    value = resolve(tmp_path, files)
    if isinstance(value, Constant):
        assert value.value == expected
    else:
        assert qualified_name(value) == expected


def test_objects_keep_their_identity(tmp_path: Path) -> None:
    """The value of an imported router names the call that made it."""
    value = resolve(
        tmp_path,
        {
            "routers.py": "from fastapi import APIRouter\nitems = APIRouter()",
            "main.py": "from routers import items as it",
        },
    )
    assert isinstance(value, Instance)
    assert isinstance(value.call, ast.Call)
    assert value.module is not None
    assert value.module.name == "routers"


def test_an_alias_is_more_than_its_type(tmp_path: Path) -> None:
    value = resolve(tmp_path, {"main.py": "from typing import Annotated\nit = Annotated[int, 1]"})
    assert isinstance(value, AnnotatedAlias)


def test_a_module_is_a_value(tmp_path: Path) -> None:
    value = resolve(
        tmp_path, {"a/__init__.py": "", "a/b.py": "", "main.py": "from a import b as it"}
    )
    assert isinstance(value, ModuleValue)
    assert value.module.name == "a.b"


def test_a_package_with_the_requirements_inside_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`app/requirements.txt` beside `app/__init__.py`, and `from app.deps import ...`."""
    (tmp_path / "app").mkdir()
    for name in ("app/__init__.py", "app/deps.py", "app/requirements.txt", "app/main.py"):
        (tmp_path / name).touch()
    main = tmp_path / "app" / "main.py"
    for here, root in ((tmp_path, tmp_path), (tmp_path / "app", tmp_path / "app")):
        monkeypatch.chdir(here)
        assert Model(Settings()).modules.project_root(main) == root
    monkeypatch.chdir(tmp_path)
    modules = Model(Settings()).modules
    module = modules.load(main)
    assert module is not None
    assert modules.find("app.deps", module) is not None


def test_a_folder_that_holds_many_projects_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_SHELF", 3)
    for name in ("script.py", "package/__init__.py", "other/app.py", "third/deep/app.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in files.python_files(tmp_path)]
    assert found == ["script.py", "package/__init__.py"]
    (tmp_path / "pyproject.toml").touch()
    assert len(list(files.python_files(tmp_path))) == 4


WEB = {
    "base.py": "from sqlmodel import SQLModel\nclass Base(SQLModel):\n    pass\n",
    "routers.py": "from fastapi import APIRouter\nclass Router(APIRouter):\n    pass\n",
}


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("class It:\n    pass", True),
        ("class It(dict, Exception):\n    pass", True),
        ("from base import Base\nclass It(Base, table=True):\n    pass", False),
        ("from base import Base\nclass It(Base):\n    pass", True),
        ("from base import (\n    Base as B,  # all\n)\nclass It(B['x'], object): ...", True),
        ("from base import Base as It", True),
        ("from typing import Generic, TypeVar\nT = TypeVar('T')\nclass It(Generic[T]): ...", True),
        ("class A: ...\nclass It(A): ...", True),
        ("from routers import Router\nclass It(Router): ...", False),
        ("from routers import Router as It", False),
        ("from routers import Router\nclass Exception(Router): ...\nclass It(Exception): ...", False),
        ("from fastapi import APIRouter\nclass It(APIRouter): ...", False),
        ("from starlette.routing import *\nclass It(Router): ...", False),
        ("import fastapi\nclass It(fastapi.APIRouter): ...", False),
        ("class It: ...\nIt = wrap(It)", False),
        ("class It(make()): ...", False),
        ("try:\n    from base import Base\nexcept ImportError:\n    from routers import Router as Base\nclass It(Base): ...", False),
        ("from main import It as Other\nclass It(Other): ...", False),
    ],
)  # fmt: skip
def test_texts_show_classes_without_a_library(text: str, is_shown: bool, tmp_path: Path) -> None:
    """What is told of a class without parsing anything is true; `False` leaves it open."""
    for name, content in {**WEB, "main.py": text}.items():
        (tmp_path / name).write_text(content)
    model = Model(Settings())
    module = model.modules.load(tmp_path / "main.py")
    assert module is not None
    tops = frozenset({"fastapi", "starlette"})
    assert model.resolver.is_class_without(module, "It", tops) is is_shown
    assert "tree" not in vars(module)
