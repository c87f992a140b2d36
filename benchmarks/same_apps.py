"""Compare the apps of two copies of a project: OpenAPI schema and route table of each.

    python benchmarks/same_apps.py BEFORE AFTER [--root DIR] [--python PYTHON] [--timeout SECONDS]

Every module below BEFORE that mentions FastAPI is imported, and its twin below AFTER, each side in
a process of its own, by an interpreter that has the project's requirements; with `--apart` each
module too, for programs that do not get along in one process. Compared is what the
module's variables hold: of an app `openapi()` and its routes, of a router its routes. A module that
cannot be imported before is left out; it must be importable after if it was before.

Run this only on code that you trust: it is executed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Runs with the project's interpreter: reads module names, writes a line of JSON for each.
_CHILD = r"""
import importlib, json, os, sys, warnings

warnings.simplefilter("ignore")
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant


def shown_dependant(dependant):
    names = [
        (kind, p.name, p.alias, type(p.field_info).__name__, bool(getattr(p, "required", None)))
        for kind in ("path", "query", "header", "cookie", "body")
        for p in getattr(dependant, f"{kind}_params")
    ]
    calls = [
        (getattr(d.call, "__qualname__", type(d.call).__name__), shown_dependant(d))
        for d in dependant.dependencies
    ]
    return [sorted(names), calls]


def shown_route(route):
    parts = [
        type(route).__name__, getattr(route, "path", None),
        sorted(getattr(route, "methods", None) or ()),
        getattr(route, "name", None), getattr(route, "status_code", None),
        repr(getattr(route, "response_model", None)),
    ]
    if isinstance(getattr(route, "dependant", None), Dependant):
        parts.append(shown_dependant(route.dependant))
    inner = getattr(route, "routes", None) or ()
    return [*parts, [shown_route(each) for each in inner]]


def look(name):
    module = importlib.import_module(name)
    found = {}
    for key, value in sorted(vars(module).items()):
        if isinstance(value, FastAPI):
            try:
                schema = value.openapi()
            except Exception as error:
                schema = type(error).__name__
            found[key] = {"openapi": schema, "routes": [shown_route(r) for r in value.routes]}
        elif isinstance(value, APIRouter):
            found[key] = {"routes": [shown_route(r) for r in value.routes]}
    return found


def look_safely(name):
    try:
        return json.dumps({"apps": look(name)}, default=repr, sort_keys=True)
    except BaseException as error:
        return json.dumps({"error": f"{type(error).__name__}: {error}"})


answers = os.fdopen(os.dup(1), "w")
quiet = os.open(os.devnull, os.O_WRONLY)
os.dup2(quiet, 1), os.dup2(quiet, 2)
for name in sys.stdin.read().split():
    if "apart" not in sys.argv:
        answer = {"module": name, **json.loads(look_safely(name))}
        print(json.dumps(answer), file=answers, flush=True)
        continue
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as stream:
            stream.write(look_safely(name))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        result = stream.read() or json.dumps({"error": "the process ended"})
    os.waitpid(child, 0)
    print(json.dumps({"module": name, **json.loads(result)}), file=answers, flush=True)
"""


def modules_of(folder: Path, root: Path) -> list[str]:
    """The importable names of the modules that mention FastAPI."""
    names = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if all(part.isidentifier() for part in parts) and "fastapi" in path.read_text("latin-1"):
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if name and "test" not in name]


def look_at(
    names: list[str], root: Path, python: str, timeout: float, *, apart: bool
) -> dict[str, Any]:
    """What each module holds, or why it cannot be imported."""
    done = subprocess.run(
        [python, "-c", _CHILD, *(["apart"] if apart else [])],
        input="\n".join(names),
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{python} cannot look at apps: {done.stderr[-400:]}")
    # Where the copies lie must not count.
    lines = done.stdout.replace(str(root), "ROOT").splitlines()
    return {item.pop("module"): item for item in map(json.loads, lines)}


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--root", default=".", help="the folder imports start from, in each copy")
    parser.add_argument("--below", default=".", help="look only at modules below this folder")
    parser.add_argument("--apart", action="store_true", help="a process for each module")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--timeout", type=float, default=1800.0, metavar="SECONDS")
    options = parser.parse_args()
    sides = []
    options.python = os.path.abspath(options.python)
    roots = [(side / options.root).resolve() for side in (options.before, options.after)]
    names = modules_of((options.before / options.below).resolve(), roots[0])
    for root in roots:
        sides.append(look_at(names, root, options.python, options.timeout, apart=options.apart))
    before, after = sides
    importable = [name for name in names if "error" not in before[name]]
    apps = sum(len(before[name]["apps"]) for name in importable)
    different = [name for name in importable if before[name] != after[name]]
    print(f"{len(names)} modules, {len(importable)} importable, {apps} apps and routers")
    for name in different:
        print(f"different: {name}: {after[name].get('error', 'other apps')}")
        if "apps" in after[name]:
            for key in before[name]["apps"]:
                old, new = (json.dumps(s[name]["apps"].get(key), indent=1) for s in sides)
                if old != new:
                    lines = zip(old.splitlines(), new.splitlines(), strict=False)
                    print(*(f"  {a.strip()} -> {b.strip()}" for a, b in lines if a != b), sep="\n")
    newly = [name for name in names if "error" in before[name] and "error" not in after[name]]
    if newly:
        print(f"importable only after: {', '.join(newly)}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
