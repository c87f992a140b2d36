"""What functions do, with evidence and the calls that lead to it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.semantics.bookkeeping import is_harmless, says_mutation
from flake8_fastapi_rules.semantics.effects import advice, display_name, spoken
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.values import Function

Find = Callable[[str], tuple[Model, Function]]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Find]:
    """Writes a project and finds its functions by name: in `main.py` unless a module is named."""

    def write(**texts: str) -> Find:
        (tmp_path / "pyproject.toml").write_text("")
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)
        model = Model(Settings())
        modules = {
            name: model.load(Source(str(tmp_path / f"{name}.py"), text))
            for name, text in texts.items()
        }

        def find(name: str) -> tuple[Model, Function]:
            home, _, function = name.rpartition(":")
            module = modules[home or "main"]
            for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
                for node in module.index.nodes(kind):
                    if module.index.qualname(node) == function:
                        value = model.resolve(module, node)
                        assert isinstance(value, Function)
                        return model, value
            raise LookupError(name)

        return find

    return write


BLOCKING = """
import functools, time
from helpers import slow, Store, BoundStore

def direct(): time.sleep(1)
def indirect(): slow()
def method(): Store().load()
def inherited(): BoundStore().run()
def quick(): return 1
def handed_over(pool): pool.submit(slow)
def passed_on(): return lambda: slow()
def first(): second()
def second(): first()
def loop(): third()
def third(): loop(); slow()
@functools.cache
def cached(): slow()
def uses_cached(): cached()
def makes_generator(): return numbers()
def iterates(): return list(numbers())
def numbers():
    slow()
    yield 1
def lazily():
    global thing
    if thing is None:
        thing = slow()
thing = None
async def awaits(): await later()
async def forgets(): later()
async def later(): slow()
"""
HELPERS = """
import time
def slow(): time.sleep(1)
class Store:
    def load(self): slow()
    def run(self): self.work()
    def work(self): raise NotImplementedError
class BoundStore(Store):
    def work(self): self.load()
"""


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("direct", "`time.sleep`"),
        ("indirect", "`slow` → `time.sleep`"),
        ("method", "`Store.load` → `slow` → `time.sleep`"),
        (
            "inherited",
            "`BoundStore.run` → `BoundStore.work` → `BoundStore.load` → `slow` → `time.sleep`",
        ),
        ("loop", "`third` → `slow` → `time.sleep`"),
        ("third", "`slow` → `time.sleep`"),
        ("iterates", "`numbers` → `slow` → `time.sleep`"),
        ("awaits", "`later` → `slow` → `time.sleep`"),
    ],
)
def test_blocks(project: Callable[..., Find], name: str, route: str) -> None:
    """A blocking call is found wherever it is, by the shortest way."""
    model, function = project(main=BLOCKING, helpers=HELPERS)(name)
    evidence = model.effects.blocks(function)
    assert evidence is not None
    assert evidence.route == route
    assert model.effects.blocks(function) is evidence


@pytest.mark.parametrize(
    "name",
    [
        "quick",
        "handed_over",
        "passed_on",
        "first",
        "second",
        "uses_cached",
        "makes_generator",
        "lazily",
        "forgets",
    ],
)
def test_does_not_block(project: Callable[..., Find], name: str) -> None:
    """What is not run, not run here, or run once, does not block."""
    model, function = project(main=BLOCKING, helpers=HELPERS)(name)
    assert model.effects.blocks(function) is None


def test_cycles_do_not_hide_evidence(project: Callable[..., Find]) -> None:
    """The order of the questions makes no difference in a cycle."""
    for order in (("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")):
        find = project(
            main="import time\ndef a(): b()\ndef b(): a(); c()\ndef c(): b(); time.sleep(1)\n"
        )
        for name in order:
            model, function = find(name)
            assert model.effects.blocks(function) is not None


def test_reported_place_is_the_own_call(project: Callable[..., Find]) -> None:
    """The place to report lies in the function that was asked about."""
    model, function = project(main=BLOCKING, helpers=HELPERS)("indirect")
    evidence = model.effects.blocks(function)
    assert evidence is not None
    assert evidence.module.name == "helpers"
    assert evidence.place_in() in set(function.module.index.own_nodes(function.node))


RAISING = """
from fastapi import HTTPException
class Missing(HTTPException):
    def __init__(self, what, status_code=404): super().__init__(status_code, what)
class Conflict(Exception):
    status_code = 409
class Child(Conflict): ...
def one(): raise HTTPException(400)
def below(): one(); raise Missing("x")
def given(): raise Missing("x", 410)
def keyword(): raise Missing("x", status_code=411)
def domain(): raise Child
def unknown(code): raise HTTPException(code)
def caught():
    try: one()
    except HTTPException: return
def caught_base():
    try: domain()
    except Conflict: pass
