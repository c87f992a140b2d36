"""Faults for endpoints that nobody here wrote: what to plant is data, see `plants.toml`."""

from __future__ import annotations

import ast
import random
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from string import Template
from typing import Any

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.semantics.facts import Endpoint, RouteKind
from flake8_fastapi_rules.semantics.files import python_files
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.schemas import is_pydantic_2

DATA = Path(__file__).resolve().parent / "plants.toml"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
VERBS = frozenset({"get", "post", "put", "patch", "delete"})


@dataclass(frozen=True, slots=True)
class Plant:
    """One spelling of a fault.

    Parameters:
        code: the rule that must find it.
        about: the spelling.
        imports: lines put in front of the module's first statement.
        body: lines put in front of the function's first statement.
        around: a template for the body, with `...` where the old one goes.
        first: a parameter without a default, put in front of the others.
        last: a parameter with a default, put behind the others.
        helper: lines put at the end of the module; `$receiver`, `$verb` and `$path` are what the
            route's decorator says.
        argument: an argument for the route's decorator.
        path: what is put behind the route's path.
        returns: an annotation of the result, in place of the old one and of `response_model`.
        methods: only operations with these methods, in lower case.
        only: `async` or `sync` functions only.
        pydantic_2: only in projects that need Pydantic 2.
        settings: changes to the settings.
    """

    code: str
    about: str
    imports: str = ""
    body: str = ""
    around: str = ""
    first: str = ""
    last: str = ""
    helper: str = ""
    argument: str = ""
    path: str = ""
    returns: str = ""
    methods: tuple[str, ...] = ()
    only: str = ""
    pydantic_2: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


@cache
def plants() -> tuple[Plant, ...]:
    """All spellings, in the order of the file."""
    return tuple(
        Plant(**{**entry, "code": code, "methods": tuple(entry.get("methods", ()))})
        for code, entries in tomllib.loads(DATA.read_text("utf-8")).items()
        for entry in entries
    )


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint of a project: its file and the name of its function."""

    path: str
    name: str
    line: int


def function_at(tree: ast.Module, target: Target) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function of a target in the tree of its file."""
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and (node.name, node.lineno) == (target.name, target.line):
            return node
    return None


