"""Count how much of real projects the semantic model recognises.

    python benchmarks/resolution.py PROJECT... [--list]

Endpoints: functions with a decorator that looks like a route to someone who knows no types
(`@anything.get("/...")`), minus what is visibly another library's, against the model's routes.
Dependencies: what `Depends(...)` and `Security(...)` name, against its definition.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flake8_fastapi_rules.config import SettingsLoader
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.semantics.facts import Dependency, Route
from flake8_fastapi_rules.semantics.files import python_files
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance, Value

VERBS = frozenset(
    {"get", "post", "put", "delete", "patch", "options", "head", "trace", "api_route", "websocket"}
)
#: Libraries whose objects have methods of the same names.
OTHERS = frozenset(
    {
        "aiohttp", "blacksheep", "bottle", "click", "django", "falcon", "flask", "litestar", "mock",
        "ninja", "pytest", "quart", "respx", "responses", "robyn", "sanic", "slack_bolt", "typer",
        "unittest", "webtest", "httpx", "requests", "socketio", "celery", "aiogram",
    }
)  # fmt: skip

OTHER = "other library's"


@dataclass(slots=True)
class Tally:
    """What was counted in one project.

    Parameters:
        endpoints, recognised: decorated functions that look like endpoints; those of them that
            the model takes for endpoints.
        targets: dependencies by what became of their target.
        missed, only_model, unresolved: places.
        unparsed: files that this Python cannot parse; run a newer one over them.
    """

    project: str
    unparsed: int = 0
    endpoints: int = 0
    recognised: int = 0
    targets: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    only_model: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    @property
    def resolved_share(self) -> float:
        """The share of dependencies defined in the project that lead to their definition."""
        found = self.targets["definition"]
        return found / max(found + self.targets["unresolved"], 1)


def looks_like_route(decorator: ast.expr) -> bool:
    """Whether a decorator looks like one of a route, by its form alone."""
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return False
    if decorator.func.attr not in VERBS:
        return False
    path = next((k.value for k in decorator.keywords if k.arg == "path"), None)
    if decorator.args and path is None:
        path = decorator.args[0]
    if isinstance(path, ast.Constant):
        return isinstance(path.value, str) and (path.value == "" or path.value[0] in "/{")
    return isinstance(path, ast.JoinedStr | ast.Name | ast.Attribute | ast.BinOp)


def foreign_names(tree: ast.Module) -> set[str]:
    """Names that a file imports from other libraries, or makes with what they offer."""
    foreign: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in OTHERS:
                    foreign.add(alias.asname or alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            if not node.level and (node.module or "").partition(".")[0] in OTHERS:
                foreign.update(alias.asname or alias.name for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if root_name(node.value.func) in foreign:
                foreign.update(t.id for t in node.targets if isinstance(t, ast.Name))
    return foreign


def root_name(node: ast.expr) -> str | None:
    """The name that an attribute chain begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def route_decorators(tree: ast.Module) -> Iterator[ast.expr]:
    """Decorators that look like routes and are not visibly another library's."""
    foreign = foreign_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if looks_like_route(decorator) and root_name(decorator) not in foreign:
                    yield decorator


def dependency_calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls of something that is called `Depends` or `Security`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else root_name(node.func)
            if name in ("Depends", "Security") and not isinstance(node.func, ast.Call):
                yield node


def fate_of(value: Value, packages: set[str]) -> str:
    """What became of a dependency's target.

    Parameters:
        value: the target.
        packages: the project's own top packages; what is external must come from elsewhere.
    """
    match value:
        case Function() | Class() | Instance(of=Class()):
            return "definition"
        case External(name=name) | Instance(of=External(name=name)):
            return "unresolved" if name.partition(".")[0] in packages else "external"
    return "unresolved"


def is_foreign_marker(model: Model, module: Module, call: ast.Call) -> bool:
    """Whether a `Depends` is known to be another library's."""
    match model.resolve(module, call.func):
        case External(name=name):
            return not name.startswith("fastapi.")
        case Function() | Class():
            return True
    return False


def measure(root: Path) -> Tally:
    """Count in one project."""
    root = root.resolve()
    tally = Tally(root.name)
    model = Model(SettingsLoader().load(root).settings)
    modules: dict[Path, Module] = {}
    for path in python_files(root):
        try:
            modules[path] = model.load(Source.from_bytes(str(path), path.read_bytes()))
        except (SourceError, OSError):
            tally.unparsed += 1
    packages = {m.name.partition(".")[0] for m in modules.values() if "." in m.name}
    for path, module in modules.items():
        place = path.relative_to(root).as_posix()
        lines = module.source.lines
        candidates = {id(node): node for node in route_decorators(module.tree)}
        routes = {id(r.node): r.node for r in model.facts(module, Route) if r.style == "decorator"}
        tally.endpoints += len(candidates)
        tally.recognised += len(candidates.keys() & routes.keys())
        for key in candidates.keys() - routes.keys():
            line = candidates[key].lineno
            tally.missed.append(f"{place}:{line}: {lines[line - 1].strip()}")
        for key in routes.keys() - candidates.keys():
            line = routes[key].lineno
            tally.only_model.append(f"{place}:{line}: {lines[line - 1].strip()}")
        facts = {id(fact.node): fact for fact in model.facts(module, Dependency)}
        for call in dependency_calls(module.tree):
            if is_foreign_marker(model, module, call):
                tally.targets[OTHER] += 1
                continue
            fact = facts.get(id(call))
            target = next((k.value for k in call.keywords if k.arg == "dependency"), None)
            if call.args:
                target = call.args[0]
            value = fact.target if fact else model.resolve(module, target)
            fate = fate_of(value, packages)
            tally.targets[fate] += 1
            if fate == "unresolved":
                line = call.lineno
                tally.unresolved.append(f"{place}:{line}: {lines[line - 1].strip()}")
    return tally


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--list", action="store_true", help="list what is not recognised")
    options = parser.parse_args()
    tallies = []
    for root in options.projects:
        tallies.append(measure(root))
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    heads = "project | endpoints | recognised | | dependencies | to definition | external"
    print(f"| {heads} | unresolved | | unparsed files |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    total = Tally("all")
    for tally in tallies:
        total.endpoints += tally.endpoints
        total.recognised += tally.recognised
        total.targets += tally.targets
        total.unparsed += tally.unparsed
    for tally in [*tallies, total]:
        targets = tally.targets
        share = tally.recognised / max(tally.endpoints, 1)
        print(
            f"| {tally.project} | {tally.endpoints} | {tally.recognised} | {share:.1%} "
            f"| {targets.total() - targets[OTHER]} | {targets['definition']} "
            f"| {targets['external']} | {targets['unresolved']} | {tally.resolved_share:.1%} "
            f"| {tally.unparsed} |"
        )
    if options.list:
        for tally in tallies:
            for title in ("missed", "only_model", "unresolved"):
                for place in sorted(getattr(tally, title)):
                    print(f"{title}: {tally.project}/{place}")


if __name__ == "__main__":
    main()
