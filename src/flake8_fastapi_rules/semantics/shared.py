"""Module variables that FastAPI code changes, and modules that FastAPI code is made of."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.semantics.facts import App, Role, Router
from flake8_fastapi_rules.semantics.files import is_snippet
from flake8_fastapi_rules.semantics.imports import ImportGraph, word_of
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.values import (
    Class,
    Expression,
    Function,
    FunctionNode,
    Instance,
    ModuleValue,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import Binding, ModuleIndex
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.uses import Uses

#: Containers that can be changed.
MUTABLE_CONTAINERS: Final = (
    "builtins.list",
    "builtins.dict",
    "builtins.set",
    "builtins.bytearray",
    "collections.defaultdict",
    "collections.OrderedDict",
    "collections.deque",
    "collections.Counter",
)
#: Methods that change such a container.
MUTATORS: Final = name_set(
    """
    add append appendleft clear difference_update discard extend extendleft insert
    intersection_update pop popitem popleft remove reverse setdefault sort
    symmetric_difference_update update"""
)
_DISPLAYS: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
#: Mutators of what containers hold: an ORM's session in a table has `add` and `update` too.
_ELEMENT_MUTATORS: Final = MUTATORS - {"add", "clear", "remove", "update"}
#: Of a name that more files than this call, the calls are not read one by one.
_CALLING: Final = 40
#: Objects whose attributes are no state of the process, or are what an app is made of.
_KEEPING_ELSEWHERE: Final = (
    "threading.local", "fastapi.FastAPI", "fastapi.APIRouter", "starlette.applications.Starlette"
)  # fmt: skip
#: Functions that change their first argument: `heapq.heappush(jobs, job)`.
_CHANGING: Final = name_set(
    """
    heapify heappop heappush heappushpop heapreplace insort insort_left insort_right shuffle"""
)
#: What a process may keep for itself.
_KEPT: Final = re.compile(
    r"cache|memo|regist|instance|pool|lock|loaded|handlers|plugins|engines|clients", re.IGNORECASE
)
#: Words of what says that something was made already.
_READY: Final = name_set(
    "available connected filled indexed initialised initialized loaded logged populated ready warm"
)
#: Functions that say that they keep what they made.
_CACHING: Final = re.compile(r"(?:^|_)(?:cache|memoi[sz]e)(?:_|$)")
#: So many calls lead from FastAPI code to a helper that changes a variable of its module.
_BETWEEN: Final = 3
#: So many modules between the service and another one are looked through.
_IMPORTERS: Final = 40
#: Roles of functions that run while requests are served.
_SERVING: Final = frozenset(Role) - {Role.LIFESPAN, Role.EVENT_HANDLER}
#: Where a text may change a variable: `rooms.pop(`, `rooms[name] =`, `global rooms`.
_MUTATED: Final = re.compile(rf"(?:\[[^\n]*\])?\.(?:{'|'.join(sorted(MUTATORS))})\(")
_GLOBAL: Final = re.compile(r"^[ \t]+global[ \t]+([^\n#;]+)", re.MULTILINE)
#: Module variables that are empty containers at first, which somebody is to fill.
_STORES: Final = re.compile(
    r"^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*"
    r"(?:\{\}|\[\]|(?:dict|list|set|OrderedDict|Counter)\(\)|(?:\w+\.)?(?:defaultdict|deque)\()",
    re.MULTILINE,
)
#: Variables of nearly every module; none of them is a container.
_OBJECTS: Final = frozenset({"app", "log", "logger", "router"})
#: How variables are bound, rather than functions, classes and modules.
_ASSIGNED = frozenset({"assign", "annotated", "augmented"})


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of a module variable by a function.

    Parameters:
        module: the function's module.
        node: the statement or call that changes it.
        function: the function.
        roles: what FastAPI uses the function for.
        values: what is put in, as expressions of `module`.
        is_lazy: it happens only while the variable holds nothing (`if client is None:`).
    """

    module: Module
    node: ast.AST
    function: Function
    roles: frozenset[Role]
    values: tuple[ast.expr, ...]
    is_lazy: bool

    @property
    def serves(self) -> bool:
        """Whether the function runs while requests are served."""
        return not self.roles.isdisjoint(_SERVING)


@dataclass(frozen=True, slots=True)
class _Change:
    node: ast.AST
    name: ast.Name
    owner: ast.expr
    values: tuple[ast.expr, ...]
    rebinds: bool


