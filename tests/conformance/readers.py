"""Reads the fixtures of other tools, each in its own notation."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.files import python_files
from flake8_fastapi_rules.semantics.model import Model
from tests.conformance.comparing import Claim, Reading

Read = Callable[[Path, Path], Reading | None]


def ruff(*folders: str, select: str) -> Read:
    """What live ruff reports on folders of the corpus."""

    def read(corpus: Path, _: Path) -> Reading | None:
        roots = [corpus / folder for folder in folders if (corpus / folder).is_dir()]
        if not roots:
            return None
        command = [
            sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa",
            "--target-version=py312", "--output-format=json", f"--select={select}",
        ]  # fmt: skip
        done = subprocess.run(
            [*command, *map(str, roots)], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        claims = [
            Claim(Path(item["filename"]), item["location"]["row"], item["code"])
            for item in json.loads(done.stdout)
            if item["code"] and item["code"].startswith(tuple(select.split(",")))
        ]
        return Reading(dict.fromkeys(sorted({claim.path for claim in claims}), ()), claims)

    return read


def ruff_in_endpoints(*folders: str, select: str) -> Read:
    """What live ruff reports inside of functions that our model takes for endpoints.

    Ruff's rules about blocking calls apply to all coroutine functions, ours to FastAPI code.
    """
    inner = ruff(*folders, select=select)

    def read(corpus: Path, temporary: Path) -> Reading | None:
        reading = inner(corpus, temporary)
        if reading is None:
            return None
        model = Model(Settings())
        ranges: dict[Path, list[tuple[int, int]]] = {}
        for path in reading.files:
            source = source_at(path)
            if source is not None:
                endpoints = model.facts(model.load(source), Endpoint)
                nodes = (endpoint.node for endpoint in endpoints)
                ranges[path] = [(node.lineno, node.end_lineno or node.lineno) for node in nodes]
        claims = [
            claim
            for claim in reading.claims
            if any(first <= claim.line <= last for first, last in ranges.get(claim.path, ()))
        ]
        return Reading(dict.fromkeys(sorted({claim.path for claim in claims}), ()), claims)

    return read


def sonar(folder: str, files: dict[str, str], *, endpoints: bool = False) -> Read:
    """Fixtures with `# Noncompliant` comments.

    Parameters:
        folder: where they stand in the corpus.
        files: file name to the rule it belongs to.
        endpoints: make every coroutine function an endpoint first.
    """

    def read(corpus: Path, temporary: Path) -> Reading | None:
        if not (corpus / folder).is_dir():
            return None
        paths: dict[Path, tuple[str, ...]] = {}
        claims = []
        for name, rule in files.items():
            path = temporary / f"sonar_{name.replace('/', '_')}"
            text = (corpus / folder / name).read_text()
            changed, moved = with_endpoints(text) if endpoints else (text, int)
            path.write_text(changed)
            paths[path] = (rule,)
            for number, line in enumerate(text.splitlines(), 1):
                match = re.search(r"#\s*Noncompliant(?:@([+-]\d+))?", line)
                if match:
                    claims.append(Claim(path, moved(number + int(match[1] or 0)), rule))
        return Reading(paths, claims)

    return read


def with_endpoints(text: str) -> tuple[str, Callable[[int], int]]:
    """The program with its coroutine functions made endpoints.

    Functions inside of coroutine functions and methods stay as they are.

    Returns:
        The text, and where an original line stands in it.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text, lambda line: line
    before: dict[int, str] = {}

    def visit(body: Iterable[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.AsyncFunctionDef):
                line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                before[line] = " " * node.col_offset + f'@far_app.get("/{len(before)}")'
            elif not isinstance(node, ast.ClassDef):
                visit([child for child in ast.walk(node) if _is_directly_in(child, node)])

    visit(tree.body)
    lines = ["import fastapi as far_fastapi", "far_app = far_fastapi.FastAPI()"]
    places: dict[int, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if number in before:
            lines.append(before[number])
        lines.append(line)
        places[number] = len(lines)
    return "\n".join(lines), places.__getitem__


def _is_directly_in(child: ast.AST, node: ast.stmt) -> bool:
    """Whether a statement stands in the body of another one, not deeper."""
    return isinstance(child, ast.stmt) and any(
        child in body
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
        if isinstance(body, list)
    )


def semgrep(folder: str, *files: str) -> Read:
    """Fixtures with `# ruleid:` above what is reported."""

    def read(corpus: Path, _: Path) -> Reading | None:
        paths = [corpus / folder / name for name in files if (corpus / folder / name).is_file()]
        if not paths:
            return None
        claims = []
        for path in paths:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.search(r"#\s*ruleid:\s*([\w-]+)", line)
                if match:
                    claims.append(Claim(path, number + 1, match[1]))
        return Reading({path: (path.stem,) for path in paths}, claims)

    return read


def string_of(node: ast.expr | None) -> str | None:
    """The string that an expression is, through `textwrap.dedent` and concatenation."""
    match node:
        case ast.Constant(value=str(text)):
            return textwrap.dedent(text)
        case ast.Call(func=ast.Attribute(attr="dedent"), args=[inner]):
            return string_of(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="lstrip" | "strip")):
            text = string_of(inner)
            return None if text is None else text.strip()
    return None


def written(temporary: Path, name: str, text: str) -> Path:
    """A temporary file with a program."""
    path = temporary / f"{re.sub(r'[^A-Za-z0-9_]+', '_', name)}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def flake8_fastapi(folder: str, files: dict[str, str]) -> Read:
    """Programs in parameters of tests that call `assert_error` or `assert_not_error`."""

    def read(corpus: Path, temporary: Path) -> Reading | None:
        if not (corpus / folder).is_dir():
            return None
        paths: dict[Path, tuple[str, ...]] = {}
        claims = []
        for name, rule in files.items():
            tree = ast.parse((corpus / folder / name).read_text())
            for test in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
                calls = {ast.unparse(n.func) for n in ast.walk(test) if isinstance(n, ast.Call)}
                for index, text in enumerate(_parameters(test)):
                    path = written(temporary, f"cf_{rule}_{test.name}_{index}", text)
                    paths[path] = (rule,)
                    if "assert_error" in calls:
                        claims.append(Claim(path, 1, rule))
        return Reading(paths, claims)

    return read


def _parameters(test: ast.FunctionDef) -> Iterator[str]:
    """The programs among the parameters (or local strings) of a test."""
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            text = string_of(node) if isinstance(node, ast.Call) else None
            if text and "import" in text:
                yield text
    for statement in test.body:
        text = string_of(statement.value) if isinstance(statement, ast.Assign) else None
        if text and "import" in text:
            yield text


def pairs(folder: str, rule: str, prefix: str, *, names: tuple[str, str]) -> Read:
    """Tests with a program before and after a rewrite; a change is a report.

    Parameters:
        folder: the folder of the tests.
        rule: what to call the claim.
        prefix: for the temporary files.
        names: the variables (or parametrised names) that hold the two programs.
    """

    def read(corpus: Path, temporary: Path) -> Reading | None:
        if not (corpus / folder).is_dir():
            return None
        paths: dict[Path, tuple[str, ...]] = {}
        claims = []
        for name, before, after in rewrites(corpus / folder, names):
            path = written(temporary, f"{prefix}_{name}", before)
            paths[path] = (rule,)
            if before.split() != after.split():
                claims.append(Claim(path, 1, rule))
        return Reading(paths, claims)

    return read


def rewrites(folder: Path, names: tuple[str, str]) -> Iterator[tuple[str, str, str]]:
    """The programs of tests of a rewriting tool, before and after, with a name for each.

    Parameters:
        names: the variables (or parametrised names) that hold the two programs.
    """
    for file in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        for test in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            if any("xfail" in ast.unparse(each) for each in test.decorator_list):
                continue
            for index, (before, after) in enumerate(_before_after(test, names)):
                yield f"{file.stem}_{test.name}_{index}", before, after


def _before_after(test: ast.FunctionDef, names: tuple[str, str]) -> Iterator[tuple[str, str]]:
    assigned = {
        target.id: string_of(node.value)
        for node in ast.walk(test)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    before, after = (assigned.get(name) for name in names)
    if before and after:
        yield before, after
    elif code := assigned.get("code"):
        yield code, code
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.param":
                texts = [string_of(argument) for argument in node.args]
                if len(texts) == 2 and texts[0] and texts[1]:
                    yield texts[0], texts[1]


def evloop(folder: str, rule: str) -> Read:
    """Tests that run small projects and assert `has(r, CODE)` or `not has(r, CODE)`.

    Every coroutine function becomes an endpoint, for that is where our rules look.
    """

    def read(corpus: Path, temporary: Path) -> Reading | None:
        if not (corpus / folder).is_dir():
            return None
        paths: dict[Path, tuple[str, ...]] = {}
        claims: list[Claim] = []
        for file in sorted((corpus / folder).glob("test_*.py")):
            tree = ast.parse(file.read_text())
            for test in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
                project = _only_project(test)
                expected = _expected(test, rule)
                if project is None or expected is None or "noqa" in test.name:
                    continue
                root = temporary / f"evloop_{test.name}"
                root.mkdir()
                (root / "pyproject.toml").write_text("[project]\nname = 'evloop'\n")
                for name, text in project.items():
                    path = root / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(with_endpoints(text)[0])
                main = root / "app/main.py"
                if main.is_file():
                    paths[main] = (rule,)
                    claims += [Claim(main, 1, rule)] if expected else []
        return Reading(paths, claims)

    return read


def _only_project(test: ast.FunctionDef) -> dict[str, str] | None:
    """The files of the one call of `run_project` in a test, if they are literals."""
    calls = [
        node
        for node in ast.walk(test)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "run_project"
    ]
    if len(calls) != 1 or len(calls[0].args) != 1 or calls[0].keywords:
        return None
    try:
        project = ast.literal_eval(calls[0].args[0])
    except ValueError:
        return None
    return project if isinstance(project, dict) else None


def _expected(test: ast.FunctionDef, rule: str) -> bool | None:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            text = ast.unparse(node.test)
            if text.startswith(("has(r", "not has(r")) and f"'{rule}'" in text:
                return not text.startswith("not ")
    return None


def programs(folder: str, claims: Iterable[tuple[str, int, str]]) -> Read:
    """Projects whose tests are written as code: the claims are given here.

    Parameters:
        folder: in the corpus.
        claims: file, line and rule.
    """

    def read(corpus: Path, _: Path) -> Reading | None:
        root = corpus / folder
        if not root.is_dir():
            return None
        made = [Claim(root / file, line, rule) for file, line, rule in claims]
        return Reading(dict.fromkeys(python_files(root), ()), made)

    return read


def endpoint_markers(path: Path) -> tuple[dict[int, str], set[int], dict[int, set[str]]]:
    """CodeQL's markers: routes and endpoints by line, parameters by line of the `def`."""
    routes: dict[int, str] = {}
    handlers: set[int] = set()
    parameters: dict[int, set[str]] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        _, found, marker = line.partition("# $ ")
        if not found:
            continue
        if match := re.search(r'routeSetup="([^"]*)"', marker):
            routes[number] = match[1]
        if "requestHandler" in marker:
            handlers.add(number)
            parameters[number] = set(re.findall(r"routedParameter=(\w+)", marker))
    return routes, handlers, parameters


def source_at(path: Path) -> Source | None:
    """The text of a file; `None` when it cannot be read as Python."""
    try:
        source = Source.from_bytes(str(path), path.read_bytes())
        source.parse()
    except SourceError:
        return None
    return source
