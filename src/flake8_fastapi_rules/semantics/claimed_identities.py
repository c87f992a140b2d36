"""Users who say themselves who they are, where their credentials tell it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.client_fields import compares, uses_field
from flake8_fastapi_rules.semantics.credentials import snake
from flake8_fastapi_rules.semantics.facts import (
    Dependency,
    Parameter,
    ParameterKind,
    Route,
    RouteKind,
)
from flake8_fastapi_rules.semantics.paths import names_in
from flake8_fastapi_rules.semantics.resolve import arguments_of
from flake8_fastapi_rules.semantics.schemas import SchemaField, body_parameters, schema_fields
from flake8_fastapi_rules.semantics.security import security_dependencies
from flake8_fastapi_rules.semantics.shared_keys import is_only_compared, knows_key_only
from flake8_fastapi_rules.semantics.values import (
    Class,
    Function,
    Instance,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.project import ResolvedRoute

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SELF = re.compile(
    r"^(?:x_)?(?:user_id|userid|current_user_id|acting_user_id|actor_id|author_id|owner_id"
    r"|created_by|created_by_id|requested_by|sender_id)$"
)
#: Of these, the ones that cannot be whose record it is.
_ACTOR = re.compile(r"^(?:x_)?(?:current_user_id|acting_user_id|actor_id|requested_by|sender_id)$")
_FOR_OTHERS = re.compile(
    r"admin|member|invite|assign|role|permission|share|grant|transfer|manage"
    r"|recipient|subscriber|watcher|participant|collaborator"
    r"|(?:add|remove|delete|kick|ban|block|follow)[/_-]?(?!own|my|me[/_-]|current)"
    r"(?:[a-z]+[/_-]?)?user"
)
#: Somebody with a task: the owner beside them is one who is put in charge, too.
_CHARGED = re.compile(r"^(?:manager|assignee|reviewer|approver|assigned_to)(?:_user)?(?:_id)?$")
#: In what a dependency is called, or in its scopes: whoever gets in acts for others.
_ADMIN = re.compile(r"admin|super_?user|staff|permission|rbac")
#: A permission such as `items:write`, which everybody has for what is their own.
_FOR_ALL = re.compile(r"permission\w*\(['\"](?!users?\b|accounts?\b|roles?\b)\w+[:.]\w+['\"]\)")
#: A permission to manage users, in whatever checks it: `CheckAuth("system:user:edit")`.
_MANAGES = re.compile(
    r"['\"](?:\w+[:.])*(?:users?|accounts?|members?|roles?|system|sys)"
    r"(?:[:.](?!(?:me|my|own|self)\b)\w+)+['\"]"
)
#: What lets another service in, which acts for its users.
_OF_SERVICES = re.compile(
    r"(?:^|_)(?:internal|services?|machine|m2m|s2s|system|worker|cron|webhook|api_?keys?)(?:_|$)"
)
#: Paths of reads that show somebody: any user may be asked for.
_ABOUT_USERS = re.compile(r"(?:^|/)(?:users?|profiles?|authors?|accounts?)(?:/|\s|$)")
#: What is asked of credentials to know who it is.
_ID = re.compile(r"^(?:id|pk|sub|uid|uuid|user_?id|account_id)$", re.IGNORECASE)
#: Messages to somebody, who is told by `user_id`.
_MESSAGE = re.compile(r"(?:^|[/_ -])(?:send|notify|notifications?)(?![a-z])")
#: Paths of reads that take their filters in the body.
_SEARCH = re.compile(r"(?:^|[/:_-])(?:search|query|filter|find)/?(?:\s|$)")
_KINDS = frozenset({ParameterKind.QUERY, ParameterKind.HEADER, ParameterKind.BODY})


@dataclass(frozen=True, slots=True)
class ClaimedIdentity:
    """What a client says of who it is.

    Parameters:
        parameter: of the endpoint.
        field: of the model that the parameter is, if it is one of its fields.
        cls: that model.
    """

    parameter: Parameter
    field: SchemaField | None = None
    cls: Class | None = None


def claimed_identity(model: Model, module: Module, route: Route) -> ClaimedIdentity | None:
    """The first parameter or field by which the client of an operation says who it is.

    `None` where nobody logs in or services do, where the id is another one's (users are managed,
    or the endpoint asks the credentials as well), and where something compares it.
    """
    function = route.function
    if route.kind is not RouteKind.HTTP or not route.methods or function is None:
        return None
    if function.module is not module:
        return None
    operation = _Operation(model, module, route, function)
    if not operation.knows_users():
        return None
    return next(chain(operation.parameters(), operation.fields()), None)


@dataclass(frozen=True)
class _Operation:
    model: Model
    module: Module
    route: Route
    function: Function

    def knows_users(self) -> bool:
        """Whether credentials tell who acts, and the endpoint does not ask them who that is."""
        if not all(is_complete for _, is_complete in self._chains):
            return False  # what cannot be told may be there to compare the ids
        guards = [security_dependencies(self.model, found) for found, _ in self._chains]
        if not all(
            any(each.function is not None or each.parameter is not None for each in found)
            for found in guards
        ):
            return False  # a scheme in `dependencies=[...]` tells nobody who it is
        if all(self._know_applications(found) for found in guards):
            return False
        if any(all(self._asks_nobody(guard) for guard in found) for found in guards):
            return False
        everyone = (guard for found in guards for guard in found)
        if _FOR_OTHERS.search(self._said) or any(map(_is_for_managers, everyone)):
            return False
        given = {
            each.name
            for each in self.model.parameters(self.function)
            if each.kind is ParameterKind.DEPENDENCY
        }
        return not _asks_who(self.function, frozenset({*given, "self"}))

    def _know_applications(self, guards: Sequence[Dependency]) -> bool:
        """Whether all that keeps strangers out asks for the key of an application."""
        own = {each.target for each in self.model.dependencies(self.function)}
        known: set[Value] = set()  # with the schemes that they read the key by
        for each in guards:
            if each.function is not None and knows_key_only(self.model, each.function):
                below = {sub.target for sub in self.model.sub_dependencies(each)[0]}
                known |= {each.target, *(below - own)}
        return all(
            guard.target in known or _is_of_services(guard) or self._compares_key(guard)
            for guard in guards
        )

    def _compares_key(self, guard: Dependency) -> bool:
        """Whether the endpoint compares what a scheme gives with one key and asks nobody else."""
        return (
            guard.function is None
            and guard.parameter is not None
            and guard.parameter.node in arguments_of(self.function.node)
            and is_only_compared(self.model, self.function, guard.parameter.name)
        )

    def _asks_nobody(self, guard: Dependency) -> bool:
        """Whether a dependency refuses for what the service is set to, and is told no credentials.

        `require_test_mode()` takes nothing, so it knows nobody.
        """
        function = guard.function
        return (
            function is not None
            and not guard.is_security
            and all(
                each.kind is ParameterKind.NONE for each in self.model.parameters(function)
            )  # at most `self`
        )

    def parameters(self) -> Iterator[ClaimedIdentity]:
        """The parameters that are the acting user's id."""
        for parameter in self.model.parameters(self.function, self._path_names):
            if parameter.name in self._looked_at or not _is_identity(parameter):
                continue
            if not self._writes and (
                not _says_who(parameter) or _ABOUT_USERS.search(self._said) is not None
            ):
                continue
            if compares(self.model, self.function, parameter.name):
                continue
            if not _gives_way(self.function, parameter.name):
                yield ClaimedIdentity(parameter)

    def fields(self) -> Iterator[ClaimedIdentity]:
        """The fields of bodies that are."""
        for parameter in body_parameters(self.model, self.route) if self._writes else ():
            typed = self._type_of(parameter)
            if not isinstance(typed, Instance) or not isinstance(typed.of, Class):
                continue
            if typed in self._looked_at.values():
                continue
            fields = schema_fields(self.model, typed.of)
            is_charged = any(_CHARGED.match(each.name.lower()) for each in fields)
            for each in fields:
                if each.name == "owner_id" and is_charged:
                    continue
                if self._is_identity_of_sender(parameter, each):
                    yield ClaimedIdentity(parameter, each, typed.of)

    def _is_identity_of_sender(self, parameter: Parameter, field: SchemaField) -> bool:
        name = field.name
        return (
            _SELF.match(name.lower()) is not None
            and not (name == "user_id" and _MESSAGE.search(self._said))
            and not (name == "owner_id" and self._changes)
            and not (field.has_default and self._changes_a_part and not _ACTOR.match(name.lower()))
            and not self._is_several(field)
            and not (field.has_default and self._is_no_person(f"{parameter.name}.{name}"))
            and uses_field(self.model, self.function, parameter.name, name)
            and not compares(self.model, self.function, f"{parameter.name}.{name}")
        )

    def _is_no_person(self, text: str) -> bool:
        """Whether an id that may be left out filters a search, or names one of several things.

        `any([body.user_id, body.agent_id])`: what acts can be no agent instead.
        """
        if _SEARCH.search(self._said):
            return True
        return any(
            text in asked and any(_is_other_id(each, text) for each in asked)
            for node in self.module.index.own_nodes(self.function.node)
            for asked in [_asked_for_one(node)]
        )

    @cached_property
    def _writes(self) -> bool:
        return bool(_WRITES & set(self.route.methods or ()))

    @cached_property
    def _changes(self) -> bool:
        """Whether the operation changes what is there: an owner given to it is the new one."""
        return set(self.route.methods or ()) <= {"PATCH", "PUT"}

    @cached_property
    def _changes_a_part(self) -> bool:
        """Whether the path says what is changed, and the body how: who is left out stays there."""
        return set(self.route.methods or ()) == {"PATCH"} and bool(self._path_names)

    @cached_property
    def _resolved(self) -> Sequence[ResolvedRoute]:
        return self.model.project(self.module).routes_at(self.route)

    @cached_property
    def _chains(self) -> Sequence[tuple[Sequence[Dependency], bool]]:
        # What no app is known to include has the dependencies of its own signature at least.
        found = [(each.dependencies, each.dependencies_complete) for each in self._resolved]
        return found or [self.model.all_dependencies(self.function)]

    @cached_property
    def _said(self) -> str:
        """What the path and the endpoint's name say, in lower case."""
        served = self._resolved[0].path if self._resolved else None
        name = getattr(self.function.node, "name", "")
        return f"{served or self.route.path} {name}".lower()

    @cached_property
    def _path_names(self) -> frozenset[str]:
        paths = [
            self.route.path,
            *(path for r in self._resolved for path in (r.path, r.local_path)),
        ]
        return frozenset(name for path in paths if path for name in names_in(path))

    @cached_property
    def _looked_at(self) -> dict[str, Value]:
        """The parameters of dependencies, with their types: they compare what they take, too."""
        return {
            parameter.name: self._type_of(parameter)
            for found, _ in self._chains
            for dependency in found
            if (target := self.model.callable_of(dependency.target)) is not None
            for parameter in self.model.parameters(target, self._path_names)
        }

    def _type_of(self, parameter: Parameter) -> Value:
        return self.model.resolver.annotation(parameter.type_module, parameter.type_node)

    def _is_several(self, field: SchemaField) -> bool:
        """Whether a field holds several names, such as those of a film's authors."""
        typed = self.model.resolver.annotation(field.module, field.node.annotation)
        return self.model.is_instance(typed, "builtins.list", "builtins.set", "builtins.dict")


