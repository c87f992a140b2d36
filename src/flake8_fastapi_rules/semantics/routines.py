"""Functions that run in the background: who starts them, and how they handle exceptions."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, all_arguments, mentions, terminal_name
from flake8_fastapi_rules.semantics.calls import overriding
from flake8_fastapi_rules.semantics.facts import BackgroundRoutine, Role
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.values import (
    External,
    Function,
    FunctionNode,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.uses import Uses

#: Methods that wait for the tasks started through them and hand their exceptions on.
_WAITING = frozenset({"start_soon", "start", "run_coroutine_threadsafe"})
#: Methods that only keep a task, or that end it with an exit stack.
_KEEPING = frozenset({"add", "callback", "push_async_callback"})
_DEFINED = re.compile(r"def[ \t]+(\w+)")
#: What sends to a WebSocket.
_SENDS = frozenset({"ping", "send_bytes", "send_json", "send_ping", "send_text"})
#: What removes a file.
_REMOVALS = frozenset({"remove", "rmtree", "unlink"})
#: What may stand around either.
_BESIDE = frozenset(
    {
        "debug", "dumps", "exists", "info", "is_file", "isfile", "isoformat", "model_dump",
        "model_dump_json", "now", "print", "sleep", "time", "utcnow", "wait_for",
    }
)  # fmt: skip


class _Routines:
    """The routines that a project starts, by the names of what they call.

    A project may start hundreds, and has thousands of modules that define none of them.
    """

    def __init__(self, model: Model, routines: Iterable[BackgroundRoutine]) -> None:
        self._model = model
        self._named: defaultdict[str | None, list[tuple[int, BackgroundRoutine]]] = defaultdict(
            list
        )
        self._targets: dict[int, Function | None] = {}
        for order, routine in enumerate(routines):
            self._named[_function_name(model, routine)].append((order, routine))

    def with_targets_in(self, module: Module) -> Iterator[tuple[FunctionNode, BackgroundRoutine]]:
        """Those that run functions of a module, with nobody waiting for them, as they start."""
        if not self._named:
            return
        defined = self._named.keys() & _DEFINED.findall(module.source.text)
        for order, routine in sorted(
            (entry for name in (None, *defined) for entry in self._named.get(name, ())),
            key=lambda entry: entry[0],
        ):
            target = self._target(order, routine)
            if target is not None and target.module is module:
                yield target.node, routine  # type: ignore[misc]

    @property
    def targets(self) -> Iterator[Function]:
        """What they all run with nobody waiting for it."""
        for entries in self._named.values():
            for order, routine in entries:
                target = self._target(order, routine)
                if target is not None:
                    yield target

    def _target(self, order: int, routine: BackgroundRoutine) -> Function | None:
        if order not in self._targets:
            self._targets[order] = _left_alone(self._model, routine)
        return self._targets[order]


def _gather(model: Model, uses: Uses) -> _Routines:
    return _Routines(model, _started(model, uses))


def _started(model: Model, uses: Uses) -> Iterator[BackgroundRoutine]:
    """What the modules that matter start, and those of the service that know no framework."""
    files, is_test = model.modules, model.settings.is_test_path
    known = set(uses.modules)
    paths = (path for path in files.files_with_routines(uses.root) if not is_test(str(path)))
    starting = map(files.load, paths)
    others = [module for module in starting if module is not None and module not in known]
    for module in (*uses.modules, *others):
        if is_test(str(module.path)):
            continue  # a test may start anything
        if module in known or model.shared_state(module).is_part_of_service(module):
            for started in model.local(module, BackgroundRoutine):
                yield from _behind(model, started)


def _behind(model: Model, routine: BackgroundRoutine) -> Iterator[BackgroundRoutine]:
    """A routine, and those that a helper like `spawn(coroutine)` is given to start."""
    yield routine
    name, helper = routine.target_node, routine.in_function
    if not (isinstance(name, ast.Name) and isinstance(helper, FUNCTIONS)):
        return
    _, bindings = routine.module.index.lookup(name.id, name) or (None, [])
    parameter = next((each for each in all_arguments(helper.args) if each.arg == name.id), None)
    if parameter is None or [each.node for each in bindings] != [parameter]:
        return
    if _is_watched(model, routine, helper):
        return
    for call in model.direct_calls(Function(routine.module, helper)):
        given = call.given(parameter) if call.is_certain else None
        if isinstance(given, ast.Call):
            yield BackgroundRoutine(
                call.module,
                call.node,
                routine.starter,
                partial(model.resolve, call.module, given.func),
                given.func,
                tuple(given.args),
                call.module.index.function_of(call.node),
            )


def _is_watched(model: Model, routine: BackgroundRoutine, helper: FunctionNode) -> bool:
    """Whether a helper waits for what it starts, or has it watched by code of the project."""
    for node in routine.module.index.own_nodes(helper):
        match node:
            case ast.Await():
                return True
            case ast.Call(func=ast.Attribute(attr="add_done_callback"), args=[callback]):
                if not isinstance(callback, ast.Attribute) or isinstance(
                    model.resolve(routine.module, callback), Function
                ):
                    return True
    return False


def _is_no_framework_function(model: Model, routine: BackgroundRoutine, target: Function) -> bool:
    """Whether FastAPI itself does not call a routine; a repeated one it may start."""
    roles = model.roles(target)
    return not roles or (routine.starter == "repeat_every" and roles == {Role.EVENT_HANDLER})


_routines = PerProject(_gather)


def _function_name(model: Model, routine: BackgroundRoutine) -> str | None:
    """The name under which the target is defined, when its module need not be read to tell."""
    match routine.target_node:
        case ast.Attribute(attr=name):
            return name
        case ast.Name() as name:
            origin = model.resolver.origin(routine.module, name)
            return origin[1] if origin is not None else None
        case _:
            return None


def routines_in(
    model: Model, module: Module
) -> tuple[tuple[FunctionNode, list[BackgroundRoutine]], ...]:
    """The functions of a module that run in the background, each with what starts it."""
    found: defaultdict[FunctionNode, list[BackgroundRoutine]] = defaultdict(list)
    for node, routine in _routines(model, module).with_targets_in(module):
        found[node].append(routine)
    if not found:
        return ()
    return tuple((node, found[node]) for node in module.index.functions if node in found)


def _left_alone(model: Model, routine: BackgroundRoutine) -> Function | None:
    """The project's function that runs in the background only, without anybody waiting for it."""
    target = routine.target
    if (
        isinstance(target, Function)
        and isinstance(target.node, FUNCTIONS)
        and _is_no_framework_function(model, routine, target)
        and _is_left_alone(routine)
    ):
        return target
    return None


