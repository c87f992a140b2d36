"""FAR506: one list for all calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Safety
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.idioms import replace_mutable_default
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.values import Constant, Function

_ROLES = frozenset({Role.ENDPOINT, Role.WEBSOCKET, Role.DEPENDENCY})
_MAKERS = frozenset(
    {
        "builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray",
        "collections.defaultdict", "collections.deque", "collections.OrderedDict",
        "collections.Counter",
    }
)  # fmt: skip
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


class MutableDefault(Rule):
    """Make lists and dictionaries in the function, not in its signature.

    ## What it does
    Reports a list, dictionary, set or another mutable object as the default of a parameter of an
    endpoint or dependency.

    ## Why it matters
    A default is made once, when the function is defined. Whoever calls the function directly (a
    test, another endpoint) gets that one object, and what a call puts into it is there in the next.
    FastAPI itself copies defaults for each request, which hides the mistake until then.

    ## Example
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")


    @router.post("", status_code=201)
    async def create_item(name: str, tags: list[str] = []) -> list[str]:
        tags.append(name)
        return tags
    ```

    ## Use instead
    ```python
    def tagged(name: str, tags: list[str] | None = None) -> list[str]:
        \"\"\"The tags with a name.\"\"\"
        return [*(tags or []), name]
    ```

    ## Leaves alone
    Defaults inside of `Query(...)`, `Body(...)` and the like and behind `Annotated[..., Query()]`,
    which is how FastAPI's documentation gives them; tuples; functions that FastAPI does not call.

    ## Fix safety
    The default becomes `None`, and the function makes the object. The fix is unsafe where the
    parameter is in the schema, which changes with its default.

    ## Source
    Python's FAQ on default values; `fastapi.dependencies.utils._validate_value_with_model_field`
    copies defaults (0.165).
    """

    code = "FAR506"
    message = "The default of `{name}` is one object for all calls; use `None` and make it inside"
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on(FrameworkFunction)
    def check(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report mutable defaults."""
        if fact.roles.isdisjoint(_ROLES):
            return
        function = Function(fact.module, fact.node)
        for parameter in context.model.parameters(function):
            default = parameter.default
            if default is None or parameter.marker is not None:
                continue
            if not self._is_mutable(default, context):
                continue
            safety: Safety = "safe" if self._is_hidden(function, context) else "unsafe"
            fix = partial(self._fix, fact, parameter.node, default, safety, context)
            yield self.report(default, name=parameter.name, fix=fix)

    def _is_hidden(self, function: Function, context: Context) -> bool:
        """Whether no schema shows the function's parameters."""
        routes = context.model.uses(function.module).routes.get(function.node, [])
        return context.model.roles(function) == {Role.ENDPOINT} and all(
            context.model.resolve(route.module, route.arguments.get("include_in_schema"))
            == Constant(False)
            for route in routes
        )

    def _is_mutable(self, node: ast.expr, context: Context) -> bool:
        if isinstance(node, _DISPLAYS):
            return True
        if not isinstance(node, ast.Call):
            return False
        callee = context.library_object(node.func)
        return callee is not None and callee.name in _MAKERS

    def _fix(
        self,
        fact: FrameworkFunction,
        parameter: ast.arg,
        default: ast.expr,
        safety: Safety,
        context: Context,
    ) -> Fix:
        edits = replace_mutable_default(text_of(context.module), fact.node, parameter, default)
        group = signature_group(fact.node)
        return fix_of("Use `None`", safety, edits, group=group)
