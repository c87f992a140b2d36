"""Resources that a function opens, the names that hold them, and whether it closes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, all_arguments, targets_of
from flake8_fastapi_rules.semantics.libraries import RESOURCE_OPENERS, Resource
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import FrameworkFunction
    from flake8_fastapi_rules.semantics.model import Model


#: What an object opens for as long as it lives.
_REFERENCES = (ast.Name, ast.Attribute)
_OWNED = frozenset({"client", "connection", "engine", "pool"})


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource that a function opens and keeps under a name.

    Parameters:
        call: the call that opens it.
        opener: the canonical name of what is called.
        names: the expressions that hold it, as they are written: `client`, `app.state.client`.
        is_started: `start` is called on it.
        is_closed: it is closed, or may be: something that cannot be seen through gets hold of it.
    """

    call: ast.Call
    opener: str
    resource: Resource
    names: tuple[str, ...]
    is_started: bool
    is_closed: bool


def holders_in(model: Model, module: Module, function: FunctionNode) -> tuple[Holder, ...]:
    """The resources that a function's own body binds to names, in source order."""
    index = module.index
    nodes = index.own_nodes(function)
    opened: list[tuple[ast.Call, str, list[str]]] = []
    sites = {site.node: site for site in model.effects.calls(Function(module, function))}
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        name = model.effects.opened_by(model.resolve(module, node.func), node)
        if name is None and node in sites:
            name = model.effects.opened_below(sites[node])
        if name is None:
            continue
        names = _targets(module, node)
        if names:
            opened.append((node, name, [*names, *_aliases(nodes, names)]))
    everything = {name for _, _, names in opened for name in names}
    found = []
    for call, opener, names in opened:
        resource = RESOURCE_OPENERS[opener]
        used = _Use(model, module, nodes, call, tuple(names), resource, frozenset(everything))
        found.append(
            Holder(call, opener, resource, tuple(names), used.is_started(), used.is_closed())
        )
    return tuple(found)


def is_left_open(model: Model, opening: FrameworkFunction, holder: Holder) -> bool:
    """Whether nothing in the `__aexit__` of a class can close what its `__aenter__` holds."""
    cls = opening.module.index.class_of(opening.node)
    if cls is None:
        return False
    own = Class(opening.module, cls)
    leaving = model.resolver.class_attribute(own, "__aexit__", instance=True)
    if not isinstance(leaving, Function) or not model.resolver.has_known_bases(own):
        return False
    kept = {name.rpartition(".")[2] for name in holder.names}
    details = {argument.arg for argument in all_arguments(leaving.node.args)} - {"self"}
    for node in leaving.module.index.own_nodes(leaving.node):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in kept:
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"))):
                return False  # a method of its own
            case ast.Call(args=args, keywords=keywords):
                given = [*args, *(keyword.value for keyword in keywords)]
                if not all(
                    isinstance(each, ast.Constant)
                    or (isinstance(each, ast.Name) and each.id in details)
                    for each in given
                ):
                    return False  # it may be closed by what is called
    return True


@dataclass(frozen=True, slots=True)
class Owner:
    """An object of the project that opens a resource, keeps it in an attribute and is let go.

    Parameters:
        call: the call after which it holds the resource: that of its class, or of a method.
        name: the object, as it is written first.
        resource: what it opens.
        cls: its class.
        closer: the method of the class that closes the resource; `None` when it has none.
    """

    call: ast.Call
    name: str
    resource: Resource
    cls: Class
    closer: str | None


