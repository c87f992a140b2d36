"""Event handlers into one lifespan.

The handlers stay the functions they are, without their registration; the lifespan calls them. So
their comments, `return`s and globals keep their meaning, and other callers find them.

`_DefaultLifespan` of FastAPI (of Starlette before 1.0) runs the start-up handlers in the order of
their registration, awaits those that are async and calls the others on the event loop. A start-up
handler that raises ends it all: no shut-down handler runs then. Its `__aexit__` runs the shut-down
handlers however the time between ended: hence `try` and `finally` around the `yield`.

An app that has a lifespan ignores its handlers. They are called around the `yield` of that one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.engine.index import ModuleIndex, all_arguments
from flake8_fastapi_rules.fixes.edit import (
    COMMENT,
    SHARED_LINE,
    Edits,
    argument_of,
    delete_statement,
    insert_before,
    remove_argument,
    remove_decorator,
    replace_argument,
    set_argument,
)
from flake8_fastapi_rules.fixes.imports import ensure_imports
from flake8_fastapi_rules.fixes.text import FileText
from flake8_fastapi_rules.semantics.facts import App, EventHandler, Router
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
    qualified_name,
)

#: Decorators whose result is an async function, whatever they wrap.
_ASYNC_DECORATORS = (
    "fastapi_utils.tasks.repeat_every",
    "fastapi_utilities.repeat_every",
    "fastapi_restful.tasks.repeat_every",
)


@dataclass(frozen=True, slots=True)
class _Step:
    """One handler: when it runs, how it is called, and the edits that end its registration."""

    event: str
    call: str
    removal: Edits


def lifespan_group(app: ast.Call) -> str:
    """The group of the fixes for all handlers of one app: one of them rewrites all."""
    return f"lifespan:{app.lineno}:{app.col_offset}"


def speaks_of_router_events(index: ModuleIndex) -> bool:
    """Whether a module touches what a router keeps its handlers and its lifespan in.

    With a lifespan, `app.router.on_startup.append(connect)` has no effect any more.
    """
    return any(
        node.attr == "lifespan_context"
        or (
            node.attr in {"on_startup", "on_shutdown"}
            and isinstance(node.value, ast.Name | ast.Attribute)
            and ast.unparse(node.value).rpartition(".")[2].endswith("router")
        )
        for node in index.nodes(ast.Attribute)
        if isinstance(node, ast.Attribute)
    )


def lifespan_from_events(
    text: FileText,
    app: App,
    handlers: Sequence[EventHandler],
    resolve: Callable[[ast.expr], Value],
) -> Edits:
    """Rewrite all event handlers of an app into one lifespan.

    Parameters:
        handlers: all event handlers of the project, in source order. With a lifespan, handlers
            that remain are never run: so every one that may belong to the app must be known.
        resolve: what an expression of the app's module means.

    Raises:
        Unfixable: when a handler is registered elsewhere, on a router, in a branch, when it cannot
            be told whether one is async, or when the app has a lifespan that cannot take them in.
    """
    if isinstance(app, Router):
        raise Unfixable("a router's handlers run with those of the app it is included in")
    if app.has_unknown_arguments or speaks_of_router_events(text.index):
        raise Unfixable("the app may be given a lifespan otherwise")
    given = app.arguments.get("lifespan")
    if isinstance(given, ast.Constant) and given.value is None:
        given = None
    statement = text.index.statement_of(app.node)
    block = text.block_of(statement) if statement is not None else None
    if statement is None or block is None or not text.is_editable(app.node):
        raise Unfixable("the app is not made by a statement of its own")
    scope = text.index.scope_of(statement)
    if scope.is_class or text.index.scope_of(app.node) is not scope:
        raise Unfixable("the app is made where no function can follow it")
    steps: list[_Step] = []
    arguments: list[ast.keyword] = []
    for handler in _in_order(_handlers_of(app, handlers)):
        if handler.style == "argument":
            keyword, more = _from_argument(text, app, handler, resolve)
            arguments.append(keyword)
            steps += more
        elif handler.event not in ("startup", "shutdown"):
            raise Unfixable("the event of a handler is not a constant")
        elif handler.style == "decorator":
            steps.append(_from_decorator(text, block, handler, resolve))
        else:
            steps.append(_from_call(text, block, handler))
    if not steps:
        raise Unfixable("the app has no handlers")
    if given is None:
        return _written(text, app, statement, steps, arguments)
    if arguments:
        raise Unfixable("the app is given handlers and a lifespan: one of them must go")
    return _merged(text, app, statement, steps, given, resolve)


def _handlers_of(app: App, handlers: Sequence[EventHandler]) -> list[EventHandler]:
    """The handlers of `app`; it must be certain of each handler whose it is."""
    own: list[EventHandler] = []
    for handler in handlers:
        receiver = handler.receiver
        if handler.app == app.value:
            if handler.module is not app.module:
                raise Unfixable("a handler is registered in another module than the app")
            own.append(handler)
        elif not isinstance(receiver, Instance) or receiver.call is None:
            raise Unfixable("it cannot be told to which app a handler belongs")
        elif receiver.of != External("fastapi.FastAPI") and not isinstance(receiver.of, Class):
            raise Unfixable("a router has handlers too")
    return own


def _in_order(handlers: list[EventHandler]) -> list[EventHandler]:
    """Registration order: the arguments of the app first, then as they stand in the file."""
    return sorted(handlers, key=lambda h: (h.style != "argument", h.node.lineno, h.node.col_offset))


# -- one registration -----------------------------------------------------------------------


def _from_argument(
    text: FileText, app: App, handler: EventHandler, resolve: Callable[[ast.expr], Value]
) -> tuple[ast.keyword, list[_Step]]:
    """`FastAPI(on_startup=[connect, migrate])`"""
    keyword = argument_of(app.node, f"on_{handler.event}")
    if not isinstance(keyword, ast.keyword) or not isinstance(keyword.value, ast.List | ast.Tuple):
        raise Unfixable(f"`on_{handler.event}` is not a list")
    steps = []
    for element in keyword.value.elts:
        call = _call_of(text, element, resolve(element))
        steps.append(_Step(str(handler.event), call, ()))
    return keyword, steps


def _from_decorator(
    text: FileText,
    block: list[ast.stmt],
    handler: EventHandler,
    resolve: Callable[[ast.expr], Value],
) -> _Step:
    """`@app.on_event("startup")`"""
    function = text.index.parents.get(handler.node)
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        raise Unfixable("a handler is not a function")
    if not any(item is function for item in block):
        raise Unfixable("a handler is registered in another block than the app")
    if len(text.index.scope_of(function).bindings.get(function.name, ())) != 1:
        raise Unfixable(f"`{function.name}` is defined more than once")
    wraps_async = False
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute) and called.attr == "on_event":
            continue
        if qualified_name(resolve(called)) not in _ASYNC_DECORATORS:
            raise Unfixable(f"`{function.name}` has another decorator")
        wraps_async = True
    removal = remove_decorator(text, function, handler.node)
    _refuse_arguments(function)
    if text.index.is_generator(function):
        raise Unfixable(f"`{function.name}` is a generator")
    is_async = wraps_async or isinstance(function, ast.AsyncFunctionDef)
    call = f"await {function.name}()" if is_async else f"{function.name}()"
    return _Step(str(handler.event), call, (removal,))


def _from_call(text: FileText, block: list[ast.stmt], handler: EventHandler) -> _Step:
    """`app.add_event_handler("startup", connect)`"""
    statement = text.index.parents.get(handler.node)
    if not isinstance(statement, ast.Expr) or not any(item is statement for item in block):
        raise Unfixable("a handler is registered in another block than the app")
    function = argument_of(handler.node, "func", 1) if isinstance(handler.node, ast.Call) else None
    given = function.value if isinstance(function, ast.keyword) else function
    if given is None:
        raise Unfixable("a handler is not given as an argument")
    removal = delete_statement(text, statement, leave_comment=True)
    return _Step(str(handler.event), _call_of(text, given, handler.function), (removal,))


def _call_of(text: FileText, node: ast.expr, value: Value) -> str:
    """How the handler that an expression gives is run."""
    root = node.func if isinstance(node, ast.Call) else node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name) or text.has_comment(text.start(node), text.end(node)):
        raise Unfixable("a handler is not given by a name")
    found = text.index.lookup(root.id, node)
    if found is not None and len(found[0].bindings.get(root.id, ())) != 1:
        raise Unfixable(f"`{root.id}` is bound more than once")
    if not isinstance(value, Function) or isinstance(value.node, ast.Lambda):
        raise Unfixable(f"it cannot be told whether `{text.segment(node)}` is async")
    if value.node.decorator_list:
        raise Unfixable(f"`{text.segment(node)}` has a decorator")
    if value.module.index.is_generator(value.node):
        raise Unfixable(f"`{text.segment(node)}` is a generator")
    is_async = isinstance(value.node, ast.AsyncFunctionDef)
    code = " ".join(text.segment(node).split())
    return f"await {code}()" if is_async else f"{code}()"


def _refuse_arguments(function: FunctionNode) -> None:
    arguments = function.args
    required = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    if required or any(default is None for default in arguments.kw_defaults):
        raise Unfixable(f"`{function.name}` takes arguments")


# -- a lifespan that is there ---------------------------------------------------------------


def _merged(
    text: FileText,
    app: App,
    statement: ast.stmt,
    steps: list[_Step],
    given: ast.expr,
    resolve: Callable[[ast.expr], Value],
) -> Edits:
    """The handlers called around the `yield` of the app's lifespan."""
    lifespan = resolve(given)
    if not isinstance(lifespan, Function) or not isinstance(lifespan.node, ast.AsyncFunctionDef):
        raise Unfixable("the app's lifespan is no `async def`")
    if lifespan.module is not app.module:
        raise Unfixable("the app's lifespan is in another module")
    function = lifespan.node
    decorators = [qualified_name(resolve(decorator)) for decorator in function.decorator_list]
    yields = [node for node in text.index.own_nodes(function) if isinstance(node, ast.Yield)]
    place = text.index.parents.get(yields[0]) if len(yields) == 1 else None
    if decorators != ["contextlib.asynccontextmanager"] or not isinstance(place, ast.Expr):
        raise Unfixable("the app's lifespan is no `@asynccontextmanager` with one plain `yield`")
    uses = [node for node in text.index.nodes(ast.Name) if node.id == function.name]
    if len(uses) != 1:
        raise Unfixable("the app's lifespan is used elsewhere, too")
    for step in steps:
        _require_names(text, app, function, step, statement, place)
    return (_around_yield(text, place, steps), *(e for step in steps for e in step.removal))


