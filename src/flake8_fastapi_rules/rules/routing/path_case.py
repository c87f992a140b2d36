"""FAR228: a path in another case than the others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import (
    App,
    Include,
    Initialisation,
    Route,
    RouteKind,
    Router,
)

_CASES = {
    "kebab": re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*"),
    "snake": re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*"),
    "camel": re.compile(r"[a-z][a-zA-Z0-9]*"),
}
_WORDS = re.compile(r"[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*")


class PathCase(Rule):
    """Write the words of all paths in one case.

    ## What it does
    Reports path segments of routes and prefixes that are not in the case of the option `path-case`
    (kebab by default).

    ## Why it matters
    Who has to guess whether it is `/user-groups`, `/user_groups` or `/userGroups` guesses wrong.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/userGroups")
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/user-groups")
    ```

    ## Leaves alone
    Parameters, segments with other characters than letters, digits, `-` and `_` (`.well-known`,
    `openapi.json`), webhooks, and paths that cannot be told.

    ## Source
    The convention of kebab-case paths.
    """

    code = "FAR228"
    message = "Path segment `{segment}` is not in {case} case"
    profiles = ("opt-in",)

    @on(Route)
    def check_route(self, route: Route, context: Context) -> Iterator[Report]:
        """Report the paths of routes."""
        if route.kind is not RouteKind.WEBHOOK:
            yield from self._check(route.path_node, route.path, context)

    @on(App, Router, Include, Initialisation)
    def check_prefix(
        self, owner: App | Include | Initialisation, context: Context
    ) -> Iterator[Report]:
        """Report prefixes."""
        prefix = owner.arguments.get("prefix")
        if prefix is not None:
            yield from self._check(prefix, context.model.text(context.module, prefix), context)

    def _check(self, node: ast.expr | None, path: str | None, context: Context) -> Iterator[Report]:
        case = context.settings.path_case
        for segment in (path or "").split("/"):
            static = re.sub(r"{.*?}", "", segment).strip("-_") if "{" in segment else segment
            if node is None or not _WORDS.fullmatch(static) or _CASES[case].fullmatch(static):
                continue
            yield self.report(node, segment=segment, case=case)
            return
