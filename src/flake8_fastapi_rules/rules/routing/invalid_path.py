"""FAR212: paths and prefixes that fail at import or serve something else."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, FixMaker, Safety, Unfixable
from flake8_fastapi_rules.engine.index import argument
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
from flake8_fastapi_rules.semantics.framework import PATH_PARAMETER
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.values import Class, Instance

#: A first parameter that matches slashes, also the one between it and a router's prefix.
_TAKES_SLASHES = re.compile(r"\{\w+:path\}")


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
        path, node = route.path, route.path_node
        if path is None or node is None or route.kind is RouteKind.WEBHOOK:
            return
        prefix = self._prefix_of(route, context)
        is_app = context.model.is_instance(route.receiver, "fastapi.FastAPI")
        if (
            _misses_slash(path)
            and not (prefix and _is_plural(prefix, path))
            and not _is_for_webhooks(route, context)
        ):
            if prefix or self._is_glued(route, context):
                served = f"{prefix or '...'}{path}"
                fix = self._written(node, f"/{path}", "unsafe", context)
                yield self.report(route.node, "glued", fix=fix, path=path, served=served)
            elif prefix is not None:
                fix = self._written(node, f"/{path}", "safe", context)
                yield self.report(route.node, fix=fix, path=path)
        elif not path and is_app:
            yield self.report(route.node, "empty", fix=self._written(node, "/", "safe", context))
        paths = {f"{prefix or ''}{path}"}
        paths.update(
            r.local_path or "" for r in context.model.project(context.module).routes_at(route)
        )
        for name in sorted({name for full in paths for name in _repeated(full)}):
            reason = Unfixable("which of the two is meant otherwise is for you to say")
            yield self.report(route.node, "twice", fix=reason, path=path, name=name)

    def _prefix_of(self, route: Route, context: Context) -> str | None:
        """The prefix of the route's own router; `None` when it cannot be told."""
        if context.model.is_instance(route.receiver, "fastapi.FastAPI"):
            return ""
        receiver = route.receiver
        if not isinstance(receiver, Instance) or receiver.module is None:
            return None
        for router in context.model.local(receiver.module, Router):
            if router.node is receiver.call:
                if given := context.model.made_with(receiver, "prefix"):
                    return context.model.text(*given)
                return "" if context.model.is_made_without(receiver, "prefix") else None
        return None

    def _is_glued(self, route: Route, context: Context) -> bool:
        """Whether some include puts a prefix in front of the path."""
        return any(
            resolved.local_path is not None and resolved.local_path != route.path
            for resolved in context.model.project(context.module).routes_at(route)
        )

    @on(App, Router, Initialisation)
    def check_prefix(self, router: App | Initialisation, context: Context) -> Iterator[Report]:
        """Report the prefix of a router, unless its class makes another one of it."""
        given = router.arguments.get("prefix")
        if given is not None and isinstance(router, App):
            _, reached = context.model.made_with(router.value, "prefix") or (None, None)
            is_own = isinstance(router.cls, Class) or router.cls.name.startswith("fastapi.")
            if reached is not given or not is_own:
                return  # `fastapi_crudrouter` puts the slash in front
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
        child = include.child
        if not isinstance(child, Instance) or child.module is None or child.call is None:
            return
        for route in context.model.local(child.module, Route):
            if (
                route.path == ""
                and isinstance(route.receiver, Instance)
                and route.receiver.call is child.call
                and self._prefix_of(route, context) == ""
            ):
                where = context.related(route.module, route.node, "The empty path")
                name = getattr(route.endpoint, "name", "<lambda>")
                reason = Unfixable("which of the two gets a path is for you to say")
                yield self.report(
                    include.node, "both-empty", related=[where], fix=reason, name=name
                )
                return

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


def _is_for_webhooks(route: Route, context: Context) -> bool:
    """Whether a route's router is one of webhooks: `app.webhooks.include_router(router)`."""
    model = context.model
    return any(
        "webhooks" in ast.unparse(include.node.func)
        and model.resolve(module, argument(include.node, "router", 0)) == route.receiver
        for module in modules_mentioning(model, context.module, "webhooks.include_router")
        for include in model.local(module, Include)
    )


def _misses_slash(path: str) -> bool:
    """Whether a path was meant to begin with `/`.

    `/skills` with `:upload` (a custom method) or `.json` is meant to be glued, and so is a first
    parameter that takes slashes (`/ui` with `{path:path}`); the path of a callback is an expression
    (`{$request.body.url}/done`) or a URL.
    """
    if _TAKES_SLASHES.match(path):
        return False
    starts_with_a_name = path[:1].isalnum() or path[:1] in {"_", "{"}
    return starts_with_a_name and "$" not in path and "://" not in path


def _is_plural(prefix: str, path: str) -> bool:
    """Whether a path makes the plural of a prefix on purpose: `/api/user` and `s/bulk`."""
    return prefix[-1].isalpha() and re.match(r"e?s(?:/|$)", path) is not None


def _repeated(path: str) -> list[str]:
    names = Counter(name for name, _ in PATH_PARAMETER.findall(path))
    return [name for name, count in names.items() if count > 1]
