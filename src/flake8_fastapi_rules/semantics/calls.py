"""Which functions of the project run when a function runs: the call graph, as far as it is sure."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import COMPREHENSIONS, FUNCTIONS
from flake8_fastapi_rules.semantics.libraries import (
    CACHE_DECORATORS,
    SIGNATURE_KEEPING_DECORATORS,
)
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import name_set
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Decorators that leave it as it is when and where the function's body runs.
_TRANSPARENT = SIGNATURE_KEEPING_DECORATORS | name_set(
    """
    builtins.staticmethod builtins.classmethod builtins.property abc.abstractmethod
    typing.overload pydantic.validate_call sqlalchemy.orm.reconstructor inject.autoparams
    ddtrace.tracer.wrap"""
)
_ACCESSORS = frozenset({"setter", "getter", "deleter"})
#: What drives the coroutines or generators given to it, on the caller's own thread.
_DRIVERS = name_set(
    """
    asyncio.gather asyncio.wait_for asyncio.create_task asyncio.ensure_future asyncio.shield
    asyncio.wait asyncio.as_completed asyncio.TaskGroup.create_task asyncio.timeout
    asyncio.AbstractEventLoop.create_task asyncio.run
    asyncio.AbstractEventLoop.run_until_complete anyio.run
    builtins.list builtins.tuple builtins.set builtins.frozenset builtins.dict builtins.sum
    builtins.sorted builtins.next builtins.any builtins.all builtins.min builtins.max
    builtins.anext builtins.str.join contextlib.ExitStack.enter_context
    contextlib.AsyncExitStack.enter_async_context contextlib.AsyncExitStack.enter_context"""
)
#: Responses that iterate over an asynchronous generator on the event loop.
STREAM_RESPONSES = name_set(
    """
    starlette.responses.StreamingResponse sse_starlette.EventSourceResponse
    fastapi.sse.EventSourceResponse"""
)
#: By so many of a protocol's methods the files are searched for classes that have them all.
_RAREST = 2
#: What decorators ask that have a wrapper for each kind of function.
_ASKING_KIND = frozenset(
    {
        "iscoroutinefunction", ".iscoroutinefunction", "is_async_callable", ".is_async_callable",
        "is_coroutine_callable", ".is_coroutine_callable",
    }
)  # fmt: skip
#: How many variables a coroutine is followed through to where it is awaited.
_NAMES = 3
_PROTOCOLS = frozenset({External("typing.Protocol"), External("typing_extensions.Protocol")})
#: What calls the function that it is given, for each element, once somebody goes through them.
_APPLIERS = (External("builtins.map"), External("builtins.filter"))
_LAZY_ITERATORS = name_set("builtins.enumerate builtins.zip builtins.map builtins.filter")


@dataclass(frozen=True, slots=True, eq=False)
class CallSite:
    """One call in a function's own body.

    Parameters:
        node: the call.
        callee: what is called.
        target: the project's function whose body this call runs before the caller goes on, also
            the one that `map` is given; `None` when there is none, or when it cannot be told.
        is_awaited: `await` stands before it.
    """

    module: Module
    node: ast.Call
    callee: Value
    target: Function | None
    is_awaited: bool


class CallGraph:
    """The calls of functions, each function read once.

    Parameters:
        model: resolves what is called.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._resolver = model.resolver
        self._sites: dict[object, tuple[CallSite, ...]] = {}
        self._decorators: dict[ast.AST, frozenset[str | None]] = {}
        self._bodies: dict[object, Function | None] = {}
        self._fulfillers: dict[ast.ClassDef, tuple[Class, ...]] = {}

    def sites(self, function: Function) -> tuple[CallSite, ...]:
        """The calls in a function's own body, in source order.

        Those in functions, lambdas and classes inside of it do not belong to it.
        """
        key = key_of(function)
        known = self._sites.get(key)
        if known is None:
            self._sites[key] = ()
            known = self._sites[key] = tuple(self._read(function))
        return known

    def _read(self, function: Function) -> Iterator[CallSite]:
        module = function.module
        for node in module.index.own_nodes(function.node):
            if isinstance(node, ast.Call):
                callee = self.callee(function, node)
                parent = module.index.parents.get(node)
                yield CallSite(
                    module,
                    node,
                    callee,
                    self._target(module, node, callee),
                    isinstance(parent, ast.Await),
                )

    def callee(self, function: Function, node: ast.Call) -> Value:
        """What a call in `function` calls; methods of `self` are those of the class at hand."""
        func = node.func
        owner = function.owner
        if (
            owner is not None
            and isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and isinstance(function.node, FUNCTIONS)
        ):
            arguments = function.node.args
            first = next(iter((*arguments.posonlyargs, *arguments.args)), None)
            if (
                first is not None
                and first.arg == func.value.id
                and function.module.index.class_of(function.node) not in {None, owner.node}
                and "builtins.staticmethod" not in self.decorators(function)
            ):
                found = self._resolver.class_attribute(owner, func.attr, instance=True)
                if found:
                    return found
        callee = self._resolver.resolve(function.module, func)
        if isinstance(callee, Function) and isinstance(func, ast.Attribute) and is_abstract(callee):
            return self._of_provided(function, func) or callee
        return callee

    def _of_provided(self, function: Function, func: ast.Attribute) -> Value:
        """The method of the object that a dependency gives for a parameter of an abstract type."""
        if not isinstance(func.value, ast.Name):
            return UNKNOWN
        for parameter in self._model.parameters(function):
            dependency = (
                self._model.dependency_of(parameter) if parameter.name == func.value.id else None
            )
            if dependency is not None:
                provided = self._model.provided(dependency)
                if isinstance(provided, Instance) and isinstance(provided.of, Class):
                    return self._resolver.attribute(provided, func.attr)
        return UNKNOWN

    def body_of(self, callee: Value) -> Function | None:
        """The project's function whose body a call of `callee` is about, if there is one to see.

        For a class it is its `__init__` (or `__post_init__`), for an object its `__call__`.
        Abstract methods have the body of the only class of the project that writes one.
        """
        match callee:
            case Function():
                return self._only_body(callee) if is_abstract(callee) else callee
            case Class():
                for name in ("__init__", "__post_init__"):
                    method = self._resolver.class_attribute(callee, name, instance=True)
                    if isinstance(method, Function):
                        return Function(method.module, method.node, callee, bound=True)
                return None
            case Instance(of=Class() as cls):
                method = self._resolver.class_attribute(cls, "__call__", instance=True)
                if isinstance(method, Function) and not is_abstract(method):
                    return method
                return None
            case _:
                return None

    def _only_body(self, method: Function) -> Function | None:
        """The body of an abstract method, if just one class outside of the tests has it."""
        owner = method.owner
        if owner is None:
            return None
        key = key_of(method)
        if key not in self._bodies:
            found = [
                each
                for each in overriding(self._model, method)
                if each.owner is not None and owner in self._resolver.mro(each.owner)
            ]
            if not found and _PROTOCOLS.intersection(self._resolver.mro(owner)):
                name = getattr(method.node, "name", "")
                found = [
                    Function(each.module, _methods_of(each.node)[name], each)
                    for each in self._fulfilling(owner)
                ]
            written = [
                each
                for each in found
                if not is_abstract(each)
                and not self._model.settings.is_test_path(str(each.module.path))
            ]
            self._bodies[key] = (
                Function(written[0].module, written[0].node, written[0].owner, bound=method.bound)
                if len(written) == 1
                else None
            )
        return self._bodies[key]

    def _fulfilling(self, protocol: Class) -> tuple[Class, ...]:
        """The classes that have all methods of a protocol, and do not say so."""
        if protocol.node not in self._fulfillers:
            bases = [base for base in self._resolver.mro(protocol) if isinstance(base, Class)]
            wanted = {method for base in bases for method in _methods_of(base.node)}
            modules = self._model.modules
            root = modules.project_root(protocol.module.path)
            # The longest names are the rarest: few files have to be read.
            rarest = sorted(wanted, key=len)[-_RAREST:]
            files = [set(modules.files_mentioning(root, f"def {name}(")) for name in rarest]
            homes = [protocol.module]
            homes += [
                home
                for path in sorted(set.intersection(*files) if files else ())
                if (home := modules.load(path)) is not None and home is not protocol.module
            ]
            self._fulfillers[protocol.node] = tuple(
                Class(home, cls)
                for home in homes
                for cls in home.index.nodes(ast.ClassDef)
                if wanted <= _methods_of(cls).keys()
                and not any(cls is base.node for base in bases)
                and (len(wanted) > 1 or protocol.node.name.lower() in cls.name.lower())
            )
        return self._fulfillers[protocol.node]

    def decorators(self, function: Function) -> frozenset[str | None]:
        """The names of a function's decorators; `None` stands for one that is not known."""
        node = function.node
        if not isinstance(node, FUNCTIONS):
            return frozenset()
        known = self._decorators.get(node)
        if known is None:
            found: set[str | None] = set()
            for decorator in node.decorator_list:
                expression = decorator.func if isinstance(decorator, ast.Call) else decorator
                value = self._resolver.resolve(function.module, expression)
                if isinstance(value, External):
                    found.update(self._resolver.names_of(value))
                elif self._is_transparent(value, expression, function):
                    continue
                else:
                    found.add(None)
            known = self._decorators[node] = frozenset(found)
        return known

    def _is_transparent(self, value: Value, decorator: ast.expr, function: Function) -> bool:
        """Whether a decorator of the project leaves the function on the thread it is called on."""
        if isinstance(value, Function):
            return self._keeps_the_thread(value, function)
        return isinstance(decorator, ast.Attribute) and decorator.attr in _ACCESSORS

    def _keeps_the_thread(self, decorator: Function, decorated: Function) -> bool:
        """Whether a decorator of the project wraps functions in functions of the same kind."""
        node = decorator.node
        if not isinstance(node, FUNCTIONS):
            return False
        wants_async = isinstance(decorated.node, ast.AsyncFunctionDef)
        inner = [n for n in ast.walk(node) if isinstance(n, FUNCTIONS) and n is not node]
        wrappers = [n for n in inner if _holds_none(n)]
        kinds = {isinstance(n, ast.AsyncFunctionDef) for n in wrappers}
        if len(kinds) > 1 and not wants_async:  # `if iscoroutinefunction(function):`
            return not _ASKING_KIND.isdisjoint(decorator.module.index.mentioned(node))
        return not inner or kinds == {wants_async} or (wants_async and True in kinds)

    def is_cached(self, function: Function) -> bool:
        """Whether a function remembers its results, so that its work is not done at each call."""
        return not CACHE_DECORATORS.isdisjoint(self.decorators(function))

    def is_plainly_decorated(self, function: Function) -> bool:
        """Whether no decorator can change when or on which thread the body runs."""
        roles = self._model.roles(function) if self.decorators(function) else ()
        return bool(roles) or self.decorators(function) <= _TRANSPARENT | CACHE_DECORATORS

    def _target(self, module: Module, node: ast.Call, callee: Value) -> Function | None:
        if callee in _APPLIERS and node.args and self._is_iterated(module, node, False):
            applied = self._resolver.resolve(module, node.args[0])
            return self._target(module, node, applied) if isinstance(applied, Function) else None
        function = self.body_of(callee)
        if function is None or not self.is_plainly_decorated(function):
            return None
        if isinstance(function.node, ast.Lambda):
            return function
        is_async = isinstance(function.node, ast.AsyncFunctionDef)
        if function.module.index.is_generator(function.node):
            return function if self._is_iterated(module, node, is_async) else None
        if is_async:
            return function if self._is_driven(module, node) else None
        return function

    def _is_driven(self, module: Module, node: ast.expr, depth: int = 0) -> bool:
        """Whether a coroutine is awaited, or given to something that runs it.

        At once, or by a variable: `tasks.append(work())`, and `gather(*tasks)` behind it.
        """
        parent = module.index.parents.get(node)
        while isinstance(parent, ast.IfExp | ast.Starred | ast.List | ast.Tuple | ast.ListComp):
            node, parent = parent, module.index.parents.get(parent)
        if isinstance(parent, ast.Await):
            return True
        if isinstance(parent, ast.GeneratorExp) and node is parent.elt:
            return self._is_driven(module, parent, depth)
        name = _put_into(parent, node)
        if name is None:
            is_given = isinstance(parent, ast.Call) and node is not parent.func
            return is_given and self._is_driver(module, parent)  # type: ignore[arg-type]
        function = module.index.function_of(node)
        return depth < _NAMES and any(
            isinstance(each, ast.Name)
            and each.id == name
            and isinstance(each.ctx, ast.Load)
            and self._is_driven(module, each, depth + 1)
            for each in (module.index.own_nodes(function) if function is not None else ())
        )

    def _is_iterated(self, module: Module, node: ast.expr, is_async: bool) -> bool:
        """Whether a generator is run by the statement that it stands in."""
        parent = module.index.parents.get(node)
        match parent:
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                return node is parent.iter
            case ast.withitem() | ast.YieldFrom() | ast.Starred() | ast.Await():
                return True
            case ast.Call() if node is not parent.func:
                if self._is_driver(module, parent):
                    return True
                names = set(self._resolver.names_of(self._resolver.resolve(module, parent.func)))
                if names & _LAZY_ITERATORS:
                    return self._is_iterated(module, parent, is_async)
                # Starlette iterates over plain generators in a thread pool.
                return is_async and not names.isdisjoint(STREAM_RESPONSES)
            case ast.keyword() if is_async:
                call = module.index.parents.get(parent)
                return isinstance(call, ast.Call) and not STREAM_RESPONSES.isdisjoint(
                    self._resolver.names_of(self._resolver.resolve(module, call.func))
                )
            case _:
                return False

    def _is_driver(self, module: Module, call: ast.Call) -> bool:
        callee = self._resolver.resolve(module, call.func)
        return not _DRIVERS.isdisjoint(self._resolver.names_of(callee))