def _asked_for_one(node: ast.AST) -> frozenset[str]:
    """The texts of what a test wants at least one of."""
    match node:
        case ast.Call(func=ast.Name(id="any"), args=[ast.List(elts=asked) | ast.Tuple(elts=asked)]):
            return frozenset(map(ast.unparse, asked))
        case ast.BoolOp(op=ast.Or(), values=asked):
            return frozenset(map(ast.unparse, asked))
        case ast.BoolOp(op=ast.And(), values=values):
            missing = [each.operand for each in values if isinstance(each, ast.UnaryOp)]
            if len(missing) == len(values):
                return frozenset(map(ast.unparse, missing))
    return frozenset()


def _is_other_id(text: str, of: str) -> bool:
    """Whether an expression is the id of something else that the same body holds."""
    owner, _, name = text.rpartition(".")
    is_id = name.endswith("_id") and not _SELF.match(name.lower())
    return is_id and owner == of.rpartition(".")[0]


def _says_who(parameter: Parameter) -> bool:
    """Whether a parameter of a read is no filter: it cannot be left out, or is a header."""
    if parameter.kind is ParameterKind.HEADER or parameter.default is None:
        return True
    marker = parameter.marker
    if marker is None or marker.in_annotated:
        return False
    given = marker.argument("default", 0)
    return given is None or (isinstance(given, ast.Constant) and given.value is ...)


