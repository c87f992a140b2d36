"""Decorators between a route and its function: does FastAPI still see the function's signature?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import ROUTE_DECORATORS, ROUTE_OWNERS
from flake8_fastapi_rules.semantics.libraries import SIGNATURE_KEEPING_DECORATORS
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: What makes `inspect.signature` see something else than the wrapper's own parameters.
_ABOUT_SIGNATURES = frozenset(
    {".__wrapped__", ".__signature__", ".update_wrapper", ".wraps", "update_wrapper", "wraps"}
)
_WRAPS = External("functools.wraps")
_PLAIN = frozenset({"builtins.staticmethod", "builtins.classmethod", "builtins.property"})


def has_own_signature(model: Model, function: Function) -> bool:
    """Whether FastAPI certainly sees the signature as it is written.

    Routes, decorators known to keep it and the project's own decorators that use
    `functools.wraps` (or return the function itself) do; of any other nothing is known.
    """
    node = function.node
    if isinstance(node, ast.Lambda):
        return True
    if _has_another_signature(model, function) or _uses_wraps(model, function):
        return False  # a wrapper has the signature of what it wraps
    return all(
        keeps_signature(model, function.module, decorator)
        for decorator in _below_routes(model, function, node)
    )


def hiding_decorator(model: Model, function: Function) -> tuple[ast.expr, Function] | None:
    """The decorator through which FastAPI sees `*args, **kwargs` instead of the function.

    It is one of the project's own whose wrapper takes anything and says of nothing that it wraps
    it. FastAPI reads signatures with `inspect.signature`, which follows `__wrapped__` only.

    Returns:
        The decorator with the wrapper; `None` where FastAPI may see another signature.
    """
    node = function.node
    if isinstance(node, ast.Lambda) or _has_another_signature(model, function):
        return None
    for decorator in _below_routes(model, function, node):
        if not keeps_signature(model, function.module, decorator):
            wrapper = _bare_wrapper(model, function.module, decorator)
            return (decorator, wrapper) if wrapper is not None else None
    return None


def asynchronous_wrappers(model: Model, module: Module) -> Iterator[FrameworkFunction]:
    """What a module's decorators put in the place of FastAPI code: coroutines with its roles."""
    if "wraps" not in module.source.text:
        return
    index = module.index
    inside: dict[ast.AST, list[ast.AsyncFunctionDef]] = {}
    for node in index.functions:
        if not isinstance(node, ast.AsyncFunctionDef) or not any(
            isinstance(each, ast.Call) and model.resolve(module, each.func) == _WRAPS
            for each in node.decorator_list
        ):
            continue
        maker: ast.AST = node
        while (above := index.function_of(maker)) is not None:
            maker = above
        if isinstance(maker, FUNCTIONS) and maker is not node:
            cls = index.class_of(maker)
            if cls is None or maker.name == "__call__":
                inside.setdefault(cls or maker, []).append(node)
    if not inside:
        return
    roles: dict[ast.AST, set[Role]] = {}
    names = {getattr(maker, "name", "") for maker in inside}
    uses = model.uses(module)
    for function in (each for functions in uses.by_module.values() for each in functions):
        if isinstance(function.node, FUNCTIONS) and function.node.decorator_list:
            for decorator in _below_routes(model, function, function.node):
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if terminal_name(called) in names:
                    value = model.resolve(function.module, called)
                    if isinstance(value, Function | Class) and value.node in inside:
                        roles.setdefault(value.node, set()).update(model.roles(function))
    for maker, found in roles.items():
        for wrapper in inside[maker]:
            yield FrameworkFunction(module, wrapper, frozenset(found))


def looks_like_route(node: FunctionNode) -> bool:
    """Whether the text of a decorator looks like a route of whatever framework: `@mock.get(...)`.

    A guess: for what must be left alone, where FastAPI's own routes are known by `model.roles`.
    """
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any("route" in each or ".get(" in each or ".post(" in each for each in decorators)


