"""FAR231: a URL of a route that does not exist."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.url_names import (
    is_app_given_to_library,
    is_url_look_up,
    url_names,
)

_CALLS = frozenset({"url_for", "url_path_for"})


class UnknownUrlName(Rule):
    """Ask for URLs of routes that exist.

    ## What it does
    Reports `url_for` and `url_path_for` with a literal name that no route or mount of the project
    has, or with other parameters than the paths of that name have.

    ## Why it matters
    Starlette raises `NoMatchFound` when the line runs: a request that worked yesterday answers 500
    because somebody renamed a function.

    ## Example
    ```python
    from fastapi import APIRouter, FastAPI, Request

    router = APIRouter()


    @router.get("/items/{item_id}")
    async def read_item(item_id: str) -> str:
        return item_id


    @router.get("/")
    async def index(request: Request) -> str:
        return str(request.url_for("get_item", item_id="1"))


    def create_app() -> FastAPI:
        app = FastAPI()
        app.include_router(router)
        return app
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Path, Request

    router = APIRouter(tags=["items"])


    @router.get("/items/{item_id}", status_code=200, operation_id="get_item")
    async def read_item(item_id: Annotated[str, Path(max_length=40)]) -> str:
        \"\"\"Answer an item.\"\"\"
        return item_id


    @router.get("/first", status_code=200, operation_id="get_first")
    async def first(request: Request) -> str:
        \"\"\"Answer where the first item is.\"\"\"
        return str(request.url_for("read_item", item_id="1"))
    ```

    ## Leaves alone
    Names that are no constants, objects that are no request, app or router, and projects with
    routes that cannot be seen: routers of libraries, mounted apps of others, includes and names
    that only run time decides; names inside of a mount (`admin:login`) where a library is given the
    app.

    ## Source
    Starlette's documentation on reverse URL look-ups.
    """

    code = "FAR231"
    message = "No route is called `{name}`; this raises `NoMatchFound`"
    variants = {
        "parameters": "Route `{name}` takes {wanted}; this raises `NoMatchFound`",
    }
    profiles = ("recommended",)
    is_bug = True
    scope = "project"
    hints = ("url_for", "url_path_for")

    @on(ast.Call)
    def check(self, node: ast.Call, context: Context) -> Iterator[Report]:
        """Report a call that names a route nobody has."""
        func = node.func
        if not (isinstance(func, ast.Attribute) and func.attr in _CALLS and node.args):
            return
        name = context.model.text(context.module, node.args[0])
        if name is None or not is_url_look_up(context.model, context.module, func):
            return
        routes = url_names(context.model, context.module)
        if routes is None:
            return
        wanted = routes.known.get(name)
        if wanted is None:
            if any(name.startswith(f"{prefix}:") for prefix in routes.closed):
                return
            if ":" not in name or not is_app_given_to_library(context.model, context.module):
                yield self.report(node, name=name if len(name) < 40 else "...")
            return
        if any(keyword.arg is None for keyword in node.keywords) or len(node.args) > 1:
            return
        given = frozenset(keyword.arg for keyword in node.keywords if keyword.arg is not None)
        if given not in wanted and frozenset({"*"}) not in wanted:
            names = min((sorted(parameters) for parameters in wanted), key=lambda p: (len(p), p))
            listed = ", ".join(f"`{parameter}`" for parameter in names) or "no parameters"
            yield self.report(
                node,
                "parameters",
                name=name if len(name) < 25 else "...",
                wanted=listed if len(listed) < 25 else f"{len(names)} parameters",
            )
