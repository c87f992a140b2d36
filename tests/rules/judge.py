"""FastAPI itself as the judge: what a program does when it is imported and asked for its schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rules.cases import Case, Verdict

SERVER = Path(__file__).with_name("judge_server.py")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says of a program.

    Parameters:
        raw: `error` (of the import), `statements` (line, end, error of each top-level statement),
            `apps` (by name: openapi, routes, error), `warnings`, `absent` libraries. An error has
            `types` (names of its class and bases), `message` and `trace`.
    """

    raw: dict[str, Any]

    @property
    def apps(self) -> dict[str, dict[str, Any]]:
        """The apps by name."""
        apps: dict[str, dict[str, Any]] = self.raw["apps"]
        return apps

    def problem(self) -> str:
        """Why it does not import or has no schema; empty when all is well."""
        if self.raw["error"]:
            return f"does not import: {shown(self.raw['error'])}"
        for name, app in self.apps.items():
            if app["error"]:
                return f"{name} has no schema: {shown(app['error'])}"
        return ""


class Judge:
    """A client of the fork server.

    Parameters:
        process: the server.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, root: Path, module: str, *, by_statement: bool = False) -> Answer:
        """Import `module` from `root` in a process of its own.

        Parameters:
            root: the folder to import from.
            module: its dotted name.
            by_statement: run its top-level statements one by one instead.
        """
        request = {"root": str(root), "module": module, "by_statement": by_statement}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        raw = json.loads(self._process.stdout.readline())
        if "crash" in raw:
            raise AssertionError(f"{module}: {shown(raw['crash'])}")
        return Answer(raw)


@contextmanager
def running_judge() -> Iterator[Judge]:
    """Start the server and end it."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTHONWARNINGS", None)
    process = subprocess.Popen(
        [sys.executable, str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield Judge(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def shown(error: dict[str, Any]) -> str:
    """An error for people."""
    return f"{error['types'][0]}: {error['message']}\n    " + "\n    ".join(error["trace"])


def module_of(path: str) -> str:
    """The dotted name of a relative path."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def contradiction(case: Case, verdict: Verdict, judge: Judge, root: Path) -> str:
    """What FastAPI does otherwise than `verdict` says; empty when they agree.

    Parameters:
        case: its files stand in `root` already.
        verdict: what is expected.
        judge: whom to ask.
        root: the folder.
    """
    if case.origin.name == "case.toml":
        problems = (judge.ask(root, name).problem() for name in verdict.names)
        return "\n".join(filter(None, problems))
    (path,) = [path for path in case.files if path.endswith(".py")]
    module = module_of(path)
    if verdict.kind == "imports":
        return judge.ask(root, module).problem()
    if verdict.kind == "import-fails":
        answer = judge.ask(root, module, by_statement=True)
        marked = {expected.line for expected in case.expectations.get(path, ())}
        return "\n".join(_wrong_statements(answer.raw["statements"], marked, verdict))
    answer = judge.ask(root, module)
    if verdict.kind == "warns":
        warned = answer.raw["warnings"]
        if any(_fits(warning, verdict) for warning in warned):
            return ""
        return f"no such warning; got {[(w['types'][0], w['message']) for w in warned]}"
    if answer.raw["error"]:
        return answer.problem()
    errors = [app["error"] for app in answer.apps.values()]
    if any(error and _fits(error, verdict) for error in errors):
        return ""
    return f"no app's schema fails so; got {[shown(error) for error in errors if error]}"


def _wrong_statements(
    statements: list[dict[str, Any]], marked: set[int], verdict: Verdict
) -> Iterator[str]:
    for statement in statements:
        error = statement["error"]
        wanted = any(statement["line"] <= line <= statement["end"] for line in marked)
        where = f"the statement on line {statement['line']}"
        if wanted and error is None:
            yield f"{where} is reported, but FastAPI accepts it"
        elif wanted and not _fits(error, verdict):
            yield f"{where} fails otherwise: {shown(error)}"
        elif error is not None and not wanted:
            yield f"{where} is not reported, but fails: {shown(error)}"


def _fits(error: dict[str, Any], verdict: Verdict) -> bool:
    names = not verdict.names or any(name in error["types"] for name in verdict.names)
    return names and verdict.text in error["message"]