def _is_left_alone(routine: BackgroundRoutine) -> bool:
    """Whether nobody waits for a task, so that nobody sees its exception."""
    if routine.starter != "create_task":
        return True
    node = routine.node
    index = routine.module.index
    if not isinstance(node, ast.Call):
        return True
    func = node.func
    if isinstance(func, ast.Attribute):
        owner = func.value
        group = _group_of(routine, owner.id) if isinstance(owner, ast.Name) else None
        if group is not None:
            return _yields(group)
        if func.attr in _WAITING:
            return False
        if isinstance(owner, ast.Name) and owner.id in {"tg", "group", "task_group", "taskgroup"}:
            return False
    parent = index.parents.get(node)
    if isinstance(parent, ast.List | ast.Tuple | ast.Set | ast.ListComp | ast.SetComp):
        parent = index.parents.get(parent)  # `app.state.tasks = [create_task(...), ...]`
        if isinstance(parent, ast.Expr):
            return False
    match parent:
        case ast.Expr():
            return True
        case ast.Assign(targets=[ast.Attribute()]) | ast.AnnAssign(target=ast.Attribute()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return not _is_awaited(routine, name)
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=kept), attr="append")):
            # `app.state.tasks.append(create_task(...))` outlives the function.
            return not _is_gathered(routine.module, kept)
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in _KEEPING
        case _:
            return False


def _is_gathered(module: Module, name: str) -> bool:
    """Whether somebody waits for the tasks in an attribute, other than to see them end."""
    for call in module.index.nodes(ast.Call):
        if getattr(call.func, "attr", None) not in {"gather", "wait", "as_completed"}:
            continue
        if any(keyword.arg == "return_exceptions" for keyword in call.keywords):
            continue
        for given in call.args:
            held = given.value if isinstance(given, ast.Starred) else given
            if isinstance(held, ast.Attribute) and held.attr == name:
                return True
    return False


def _is_asked_for_results(module: Module, name: str) -> bool:
    """Whether a function that uses the tasks in an attribute takes their results or errors."""
    users = {
        module.index.function_of(node)
        for node in module.index.nodes(ast.Attribute)
        if node.attr == name and isinstance(node.ctx, ast.Load)
    }
    return any(
        isinstance(node, ast.Call)
        and getattr(node.func, "attr", None) in {"result", "exception"}
        and not (node.args or node.keywords)  # as there are of `logger.exception(...)`
        for user in users
        if isinstance(user, FUNCTIONS)
        for node in module.index.own_nodes(user)
    )


