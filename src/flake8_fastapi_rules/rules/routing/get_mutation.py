"""FAR201: a GET or HEAD operation that changes state."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.bookkeeping import brings_up_to_date
from flake8_fastapi_rules.semantics.effects import Evidence
from flake8_fastapi_rules.semantics.facts import Endpoint, Route, RouteKind
from flake8_fastapi_rules.semantics.intent import asks_for_change, keeps_something
from flake8_fastapi_rules.semantics.operations import (
    declares_or_makes,
    is_deprecated,
    is_event_stream,
    is_reached_by_link,
    may_stream,
    names_of,
    surely_runs_for_every_method,
)
from flake8_fastapi_rules.semantics.values import Function

_REDIRECT = "starlette.responses.RedirectResponse"
_READING = frozenset({"GET", "HEAD"})
_SAFE = _READING | {"OPTIONS"}


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
        model, effects, said = context.model, context.model.effects, names_of(endpoint)
        if effects.is_forced_write(*said) or is_reached_by_link(model, endpoint):
            return
        if is_event_stream(model, endpoint) or is_deprecated(model, endpoint):
            return
        is_asked = asks_for_change(*said)
        if not is_asked and declares_or_makes(model, endpoint, _REDIRECT):
            return
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        # A file that is made to be sent, and subscribers of a stream, are no change.
        is_local = not may_stream(model, endpoint)
        evidence = effects.writes(function, local=is_local, sure=not is_asked)
        variant = None
        if evidence is None:
            evidence = effects.named_write(function, *said)
            variant = "named"
        if evidence is None or not (is_asked or self._is_told_on_the_way(evidence)):
            return
        served = [path for route in endpoint.routes for path in model.served_paths(route)]
        if effects.is_forced_write(endpoint.node.name, *served):
            return
        if self._is_brought_up_to_date(evidence, *said):
            return
        place = evidence.place_in()
        if not methods <= _SAFE and not surely_runs_for_every_method(endpoint, place):
            return
        related = [context.related(evidence.module, evidence.node, evidence.what)]
        yield self.report(
            place,
            variant,
            method="GET" if "GET" in methods else "HEAD",
            name=endpoint.node.name,
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
