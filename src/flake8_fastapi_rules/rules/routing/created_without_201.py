"""FAR206: a creation that answers 200."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import CallSite
from flake8_fastapi_rules.semantics.facts import Endpoint, ParameterKind, Route, RouteKind
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.libraries import ORM_WRITES, SESSION_WRITES, is_in
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.responses import is_raw_response, returns_of
from flake8_fastapi_rules.semantics.values import External, Function, Instance, Value
from flake8_fastapi_rules.semantics.writes import words_of

_CREATES = frozenset({"create", "register"})
#: `add_item` creates, `add_numbers` does not: the body decides.
_MAY_CREATE = frozenset({"add", "insert", "new", "post", "save", "store", "submit"})
#: What the names of tables' classes end in besides.
_OF_TABLES = frozenset({"db", "document", "entity", "model", "orm", "record", "row", "table"})
_INSERTS = tuple(
    External(f"sqlalchemy.{home}insert")
    for home in ("", "sql.expression.", "dialects.postgresql.", "dialects.sqlite.")
)
_DELETES = (External("sqlalchemy.delete"), External("sqlmodel.delete"))
#: Methods of such classes, and of helpers for them, that answer with a new object.
_CREATIONS = frozenset({"create", "create_model"})
#: Methods of new objects that store them.
_STORING = frozenset({"create", "insert", "save"})
#: How many functions what was stored may come through.
_DEPTH = 3
#: Words of functions that may give what was there before.
_MAY_EXIST = frozenset({"ensure", "exists", "fetch", "find", "get", "missing", "resolve"})
#: Class methods that make a new object of other data.
_CONVERTERS = frozenset({"from_orm", "model_validate", "parse_obj"})
#: What is made by such operations is no resource, or the operation is rather an action.
_NO_RESOURCE = frozenset(
    {
        "access", "auth", "authenticate", "bulk", "checkout", "chat", "completion", "completions",
        "embedding", "embeddings", "form", "index", "ingest", "intent", "jwt", "link", "login",
        "logout",
        "or", "password", "portal", "preview", "refresh", "search", "session", "sessions", "signed",
        "signin", "table", "tables", "task", "token", "tokens", "update", "upload", "upsert", "url",
        "validate",
    }
)  # fmt: skip


class CreatedWithout201(Rule):
    """Answer 201 to a request that created something.

    ## What it does
    Reports POST operations that create a resource and answer 200: by their name (`create_*`,
    `register_*`; `add_*` and the like with a body that writes), or because they, or what they call,
    put a new object into a database that they return, or that the path names.

    ## Why it matters
    Clients, caches and generated documentation tell "done" from "created" by the status. FastAPI
    answers 200 unless told otherwise, and documents that.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter()


    class Item(BaseModel):
        name: str


    @router.post("/items")
    async def create_item(item: Item) -> Item:
        return item
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Security

    from shop.schemas import ItemIn, ItemOut
    from shop.security import require_editor

    router = APIRouter(prefix="/items", tags=["items"], dependencies=[Security(require_editor)])


    @router.post("", status_code=201, operation_id="create_item")
    async def create_item(item: ItemIn) -> ItemOut:
        \"\"\"Create an item.\"\"\"
        return await item.stored()
    ```

    ## Leaves alone
    Other explicit statuses, also set on the response; returned `Response` objects, redirects and
    streams; actions such as log-ins, searches and uploads; tokens, sessions and links; what takes
    the place of rows that are deleted, actions on a resource (`/applications/{id}/submit`);
    operations that other methods serve too.

    ## Fix safety
    The fix adds `status_code=201`. Clients that compare with 200 will notice; unsafe.

    ## Source
    RFC 9110, section 15.3.2.
    """

    code = "FAR206"
    message = "`{name}` creates a resource and answers 200; use `status_code=201`"
    profiles = ("recommended",)
    not_in = ("clean-architecture",)
    scope = "project"
    fix = "unsafe"
    hints = ("post", "POST")

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the routes of a creating function that answer 200."""
        if endpoint.methods != frozenset({"POST"}) or not self._creates(endpoint, context):
            return
        if self._decides_itself(endpoint, context):
            return
        for route in endpoint.routes:
            if route.module is context.module and self._answers_200(route, context):
                yield self.report(
                    route.node,
                    fix=partial(self._fix, route, context),
                    name=endpoint.node.name,
                )

    @on(Route)
    def check_elsewhere(self, route: Route, context: Context) -> Iterator[Report]:
        """Report routes whose function is defined in another module."""
        endpoint = context.model.endpoint_elsewhere(route)
        if endpoint is not None:
            yield from self.check(endpoint, context)

    def _answers_200(self, route: Route, context: Context) -> bool:
        if route.kind is not RouteKind.HTTP or route.has_unknown_arguments or route.call is None:
            return False
        if route.verb == "route":
            return False
        status = route.arguments.get("status_code")
        if status is not None and context.model.status(route.module, status) != 200:
            return False
        return "response_class" not in route.arguments or not is_raw_response(
            context.model, route.module, route.arguments["response_class"]
        )

    def _creates(self, endpoint: Endpoint, context: Context) -> bool:
        words = words_of(endpoint.node.name)
        paths = [word for route in endpoint.routes for word in words_of(route.path or "")]
        if not words or not _NO_RESOURCE.isdisjoint([*words, *paths]):
            return False
        if words[0] in _CREATES and (len(words) > 1 or self._takes_model(endpoint, context)):
            return True
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        if self._replaces(endpoint, context):
            return False
        is_action = any(  # `claim` at `/rewards/{id}/claim`
            "{" in path and words[0] in words_of(path.rpartition("/")[2])
            for path in self._paths(endpoint, context)
        )
        if self._stores_what_it_returns(function, context, is_action=is_action):
            return True
        if self._stores_what_the_path_names(endpoint, context):
            return True
        if words[0] == "add" and words[1:2] != ["to"] and self._takes_model(endpoint, context):
            return len(words) > 1
        if is_action or words[0] not in _MAY_CREATE - {"post"} or len(words) == 1:
            return False
        return context.model.effects.writes(function) is not None

    def _replaces(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the operation deletes rows, too: it puts others in their place."""
        return any(
            isinstance(node, ast.Call)
            and (
                context.resolve(node.func) in _DELETES
                or (isinstance(node.func, ast.Attribute) and node.func.attr == "delete")
            )
            for node in endpoint.module.index.own_nodes(endpoint.node)
        )

    def _takes_model(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the body is a model: what is added, and not numbers that are added up."""
        model = context.model
        return any(
            parameter.kind is ParameterKind.BODY
            and model.is_instance(
                model.resolver.annotation(parameter.type_module, parameter.type_node),
                "pydantic.BaseModel",
            )
            for parameter in model.parameters(
                Function(endpoint.module, endpoint.node, endpoint.view_class)
            )
        )

    def _stores_what_it_returns(
        self,
        function: Function,
        context: Context,
        depth: int = _DEPTH,
        *,
        is_action: bool = False,
    ) -> bool:
        """`item = Item(...)`, `session.add(item)` and `return item`, here or in what is called.

        An action has to call something that says that it creates.
        """
        module = function.module
        index = module.index
        sites = {site.node: site for site in context.model.effects.calls(function)}
        stored: set[str] = set()
        given: dict[str, list[ast.expr]] = {}
        for node in index.own_nodes(function.node):
            match node:
                case ast.Call(func=ast.Attribute() as func):
                    if (name := self._stored_name(module, func, node, context)) is not None:
                        stored.add(name)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    given.setdefault(name, []).append(value)
        for statement in returns_of(module, function.node):
            answer = _unconverted(statement.value)
            if isinstance(answer, ast.Name):
                if answer.id in stored:
                    return True
                assigned = given.get(answer.id, [])
                answer = _unconverted(assigned[0]) if len(assigned) == 1 else None
            site = sites.get(answer) if isinstance(answer, ast.Call) else None
            if site is None:
                continue
            if isinstance(site.callee, External) and is_in(site.callee.name, ORM_WRITES):
                method = site.callee.name.rpartition(".")[2]
                if method in _CREATIONS or (method in _STORING and self._is_of_new(site, context)):
                    return True
            if depth and site.target is not None and isinstance(site.callee, Function):
                words = words_of(getattr(site.target.node, "name", ""))
                if is_action and _CREATES.union(_MAY_CREATE).isdisjoint(words[:1]):
                    continue
                if _MAY_EXIST.isdisjoint(words) and _NO_RESOURCE.isdisjoint(words):
                    if self._stores_what_it_returns(site.target, context, depth - 1):
                        return True
        return False

    def _is_of_new(self, site: CallSite, context: Context) -> bool:
        """`Item(...).insert()`"""
        match site.node.func:
            case ast.Attribute(value=ast.Call() as made):
                return self._is_made_here(context.model.resolve(site.module, made), context)
        return False

    def _stored_name(
        self, module: Module, func: ast.Attribute, call: ast.Call, context: Context
    ) -> str | None:
        """The variable whose new object `session.add(item)` or `item.insert()` stores."""
        resolver = context.model.resolver
        names = resolver.names_of(resolver.resolve(module, func))
        match call:
            case ast.Call(func=ast.Attribute(attr="add"), args=[ast.Name() as made]):
                writes: Collection[str] = SESSION_WRITES
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name() as made)) if (
                attr in _STORING
            ):
                writes = ORM_WRITES
            case _:
                return None
        if not any(is_in(name, writes) for name in names):
            return None
        value = resolver.resolve(module, made)
        is_new = (
            self._is_made_here(value, context) if value else self._looks_made_here(made, module)
        )
        return made.id if is_new else None

    def _stores_what_the_path_names(self, endpoint: Endpoint, context: Context) -> bool:
        """`session.add(Hero(...))` or `insert(Hero)`, served under a path that ends in `heroes`."""
        stored = {
            next((word for word in reversed(words_of(name)) if word not in _OF_TABLES), "")
            for name in self._stored_classes(endpoint, context)
        }
        return any(
            _singular(last[-1]) in stored
            for path in self._paths(endpoint, context)
            if (last := words_of(path.rstrip("/").rpartition("/")[2])) and "{" not in path[-2:]
        )

    def _stored_classes(self, endpoint: Endpoint, context: Context) -> Iterator[str]:
        module, resolver = endpoint.module, context.model.resolver
        for node in module.index.own_nodes(endpoint.node):
            match node:
                case ast.Call(func=ast.Attribute(attr="add") as func, args=[ast.expr() as made]):
                    value = resolver.resolve(module, made)
                    if self._is_made_here(value, context) and any(
                        is_in(name, SESSION_WRITES)
                        for name in resolver.names_of(resolver.resolve(module, func))
                    ):
                        yield _name_of_class(value)
                case ast.Call(func=func, args=[ast.Name(id=name)]) if (
                    resolver.resolve(module, func) in _INSERTS
                ):
                    yield name

    def _paths(self, endpoint: Endpoint, context: Context) -> Iterator[str]:
        for route in endpoint.routes:
            if route.path and route.path != "/":
                yield route.path
                continue
            function = Function(endpoint.module, endpoint.node, endpoint.view_class)
            for resolved in context.model.project(context.module).routes_of(function):
                if resolved.route is route and resolved.local_path is not None:
                    yield resolved.local_path

    def _is_made_here(self, value: Value, context: Context) -> bool:
        if not isinstance(value, Instance) or value.call is None or value.module is None:
            return False
        if isinstance(value.of, External):  # a class of a module that is not there
            return value.of.name.rpartition(".")[2][:1].isupper()
        made = value.call.func
        if isinstance(made, ast.Attribute) and made.attr in _CONVERTERS:
            made = made.value
        return context.model.resolve(value.module, made) == value.of

    def _looks_made_here(self, name: ast.Name, module: Module) -> bool:
        """`item = Item(...)` with a class that cannot be found."""
        found = module.index.lookup(name.id, name)
        if found is None or len(found[1]) != 1:
            return False
        statement = module.index.statement_of(found[1][0].node)
        made = statement.value if isinstance(statement, ast.Assign) else None
        if not isinstance(made, ast.Call):
            return False
        called = made.func
        last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return str(last)[:1].isupper()

    def _decides_itself(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the function answers with a response, or sets the status of one."""
        module, model = endpoint.module, context.model
        if module.index.is_generator(endpoint.node) or is_raw_response(
            model, module, endpoint.node.returns
        ):
            return True
        for node in module.index.own_nodes(endpoint.node):
            if isinstance(node, ast.Attribute) and node.attr == "status_code":
                if isinstance(node.ctx, ast.Store):
                    return True
        return any(
            model.is_instance(model.resolve(module, node.value), RESPONSE)
            for node in returns_of(module, endpoint.node)
        )

    def _fix(self, route: Route, context: Context) -> Fix:
        if route.call is None:
            raise Unfixable("the route is made elsewhere")
        edits = set_argument(text_of(context.module), route.call, "status_code", "201")
        return fix_of("Answer 201", "unsafe", edits)


def _unconverted(node: ast.expr | None) -> ast.expr | None:
    """What is answered, without `await` and the converter of a schema around it."""
    while True:
        match node:
            case ast.Await(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute(attr=attr), args=[inner, *_]) if attr in _CONVERTERS:
                node = inner
            case _:
                return node


def _name_of_class(value: Value) -> str:
    cls = value.of if isinstance(value, Instance) else None
    if isinstance(cls, External):
        return cls.name.rpartition(".")[2]
    return cls.node.name if cls is not None else ""


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("oes", "xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
