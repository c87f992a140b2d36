"""FAR112: module variables that requests change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from flake8_fastapi_rules.engine.index import Binding
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Route
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.scripts import is_in_command
from flake8_fastapi_rules.semantics.shared import (
    Mutation,
    SharedState,
    is_apart,
    is_bounded_cache,
    is_breaker,
    is_for_housekeeping,
    is_for_log,
    is_gauge,
    is_latch,
    is_of_one_process,
    is_of_work_in_progress,
    is_refreshed,
)
from flake8_fastapi_rules.semantics.values import Instance

_MOCKS = frozenset({"mock", "mocks", "stub", "stubs"})
#: Why a variable may well be one of each process.
#: In the name of a variable that each process has for itself.
_OF_EACH = re.compile(r"(?:^|_)(?:in|per)_process(?:_|$)|process_(?:local|wide)|per_worker")
#: What modules are called that say how a process logs, and what its latest lines are called.
_LOGGING = frozenset({"debug", "log", "logger", "logging", "logs"})
_LOGS = frozenset({"log", "logs"})
_OF_PROCESS = (
    is_apart,
    is_bounded_cache,
    is_breaker,
    is_for_housekeeping,
    is_for_log,
    is_latch,
    is_of_work_in_progress,
    is_refreshed,
)
#: Objects that cannot leave the process: what runs in it, and what it waits for or holds.
_TIED = (
    "starlette.websockets.WebSocket",
    # How a socket or stream is told of what happens: nobody else can take from it.
    "asyncio.Queue",
    "asyncio.Future",
    "asyncio.Task",
    "asyncio.Condition",
    "asyncio.Event",
    "asyncio.Lock",
    "asyncio.Semaphore",
    "asyncio.BoundedSemaphore",
    "asyncio.subprocess.Process",
    "concurrent.futures.Future",
    "multiprocessing.Process",
    "subprocess.Popen",
    "threading.BoundedSemaphore",
    "threading.Condition",
    "threading.Event",
    "threading.Lock",
    "threading.RLock",
    "threading.Semaphore",
    "threading.Thread",
)


class MutableGlobalState(Rule):
    """Do not keep what requests change in module variables.

    ## What it does
    Reports a module-level list, dict, set or other container that an endpoint, dependency,
    middleware or exception handler changes, also from another module, and a module variable that
    one of them rebinds through `global`.

    ## Why it matters
    Every worker process has a variable of its own, so that what one request stored is missing in
    the next; everything is lost with each restart; plain `def` endpoints change it from several
    threads at once; and tests see what the tests before them left there.

    ## Example
    ```python
    from fastapi import Depends

    names: list[str] = []


    async def remember(name: str) -> str:
        names.append(name)
        return name


    Name = Depends(remember)
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends

    from shop.store import NameStore, get_store


    async def remember(name: str, store: Annotated[NameStore, Depends(get_store)]) -> str:
        \"\"\"Store the name.\"\"\"
        await store.add(name)
        return name


    Name = Annotated[str, Depends(remember)]
    ```

    ## Leaves alone
    What is only read; what a lifespan or event handler alone fills and empties; objects made when
    they are first needed (`if client is None: client = ...`, or under a flag); collections of open
    WebSockets, their queues and of running tasks, which cannot leave the process; gauges of what
    goes on in it (`+= 1` and `-= 1` in one function) and what only keeps a line from being logged
    again and again, or tells when the process last tidied up; what remembers that something was
    done once; what each function adds and takes away in its `finally`; circuit breakers; what a
    comment on it, its name, or the docstring of the module or of a function that uses it, says is
    of one process, or a fallback; numbers in ids that name their worker; how a process logs, and
    the latest lines of a log; variables
    called caches
    whose entries grow old or are dropped, and what is set anew with the time when it is stale; the
    app that a command (Click, Typer) starts for itself,
    for a log-in by the browser, say; stand-ins in folders for mocks; locks, context variables, and
    caches of `functools`.

    ## Source
    The convention that shared state lives in a store, or in `app.state` as the lifespan made it;
    uvicorn's and gunicorn's worker processes share no memory.
    """

    code = "FAR112"
    message = "`{name}` is changed by `{function}` (line {line}): requests share it, workers do not"
    variants = {
        "elsewhere": "`{name}` is changed by `{function}` of `{module}`: requests share it, "
        "workers do not",
    }
    profiles = ("recommended",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the variables of a module, each once, at its first binding."""
        shared = context.model.shared_state(module)
        names = shared.names(module)
        if not names or _is_stand_in(module, context):
            return
        for name in names:
            bindings = module.index.module_scope.bindings
            own = [b for b in bindings.get(name, ()) if not b.deferred]
            mutations = shared.mutations(module, name)
            serving = [
                m
                for m in mutations
                if m.serves and not m.is_lazy and not is_in_command(m.module, m.function.node)
            ]
            if not own or not serving or self._is_tied_to_process(mutations, context):
                continue
            if any(self._says_that_it_is_tied(binding, context) for binding in own):
                continue
            if any(b.kind not in {"assign", "annotated"} for b in own):
                continue
            if is_gauge(mutations) or any(says(mutations, name) for says in _OF_PROCESS):
                continue
            if is_of_one_process(module, name) or _is_said_of_process(name):
                continue
            if _is_for_logging(module, context) or _is_recent_log(name, own, context):
                continue
            if _numbers_log(mutations, shared, context):
                continue
            first = serving[0]
            place = next(
                (n for n in ast.walk(own[0].node) if isinstance(n, ast.Name) and n.id == name),
                own[0].node,
            )
            yield self.report(
                place,
                None if first.module is module else "elsewhere",
                related=[context.related(first.module, first.node, "changed here")],
                name=name,
                function=getattr(first.function.node, "name", "<lambda>"),
                line=getattr(first.node, "lineno", 0),
                module=first.module.name,
            )

    def _says_that_it_is_tied(self, binding: Binding, context: Context) -> bool:
        """Whether the annotation of a variable names such objects: `dict[str, WebSocket]`."""
        annotation = getattr(binding.node, "annotation", None)
        return annotation is not None and any(
            context.model.is_subclass(context.resolve(part), *_TIED)
            for part in ast.walk(annotation)
            if isinstance(part, ast.Name | ast.Attribute)
        )

    def _is_tied_to_process(self, mutations: tuple[Mutation, ...], context: Context) -> bool:
        return any(
            isinstance(value := context.model.resolve(mutation.module, part), Instance)
            and context.model.is_instance(value, *_TIED)
            for mutation in mutations
            for given in (*mutation.values, *_put_into_default(mutation), *_keys(mutation))
            for part in ast.walk(given)
            if part is given or isinstance(part, ast.Name)
        )