def planted(text: str, target: Target, plant: Plant) -> str | None:
    """The file with the fault in it; `None` when the endpoint has no place for it."""
    source = Source(target.path, text)
    tree = source.parse()
    node = function_at(tree, target)
    if node is None:
        return None
    edits = list(_edits(source, tree, node, plant) or ())
    if not edits:
        return None
    new = text
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        new = new[:start] + replacement + new[end:]
    if plant.helper:
        decorator = _decorator(node)
        assert decorator is not None
        new = f"{new.rstrip()}\n\n\n{_helper(source, decorator, plant).strip()}\n"
    try:
        compile(new, target.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return new


def _helper(source: Source, decorator: ast.Call, plant: Plant) -> str:
    """The lines for the end of the module."""
    assert isinstance(decorator.func, ast.Attribute)
    given = decorator.args[0] if decorator.args else None
    return Template(plant.helper).safe_substitute(
        receiver=source.segment(decorator.func.value),
        verb=decorator.func.attr,
        path=source.segment(given) if isinstance(given, ast.Constant) else '""',
    )


def _edits(
    source: Source,
    tree: ast.Module,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    plant: Plant,
) -> list[tuple[int, int, str]] | None:
    decorator = _decorator(node)
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if decorator is None or not statements or statements[0].lineno <= node.lineno:
        return None
    assert isinstance(decorator.func, ast.Attribute)
    if plant.methods and decorator.func.attr not in plant.methods:
        return None
    if plant.only and (plant.only == "async") != isinstance(node, ast.AsyncFunctionDef):
        return None
    edits: list[tuple[int, int, str]] = []
    first = statements[0]
    indent = " " * first.col_offset
    start = source.offset(first.lineno, 0)
    if getattr(first, "decorator_list", None):
        return None
    if plant.body:
        edits.append((start, start, textwrap.indent(plant.body.strip() + "\n", indent)))
    if plant.around:
        end = source.end(statements[-1])
        if '"""' in source.text[start:end] or "'''" in source.text[start:end]:
            return None  # lines of a string are not to be indented
        before, after = plant.around.split("...")
        inner = textwrap.indent(source.text[start:end], "    ")
        template = textwrap.indent(before.strip() + "\n", indent)
        edits.append((start, end, template + inner + textwrap.indent("\n" + after.strip(), indent)))
    if plant.first or plant.last:
        placed = _parameters(source, node, plant)
        if not placed:
            return None
        edits += placed
    if plant.argument:
        if any(k.arg in (None, plant.argument.partition("=")[0]) for k in decorator.keywords):
            return None
        end = source.end(decorator) - 1
        comma = "" if source.text[:end].rstrip().endswith((",", "(")) else ", "
        edits.append((end, end, comma + plant.argument))
    if plant.path:
        given = decorator.args[0] if decorator.args else None
        if not isinstance(given, ast.Constant) or not isinstance(given.value, str):
            return None
        edits.append((source.start(given), source.end(given), repr(given.value + plant.path)))
    if plant.returns:
        if any(k.arg in ("response_model", "response_class") for k in decorator.keywords):
            return None
        if node.returns is None:
            return None
        edits.append((source.start(node.returns), source.end(node.returns), plant.returns))
    if plant.imports:
        place = _place_of_imports(source, tree)
        edits.append((place, place, plant.imports.strip() + "\n"))
    return edits


def _decorator(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    """The only decorator of a function, if it is one of a route's."""
    match node.decorator_list:
        case [ast.Call(func=ast.Attribute(attr=attr)) as call] if attr in VERBS:
            return call
        case _:
            return None


def _parameters(
    source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef, plant: Plant
) -> list[tuple[int, int, str]]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        return []
    opening = source.text.index("(", source.start(node)) + 1
    if not every:
        text = ", ".join(part for part in (plant.first, plant.last) if part)
        return [(opening, opening, text)]
    values = [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]
    end = max(source.end(each) for each in (*every, *values))
    placed = [(opening, opening, f"{plant.first}, ")] if plant.first else []
    return [*placed, (end, end, f", {plant.last}")] if plant.last else placed


def _place_of_imports(source: Source, tree: ast.Module) -> int:
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_text and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            return source.offset(node.lineno - len(getattr(node, "decorator_list", ())), 0)
    return len(source.text)


class Project:
    """A project of somebody else, with one linter for all that is planted into it.

    Parameters:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._linters: dict[str, Linter] = {}
        self._texts: dict[str, str] = {}
        self._known: dict[tuple[str, Linter], list[Finding]] = {}

    def linter(self, settings: Mapping[str, Any]) -> Linter:
        """The linter for all that is planted under the same settings."""
        key = repr(settings)
        if key not in self._linters:
            enable = sorted({rule.code[:4] for rule in all_rules()})
            options = {"profile": "strict", "enable": enable, **settings}
            loader = SettingsLoader([Layer("benchmark", options)], isolated=True)
            self._linters[key] = Linter(loader)
        return self._linters[key]

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The plain endpoints of the project, in a fixed order."""
        found: list[Target] = []
        for file in sorted(python_files(self.root)):
            if "test" in str(file.relative_to(self.root)).lower():
                continue
            data = file.read_bytes()
            if b"@" not in data or b"def " not in data:
                continue
            found.extend(self._targets_in(file, data))
        return tuple(found)

    def _targets_in(self, file: Path, data: bytes) -> Iterator[Target]:
        path = str(file)
        try:
            source = Source.from_bytes(path, data)
            linter = self.linter({})
            model = linter.model_for(linter.settings(path))
            assert isinstance(model, Model)
            module = model.load(source, None)
        except SourceError:
            return
        self._texts[path] = source.text
        for endpoint in model.facts(module, Endpoint):
            node = endpoint.node
            if _decorator(node) is not None and all(
                route.kind is RouteKind.HTTP for route in endpoint.routes
            ):
                yield Target(path, node.name, node.lineno)

    def found(self, target: Target, plant: Plant) -> bool | None:
        """Whether a planted fault is found; `None` when the endpoint has no place for it.

        An endpoint that has the fault already is no place either.
        """
        text = self._texts[target.path]
        new = planted(text, target, plant)
        if new is None:
            return None
        linter = self.linter(plant.settings)
        if plant.pydantic_2:
            model = linter.model_for(linter.settings(target.path))
            assert isinstance(model, Model)
            if not is_pydantic_2(model.load(Source(target.path, text))):
                return None
        if (target.path, linter) not in self._known:
            self._known[target.path, linter] = linter.check(Source(target.path, text))
        before = [f for f in self._known[target.path, linter] if f.code == plant.code]
        node = function_at(Source(target.path, text).parse(), target)
        assert node is not None
        first = min((d.lineno for d in node.decorator_list), default=node.lineno)
        if any(first <= f.line <= (node.end_lineno or 0) for f in before):
            return None
        findings = linter.check(Source(target.path, new))
        crashes = [finding.message for finding in findings if finding.code == INTERNAL_ERROR]
        if crashes:
            raise RuntimeError(f"{target.path}:{target.line}: {plant.about}: {crashes[0]}")
        return sum(f.code == plant.code for f in findings) > len(before)

    def forget(self, target: Target, plant: Plant) -> None:
        """Let the linter see a file as it is again."""
        self.linter(plant.settings).check(Source(target.path, self._texts[target.path]))

    def trials(self, plant: Plant, wanted: int, seed: int) -> list[tuple[Target, bool]]:
        """Plant one spelling into endpoints at random, up to `wanted` of them.

        Returns:
            The endpoints, each with whether the fault was found.
        """
        targets = list(self.targets)
        random.Random(f"{seed} {plant.code} {plant.about}").shuffle(targets)
        done: list[tuple[Target, bool]] = []
        for target in targets:
            if len(done) == wanted:
                break
            outcome = self.found(target, plant)
            if outcome is not None:
                self.forget(target, plant)
                done.append((target, outcome))
        return done
