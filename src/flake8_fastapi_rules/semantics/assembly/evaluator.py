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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from flake8_fastapi_rules.engine.index import FUNCTIONS, Binding
from flake8_fastapi_rules.semantics.assembly.assembling import Assembling
from flake8_fastapi_rules.semantics.assembly.builtins import Builtins
from flake8_fastapi_rules.semantics.assembly.calls import Calls
from flake8_fastapi_rules.semantics.assembly.objects import (
    AV,
    Arguments,
    Assumed,
    Closure,
    Decorating,
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
    either,
    formatted,
    is_literal,
    items_of,
    last_name,
    made_in,
    visible_from,
)
from flake8_fastapi_rules.semantics.assembly.registry import Registry
from flake8_fastapi_rules.semantics.assembly.statements import Statements
from flake8_fastapi_rules.semantics.assembly.vocabulary import APP_DEFAULTS, KNOWN, WIDTH
from flake8_fastapi_rules.semantics.facts import (
    App,
    Include,
    Mount,
    Route,
    Router,
)
from flake8_fastapi_rules.semantics.graph import RouterNode
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import LONG, MANY
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

#: How deep imports may lead to imports.
_IMPORTS = 120
#: How many statements one project may take.
_BUDGET = 1_000_000
#: What other tests called so often is not called once more for a test's sake.
_ENOUGH_RUNS = 5
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
        self.included: dict[ast.AST, None] = {}
        self._frames: dict[Module, Frame] = {}
        #: The apps and routers that each call made.
        self.by_call: defaultdict[ast.Call, list[RouterNode]] = defaultdict(list)
        self._facts: dict[Module, dict[ast.AST, Any]] = {}
        self.assembling = Assembling(model)
        #: The names of the class bodies that ran.
        self.class_frames: dict[ast.ClassDef, Frame] = {}
        #: What run-time values decide about the statement that runs, outermost first.
        self.conditions: list[object] = []
        #: The functions that ran, and the calls that are running.
        self.executed: set[ast.AST] = set()
        self.running: list[ast.AST] = []
        #: How often something was told to an app or router, or one was made or kept.
        self.progress = 0
        #: How often functions ran, and how often without any progress.
        self.runs: Counter[ast.AST] = Counter()
        self.fruitless: Counter[ast.AST] = Counter()
        #: What functions under `lru_cache` gave.
        self.cached: dict[ast.AST, AV] = {}
        self.endpoints: set[ast.AST] = set()
        #: The apps and routers that functions gave.
        self.results: defaultdict[ast.AST, list[RouterNode]] = defaultdict(list)
        #: The decorator that an overridden `add_api_route` is running for.
        self.origin: Origin | None = None
        #: The decorator that is applied now, which may be one of the project's own.
        self.decorating: Decorating | None = None
        self._forcing: set[tuple[Module, str]] = set()
        #: The displays elsewhere that are being evaluated.
        self._lifted: set[ast.AST] = set()
        #: How many helpers are being followed only for what they give.
        self.following = 0
        self._imports = 0
        self.budget = _BUDGET
        #: Whether what runs is a test.
        self.in_test = False
        #: The ids of apps and routers that stand for others, which tests made by the same function.
        self.standing_in: set[int] = set()
        self.statements = Statements(self)
        self.calls = Calls(self)
        self.registry = Registry(self)
        self.builtins = Builtins(self)

    def run(self) -> None:
        """Execute all modules, then the functions that nobody was seen to call."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 20_000))
        try:
            self.assembling.add(self.modules)
            for module in self.modules:
                self.module_frame(module)
            for root in self._roots():
                if root.function.node not in self.executed:
                    self._run_root(root)
        finally:
            sys.setrecursionlimit(limit)
        for module, frame in self._frames.items():
            self._name_nodes(module, frame)
        for node in self.nodes:
            self.registry.current_options(node)

    def _roots(self) -> Iterator[Closure]:
        """The functions worth executing that were not: callers before what they call."""
        candidates: list[tuple[Module, FunctionNode]] = []
        for module in self.modules:
            for kind in FUNCTIONS:
                found: list[FunctionNode] = module.index.nodes(kind)
                for node in found:
                    if (
                        node not in self.executed
                        and node not in self.endpoints
                        and self.is_interesting(module, node)
                    ):
                        around = module.index.function_of(node)
                        if around is None or not self.is_interesting(module, around):
                            candidates.append((module, node))
        called = {node: self._called_by(module, node) for module, node in candidates}
        by_others = {function.node for callees in called.values() for function in callees}
        candidates.sort(key=lambda item: self.model.settings.is_test_path(str(item[0].path)))
        for wanted in (False, True):
            for module, node in candidates:
                if (node in by_others) is not wanted or node in self.executed:
                    continue
                if not self._is_one_of_many(module, called[node]):
                    yield Closure(Function(module, node), self.module_frame(module))

    def _called_by(self, module: Module, node: FunctionNode) -> list[Function]:
        """The functions of the project that a function calls by name, and constructors."""
        found: list[Function] = []
        for call in calls_in(node):
            callee: Value | None = self.resolver.resolve(module, call.func)
            if isinstance(callee, Class):
                callee = self.resolver.class_attribute(callee, "__init__", instance=True)
            if isinstance(callee, Function) and callee.node is not node:
                found.append(callee)
        return found

    def _is_one_of_many(self, module: Module, called: list[Function]) -> bool:
        """Whether a test only does what others did before it: no app or router is its own."""
        if not self.model.settings.is_test_path(str(module.path)) or self.facts_of(module):
            return False
        assembling = [function for function in called if function in self.assembling]
        return bool(assembling) and all(
            self.runs[function.node] >= _ENOUGH_RUNS for function in assembling
        )

    def _run_root(self, closure: Closure) -> None:
        function = closure.function
        owner = function.module.index.class_of(function.node)
        self.in_test = self.model.settings.is_test_path(str(function.module.path))
        try:
            if owner is None:
                result = self.calls.call_function(closure, Arguments([], {}), as_root=True)
                for made in made_in(result, 0):
                    if not made.node.is_app:
                        made.node.is_handed_out = True  # to whoever calls the function
                return
            self._run_class(Class(function.module, owner), function)
        finally:
            self.in_test = False

    def _run_class(self, cls: Class, wanted: Function) -> None:
        """One object of a class that nobody was seen to make, and all its methods on it."""
        module = cls.module
        receiver: AV
        if self.calls.kind_of_class(cls) is not None:
            return  # an app or router class that is never instantiated
        receiver = Object(cls)
        methods = [node for node in cls.node.body if isinstance(node, FUNCTIONS)]
        methods.sort(key=lambda node: node.name != "__init__")
        for node in methods:
            if node in self.executed:
                continue
            if node is wanted.node or self.is_interesting(module, node):
                frame = self.module_frame(module)
                bound = Closure(Function(module, node, cls, bound=True), frame, receiver)
                kinds = {last_name(decorator) for decorator in node.decorator_list}
                if "staticmethod" in kinds:
                    bound = Closure(Function(module, node), frame)
                elif "classmethod" in kinds:
                    bound = Closure(Function(module, node, cls, bound=True), frame, cls)
                result = self.calls.call_function(bound, Arguments([], {}), as_root=True)
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
                found += self.results.get(made.function.node, ())
        return sorted(found, key=lambda node: len(node.conditions))

    def module_frame(self, module: Module) -> Frame:
        """The names of a module, which is executed if it can matter."""
        frame = self._frames.get(module)
        if frame is not None:
            return frame
        frame = self._frames[module] = Frame(self, module)
        if module.mentions_framework and self._imports < _IMPORTS:
            self._imports += 1
            conditions, self.conditions = self.conditions, []
            origin, self.origin = self.origin, None
            decorating, self.decorating = self.decorating, None
            in_test, self.in_test = (
                self.in_test,
                self.model.settings.is_test_path(str(module.path)),
            )
            try:
                self.statements.block(module.tree.body, frame)
            finally:
                self._imports -= 1
                self.conditions = conditions
                self.origin = origin
                self.decorating = decorating
                self.in_test = in_test
        return frame

    def facts_of(self, module: Module) -> dict[ast.AST, Any]:
        """The declarations of a module by their expression."""
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
            return self.lift(self.resolver.module_attribute(module, name))
        self._forcing.add(key)
        try:
            value: AV | None = None
            if module.mentions_framework:
                value = self.forced(self.module_frame(module).names.get(name))
            else:
                value = self._reexported(module, name)
        finally:
            self._forcing.discard(key)
        if value is not None and value is not UNKNOWN:
            return value
        return self.lift(self._stated(module, name))

    def _stated(self, module: Module, name: str) -> Value:
        """A module's variable: the list that it is given, whatever its type says."""
        match module.index.module_scope.bindings.get(name):
            case [Binding(kind="annotated", value=ast.List(elts=[_, *_]) as given)]:
                if not self._is_filled(module, name):
                    return Expression(module, given)
        return self.resolver.module_attribute(module, name)

    def _is_filled(self, module: Module, name: str) -> bool:
        """Whether some text puts more into a list."""
        root = self.model.modules.project_root(module.path)
        return any(
            self.model.modules.files_mentioning(root, f"{name}.{change}(")
            for change in ("append", "extend", "insert")
        )

    def _reexported(self, module: Module, name: str) -> AV | None:
        """What a module without any FastAPI of its own passes on."""
        bindings = module.index.module_scope.bindings.get(name)
        if not bindings or len(bindings) != 1 or bindings[0].kind != "from":
            return None
        node, alias = bindings[0].node, bindings[0].alias
        assert isinstance(node, ast.ImportFrom)
        assert alias is not None
        home = self.model.modules.home_of(node, module)
        if home is None or home is module:
            return None
        return self._module_attribute(home, alias.name)

    def is_interesting(self, module: Module, node: ast.AST) -> bool:
        """Whether calling a function or class assembles something, itself or further down."""
        if isinstance(node, ast.ClassDef):
            return any(
                isinstance(method, Closure) and method.function in self.assembling
                for method in (
                    self.member(Class(module, node), name, UNKNOWN, stop_at_library=True)
                    for name in ("__init__", "__post_init__", "__attrs_post_init__")
                )
            )
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            return Function(module, node) in self.assembling
        return False

    def forced(self, value: AV) -> AV:
        """The value behind a name that was imported before its module had run."""
        seen = 0
        while isinstance(value, Lazy) and seen < 50:
            seen += 1
            value = self._module_attribute(value.module, value.name)
        return UNKNOWN if isinstance(value, Lazy) else value

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
                return self.calls.call(node, frame)
            case ast.Await(value=value):
                return self.evaluate(value, frame)
            case ast.NamedExpr(target=target, value=value):
                result = self.evaluate(value, frame)
                self.statements.assign(target, result, frame)
                return result
            case ast.JoinedStr(values=values):
                return self._text(values, frame) or self.ask(node, frame)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                result = added(self.evaluate(left, frame), self.evaluate(right, frame))
                return result if result is not UNKNOWN else self.ask(node, frame)
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
                verdict = self.statements.decide(test, frame)
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
                return self.ask(node, frame)

    def ask(self, node: ast.expr, frame: Frame) -> AV:
        """What the resolver, which runs nothing, says about an expression."""
        return self.lift(self.resolver.resolve(frame.module, node))

    def _name(self, name: str, node: ast.expr, frame: Frame) -> AV:
        current: Frame | None = frame
        while current is not None:
            if name in current.names and (current is frame or not current.is_class_body):
                value = self.forced(current.names[name])
                if value is not UNKNOWN:
                    return value
                break
            current = current.parent
        return self.ask(node, frame)

    def lift(self, value: Value) -> AV:
        """A resolved value as the evaluator has it."""
        match value:
            case Instance(call=call, module=module) if call is not None and module is not None:
                made = self.by_call.get(call)
                if not made and module.mentions_framework and module not in self._frames:
                    self.module_frame(module)
                    made = self.by_call.get(call)
                if made:
                    return Made(made[0]) if len(made) == 1 else either([Made(n) for n in made])
                return value
            case Function(module=module):
                return Closure(value, self.module_frame(module))
            case Expression(module=module, node=node):
                if not isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
                    return value
                if node in self._lifted:
                    return UNKNOWN  # `names = [names, ...]`
                self._lifted.add(node)
                try:
                    return self.evaluate(node, self.module_frame(module))
                finally:
                    self._lifted.remove(node)
            case _:
                return value

    def _attribute_of(self, node: ast.Attribute, owner: ast.expr, attr: str, frame: Frame) -> AV:
        receiver = self.evaluate(owner, frame)
        if receiver is UNKNOWN:
            return self.ask(node, frame)
        result = self.attribute(receiver, attr)
        if result is UNKNOWN and not isinstance(receiver, Made | Object | Either):
            return self.ask(node, frame)
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
                    return self.forced(attributes[attr])
                if attr == "__class__":
                    return cls
                return self.member(cls, attr, receiver)
            case Super(bound_to=bound_to, cls=cls):
                return self._super_attribute(bound_to, cls, attr)
            case Class():
                return self.member(receiver, attr, None)
            case ModuleValue(module=module):
                return self._module_attribute(module, attr)
            case Items() | Table():
                return Method(receiver, attr)
            case Routes():
                return Method(receiver, attr)
            case Constant(value=str()) if attr in _TEXT_METHODS:
                return Method(receiver, attr)
            case Instance(of=Class() as cls):
                found = self.member(cls, attr, receiver)
                if isinstance(found, Constant) and not isinstance(found, Assumed):
                    return Assumed(found.value)
                return found
            case Closure() | Decorator() | Method() | Depending() | Planned():
                return UNKNOWN
            case _:
                return self.lift(self.resolver.attribute(receiver, attr))

    def _made_attribute(self, receiver: Made, node: RouterNode, attr: str) -> AV:
        if attr in node.attributes:
            return self.forced(node.attributes[attr])
        cls = node.value.of
        if isinstance(cls, Class):
            found = self.member(cls, attr, receiver, stop_at_library=True)
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
                listed = Items(
                    [Depending(dependency) for dependency in node.options.dependencies],
                    node.options.dependencies_complete,
                )
                node.attributes[attr] = listed  # others may be put into the list
                return listed
            case _ if attr in KNOWN:
                return Method(receiver, attr)
            case _ if attr in APP_DEFAULTS and node.is_app:
                return Constant(APP_DEFAULTS[attr])
            case _:
                return self.lift(self.resolver.attribute(node.value, attr))

    def member(self, cls: Class, attr: str, receiver: AV, *, stop_at_library: bool = False) -> AV:
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
        return self.lift(self.resolver.class_attribute(cls, attr, instance=instance))

    def _own_member(self, base: Class, cls: Class, attr: str, receiver: AV) -> AV | None:
        scope = base.module.index.scopes.get(base.node)
        bindings = scope.bindings.get(attr) if scope else None
        if not bindings:
            return None
        node = bindings[-1].node
        frame = self.class_frames.get(base.node)
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
            value = self.forced(frame.names[attr])
            if value is not UNKNOWN:
                return value
        return None

    def _property(self, closure: Closure) -> AV:
        receiver = closure.bound_to
        if isinstance(receiver, Object | Made) and self.calls.is_small(closure.function):
            value = self.calls.call_function(closure, Arguments([], {}), for_result=True)
            if value is not UNKNOWN:
                return value
        return self.lift(self.resolver.returned(closure.function))

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
        if isinstance(bound_to, Made) and attr in KNOWN:
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
        if len(text) > LONG:
            return None
        return Assumed(text) if assumed else Constant(text)

    def _sequence(self, elements: Sequence[ast.expr], frame: Frame) -> Items:
        result = Items([], conditions=tuple(self.conditions))
        for element in elements[:WIDTH]:
            value = self.evaluate(element, frame)
            if isinstance(element, ast.Starred):
                items = items_of(value)
                if items is None or len(result.items) + len(items) > MANY:
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
            key = self.registry.plain(self.evaluate(key_node, frame))
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
        return self.ask(node, frame)

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
            verdict = self.statements.decide(value, frame)
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
            return self.ask(node, frame)
        generator = generators[0]
        iterable = self.evaluate(generator.iter, frame)
        items = items_of(iterable)
        if items is None:
            return self.ask(node, frame)
        inner = Frame(self, frame.module, frame, function=frame.function, cls=frame.cls)
        inner.receiver = frame.receiver
        result = Items([], complete=getattr(iterable, "complete", True))
        for item in items[:WIDTH]:
            optional = isinstance(item, Maybe)
            self.statements.assign(
                generator.target, item.value if isinstance(item, Maybe) else item, inner
            )
            verdicts = [self.statements.decide(test, inner) for test in generator.ifs]
            if False in verdicts:
                continue
            made = self.evaluate(element, inner)
            result.items.append(Maybe(made) if optional or None in verdicts else made)
        return result