def owners_in(model: Model, module: Module, function: FunctionNode) -> tuple[Owner, ...]:
    """The objects with resources of their own that a generator makes and then never mentions.

    `app.state.gateway = Gateway()` before the `yield`, where `Gateway.__init__` makes a client.
    """
    nodes = module.index.own_nodes(function)
    yields = [node for node in nodes if isinstance(node, ast.Yield)]
    if not yields:
        return ()
    end = min((each.lineno, each.col_offset) for each in yields)
    found = []
    for node in nodes:
        if not isinstance(node, ast.Call) or (node.lineno, node.col_offset) > end:
            continue
        match model.resolve(module, node.func):
            case Class() as cls:
                start = model.resolver.class_attribute(cls, "__init__", instance=True)
                names = _targets(module, node)
            case Function(owner=Class() as cls) as start if isinstance(node.func, ast.Attribute):
                names = [ast.unparse(node.func.value)]
            case _:
                continue
        opened = _kept_by(model, start) if isinstance(start, Function) else None
        if opened is None or not names or not model.resolver.has_known_bases(cls):
            continue
        names.extend(_aliases(nodes, names))
        names.extend(_sources(nodes, names))
        closers = _closers_of(model, cls, *opened)
        if "__del__" not in closers and not _is_let_out(
            model, module, nodes, names, node, end, cls
        ):
            closer = min(closers - {"__aexit__", "__exit__"}, default=None)
            found.append(Owner(node, names[0], RESOURCE_OPENERS[opened[1]], cls, closer))
    return tuple(found)


def _kept_by(model: Model, method: Function) -> tuple[str, str] | None:
    """The attribute of its object in which a method keeps what it opens, and the opener."""
    if isinstance(method.node, ast.Lambda):
        return None
    nodes = method.module.index.own_nodes(method.node)
    for node in nodes:
        match node:
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                made = value.value if isinstance(value, ast.Await) else value
            case _:
                continue
        match target, made:
            case ast.Attribute(value=ast.Name(id="self"), attr=attr), ast.Call(func=func):
                opener = model.effects.opened_by(model.resolve(method.module, func), made)
                resource = RESOURCE_OPENERS.get(opener or "")
                if opener is None or resource is None or resource.kind not in _OWNED:
                    continue
                if not any(_is_closing(each, attr, resource) for each in nodes):
                    return attr, opener
    return None


def _closers_of(model: Model, cls: Class, attr: str, opener: str) -> frozenset[str]:
    """The methods of a class that close what its objects keep in an attribute."""
    resource = RESOURCE_OPENERS[opener]
    return frozenset(
        method.name
        for base in model.resolver.mro(cls)
        if isinstance(base, Class)
        for method in base.node.body
        if isinstance(method, FUNCTIONS)
        and any(_is_closing(node, attr, resource) for node in ast.walk(method))
    )


def _is_closing(node: ast.AST, attr: str, resource: Resource) -> bool:
    match node:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=held), attr=closer):
            return held == attr and closer in resource.closers
    return False


def _sources(nodes: tuple[ast.AST, ...], names: list[str]) -> Iterator[str]:
    """What the names were given: `gateway` of `app.state.gateway = gateway`."""
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, _REFERENCES):
            if any(ast.unparse(target) in names for target in targets_of(node)):
                yield ast.unparse(node.value)


def _is_let_out(
    model: Model,
    module: Module,
    nodes: tuple[ast.AST, ...],
    names: list[str],
    made: ast.Call,
    end: tuple[int, int],
    cls: Class,
) -> bool:
    """Whether something may close an object: it is handed on, or mentioned after the `yield`."""
    last = {name.rpartition(".")[2] for name in names}
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in names:
            if (node.lineno, node.col_offset) > end:
                parent = module.index.parents.get(node)
                if not isinstance(parent, ast.Dict | ast.Yield):
                    return True
        elif isinstance(node, ast.withitem):
            if any(ast.unparse(part) in names for part in ast.walk(node) if _is_name(part)):
                return True
        elif isinstance(node, ast.Call) and node is not made:
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(
                ast.unparse(part) in names
                for each in given
                for part in ast.walk(each)
                if _is_name(part)
            ):
                return True
            if (node.lineno, node.col_offset) > end:
                target = model.resolve(module, node.func)
                if isinstance(target, Function):
                    if target.owner is not None and target.owner.node is cls.node:
                        if not isinstance(node.func, ast.Attribute) or not _is_name(
                            node.func.value
                        ):
                            return True  # of the same object, perhaps: `get_gateway().close()`
                    said = {
                        part.id if isinstance(part, ast.Name) else part.attr
                        for part in ast.walk(target.node)
                        if isinstance(part, ast.Name | ast.Attribute)
                    }
                    if not said.isdisjoint(last) or "state" in said:
                        return True
                elif not isinstance(target, External):
                    return True
    return False


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def _targets(module: Module, call: ast.Call) -> list[str]:
    parents = module.index.parents
    node: ast.AST = call
    parent = parents.get(node)
    if isinstance(parent, ast.Await):
        node, parent = parent, parents.get(parent)
    targets: list[ast.expr] = []
    if isinstance(parent, ast.Assign):
        targets = parent.targets
    elif isinstance(parent, ast.AnnAssign | ast.NamedExpr):
        targets = [parent.target]
    elif isinstance(parent, ast.Tuple):  # `first, second = Client(), Client()`
        match parents.get(parent):
            case ast.Assign(targets=[ast.Tuple(elts=elements)]) if len(elements) == len(
                parent.elts
            ):
                targets = [elements[parent.elts.index(node)]]  # type: ignore[arg-type]
    if not all(isinstance(target, ast.Name | ast.Attribute) for target in targets):
        return []
    return [ast.unparse(target) for target in targets]