def _is_said_of_process(name: str) -> bool:
    """Whether a variable says that each process has its own: `seen_in_process`."""
    return _OF_EACH.search(name.lower()) is not None


def _is_for_logging(module: Module, context: Context) -> bool:
    """Whether a module without routes sets how a process logs."""
    last = module.name.rpartition(".")[2].strip("_").lower()
    return last in _LOGGING and not context.facts(Route)


def _is_recent_log(name: str, bindings: Sequence[Binding], context: Context) -> bool:
    """Whether a variable holds the latest lines of a log and drops the others."""
    if _LOGS.isdisjoint(words_of(name)):
        return False
    return any(
        isinstance(made := binding.value, ast.Call)
        and context.model.is_subclass(context.resolve(made.func), "collections.deque")
        and any(keyword.arg == "maxlen" for keyword in made.keywords)
        for binding in bindings
    )


def _numbers_log(mutations: Sequence[Mutation], shared: SharedState, context: Context) -> bool:
    """Whether a variable only counts the lines of such a log, where these are put in."""
    if not all(isinstance(each.node, ast.AugAssign) for each in mutations):
        return False
    module = context.module
    bindings = module.index.module_scope.bindings
    keeping = {
        each.function.node
        for name in shared.names(module)
        if _is_recent_log(name, bindings.get(name, ()), context)
        for each in shared.mutations(module, name)
    }
    return all(each.function.node in keeping for each in mutations)


def _keys(mutation: Mutation) -> list[ast.expr]:
    """What a value is stored under: `names[task] = name`."""
    match mutation.node:
        case ast.Assign(targets=[ast.Subscript(slice=key)]):
            return [key]
        case _:
            return []


def _is_stand_in(module: Module, context: Context) -> bool:
    """Whether a module stands for another service in tests: it or its folder is called mock."""
    root = context.settings.root
    if root is None or not module.path.is_relative_to(root):
        return False
    parts = (Path(root).name, *module.path.relative_to(root).parts)
    return any(not _MOCKS.isdisjoint(words_of(part)) for part in parts)


def _put_into_default(mutation: Mutation) -> list[ast.expr]:
    """What `rooms.setdefault(name, []).append(socket)` puts in besides the list."""
    parents = mutation.module.index.parents
    match mutation.node:
        case ast.Call(func=ast.Attribute(attr="setdefault")) as call:
            method = parents.get(call)
            outer = parents.get(method) if isinstance(method, ast.Attribute) else None
            if isinstance(outer, ast.Call) and outer.func is method:
                return outer.args
    return []