def _is_identity(parameter: Parameter) -> bool:
    name = (parameter.alias or parameter.name).lower().replace("-", "_")
    return parameter.kind in _KINDS and _SELF.match(name) is not None


def _asks_who(function: Function, given: frozenset[str]) -> bool:
    """Whether a function takes the user's id from the credentials: what is sent is another one.

    Parameters:
        given: the names of what dependencies gave.
    """
    index = function.module.index
    for node in index.own_nodes(function.node):
        match node:
            case (
                ast.Attribute(attr=name, value=owner, ctx=ast.Load())
                | ast.Subscript(slice=ast.Constant(value=str() as name), value=owner)
                | ast.Call(
                    func=ast.Attribute(attr="get", value=owner),
                    args=[ast.Constant(value=str() as name), *_],
                )
            ) if _ID.search(name):
                root: ast.expr = owner
                while isinstance(root, ast.Attribute | ast.Subscript):
                    root = root.value
                if isinstance(index.parents.get(node), ast.BoolOp | ast.IfExp):
                    continue  # `body.user_id or user.id`
                if isinstance(root, ast.Name) and root.id in given:
                    if root.id != "self" or "user" in ast.unparse(owner):
                        return True
    return False


def _gives_way(function: Function, name: str) -> bool:
    """Whether what a client says counts only where its credentials tell nothing.

    `user_id = request.state.user_id`, or `scope_of(request, fallback_user_id=user_id)`.
    """
    for node in function.module.index.own_nodes(function.node):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Attribute(value=owner)) if (
                target == name
            ):
                if isinstance(owner, ast.Attribute) and owner.attr == "state":
                    return True
            case ast.keyword(arg=str() as arg, value=ast.Name(id=given)) if given == name:
                if "fallback" in arg or "default" in arg:
                    return True
    return False


def _is_of_services(guard: Dependency) -> bool:
    """Whether a dependency asks which service calls rather than which user."""
    name = snake((qualified_name(guard.target) or "").rpartition(".")[2])
    return "user" not in name and _OF_SERVICES.search(name) is not None


def _is_for_managers(guard: Dependency) -> bool:
    """Whether a dependency lets those in who act for others."""
    text = ast.unparse(guard.marker.call or guard.node).lower()
    return bool(_ADMIN.search(_FOR_ALL.sub("", text)) or _MANAGES.search(text))