def _holds_none(function: FunctionNode) -> bool:
    """Whether no other function is made in a function."""
    parts = (part for statement in function.body for part in ast.walk(statement))
    return not any(isinstance(part, FUNCTIONS) for part in parts)


def _put_into(parent: ast.AST | None, node: ast.AST) -> str | None:
    """The variable that a value is assigned to, or appended to."""
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="append" | "add"), args=[given]
        ) if given is node:
            return name
    return None


def key_of(function: Function) -> tuple[ast.AST, ast.ClassDef | None]:
    """What tells functions apart: the node, and for a method the class it is called on."""
    return function.node, function.owner.node if function.owner else None


def is_abstract(function: Function) -> bool:
    """Whether a function has no body of its own: `...`, `pass`, or `raise NotImplementedError`."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return False
    owner = function.module.index.class_of(node)
    for statement in node.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Pass() if owner is not None:
                continue
            case (
                ast.Raise(exc=ast.Name(id="NotImplementedError"))
                | ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")))
            ):
                continue
            case _:
                return False
    return True


def _methods_of(cls: ast.ClassDef) -> dict[str, FunctionNode]:
    return {each.name: each for each in cls.body if isinstance(each, FUNCTIONS)}


def overriding(model: Model, method: Function) -> Iterator[Function]:
    """The methods of subclasses that run in the place of a method of their base."""
    base = method.module.index.class_of(method.node)
    name = getattr(method.node, "name", "")
    if base is None:
        return
    for module in modules_mentioning(model, method.module, base.name):
        for cls in module.index.nodes(ast.ClassDef):
            own = next((s for s in cls.body if isinstance(s, FUNCTIONS) and s.name == name), None)
            if own is None or own.decorator_list or cls is base:
                continue
            owner = Class(module, cls)
            if any(isinstance(b, Class) and b.node is base for b in model.resolver.mro(owner)):
                yield Function(module, own, owner)


def argument_filled(function: Function, call: ast.Call, given: ast.expr) -> ast.arg | None:
    """The parameter of a called function that an argument of a call fills; `None` if unclear."""
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    for keyword in call.keywords:
        if keyword.value is given:
            named = (*arguments.args, *arguments.kwonlyargs)
            return next((each for each in named if each.arg == keyword.arg), None)
    if given not in call.args or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    if function.bound:
        positional = positional[1:]
    position = call.args.index(given)
    return positional[position] if position < len(positional) else None


def names_filled(function: Function, call: ast.Call, variables: Collection[str]) -> set[str]:
    """The names of the parameters that some variables, as arguments of a call, certainly fill."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return {
        filled.arg
        for each in given
        if isinstance(each, ast.Name) and each.id in variables
        if (filled := argument_filled(function, call, each)) is not None
    }


def enclosing_comprehension(module: Module, node: ast.AST) -> ast.AST | None:
    """The comprehension that evaluates `node` once per element; `None` when there is none."""
    scope = module.index.scope_of(node).node
    return scope if isinstance(scope, COMPREHENSIONS) else None


__all__ = [
    "UNKNOWN",
    "CallGraph",
    "CallSite",
    "argument_filled",
    "enclosing_comprehension",
    "is_abstract",
    "key_of",
    "names_filled",
]
