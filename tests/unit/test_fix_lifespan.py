"""Event handlers into one lifespan."""

from __future__ import annotations

import asyncio
import textwrap
import warnings

import pytest

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.fixes.lifespan import lifespan_from_events
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.semantics.facts import App, EventHandler
from flake8_fastapi_rules.semantics.model import Model
from tests.unit.fixing import edited


def rewrite(code: str) -> str:
    code = textwrap.dedent(code).lstrip("\n")
    model = Model(Settings())
    module = model.load(Source("somewhere/app.py", code))
    app = model.facts(module, App)[0]
    handlers = model.facts(module, EventHandler)
    edits = lifespan_from_events(
        text_of(module), app, handlers, lambda node: model.resolve(module, node)
    )
    result = edited(code, edits)
    assert result is not None
    return result


BEFORE = '''
"""The app."""
import os

from fastapi import FastAPI

# the app
app = FastAPI(title="x")


@app.on_event("startup")
async def connect():
    """Connect."""
    log.append("connect")  # first


@app.get("/")
def index(): ...


@app.on_event("shutdown")
def disconnect():
    log.append("disconnect")


@app.on_event("startup")
def warm_up():
    if not os.environ:
        return
    log.append("warm up")


log = []
'''
AFTER = '''
"""The app."""
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await connect()
    warm_up()
    try:
        yield
    finally:
        disconnect()


# the app
app = FastAPI(title="x", lifespan=lifespan)


async def connect():
    """Connect."""
    log.append("connect")  # first


@app.get("/")
def index(): ...


def disconnect():
    log.append("disconnect")


def warm_up():
    if not os.environ:
        return
    log.append("warm up")


log = []
'''


def test_module_level() -> None:
    assert rewrite(BEFORE) == AFTER.lstrip("\n")


def logged(code: str) -> list[str]:
    space: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(textwrap.dedent(code), "app.py", "exec"), space)
    app, log = space["app"], space["log"]

    async def live() -> None:
        async with app.router.lifespan_context(app):  # type: ignore[attr-defined]
            log.append("serve")  # type: ignore[attr-defined]

    asyncio.run(live())
    return log  # type: ignore[return-value]


def test_the_same_runs_in_the_same_order() -> None:
    assert logged(BEFORE) == logged(AFTER) == ["connect", "warm up", "serve", "disconnect"]


def test_factory() -> None:
    code = """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        from typing import AsyncIterator

        def start(): ...

        def make() -> FastAPI:
            app = FastAPI()

            @app.on_event("startup")
            async def connect(): ...

            app.add_event_handler("shutdown", start)
            return app
    """
    result = rewrite(code)
    assert (
        "def make() -> FastAPI:\n"
        "    @asynccontextmanager\n"
        "    async def lifespan(app: FastAPI) -> AsyncIterator[None]:\n"
        "        await connect()\n"
        "        try:\n"
        "            yield\n"
        "        finally:\n"
        "            start()\n"
        "\n"
        "    app = FastAPI(lifespan=lifespan)\n"
        "\n"
        "    async def connect(): ...\n"
        "\n"
        "    return app\n"
    ) in result
    assert result.count("import") == 3


def test_arguments_come_first() -> None:
    result = rewrite(
        """
        import fastapi

        def lifespan(): ...
        async def one(): ...
        def two(): ...
        def three(): ...

        app = fastapi.FastAPI(
            on_startup=[one, two],
            debug=False,
            on_shutdown=(three,),
        )

        @app.on_event("startup")
        def four(): ...
        """
    )
    assert "    await one()\n    two()\n    four()\n    try:" in result
    assert "async def app_lifespan(app: fastapi.FastAPI)" in result
    assert "FastAPI(\n    lifespan=app_lifespan,\n    debug=False,\n)" in result


def test_start_up_only_needs_no_finally() -> None:
    result = rewrite(
        """
        from fastapi import FastAPI
        app = FastAPI()
        @app.on_event("startup")
        def one(): ...
        """
    )
    assert "AsyncIterator[None]:\n    one()\n    yield\n\n\napp = " in result


def test_a_package_named_app_is_not_hidden() -> None:
    result = rewrite(
        """
        from fastapi import FastAPI
        def app(): ...
        api = FastAPI()
        api.add_event_handler("startup", app)
        """
    )
    assert "lifespan(_app: FastAPI)" in result
    assert "    app()\n" in result


EXISTING = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

log = []

@asynccontextmanager
async def life(app: FastAPI):
    log.append("open")
    try:
        yield {"pool": 1}  # serve
    finally:
        log.append("close")

