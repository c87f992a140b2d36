"""Runs the code that assembles apps, symbolically.

Modules are executed in import order, statement by statement, and so are the functions and methods
that make apps and routers or put something on them, with the arguments that their callers give
them: factories, `register(app)` helpers, loops over literal lists, subclasses, class-based views.
Nothing of the project is imported. What a run-time value decides is kept and marked: both branches
of an `if` are taken, and what they add is conditional. Everything that is not about apps and
routers is answered by the `Resolver`.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flake8_fastapi_rules.engine.index import FUNCTIONS, is_main_guard, is_type_checking
from flake8_fastapi_rules.semantics import parameters
from flake8_fastapi_rules.semantics.assembling import Assembling
from flake8_fastapi_rules.semantics.build import route_fact
from flake8_fastapi_rules.semantics.facts import (
    App,
    Dependency,
    Include,
    Marker,
    Mount,
    Route,
    Router,
)
from flake8_fastapi_rules.semantics.framework import VERBS
from flake8_fastapi_rules.semantics.graph import (
    IncludeEntry,
    MountEntry,
    Options,
    RouteEntry,
    RouterNode,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import canonical
from flake8_fastapi_rules.semantics.objects import (
    AV,
    Arguments,
    Assumed,
    Closure,
    Decorator,
    Depending,
    Either,
    Frame,
    Items,
    Lazy,
    Made,
    Maybe,
    Method,
    Object,
    Origin,
    Planned,
    Routes,
    Super,
    Table,
    added,
    alternatives,
    calls_in,
    compared,
    either,
    flag,
    formatted,
    has_objects,
    is_literal,
    is_none,
    items_of,
    last_name,
    leaves,
    made_in,
    merged,
    text_method,
    to_value,
    truth_of,
    visible_from,
)
from flake8_fastapi_rules.semantics.resolve import default_of
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    Expression,
    External,
    Function,
    FunctionNode,
    Instance,
    ModuleValue,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: How deep calls may lead to calls, and imports to imports.
_CALLS = 40
_IMPORTS = 120
#: How many statements one project may take, and one sequence may have elements.
_BUDGET = 1_000_000
_WIDTH = 2_000
#: A helper without apps and routers is followed for its result when it is no longer than this.
_SMALL = 8
_SHORT = 40
#: How deep such helpers may lead to further ones.
_FOLLOWED = 2
_APP = "fastapi.FastAPI"
_ROUTER = "fastapi.APIRouter"
_STARLETTE = "starlette.applications.Starlette"
_VIRTUAL = frozenset({"add_api_route", "add_api_websocket_route"})
_ADDERS = frozenset(VERBS) | {"api_route", "websocket", "route", "websocket_route"}
_DIRECT = frozenset(
    {"add_api_route", "add_api_websocket_route", "add_route", "add_websocket_route"}
)
_VERSIONED = "generate_and_include_versioned_routers"
_HANDLING = frozenset({"add_exception_handler", "exception_handler"})
_KNOWN = _ADDERS | _DIRECT | _HANDLING | {"include_router", "mount", "__init__", _VERSIONED}
_POSITIONAL: dict[str, tuple[str, ...]] = {
    "add_api_route": ("path", "endpoint"),
    "add_api_websocket_route": ("path", "endpoint", "name"),
    "add_route": ("path", "endpoint", "methods", "name", "include_in_schema"),
    "add_websocket_route": ("path", "endpoint", "name"),
    "websocket": ("path", "name"),
    "websocket_route": ("path", "name"),
    "route": ("path", "methods", "name", "include_in_schema"),
    "include_router": ("router",),
    "mount": ("path", "app", "name"),
}
#: What an app is told by default and hands out as attributes.
_APP_DEFAULTS: dict[str, str | None] = {
    "title": "FastAPI",
    "version": "0.1.0",
    "openapi_url": "/openapi.json",
    "docs_url": "/docs",
    "redoc_url": "/redoc",
    "swagger_ui_oauth2_redirect_url": "/docs/oauth2-redirect",
    "root_path": "",
}
_TEXT_METHODS = frozenset(
    {
        "strip", "rstrip", "lstrip", "lower", "upper", "replace", "removeprefix", "removesuffix",
        "join", "format", "title", "capitalize", "split", "startswith", "endswith", "casefold",
    }
)  # fmt: skip


class Evaluator:
    """Executes a project's assembling code.

    Parameters:
        model: answers everything else.
        modules: the modules that matter, in path order.
        nodes: the apps and routers that were made, in order.
    """

    def __init__(self, model: Model, modules: Iterable[Module]) -> None:
        self.model = model
        self.resolver = model.resolver
        self.modules = tuple(modules)
        self.nodes: list[RouterNode] = []
        #: The `include_router` calls that were seen to run.
        self.included: set[ast.AST] = set()
        self._frames: dict[Module, Frame] = {}
        self._by_call: defaultdict[ast.Call, list[RouterNode]] = defaultdict(list)
        self._facts: dict[Module, dict[ast.AST, Any]] = {}
        self._assembling = Assembling(model)
        self._class_frames: dict[ast.ClassDef, Frame] = {}
        self._conditions: list[object] = []
        self._executed: set[ast.AST] = set()
        self._running: list[ast.AST] = []
        self._cached: dict[ast.AST, AV] = {}
        self._endpoints: set[ast.AST] = set()
        self._results: defaultdict[ast.AST, list[RouterNode]] = defaultdict(list)
        self._origin: Origin | None = None
        self._forcing: set[tuple[Module, str]] = set()
        self._following = 0
        self._imports = 0
        self._budget = _BUDGET
        self._in_test = False

    def run(self) -> None:
        """Execute all modules, then the functions that nobody was seen to call."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 20_000))
        try:
            self._assembling.add(self.modules)
            for module in self.modules:
                self.module_frame(module)
            for root in self._roots():
                if root.function.node not in self._executed:
                    self._run_root(root)
        finally:
            sys.setrecursionlimit(limit)
        for module, frame in self._frames.items():
            self._name_nodes(module, frame)

    # -- roots ------------------------------------------------------------------------------

    def _roots(self) -> Iterator[Closure]:
        """The functions worth executing that were not: callers before what they call."""
        candidates: list[tuple[Module, FunctionNode]] = []
        for module in self.modules:
            for kind in FUNCTIONS:
                found: list[FunctionNode] = module.index.nodes(kind)
                for node in found:
                    if (
                        node not in self._executed
                        and node not in self._endpoints
                        and self._is_interesting(module, node)
                    ):
                        around = module.index.function_of(node)
                        if around is None or not self._is_interesting(module, around):
                            candidates.append((module, node))
        called: set[ast.AST] = set()
        for module, node in candidates:
            for call in calls_in(node):
                callee = self.resolver.resolve(module, call.func)
                if isinstance(callee, Function) and callee.node is not node:
                    called.add(callee.node)
                elif isinstance(callee, Class):
                    init = self.resolver.class_attribute(callee, "__init__", instance=True)
                    if isinstance(init, Function):
                        called.add(init.node)
        candidates.sort(key=lambda item: self.model.settings.is_test_path(str(item[0].path)))
        for wanted in (False, True):
            for module, node in candidates:
                if (node in called) is wanted and node not in self._executed:
                    yield Closure(Function(module, node), self._frame_around(module, node))

    def _run_root(self, closure: Closure) -> None:
        function = closure.function
        owner = function.module.index.class_of(function.node)
        self._in_test = self.model.settings.is_test_path(str(function.module.path))
        try:
            if owner is None:
                result = self.call_function(closure, Arguments([], {}), as_root=True)
                for made in made_in(result, 0):
                    if not made.node.is_app:
                        made.node.is_handed_out = True  # to whoever calls the function
                return
            self._run_class(Class(function.module, owner), function)
        finally:
            self._in_test = False

    def _run_class(self, cls: Class, wanted: Function) -> None:
        """One object of a class that nobody was seen to make, and all its methods on it."""
        module = cls.module
        receiver: AV
        if self._kind_of_class(cls) is not None:
            return  # an app or router class that is never instantiated
        receiver = Object(cls)
        methods = [node for node in cls.node.body if isinstance(node, FUNCTIONS)]
        methods.sort(key=lambda node: node.name != "__init__")
        for node in methods:
            if node in self._executed:
                continue
            if node is wanted.node or self._is_interesting(module, node):
                frame = self._frame_around(module, node)
                bound = Closure(Function(module, node, cls, bound=True), frame, receiver)
                kinds = {last_name(decorator) for decorator in node.decorator_list}
                if "staticmethod" in kinds:
                    bound = Closure(Function(module, node), frame)
                elif "classmethod" in kinds:
                    bound = Closure(Function(module, node, cls, bound=True), frame, cls)
                result = self.call_function(bound, Arguments([], {}), as_root=True)
                for made in made_in(result, 0):
                    made.node.is_handed_out = True

    def _name_nodes(self, module: Module, frame: Frame) -> None:
        for name, value in frame.names.items():
            for made in alternatives(value):
                if isinstance(made, Made) and made.node.name is None:
                    made.node.name = f"{module.name}:{name}"

    def nodes_named(self, name: str) -> list[RouterNode]:
        """The apps and routers that `package.module:attribute` is, or that calling it gave."""
        module_name, _, attribute = name.partition(":")
        home = next((m for m in (*self.modules, *self._frames) if m.name == module_name), None)
        if home is None and self.modules:
            home = self.model.modules.find(module_name, self.modules[0])
        if home is None:
            return []
        found: list[RouterNode] = []
        for made in alternatives(self._module_attribute(home, attribute)):
            if isinstance(made, Made):
                found.append(made.node)
            elif isinstance(made, Closure):
                found += self._results.get(made.function.node, ())
        return sorted(found, key=lambda node: len(node.conditions))

    # -- modules ----------------------------------------------------------------------------

    def module_frame(self, module: Module) -> Frame:
        """The names of a module, which is executed if it can matter."""
        frame = self._frames.get(module)
        if frame is not None:
            return frame
        frame = self._frames[module] = Frame(self, module)
        if module.mentions_framework and self._imports < _IMPORTS:
            self._imports += 1
            conditions, self._conditions = self._conditions, []
            origin, self._origin = self._origin, None
            in_test, self._in_test = (
                self._in_test,
                self.model.settings.is_test_path(str(module.path)),
            )
            try:
                self._block(module.tree.body, frame)
            finally:
                self._imports -= 1
                self._conditions = conditions
                self._origin = origin
                self._in_test = in_test
        return frame

    def _frame_around(self, module: Module, node: ast.AST) -> Frame:
        """The names around a definition: of its module, or of the class body it stands in."""
        return self.module_frame(module)

    def _facts_of(self, module: Module) -> dict[ast.AST, Any]:
        facts = self._facts.get(module)
        if facts is None:
            facts = self._facts[module] = {}
            for kind in (App, Router, Include, Mount, Route):
                for fact in self.model.local(module, kind):
                    facts[fact.node] = fact
        return facts

    def _module_attribute(self, module: Module, name: str) -> AV:
        key = (module, name)
        if key in self._forcing:  # an import cycle
            return self._lift(self.resolver.module_attribute(module, name))
        self._forcing.add(key)
        try:
            value: AV | None = None
            if module.mentions_framework:
                value = self._forced(self.module_frame(module).names.get(name))
            else:
                value = self._reexported(module, name)
        finally:
            self._forcing.discard(key)
        if value is not None and value is not UNKNOWN:
            return value
        return self._lift(self.resolver.module_attribute(module, name))

    def _reexported(self, module: Module, name: str) -> AV | None:
        """What a module without any FastAPI of its own passes on."""
        bindings = module.index.module_scope.bindings.get(name)
        if not bindings or len(bindings) != 1 or bindings[0].kind != "from":
            return None
        node, alias = bindings[0].node, bindings[0].alias
        assert isinstance(node, ast.ImportFrom)
        assert alias is not None
        home = self._home_of(module, node)
        if home is None or home is module:
            return None
        return self._module_attribute(home, alias.name)

    def _home_of(self, module: Module, node: ast.ImportFrom) -> Module | None:
        modules = self.model.modules
        if node.level:
            return modules.relative(node.level, node.module, module)
        return modules.find(node.module or "", module)

    # -- what is worth executing ------------------------------------------------------------

    def _is_interesting(self, module: Module, node: ast.AST) -> bool:
        """Whether calling a function or class assembles something, itself or further down."""
        if isinstance(node, ast.ClassDef):
            return any(
                isinstance(method, Closure) and method.function in self._assembling
                for method in (
                    self._member(Class(module, node), name, UNKNOWN, stop_at_library=True)
                    for name in ("__init__", "__post_init__", "__attrs_post_init__")
                )
            )
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            return Function(module, node) in self._assembling
        return False

    # -- statements -------------------------------------------------------------------------

    def _block(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        for statement in body:
            if frame.is_done or self._budget <= 0:
                return
            self._budget -= 1
            self._statement(statement, frame)

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        match node:
            case ast.Expr(value=value):
                self._effect(value, frame)
            case ast.Assign(targets=targets, value=value):
                result = self._assigned(targets, value, frame)
                for target in targets:
                    self._assign(target, result, frame)
            case ast.AnnAssign(target=target, value=given):
                if given is not None:
                    result = self.evaluate(given, frame)
                    if result is UNKNOWN and isinstance(target, ast.Name):
                        result = self._lift(self.resolver.annotation(frame.module, node.annotation))
                    self._assign(target, result, frame)
            case ast.AugAssign(target=target, op=ast.Add(), value=value):
                self._augmented(target, self.evaluate(value, frame), frame)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node, frame)
            case ast.ClassDef():
                self._define_class(node, frame)
            case ast.Import(names=names):
                for alias in names:
                    self._import(alias, frame)
            case ast.ImportFrom():
                self._import_from(node, frame)
            case ast.If():
                self._if(node, frame)
            case ast.For() | ast.AsyncFor():
                self._for(node, frame)
            case ast.While(body=body):
                with_condition = self._conditional(node, body, frame, dict(frame.names))
                frame.names.update(with_condition)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self._try(body, handlers, orelse, finalbody, frame)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    entered = self.evaluate(item.context_expr, frame)
                    if item.optional_vars is not None:
                        if not isinstance(entered, Made):
                            entered = UNKNOWN
                        self._assign(item.optional_vars, entered, frame)
                self._block(body, frame)
            case ast.Return(value=value):
                frame.returned.append(
                    self.evaluate(value, frame) if value is not None else Constant(None)
                )
                frame.is_done = True
            case ast.Raise():
                frame.is_done = True
            case ast.Break() | ast.Continue():
                frame.is_done = True
                frame.jump = "break" if isinstance(node, ast.Break) else "continue"
            case ast.Match(cases=cases):
                for case in cases:
                    frame.names.update(self._conditional(case, case.body, frame, dict(frame.names)))
            case _ if type(node).__name__ == "TryStar":
                self._block(node.body, frame)  # type: ignore[attr-defined]

    def _assigned(self, targets: list[ast.expr], value: ast.expr, frame: Frame) -> AV:
        result = self.evaluate(value, frame)
        if isinstance(result, Made | Either) or not isinstance(value, ast.Call):
            return result
        # `app = instrument(app)`: what a library hands back for the name it was given.
        first = value.args[0] if value.args else None
        if (
            isinstance(first, ast.Name)
            and any(isinstance(t, ast.Name) and t.id == first.id for t in targets)
            and not isinstance(result, Object)
        ):
            passed = self.evaluate(first, frame)
            if isinstance(passed, Made):
                return passed
        return result

    def _effect(self, node: ast.expr, frame: Frame) -> None:
        if isinstance(node, ast.Await):
            node = node.value
        if isinstance(node, ast.Call):
            self._call(node, frame, is_statement=True)
        elif isinstance(node, ast.Yield):
            if node.value is not None:
                frame.returned.append(self.evaluate(node.value, frame))
        elif isinstance(node, ast.IfExp | ast.ListComp | ast.BoolOp | ast.NamedExpr):
            self.evaluate(node, frame)

    def _assign(self, target: ast.expr, value: AV, frame: Frame) -> None:
        match target:
            case ast.Name(id=name):
                self._bind(name, value, frame)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                items = items_of(value)
                starred = any(isinstance(element, ast.Starred) for element in elements)
                for position, element in enumerate(elements):
                    if items is not None and not starred and position < len(items):
                        self._assign(element, items[position], frame)
                    elif isinstance(element, ast.Starred):
                        self._assign(element.value, UNKNOWN, frame)
                    else:
                        self._assign(element, UNKNOWN, frame)
            case ast.Attribute(value=owner, attr=attr):
                for receiver in alternatives(self.evaluate(owner, frame)):
                    self._set_attribute(receiver, attr, value)
            case ast.Subscript(value=owner, slice=index):
                container = self.evaluate(owner, frame)
                key = self.evaluate(index, frame)
                if isinstance(container, Table):
                    if isinstance(key, Constant) and is_literal(key.value):
                        container.items[key.value] = value
                    else:
                        container.complete = False

    def _bind(self, name: str, value: AV, frame: Frame) -> None:
        scope = frame.module.index.scopes.get(frame.function) if frame.function else None
        if scope is not None and name in scope.outer:
            target: Frame | None = frame.parent
            if scope.outer[name] == "global":
                target = self.module_frame(frame.module)
            else:
                while target and name not in target.names and target.parent:
                    target = target.parent
            if target is not None:
                target.names[name] = value
                return
        frame.names[name] = value

    def _set_attribute(self, receiver: AV, attr: str, value: AV) -> None:
        if isinstance(receiver, Object):
            receiver.attributes[attr] = value
        elif isinstance(receiver, Made):
            node = receiver.node
            if attr in {"prefix", "tags", "dependencies"}:
                changed = self._options(Arguments([], {attr: value}))
                node.options = replace(node.options, **{attr: getattr(changed, attr)})
                if attr == "dependencies":
                    node.options = replace(
                        node.options, dependencies_complete=changed.dependencies_complete
                    )
            elif attr == "routes":
                node.is_open = True
            else:
                node.attributes[attr] = value

    def _augmented(self, target: ast.expr, value: AV, frame: Frame) -> None:
        current = self.evaluate(target, frame)
        if isinstance(current, Items):
            self._put_into(current, items_of(value))
        elif isinstance(current, Routes):
            self._extend_routes(current.node, value)
        elif isinstance(target, ast.Name):
            self._bind(target.id, added(current, value), frame)

    # -- branches ---------------------------------------------------------------------------

    def _conditional(
        self, key: object, body: Sequence[ast.stmt], frame: Frame, names: dict[str, Any]
    ) -> dict[str, Any]:
        """Run a block that may or may not run, on `names`; the names that it leaves behind."""
        depth = len(self._conditions)
        self._conditions.append(key)
        saved, frame.names = frame.names, names
        try:
            self._block(body, frame)
            result = frame.names
        finally:
            del self._conditions[depth:]
            frame.names = saved
        # What a branch leaves does not end the function: the other branch may be taken.
        frame.is_done = False
        frame.jump = None
        return result

    def _if(self, node: ast.If, frame: Frame) -> None:
        if is_type_checking(node.test):
            self._block(node.orelse, frame)
            return
        verdict = self._decide(node.test, frame)
        if verdict is not None:
            self._block(node.body if verdict else node.orelse, frame)
            return
        before = dict(frame.names)
        first = self._conditional((node, True), node.body, frame, dict(before))
        if is_main_guard(node.test):
            return
        second = self._conditional((node, False), node.orelse, frame, dict(before))
        ends = leaves(node.body), leaves(node.orelse)
        if all(ends):
            frame.is_done = True
        elif any(ends):
            frame.names.update(second if ends[0] else first)
            # `if not enabled: return`: whether the rest runs at all is decided at run time.
            # What raises instead is taken for the exception that it is.
            if leaves(node.body if ends[0] else node.orelse, raising=False):
                self._conditions.append((node, "rest"))
        else:
            frame.names.update(merged(first, second))

    def _try(
        self,
        body: Sequence[ast.stmt],
        handlers: Sequence[ast.ExceptHandler],
        orelse: Sequence[ast.stmt],
        finalbody: Sequence[ast.stmt],
        frame: Frame,
    ) -> None:
        before = dict(frame.names)
        self._block(body, frame)
        self._block(orelse, frame)
        done = frame.is_done
        for handler in handlers:
            frame.is_done = False
            names = self._conditional(handler, handler.body, frame, dict(before))
            for name, value in names.items():
                if name not in frame.names or frame.names[name] is UNKNOWN:
                    frame.names[name] = value
        frame.is_done = False
        self._block(finalbody, frame)
        frame.is_done = frame.is_done or done

    def _for(self, node: ast.For | ast.AsyncFor, frame: Frame) -> None:
        iterable = self.evaluate(node.iter, frame)
        items = items_of(iterable)
        if items is None:
            before = dict(frame.names)
            self._assign(node.target, UNKNOWN, frame)
            after = self._conditional(node, node.body, frame, dict(frame.names))
            frame.names.update(merged(before, after))
            return
        for item in items[:_WIDTH]:
            depth = len(self._conditions)
            if isinstance(item, Maybe):
                self._conditions.append(item)
                item = item.value
            self._assign(node.target, item, frame)
            self._block(node.body, frame)
            del self._conditions[depth:]
            if frame.jump is not None:
                frame.is_done = False
                frame.jump, jump = None, frame.jump
                if jump == "break":
                    return
            if frame.is_done:
                return
        if isinstance(iterable, Items | Table) and not iterable.complete:
            self._assign(node.target, UNKNOWN, frame)
            self._conditional(node, node.body, frame, dict(frame.names))
        self._block(node.orelse, frame)

    def _decide(self, test: ast.expr, frame: Frame) -> bool | None:
        """Whether a test holds, when only constants and arguments decide it."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                verdict = self._decide(operand, frame)
                return None if verdict is None else not verdict
            case ast.BoolOp(op=op, values=values):
                verdicts = [self._decide(value, frame) for value in values]
                stop = isinstance(op, ast.Or)
                if stop in verdicts:
                    return stop
                return None if None in verdicts else not stop
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                first = self._decidable(left, frame)
                second = self._decidable(right, frame)
                if first is None or second is None:
                    return None
                return compared(op, first, second)
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, kind]):
                value = self._decidable(subject, frame)
                if isinstance(value, Made):
                    wanted = self.resolver.resolve(frame.module, kind)
                    if isinstance(wanted, Class | External):
                        return self._is_a(value, wanted)
                return None
            case ast.Call(func=ast.Name(id="hasattr"), args=[_, _]):
                return None
            case _:
                return truth_of(self._decidable(test, frame))

    def _is_a(self, value: Made, wanted: Class | External) -> bool | None:
        of = value.node.value.of
        if isinstance(wanted, External):
            return self.resolver.is_subclass(of, wanted.name)
        return isinstance(of, Class) and wanted in self.resolver.mro(of)

    def _decidable(self, node: ast.expr, frame: Frame) -> AV | None:
        """The value of something that no setting and no environment can change."""
        match node:
            case ast.Constant(value=value):
                return Constant(value)
            case ast.Name(id=name):
                current: Frame | None = frame
                while current is not None and current.function is not None:
                    if name in current.names:
                        value = self._forced(current.names[name])
                        return None if value is UNKNOWN else value
                    current = current.parent
                return None
            case ast.List() | ast.Tuple() | ast.Set():
                return self.evaluate(node, frame)
            case ast.Call(func=ast.Attribute(value=owner)) | ast.Subscript(value=owner):
                # `path.endswith("/")`, `path[-1]` of an argument
                if isinstance(self._decidable(owner, frame), Constant):
                    return self.evaluate(node, frame)
                return None
            case _:
                return None

    # -- definitions and imports ------------------------------------------------------------

    def _define(self, node: FunctionNode, frame: Frame) -> None:
        owner = frame.cls if frame.is_class_body else None
        closure = Closure(Function(frame.module, node, owner), visible_from(frame))
        frame.names[node.name] = closure
        for decorator in reversed(node.decorator_list):
            self._decorate(decorator, closure, frame)

    def _decorate(self, node: ast.expr, closure: Closure, frame: Frame) -> None:
        """Apply one decorator, if it registers something."""
        if isinstance(node, ast.Call):
            func = node.func
            if isinstance(func, ast.Name) and not self._could_register(func, frame):
                return
            value = self.evaluate(node, frame)
        else:
            value = self.evaluate(node, frame)
        for alternative in alternatives(value):
            if isinstance(alternative, Decorator):
                self._apply(alternative, closure)
            elif isinstance(alternative, Closure) and self._is_interesting(
                alternative.function.module, alternative.function.node
            ):
                self.call_function(alternative, Arguments([closure], {}))

    def _could_register(self, func: ast.Name, frame: Frame) -> bool:
        value = self.evaluate(func, frame)
        return not isinstance(value, External)

    def _define_class(self, node: ast.ClassDef, frame: Frame) -> None:
        cls = Class(frame.module, node)
        body = Frame(self, frame.module, visible_from(frame), cls=cls, is_class_body=True)
        body.function = None
        self._class_frames[node] = body
        before = [len(made.entries) for made in self.nodes]
        self._block(node.body, body)
        body.is_done = False
        frame.names[node.name] = cls
        for decorator in reversed(node.decorator_list):
            if not isinstance(decorator, ast.Call):
                continue
            arguments = [self.evaluate(argument, frame) for argument in decorator.args]
            arguments += [self.evaluate(k.value, frame) for k in decorator.keywords]
            if any(isinstance(argument, Made) for argument in arguments):
                self._make_view(cls, before)
            elif self._is_interesting_callee(decorator, frame):
                value = self.evaluate(decorator, frame)
                if isinstance(value, Closure):
                    self.call_function(value, Arguments([cls], {}))

    def _is_interesting_callee(self, node: ast.Call, frame: Frame) -> bool:
        callee = self.resolver.resolve(frame.module, node.func)
        return isinstance(callee, Function) and self._is_interesting(callee.module, callee.node)

    def _make_view(self, cls: Class, before: list[int]) -> None:
        """`@cbv(router)`: FastAPI makes the object of the class for each request."""
        methods = {node for node in cls.node.body if isinstance(node, FUNCTIONS)}
        for position, made in enumerate(self.nodes):
            start = before[position] if position < len(before) else 0
            for entry in made.entries[start:]:
                if (
                    isinstance(entry, RouteEntry)
                    and entry.endpoint is not None
                    and entry.endpoint.node in methods
                ):
                    entry.view = cls

    def _import(self, alias: ast.alias, frame: Frame) -> None:
        home = self.model.modules.find(alias.name, frame.module)
        if home is not None:
            self._import_module(home)
        bound = alias.name if alias.asname else alias.name.partition(".")[0]
        top = self.model.modules.find(bound, frame.module)
        value: AV = ModuleValue(top) if top is not None else External(canonical(bound))
        frame.names[alias.asname or bound] = value

    def _import_module(self, module: Module) -> None:
        if module.mentions_framework:
            self.module_frame(module)

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> None:
        home = self._home_of(frame.module, node)
        if home is None:
            if node.level:
                return
            for alias in node.names:
                if alias.name != "*":
                    name = canonical(f"{node.module}.{alias.name}")
                    frame.names[alias.asname or alias.name] = External(name)
            return
        if home is not frame.module:
            self._import_module(home)
        for alias in node.names:
            if alias.name == "*":
                if home.mentions_framework:
                    for name, value in self.module_frame(home).names.items():
                        if not name.startswith("_"):
                            frame.names.setdefault(name, value)
                continue
            if home.is_package and alias.name not in home.index.module_scope.bindings:
                submodule = self.model.modules.submodule(home, alias.name)
                if submodule is not None:
                    self._import_module(submodule)
                    frame.names[alias.asname or alias.name] = ModuleValue(submodule)
                    continue
            frame.names[alias.asname or alias.name] = Lazy(home, alias.name)

    def _forced(self, value: AV) -> AV:
        seen = 0
        while isinstance(value, Lazy) and seen < 50:
            seen += 1
            value = self._module_attribute(value.module, value.name)
        return UNKNOWN if isinstance(value, Lazy) else value

    # -- expressions ------------------------------------------------------------------------

    def evaluate(self, node: ast.expr | None, frame: Frame) -> AV:
        """What an expression is while a frame runs."""
        match node:
            case None:
                return UNKNOWN
            case ast.Constant(value=value):
                return Constant(value)
            case ast.Name(id=name):
                return self._name(name, node, frame)
            case ast.Attribute(value=owner, attr=attr):
                return self._attribute_of(node, owner, attr, frame)
            case ast.Call():
                return self._call(node, frame)
            case ast.Await(value=value):
                return self.evaluate(value, frame)
            case ast.NamedExpr(target=target, value=value):
                result = self.evaluate(value, frame)
                self._assign(target, result, frame)
                return result
            case ast.JoinedStr(values=values):
                return self._text(values, frame) or self._ask(node, frame)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                result = added(self.evaluate(left, frame), self.evaluate(right, frame))
                return result if result is not UNKNOWN else self._ask(node, frame)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                first, second = self.evaluate(left, frame), self.evaluate(right, frame)
                return formatted(first, second)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                return self._sequence(elements, frame)
            case ast.Dict(keys=keys, values=values):
                return self._mapping(keys, values, frame)
            case ast.Subscript(value=owner, slice=index):
                return self._item(node, self.evaluate(owner, frame), index, frame)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                verdict = self._decide(test, frame)
                if verdict is not None:
                    return self.evaluate(body if verdict else orelse, frame)
                return either([self.evaluate(body, frame), self.evaluate(orelse, frame)])
            case ast.BoolOp(op=op, values=values):
                return self._either_of(op, values, frame)
            case ast.Lambda():
                return Closure(Function(frame.module, node), visible_from(frame))
            case (
                ast.ListComp(elt=element, generators=generators)
                | ast.GeneratorExp(elt=element, generators=generators)
                | ast.SetComp(elt=element, generators=generators)
            ):
                return self._comprehension(node, element, generators, frame)
            case ast.Starred(value=value):
                return self.evaluate(value, frame)
            case _:
                return self._ask(node, frame)

    def _ask(self, node: ast.expr, frame: Frame) -> AV:
        return self._lift(self.resolver.resolve(frame.module, node))

    def _name(self, name: str, node: ast.expr, frame: Frame) -> AV:
        current: Frame | None = frame
        while current is not None:
            if name in current.names and (current is frame or not current.is_class_body):
                value = self._forced(current.names[name])
                if value is not UNKNOWN:
                    return value
                break
            current = current.parent
        return self._ask(node, frame)

    def _lift(self, value: Value) -> AV:
        """A resolved value as the evaluator has it."""
        match value:
            case Instance(call=call, module=module) if call is not None and module is not None:
                made = self._by_call.get(call)
                if not made and module.mentions_framework and module not in self._frames:
                    self.module_frame(module)
                    made = self._by_call.get(call)
                if made:
                    return Made(made[0]) if len(made) == 1 else either([Made(n) for n in made])
                return value
            case Function(module=module):
                return Closure(value, self.module_frame(module))
            case Expression(module=module, node=node):
                if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
                    return self.evaluate(node, self.module_frame(module))
                return value
            case _:
                return value

    def _attribute_of(self, node: ast.Attribute, owner: ast.expr, attr: str, frame: Frame) -> AV:
        receiver = self.evaluate(owner, frame)
        if receiver is UNKNOWN:
            return self._ask(node, frame)
        result = self.attribute(receiver, attr)
        if result is UNKNOWN and not isinstance(receiver, Made | Object | Either):
            return self._ask(node, frame)
        return result

    def attribute(self, receiver: AV, attr: str) -> AV:
        """What `receiver.attr` is."""
        match receiver:
            case Either(values=values):
                return either([self.attribute(value, attr) for value in values])
            case Made(node=made):
                return self._made_attribute(receiver, made, attr)
            case Object(cls=cls, attributes=attributes):
                if attr in attributes:
                    return self._forced(attributes[attr])
                if attr == "__class__":
                    return cls
                return self._member(cls, attr, receiver)
            case Super(bound_to=bound_to, cls=cls):
                return self._super_attribute(bound_to, cls, attr)
            case Class():
                return self._member(receiver, attr, None)
            case ModuleValue(module=module):
                return self._module_attribute(module, attr)
            case Items() | Table():
                return Method(receiver, attr)
            case Routes():
                return Method(receiver, attr)
            case Constant(value=str()) if attr in _TEXT_METHODS:
                return Method(receiver, attr)
            case Instance(of=Class() as cls):
                found = self._member(cls, attr, receiver)
                if isinstance(found, Constant) and not isinstance(found, Assumed):
                    return Assumed(found.value)
                return found
            case Closure() | Decorator() | Method() | Depending() | Planned():
                return UNKNOWN
            case _:
                return self._lift(self.resolver.attribute(receiver, attr))

    def _made_attribute(self, receiver: Made, node: RouterNode, attr: str) -> AV:
        if attr in node.attributes:
            return self._forced(node.attributes[attr])
        cls = node.value.of
        if isinstance(cls, Class):
            found = self._member(cls, attr, receiver, stop_at_library=True)
            if found is not None:
                return found
        match attr:
            case "router" if node.is_app:
                return receiver
            case "routes":
                return Routes(node)
            case "prefix":
                prefix = node.options.prefix
                return UNKNOWN if isinstance(prefix, Unknown) else Constant(prefix)
            case "tags":
                tags = node.options.tags
                if isinstance(tags, Unknown):
                    return UNKNOWN
                return Items([Constant(tag) for tag in tags])
            case "dependencies":
                return Items(
                    [Depending(dependency) for dependency in node.options.dependencies],
                    node.options.dependencies_complete,
                )
            case _ if attr in _KNOWN:
                return Method(receiver, attr)
            case _ if attr in _APP_DEFAULTS and node.is_app:
                return Constant(_APP_DEFAULTS[attr])
            case _:
                return self._lift(self.resolver.attribute(node.value, attr))

    def _member(self, cls: Class, attr: str, receiver: AV, *, stop_at_library: bool = False) -> AV:
        """An attribute of a class of the project or of an instance of it."""
        for base in self.resolver.mro(cls):
            if isinstance(base, External):
                return None if stop_at_library else self._inherited(cls, attr, receiver)
            found = self._own_member(base, cls, attr, receiver)
            if found is not None:
                return found
        if stop_at_library:
            return None
        return self._inherited(cls, attr, receiver)

    def _inherited(self, cls: Class, attr: str, receiver: AV) -> AV:
        instance = receiver is not None
        return self._lift(self.resolver.class_attribute(cls, attr, instance=instance))

    def _own_member(self, base: Class, cls: Class, attr: str, receiver: AV) -> AV | None:
        scope = base.module.index.scopes.get(base.node)
        bindings = scope.bindings.get(attr) if scope else None
        if not bindings:
            return None
        node = bindings[-1].node
        frame = self._class_frames.get(base.node)
        around = frame.parent if frame and frame.parent else self.module_frame(base.module)
        if isinstance(node, FUNCTIONS):
            kinds = {last_name(decorator) for decorator in node.decorator_list}
            if "staticmethod" in kinds:
                return Closure(Function(base.module, node), around)
            if "classmethod" in kinds:
                return Closure(Function(base.module, node, cls, bound=True), around, cls)
            if receiver is None:
                return Closure(Function(base.module, node, cls), around)
            bound = Closure(Function(base.module, node, cls, bound=True), around, receiver)
            if kinds & {"property", "cached_property"}:
                return self._property(bound)
            return bound
        if frame is not None and attr in frame.names:
            value = self._forced(frame.names[attr])
            if value is not UNKNOWN:
                return value
        return None

    def _property(self, closure: Closure) -> AV:
        receiver = closure.bound_to
        if isinstance(receiver, Object | Made) and self._is_small(closure.function):
            value = self.call_function(closure, Arguments([], {}), for_result=True)
            if value is not UNKNOWN:
                return value
        return self._lift(self.resolver.returned(closure.function))

    def _super_attribute(self, bound_to: AV, cls: Class, attr: str) -> AV:
        of = cls
        if isinstance(bound_to, Made) and isinstance(bound_to.node.value.of, Class):
            of = bound_to.node.value.of
        elif isinstance(bound_to, Object):
            of = bound_to.cls
        order = list(self.resolver.mro(of))
        start = order.index(cls) + 1 if cls in order else 1
        for base in order[start:]:
            if isinstance(base, External):
                break
            found = self._own_member(base, of, attr, bound_to)
            if found is not None:
                return found
        if isinstance(bound_to, Made) and attr in _KNOWN:
            return Method(bound_to, f"super.{attr}")
        return UNKNOWN

    def _text(self, values: Sequence[ast.expr], frame: Frame) -> AV | None:
        parts: list[str] = []
        assumed = False
        for part in values:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec or part.conversion != -1:
                    return None
                value = self.evaluate(part.value, frame)
            else:
                value = self.evaluate(part, frame)
            if not isinstance(value, Constant) or value.value is None:
                return None
            assumed = assumed or isinstance(value, Assumed)
            parts.append(str(value.value))
        text = "".join(parts)
        return Assumed(text) if assumed else Constant(text)

    def _sequence(self, elements: Sequence[ast.expr], frame: Frame) -> Items:
        result = Items([], conditions=tuple(self._conditions))
        for element in elements[:_WIDTH]:
            value = self.evaluate(element, frame)
            if isinstance(element, ast.Starred):
                items = items_of(value)
                if items is None:
                    result.complete = False
                else:
                    result.items.extend(items)
                    result.complete = result.complete and getattr(value, "complete", True)
            else:
                result.items.append(value)
        return result

    def _mapping(
        self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], frame: Frame
    ) -> Table:
        result = Table({})
        for key_node, value_node in zip(keys, values, strict=True):
            value = self.evaluate(value_node, frame)
            if key_node is None:
                if isinstance(value, Table):
                    result.items.update(value.items)
                    result.complete = result.complete and value.complete
                else:
                    result.complete = False
                continue
            key = self._plain(self.evaluate(key_node, frame))
            if isinstance(key, Constant) and is_literal(key.value):
                result.items[key.value] = value
            elif isinstance(key, Made | Object | Closure | Class | External):
                result.items[key] = value
            else:
                result.complete = False
        return result

    def _item(self, node: ast.Subscript, owner: AV, index: ast.expr, frame: Frame) -> AV:
        key = self.evaluate(index, frame) if not isinstance(index, ast.Slice) else UNKNOWN
        if isinstance(owner, Constant) and isinstance(owner.value, str):
            return self._part_of(owner, index)
        if isinstance(owner, Items):
            if isinstance(index, ast.Slice):
                return Items(list(owner.items), complete=False)
            if isinstance(key, Constant) and isinstance(key.value, int):
                if -len(owner.items) <= key.value < len(owner.items):
                    return owner.items[key.value]
            return either(owner.items) if owner.items else UNKNOWN
        if isinstance(owner, Table):
            if isinstance(key, Constant) and is_literal(key.value):
                return owner.items.get(key.value, UNKNOWN)
            return either(list(owner.items.values())) if owner.items else UNKNOWN
        if isinstance(owner, Class):
            return owner
        return self._ask(node, frame)

    def _part_of(self, owner: Constant, index: ast.expr) -> AV:
        """`path[:-1]`"""
        bounds = [index.lower, index.upper] if isinstance(index, ast.Slice) else [index]
        values: list[int | None] = []
        for bound in bounds:
            match bound:
                case None:
                    values.append(None)
                case ast.Constant(value=int(value)):
                    values.append(value)
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                    values.append(-value)
                case _:
                    return UNKNOWN
        try:
            if isinstance(index, ast.Slice):
                return type(owner)(owner.value[slice(*values)])
            return type(owner)(owner.value[values[0]])
        except (LookupError, TypeError):
            return UNKNOWN

    def _either_of(self, op: ast.boolop, values: Sequence[ast.expr], frame: Frame) -> AV:
        found: list[AV] = []
        for value in values:
            verdict = self._decide(value, frame)
            stop = isinstance(op, ast.Or)
            result = self.evaluate(value, frame)
            if verdict is stop:
                return either([*found, result])
            if verdict is None or value is values[-1]:
                found.append(result)
        return either(found)

    def _comprehension(
        self,
        node: ast.expr,
        element: ast.expr,
        generators: Sequence[ast.comprehension],
        frame: Frame,
    ) -> AV:
        if len(generators) != 1:
            return self._ask(node, frame)
        generator = generators[0]
        iterable = self.evaluate(generator.iter, frame)
        items = items_of(iterable)
        if items is None:
            return self._ask(node, frame)
        inner = Frame(self, frame.module, frame, function=frame.function, cls=frame.cls)
        inner.receiver = frame.receiver
        result = Items([], complete=getattr(iterable, "complete", True))
        for item in items[:_WIDTH]:
            optional = isinstance(item, Maybe)
            self._assign(generator.target, item.value if isinstance(item, Maybe) else item, inner)
            verdicts = [self._decide(test, inner) for test in generator.ifs]
            if False in verdicts:
                continue
            made = self.evaluate(element, inner)
            result.items.append(Maybe(made) if optional or None in verdicts else made)
        return result

    # -- calls ------------------------------------------------------------------------------

    def _arguments(self, node: ast.Call, frame: Frame) -> Arguments:
        result = Arguments([], {})
        for argument in node.args:
            value = self.evaluate(argument, frame)
            if isinstance(argument, ast.Starred):
                items = items_of(value)
                if items is None or not getattr(value, "complete", True):
                    result.hidden = True
                    break
                result.positional.extend(items)
            else:
                result.positional.append(value)
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            if keyword.arg is not None:
                result.keywords[keyword.arg] = value
            elif isinstance(value, Table):
                result.keywords.update(
                    {key: item for key, item in value.items.items() if isinstance(key, str)}
                )
                result.hidden = result.hidden or not value.complete
            else:
                result.hidden = True
        return result

    def _call(self, node: ast.Call, frame: Frame, *, is_statement: bool = False) -> AV:
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super":
            return self._super(frame)
        callee = self.evaluate(func, frame)
        if isinstance(callee, Either):
            results = []
            for alternative in callee.values:
                self._conditions.append((node, id(alternative)))
                try:
                    results.append(self._called(alternative, node, frame, is_statement))
                finally:
                    self._conditions.pop()
            return either(results)
        return self._called(callee, node, frame, is_statement)

    def _super(self, frame: Frame) -> AV:
        current: Frame | None = frame
        while current is not None and current.receiver is None:
            current = current.parent
        if current is None or current.function is None:
            return UNKNOWN
        owner = current.module.index.class_of(current.function)
        if owner is None:
            return UNKNOWN
        return Super(current.receiver, Class(current.module, owner))

    def _called(self, callee: AV, node: ast.Call, frame: Frame, is_statement: bool) -> AV:
        match callee:
            case Method(receiver=receiver, name=name):
                if isinstance(receiver, Made):
                    origin = self._origin or Origin(frame.module, node, node)
                    return self._made_call(
                        receiver.node, name, self._arguments(node, frame), origin
                    )
                if isinstance(receiver, Routes):
                    return self._routes_call(receiver.node, name, self._arguments(node, frame))
                return self._builtin_method(receiver, name, self._arguments(node, frame))
            case Closure():
                return self._call_closure(callee, node, frame, is_statement)
            case Class():
                return self._construct(callee, node, frame)
            case Decorator():
                for argument in node.args[:1]:
                    value = self.evaluate(argument, frame)
                    for endpoint in alternatives(value):
                        self._apply(callee, endpoint)
                    return value
                return UNKNOWN
            case Object(cls=cls):
                method = self._member(cls, "__call__", callee)
                if isinstance(method, Closure):
                    return self._call_closure(method, node, frame, is_statement)
                return UNKNOWN
            case External(name=name):
                return self._external_call(name, node, frame)
            case _:
                if any(isinstance(argument, ast.Call | ast.Name) for argument in node.args):
                    self._escape(node, frame)
                return self._ask(node, frame)

    def _escape(self, node: ast.Call, frame: Frame) -> None:
        """An app or router given to something unknown may get routes there."""
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Name):
                for made in made_in(self.evaluate(argument, frame), 0):
                    made.node.is_open = made.node.is_handed_out = True

    def _hand_out(self, node: ast.Call, frame: Frame) -> None:
        """Note the apps and routers that a library's function gets, alone or in lists."""
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Name | ast.Attribute | ast.List | ast.Tuple):
                for value in made_in(self.evaluate(argument, frame), 0):
                    value.node.is_handed_out = True

    def _call_closure(
        self, callee: Closure, node: ast.Call, frame: Frame, is_statement: bool
    ) -> AV:
        function = callee.function
        if function in self._assembling:
            return self.call_function(callee, self._arguments(node, frame))
        if not is_statement and self._is_small(function):
            value = self.call_function(callee, self._arguments(node, frame), for_result=True)
            if value is not UNKNOWN:
                return value
        if isinstance(function.node, ast.Lambda):
            return self.call_function(callee, self._arguments(node, frame))
        if is_statement:
            return UNKNOWN
        return self._lift(self.resolver.called(function, frame.module, node))

    def _is_small(self, function: Function) -> bool:
        node = function.node
        return (
            isinstance(node, ast.FunctionDef)
            and len(node.body) <= _SMALL
            and self._following < _FOLLOWED
            and not self._in_test
            and (node.end_lineno or node.lineno) - node.lineno < _SHORT
            and not function.module.index.is_generator(node)
        )

    def call_function(
        self,
        closure: Closure,
        arguments: Arguments,
        *,
        as_root: bool = False,
        for_result: bool = False,
    ) -> AV:
        """Run a function of the project; what it returns (or yields)."""
        function = closure.function
        node = function.node
        if len(self._running) >= _CALLS or self._running.count(node) > 1 or self._budget <= 0:
            return UNKNOWN
        is_cached = not isinstance(node, ast.Lambda) and any(
            last_name(decorator) in {"cache", "lru_cache"} for decorator in node.decorator_list
        )
        if is_cached and node in self._cached:
            return self._cached[node]
        if self._in_test and not as_root and not has_objects(arguments):
            # Tests build the same app over and over: once is enough.
            made = [n for n in self._results.get(node, ()) if n.module is function.module]
            if made:
                return Made(made[0])
        frame = Frame(self, function.module, closure.frame, function=node)
        frame.receiver = closure.bound_to
        frame.cls = function.owner
        self._bind_arguments(closure, arguments, frame, as_root=as_root)
        if not for_result:
            self._executed.add(node)
        self._running.append(node)
        self._following += for_result
        depth = len(self._conditions)
        try:
            if isinstance(node, ast.Lambda):
                return self.evaluate(node.body, frame)
            self._block(node.body, frame)
        finally:
            self._running.pop()
            self._following -= for_result
            del self._conditions[depth:]
        if not frame.returned:
            result: AV = Constant(None)
        else:
            result = either(frame.returned)
        if is_cached:
            self._cached[node] = result
        for made in alternatives(result):
            if isinstance(made, Made):
                self._results[node].append(made.node)
        return result

    def _bind_arguments(
        self, closure: Closure, arguments: Arguments, frame: Frame, *, as_root: bool
    ) -> None:
        function = closure.function
        given = function.node.args
        positional = [*given.posonlyargs, *given.args]
        values = list(arguments.positional)
        if closure.bound_to is not None and positional:
            frame.names[positional[0].arg] = closure.bound_to
            positional = positional[1:]
        keywords = dict(arguments.keywords)
        for position, argument in enumerate(positional):
            if position < len(values):
                frame.names[argument.arg] = values[position]
            else:
                self._bind_argument(argument, keywords, arguments.hidden, closure, frame, as_root)
        for argument in given.kwonlyargs:
            self._bind_argument(argument, keywords, arguments.hidden, closure, frame, as_root)
        if given.vararg is not None:
            rest = values[len(positional) :]
            frame.names[given.vararg.arg] = Items(rest, not arguments.hidden and not as_root)
        if given.kwarg is not None:
            frame.names[given.kwarg.arg] = Table(
                dict(keywords), not arguments.hidden and not as_root
            )

    def _bind_argument(
        self,
        argument: ast.arg,
        keywords: dict[str, AV],
        hidden: bool,
        closure: Closure,
        frame: Frame,
        as_root: bool,
    ) -> None:
        name = argument.arg
        if name in keywords:
            frame.names[name] = keywords.pop(name)
            return
        default = default_of(closure.function.node.args, argument)
        module = closure.function.module
        if default is not None and not hidden:
            value = self.evaluate(default, closure.frame)
            if as_root and isinstance(value, Constant):
                # Nobody was seen to call it: the default serves for text, but decides nothing.
                value = UNKNOWN if value.value is None else Assumed(value.value)
            if isinstance(value, Instance) or value is UNKNOWN:
                value = self._lift(self.resolver.resolve(module, argument)) or value
            frame.names[name] = value
            return
        frame.names[name] = self._lift(self.resolver.resolve(module, argument))

    # -- construction -----------------------------------------------------------------------

    def _kind_of_class(self, cls: Class | External) -> str | None:
        if self.resolver.is_subclass(cls, _APP):
            return _APP
        if self.resolver.is_subclass(cls, _ROUTER):
            return _ROUTER
        return None

    def _construct(self, cls: Class, node: ast.Call, frame: Frame) -> AV:
        arguments = self._arguments(node, frame)
        kind = self._kind_of_class(cls)
        if kind is not None:
            made = self._make(cls, kind, node, frame)
            init = self._member(cls, "__init__", made, stop_at_library=True)
            if isinstance(init, Closure):
                self.call_function(init, arguments)
            else:
                self._initialise(made.node, arguments)
            return made
        instance = Object(cls, node, frame.module)
        init = self._member(cls, "__init__", instance, stop_at_library=True)
        if isinstance(init, Closure):
            if init.function in self._assembling:
                self.call_function(init, arguments)
            else:
                self._bind_fields(instance, init, arguments)
            return instance
        self._fill_fields(instance, arguments)
        for name in ("__post_init__", "__attrs_post_init__", "model_post_init"):
            after = self._member(cls, name, instance, stop_at_library=True)
            if isinstance(after, Closure):
                self.call_function(after, Arguments([], {}))
        return instance

    def _fill_fields(self, instance: Object, arguments: Arguments) -> None:
        """What a generated constructor (dataclass, attrs, Pydantic) does with its arguments."""
        fields = list(parameters.fields_of(self.resolver, instance.cls))
        names = [s.target.id for _, s in fields if isinstance(s.target, ast.Name)]
        given = arguments.named(tuple(names))
        for name, (module, statement) in zip(names, fields, strict=True):
            if name in given:
                instance.attributes[name] = given[name]
                continue
            default = statement.value
            if isinstance(default, ast.Call):
                made = self._field_default(module, default)
                if made is not None:
                    instance.attributes[name] = made

    def _field_default(self, module: Module, node: ast.Call) -> AV | None:
        """`field(default_factory=APIRouter)`, `field(default=None)`"""
        frame = self.module_frame(module)
        for keyword in node.keywords:
            if keyword.arg == "default":
                return self.evaluate(keyword.value, frame)
            if keyword.arg in {"default_factory", "factory"}:
                factory = self.evaluate(keyword.value, frame)
                match factory:
                    case External(name=name) if name in {"builtins.list", "builtins.set"}:
                        return Items([])
                    case External(name="builtins.dict"):
                        return Table({})
                    case Closure():
                        return self.call_function(factory, Arguments([], {}), for_result=True)
                    case External() | Class() if self._kind_of_class(factory) is not None:
                        call = ast.copy_location(ast.Call(keyword.value, [], []), keyword.value)
                        return self._called(factory, call, frame, is_statement=False)
        return None

    def _bind_fields(self, instance: Object, init: Closure, arguments: Arguments) -> None:
        """`self.x = x` of a constructor that assembles nothing."""
        function = init.function
        given = function.node.args
        names = tuple(argument.arg for argument in [*given.posonlyargs, *given.args][1:])
        values = arguments.named(names)
        if isinstance(function.node, ast.Lambda):
            return
        for statement in function.node.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Attribute(attr=attr)], value=ast.Name(id=name))
                    | ast.AnnAssign(target=ast.Attribute(attr=attr), value=ast.Name(id=name))
                ) if name in values:
                    instance.attributes[attr] = values[name]

    def _make(self, cls: Class | External, kind: str, node: ast.Call, frame: Frame) -> Made:
        fact = self._facts_of(frame.module).get(node)
        made = RouterNode(
            fact if isinstance(fact, App) else None,
            frame.module,
            node,
            Instance(cls, frame.module, node),
            kind == _APP,
            conditions=tuple(self._conditions),
            in_test=self._in_test,
        )
        self.nodes.append(made)
        self._by_call[node].append(made)
        return Made(made)

    def _initialise(self, node: RouterNode, arguments: Arguments) -> None:
        """What `FastAPI(...)` and `APIRouter(...)` themselves do with their arguments."""
        options = self._options(arguments)
        node.options = replace(options, prefix="") if node.is_app else options
        if node.is_app:
            for name in _APP_DEFAULTS:
                if name in arguments.keywords or arguments.hidden:
                    node.attributes[name] = arguments.keywords.get(name, UNKNOWN)
        handlers = arguments.keywords.get("exception_handlers")
        if isinstance(handlers, Table) and handlers.complete:
            for key in handlers.items:
                caught = Constant(key) if is_literal(key) else self._plain(key)
                node.handled.append(to_value(caught))
        elif (handlers is not None and not is_none(handlers)) or arguments.hidden:
            node.handled.append(UNKNOWN)
        routes = arguments.keywords.get("routes")
        if routes is not None and not is_none(routes):
            self._extend_routes(node, routes)

    def _external_call(self, name: str, node: ast.Call, frame: Frame) -> AV:
        callee = External(name)
        kind = self._kind_of_class(callee)
        if kind is not None:
            made = self._make(callee, kind, node, frame)
            self._initialise(made.node, self._arguments(node, frame))
            return made
        if name in {"fastapi.Depends", "fastapi.Security"}:
            return self._depends(node, frame)
        if name.startswith("builtins."):
            return self._builtin_call(name.removeprefix("builtins."), node, frame)
        last = name.rpartition(".")[2]
        if name in _PLANNED:
            return Planned(last, self._arguments(node, frame), Origin(frame.module, node, node))
        if last == "import_module":
            return self._imported(node, frame)
        if name in {"functools.partial", "typing.cast"} and node.args:
            wanted = node.args[-1] if name == "typing.cast" else node.args[0]
            value = self.evaluate(wanted, frame)
            if value is not UNKNOWN:
                return value
        result = self.resolver.resolve(frame.module, node)
        if not isinstance(result, Instance) or result.call is not node:
            result = self.resolver.called(callee, frame.module, node)
        if isinstance(result, Instance) and self._kind_of_class(result.of) is not None:
            return self._opaque(result, node, frame)
        if last[:1].islower():
            self._evaluate_arguments(node, frame)
        if name.partition(".")[0] not in _HARMLESS and "testclient" not in name:
            self._hand_out(node, frame)
        return self._lift(result)

    def _evaluate_arguments(self, node: ast.Call, frame: Frame) -> None:
        """Calls inside of a library call's arguments may assemble something: `run(create())`."""
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Call | ast.Await):
                self.evaluate(argument, frame)

    def _opaque(self, value: Instance, node: ast.Call, frame: Frame) -> AV:
        """A router of a library: what is on it cannot be seen."""
        known = [n for n in self._by_call.get(node, ()) if n.is_opaque]
        if known:
            return Made(known[0])
        kind = self._kind_of_class(value.of)
        made = RouterNode(
            None, frame.module, node, value, kind == _APP, is_opaque=True,
            conditions=tuple(self._conditions), in_test=self._in_test,
        )  # fmt: skip
        self.nodes.append(made)
        self._by_call[node].append(made)
        return Made(made)

    def _imported(self, node: ast.Call, frame: Frame) -> AV:
        name = self.evaluate(node.args[0], frame) if node.args else UNKNOWN
        if isinstance(name, Constant) and isinstance(name.value, str):
            module: Module | None = None
            if name.value.startswith("."):
                level = len(name.value) - len(name.value.lstrip("."))
                module = self.model.modules.relative(level, name.value[level:], frame.module)
            else:
                module = self.model.modules.find(name.value, frame.module)
            if module is not None:
                self._import_module(module)
                return ModuleValue(module)
        return UNKNOWN

    def _depends(self, node: ast.Call, frame: Frame) -> AV:
        value = self.resolver.resolve(frame.module, node)
        if not isinstance(value, Instance):
            return UNKNOWN
        dependency = self.model.dependency_of_marker(frame.module, node, value, None)
        return UNKNOWN if dependency is None else Depending(self.in_frame(dependency, frame))

    def in_frame(self, dependency: Dependency, frame: Frame) -> Dependency:
        """A dependency whose target is a name of a running function: what that name is there."""
        node = dependency.target_node
        if node is None:
            return dependency
        if dependency.marker.call_module is not frame.module or frame.function is None:
            return dependency
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        current: Frame | None = frame
        local = False
        while current is not None and current.function is not None:
            local = local or not names.isdisjoint(current.names)
            current = current.parent
        if not local:
            return dependency
        target = self._plain(self.evaluate(node, frame))
        found = to_value(target)
        if not found or found == dependency.target:
            return dependency
        return replace(dependency, target=found)

    def resolved(self, dependency: Dependency) -> Dependency:
        """A dependency whose target only a call with its arguments tells.

        `Depends(get_user(required=True))` where the factory returns one of several functions.
        """
        target, node = dependency.target, dependency.target_node
        if not isinstance(node, ast.Call):
            return dependency
        if isinstance(target, Function | Class) or (
            isinstance(target, Instance)
            and (isinstance(target.of, Class) or target.of.name not in _CALLABLES)
        ):
            return dependency
        in_test, self._in_test = self._in_test, False
        try:
            frame = self.module_frame(dependency.marker.call_module)
            found = to_value(self.evaluate(node, frame))
        finally:
            self._in_test = in_test
        if isinstance(found, Function | Class) or (
            isinstance(found, Instance) and isinstance(found.of, Class)
        ):
            return replace(dependency, target=found)
        return dependency

    def view_dependency(self, entry: RouteEntry) -> Dependency | None:
        """What a class-based view injects as `self`: an object of the class."""
        cls = entry.view
        if not isinstance(cls, Class):
            return None
        call = ast.copy_location(
            ast.Call(ast.copy_location(ast.Name("Depends", ast.Load()), cls.node), [], []), cls.node
        )
        marker = Marker("Depends", cls.module, call, call, cls.module, in_annotated=False)
        return Dependency(cls.module, call, marker, None, cls, None, False, None)

    # -- what apps and routers do -----------------------------------------------------------

    def _made_call(self, node: RouterNode, name: str, arguments: Arguments, origin: Origin) -> AV:
        plain = name.removeprefix("super.")
        if plain == "__init__":
            self._initialise(node, arguments)
            return Constant(None)
        if plain == "include_router":
            self._include(node, arguments, origin)
            return Constant(None)
        if plain == "mount":
            self._mount(node, arguments, origin)
            return Constant(None)
        if plain == _VERSIONED:
            # Cadwyn serves these routers once for each version, told by a header.
            self._conditions.append(origin.node)
            for router in arguments.positional:
                self._include(node, Arguments([router], {}), origin)
            self._conditions.pop()
            return Constant(None)
        if plain in _HANDLING:
            named = arguments.named(("exc_class_or_status_code",))
            caught = self._plain(named.get("exc_class_or_status_code", UNKNOWN))
            node.handled.append(to_value(caught))
            return UNKNOWN
        if plain in _ADDERS:
            return Decorator(node, plain, arguments, origin)
        if plain in _DIRECT:
            named = arguments.named(_POSITIONAL[plain])
            endpoint = named.pop("endpoint", UNKNOWN)
            self._add(node, plain, named, arguments.hidden, endpoint, origin, endpoint)
        return Constant(None)

    def _apply(self, decorator: Decorator, endpoint: AV) -> None:
        """Register an endpoint as `router.get(...)(endpoint)` does: through `add_api_route`."""
        node, verb = decorator.node, decorator.verb
        named = decorator.arguments.named(_POSITIONAL.get(verb, ("path",)))
        if verb in VERBS:
            named["methods"] = Items([Constant(verb.upper())])
        target = {
            "websocket": "add_api_websocket_route",
            "route": "add_route",
            "websocket_route": "add_websocket_route",
        }.get(verb, "add_api_route")
        cls = node.value.of
        if isinstance(cls, Class) and target in _VIRTUAL:
            override = self._member(cls, target, Made(node), stop_at_library=True)
            if isinstance(override, Closure) and override.function.node not in self._running:
                path = named.pop("path", UNKNOWN)
                before = len(node.entries)
                origin, self._origin = self._origin, decorator.origin
                try:
                    self.call_function(
                        override,
                        Arguments([path, endpoint], named, decorator.arguments.hidden),
                    )
                finally:
                    self._origin = origin
                if len(node.entries) > before:
                    return
                named["path"] = path
        self._add(
            node, verb, named, decorator.arguments.hidden, endpoint, decorator.origin, endpoint
        )

    def _is_conditional(self, node: RouterNode) -> bool:
        """Whether a branch decides about something that is done now to what was made earlier."""
        conditions = self._conditions
        made = node.conditions
        return any(condition not in made for condition in conditions)

    def _add(
        self,
        node: RouterNode,
        verb: str,
        named: dict[str, AV],
        hidden: bool,
        endpoint: AV,
        origin: Origin,
        given: AV,
    ) -> None:
        function, frame = self._endpoint(endpoint)
        if function is not None:
            self._endpoints.add(function.node)
        fact = self._route_fact(node, verb, origin, function)
        own = self._options(Arguments([], named, hidden), is_route=True)
        path = self._plain(named.get("path", UNKNOWN))
        prefix = path.value if isinstance(path, Constant) and isinstance(path.value, str) else None
        own = replace(own, prefix=UNKNOWN if prefix is None else prefix)
        is_plain = verb in {"route", "add_route", "websocket_route", "add_websocket_route"}
        # Starlette's own `add_route` knows no prefix.
        options = own if is_plain else node.options.then(own)
        status = self._status(named.get("status_code"))
        node.entries.append(
            RouteEntry(
                fact,
                self._methods(verb, named, hidden),
                function,
                options,
                own,
                self._given_text(named.get("name"), hidden),
                self._given_text(named.get("operation_id"), hidden),
                status,
                frame,
                self._is_conditional(node),
                is_plain,
            )
        )

    def _endpoint(self, value: AV) -> tuple[Function | None, Frame | None]:
        if isinstance(value, Closure):
            return value.function, value.frame
        if isinstance(value, Object):
            method = self._member(value.cls, "__call__", value)
            if isinstance(method, Closure):
                return method.function, method.frame
        if isinstance(value, Function):
            return value, None
        return None, None

    def _route_fact(
        self, node: RouterNode, verb: str, origin: Origin, endpoint: Function | None
    ) -> Route:
        facts = self._facts_of(origin.module)
        fact = facts.get(origin.node)
        if isinstance(fact, Route):
            if fact.endpoint is None or endpoint is None or fact.endpoint is endpoint.node:
                return fact
            return replace(
                fact, endpoint=endpoint.node, endpoint_module=endpoint.module, receiver=node.value
            )
        return route_fact(
            self.model, origin.module, origin.node, origin.call, verb, node.value, endpoint
        )

    def _methods(self, verb: str, named: dict[str, AV], hidden: bool) -> tuple[str, ...] | None:
        if "websocket" in verb:
            return ()
        given = named.get("methods")
        if given is None or is_none(given):
            if hidden and given is None:
                return None
            return ("GET", "HEAD") if verb in {"route", "add_route"} else ("GET",)
        items = items_of(given)
        if items is None or not getattr(given, "complete", True):
            return None
        methods = [self._plain(item) for item in items]
        if not all(isinstance(m, Constant) and isinstance(m.value, str) for m in methods):
            return None
        names = dict.fromkeys(m.value.upper() for m in methods)
        if verb in {"route", "add_route"} and "GET" in names:
            names["HEAD"] = None
        return tuple(names)

    def _include(self, node: RouterNode, arguments: Arguments, origin: Origin) -> None:
        named = arguments.named(("router",))
        options = node.options.then(self._options(Arguments([], named, arguments.hidden)))
        fact = self._facts_of(origin.module).get(origin.node)
        children = alternatives(named.get("router", UNKNOWN))
        self.included.add(origin.node)
        for child in children:
            conditional = self._is_conditional(node) or len(children) > 1
            if isinstance(child, Made):
                made: RouterNode | None = child.node
            else:
                made = self._opaque_child(child, origin)
            node.entries.append(
                IncludeEntry(
                    fact if isinstance(fact, Include) else None,
                    origin.module,
                    origin.node,
                    made,
                    options,
                    conditional,
                    len(made.entries) if made is not None else 0,
                )
            )

    def _opaque_child(self, child: AV, origin: Origin) -> RouterNode | None:
        """A router object of a library (`admin.router`); `None` for what is not known at all."""
        value = to_value(child)
        name: str | None = None
        if isinstance(value, External):
            name = value.name
        elif isinstance(value, Instance) and isinstance(value.of, External):
            name = value.of.name
        if name is None or name in {_ROUTER, _APP} or name.startswith("builtins."):
            return None
        call = origin.call or ast.Call(ast.Name(name, ast.Load()), [], [])
        made = RouterNode(
            None, origin.module, call, Instance(External(_ROUTER)), False, is_opaque=True
        )
        self.nodes.append(made)
        return made

    def _mount(self, node: RouterNode, arguments: Arguments, origin: Origin) -> None:
        named = arguments.named(("path", "app", "name"))
        path = self._plain(named.get("path", UNKNOWN))
        text = path.value if isinstance(path, Constant) and isinstance(path.value, str) else None
        fact = self._facts_of(origin.module).get(origin.node)
        children = alternatives(named.get("app", UNKNOWN))
        for child in children:
            node.entries.append(
                MountEntry(
                    fact if isinstance(fact, Mount) else None,
                    origin.module,
                    origin.node,
                    child.node if isinstance(child, Made) and child.node.is_app else None,
                    text.rstrip("/") if text is not None else None,
                    self._is_conditional(node) or len(children) > 1,
                    self._given_text(named.get("name"), arguments.hidden),
                )
            )

    def _extend_routes(self, node: RouterNode, value: AV) -> None:
        if isinstance(value, Routes):
            for entry in list(value.node.entries):
                node.entries.append(entry)
            return
        items = items_of(value)
        if items is None or not getattr(value, "complete", True):
            node.is_open = True
        for item in items or ():
            self._put(node, item)

    def _put(self, node: RouterNode, item: AV) -> None:
        if not isinstance(item, Planned):
            node.is_open = True
            return
        if item.kind == "Mount":
            self._mount(node, item.arguments, item.origin)
            return
        verb = {
            "APIRoute": "add_api_route",
            "Route": "add_route",
            "APIWebSocketRoute": "add_api_websocket_route",
            "WebSocketRoute": "add_websocket_route",
        }.get(item.kind)
        if verb is None:
            node.is_open = True
            return
        named = item.arguments.named(_POSITIONAL[verb])
        endpoint = named.pop("endpoint", UNKNOWN)
        options, node.options = node.options, Options()
        try:
            self._add(node, verb, named, item.arguments.hidden, endpoint, item.origin, endpoint)
        finally:
            node.options = options

    def _routes_call(self, node: RouterNode, name: str, arguments: Arguments) -> AV:
        if name in {"append", "insert"} and arguments.positional:
            self._put(node, arguments.positional[-1])
        elif name == "extend" and arguments.positional:
            self._extend_routes(node, arguments.positional[0])
        else:
            node.is_open = True
        return Constant(None)

    # -- options ----------------------------------------------------------------------------

    def _options(self, arguments: Arguments, *, is_route: bool = False) -> Options:
        given = arguments.keywords
        hidden = arguments.hidden

        def pick(name: str, default: Any, read: Any) -> Any:
            if name not in given:
                return UNKNOWN if hidden else default
            value = given[name]
            return default if is_none(value) else read(value)

        listed, complete = pick("dependencies", ((), True), self._listed) or ((), False)
        response_class = given.get("response_class" if is_route else "default_response_class")
        custom = given.get("generate_unique_id_function")
        return Options(
            pick("prefix", "", self._one_text),
            pick("tags", (), self._texts),
            listed,
            complete,
            pick("responses", (), self._keys),
            pick("deprecated", None, flag),
            pick("include_in_schema", True, flag),
            None if response_class is None else to_value(response_class) or None,
            (UNKNOWN if hidden else False) if custom is None else True,
        )

    def _one_text(self, value: AV) -> str | Unknown:
        plain = self._plain(value)
        if isinstance(plain, Constant) and isinstance(plain.value, str):
            return plain.value
        return UNKNOWN

    def _given_text(self, value: AV, hidden: bool) -> str | Unknown | None:
        if value is None:
            return UNKNOWN if hidden else None
        return None if is_none(value) else self._one_text(value)

    def _texts(self, value: AV) -> tuple[str, ...] | Unknown:
        items = items_of(value)
        if items is None or not getattr(value, "complete", True):
            return UNKNOWN
        texts = [self._one_text(item) for item in items]
        if any(isinstance(text, Unknown) for text in texts):
            return UNKNOWN
        return tuple(text for text in texts if isinstance(text, str))

    def _listed(self, value: AV) -> tuple[tuple[Dependency, ...], bool]:
        """The dependencies that are certainly in a list, and whether these are all."""
        items = items_of(value)
        if items is None:
            return (), False
        complete = getattr(value, "complete", True)
        found: list[Dependency] = []
        for item in items:
            dependency = self._dependency(item)
            if dependency is None:
                complete = False
            else:
                found.append(dependency)
        return tuple(found), complete

    def _dependency(self, item: AV) -> Dependency | None:
        if isinstance(item, Depending):
            return item.dependency
        if (
            isinstance(item, Instance)
            and isinstance(item.of, External)
            and item.of.name in {"fastapi.Depends", "fastapi.Security"}
            and item.module is not None
            and item.call is not None
        ):
            return self.model.dependency_of_marker(item.module, item.call, item, None)
        return None

    def _keys(self, value: AV) -> tuple[int | str, ...] | Unknown:
        if not isinstance(value, Table) or not value.complete:
            return UNKNOWN
        keys = [key for key in value.items if isinstance(key, int | str)]
        return tuple(keys) if len(keys) == len(value.items) else UNKNOWN

    def _status(self, value: AV | None) -> int | Unknown | None:
        if value is None or is_none(value):
            return None
        plain = self._plain(value)
        if isinstance(plain, Constant) and type(plain.value) is int:
            return plain.value
        return UNKNOWN

    def _plain(self, value: AV) -> AV:
        """A status constant or an enumeration's member as the plain constant it is."""
        if isinstance(value, External):
            return self.model.constant_of(value)
        return value

    # -- builtins ---------------------------------------------------------------------------

    def _builtin_call(self, name: str, node: ast.Call, frame: Frame) -> AV:
        arguments = self._arguments(node, frame)
        values = arguments.positional
        first = values[0] if values else UNKNOWN
        match name:
            case "list" | "tuple" | "set" | "frozenset" | "sorted" | "reversed":
                if not values:
                    return Items([])
                items = items_of(first)
                if items is None:
                    return self._ask(node, frame)
                ordered = list(reversed(items)) if name == "reversed" else list(items)
                return Items(ordered, getattr(first, "complete", True))
            case "dict":
                if not values:
                    return Table(dict(arguments.keywords), not arguments.hidden)
                if isinstance(first, Table):
                    return Table({**first.items, **arguments.keywords}, first.complete)
                return UNKNOWN
            case "enumerate":
                items = items_of(first)
                if items is None:
                    return UNKNOWN
                pairs = [Items([Constant(i), item]) for i, item in enumerate(items)]
                return Items(list(pairs), getattr(first, "complete", True))
            case "zip":
                columns = [items_of(value) for value in values]
                if not columns or any(column is None for column in columns):
                    return UNKNOWN
                rows = zip(*(column for column in columns if column is not None), strict=False)
                return Items([Items(list(row)) for row in rows])
            case "getattr" if len(values) >= 2:
                if isinstance(values[1], Constant) and isinstance(values[1].value, str):
                    found = self.attribute(first, values[1].value)
                    return found if found is not UNKNOWN or len(values) < 3 else values[2]
                return UNKNOWN
            case "setattr" if len(values) == 3:
                if isinstance(values[1], Constant) and isinstance(values[1].value, str):
                    self._set_attribute(first, values[1].value, values[2])
                return Constant(None)
            case "str" if isinstance(first, Constant):
                return type(first)(str(first.value))
            case "super":
                return self._super(frame)
            case _:
                return self._ask(node, frame)

    def _builtin_method(self, receiver: AV, name: str, arguments: Arguments) -> AV:
        values = arguments.positional
        first = values[0] if values else UNKNOWN
        if isinstance(receiver, Items):
            if name == "append":
                self._put_into(receiver, [first])
            elif name == "insert" and len(values) == 2:
                self._put_into(receiver, values[1:])
            elif name == "extend":
                self._put_into(receiver, items_of(first))
            elif name == "copy":
                return Items(list(receiver.items), receiver.complete)
            elif name in {"remove", "pop", "clear"}:
                receiver.complete = False
            return Constant(None)
        if isinstance(receiver, Table):
            return self._mapping_method(receiver, name, arguments)
        if isinstance(receiver, Constant) and isinstance(receiver.value, str):
            if name == "join":
                texts = self._texts(first)
                return (
                    UNKNOWN if isinstance(texts, Unknown) else Constant(receiver.value.join(texts))
                )
            plain = [self._plain(value) for value in values]
            named = {key: self._plain(value) for key, value in arguments.keywords.items()}
            return text_method(receiver.value, name, plain, named)
        return UNKNOWN

    def _put_into(self, receiver: Items, items: Sequence[AV] | None) -> None:
        if items is None:
            receiver.complete = False
            return
        if any(condition not in receiver.conditions for condition in self._conditions):
            items = [item if isinstance(item, Maybe) else Maybe(item) for item in items]
        receiver.items.extend(items)

    def _mapping_method(self, receiver: Table, name: str, arguments: Arguments) -> AV:
        values = arguments.positional
        key = values[0] if values else UNKNOWN
        literal = key.value if isinstance(key, Constant) else None
        known = isinstance(key, Constant) and is_literal(literal)
        match name:
            case "items":
                pairs = [
                    Items([k if not is_literal(k) else Constant(k), v])
                    for k, v in receiver.items.items()
                ]
                return Items(list(pairs), receiver.complete)
            case "values":
                return Items(list(receiver.items.values()), receiver.complete)
            case "keys":
                keys = [k if not is_literal(k) else Constant(k) for k in receiver.items]
                return Items(keys, receiver.complete)
            case "get" | "pop" | "setdefault" if known:
                if literal in receiver.items:
                    value = receiver.items[literal]
                    if name == "pop":
                        del receiver.items[literal]
                    return value
                if not receiver.complete:
                    return UNKNOWN
                default = values[1] if len(values) > 1 else Constant(None)
                if name == "setdefault":
                    receiver.items[literal] = default
                return default
            case "update":
                if isinstance(key, Table):
                    receiver.items.update(key.items)
                    receiver.complete = receiver.complete and key.complete
                elif values:
                    receiver.complete = False
                receiver.items.update(arguments.keywords)
                return Constant(None)
            case "copy":
                return Table(dict(receiver.items), receiver.complete)
            case _:
                return UNKNOWN


#: Libraries that get apps and put no routes and handlers on them.
_HARMLESS = frozenset(
    {
        "asgi_lifespan", "asgiref", "builtins", "granian", "httpx", "hypercorn", "logging",
        "mangum", "opentelemetry", "prometheus_fastapi_instrumentator", "sentry_sdk", "typing",
        "uvicorn", "contextlib", "asyncio", "anyio",
    }
)  # fmt: skip
_CALLABLES = frozenset({"collections.abc.Callable", "typing.Callable", "typing.Any"})
_PLANNED = frozenset(
    {
        "starlette.routing.Mount", "starlette.routing.Route", "starlette.routing.WebSocketRoute",
        "fastapi.routing.APIRoute", "fastapi.routing.APIWebSocketRoute",
        "fastapi.routing.Mount",
    }
)  # fmt: skip
