"""FAR204: a prefix that stands at the include instead of on the router."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import add_argument, argument_of, fix_of, remove_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Include
from flake8_fastapi_rules.semantics.framework import ROUTER
from flake8_fastapi_rules.semantics.making import takes_option
from flake8_fastapi_rules.semantics.values import Constant, Instance

_VERSION = re.compile(r"(?:/api)?(?:/v[0-9][0-9a-z.]*)?/?", re.IGNORECASE)


class IncludePrefix(Rule):
    """Write the prefix of a router where the router is made.

    ## What it does
    Reports a literal `prefix` of `include_router` for a router of the project that has none itself
    and that is included once.

    ## Why it matters
    Who reads the router sees paths that do not exist: `/{item_id}` is `/items/{item_id}`. The
    prefix belongs to what it names.

    ## Example
    ```python
    from fastapi import APIRouter

    items = APIRouter()
    router = APIRouter()
    router.include_router(items, prefix="/items")
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    items = APIRouter(prefix="/items", tags=["items"])
    router = APIRouter()
    router.include_router(items)
    ```

    ## Leaves alone
    Routers with a prefix of their own, routers that are included twice, versions such as `/api/v1`,
    prefixes that are not literal, and routers of libraries.

    ## Fix safety
    The fix moves the argument when both calls stand in one module; unsafe, since tests may use the
    router alone.

    ## Source
    FastAPI's documentation on bigger applications.
    """

    code = "FAR204"
    message = "Write `prefix={prefix}` where the router is made"
    profiles = ("opt-in",)
    scope = "project"
    fix = "unsafe"
    fix_reaches_imported = True
    hints = ("include_router",)

    @on(Include)
    def check(self, include: Include, context: Context) -> Iterator[Report]:
        """Report the argument."""
        prefix = include.arguments.get("prefix")
        child = include.child
        if not isinstance(prefix, ast.Constant) or not isinstance(prefix.value, str):
            return
        if not prefix.value or _VERSION.fullmatch(prefix.value) or include.has_unknown_arguments:
            return
        if not isinstance(child, Instance) or child.call is None or child.module is None:
            return
        if context.resolve(include.child_node) == Constant(None):
            return
        made = child.call
        if not context.model.is_instance(child, ROUTER):
            return
        if any(keyword.arg == "prefix" for keyword in made.keywords):
            return
        if not context.model.is_made_without(child, "prefix"):
            return
        if self._times_included(include, context) == 1:
            yield self.report(
                prefix,
                fix=lambda: self._fix(include, made, context),
                prefix=context.source.segment(prefix),
                related=[context.related(child.module, made, "made here")],
            )

    def _times_included(self, include: Include, context: Context) -> int:
        model = context.model
        return sum(
            isinstance(other.child, Instance) and other.child.call is include.child.call  # type: ignore[union-attr]
            for module in model.uses(context.module).modules
            for other in model.local(module, Include)
        ) or sum(
            isinstance(other.child, Instance) and other.child.call is include.child.call  # type: ignore[union-attr]
            for other in context.facts(Include)
        )

    def _fix(self, include: Include, made: ast.Call, context: Context) -> Fix:
        argument = argument_of(include.node, "prefix")
        child = include.child
        if (
            argument is None
            or not isinstance(child, Instance)
            or child.module is not context.module
        ):
            raise Unfixable("the router is made in another module")
        if not takes_option(context.model, child, "prefix"):
            raise Unfixable("the router's class takes no prefix")
        text = text_of(context.module)
        code = f"prefix={text.segment(include.arguments['prefix'])}"
        return fix_of(
            "Move the prefix",
            "unsafe",
            remove_argument(text, include.node, argument),
            add_argument(text, made, code),
        )