def _require_names(
    text: FileText,
    app: App,
    function: ast.AsyncFunctionDef,
    step: _Step,
    statement: ast.stmt,
    place: ast.stmt,
) -> None:
    """Refuse a handler whose names mean something else inside of the lifespan."""
    first = next((argument.arg for argument in all_arguments(function.args)), None)
    for node in ast.walk(ast.parse(step.call.removeprefix("await "), mode="eval")):
        if not isinstance(node, ast.Name) or (node.id == first and node.id in app.names):
            continue
        here, there = (text.index.lookup(node.id, at) for at in (statement, place))
        if (here and here[0]) is not (there and there[0]):
            raise Unfixable(f"the app's lifespan cannot see `{node.id}`")


def _around_yield(text: FileText, place: ast.stmt, steps: list[_Step]) -> Edit:
    """The statement of the `yield` between the calls of the handlers."""
    if not text.own_line(place):
        raise Unfixable(SHARED_LINE)
    start, end = text.line_start(text.start(place)), text.line_end(text.end(place))
    code = text.text[start:end]
    if "\n" in code:
        raise Unfixable("the `yield` of the app's lifespan spans several lines")
    indentation, unit = text.indentation(start), text.indent_unit
    lines = [indentation + step.call for step in steps if step.event == "startup"]
    closing = [indentation + unit + step.call for step in steps if step.event == "shutdown"]
    if closing:
        lines += [f"{indentation}try:", unit + code, f"{indentation}finally:", *closing]
    else:
        lines.append(code)
    return Edit(start, end, "\n".join(lines))


