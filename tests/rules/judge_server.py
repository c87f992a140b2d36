"""A process that has FastAPI imported and forks a child for every program it is asked about.

One request per line of standard input, one answer per line of standard output, both JSON; see
`judge.Judge` for the fields. A fork costs milliseconds where a fresh interpreter would import
FastAPI anew, and still no program sees what another one did.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import os
import select
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import fastapi
import fastapi.routing
from fastapi import APIRouter, FastAPI
from pydantic_core import core_schema

#: Imported once, so that no child has to; what is not installed gets a stand-in.
PRELOADED = (
    "fastapi.security", "fastapi.testclient", "fastapi.templating", "fastapi.staticfiles",
    "starlette.middleware.base", "starlette.middleware.sessions", "pydantic_settings", "httpx",
    "sqlalchemy.orm", "sqlalchemy.ext.asyncio", "jwt", "uvicorn", "pytest", "email_validator",
)  # fmt: skip
FACTORY_NAMES = ("create_app", "make_app", "build_app", "get_app", "create_application")
TIMEOUT = 20.0


class _StandInType(type):
    """The class of classes that stand in for those of libraries that are not installed."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and inspect.isroutine(args[0]):
            return args[0]
        return super().__call__(*args, **kwargs)


class _StandIn(metaclass=_StandInType):
    """Accepts everything; as a decorator it returns what it decorates."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take any arguments."""

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return core_schema.any_schema()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            len(args) == 1
            and not kwargs
            and (inspect.isroutine(args[0]) or inspect.isclass(args[0]))
        ):
            return args[0]
        return type(self)()

    def __getitem__(self, item: Any) -> Any:
        return type(self)()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None:
        return None

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *args: object) -> None:
        return None


def _stand_in(name: str) -> Any:
    bases = (_StandIn, Exception) if name.endswith(("Error", "Exception")) else (_StandIn,)
    return _StandInType(name, bases, {})


class _StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes modules for libraries that are not installed, so that fixtures may use any."""

    def __init__(self) -> None:
        self.absent: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = fullname.partition(".")[0]
        if fullname != top and top not in self.absent:
            return None
        self.absent.add(top)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        def attribute(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return _stand_in(name)

        module.__getattr__ = attribute  # type: ignore[method-assign]


def _error(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "types": [cls.__name__ for cls in type(error).__mro__],
        "message": str(error),
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:]],
    }


def _attempt(action: Callable[[], Any]) -> dict[str, Any] | None:
    try:
        action()
    except BaseException as error:
        return _error(error)
    return None


def _import_by_statement(module: types.ModuleType, text: str, path: str) -> list[dict[str, Any]]:
    """Run the top-level statements one by one; one that fails does not stop the next."""
    tree = ast.parse(text, path)
    flags = 0
    results = []
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                flags |= getattr(importlib.import_module("__future__"), alias.name).compiler_flag
        single = ast.Module([statement], [])
        code = compile(single, path, "exec", flags=flags, dont_inherit=True)
        decorators = getattr(statement, "decorator_list", [])
        error = _attempt(lambda code=code: exec(code, module.__dict__))
        results.append(
            {
                "line": min([statement.lineno, *(node.lineno for node in decorators)]),
                "end": statement.end_lineno,
                "error": error,
            }
        )
    return results


def _apps(module: types.ModuleType) -> Iterator[tuple[str, Callable[[], FastAPI]]]:
    """The apps of a module: its own, those its factories make, or one around its routers."""
    found = False
    names = dict(vars(module))
    for name, value in names.items():
        if isinstance(value, FastAPI):
            found = True
            yield name, lambda value=value: value
        elif (
            inspect.isfunction(value) and value.__module__ == module.__name__ and _makes_app(value)
        ):
            found = True
            yield f"{name}()", value
    if not found:
        routers = [value for value in names.values() if isinstance(value, APIRouter)]
        if routers:
            yield "(routers)", lambda: _app_around(routers)


def _makes_app(function: types.FunctionType) -> bool:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        return False
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
           for p in inspect.signature(function).parameters.values()):  # fmt: skip
        return False
    annotation = function.__annotations__.get("return")
    if isinstance(annotation, str):
        return annotation.rpartition(".")[2] == "FastAPI"
    is_app = inspect.isclass(annotation) and issubclass(annotation, FastAPI)
    return is_app or function.__name__ in FACTORY_NAMES


def _app_around(routers: list[APIRouter]) -> FastAPI:
    app = FastAPI()
    for index, router in enumerate({id(router): router for router in routers}.values()):
        app.include_router(router, prefix=f"/judge{index}")
    return app


def _described(make: Callable[[], FastAPI]) -> dict[str, Any]:
    """The OpenAPI document and the route table of an app."""
    result: dict[str, Any] = {"openapi": None, "routes": None, "error": None}
    try:
        app = make()
        result["routes"] = [
            [
                type(context.original_route).__name__,
                context.path,
                sorted(getattr(context, "methods", None) or ()),
                context.name,
                getattr(context.original_route, "status_code", None),
                getattr(context.original_route, "include_in_schema", None),
            ]
            for context in fastapi.routing.iter_route_contexts(app.routes)
        ]
        result["openapi"] = app.openapi()
    except BaseException as error:
        result["error"] = _error(error)
    return result


def examine(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request, in a child."""
    root, name = request["root"], request["module"]
    sys.path.insert(0, root)
    os.chdir(root)
    finder = _StandInFinder()
    sys.meta_path.append(finder)
    with contextlib.suppress(ImportError):
        importlib.import_module("uvicorn").run = lambda *args, **kwargs: None  # type: ignore[attr-defined]
    answer: dict[str, Any] = {"error": None, "statements": None, "apps": {}}
    module: types.ModuleType | None = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if request.get("by_statement"):
            path = os.path.join(root, *name.split(".")) + ".py"
            module = types.ModuleType(name)
            module.__file__ = path
            sys.modules[name] = module
            with open(path, encoding="utf-8-sig") as file:
                answer["statements"] = _import_by_statement(module, file.read(), path)
        else:
            try:
                module = importlib.import_module(name)
            except BaseException as error:
                answer["error"] = _error(error)
        if module is not None:
            answer["apps"] = {app: _described(make) for app, make in _apps(module)}
    answer["warnings"] = [
        {
            "types": [cls.__name__ for cls in warning.category.__mro__],
            "message": str(warning.message),
        }
        for warning in caught
    ]
    answer["absent"] = sorted(finder.absent)
    return answer


def _answer_in_child(request: dict[str, Any]) -> dict[str, Any]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        try:
            data = json.dumps(examine(request), default=str).encode()
        except BaseException as error:
            data = json.dumps({"crash": _error(error)}).encode()
        with os.fdopen(writer, "wb") as out:
            out.write(data)
        os._exit(0)
    os.close(writer)
    data = b""
    with os.fdopen(reader, "rb", buffering=0) as source:
        while True:
            ready, _, _ = select.select([source], [], [], request.get("timeout", TIMEOUT))
            if not ready:
                os.kill(pid, signal.SIGKILL)
                break
            chunk = source.read(1 << 16)
            if not chunk:
                break
            data += chunk
    os.waitpid(pid, 0)
    if not data:
        return {"crash": {"types": ["TimeoutError"], "message": "no answer in time", "trace": []}}
    answer: dict[str, Any] = json.loads(data)
    return answer


def main() -> None:
    """Serve until standard input ends."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        answer = _answer_in_child(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