def _group_of(routine: BackgroundRoutine, name: str) -> ast.AsyncWith | None:
    """The `async with TaskGroup() as name` that waits for a routine."""
    function = routine.in_function
    for node in routine.module.index.own_nodes(function) if function is not None else ():
        if isinstance(node, ast.AsyncWith) and any(
            isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == name
            for item in node.items
        ):
            return node
    return None


def _yields(group: ast.AsyncWith) -> bool:
    """Whether a lifespan yields inside of a task group: its tasks run while the app does."""
    return any(isinstance(node, ast.Yield) for each in group.body for node in ast.walk(each))


def _is_awaited(routine: BackgroundRoutine, name: str) -> bool:
    """Whether the starting function waits for a task other than to see it end."""
    function = routine.in_function
    if function is None:
        return False
    own = routine.module.index.own_nodes(function)
    names = {name} | {
        node.target.id  # of `for task in (*tasks, other): task.cancel()` in a lifespan
        for node in own
        if routine.module.index.is_generator(function)
        and isinstance(node, ast.For)
        and isinstance(node.target, ast.Name)
        and mentions(node.iter, {name})
    }
    is_cancelled = any(
        isinstance(node, ast.Attribute)
        and node.attr == "cancel"
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        for node in own
    )
    uses = [
        node
        for node in own
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    if any(
        isinstance(parent := routine.module.index.parents.get(node), ast.Attribute)
        and parent.attr in {"result", "exception"}
        for node in uses
    ):
        return True  # whoever asks for the result gets the exception
    if is_cancelled:
        return False
    return any(not _is_kept(routine.module, node) for node in uses)


def _is_kept(module: Module, node: ast.Name) -> bool:
    """Whether a use of a task only keeps it, or adds a callback to it."""
    match module.index.parents.get(node):
        case ast.Attribute(attr=attr):
            return attr in {"add_done_callback", "set_name", "get_name", "done", "cancelled"}
        case ast.Call(func=ast.Attribute(attr="add")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=kept), attr="append")):
            return not _is_gathered(module, kept)
        case (
            ast.Assign(targets=[ast.Attribute(attr=kept)])  # `self.reader = task`
            | ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr=kept))])
        ):
            return not (_is_gathered(module, kept) or _is_asked_for_results(module, kept))
    return False


def body_without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a body without a docstring."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:]
    return body


def guarding_try(function: FunctionNode) -> ast.Try | ast.TryStar | None:
    """The `try` with handlers that is a routine's whole body, or that of its endless loop.

    Statements that only assign, declare or log may stand in front of it, or behind.
    """
    return _guard(function.body)


def _guard(body: list[ast.stmt]) -> ast.Try | ast.TryStar | None:
    found: ast.Try | ast.TryStar | None = None
    for statement in body_without_docstring(body):
        inner: ast.Try | ast.TryStar | None = None
        match statement:
            case ast.Try() | ast.TryStar():
                inner = statement if statement.handlers else _guard(statement.body)
            case ast.While(body=loop) | ast.With(body=loop) | ast.AsyncWith(body=loop):
                inner = _guard(loop)
            case _ if _is_trivial(statement):
                continue
            case _:
                return None
        if inner is None or found is not None:
            return None
        found = inner
    return found


def closing_try(function: FunctionNode) -> ast.Try | ast.TryStar | None:
    """The `try` with handlers that a routine's body, or that of its endless loop, ends with."""
    return _closing(function.body)


def _closing(body: list[ast.stmt]) -> ast.Try | ast.TryStar | None:
    statements = [each for each in body_without_docstring(body) if not _is_trivial(each)]
    match statements[-1:]:
        case [ast.Try(handlers=[_, *_]) | ast.TryStar() as found]:
            return found
        case [
            ast.Try(body=inner)
            | ast.While(body=inner)
            | ast.With(body=inner)
            | ast.AsyncWith(body=inner)
        ]:
            return _closing(inner)
        case _:
            return None


def _is_trivial(statement: ast.stmt) -> bool:
    """Whether a statement cannot fail in a way that matters: names, constants, log lines, sleep."""
    match statement:
        case (
            ast.Pass()
            | ast.Global()
            | ast.Nonlocal()
            | ast.Import()
            | ast.ImportFrom()
            | ast.FunctionDef()
            | ast.AsyncFunctionDef()
            | ast.Return(value=None)
        ):
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Await(value=call) | call):
            return isinstance(call, ast.Call) and terminal_name(call.func) in _HARMLESS
        case ast.Assign(value=value) | ast.AnnAssign(value=value):
            return value is None or not any(
                isinstance(node, ast.Await)
                or (isinstance(node, ast.Call) and terminal_name(node.func) not in _HARMLESS)
                for node in ast.walk(value)
            )
        case _:
            return False