class SharedState:
    """What the FastAPI code of one project does to the variables of its modules.

    Parameters:
        uses: what the project uses its functions for.
    """

    def __init__(self, model: Model, uses: Uses) -> None:
        self._model = model
        self._uses = uses
        self._parts: dict[Module, bool] = {}
        self._helped: dict[Module, dict[str, list[Mutation]]] = {}

    @cached_property
    def _mutations(self) -> dict[tuple[Module, str], list[Mutation]]:
        found: dict[tuple[Module, str], list[Mutation]] = defaultdict(list)
        for module in tuple(self._uses.by_module):
            for function in self._uses.by_module[module]:
                roles = frozenset(self._uses.roles.get(function.node, ()))
                for home, mutation in self._read(function, roles):
                    found[home].append(mutation)
        return found

    @cached_property
    def _fastapi_modules(self) -> frozenset[Module]:
        own = [m for m in self._uses.by_module if self._uses.by_module[m]]
        for module in self._uses.modules:
            if self._model.local(module, App) or self._model.local(module, Router):
                own.append(module)
        return frozenset(_with_imported(self._model, own))

    def is_fastapi_module(self, module: Module) -> bool:
        """Whether a module holds FastAPI code, apps or routers, or one that does imports it."""
        return module in self._fastapi_modules

    def is_part_of_service(self, module: Module) -> bool:
        """Whether a module holds FastAPI code, apps or routers, or is imported along with them.

        A file or two without any, shown by themselves, are taken for part of one, unless they do
        something when they run, as scripts do.
        """
        if self._fastapi_modules:
            if module not in self._parts:
                self._find_whether_imported(module)
            return self._parts[module]
        if not all(_only_defines(statement) for statement in module.tree.body):
            return False
        return is_snippet(self._uses.root)

    def _is_of_others(self, module: Module) -> bool:
        return module not in self._fastapi_modules

    def _find_whether_imported(self, module: Module) -> None:
        """Tell whether importing the service imports a module, through others of the project too.

        What imports it is looked at on the way there, and need not be asked for again.
        """
        modules, is_test = self._model.modules, self._model.settings.is_test_path
        parts = self._parts
        imported: dict[Module, Module | None] = {module: None}
        waiting = [module]
        is_part = module in self._fastapi_modules
        current: Module | None = module
        while waiting and not is_part and len(imported) < _IMPORTERS:
            current = waiting.pop()
            files = modules.files_mentioning(self._uses.root, word_of(current))
            loaded = (modules.load(file) for file in files if not is_test(str(file)))
            # Most are imported by the service's own modules, which are parsed already.
            for importer in sorted(filter(None, loaded), key=self._is_of_others):
                if importer in imported or parts.get(importer) is False:
                    continue
                if self._imports.imports(importer, current):
                    if importer in self._fastapi_modules or importer in parts:
                        is_part = True
                        break
                    imported[importer] = current
                    waiting.append(importer)
        if not (is_part or waiting):
            parts.update(dict.fromkeys(imported, False))
        while is_part and current is not None:
            parts[current] = True
            current = imported[current]
        parts.setdefault(module, is_part)

    @cached_property
    def _imports(self) -> ImportGraph:
        return ImportGraph(self._model)

    def mutations(self, module: Module, name: str) -> tuple[Mutation, ...]:
        """The changes of a variable of `module`."""
        return (*self._mutations.get((module, name), ()), *self._by_helpers(module).get(name, ()))

    def names(self, module: Module) -> tuple[str, ...]:
        """The variables of `module` that are changed."""
        direct = [name for home, name in self._mutations if home is module]
        return tuple(dict.fromkeys((*direct, *self._by_helpers(module))))

    def _by_helpers(self, module: Module) -> dict[str, list[Mutation]]:
        """The changes of a module's variables by its own functions that FastAPI code calls."""
        known = self._helped.get(module)
        if known is None:
            known = self._helped[module] = defaultdict(list)
            changers = [(module, _variables_used(module)), *self._changers(module)]
            for changer, variables in changers:
                roles = dict(self._helper_roles(changer, variables, module))
                for node, found in roles.items():
                    for (home, name), mutation in self._read(Function(changer, node), found):
                        if home is module and not _is_for_reuse(mutation, name):
                            known[name].append(mutation)
        return known

    def _changers(self, module: Module) -> Iterator[tuple[Module, set[str]]]:
        """Other modules that may change variables of a module, with the names these have there."""
        modules, is_test = self._model.modules, self._model.settings.is_test_path
        stored = set(_STORES.findall(module.source.text)) - _OBJECTS
        changing: dict[Module, set[str]] = defaultdict(set)
        for name in sorted(stored):
            for file in modules.files_mentioning(self._uses.root, name):
                other = None if is_test(str(file)) else modules.load(file)
                if other is None or other is module:
                    continue
                if _may_change(other.source.text, name):
                    changing[other].add(name)
        for other, names in changing.items():
            yield other, {*names, word_of(module)}

    def _helper_roles(
        self, module: Module, variables: set[str], home: Module
    ) -> Iterator[tuple[FunctionNode, frozenset[Role]]]:
        """The functions of a module that change something, with the roles of those who call them.

        Functions of the same module may stand in between.

        Parameters:
            variables: the names of the variables of `home` in there.
        """
        if not variables:
            return
        index = module.index
        own = [node for node in index.functions if node not in self._uses.roles]
        changing = [
            node
            for node in own
            if any(change.name.id in variables for change in _changes(module, node))
        ]
        if not changing:
            return
        callers: dict[FunctionNode, set[FunctionNode]] = defaultdict(set)
        names = {node.name for node in own}
        for node in own:
            for callee in self._called(module, node, names):
                callers[callee].add(node)
        roles: dict[FunctionNode, set[Role]] = defaultdict(set)
        for name in names:
            for caller, func in self._calls_of_code.get(name, ()):
                called = self._model.resolve(caller.module, func)
                if isinstance(called, Function) and isinstance(called.node, FUNCTIONS):
                    roles[called.node].update(self._uses.roles.get(caller.node, ()))
        for node in changing:
            waiting, seen = [node], {node}
            found: set[Role] = set()
            while waiting:
                current = waiting.pop()
                found |= roles[current]
                new = callers[current] - seen
                seen |= new
                waiting.extend(new)
            if not found and self._changes_for_good(module, node, home):
                found = self._distant_roles(module, seen)
            if found:
                yield node, frozenset(found)

    def _changes_for_good(self, module: Module, node: FunctionNode, home: Module) -> bool:
        """Whether a function changes variables of a module, other than to keep what it made."""
        return any(
            changed is home and not _is_for_reuse(mutation, name)
            for (changed, name), mutation in self._read(Function(module, node), frozenset())
        )

    def _distant_roles(self, module: Module, functions: Iterable[FunctionNode]) -> set[Role]:
        """The roles of FastAPI code that calls functions through those of other modules."""
        is_test = self._model.settings.is_test_path
        found: set[Role] = set()
        seen: set[ast.AST] = {*functions}
        reached = [Function(module, node) for node in functions]
        for _ in range(_BETWEEN):
            callers = []
            rare = [each for each in reached if not self._is_called_everywhere(each)]
            for call in (call for each in rare for call in self._model.direct_calls(each)):
                caller = call.module.index.function_of(call.node)
                if not isinstance(caller, FUNCTIONS) or caller in seen or not call.is_certain:
                    continue
                seen.add(caller)
                if not is_test(str(call.module.path)):
                    found.update(self._uses.roles.get(caller, ()))
                    callers.append(Function(call.module, caller))
            reached = callers
        return found

    def _is_called_everywhere(self, function: Function) -> bool:
        """Whether so many files call something of its name that reading them all takes long."""
        name = getattr(function.node, "name", "")
        return len(self._model.modules.files_calling(self._uses.root, name)) > _CALLING

    @cached_property
    def _calls_of_code(self) -> dict[str, list[tuple[Function, ast.expr]]]:
        """What FastAPI code calls, by name: the functions that call it, and how it is written."""
        found: defaultdict[str, list[tuple[Function, ast.expr]]] = defaultdict(list)
        for module, functions in self._uses.by_module.items():
            for function in functions:
                for name, func in _calls(module, function.node):
                    found[name].append((function, func))
        return found

    def _called(self, module: Module, function: ast.AST, names: set[str]) -> Iterator[FunctionNode]:
        """The functions with one of these names that a function calls."""
        for name, func in _calls(module, function):
            if name in names:
                callee = self._model.resolve(module, func)
                if isinstance(callee, Function) and isinstance(callee.node, FUNCTIONS):
                    yield callee.node

    def _read(
        self, function: Function, roles: frozenset[Role]
    ) -> Iterator[tuple[tuple[Module, str], Mutation]]:
        if not isinstance(function.node, FUNCTIONS):
            return
        module = function.module
        for change in _changes(module, function.node):
            home = self._home(module, change)
            if home is None:
                continue
            rebinds = change.rebinds or isinstance(getattr(change.owner, "ctx", None), ast.Store)
            if rebinds:
                is_lazy = _is_lazy(module, change.node, change.name.id) or _comes_with_another(
                    module, change.node, function.node
                )
            else:
                is_lazy = _is_filled_once(module, change.node, function.node)
            is_lazy = (
                is_lazy
                or _is_under_flag(module, function.node, change.name.id)
                or self._model.effects.graph.is_cached(function)
            )
            yield home, Mutation(module, change.node, function, roles, change.values, is_lazy)
        for call in module.index.own_nodes(function.node):
            if isinstance(call, ast.Call):
                for home in self._handed_over(module, call):
                    yield home, Mutation(module, call, function, roles, tuple(call.args), False)

    def _handed_over(self, module: Module, call: ast.Call) -> Iterator[tuple[Module, str]]:
        """The variables that a function changes which is called with them."""
        for position, given in enumerate(call.args):
            if not isinstance(given, ast.Name):
                continue
            home = self._home(module, _Change(call, given, given, (), rebinds=False))
            callee = self._model.resolve(module, call.func) if home is not None else None
            if home is None or not isinstance(callee, Function) or callee.bound:
                continue
            if not isinstance(callee.node, FUNCTIONS):
                continue
            parameters = [*callee.node.args.posonlyargs, *callee.node.args.args]
            if position < len(parameters) and any(
                change.name.id == parameters[position].arg and isinstance(change.owner, ast.Name)
                for change in _changes(callee.module, callee.node)
            ):
                yield home

    def _home(self, module: Module, change: _Change) -> tuple[Module, str] | None:
        """The module and name of the variable; `None` for everything else."""
        name, owner = change.name, change.owner
        if change.rebinds:
            return module, name.id
        found = module.index.lookup(name.id, name)
        if found is None or not isinstance(found[0].node, ast.Module) or not found[1]:
            return None
        if isinstance(owner, ast.Attribute):
            # `store.items.append(x)` after `from app import store`.
            value = self._model.resolve(module, name)
            if owner.value is not name:
                return None
            if self._is_record(value, owner):
                return self._origin(module, found[1])
            if not isinstance(value, ModuleValue):
                return None
            if not isinstance(owner.ctx, ast.Store):
                if not self._is_container(self._model.resolve(module, owner)):
                    return None
            return value.module, owner.attr
        if not self._is_container(self._model.resolve(module, name)):
            return None
        return self._origin(module, found[1])

    def _origin(self, module: Module, bindings: list[Binding]) -> tuple[Module, str] | None:
        if all(b.kind in _ASSIGNED for b in bindings):
            return module, bindings[0].name
        binding = bindings[0]
        node, alias = binding.node, binding.alias
        if len(bindings) != 1 or not isinstance(node, ast.ImportFrom) or alias is None:
            return None
        home = self._model.modules.home_of(node, module)
        if home is None or home is module:
            return None
        inner = home.index.module_scope.bindings.get(alias.name)
        return self._origin(home, inner) if inner else None

    def _is_record(self, value: Value, target: ast.Attribute) -> bool:
        """Whether assigning to an attribute changes an object of the project, or a namespace.

        Classes that say themselves what assigning means may keep it elsewhere.
        """
        if not (isinstance(value, Instance) and isinstance(target.ctx, ast.Store)):
            return False
        if self._model.is_instance(value, "types.SimpleNamespace"):
            return True
        if not isinstance(value.of, Class) or not self._model.resolver.has_known_bases(value.of):
            return False
        if self._model.is_instance(value, *_KEEPING_ELSEWHERE):
            return False
        return not any(
            isinstance(member, FUNCTIONS) and member.name in {"__setattr__", target.attr}
            for cls in self._model.resolver.mro(value.of)
            if isinstance(cls, Class)
            for member in cls.node.body
        )

    def _is_container(self, value: Value) -> bool:
        if isinstance(value, Expression):
            return isinstance(value.node, _DISPLAYS)
        return isinstance(value, Instance) and self._model.is_instance(value, *MUTABLE_CONTAINERS)


