"""FAR723: documentation that is switched off but for the schema itself."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App
from flake8_fastapi_rules.semantics.values import Constant

_OWN_PAGES = ("get_swagger_ui_html", "get_redoc_html")


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
    whose module serves pages of its own (`get_swagger_ui_html`).

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
        if not any(page in context.source.text for page in _OWN_PAGES):
            yield self.report(app.node, url=url or "/openapi.json")
