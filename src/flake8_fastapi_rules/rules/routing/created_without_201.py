"""FAR206: a creation that answers 200."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.created_rows import (
    classes_of_new_rows,
    deletes_rows,
    gives_new_row,
)
from flake8_fastapi_rules.semantics.facts import Endpoint, EndpointRoutes, Route, RouteKind
from flake8_fastapi_rules.semantics.intent import asks_for_change, singular, words_of
from flake8_fastapi_rules.semantics.operations import (
    chooses_status_itself,
    describes_status,
    local_paths,
)
from flake8_fastapi_rules.semantics.responses import is_raw_response
from flake8_fastapi_rules.semantics.schemas import is_true, json_body_models, schema_fields
from flake8_fastapi_rules.semantics.values import Function

_CREATES = frozenset({"create", "register"})
#: `add_item` creates, `add_numbers` does not: the body decides.
_MAY_CREATE = frozenset({"add", "insert", "new", "post", "save", "store", "submit"})
#: What the names of tables' classes end in besides.
_OF_TABLES = frozenset({"db", "document", "entity", "model", "orm", "record", "row", "table"})
#: Words of functions that may give what was there before.
_MAY_EXIST = frozenset({"ensure", "exists", "fetch", "find", "get", "missing", "resolve"})
#: What is made by such operations is no resource, or the operation is rather an action.
_NO_RESOURCE = frozenset(
    {
        "access", "auth", "authenticate", "bulk", "checkout", "chat", "completion", "completions",
        "embedding", "embeddings", "export", "form", "import", "index", "ingest", "intent", "jwt",
        "link", "login", "logout",
        "or", "password", "portal", "preview", "refresh", "search", "session", "sessions", "signed",
        "signin", "table", "tables", "task", "token", "tokens", "update", "upload", "upsert", "url",
        "validate",
        "websocket", "ws",
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

    @on(EndpointRoutes)
    def check(self, found: EndpointRoutes, context: Context) -> Iterator[Report]:
        """Report the routes of a creating function that answer 200."""
        endpoint = found.endpoint
        if endpoint.methods != frozenset({"POST"}) or not self._creates(endpoint, context):
            return
        if chooses_status_itself(context.model, endpoint):
            return
        for route in found.routes:
            if self._answers_200(route, context):
                yield self.report(
                    route.node,
                    fix=partial(self._fix, route, context),
                    name=endpoint.node.name,
                )

    def _answers_200(self, route: Route, context: Context) -> bool:
        if route.kind is not RouteKind.HTTP or route.has_unknown_arguments or route.call is None:
            return False
        if route.verb == "route":
            return False
        if is_true(context.model, route.module, route.arguments.get("deprecated")):
            return False
        if describes_status(context.model, route, 200):
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
        if deletes_rows(context.model, endpoint.module, endpoint.node):
            return False
        is_action = any(  # `claim` at `/rewards/{id}/claim`
            "{" in path and words[0] in words_of(path.rpartition("/")[2])
            for path in local_paths(context.model, context.module, endpoint)
        )
        if gives_new_row(context.model, function, partial(_may_create, is_action)):
            return True
        if self._stores_what_the_path_names(endpoint, context):
            return True
        if words[0] == "add" and words[1:2] != ["to"] and self._takes_model(endpoint, context):
            return len(words) > 1 and not (is_action and self._takes_only_ids(endpoint, context))
        if is_action or words[0] not in _MAY_CREATE - {"post"} or len(words) == 1:
            return False
        return context.model.effects.writes(function) is not None

    def _takes_model(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the body is a model or several: what is added, not numbers to add up."""
        return any(json_body_models(context.model, endpoint))

    def _takes_only_ids(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the body only names what is there: `add_users` to a group, by their ids."""
        model = context.model
        names = [
            field.name
            for cls in json_body_models(model, endpoint)
            for field in schema_fields(model, cls)
        ]
        return bool(names) and all(words_of(name)[-1:] in (["id"], ["ids"]) for name in names)

    def _stores_what_the_path_names(self, endpoint: Endpoint, context: Context) -> bool:
        """`session.add(Hero(...))` or `insert(Hero)`, served under a path that ends in `heroes`."""
        stored = {
            next((word for word in reversed(words_of(name)) if word not in _OF_TABLES), "")
            for name in classes_of_new_rows(context.model, endpoint.module, endpoint.node)
        }
        return any(
            singular(last[-1]) in stored
            for path in local_paths(context.model, context.module, endpoint)
            if (last := words_of(path.rstrip("/").rpartition("/")[2]))
            and "{" not in path[-2:]
            and (last[0] in _CREATES or not asks_for_change(last[0]))  # `/confirm-order`
        )

    def _fix(self, route: Route, context: Context) -> Fix:
        if route.call is None:
            raise Unfixable("the route is made elsewhere")
        edits = set_argument(text_of(context.module), route.call, "status_code", "201")
        return fix_of("Answer 201", "unsafe", edits)


def _may_create(is_action: bool, words: list[str], distance: int) -> bool:
    """Whether a called function is one that creates, by the words of its name.

    What an action calls itself has to say so.
    """
    if is_action and distance == 1 and _CREATES.union(_MAY_CREATE).isdisjoint(words[:1]):
        return False
    return _MAY_EXIST.isdisjoint(words) and _NO_RESOURCE.isdisjoint(words)
