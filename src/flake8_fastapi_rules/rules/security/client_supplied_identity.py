"""FAR711: users who say themselves who they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
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
from flake8_fastapi_rules.semantics.schemas import (
    SchemaField,
    body_parameters,
    schema_fields,
)
from flake8_fastapi_rules.semantics.security import security_dependencies
from flake8_fastapi_rules.semantics.values import Class, Function, Instance, qualified_name

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SELF = re.compile(
    r"^(?:x_)?(?:user_id|userid|current_user_id|acting_user_id|actor_id|author_id|owner_id"
    r"|created_by|created_by_id|requested_by|sender_id)$"
)
_FOR_OTHERS = re.compile(
    r"admin|member|invite|assign|role|permission|share|grant|transfer|manage"
    r"|recipient|subscriber|watcher|participant|collaborator"
    r"|(?:add|remove|delete|kick|ban|block|follow)[/_-]?(?!own|my|me[/_-]|current)"
    r"(?:[a-z]+[/_-]?)?user"
)
#: Somebody with a task: the owner beside them is one who is put in charge, too.
_CHARGED = re.compile(r"^(?:manager|assignee|reviewer|approver|assigned_to)(?:_user)?(?:_id)?$")
#: In what a dependency is called, or in its scopes: whoever gets in acts for others.
_ADMIN = re.compile(r"admin|superuser|staff|permission|rbac")
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
_KINDS = frozenset({ParameterKind.QUERY, ParameterKind.HEADER, ParameterKind.BODY})


class ClientSuppliedIdentity(Rule):
    """Take the acting user from the credentials.

    ## What it does
    Reports an operation that changes something, knows by its security dependency who calls, and
    still takes that user's id (`user_id`, `author_id`, `owner_id`, ...) from the query, a header or
    the body.

    ## Why it matters
    Anybody who is logged in then acts in the name of anybody else: ids are in every URL.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI
    from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

    router = APIRouter()
    bearer = HTTPBearer()


    @router.post("/notes", status_code=201)
    async def create_note(
        user_id: int, user: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
    ) -> str:
        return f"{user_id} {user.scheme}"


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Depends

    from shop.users import User, current_user

    CurrentUser = Annotated[User, Depends(current_user)]
    ```

    ## Leaves alone
    Operations without a security dependency, or with a mere scheme such as `HTTPBearer()` in
    `dependencies=[...]`, which tells nobody who it is, path parameters, filters of reads (what may
    be left out), reads that show users, ids that the endpoint or a function that it calls compares,
    or that a dependency takes as well, fields that neither it nor what it hands the body to reads,
    `user_id` of messages to somebody, routes whose dependencies are not certain, paths, names
    and dependencies that speak of administration, members, roles, permissions or sharing: there the
    id is somebody else's, endpoints that take the user's id from the credentials as well, and what
    only another service may call (`require_api_key`,
    `get_internal_service`), which acts for its users.

    ## Source
    OWASP API security: broken object level authorization.
    """

    code = "FAR711"
    message = "`{name}` lets clients say who they are; take the user from the credentials"
    variants = {
        "field": "`{model}.{name}` lets clients say who they are; take it from the credentials"
    }
    profiles = ("strict",)
    scope = "project"

    @on(Route)
    def check(self, route: Route, context: Context) -> Iterator[Report]:
        """Report parameters of authenticated writes that are the acting user's id."""
        function = route.function
        if route.kind is not RouteKind.HTTP or not route.methods:
            return
        writes = bool(_WRITES & set(route.methods))
        resolved = context.model.project(context.module).routes_at(route)
        if function is None or function.module is not context.module:
            return
        # What no app is known to include has the dependencies of its own signature at least.
        chains = [(r.dependencies, r.dependencies_complete) for r in resolved] or [
            context.model.all_dependencies(function)
        ]
        if not all(is_complete for _, is_complete in chains):
            return  # what cannot be told may be there to compare the ids
        guards = [security_dependencies(context.model, found) for found, _ in chains]
        if not all(
            any(each.function is not None or each.parameter is not None for each in found)
            for found in guards
        ):
            return  # a scheme in `dependencies=[...]` tells nobody who it is
        if all(all(_is_of_services(guard) for guard in found) for found in guards):
            return
        served = resolved[0].path if resolved else None
        said = f"{served or route.path} {getattr(function.node, 'name', '')}".lower()
        if _FOR_OTHERS.search(said) or any(
            _ADMIN.search(_FOR_ALL.sub("", text)) or _MANAGES.search(text)
            for found in guards
            for guard in found
            for text in [ast.unparse(guard.node).lower()]
        ):
            return
        paths = [route.path, *(path for r in resolved for path in (r.path, r.local_path))]
        names = frozenset(name for path in paths if path for name in names_in(path))
        given = {
            each.name
            for each in context.model.parameters(function)
            if each.kind is ParameterKind.DEPENDENCY
        }
        if _asks_who(function, frozenset({*given, "self"})):
            return  # the id is another one's
        looked_at = {
            parameter.name: context.model.resolver.annotation(
                parameter.type_module, parameter.type_node
            )
            for found, _ in chains
            for dependency in found
            if (target := context.model.callable_of(dependency.target)) is not None
            for parameter in context.model.parameters(target, names)
        }
        for parameter in context.model.parameters(function, names):
            if parameter.name in looked_at:
                continue  # a dependency takes the id, too: to compare it
            if self._is_identity(parameter) and (
                writes or (self._says_who(parameter) and not _ABOUT_USERS.search(said))
            ):
                if compares(context.model, function, parameter.name):
                    continue
                yield self.report(parameter.node, name=parameter.name)
                return
        for parameter in body_parameters(context.model, route) if writes else ():
            typed = context.model.resolver.annotation(parameter.type_module, parameter.type_node)
            if not isinstance(typed, Instance) or not isinstance(typed.of, Class):
                continue
            if typed in looked_at.values():
                continue
            fields = schema_fields(context.model, typed.of)
            is_charged = any(_CHARGED.match(each.name.lower()) for each in fields)
            for each in fields:
                if (
                    _SELF.match(each.name.lower())
                    and not (each.name == "owner_id" and is_charged)
                    and not (each.name == "user_id" and _MESSAGE.search(said))
                    and not _is_several(each, context)
                    and uses_field(context.model, function, parameter.name, each.name)
                    and not compares(context.model, function, f"{parameter.name}.{each.name}")
                ):
                    related = [context.related(each.module, each.node.target, "the field")]
                    yield self.report(
                        parameter.node,
                        "field",
                        name=each.name,
                        model=typed.of.node.name,
                        related=related,
                    )
                    return

    def _says_who(self, parameter: Parameter) -> bool:
        """Whether a parameter of a read is no filter: it cannot be left out, or is a header."""
        if parameter.kind is ParameterKind.HEADER or parameter.default is None:
            return True
        marker = parameter.marker
        if marker is None or marker.in_annotated:
            return False
        given = marker.argument("default", 0)
        return given is None or (isinstance(given, ast.Constant) and given.value is ...)

    def _is_identity(self, parameter: Parameter) -> bool:
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


def _is_of_services(guard: Dependency) -> bool:
    """Whether a dependency asks which service calls rather than which user."""
    name = snake((qualified_name(guard.target) or "").rpartition(".")[2])
    return "user" not in name and _OF_SERVICES.search(name) is not None


def _is_several(field: SchemaField, context: Context) -> bool:
    """Whether a field holds several names, such as those of a film's authors."""
    hint = field.node.annotation
    typed = context.model.resolver.annotation(field.module, hint)
    return context.model.is_instance(typed, "builtins.list", "builtins.set", "builtins.dict")