_HARMLESS = frozenset(
    {
        "debug", "info", "warning", "error", "exception", "log", "critical", "print", "sleep",
        "time", "monotonic", "perf_counter", "now", "utcnow", "getLogger", "get_logger", "bind",
        "list", "dict", "set", "uuid4", "get_event_loop", "get_running_loop", "len", "str",
        "today", "isoformat", "strftime", "timedelta",
    }
)  # fmt: skip


def only_sends_or_removes(guard: ast.Try | ast.TryStar) -> bool:
    """Whether a `try` only sends to a socket, or only removes files.

    That it fails is how a socket says that nobody is there any more.
    """
    return _does_only(guard, _SENDS) or _does_only(guard, _REMOVALS)


def _does_only(guard: ast.Try | ast.TryStar, work: frozenset[str]) -> bool:
    """Whether a `try` does nothing but call `work`, now and then perhaps, or on a condition.

    What the arguments are made of does not matter, as long as nobody has to wait for it.
    """
    called = {terminal_name(call.func) for each in guard.body for call in _outer_calls(each)}
    rest = {name for name in called - work - _BESIDE if not name[:1].isupper()}  # no classes
    return not called.isdisjoint(work) and not rest


def _outer_calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a statement without those that only make arguments for a call."""
    if not isinstance(node, ast.Call):
        for child in ast.iter_child_nodes(node):
            yield from _outer_calls(child)
        return
    yield node
    for given in (*node.args, *(keyword.value for keyword in node.keywords)):
        is_waited = any(isinstance(each, ast.Await) for each in ast.walk(given))
        if is_waited or terminal_name(node.func) == "wait_for":
            yield from _outer_calls(given)


def has_other_callers(
    model: Model, function: Function, started: Iterable[BackgroundRoutine]
) -> bool:
    """Whether somebody calls a routine also for what it returns.

    Parameters:
        started: where it is started to run in the background.
    """
    starting = {id(each) for routine in started for each in ast.walk(routine.node)}
    return any(id(call.node) not in starting for call in model.direct_calls(function))


def has_nothing_to_guard(function: FunctionNode) -> bool:
    """Whether a body calls nothing: a stub, or names and constants only."""
    return all(_is_trivial(statement) for statement in function.body) and not any(
        isinstance(node, ast.Call) for statement in function.body for node in ast.walk(statement)
    )


def _gather_helpers(model: Model, uses: Uses) -> frozenset[ast.AST]:
    """The functions that guarded routines call and that nothing else calls or refers to."""
    found: set[ast.AST] = set()
    routines = {target.node: target for target in _routines.of(model, uses).targets}
    queue = [
        target
        for node, target in routines.items()
        if isinstance(node, FUNCTIONS) and guarding_try(node) is not None
    ]
    serving: set[ast.AST] = {function.node for function in queue}
    while queue:
        for site in model.effects.calls(queue.pop()):
            target = site.target
            methods: Iterable[Function] = ()
            if _is_on_self(site.node):  # what runs is what subclasses make of it
                named = model.resolve(site.module, site.node.func)
                target = named if isinstance(named, Function) else target
                methods = overriding(model, target) if target is not None else ()
            if target is None or target.node in serving or not _serves_only(model, target, serving):
                continue
            for function in (target, *methods):
                if function.node in routines or model.roles(function):
                    continue
                if _is_called_within(model, function, serving):
                    serving.add(function.node)
                    found.add(function.node)
                    queue.append(function)
    return frozenset(found)


def _serves_only(model: Model, function: Function, serving: set[ast.AST]) -> bool:
    """Whether a function is called, and all its calls stand in the functions `serving`."""
    node = function.node
    if not isinstance(node, FUNCTIONS) or node.name.startswith("__"):
        return False
    if any(
        model.resolve(function.module, decorator) != External("abc.abstractmethod")
        for decorator in node.decorator_list
    ):
        return False
    return bool(model.direct_calls(function)) and _is_called_within(model, function, serving)


def _is_called_within(model: Model, function: Function, serving: set[ast.AST]) -> bool:
    return all(
        call.is_certain and call.module.index.function_of(call.node) in serving
        for call in model.direct_calls(function)
    )


def _is_on_self(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="self")):
            return True
        case _:
            return False


_helpers = PerProject(_gather_helpers)


def helpers_of_routines(model: Model, module: Module) -> tuple[FunctionNode, ...]:
    """The functions of a module that guarded routines call and nothing else does."""
    found = _helpers(model, module)
    return tuple(node for node in module.index.functions if node in found)