def _aliases(nodes: tuple[ast.AST, ...], names: list[str]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, _REFERENCES):
            if ast.unparse(node.value) in names:
                for target in targets_of(node):
                    if isinstance(target, ast.Name | ast.Attribute):
                        yield ast.unparse(target)


@dataclass(frozen=True, slots=True)
class _Use:
    """What a function does with a resource that it opened."""

    model: Model
    module: Module
    nodes: tuple[ast.AST, ...]
    call: ast.Call
    names: tuple[str, ...]
    resource: Resource
    others: frozenset[str]

    def is_started(self) -> bool:
        return any(
            isinstance(node, ast.Attribute) and node.attr == "start" and self._is_it(node.value)
            for node in self.nodes
        )

    def is_closed(self) -> bool:
        return any(self._may_close(node) for node in self.nodes)

    def _is_it(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in self.names

    def _may_close(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(value=owner, attr=attr) if attr in self.resource.closers:
                # A closer of something unknown may be that of the resource by another name.
                if self._is_it(owner):
                    return True
                return ast.unparse(owner) not in self.others and not self._is_modules_own(owner)
            case ast.withitem(context_expr=held):
                return self._is_it(held)
            case ast.For(iter=held) | ast.AsyncFor(iter=held):
                return self._mentions(held)
            case ast.Call() if node is not self.call:
                return self._is_handed_on(node)
            case ast.Return(value=value) | ast.Yield(value=value) if value is not None:
                return False
            case _:
                return False

    def _is_modules_own(self, node: ast.expr) -> bool:
        """Whether an object is one that a module made when it was imported."""
        value = self.model.resolve(self.module, node)
        if not isinstance(value, Instance) or value.call is None or value.module is None:
            return False
        return isinstance(value.module.index.scope_of(value.call).node, ast.Module)

    def _mentions(self, node: ast.AST) -> bool:
        return any(self._is_it(part) for part in ast.walk(node))

    def _is_handed_on(self, call: ast.Call) -> bool:
        """Whether a call gets the resource, or its owner, when the function ends, or keeps it."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        is_late = self._is_after_yield(call)
        if any(self._mentions(argument) for argument in arguments):
            func = call.func
            keeps = isinstance(func, ast.Attribute) and func.attr in _STACK_METHODS
            return is_late or keeps
        if not is_late:
            return False
        owners = {name.partition(".")[0] for name in self.names if "." in name}
        if any(isinstance(argument, ast.Name) and argument.id in owners for argument in arguments):
            return True
        target = self.model.resolve(self.module, call.func)
        if isinstance(target, Function):
            last = {name.rpartition(".")[2] for name in self.names}
            return any(
                (isinstance(part, ast.Name) and part.id in last)
                or (isinstance(part, ast.Attribute) and part.attr in last)
                for part in ast.walk(target.node)
            )
        return False

    def _is_after_yield(self, node: ast.Call) -> bool:
        yields = [n for n in self.nodes if isinstance(n, ast.Yield)]
        return not yields or node.lineno > min(y.lineno for y in yields)


_STACK_METHODS = frozenset(
    {"callback", "enter_async_context", "enter_context", "push", "push_async_callback",
     "push_async_exit"}
)  # fmt: skip
