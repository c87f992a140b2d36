"""FAR201: a GET or HEAD operation that changes state."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.bookkeeping import brings_up_to_date
from flake8_fastapi_rules.semantics.credentials import is_link_key, is_one_time
from flake8_fastapi_rules.semantics.effects import Evidence
from flake8_fastapi_rules.semantics.facts import (
    Endpoint,
    Parameter,
    ParameterKind,
    Route,
    RouteKind,
)
from flake8_fastapi_rules.semantics.intent import (
    asks_for_change,
    keeps_something,
    words_of,
)
from flake8_fastapi_rules.semantics.provided import request_parameters
from flake8_fastapi_rules.semantics.schemas import is_true
from flake8_fastapi_rules.semantics.values import External, Function

_EVENTS = ("fastapi.sse.EventSourceResponse", "sse_starlette.EventSourceResponse")
_EVENT_STREAM = "text/event-stream"
_REDIRECTS = ("starlette.responses.RedirectResponse",)
_STREAMS = (
    "starlette.responses.FileResponse",
    "starlette.responses.StreamingResponse",
    "sse_starlette.EventSourceResponse",
)
_READING = frozenset({"GET", "HEAD"})
_SAFE = _READING | {"OPTIONS"}
_IN_LINKS = frozenset({ParameterKind.QUERY, ParameterKind.PATH})


class GetMutation(Rule):
    """Do not change state in a GET or HEAD operation.

    ## What it does
    Reports operations served by GET or HEAD that change what others will see: a write on a
    database session, an executed `insert()`, `update()`, `delete()` or literal SQL that writes,
    documents stored or deleted, files written or removed, and changes of `app.state`, of module
    globals and of objects that a module holds. The body of every function of the project that is
    called is read, at any depth, and the message names the way. Where a body cannot be read, the
    name of a method of a service, repository, CRUD or store object counts, but only if the
    operation's own name or path has such a verb as well.

    ## Why it matters
    GET and HEAD are safe methods: browsers prefetch them, crawlers follow them, proxies cache and
    repeat them, and clients retry them without asking. A GET that deletes something will delete it
    at a moment that nobody chose. Cookies are sent along from other sites, too, so such an
    operation can be triggered by a link or an image.

    ## Example
    ```python
    from typing import Annotated
    from uuid import UUID

    from fastapi import APIRouter, Depends
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item, get_session

    router = APIRouter()


    @router.get("/items/{item_id}/delete")
    async def delete_item(
        item_id: UUID, session: Annotated[AsyncSession, Depends(get_session)]
    ) -> None:
        item = await session.get_one(Item, item_id)
        await session.delete(item)
        await session.commit()
    ```

    ## Use instead
    ```python
    from typing import Annotated
    from uuid import UUID

    from fastapi import APIRouter, Depends, Security
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.database import Item, get_session
    from app.security import require_editor

    router = APIRouter(dependencies=[Security(require_editor)])


    @router.delete("/items/{item_id}", status_code=204, operation_id="delete_item", tags=["items"])
    async def delete_item(
        item_id: UUID, session: Annotated[AsyncSession, Depends(get_session)]
    ) -> None:
        \"\"\"Delete an item.\"\"\"
        item = await session.get_one(Item, item_id)
        await session.delete(item)
        await session.commit()
    ```

    ## Leaves alone
    Caching, logging, auditing, metrics, rate limiting, locks, view counters and times of the last
    use, what a helper brings up to date (`sync_status`, `recalculate_total`), what is created
    because it is missing or stale, noted because another service refused, or done once under a flag
    that names no change (`refresh`), what a function writes only when its caller names a file,
    OAuth and SAML callbacks, links in mails that carry a token (`verify`, `confirm`,
    `unsubscribe`), temporary files and those that are made to be sent, the subscribers of a stream,
    requests to other services, data local to the request, a commit that only ends a transaction,
    `rollback`, `refresh` and `expunge`, log-outs, streams of server-sent events, deprecated
    operations, functions in `allowed-writes`, and what operations of several methods write under a
    condition, which may be the method.

    Of an operation whose name and path have no verb of change (`get_state`, `/dashboard`) also:
    what happens only under a condition that the request does not name, rows that get nothing but
    results of other calls, upserts, what helpers keep in files or memory, what is stored behind
    several calls none of which says so, and redirects.

    ## Source
    RFC 9110, section 9.2.1: safe methods.
    """

    code = "FAR201"
    message = "{method} operation `{name}` changes state: {route}"
    variants = {"named": "{method} operation `{name}` changes state: {route}, by its name"}
    profiles = ("recommended",)
    scope = "project"

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report the first statement that writes, or leads to a write."""
        methods = endpoint.methods
        if endpoint.is_websocket or not methods or not methods & _READING:
            return
        effects = context.model.effects
        paths = tuple(route.path or "" for route in endpoint.routes)
        if effects.is_forced_write(endpoint.node.name, *paths) or self._is_link(endpoint, context):
            return
        method = "GET" if "GET" in methods else "HEAD"
        name = endpoint.node.name
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        if self._is_event_stream(endpoint, context) or self._is_deprecated(endpoint, context):
            return
        served = [path for route in endpoint.routes for path in context.model.served_paths(route)]
        is_asked = asks_for_change(name, *paths)
        if not is_asked and self._answers_with(endpoint, context, *_REDIRECTS):
            return
        streams = self._streams(endpoint, context)
        evidence = effects.writes(function, local=not streams, sure=not is_asked)
        variant = None
        if evidence is None:
            evidence = effects.named_write(function, name, *paths)
            variant = "named"
        if evidence is None or not (is_asked or self._is_told_on_the_way(evidence)):
            return
        if effects.is_forced_write(name, *served):
            return
        if self._is_brought_up_to_date(evidence, name, *paths):
            return
        if not methods <= _SAFE and not self._is_certain(endpoint, evidence.place_in()):
            return
        related = [context.related(evidence.module, evidence.node, evidence.what)]
        yield self.report(
            evidence.place_in(),
            variant,
            method=method,
            name=name,
            route=evidence.route,
            related=related if evidence.path else (),
        )

    @on(Route)
    def check_lambda(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the write of a route that a `lambda` serves."""
        function, path = route.function, route.path or ""
        if function is None or not isinstance(function.node, ast.Lambda) or not route.methods:
            return
        if route.kind is not RouteKind.HTTP or not {*route.methods} <= _READING:
            return
        effects = context.model.effects
        evidence = effects.writes(function, local=True, sure=False)
        if evidence is not None and not effects.is_forced_write(path):
            if asks_for_change(path) or self._is_told_on_the_way(evidence):
                yield self.report(
                    evidence.place_in(),
                    method="GET" if "GET" in route.methods else "HEAD",
                    name=path,
                    route=evidence.route,
                )

    def _is_told_on_the_way(self, evidence: Evidence) -> bool:
        """Whether the calls that lead to a write say that they change something.

        The last of them is what stores; `get_item` → `get_status` → `save` only looks something up.
        """
        names = [step.name.rpartition(".")[2] for step in evidence.path[:-1]]
        return not names or any(keeps_something(each) for each in names)

    def _is_brought_up_to_date(self, evidence: Evidence, *named: str) -> bool:
        """Whether a helper stores what is known anyway, for which the operation is not named."""
        return any(brings_up_to_date(step.name.rpartition(".")[2]) for step in evidence.path) and (
            not any(brings_up_to_date(each) for each in named)
        )

    def _is_certain(self, endpoint: Endpoint, place: ast.AST) -> bool:
        """Whether an operation of several methods writes for each of them.

        A condition in front of it may ask for the method: `if await form.is_submitted():`.
        """
        index = endpoint.module.index
        scope = index.scopes[endpoint.node]
        line = getattr(place, "lineno", 0)
        return not index.branch_of(place, scope) and not any(
            isinstance(node, ast.Return | ast.Raise) and node.lineno < line
            for node in index.own_nodes(endpoint.node)
        )

    def _is_link(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether a link in a mail leads here, which cannot be followed by another method."""
        said = [endpoint.node.name, *(route.path or "" for route in endpoint.routes)]
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        names = context.model.path_names(endpoint)
        leaves = any(words_of(each)[:1] == ["unsubscribe"] for each in said)
        return is_one_time(*said) and any(
            parameter.kind in _IN_LINKS
            and (leaves or not self._is_number(parameter, context))
            and (leaves or is_link_key(parameter.alias or parameter.name))
            for parameter in request_parameters(context.model, function, names)
        )

    def _is_number(self, parameter: Parameter, context: Context) -> bool:
        """Whether a parameter is an integer, which counts rows and proves nothing: `uid: int`."""
        typed = context.model.resolve(parameter.type_module, parameter.type_node)
        return typed == External("builtins.int")

    def _streams(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the operation answers with a file, made here, or a stream, registered here."""
        return endpoint.module.index.is_generator(endpoint.node) or self._answers_with(
            endpoint, context, *_STREAMS
        )

    def _is_event_stream(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether browsers open it with an `EventSource`, which knows no other method."""
        index = endpoint.module.index
        said = [endpoint.node.name, *(route.path or "" for route in endpoint.routes)]
        if any("sse" in words_of(each) for each in said):
            return True
        return self._answers_with(endpoint, context, *_EVENTS) or any(
            isinstance(node, ast.keyword)
            and node.arg == "media_type"
            and (context.model.text(endpoint.module, node.value) or "").startswith(_EVENT_STREAM)
            for node in index.own_nodes(endpoint.node)
        )

    def _is_deprecated(self, endpoint: Endpoint, context: Context) -> bool:
        """Whether the operation only stays for those who use it still."""
        return "deprecated" in words_of(endpoint.node.name) or any(
            is_true(context.model, route.module, route.arguments.get("deprecated"))
            for route in endpoint.routes
        )

    def _answers_with(self, endpoint: Endpoint, context: Context, *names: str) -> bool:
        """Whether the operation declares or makes a response of one of the named classes."""
        index = endpoint.module.index
        named = [route.arguments.get("response_class") for route in endpoint.routes]
        called = [n.func for n in index.own_nodes(endpoint.node) if isinstance(n, ast.Call)]
        return any(
            context.model.is_subclass(context.model.resolve(endpoint.module, node), *names)
            for node in (*named, *called, endpoint.node.returns)
            if node is not None
        )
