"""FAR212: paths and prefixes that fail at import or serve something else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, FixMaker, Safety, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, replace
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    App,
    Include,
    Initialisation,
    Route,
    RouteKind,
    Router,
)
from flake8_fastapi_rules.semantics.paths import makes_plural, misses_slash, repeated_names_in
from flake8_fastapi_rules.semantics.prefixes import (
    empty_route,
    is_for_webhooks,
    is_prefixed,
    keeps_prefix,
    router_prefix,
)


class InvalidPath(Rule):
    """Write paths as `/items` and prefixes as `/items`, without a final slash.

    ## What it does
    Reports paths and prefixes that do not begin with `/`, prefixes that end with `/`, an empty path
    under an empty prefix, and a parameter that one path names twice.

    ## Why it matters
    A wrong prefix, an empty path under an empty prefix and a repeated parameter fail at import. A
    path without its slash does not: on an app it never matches, under a prefix the two are glued
    together, so that `/shop` and `items` serve `/shopitems`.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="items/")
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")
    ```

    ## Leaves alone
    Paths that are not constants, prefixes that the router's class changes, webhooks (their path is
    a name), paths of callbacks, custom methods such as `:upload`, endings such as `.json`, plurals
    (`/user` and `s`) and a first `{path:path}`, which are meant to be glued, and an empty path
    where the router's own prefix, or that of its include, is not empty.

    ## Fix safety
    Correcting a prefix that fails at import is safe, and so is the slash of a path that never
    matches; where it changes what is served now, the fix is marked unsafe.

    ## Source
    Assertions of `APIRouter`, `Prefix and path cannot be both empty` of `include_router`, and
    `compile_path` of Starlette; seen with FastAPI 0.165.
    """

    code = "FAR212"
    message = "Path `{path}` does not begin with `/`: it never matches"
    variants = {
        "glued": "Path `{path}` does not begin with `/`: it serves `{served}`",
        "empty": "An empty path never matches on an app; write `/`",
        "both-empty": "Prefix and path of `{name}` are both empty: this include fails",
        "start": "Prefix `{path}` does not begin with `/`: this fails at import",
        "end": "Prefix `{path}` ends with `/`: this fails at import",
        "twice": "Path `{path}` names the parameter `{name}` twice: this fails at import",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on(Route)
    def check_path(self, route: Route, context: Context) -> Iterator[Report]:
        """Report a route's own path."""
        path, node, model = route.path, route.path_node, context.model
        if path is None or node is None or route.kind is RouteKind.WEBHOOK:
            return
        prefix = router_prefix(model, route)
        is_plural = prefix and makes_plural(prefix, path)
        if misses_slash(path) and not is_plural and not is_for_webhooks(model, route):
            if prefix or is_prefixed(model, route):
                served = f"{prefix or '...'}{path}"
                fix = self._written(node, f"/{path}", "unsafe", context)
                yield self.report(route.node, "glued", fix=fix, path=path, served=served)
            elif prefix is not None:
                fix = self._written(node, f"/{path}", "safe", context)
                yield self.report(route.node, fix=fix, path=path)
        elif not path and model.is_instance(route.receiver, "fastapi.FastAPI"):
            yield self.report(route.node, "empty", fix=self._written(node, "/", "safe", context))
        paths = {f"{prefix or ''}{path}"}
        paths.update(r.local_path or "" for r in model.project(context.module).routes_at(route))
        for name in sorted({name for full in paths for name in repeated_names_in(full)}):
            reason = Unfixable("which of the two is meant otherwise is for you to say")
            yield self.report(route.node, "twice", fix=reason, path=path, name=name)

    @on(App, Router, Initialisation)
    def check_prefix(self, router: App | Initialisation, context: Context) -> Iterator[Report]:
        """Report the prefix of a router, unless its class makes another one of it."""
        given = router.arguments.get("prefix")
        if given is not None and isinstance(router, App):
            if not keeps_prefix(context.model, router, given):
                return
        yield from self._check_prefix(given, context)

    @on(Include)
    def check_include(self, include: Include, context: Context) -> Iterator[Report]:
        """Report the prefix of an include, and an empty path that it leaves empty."""
        given = include.arguments.get("prefix")
        yield from self._check_prefix(given, context)
        if include.has_unknown_arguments or (
            given is not None and context.model.text(context.module, given) != ""
        ):
            return
        route = empty_route(context.model, include)
        if route is not None:
            where = context.related(route.module, route.node, "The empty path")
            name = getattr(route.endpoint, "name", "<lambda>")
            reason = Unfixable("which of the two gets a path is for you to say")
            yield self.report(include.node, "both-empty", related=[where], fix=reason, name=name)

    def _check_prefix(self, node: ast.expr | None, context: Context) -> Iterator[Report]:
        prefix = context.model.text(context.module, node)
        if node is None or not prefix:
            return
        right = "/" + prefix.strip("/") if prefix.strip("/") else ""
        fix = self._written(node, right, "safe", context)
        if not prefix.startswith("/"):
            yield self.report(node, "start", fix=fix, path=prefix)
        elif prefix.endswith("/"):
            yield self.report(node, "end", fix=fix, path=prefix)

    def _written(self, node: ast.expr, text: str, safety: Safety, context: Context) -> FixMaker:
        """The fix that writes another literal; none where the path is not written here."""

        def fix() -> Fix:
            if not isinstance(node, ast.Constant):
                raise Unfixable("the path is not written out here")
            quote = "'" if context.source.segment(node).endswith("'") else '"'
            edit = replace(text_of(context.module), node, f"{quote}{text}{quote}")
            return fix_of(f"Write `{text}`", safety, edit)

        return fix