#: Nodes that may change a variable: most of a function is something else.
_MAY_CHANGE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Call)


def _changes(module: Module, function: ast.AST) -> Iterator[_Change]:
    index = module.index
    for node in index.own_nodes(function):
        if not isinstance(node, _MAY_CHANGE):
            continue
        targets: list[ast.expr] = []
        values: tuple[ast.expr, ...] = ()
        match node:
            case ast.Assign(targets=given, value=value):
                targets, values = list(given), (value,)
            case ast.Delete(targets=given):
                targets = list(given)
            case ast.AugAssign(target=one, value=value):
                targets, values = [one], (value,)
            case ast.AnnAssign(target=one, value=value) if value is not None:
                targets, values = [one], (value,)
            case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=args) if (
                attr in MUTATORS
            ):
                owner = _stored(index, owner, attr)
                root = owner.value if isinstance(owner, ast.Attribute) else owner
                if isinstance(root, ast.Name):
                    yield _Change(node, root, owner, tuple(args), rebinds=False)
            case ast.Call(func=func, args=[ast.Name() as first, *rest]) if (
                getattr(func, "attr", getattr(func, "id", "")) in _CHANGING
            ):
                yield _Change(node, first, first, tuple(rest), rebinds=False)
        for target in targets:
            if isinstance(target, ast.Name):
                if index.scope_of(target).outer.get(target.id) == "global":
                    yield _Change(node, target, target, values, rebinds=True)
            elif isinstance(target, ast.Attribute):
                if isinstance(target.value, ast.Name):  # `state.counter = 1`, of a module
                    yield _Change(node, target.value, target, values, rebinds=False)
            elif isinstance(target, ast.Subscript):
                owner = _stored(index, target)
                root = owner.value if isinstance(owner, ast.Attribute) else owner
                if isinstance(root, ast.Name):
                    yield _Change(node, root, owner, values, rebinds=False)


