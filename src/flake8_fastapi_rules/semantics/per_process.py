"""Why each process may well have a module variable of its own, though requests change it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.engine.index import mentions
from flake8_fastapi_rules.semantics.comments import comments_on
from flake8_fastapi_rules.semantics.credentials import last_name
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.shared import MUTATORS
from flake8_fastapi_rules.semantics.values import Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import Binding, ModuleIndex
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.shared import Mutation, SharedState

#: In the name of a variable that each process has for itself.
_OF_EACH: Final = re.compile(r"(?:^|_)(?:in|per)_process(?:_|$)|process_(?:local|wide)|per_worker")
#: The latest lines of a log.
_LOGS: Final = name_set("log logs")
#: Objects that cannot leave the process: what runs in it, and what it waits for or holds.
_TIED: Final = (
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
#: Methods of loggers.
_LOGGING: Final = name_set("debug info warning warn error critical exception log")
#: Words in the names of variables that are caches.
_CACHE_WORDS: Final = name_set("cache cached caches memo")
#: What a cache with an end of its own speaks of, and what takes things out of one.
_LIMITS: Final = re.compile(
    r"ttl|expir|max_?(?:size|age|entries|items)|time\(|now\(|monotonic\(", re.IGNORECASE
)
_FRESH: Final = re.compile(r"ttl|max_?age|fresh|stale|expir", re.IGNORECASE)
_CLOCKS: Final = name_set("monotonic now time utcnow")
_DROPPING: Final = name_set("clear pop popitem popleft")
#: What is said of a variable that each process is to have for itself, or of a service that has one.
_ONE_PROCESS: Final = re.compile(
    r"(?i)\bsingle[- ](?:process|worker)|\bone (?:process|worker)\b|\b(?:per|each|this)[- ]"
    r"(?:process|worker)\b|\bprocess[- ](?:local|lifetime|wide)\b"
    r"|\b(?:life|lifetime) of the process\b|\bonly the process\b|\bsticky[- ]sessions?\b"
    r"|单进程|进程内|单个进程|un solo proceso|um único processo|один процесс"
)
_FALL_BACK: Final = re.compile(r"(?i)\bfall-?backs?\b")
#: What is called so is at work now.
_WORK: Final = name_set("active concurrent current in inflight ongoing open pending running")
#: What tells a process from the others.
_WORKERS: Final = name_set("getpid pid worker")
#: What a process does now and then, for itself.
_HOUSEKEEPING: Final = name_set(
    "alert alerts clean cleanup evict flush gc log logged persist persisted prune purge sweep"
    " vacuum warn warned warning"
)
_USES: Final = name_set("accessed activity active call called calls execution request seen used")
_LAST: Final = name_set("at last next sent time ts")


def holds_tied_objects(
    model: Model, module: Module, bindings: Iterable[Binding], mutations: Iterable[Mutation]
) -> bool:
    """Whether a variable certainly holds what cannot leave its process: sockets, tasks, locks.

    Parameters:
        bindings: where the module binds the variable: an annotation may say what it holds.
        mutations: what puts something in.
    """
    return any(
        isinstance(value := model.resolve(mutation.module, part), Instance)
        and model.is_instance(value, *_TIED)
        for mutation in mutations
        for given in (*mutation.values, *_put_into_default(mutation), *_keys(mutation))
        for part in ast.walk(given)
        if part is given or isinstance(part, ast.Name)
    ) or any(
        model.is_subclass(model.resolve(module, part), *_TIED)
        for binding in bindings
        if (annotation := getattr(binding.node, "annotation", None)) is not None
        for part in ast.walk(annotation)
        if isinstance(part, ast.Name | ast.Attribute)
    )


def may_be_of_each_process(module: Module, name: str, mutations: Sequence[Mutation]) -> bool:
    """Whether a variable of a module looks, by use or name, like what each process has for itself.

    Gauges, caches with an end, latches, breakers and the like; and what comments on it, docstrings
    or its name say is of one process.

    Parameters:
        mutations: what changes the variable while requests are served, or before.
    """
    return (
        _is_gauge(mutations)
        or any(says(mutations, name) for says in _SIGNS)
        or _is_of_one_process(module, name)
        or _OF_EACH.search(name.lower()) is not None
    )


def keeps_latest_log(model: Model, shared: SharedState, module: Module, name: str) -> bool:
    """Whether a variable holds the latest lines of a log and drops the others, or numbers them."""
    bindings = module.index.module_scope.bindings
    own = [binding for binding in bindings.get(name, ()) if not binding.deferred]
    if _is_recent_log(model, module, name, own):
        return True
    mutations = shared.mutations(module, name)
    if not all(isinstance(each.node, ast.AugAssign) for each in mutations):
        return False
    keeping = {
        each.function.node
        for other in shared.names(module)
        if _is_recent_log(model, module, other, bindings.get(other, ()))
        for each in shared.mutations(module, other)
    }
    return all(each.function.node in keeping for each in mutations)


def _is_recent_log(model: Model, module: Module, name: str, bindings: Iterable[Binding]) -> bool:
    if _LOGS.isdisjoint(words_of(name)):
        return False
    return any(
        isinstance(made := binding.value, ast.Call)
        and model.is_subclass(model.resolve(module, made.func), "collections.deque")
        and any(keyword.arg == "maxlen" for keyword in made.keywords)
        for binding in bindings
    )


def _keys(mutation: Mutation) -> list[ast.expr]:
    """What a value is stored under: `names[task] = name`."""
    match mutation.node:
        case ast.Assign(targets=[ast.Subscript(slice=key)]):
            return [key]
        case _:
            return []


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


def _is_gauge(mutations: Iterable[Mutation]) -> bool:
    """Whether a variable counts what goes on in its process: each function adds and takes away."""
    changed: dict[ast.AST, set[type[ast.operator] | None]] = defaultdict(set)
    for each in mutations:
        node = each.node
        step = type(node.op) if isinstance(node, ast.AugAssign) else None
        changed[each.function.node].add(step)
    return bool(changed) and all(steps == {ast.Add, ast.Sub} for steps in changed.values())


def _is_for_log(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable only keeps lines from being logged again and again."""
    guarded = False
    for each in mutations:
        index = each.module.index
        own = tuple(index.own_nodes(each.function.node))
        reads = {
            node
            for node in own
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        }
        around = next(
            (a for a in index.ancestors(each.node) if isinstance(a, ast.If) and _logs(a)), None
        )
        if around is not None and reads & set(ast.walk(around.test)):
            guarded = guarded or reads <= set(ast.walk(around))
        elif any(isinstance(node, ast.Return) and node.value is not None for node in own):
            return False
    return guarded


