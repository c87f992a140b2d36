"""The service in the POST-only style: it works, and the linter sees it as its style wants."""

from __future__ import annotations

import json
import logging
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient

from flake8_fastapi_rules.linter import in_profile
from flake8_fastapi_rules.rules import all_rules
from tests.end_to_end.running import far
from tests.rules.cases import FIXTURES
from tests.rules.test_profiles import DISAGREEMENTS

SERVICE = FIXTURES / "services" / "post_only"
PASSWORD = "a password for tests"

#: What `strict` says of the style, by code: where, and of what.
EXPECTED_IN_STRICT = {
    "FAR205": {
        ("health.py", "show_health"),
        ("notes/router.py", "create_note"),
        ("notes/router.py", "get_note"),
        ("notes/router.py", "list_notes"),
        ("notes/router.py", "update_note"),
        ("notes/router.py", "delete_note"),
        ("notes/router.py", "export_notes"),
        ("sessions/router.py", "log_in"),
        ("sessions/router.py", "log_out"),
    },
    "FAR206": {("notes/router.py", "create_note")},
    "FAR220": {("notes/router.py", "update_note"), ("notes/router.py", "delete_note")},
    "FAR312": {("dependencies.py", "get_basic_user"), ("dependencies.py", "get_session_user")},
    "FAR512": {("notes/schemas.py", "id")},
    "FAR801": {("request_log.py", "RequestLogMiddleware")},
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service alone, as a project of its own."""
    folder = tmp_path_factory.mktemp("post_only") / "service"
    shutil.copytree(SERVICE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def findings(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What `far check` reports there."""
    ran = far("check", "--format", "json", *arguments, ".", cwd=folder)
    found: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    assert ran.status == bool(found), ran.err
    return found


def test_its_own_profile_reports_nothing(copy: Path) -> None:
    """Its configuration names the profile; nothing is suppressed."""
    assert findings(copy) == []
    assert not [path for path in copy.rglob("*.py") if "noqa" in path.read_text()]


def test_strict_reports_what_styles_disagree_about(copy: Path) -> None:
    """In the places meant, and nowhere else."""
    existing = {rule.code for rule in all_rules()}
    found: dict[str, set[tuple[str, str]]] = {}
    for finding in findings(copy, "--profile", "strict"):
        name = re.search(r"`(\w+)`", finding["message"])
        path = finding["path"].partition("notes_service/")[2]
        found.setdefault(finding["code"], set()).add((path, name[1] if name else ""))
    assert found == {
        code: EXPECTED_IN_STRICT[code] for code in EXPECTED_IN_STRICT.keys() & existing
    }


def test_all_disagreements_are_shown() -> None:
    """What only `strict` wants is missing here, except for authentication."""
    rules = {rule.code: rule for rule in all_rules()}
    only_strict = {
        code
        for entry in DISAGREEMENTS.values()
        for code in entry["rules"].split()
        if code in rules
        and in_profile(rules[code], "strict")
        and not in_profile(rules[code], "clean-architecture")
    }
    assert only_strict - {"FAR710"} == EXPECTED_IN_STRICT.keys() & rules.keys()


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a configuration like that of the service, and makes it importable."""
    monkeypatch.syspath_prepend(str(SERVICE))

    def write(**changes: Any) -> Path:
        values = yaml.safe_load((SERVICE / "config.yaml").read_text())
        values["database"]["path"] = str(tmp_path / "notes.db")
        values["auth"] |= {"password": PASSWORD} | changes.pop("auth", {})
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(values | changes))
        return path

    return write


@contextmanager
def serving(path: Path) -> Iterator[TestClient]:
    """A client of a running service; what nobody expected is answered, not raised."""
    from notes_service.application import create_app
    from notes_service.config import load_config

    with TestClient(create_app(load_config(path)), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(configure: Callable[..., Path]) -> Iterator[TestClient]:
    with serving(configure()) as running:
        yield running


def log_in(client: TestClient) -> dict[str, str]:
    """The header of a new session."""
    answer = client.post("/api/session/login", auth=("ada", PASSWORD), json={"device": "test"})
    assert answer.status_code == 200, answer.text
    return {"X-Auth-Token": answer.json()["token"]}


def test_life_of_a_note(client: TestClient) -> None:
    session = log_in(client)

    def call(action: str, **body: object) -> httpx.Response:
        return client.post(f"/api/notes/{action}", json=body, headers=session)

    created = call("create", text="Buy milk.")
    assert created.status_code == 200
    note = created.json()
    assert note["text"] == "Buy milk."
    assert call("get", note_id=note["id"]).json() == note
    changed = {"id": note["id"], "text": "Done."}
    assert call("update", note_id=note["id"], text="Done.").json() == changed
    other = call("create", text="Another").json()
    assert call("list").json() == {"notes": [changed, other]}
    assert call("list", limit=1, offset=1).json() == {"notes": [other]}
    export = client.get("/api/notes/export", headers=session)
    assert export.headers["content-type"].startswith("text/plain")
    assert export.text == "Done.\nAnother\n"
    assert call("delete", note_id=note["id"]).json() == {"deleted": True}
    for action, more in (("get", {}), ("update", {"text": "x"}), ("delete", {})):
        missing = call(action, note_id=note["id"], **more)
        assert missing.status_code == 404
        assert missing.json() == {"message": "There is no such note.", "fields": []}


def test_invalid_bodies(client: TestClient) -> None:
    session = log_in(client)
    answer = client.post("/api/notes/create", json={"text": ""}, headers=session)
    assert answer.status_code == 422
    assert answer.json() == {"message": "The request is invalid.", "fields": ["body.text"]}
    answer = client.post("/api/notes/list", json={"limit": 101}, headers=session)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "path", ["notes/create", "notes/get", "notes/list", "notes/update", "notes/delete"]
)
def test_notes_need_a_session(client: TestClient, path: str) -> None:
    body = {"note_id": 1, "text": "x"}
    assert client.post(f"/api/{path}", json=body).status_code == 401
    wrong = {"X-Auth-Token": "wrong"}
    assert client.post(f"/api/{path}", json=body, headers=wrong).status_code == 401


def test_logging_in_and_out(client: TestClient) -> None:
    for credentials in (("ada", "wrong"), ("nobody", PASSWORD)):
        answer = client.post("/api/session/login", auth=credentials, json={})
        assert answer.status_code == 401
        assert answer.json()["message"] == "Log in first."
    assert client.post("/api/session/login", json={}).status_code == 401
    first, second, third = log_in(client), log_in(client), log_in(client)
    assert client.post("/api/session/logout", json={}, headers=first).json() == {"closed": 1}
    assert client.post("/api/notes/list", json={}, headers=first).status_code == 401
    everywhere = client.post("/api/session/logout", json={"everywhere": True}, headers=second)
    assert everywhere.json() == {"closed": 2}
    assert client.post("/api/notes/list", json={}, headers=third).status_code == 401


def test_notes_of_others_do_not_exist(client: TestClient) -> None:
    session = log_in(client)
    note = client.post("/api/notes/create", json={"text": "mine"}, headers=session).json()
    sessions = client.app.state.sessions
    with sessions._database.transaction() as connection:
        connection.execute("INSERT INTO users (name, password) VALUES ('eve', 'none')")
        connection.execute("UPDATE sessions SET user_id = 2")
    body = {"note_id": note["id"]}
    assert client.post("/api/notes/get", json=body, headers=session).status_code == 404
    assert client.post("/api/notes/delete", json=body, headers=session).status_code == 404


def sessions_in(client: TestClient) -> int:
    """How many sessions are stored."""
    with client.app.state.sessions._database.transaction() as connection:
        count: int = connection.execute("SELECT count(*) FROM sessions").fetchone()[0]
    return count


def test_expired_sessions_are_removed(configure: Callable[..., Path]) -> None:
    """At the next use."""
    with serving(configure(auth={"session_minutes": 0.00001})) as client:
        session = log_in(client)
        assert client.post("/api/notes/list", json={}, headers=session).status_code == 401
        assert sessions_in(client) == 0


def test_the_routine_survives_a_failure(
    configure: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failed round is logged with its traceback; a later one removes what has expired."""
    path = configure(auth={"session_minutes": 0.00001}, purge_seconds=0.01)
    from notes_service.sessions.store import SessionStore

    remove, rounds = SessionStore.remove_expired, []

    def fail_first(self: SessionStore) -> int:
        rounds.append(remove(self) if rounds else 0)
        if len(rounds) == 1:
            raise RuntimeError("boom")
        return rounds[-1]

    monkeypatch.setattr(SessionStore, "remove_expired", fail_first)
    with serving(path) as client:
        log_in(client)
        deadline = time.monotonic() + 20
        while sessions_in(client) and time.monotonic() < deadline:
            client.get("/health")
        assert sessions_in(client) == 0
    [record] = [each for each in caplog.records if each.name == "notes_service.routines"]
    assert record.exc_info
    assert str(record.exc_info[1]) == "boom"


def test_authentication_can_be_off(configure: Callable[..., Path]) -> None:
    with serving(configure(auth={"enabled": False})) as client:
        assert client.post("/api/notes/create", json={"text": "free"}).status_code == 200


def test_logins_are_limited(configure: Callable[..., Path]) -> None:
    with serving(configure(auth={"logins_per_minute": 2})) as client:
        statuses = [client.post("/api/session/login", json={}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_unexpected_errors(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the traceback, the client has not."""
    from notes_service.notes.store import NoteStore

    def fail(*_: object) -> None:
        raise RuntimeError("boom")

    session = log_in(client)
    monkeypatch.setattr(NoteStore, "create", fail)
    answer = client.post("/api/notes/create", json={"text": "x"}, headers=session)
    assert answer.status_code == 500
    assert answer.json() == {"message": "Something went wrong.", "fields": []}
    [record] = [each for each in caplog.records if each.name == "notes_service.errors"]
    assert record.exc_info
    assert str(record.exc_info[1]) == "boom"


def test_request_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "notes_service.requests")
    answer = client.get("/health", headers={"X-Request-ID": "mine"})
    assert answer.headers["X-Request-ID"] == "mine"
    forged = client.post("/api/notes/list", json={"limit": 1}, headers={"X-Request-ID": "a b"})
    assert re.fullmatch("[0-9a-f]{32}", forged.headers["X-Request-ID"])
    lines = [each for each in caplog.records if each.name == "notes_service.requests"]
    assert [each.levelname for each in lines] == ["INFO", "WARNING"]
    assert re.fullmatch(r"GET /health 200 \d{2,}\.\d{2}ms mine 0 bytes", lines[0].getMessage())
    assert lines[1].getMessage().endswith(' {"limit":1}')


def test_only_the_export_is_not_post(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    others = {path for path, methods in paths.items() if set(methods) != {"post"}}
    assert others == {"/api/notes/export", "/health"}


def test_wrong_configuration(configure: Callable[..., Path], tmp_path: Path) -> None:
    path = configure(spelling="wrong")
    from notes_service.config import load_config

    with pytest.raises(ValueError, match="spelling"):
        load_config(path)
    with pytest.raises(FileNotFoundError, match=r"copy config\.yaml there"):
        load_config(tmp_path / "missing.yaml")


def test_it_starts_as_a_program(configure: Callable[..., Path], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = configure(server={"port": port})
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "notes_service", str(path)],
            cwd=SERVICE,
            stdout=log,
            stderr=log,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        )
    try:
        assert answer_of(f"http://127.0.0.1:{port}/health", process) == {"status": "ok"}
    finally:
        process.terminate()
        assert process.wait(20) in {0, -15}
    assert " GET /health 200 " in (tmp_path / "log").read_text()


def answer_of(url: str, process: subprocess.Popen[bytes]) -> object:
    """The first answer of a server that is just starting."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, timeout=5).json()
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