def _below_routes(model: Model, function: Function, node: FunctionNode) -> list[ast.expr]:
    """The decorators between a function and FastAPI, the outermost first.

    What stands above the routes gets the function after FastAPI did.
    """
    routes = {route.node for route in model.uses(function.module).routes.get(node, ())}
    decorators = node.decorator_list
    if routes and routes.issubset(decorators):
        decorators = decorators[min(decorators.index(route) for route in routes) :]
    return [decorator for decorator in decorators if decorator not in routes]


def _bare_wrapper(model: Model, module: Module, decorator: ast.expr) -> Function | None:
    """The wrapper with `*args` or `**kwargs` that a decorator of the project certainly returns."""
    is_factory = isinstance(decorator, ast.Call)
    maker = model.resolve(module, decorator.func if isinstance(decorator, ast.Call) else decorator)
    if is_factory and isinstance(maker, Function):
        maker = model.resolver.returned(maker)
    if not isinstance(maker, Function) or not isinstance(maker.node, ast.FunctionDef):
        return None
    if maker.node.decorator_list or not _ABOUT_SIGNATURES.isdisjoint(
        maker.module.index.mentioned(maker.node)
    ):
        return None
    wrapper = model.resolver.returned(maker)
    if not isinstance(wrapper, Function) or not isinstance(wrapper.node, FUNCTIONS):
        return None
    if wrapper.module.index.function_of(wrapper.node) is not maker.node:
        return None
    arguments = wrapper.node.args
    if wrapper.node.decorator_list or _has_another_signature(model, wrapper):
        return None
    return wrapper if arguments.vararg or arguments.kwarg else None


def _has_another_signature(model: Model, function: Function, *, copies: bool = True) -> bool:
    """Whether the module gives the function a `__signature__` of its own making.

    By an assignment or `setattr`, or by a call that wraps it later: `read = with_keys(read)`.

    Parameters:
        copies: also where a helper gives it that of another function just as it is.
    """
    module = function.module
    index = module.index
    if module.mentions_signatures:
        for node in index.nodes(ast.Attribute):
            if node.attr == "__signature__" and isinstance(node.ctx, ast.Store):
                if _is_it(model, function, node.value):
                    return True
        for call in index.nodes(ast.Call):
            match call:
                case ast.Call(
                    func=ast.Name(id="setattr"),
                    args=[owner, ast.Constant(value="__signature__"), _],
                ) if _is_it(model, function, owner):
                    return True
    name = getattr(function.node, "name", None)
    if any(_sets_signature(model, each, copies=copies) for each in _helpers(model, function)):
        return True
    bindings = index.scope_of(function.node).bindings.get(name, ()) if name else ()
    return any(
        isinstance(made := binding.value, ast.Call)
        and any(isinstance(given, ast.Name) and given.id == name for given in made.args)
        and not keeps_signature(model, module, made.func)
        for binding in bindings
        if binding.node is not function.node
    )


def _helpers(model: Model, function: Function) -> Iterator[Function]:
    """The functions of the project that a nested function is given to around it."""
    index, name = function.module.index, getattr(function.node, "name", None)
    around = index.function_of(function.node)
    for call in index.own_nodes(around) if around is not None else ():
        if isinstance(call, ast.Call) and any(
            isinstance(given, ast.Name) and given.id == name for given in call.args
        ):
            callee = model.resolve(function.module, call.func)
            if isinstance(callee, Function):
                yield callee


def _sets_signature(model: Model, helper: Function, *, copies: bool) -> bool:
    """Whether a function of the project gives something a `__signature__`.

    Parameters:
        copies: also one that it only reads from what it is given: `inspect.signature(wrapped)`.
    """
    if not helper.module.mentions_signatures:
        return False
    for node in helper.module.index.own_nodes(helper.node):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == "__signature__"
            for target in node.targets
        ):
            if copies or not _is_copied(model, helper.module, node.value):
                return True
    return False


def _is_copied(model: Model, module: Module, value: ast.expr) -> bool:
    """Whether a signature is just what `inspect.signature` says of another function."""
    if isinstance(value, ast.Name):
        found = module.index.lookup(value.id, value)
        values = [binding.value for binding in found[1]] if found is not None else []
        return bool(values) and all(
            isinstance(each, ast.Call) and _is_copied(model, module, each) for each in values
        )
    return isinstance(value, ast.Call) and model.resolve(module, value.func) == External(
        "inspect.signature"
    )