def _is_latch(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable only remembers that its process has done something, once.

    `if not _checked: check(); _checked = True`. What sets it back elsewhere makes a switch of it.
    """
    setters: dict[ast.AST, bool] = defaultdict(bool)
    asked = True
    for each in mutations:
        index = each.module.index
        bindings = index.module_scope.bindings.get(name, ())
        for node in (each.node, *(binding.node for binding in bindings if binding.deferred)):
            statement = index.statement_of(node)
            value = statement.value if isinstance(statement, ast.Assign) else None
            if not isinstance(value, ast.Constant) or not isinstance(value.value, bool | None):
                return False
            function = index.function_of(node)
            if function is not None:
                setters[function] = setters[function] or bool(value.value)
        asked = asked and any(
            isinstance(test, ast.If) and mentions(index.condition(test.test), {name})
            for test in index.own_nodes(each.function.node)
        )
    return asked and bool(setters) and all(setters.values())


def _is_bounded_cache(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable is called a cache, and what is in it is dropped or grows old."""
    if _CACHE_WORDS.isdisjoint(words_of(name)):
        return False
    return any(
        (isinstance(each.node, ast.Delete))
        or last_name(getattr(each.node, "func", each.node)) in _DROPPING
        or isinstance(getattr(each.node, "value", None), ast.Constant)
        or _LIMITS.search(each.module.source.segment(each.function.node))
        for each in mutations
    )


def _is_refreshed(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable is set anew together with the time, and good until it is too old.

    `_status = read(); _read_at = now()`
    """
    found = False
    for each in mutations:
        function = each.function.node
        outer = each.module.index.scopes[function].outer
        if not isinstance(each.node, ast.Assign) or name not in outer:
            return False
        stamped = {
            target.id
            for node in each.module.index.own_nodes(function)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and last_name(node.value.func) in _CLOCKS
            for target in node.targets
            if isinstance(target, ast.Name) and outer.get(target.id) == "global"
        }
        if not stamped or len([n for n in outer if outer[n] == "global"]) < 2:
            return False
        found = found or _FRESH.search(each.module.source.text) is not None
    return found


def _is_of_one_process(module: Module, name: str) -> bool:
    """Whether comments on a variable say that one process is meant, or docstrings do.

    That of its module, or those of the functions there that use it. Or that the variable only
    stands in for a store that cannot be reached.
    """
    if _ONE_PROCESS.search(ast.get_docstring(module.tree, clean=False) or ""):
        return True
    for binding in module.index.module_scope.bindings.get(name, ()):
        statement = module.index.statement_of(binding.node)
        if not binding.deferred and isinstance(statement, ast.stmt):
            said = comments_on(module, statement)
            if _ONE_PROCESS.search(said) or _FALL_BACK.search(said):
                return True
    return any(
        _ONE_PROCESS.search(ast.get_docstring(function, clean=False) or "") is not None
        and name in module.index.mentioned(function)
        for function in module.index.functions
    )


def _is_apart(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether what changes a variable tells its process from the others: numbers of a worker's ids.

    `return f"{worker_id()}-{_latest_number}"`
    """
    functions = [(each.module.index, each.function.node) for each in mutations]
    return all(
        any(not _WORKERS.isdisjoint(words_of(said)) for said in index.mentioned(function))
        for index, function in functions
    )


def _is_breaker(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable is a circuit breaker: what a process has seen of others itself."""
    return "breaker" in words_of(name) or "breakers" in words_of(name)


def _is_of_work_in_progress(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable holds what its process is at work on.

    Each function that adds to it takes it away in `finally`. Or it is called so, and is only
    counted up and down.
    """
    added: dict[ast.AST, bool] = {}
    steps: set[type[ast.operator]] = set()
    for each in mutations:
        node, index = each.node, each.module.index
        if isinstance(node, ast.AugAssign):
            steps.add(type(node.op))
        is_last = any(
            isinstance(above, ast.Try) and _is_below(index, node, above.finalbody)
            for above in index.ancestors(node)
        )
        key = each.function.node
        added[key] = added.get(key, False) or is_last
    if added and all(added.values()):
        return True
    return steps == {ast.Add, ast.Sub} and not _WORK.isdisjoint(words_of(name))


def _is_below(index: ModuleIndex, node: ast.AST, block: list[ast.stmt]) -> bool:
    return node in block or any(above in block for above in index.ancestors(node))


def _is_for_housekeeping(mutations: Iterable[Mutation], name: str) -> bool:
    """Whether a variable only tells when its process last tidied up, warned or was used."""
    said = set(words_of(name))
    if "last" in said and not _USES.isdisjoint(said):
        return all(_is_now(each.node) for each in mutations)
    for each in mutations:
        node = each.node
        if not isinstance(node, ast.Assign | ast.AugAssign):
            return False
        if isinstance(node.value, ast.Constant | ast.Name | ast.Attribute | ast.Call):
            said.update(words_of(getattr(each.function.node, "name", "")))
        else:
            return False
    return not said.isdisjoint(_HOUSEKEEPING) and not said.isdisjoint(_LAST)


def _is_now(node: ast.AST) -> bool:
    """Whether an assignment stores the time of the moment."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and last_name(node.value.func) in _CLOCKS
    )


def _logs(branch: ast.If) -> bool:
    """Whether a branch does nothing but log and assign."""
    calls = [s.value for s in branch.body if isinstance(s, ast.Expr)]
    return (
        bool(calls)
        and not branch.orelse
        and all(isinstance(s, ast.Expr | ast.Assign | ast.AugAssign) for s in branch.body)
        and all(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in _LOGGING | MUTATORS
            for call in calls
        )
        and any(
            isinstance(call, ast.Call) and getattr(call.func, "attr", "") in _LOGGING
            for call in calls
        )
    )


#: How a variable is changed tells that it is of each process.
_SIGNS: Final = (
    _is_apart,
    _is_bounded_cache,
    _is_breaker,
    _is_for_housekeeping,
    _is_for_log,
    _is_latch,
    _is_of_work_in_progress,
    _is_refreshed,
)
