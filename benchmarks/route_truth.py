"""Compares the route tables of the project graph with those of FastAPI itself.

An app is imported by the Python that it is installed for, in a process of its own, and its routes
are walked; the graph reads the same sources without importing them. Printed are the routes that
both have, that only one has, and how many of the common ones have equal dependency lists.

    python benchmarks/route_truth.py --python VENV/bin/python --source DIR package.main:app
    python benchmarks/route_truth.py --python VENV/bin/python "package.main:create_app()"
    python benchmarks/route_truth.py --python VENV/bin/python --tree DIR/docs_src

`--tree` takes every module below a folder that can be imported, and every app in its variables.
`--source` is the package's folder; by default it is found through the import.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.project import AppNode, Project, ResolvedRoute, place_name

#: Runs under the app's own Python; needs nothing but FastAPI.
WALKER = r"""
import functools, importlib, inspect, json, os, sys

request = json.loads(sys.argv[1])
sys.path.insert(0, request["path"])
os.environ.update(request["environment"])
real, sys.stdout = sys.stdout, sys.stderr

def name_of(call):
    while isinstance(call, functools.partial):
        call = call.func
    if not hasattr(call, "__qualname__"):
        call = type(call)
    return f"{call.__module__}:{call.__qualname__}"

def flattened(dependant):
    found, stack = [], list(reversed(dependant.dependencies))
    while stack:
        current = stack.pop()
        name = name_of(current.call)
        if (current.call, name) not in found:
            found.append((current.call, name))
            stack.extend(reversed(current.dependencies))
    return list(dict.fromkeys(name for _, name in found))

def contexts(routes):
    try:
        from fastapi.routing import iter_route_contexts
    except ImportError:
        return [(route, route) for route in routes]
    return [(c.original_route, c) for c in iter_route_contexts(routes)]

def walk(app, prefix=""):
    from fastapi.routing import APIRoute, APIWebSocketRoute
    from starlette.routing import Mount, Route, WebSocketRoute
    for route, context in contexts(app.routes):
        if isinstance(route, Mount):
            inner = route.app
            if hasattr(inner, "routes"):
                yield from walk(inner, prefix + context.path)
            continue
        if not isinstance(route, (Route, WebSocketRoute)):
            continue
        if getattr(route.endpoint, "__module__", "") == "fastapi.applications":
            continue
        # Some versions keep what is effective for WebSockets one step further inside.
        inner = getattr(context, "_route_context", None)
        effective = getattr(inner or context, "starlette_route", None)
        context = effective if effective is not None else context
        is_api = isinstance(route, (APIRoute, APIWebSocketRoute))
        dependant = getattr(context, "dependant", None) if is_api else None
        yield {
            "methods": sorted(getattr(context, "methods", None) or ["WEBSOCKET"]),
            "path": prefix + context.path,
            "handler": name_of(context.endpoint),
            "dependencies": flattened(dependant) if dependant else [],
            "tags": [str(getattr(t, "value", t)) for t in getattr(context, "tags", None) or []],
            "operation_id": getattr(context, "unique_id", None),
            "name": context.name,
            "kind": type(route).__name__,
        }

def apps_of(module, wanted):
    from fastapi import FastAPI
    if wanted is None:
        for name, value in vars(module).items():
            if isinstance(value, FastAPI):
                yield name, value
        return
    name = wanted.removesuffix("()")
    value = functools.reduce(getattr, name.split("."), module)
    if wanted.endswith("()"):
        value = value()
        if inspect.isawaitable(value):
            import asyncio
            value = asyncio.run(value)
    yield wanted, value

answers = []
for target in request["targets"]:
    module_name, _, attribute = target.partition(":")
    answer = {"target": target, "apps": {}}
    try:
        module = importlib.import_module(module_name)
        answer["file"] = module.__file__
        for name, app in apps_of(module, attribute or None):
            answer["apps"][name] = list(walk(app))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        answer["error"] = f"{type(error).__name__}: {error}"[:300]
    answers.append(answer)
import fastapi
real.write("\n@@" + json.dumps({"fastapi": fastapi.__version__, "answers": answers}) + "\n")
real.flush()
os._exit(0)
"""


@dataclass
class Score:
    """What a comparison found."""

    target: str
    truth: int = 0
    found: int = 0
    invented: int = 0
    uncertain: int = 0
    equal: int = 0
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    error: str | None = None


def ask(python: str, path: str, targets: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """The real route tables of the targets."""
    request = {"path": path, "targets": targets, "environment": environment}
    done = subprocess.run(
        [python, "-c", WALKER, json.dumps(request)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=path,
        check=False,
    )
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("@@"):
            answer: dict[str, Any] = json.loads(line[2:])
            return answer
    raise RuntimeError(done.stderr[-2000:])


def rows_of_truth(routes: Iterable[dict[str, Any]]) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """One row for each method of a real route."""
    for route in routes:
        for method in route["methods"]:
            yield (method, route["path"], route["handler"]), route


def rows_of_graph(
    project: Project, app: AppNode
) -> Iterator[tuple[tuple[str, str, str], ResolvedRoute]]:
    """One row for each method of a route of the graph, mounted apps included."""
    apps, added = [app], True
    while added:
        inner = [
            other
            for other in project.apps
            if other not in apps and any(mount.parent in apps for mount in other.mounts)
        ]
        apps += inner
        added = bool(inner)
    for each in apps:
        for route in project.resolved_routes(each):
            handler = place_name(route.endpoint) if route.endpoint else "?"
            methods = route.methods if route.methods is not None else ("?",)
            for mount in each.paths_below(app) or ("?",):
                local = "?" if route.local_path is None else route.local_path
                for method in methods or ("WEBSOCKET",):
                    yield (method, mount + local, handler or "?"), route


def compare(target: str, truth: list[dict[str, Any]], project: Project, app: AppNode) -> Score:
    """Hold one app's table of the graph against the real one."""
    score = Score(target)
    real = list(rows_of_truth(truth))
    ours = list(rows_of_graph(project, app))
    score.truth = len(real)
    left = Counter(key for key, _ in ours)
    by_key: dict[tuple[str, str, str], list[ResolvedRoute]] = {}
    for key, route in ours:
        by_key.setdefault(key, []).append(route)
    for key, route in real:
        if left[key] == 0:
            score.missing.append(" ".join(key))
            continue
        left[key] -= 1
        score.found += 1
        mine = by_key[key].pop(0)
        names = list(dict.fromkeys(place_name(d.target) or "?" for d in mine.dependencies))
        if names == route["dependencies"]:
            score.equal += 1
        else:
            score.different.append(
                f"{' '.join(key)}\n      real {route['dependencies']}\n      ours {names}"
            )
    for key, routes in by_key.items():
        for route in routes[: left[key]]:
            if route.certain:
                score.invented += 1
                score.extra.append(" ".join(key))
            else:
                score.uncertain += 1
                score.extra.append("(uncertain) " + " ".join(key))
    return score


