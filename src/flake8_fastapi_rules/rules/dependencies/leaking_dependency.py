"""FAR308: a dependency that opens something and never closes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import CallSite
from flake8_fastapi_rules.semantics.facts import DependencyFunction
from flake8_fastapi_rules.semantics.libraries import RESOURCE_OPENERS
from flake8_fastapi_rules.semantics.values import Class, Function, Instance

_KINDS = frozenset({"session", "connection", "client", "file"})
#: What is called, or defined, to close something, or to make one object for all.
_CLOSING = frozenset(
    {
        "close", "aclose", "close_all", "disconnect", "dispose", "quit", "release", "remove",
        "shutdown", "terminate", "__aexit__", "__del__", "__exit__", "__new__",
    }
)  # fmt: skip
#: Methods whose results live as long as the connection or client that they are asked of.
_PARTS = frozenset({"cursor", "get_collection", "get_database", "get_default_database"})
_SPOKEN = {
    "session": "a session",
    "connection": "a connection",
    "client": "a client",
    "file": "a file",
}


class LeakingDependency(Rule):
    """Yield what a dependency opens, and close it behind the `yield`.

    ## What it does
    Reports a dependency that opens a database session, a connection, an HTTP or other client, or a
    file, and returns it; also when a `with` has closed it by the time it is returned, and a class
    as a dependency whose objects each open one that nothing in the class closes.

    ## Why it matters
    Nobody closes what is returned: each request keeps a connection until the garbage collector
    comes by, and under load the pool runs dry. A dependency with `yield` gets the control back
    after the request and can close what it opened, whatever happened in between.

    ## Example
    ```python
    from typing import Annotated

    import httpx
    from fastapi import Depends


    def get_client() -> httpx.Client:
        return httpx.Client()


    def fetch(client: Annotated[httpx.Client, Depends(get_client)]) -> int:
        return client.get("https://example.com").status_code
    ```

    ## Use instead
    ```python
    from collections.abc import AsyncIterator
    from typing import Annotated

    import httpx
    from fastapi import Depends


    async def get_client() -> AsyncIterator[httpx.AsyncClient]:
        '''Lend an HTTP client to one request.'''
        async with httpx.AsyncClient() as client:
            yield client


    async def fetch(client: Annotated[httpx.AsyncClient, Depends(get_client)]) -> int:
        '''Ask for the status of a page.'''
        response = await client.get("https://example.com")
        return response.status_code
    ```

    ## Leaves alone
    What was opened elsewhere (by a lifespan, in `app.state`, in a module variable), dependencies
    that remember their result (`lru_cache`, a global), and what is stored before it is returned.

    ## Source
    FastAPI's documentation of dependencies with `yield`.
    """

    code = "FAR308"
    message = (
        "Yield {what} in `{name}` and close it behind the `yield`: what is returned stays open"
    )
    variants = {
        "object": "`{name}` opens {what} per request and never closes it; inject one by `yield`",
        "finally": "Yield {what} in `{name}` instead: the `finally` closes what it returns",
        "closed": "Yield {what} in `{name}` inside the `with`: what it returns is closed already",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"

    @on(DependencyFunction)
    def check(self, fact: DependencyFunction, context: Context) -> Iterator[Report]:
        """Report openings whose result a dependency returns."""
        node, effects = fact.node, context.model.effects
        function = Function(context.module, node, fact.cls)
        if fact.is_generator or effects.graph.is_cached(function):
            return
        if node.name == "__init__":
            yield from self._check_object(fact, function, context)
            return
        returned = [
            each.value
            for each in context.module.index.own_nodes(node)
            if isinstance(each, ast.Return) and each.value is not None
        ]
        for site in effects.calls(function):
            kind = _kind_opened(site, context)
            carried = _Carried(site, node, context) if kind is not None else None
            if (
                kind is None
                or carried is None
                or not (_is_returned(site.node, returned, context) or carried.is_in(returned))
            ):
                continue
            if _is_kept(site.node, node, context):
                continue
            parent = context.module.index.parents.get(site.node)
            variant = "closed" if isinstance(parent, ast.withitem) else None
            if carried.is_closed_finally(node):
                variant = "finally"
            yield self.report(site.node, variant, what=_SPOKEN[kind], name=fact.name)
            return

    def _check_object(
        self, fact: DependencyFunction, function: Function, context: Context
    ) -> Iterator[Report]:
        """Report a class that opens something for each of its objects and never closes it."""
        index = context.module.index
        for site in context.model.effects.calls(function):
            kind = _kind_opened(site, context)
            statement = index.parents.get(site.node)
            if kind is None or fact.cls is None or not isinstance(statement, ast.Assign):
                continue
            held = any(
                isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Name)
                and target.value.id == "self"
                for target in statement.targets
            )
            if held and not _may_close(fact.cls, context):
                yield self.report(site.node, "object", what=_SPOKEN[kind], name=fact.name)
                return


def _may_close(cls: Class, context: Context) -> bool:
    """Whether something in a class or its bases may close what its objects hold."""
    if not context.model.resolver.has_known_bases(cls):
        return True
    return any(
        isinstance(base, Class) and any(map(_closes, ast.walk(base.node)))
        for base in context.model.resolver.mro(cls)
    )


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


class _Carried:
    """Follows what a call opened into what a dependency returns around it."""

    def __init__(self, site: CallSite, function: ast.AST, context: Context) -> None:
        self._call, self._context = site.node, context
        index = context.module.index
        parent = index.parents.get(site.node)
        if isinstance(parent, ast.Await):
            parent = index.parents.get(parent)
        targets: list[ast.expr | None] = []
        if isinstance(parent, ast.Assign):
            targets = list(parent.targets)
        elif isinstance(parent, ast.AnnAssign):
            targets = [parent.target]
        elif isinstance(parent, ast.withitem):
            targets = [parent.optional_vars]
        self._names = {target.id for target in targets if isinstance(target, ast.Name)}
        self._is_closed = any(
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in self._names
            and node.attr in _CLOSING
            for node in index.own_nodes(function)
        )
        name = context.model.effects.opening(site) or ""
        self._is_mongo = name.startswith(("pymongo.", "motor."))

    def is_closed_finally(self, function: ast.AST) -> bool:
        """Whether a `finally` of the function closes it."""
        return any(
            isinstance(part, ast.Attribute)
            and part.attr in _CLOSING
            and isinstance(part.value, ast.Name)
            and part.value.id in self._names
            for node in self._context.module.index.own_nodes(function)
            if isinstance(node, ast.Try | ast.TryStar)
            for statement in node.finalbody
            for part in ast.walk(statement)
        )

    def is_in(self, returned: list[ast.expr]) -> bool:
        """Whether one of the returned values is an object around what was opened."""
        return not self._is_closed and any(
            not isinstance(node, ast.Name) and self._holds(node) for node in returned
        )

    def _holds(self, node: ast.expr) -> bool:
        if node is self._call:
            return True
        match node:
            case ast.Name(id=name):
                return name in self._names
            case ast.Await(value=inner):
                return self._holds(inner)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return any(map(self._holds, elements))
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _PARTS:
                return self._holds(owner)
            case ast.Attribute(value=owner) | ast.Subscript(value=owner):
                return self._is_mongo and self._holds(owner)
            case ast.Call(func=func):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                if not any(map(self._holds, given)):
                    return False
                made = self._context.resolve(func)
                return isinstance(made, Class) and not _may_close(made, self._context)
            case _:
                return False


def _kind_opened(site: CallSite, context: Context) -> str | None:
    """What kind of resource a call opens, itself or through a function of the project."""
    effects = context.model.effects
    name = effects.opening(site)
    if name is not None:
        kind = RESOURCE_OPENERS[name].kind
        return kind if kind in _KINDS else None
    opened = effects.resource_opened(site)
    return next((kind for kind in _KINDS if opened and kind in opened), None)


def _is_returned(call: ast.Call, returned: list[ast.expr], context: Context) -> bool:
    """Whether one of the returned values is what a call gave."""
    made = context.resolve(call)
    for node in returned:
        inner = node.value if isinstance(node, ast.Await) else node
        if inner is call:
            return True
        value = context.resolve(inner)
        if (
            isinstance(inner, ast.Name)
            and isinstance(value, Instance)
            and value.call is not None
            and (value.call is call or value == made)
        ):
            return True
    return False


def _is_kept(call: ast.Call, function: ast.AST, context: Context) -> bool:
    """Whether something that outlives the request holds what a call opened."""
    index = context.module.index
    statement = index.statement_of(call)
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    outer = index.scopes[function].outer
    if any(not isinstance(target, ast.Name) for target in targets) or names & set(outer):
        return True
    return any(
        isinstance(each, ast.Assign)
        and isinstance(each.value, ast.Name)
        and each.value.id in names
        and any(isinstance(target, ast.Attribute | ast.Subscript) for target in each.targets)
        for each in index.own_nodes(function)
    )