def _is_it(model: Model, function: Function, node: ast.expr) -> bool:
    value = model.resolve(function.module, node)
    return isinstance(value, Function) and value.node is function.node


def keeps_signature(model: Model, module: Module, decorator: ast.expr) -> bool:
    """Whether one decorator certainly leaves the signature that FastAPI sees alone."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    value = model.resolve(module, target)
    if isinstance(value, External):
        return any(
            name in SIGNATURE_KEEPING_DECORATORS or name in _PLAIN or _is_route(name)
            for name in model.resolver.names_of(value)
        )
    if isinstance(value, Function):
        return _wraps(model, value, is_factory=isinstance(decorator, ast.Call))
    call = _call_of(model, value, is_made=isinstance(decorator, ast.Call))
    return call is not None and _wraps(model, call, is_factory=False)


def _call_of(model: Model, value: Value, *, is_made: bool) -> Function | None:
    """The `__call__` of a class of the project that decorates: `@Logged("orders")`, `@logged`.

    Parameters:
        is_made: the decorator makes the object; else the value is to be one already.
    """
    if isinstance(value, Instance) and not is_made:
        value = value.of
    elif not is_made:
        return None
    if not isinstance(value, Class):
        return None
    call = model.resolver.class_attribute(value, "__call__", instance=True)
    return call if isinstance(call, Function) else None


def _is_route(name: str) -> bool:
    owner, _, attr = name.rpartition(".")
    return (owner in ROUTE_OWNERS or owner.endswith("webhooks")) and attr in ROUTE_DECORATORS


def _wraps(model: Model, decorator: Function, *, is_factory: bool) -> bool:
    """Whether a decorator of the project hands back its function, or a wrapper that says so."""
    if isinstance(decorator.node, ast.Lambda):
        return False
    inner: Value = decorator
    if is_factory:
        inner = model.resolver.returned(decorator)
        if not isinstance(inner, Function) or isinstance(inner.node, ast.Lambda):
            return False
    assert isinstance(inner, Function)
    node = inner.node
    assert isinstance(node, FUNCTIONS)
    arguments = [*node.args.posonlyargs, *node.args.args]
    if _sets_signature(model, inner, copies=True):
        return False
    returned = [
        statement.value
        for statement in inner.module.index.own_nodes(node)
        if isinstance(statement, ast.Return)
    ]
    return bool(returned) and all(
        (
            isinstance(value, ast.Name)
            and any(value.id == argument.arg for argument in arguments[:2])
        )
        or _is_wrapper(model, inner.module, value)
        for value in returned
    )


def _is_wrapper(model: Model, module: Module, value: ast.expr | None) -> bool:
    while (  # `return cast(F, wrapper)`
        isinstance(value, ast.Call)
        and len(value.args) == 2
        and model.resolve(module, value.func) == External("typing.cast")
    ):
        value = value.args[1]
    if isinstance(value, ast.IfExp):
        return all(_is_wrapper(model, module, each) for each in (value.body, value.orelse))
    wrappers = _either(module, value)
    if not wrappers:
        wrapper = model.resolve(module, value)
        wrappers = [wrapper] if isinstance(wrapper, Function) else []
    return bool(wrappers) and all(
        isinstance(wrapper.node, FUNCTIONS)
        and _uses_wraps(model, wrapper)
        and not _has_another_signature(model, wrapper, copies=False)
        for wrapper in wrappers
    )


def _either(module: Module, value: ast.expr | None) -> list[Function]:
    """The functions that a name stands for in turn: one for coroutines, and another one."""
    found = module.index.lookup(value.id, value) if isinstance(value, ast.Name) else None
    nodes = [binding.node for binding in found[1]] if found is not None else []
    functions = [Function(module, node) for node in nodes if isinstance(node, FUNCTIONS)]
    return functions if len(functions) == len(nodes) > 1 else []


def _uses_wraps(model: Model, function: Function) -> bool:
    """Whether a function is decorated with `functools.wraps(...)`."""
    return any(
        isinstance(decorator, ast.Call)
        and model.resolve(function.module, decorator.func) == External("functools.wraps")
        for decorator in getattr(function.node, "decorator_list", ())
    )