# -- a new lifespan -------------------------------------------------------------------------


def _written(
    text: FileText,
    app: App,
    statement: ast.stmt,
    steps: list[_Step],
    arguments: list[ast.keyword],
) -> Edits:
    name = _free_name(text)
    names, imports = ensure_imports(
        text,
        [("contextlib", "asynccontextmanager"), ("collections.abc", "AsyncIterator")],
        statement,
    )
    code = _definition(text, app, name, names, steps)
    at_top = not text.indentation(text.start(statement))
    definition = insert_before(text, statement, code, blank=2 if at_top else 1)
    if at_top:
        missing = _missing_blank_lines(text, definition.start)
        definition = Edit(definition.start, definition.end, "\n" * missing + definition.text)
    passed = _passed(text, app.node, name, arguments)
    removals = tuple(edit for step in steps for edit in step.removal)
    return (*imports, definition, *passed, *removals)


def _definition(
    text: FileText, app: App, name: str, names: tuple[str, ...], steps: list[_Step]
) -> str:
    unit = text.indent_unit
    manager, iterator = names
    function = app.node.func
    kind = f": {text.segment(function)}" if isinstance(function, ast.Name | ast.Attribute) else ""
    # `app.db.connect()` speaks of a package, unless the app itself has that name.
    hides = "app" not in app.names and any(re.search(r"\bapp\b", step.call) for step in steps)
    parameter = "_app" if hides else "app"
    lines = [f"@{manager}", f"async def {name}({parameter}{kind}) -> {iterator}[None]:"]
    lines += [unit + step.call for step in steps if step.event == "startup"]
    closing = [step.call for step in steps if step.event == "shutdown"]
    if closing:
        lines += [f"{unit}try:", f"{unit * 2}yield", f"{unit}finally:"]
        lines += [unit * 2 + call for call in closing]
    else:
        lines.append(f"{unit}yield")
    return "\n".join(lines)


def _free_name(text: FileText) -> str:
    """A name for the lifespan that nothing in the file uses."""
    used = {node.id for node in text.index.nodes(ast.Name)}
    used |= {node.arg for node in text.index.nodes(ast.arg)}
    for scope in text.index.scopes.values():
        used |= scope.bindings.keys()
    name = "lifespan"
    while name in used:
        name = f"app_{name}"
    return name


def _missing_blank_lines(text: FileText, offset: int) -> int:
    """How many blank lines a definition at the top level lacks in front of it."""
    above = text.text[:offset]
    if not above.strip():
        return 0
    present = len(above) - len(above.rstrip("\n")) - 1
    return max(2 - present, 0)


def _passed(text: FileText, call: ast.Call, name: str, arguments: list[ast.keyword]) -> Edits:
    """The call with `lifespan=`, which takes the place of the handlers' argument."""
    if not arguments:
        return set_argument(text, call, "lifespan", name)
    if any(text.has_comment(text.start(each), text.end(each)) for each in arguments):
        raise Unfixable(COMMENT)
    first = replace_argument(text, call, arguments[0], f"lifespan={name}")
    if len(arguments) == 1:
        return (first,)
    return first, *remove_argument(text, call, *arguments[1:])