def _calls(module: Module, function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """What a function calls, with the last part of its name."""
    for call in module.index.own_nodes(function):
        if isinstance(call, ast.Call):
            func = call.func
            yield terminal_name(func), func


def _variables_used(module: Module) -> set[str]:
    """The variables of a module that its text may change; told without parsing it."""
    text = module.source.text
    names = module.shown_variables - _OBJECTS
    declared: set[str] = set()
    if names and "global " in text:
        for given in _GLOBAL.findall(text):
            declared.update(name.strip() for name in given.split(","))
    return {name for name in names if name in declared or _may_change(text, name)}


def _may_change(text: str, name: str) -> bool:
    """Whether a text shows `name.append(`, `name[key].append(`, `name[key]` at a line's begin."""
    for following in (".", "["):
        at = text.find(name + following)
        while at >= 0:
            end = at + len(name)
            if not (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
                if _MUTATED.match(text, end):
                    return True
                line = text[text.rfind("\n", 0, at) + 1 : at]
                if following == "[" and line[:1] in {" ", "\t"} and line.strip() in {"", "del"}:
                    return True
            at = text.find(name + following, end + 1)
    return False


def _stored(index: ModuleIndex, changed: ast.expr, method: str | None = None) -> ast.expr:
    """The container that a change reaches, through subscripts and through a local name for it.

    `room = rooms[name]` and `room = rooms.get(name)` make `room` a part of `rooms`.

    Parameters:
        method: the method that changes it; `None` for an assignment to a subscript.
    """
    owner = _container_in(changed)
    if isinstance(owner, ast.NamedExpr):
        owner = _container_in(owner.value)
    if not isinstance(owner, ast.Name):
        return owner
    found = index.lookup(owner.id, owner)
    if found is None or not isinstance(found[0].node, FUNCTIONS) or len(found[1]) != 1:
        return owner
    binding = found[1][0]
    if binding.kind not in {"assign", "annotated", "walrus"} or binding.path:
        return owner
    value = binding.value
    if isinstance(value, ast.Name):
        return value
    if isinstance(value, ast.Call):
        of = value.func
        if not (isinstance(of, ast.Attribute) and of.attr == "get" and value.args):
            return owner
        value = of.value
    elif not isinstance(value, ast.Subscript):
        return owner
    inside = _container_in(value)
    is_part = isinstance(inside, ast.Name) and (method is None or method in _ELEMENT_MUTATORS)
    return inside if is_part else owner


def _container_in(node: ast.expr) -> ast.expr:
    """The container behind subscripts: `rooms` of `rooms[name]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def _is_not(test: ast.expr, name: str) -> bool:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=asked)):
            return asked == name
        case _:
            return False


def _is_lazy(module: Module, node: ast.AST, name: str) -> bool:
    """Whether a test for the variable's being empty decides about its assignment.

    The one around it, or one that returns before: `if _client: return _client`.
    """
    function = module.index.function_of(node)
    if _is_emptied_or_imported(module, node, function):
        return True
    index = module.index
    for statement in _statements_before(module, function, node):
        if not isinstance(statement, ast.If) or not isinstance(
            last := statement.body[-1], ast.Return
        ):
            continue
        asked = index.condition(statement.test)
        tests = [asked]
        if isinstance(asked, ast.BoolOp) and isinstance(asked.op, ast.And):
            tests += asked.values
        gives_it = isinstance(last.value, ast.Name) and last.value.id == name
        if last.value is None and isinstance(asked, ast.Name):
            if asked.id == name and not isinstance(getattr(node, "value", None), ast.Constant):
                return True  # `if _client: return`, and behind it `_client = Client()`
        if (gives_it or last.value is None) and any(
            _is_there(test, name) or (gives_it and isinstance(test, ast.Name) and test.id == name)
            for test in tests
        ):
            return True
        parts = list(ast.walk(asked))
        if (
            last.value is not None
            and any(isinstance(part, ast.Name) and part.id == name for part in parts)
            and not any(
                isinstance(p, ast.cmpop | ast.Not) and not isinstance(p, ast.IsNot) for p in parts
            )
        ):
            return True
    around = (a.test for a in index.ancestors(node) if isinstance(a, ast.If))
    return any(
        any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(test))
        and (
            any(isinstance(p, ast.UnaryOp) for p in (test, *_alternatives(test)))
            or any(_is_not(p, name) for p in getattr(test, "values", ()))
            or any(isinstance(part, ast.Is | ast.Eq) for part in ast.walk(test))
        )
        for test in map(index.condition, around)
    )


def _statements_before(
    module: Module, function: ast.AST | None, node: ast.AST
) -> Iterator[ast.stmt]:
    """The statements of a function in front of a node: its own, those of `with` and `try` too."""
    if not isinstance(function, FUNCTIONS):
        return
    blocks = [
        each.body
        for each in module.index.ancestors(node)
        if isinstance(each, ast.With | ast.AsyncWith | ast.Try)
        and module.index.function_of(each) is function
    ]
    for block in (function.body, *blocks):
        for statement in block:
            if (statement.end_lineno or 0) >= getattr(node, "lineno", 0):
                break
            yield statement


def _is_there(test: ast.expr, name: str) -> bool:
    """Whether a test says that a variable holds something: `client is not None`."""
    match test:
        case ast.Compare(
            left=ast.Name(id=asked), ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]
        ):
            return asked == name
    return False


def _is_under_flag(module: Module, function: ast.AST, variable: str) -> bool:
    """Whether a function sets a flag, or the variable, that its callers in the module ask first.

    `if not _LOADED: _load()`, where `_load` ends with `_LOADED = True`.
    """
    index = module.index
    flags = {
        target.id
        for node in index.own_nodes(function)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
        for target in node.targets
        if isinstance(target, ast.Name) and index.scope_of(target).outer.get(target.id) == "global"
    }
    name = getattr(function, "name", "")
    flags.add(variable)
    return any(
        isinstance(above, ast.If)
        and any(
            asked in flags or _is_given_to(index, call, asked)
            for asked in _asked_to_be_ready(index, index.condition(above.test))
        )
        for call in index.calls_of(frozenset({name}))
        for above in index.ancestors(call)
    )


def _asked_to_be_ready(index: ModuleIndex, test: ast.expr) -> set[str]:
    """The variables that a test wants to be empty, or not ready yet.

    `not client.logged_in`, or `not is_loaded()`, a function that reads them.
    """
    if (name := _asked_to_be_missing(test)) is not None:
        return {name}
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Attribute(value=ast.Name(id=name), attr=said)):
            return {name} if _READY.intersection(words_of(said)) else set()
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id=said))) if (
            _READY.intersection(words_of(said))
        ):
            return {
                node.id
                for function in index.functions
                if function.name == said
                for node in index.own_nodes(function)
                if isinstance(node, ast.Name)
            }
    return set()


def _is_given_to(index: ModuleIndex, call: ast.Call, name: str) -> bool:
    """Whether a variable is assigned what a call gives: `factory = make_factory()`."""
    parent = index.parents.get(call)
    if isinstance(parent, ast.Await):
        parent = index.parents.get(parent)
    return isinstance(parent, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == name for target in parent.targets
    )


def _comes_with_another(module: Module, node: ast.AST, function: ast.AST) -> bool:
    """Whether a function returns early once another variable is there, which it sets as well.

    Or does all of it only while the other is missing: `if _client is None: ...; _ready = True`.
    """
    index = module.index
    others = {
        each.id
        for each in index.own_nodes(function)
        if isinstance(each, ast.Name)
        and isinstance(each.ctx, ast.Store)
        and index.scope_of(each).outer.get(each.id) == "global"
    }
    return any(
        isinstance(statement, ast.If)
        and isinstance(statement.body[-1], ast.Return)
        and any(_is_there(index.condition(statement.test), other) for other in others)
        for statement in _statements_before(module, function, node)
    ) or any(
        isinstance(above, ast.If) and _asked_to_be_missing(index.condition(above.test)) in others
        for above in index.ancestors(node)
    )


def _asked_to_be_missing(test: ast.expr) -> str | None:
    """The variable that a test wants to be empty: `client is None`, `not client`."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
            return name
        case ast.Compare(
            left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Constant(value=None)]
        ):
            return name
    return None


def _is_filled_once(module: Module, node: ast.AST, function: ast.AST) -> bool:
    """Whether a container is filled only while it, or one filled with it, is empty.

    `if _names: return` in front, or `if not _names:` around.
    """
    filled = {change.name.id for change in _changes(module, function)}
    return any(
        isinstance(statement, ast.If)
        and isinstance(statement.test, ast.Name)
        and statement.test.id in filled
        and isinstance(last := statement.body[-1], ast.Return)
        and (last.value is None or ast.dump(last.value) == ast.dump(statement.test))
        for statement in _statements_before(module, function, node)
    ) or any(
        isinstance(above, ast.If)
        and _asked_to_be_missing(module.index.condition(above.test)) in filled
        for above in module.index.ancestors(node)
    )


def _alternatives(test: ast.expr) -> list[ast.expr]:
    is_or = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
    return test.values if is_or and isinstance(test, ast.BoolOp) else []


def _is_emptied_or_imported(module: Module, node: ast.AST, function: ast.AST | None) -> bool:
    """Whether a variable gets nothing, or only what its function imports: a module loaded late.

    What is put there at other times is a change of its own.
    """
    value = getattr(node, "value", None) if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Constant):
        return value.value is None
    if not isinstance(value, ast.Name) or function is None:
        return False
    bindings = module.index.scope_of(value).bindings.get(value.id, ())
    return bool(bindings) and all(binding.kind in {"from", "import"} for binding in bindings)


