"""FAR711: users who say themselves who they are."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.claimed_identities import claimed_identity
from flake8_fastapi_rules.semantics.facts import Route


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
    be left out; also in the body of a search), an id beside others of which one is wanted
    (`any([body.user_id, body.agent_id])`), reads that show users, ids that the endpoint or a
    function that it calls compares, or that a dependency takes as well, fields that neither it nor
    what it hands the body to reads, `user_id` of messages to somebody, routes whose dependencies
    are not certain, paths, names and dependencies that speak of administration, members, roles,
    permissions or sharing: there the id is somebody else's, the new `owner_id` of what is changed,
    fields of a PATCH of `/orders/{id}` that may be left out, endpoints that take the user's id from
    the credentials as well, what only another service may call (`require_api_key`,
    `get_internal_service`, credentials that are compared with one key, or that a table gives the
    name of an application), which acts for its users, and what a dependency guards that is told
    nothing (`require_test_mode`).

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
        found = claimed_identity(context.model, context.module, route)
        if found is None:
            return
        place, field = found.parameter.node, found.field
        if field is None or found.cls is None:
            yield self.report(place, name=found.parameter.name)
            return
        related = [context.related(field.module, field.node.target, "the field")]
        model = found.cls.node.name
        yield self.report(place, "field", name=field.name, model=model, related=related)
