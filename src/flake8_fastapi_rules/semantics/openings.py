"""What functions do with the sessions, connections, clients and files that they open."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import targets_of
from flake8_fastapi_rules.semantics.facts import ParameterKind
from flake8_fastapi_rules.semantics.libraries import RESOURCE_OPENERS
from flake8_fastapi_rules.semantics.values import Class, Function, FunctionNode, Instance

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.calls import CallSite
    from flake8_fastapi_rules.semantics.model import Model

#: What has to be closed for each request that opens it.
KINDS = frozenset({"session", "connection", "client", "file"})
#: What is called, or defined, to close something, or to make one object for all.
_CLOSING = frozenset(
    {
        "close", "aclose", "close_all", "disconnect", "dispose", "quit", "release", "remove",
        "shutdown", "terminate", "__aexit__", "__del__", "__exit__", "__new__",
    }
)  # fmt: skip
#: Methods whose results live as long as the connection or client that they are asked of.
_PARTS = frozenset({"cursor", "get_collection", "get_database", "get_default_database"})


def kind_opened(model: Model, site: CallSite) -> str | None:
    """Which of `KINDS` a call opens, itself or through a function of the project."""
    name = model.effects.opening(site)
    if name is not None:
        kind = RESOURCE_OPENERS[name].kind
        return kind if kind in KINDS else None
    opened = model.effects.resource_opened(site)
    return next((kind for kind in KINDS if opened and kind in opened), None)


def is_for_request_alone(model: Model, site: CallSite, function: Function) -> bool:
    """Whether what is opened depends on what the request says, which no dependency knows.

    `Session(bind=engine_of(user.tenant))`, where the user is the one who logs in.
    """
    sent = {
        parameter.name
        for parameter in model.parameters(function)
        if parameter.kind in {ParameterKind.BODY, ParameterKind.FORM}
    }
    index = site.module.index
    wanted: list[ast.AST] = [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
    seen: set[str] = set()
    while wanted and sent:
        for node in ast.walk(wanted.pop()):
            if not isinstance(node, ast.Name) or node.id in seen:
                continue
            if node.id in sent:
                return True
            seen.add(node.id)
            found = index.lookup(node.id, node)
            if found is not None and found[0].node is function.node:
                wanted += [each.value for each in found[1] if each.value is not None]
    return False


def may_close(model: Model, cls: Class) -> bool:
    """Whether something in a class or its bases may close what its objects hold."""
    if not model.resolver.has_known_bases(cls):
        return True
    return any(
        isinstance(base, Class) and any(map(_closes, ast.walk(base.node)))
        for base in model.resolver.mro(cls)
    )


class Opening:
    """Something that a call in a function opens.

    Parameters:
        site: the call.
        function: the function that the call stands in.
    """

    def __init__(self, model: Model, site: CallSite, function: FunctionNode) -> None:
        self._model, self._module = model, site.module
        self._call, self._function = site.node, function
        self._index = site.module.index
        name = model.effects.opening(site) or ""
        self._is_mongo = name.startswith(("pymongo.", "motor."))

    @cached_property
    def _targets(self) -> list[ast.expr]:
        parent = self._index.parents.get(self._call)
        if isinstance(parent, ast.Await):
            parent = self._index.parents.get(parent)
        match parent:
            case ast.Assign(targets=targets):
                return targets
            case ast.AnnAssign(target=target) | ast.withitem(optional_vars=ast.expr() as target):
                return [target]
        return []

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(target.id for target in self._targets if isinstance(target, ast.Name))

    @cached_property
    def _parts(self) -> frozenset[str]:
        """The variables that hold what lives as long as it: `cursor = connection.cursor()`."""
        found = set()
        for node in self._index.own_nodes(self._function):
            match node:
                case (
                    ast.Assign(
                        targets=[ast.Name(id=name)],
                        value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attr)),
                    )
                    | ast.AnnAssign(
                        target=ast.Name(id=name),
                        value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attr)),
                    )
                ) if owner in self._names and attr in _PARTS:
                    found.add(name)
        return frozenset(found)

    @property
    def is_in_with(self) -> bool:
        """Whether a `with` closes it when its block ends."""
        return isinstance(self._index.parents.get(self._call), ast.withitem)

    @property
    def is_given_back(self) -> bool:
        """Whether the function returns it, or an object that holds and never closes it."""
        returned = [
            node.value
            for node in self._index.own_nodes(self._function)
            if isinstance(node, ast.Return) and node.value is not None
        ]
        if any(map(self._is_itself, returned)):
            return True
        is_closed = any(map(self._is_closing, self._index.own_nodes(self._function)))
        return not is_closed and any(
            self._is_held_by(node)
            for node in map(self._behind, returned)
            if not isinstance(node, ast.Name) or node.id in self._parts
        )

    def _behind(self, node: ast.expr) -> ast.expr:
        """What a variable was given that has one value: `service = Service(session)`."""
        found = self._index.lookup(node.id, node) if isinstance(node, ast.Name) else None
        return (found is not None and len(found[1]) == 1 and found[1][0].given) or node

    @property
    def is_closed_finally(self) -> bool:
        """Whether a `finally` of the function closes it."""
        return any(
            self._is_closing(part)
            for node in self._index.own_nodes(self._function)
            if isinstance(node, ast.Try | ast.TryStar)
            for statement in node.finalbody
            for part in ast.walk(statement)
        )

    @property
    def is_kept(self) -> bool:
        """Whether something that outlives the request holds it."""
        statement = self._index.statement_of(self._call)
        targets = targets_of(statement)
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        outer = self._index.scopes[self._function].outer
        if any(not isinstance(target, ast.Name) for target in targets) or names & set(outer):
            return True
        return any(
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Name)
            and node.value.id in names
            and any(
                isinstance(target, ast.Attribute | ast.Subscript) for target in targets_of(node)
            )
            for node in self._index.own_nodes(self._function)
        )

    def _is_closing(self, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                return name in self._names and attr in _CLOSING
        return False

    def _is_itself(self, node: ast.expr) -> bool:
        """Whether an expression is what the call gave."""
        inner = node.value if isinstance(node, ast.Await) else node
        if inner is self._call:
            return True
        if not isinstance(inner, ast.Name):
            return False
        value = self._model.resolve(self._module, inner)
        return (
            isinstance(value, Instance)
            and value.call is not None
            and (value.call is self._call or value == self._model.resolve(self._module, self._call))
        )

    def _is_held_by(self, node: ast.expr) -> bool:
        if node is self._call:
            return True
        match node:
            case ast.Name(id=name):
                return name in self._names or name in self._parts
            case ast.Await(value=inner):
                return self._is_held_by(inner)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return any(map(self._is_held_by, elements))
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _PARTS:
                return self._is_held_by(owner)
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                return self._is_mongo and self._is_held_by(owner)
            case ast.Call(func=func):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                if not any(map(self._is_held_by, given)):
                    return False
                made = self._model.resolve(self._module, func)
                return isinstance(made, Class) and not may_close(self._model, made)
            case _:
                return False


def _closes(node: ast.AST) -> bool:
    """Whether a node closes something, or is a sign of an object that is made once."""
    match node:
        case (
            ast.Attribute(attr=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name)
        ):
            return name in _CLOSING or name.startswith("_instance")
        case ast.withitem(context_expr=ast.Attribute()):
            return True
        case _:
            return False