def not_caught():
    try: domain()
    except HTTPException: pass
def again():
    try: one()
    except HTTPException as error: raise error
def suppressed():
    import contextlib
    with contextlib.suppress(HTTPException): one()
def recursive(): recursive(); one()
"""


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("one", [400]),
        ("below", [404, 400]),
        ("given", [410]),
        ("keyword", [411]),
        ("domain", [409]),
        ("unknown", [None]),
        ("caught", []),
        ("caught_base", []),
        ("not_caught", [409]),
        ("again", [400]),
        ("suppressed", []),
        ("recursive", [400]),
    ],
)
def test_raises(project: Callable[..., Find], name: str, statuses: list[int | None]) -> None:
    """The statuses that leave a function, without what is caught on the way."""
    model, function = project(main=RAISING)(name)
    assert [raised.status for raised in model.effects.raises(function)] == statuses


def test_raised_says_on_which_way(project: Callable[..., Find]) -> None:
    """Each exception comes with its `raise` and the calls to it."""
    model, function = project(main=RAISING)("below")
    by_status = {raised.status: raised for raised in model.effects.raises(function)}
    assert [step.name for step in by_status[400].path] == ["one"]
    assert by_status[404].path == ()


COMMITTING = """
from sqlalchemy.orm import Session, sessionmaker
factory = sessionmaker()
def commits(session: Session): session.commit()
def below(session: Session): commits(session)
def begins():
    with factory.begin() as session: session.flush()
def reads(session: Session): session.flush()
def unknown(session: Session, callback): callback(session)
def library(session: Session):
    import hooks
    hooks.run(session)
"""


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("commits", True),
        ("below", True),
        ("begins", True),
        ("reads", False),
        ("unknown", None),
        ("library", None),
    ],
)
def test_commits(project: Callable[..., Find], name: str, answer: bool | None) -> None:
    """Yes, no, or that it cannot be told."""
    model, function = project(main=COMMITTING)(name)
    assert model.effects.commits(function) is answer


def test_logs_and_opens(project: Callable[..., Find]) -> None:
    """Log calls and opened resources are found below a function, too."""
    find = project(
        main="""
import logging, httpx
logger = logging.getLogger(__name__)
def logs(): logger.exception("x")
def below(): logs()
def opens(): return httpx.Client()
def uses(): opens().get("x")
def neither(): print()
"""
    )
    model, below = find("below")
    log = model.effects.logs(below)
    assert log is not None
    assert log.what == "logger.exception"
    _, uses = find("uses")
    opened = model.effects.opens(uses)
    assert opened is not None
    assert opened.name == "httpx.Client"
    _, neither = find("neither")
    assert model.effects.logs(neither) is None
    assert model.effects.opens(neither) is None


def test_never_blocks(project: Callable[..., Find]) -> None:
    """Certain only where everything that is called is known."""
    find = project(
        main="""
import something
def plain(name): return name.strip()
def text(name: str): return name.strip()
def below(name: str): return text(name)
def unknown(): something.load()
def opens(): open("x")
"""
    )
    answers = {}
    for name in ("plain", "text", "below", "unknown", "opens"):
        model, function = find(name)
        answers[name] = model.effects.never_blocks(function)
    assert answers == {
        "plain": False, "text": True, "below": True, "unknown": False, "opens": False
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("builtins.open", "open"),
        ("time.sleep", "time.sleep"),
        ("sqlalchemy.orm.Session.execute", "Session.execute"),
        ("starlette.concurrency.run_in_threadpool", "concurrency.run_in_threadpool"),
        ("os.path.exists", "os.path.exists"),
    ],
)
def test_spoken(name: str, said: str) -> None:
    """Canonical names as people say them."""
    assert spoken(name) == said


def test_advice() -> None:
    """Code is marked as code, phrases are not."""
    assert advice("httpx.AsyncClient") == "`httpx.AsyncClient`"
    assert advice("a task id and polling") == "a task id and polling"


def test_display_name(project: Callable[..., Find]) -> None:
    """A constructor is spoken of as its class."""
    find = project(main="class A:\n    def __init__(self): ...\n    def go(self): ...\n")
    assert display_name(find("A.__init__")[1]) == "A"
    assert display_name(find("A.go")[1]) == "A.go"


def test_words() -> None:
    """Words of identifiers in both styles, and of paths."""
    assert words_of("getOrCreate") == ["get", "or", "create"]
    assert words_of("/items/{item_id}/delete") == ["items", "item", "id", "delete"]
    assert is_harmless("get_or_create_user")
    assert is_harmless("write_audit_log")
    assert not is_harmless("delete_track")
    assert is_harmless("track_event")
    assert says_mutation("/items/{item_id}/delete")
    assert not says_mutation("/items/deleted")