def project_of(source: Path, root: Path, fastapi: str) -> Project:
    """The graph of the sources below a folder, named as seen from the import root."""
    version = tuple(int(part) for part in fastapi.split(".")[:3] if part.isdigit())
    model = Model(Settings(fastapi_version=version, src=(str(root),)))
    return Project(model, model.modules.that_matter(source))


def print_scores(scores: list[Score], verbose: bool) -> None:
    """Print the table and what differs."""
    print(f"{'target':58} {'real':>5} {'found':>6} {'inv.':>5} {'unc.':>5} {'deps equal':>10}")
    for score in scores:
        if score.error:
            print(f"{score.target:58} {score.error}")
            continue
        if len(scores) < 40 or score.missing or score.invented or score.different:
            print(
                f"{score.target:58} {score.truth:5} {score.found:6} {score.invented:5} "
                f"{score.uncertain:5} {score.equal:10}"
            )
        if verbose:
            for title, lines in (
                ("missing", score.missing),
                ("extra", score.extra),
                ("dependencies", score.different),
            ):
                for line in lines[:40]:
                    print(f"    {title}: {line}")
    good = [score for score in scores if not score.error]
    truth = sum(score.truth for score in good)
    found = sum(score.found for score in good)
    equal = sum(score.equal for score in good)
    print(
        f"{len(good)} apps, {truth} routes: {found} found ({_percent(found, truth)}), "
        f"{sum(score.invented for score in good)} invented, dependencies equal for {equal} "
        f"({_percent(equal, found)}); {len(scores) - len(good)} not imported"
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


def run_tree(python: str, tree: Path, environment: dict[str, str]) -> list[Score]:
    """Compare every importable module below a folder."""
    top = tree.parent
    targets = [
        ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(tree.rglob("*.py"))
    ]
    scores: list[Score] = []
    answers: list[dict[str, Any]] = []
    version = ""
    for start in range(0, len(targets), 60):
        block = targets[start : start + 60]
        answer = ask(python, str(top), block, environment)
        version = answer["fastapi"]
        answers += answer["answers"]
    # What fails beside others may work alone: two modules that declare one database table.
    for position, answer in enumerate(answers):
        if "error" in answer:
            answers[position] = ask(python, str(top), [answer["target"]], environment)["answers"][0]
    project = project_of(tree, top, version)
    by_name = {app.name: app for app in project.apps}
    for answer in answers:
        if "error" in answer:
            scores.append(Score(answer["target"], error=answer["error"]))
        for name, truth in answer["apps"].items():
            full = f"{answer['target']}:{name}"
            app = by_name.get(full) or project.app_named(full)
            if app is None:
                real = len(list(rows_of_truth(truth)))
                scores.append(Score(full, truth=real, missing=["the app itself"]))
            else:
                scores.append(compare(full, truth, project, app))
    return scores


def run_target(
    python: str, target: str, source: str | None, path: str, env: dict[str, str]
) -> Score:
    """Compare one app."""
    answer = ask(python, path, [target], env)
    result = answer["answers"][0]
    if "error" in result:
        return Score(target, error=result["error"])
    module = target.partition(":")[0]
    file = Path(result["file"]).resolve()
    root = file.parents[module.count(".") + (file.name == "__init__.py")]
    folder = Path(source).resolve() if source else root / module.partition(".")[0]
    project = project_of(folder, root, answer["fastapi"])
    app = project.app_named(target.removesuffix("()"))
    truth = next(iter(result["apps"].values()))
    if app is None:
        return Score(target, truth=len(truth), missing=["the app itself"])
    score = compare(target, truth, project, app)
    score.target = f"{target} ({answer['fastapi']})"
    return score


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="*", help="module:app or module:factory()")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--source", help="the package's folder")
    parser.add_argument("--path", default=os.getcwd(), help="put first on the import path")
    parser.add_argument("--tree", type=Path, help="all modules below a folder")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    environment = dict(item.split("=", 1) for item in options.env)
    scores: list[Score] = []
    if options.tree:
        scores += run_tree(options.python, options.tree.resolve(), environment)
    for target in options.targets:
        scores.append(run_target(options.python, target, options.source, options.path, environment))
    print_scores(scores, options.verbose)


if __name__ == "__main__":
    main()
