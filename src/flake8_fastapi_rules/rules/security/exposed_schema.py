"""FAR723: documentation that is switched off but for the schema itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.values import Constant

#: What pages of one's own are made with.
_OWN_PAGES = (
    "get_swagger_ui_html",
    "get_redoc_html",
    "get_scalar_api_reference",
    "SwaggerUIBundle",
    "<redoc",
    "<rapi-doc",
)


class ExposedSchema(Rule):
    """Switch the schema off together with the pages that show it.

    ## What it does
    Reports an app with `docs_url=None` and `redoc_url=None` that still serves `/openapi.json`.

    ## Why it matters
    The pages only show what the schema says. Whoever wants to know every route and parameter
    reads `/openapi.json`; without `openapi_url` the pages are gone as well.

    ## Example
    ```python
    from fastapi import FastAPI


    def create_app() -> FastAPI:
        return FastAPI(docs_url=None, redoc_url=None)
    ```

    ## Use instead
    ```python
    from fastapi import FastAPI

    from shop.lifespan import lifespan


    def create_app() -> FastAPI:
        return FastAPI(
            title="Shop",
            version="1.0.0",
            description="Sells things.",
            lifespan=lifespan,
            openapi_url=None,
        )
    ```

    ## Leaves alone
    Apps that keep one of the pages or give `openapi_url` any value, apps with `**kwargs`, and apps
    in whose project something serves pages of its own (`get_swagger_ui_html`) or is told where the
    schema is.

    ## Source
    `FastAPI.setup` (0.165).
    """

    code = "FAR723"
    message = "The docs are off but `{url}` is not; pass `openapi_url=None` as well"
    profiles = ("strict",)
    hints = ("docs_url",)

    @on(App)
    def check(self, app: App, context: Context) -> Iterator[Report]:
        """Report the app's call."""
        if app.has_unknown_arguments:
            return
        url = context.model.text(app.module, app.arguments.get("openapi_url"))
        if "openapi_url" in app.arguments and not url:
            return
        pages = [context.resolve(app.arguments.get(name)) for name in ("docs_url", "redoc_url")]
        if any(page != Constant(None) for page in pages):
            return
        url = url or "/openapi.json"
        if not self._has_own_pages(app, url, context):
            yield self.report(app.node, url=url)

    def _has_own_pages(self, app: App, url: str, context: Context) -> bool:
        """Whether the project makes pages itself, or the app's module tells something the URL."""
        modules = (app.module, *context.model.uses(app.module).modules)
        if any(page in module.source.text for module in modules for page in _OWN_PAGES):
            return True
        apps = [each.node for each in context.model.local(app.module, App)]
        own = {part for node in (app.node, *apps) for part in ast.walk(node)}
        for name in [each for each in own if isinstance(each, ast.Name)]:
            written = context.model.resolver.written(app.module, name)
            if written is not None:  # the constant that the app itself is given
                own.add(written[1])
        return any(
            isinstance(text.value, str) and text.value.endswith(url) and text not in own
            for text in app.module.index.nodes(ast.Constant)
        )
