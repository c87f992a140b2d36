"""FAR225: arguments of the wrong kind that FastAPI does not refuse, or only at import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of, remove_named_argument, replace, wrap
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import App, Include, Initialisation, Route, Router
from flake8_fastapi_rules.semantics.framework import RESPONSE
from flake8_fastapi_rules.semantics.parameters import is_handed_in
from flake8_fastapi_rules.semantics.values import (
    AnnotatedAlias,
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
)

_MARKERS = ("fastapi.Depends", "fastapi.Security")
_BARE = tuple(External(name) for name in _MARKERS)
#: What shows of a route or app once FastAPI accepts it.
_LEADS_TO = (
    "FAR119", "FAR120", "FAR203", "FAR205", "FAR501", "FAR502", "FAR710", "FAR809", "FAR810",
)  # fmt: skip
_DISPLAYS = (ast.List, ast.Tuple, ast.Set)


class InvalidRouteArgument(Rule):
    """Pass lists as lists, numbers as numbers, and models as response models.

    ## What it does
    Reports, on routes, routers, apps and includes: a string for `methods` or `tags`, a string for
    `status_code`, a response class as `response_model`, and `dependencies` that are not a sequence
    of `Depends(...)`.

    ## Why it matters
    `methods="GET"` registers the methods `G`, `E` and `T`; `tags="users"` makes five tags; a status
    that is a string fails when the answer is sent; the others fail at import.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/users", tags="users")
    ```

    ## Use instead
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/users", tags=["users"])
    ```

    ## Leaves alone
    Any literal sequence of `Depends(...)`, and values that cannot be told.

    ## Fix safety
    The fixes write what was meant: a list around the value, the number, no `response_model`.
    `Depends(...)` around a function is added only where the name is imported already.

    ## Source
    Seen with FastAPI 0.165.
    """

    code = "FAR225"
    message = "`{name}` must be a list: a string counts letter by letter"
    variants = {
        "status": "`status_code` must be a number, not a string",
        "response": "`{name}` is a response class, no model; use `response_class`",
        "dependencies": "`dependencies` must be a list of `Depends(...)`",
        "dependency": "`{name}` in `dependencies` must be wrapped in `Depends(...)`",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on(Route, Router, App, Include, Initialisation)
    def check(
        self, fact: Route | Router | App | Include | Initialisation, context: Context
    ) -> Iterator[Report]:
        """Report each argument of the wrong kind, at the argument."""
        call = fact.call if isinstance(fact, Route) else fact.node
        if call is None:
            return
        arguments = fact.arguments
        for name in ("methods", "tags"):
            node = arguments.get(name)
            if node is not None and isinstance(context.model.text(context.module, node), str):
                yield self.report(node, fix=self._wrapped(node, context), name=name)
        yield from self._check_status(arguments.get("status_code"), context)
        yield from self._check_model(call, arguments.get("response_model"), context)
        yield from self._check_dependencies(arguments.get("dependencies"), context)

    def _check_status(self, node: ast.expr | None, context: Context) -> Iterator[Report]:
        text = context.model.text(context.module, node)
        if node is not None and text is not None:

            def fix() -> Fix:
                if not (isinstance(node, ast.Constant) and text.isdecimal()):
                    raise Unfixable("it is not written out as a number")
                return fix_of(
                    "Write a number", "safe", replace(text_of(context.module), node, text)
                )

            yield self.report(node, "status", fix=fix)

    def _check_model(
        self, call: ast.Call, node: ast.expr | None, context: Context
    ) -> Iterator[Report]:
        value = context.resolve(node)
        if node is None or not context.model.is_subclass(value, RESPONSE):
            return

        def fix() -> Fix:
            edits = remove_named_argument(text_of(context.module), call, "response_model")
            return fix_of("Remove `response_model`", "safe", edits, leads_to=_LEADS_TO)

        yield self.report(node, "response", fix=fix, name=ast.unparse(node))

    def _check_dependencies(self, node: ast.expr | None, context: Context) -> Iterator[Report]:
        value = context.resolve(node)
        if node is None or value == Constant(None):
            return
        if context.model.is_instance(value, *_MARKERS) or isinstance(value, Function | Class):
            fix = (
                self._wrapped(node, context)
                if isinstance(value, Instance)
                else Unfixable("it is no `Depends(...)`")
            )
            yield self.report(node, "dependencies", fix=fix)
        elif isinstance(value, Expression) and isinstance(value.node, _DISPLAYS):
            if value.module is context.module:
                yield from self._check_items(value.node.elts, context)

    def _check_items(self, elements: list[ast.expr], context: Context) -> Iterator[Report]:
        for element in elements:
            if is_handed_in(context.model.resolver, context.module, element):
                continue
            item = context.resolve(element)
            is_callable = _is_callable(item, context)
            is_wrong = is_callable or self._is_other_object(item, context)
            if isinstance(item, Function | Class) or item in _BARE or is_wrong:
                fix = (
                    self._depending(element, context)
                    if isinstance(item, Function) or is_callable
                    else Unfixable("it cannot be told what to depend on")
                )
                yield self.report(element, "dependency", fix=fix, name=ast.unparse(element))

    def _is_other_object(self, item: Value, context: Context) -> bool:
        """Whether something is certain to be no `Depends`: a constant, an object of a class."""
        if isinstance(item, Constant | AnnotatedAlias):
            return True
        if not isinstance(item, Instance):
            return False
        if isinstance(item.of, External):
            return item.of.name.startswith("builtins.")
        resolver = context.model.resolver
        return (
            resolver.has_known_bases(item.of)
            and not context.model.is_instance(item, *_MARKERS)
            and not resolver.class_attribute(item.of, "dependency", instance=True)
        )

    def _wrapped(self, node: ast.expr, context: Context) -> FixMaker:
        def fix() -> Fix:
            edits = wrap(text_of(context.module), node, "[", "]")
            return fix_of("Write a list", "safe", edits, leads_to=_LEADS_TO)

        return fix

    def _depending(self, node: ast.expr, context: Context) -> FixMaker:
        def fix() -> Fix:
            if context.model.resolver.name(context.module, "Depends", node) != External(
                _MARKERS[0]
            ):
                raise Unfixable("`Depends` is not imported")
            edits = wrap(text_of(context.module), node, "Depends(", ")")
            return fix_of("Wrap it in `Depends(...)`", "safe", edits, leads_to=_LEADS_TO)

        return fix


def _is_callable(item: Value, context: Context) -> bool:
    """Whether an object is one that `Depends(...)` is for: of the project, or a security scheme."""
    if not isinstance(item, Instance) or context.model.is_instance(item, *_MARKERS):
        return False
    if isinstance(item.of, Class):
        resolver = context.model.resolver
        return resolver.has_known_bases(item.of) and bool(resolver.attribute(item, "__call__"))
    return isinstance(item.of, External) and item.of.name.startswith("fastapi.security.")