def _is_for_reuse(mutation: Mutation, name: str) -> bool:
    """Whether a helper keeps what it would otherwise make again: every worker may have its own."""
    said = getattr(mutation.function.node, "name", "")
    home = mutation.module.name.rpartition(".")[2]
    if mutation.is_lazy or _KEPT.search(name) or _CACHING.search(said) or _CACHING.search(home):
        return True
    own = mutation.module.index.own_nodes(mutation.function.node)
    gives_it = any(isinstance(node, ast.Return) and node.value is not None for node in own)
    return gives_it and any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        for test in own
        if isinstance(test, ast.Compare | ast.Try | ast.Attribute)
        for node in ast.walk(test)
    )


def _with_imported(model: Model, modules: Iterable[Module]) -> Iterator[Module]:
    """Modules, and those of the project that they import directly."""
    for module in modules:
        yield module
        for node in module.index.nodes(ast.ImportFrom):
            home = model.modules.home_of(node, module)
            if home is not None:
                yield home
                inner = (model.modules.submodule(home, alias.name) for alias in node.names)
                yield from (each for each in inner if each is not None)
        for plain in module.index.nodes(ast.Import):
            found = (model.modules.find(alias.name, module) for alias in plain.names)
            yield from (each for each in found if each is not None)


def _only_defines(statement: ast.stmt) -> bool:
    """Whether a statement of a module makes names and does nothing else."""
    if isinstance(statement, ast.Expr):
        return not any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return not isinstance(statement, ast.For | ast.While | ast.With | ast.If)