def make(app):
    def started():
        log.append(f"made for {app.title}")
    return started

app = FastAPI(title="x", lifespan=life)

@app.on_event("startup")
async def connect():
    log.append("connect")

@app.on_event("shutdown")
def disconnect():
    log.append("disconnect")

app.router.add_event_handler("startup", make(app))
"""


def test_an_existing_lifespan_takes_them_in() -> None:
    result = rewrite(EXISTING)
    assert (
        "    try:\n"
        "        await connect()\n"
        "        make(app)()\n"
        "        try:\n"
        '            yield {"pool": 1}  # serve\n'
        "        finally:\n"
        "            disconnect()\n"
        "    finally:\n"
    ) in result
    assert "event" not in result
    assert logged(EXISTING) == ["open", "serve", "close"]
    assert logged(result) == [
        "open",
        "connect",
        "made for x",
        "serve",
        "disconnect",
        "close",
    ]


def test_start_up_in_an_existing_lifespan() -> None:
    result = rewrite(
        """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        @asynccontextmanager
        async def lifespan(app):
            yield
        app = FastAPI(lifespan=lifespan)
        @app.on_event("startup")
        def one(): ...
        """
    )
    assert "async def lifespan(app):\n    one()\n    yield\n" in result


def test_no_lifespan_is_none() -> None:
    result = rewrite(
        """
        from fastapi import FastAPI
        app = FastAPI(lifespan=None)
        @app.on_event("startup")
        def one(): ...
        """
    )
    assert "app = FastAPI(lifespan=lifespan)\n" in result


HEAD = (
    "from contextlib import asynccontextmanager\nfrom fastapi import APIRouter, FastAPI\n"
    "@asynccontextmanager\nasync def life(app):\n    yield\n"
)
HANDLER = "@app.on_event('startup')\ndef f(): ...\n"
REFUSED = {
    "unknown lifespan": f"app = FastAPI(lifespan=x)\n{HANDLER}",
    "undecorated lifespan": (
        f"async def bare(app):\n    yield\napp = FastAPI(lifespan=bare)\n{HANDLER}"
    ),
    "two yields": (
        "@asynccontextmanager\nasync def two(app):\n    yield\n    yield\n"
        f"app = FastAPI(lifespan=two)\n{HANDLER}"
    ),
    "shared lifespan": f"app = FastAPI(lifespan=life)\nother = FastAPI(lifespan=life)\n{HANDLER}",
    "lifespan and arguments": "def f(): ...\napp = FastAPI(lifespan=life, on_startup=[f])\n",
    "set later": f"app = FastAPI()\n{HANDLER}app.router.lifespan_context = life\n",
    "out of sight": (
        "def make():\n    app = FastAPI(lifespan=life)\n    @app.on_event('startup')\n"
        "    def f(): ...\n    return app\n"
    ),
    "unknown arguments": "app = FastAPI(**kw)\n@app.on_event('startup')\ndef f(): ...\n",
    "unknown event": "app = FastAPI()\n@app.on_event(kind)\ndef f(): ...\n",
    "in a branch": "app = FastAPI()\nif x:\n    @app.on_event('startup')\n    def f(): ...\n",
    "defined twice": (
        "app = FastAPI()\n@app.on_event('startup')\ndef f(): ...\n"
        "@app.on_event('shutdown')\ndef f(): ...\n"
    ),
    "another decorator": "app = FastAPI()\n@app.on_event('startup')\n@other\ndef f(): ...\n",
    "comment": "app = FastAPI()\n@app.on_event(  # why\n    'startup')\ndef f(): ...\n",
    "generator": "app = FastAPI()\n@app.on_event('startup')\ndef f():\n    yield\n",
    "arguments": "app = FastAPI()\n@app.on_event('startup')\ndef f(x): ...\n",
    "unknown handler": "app = FastAPI()\napp.add_event_handler('startup', x.y)\n",
    "rebound": "def f(): ...\napp = FastAPI()\napp.add_event_handler('startup', f)\nf = 1\n",
    "whose": "app = FastAPI()\ndef g(a: FastAPI):\n    @a.on_event('startup')\n    def f(): ...\n",
    "router": (
        "app = FastAPI()\nr = APIRouter()\n@app.on_event('startup')\ndef f(): ...\n"
        "@r.on_event('startup')\ndef g(): ...\n"
    ),
    "list elsewhere": "hs = [f]\napp = FastAPI(on_startup=hs)\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    with pytest.raises(Unfixable):
        rewrite(HEAD + REFUSED[case])
