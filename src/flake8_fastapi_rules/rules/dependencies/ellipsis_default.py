"""FAR321: `...` as a default."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS, is_ellipsis
from flake8_fastapi_rules.fixes.edit import argument_of, fix_of, remove_argument
from flake8_fastapi_rules.fixes.parameters import without_default
from flake8_fastapi_rules.fixes.signature import signature_group
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.facts import FrameworkFunction, Role
from flake8_fastapi_rules.semantics.framework import NEEDS_PYDANTIC_2, PARAMETER_MARKERS
from flake8_fastapi_rules.semantics.names import last_names
from flake8_fastapi_rules.semantics.values import External, Function, Instance

_FUNCTIONS = frozenset(
    {"pydantic.Field", "sqlmodel.Field", *(f"fastapi.{name}" for name in PARAMETER_MARKERS)}
)
_INJECTED = frozenset({Role.ENDPOINT, Role.WEBSOCKET, Role.DEPENDENCY})


class EllipsisDefault(Rule):
    """Leave a required parameter or field without a default instead of giving it `...`.

    ## What it does
    Reports `...` as the default in `Query(...)`, `Path(...)` and the other parameter functions, in
    `Field(...)`, and as the default of a parameter that FastAPI fills.

    ## Why it matters
    What has no default is required, in Python as in FastAPI and Pydantic. `...` says the same in a
    way that type checkers take for a value and that readers have to know.

    ## Example
    ```python
    from pydantic import BaseModel, Field


    class Item(BaseModel):
        name: str = Field(..., max_length=20)
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class Item(BaseModel):
        name: str = Field(max_length=20, description="What it is called.", examples=["Pen"])
    ```

    ## Leaves alone
    `...` as a body, in overloads, protocols and stubs, and in functions that FastAPI does not call.

    ## Fix safety
    Safe: `...` goes; what was required stays so.

    ## Source
    The documentation of FastAPI and Pydantic, which recommend leaving it out.
    """

    code = "FAR321"
    message = "Drop `...` from `{function}(...)`: what has no default is required anyway"
    variants = {"parameter": "Drop `= ...` from `{name}`: what has no default is required anyway"}
    profiles = ("recommended",)
    fix = "safe"
    hints = ("...",)

    @on_calls(last_names(_FUNCTIONS))
    def check_call(self, node: ast.Call, context: Context) -> Iterator[Report]:
        """Report `Query(...)` and `Field(...)`."""
        argument = argument_of(node, "default", 0)
        value = argument.value if isinstance(argument, ast.keyword) else argument
        if not is_ellipsis(value) or argument is None:
            return
        made = context.resolve(node)
        if not (isinstance(made, Instance) and isinstance(made.of, External)):
            return
        if made.of.name not in _FUNCTIONS or made.call is not node:
            return

        def fix() -> Fix:
            # With Pydantic 1 a field that may be `None` would not be required any more.
            annotation = getattr(context.module.index.parents.get(node), "annotation", None)
            if not context.settings.fastapi_at_least(*NEEDS_PYDANTIC_2) and (
                context.model.allows_none(context.module, annotation)
            ):
                raise Unfixable("with Pydantic 1 the field would not be required any more")
            removal = remove_argument(text_of(context.module), node, argument)
            return fix_of("Drop `...`", "safe", removal, group=_group(node, context))

        assert value is not None
        yield self.report(value, fix=fix, function=context.shown(node.func))

    @on(FrameworkFunction)
    def check_parameter(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report `name: int = ...` in functions that FastAPI calls."""
        if fact.roles.isdisjoint(_INJECTED):
            return
        function = Function(context.module, fact.node)
        for parameter in context.model.parameters(function):
            if is_ellipsis(parameter.default):
                fix = partial(without_default, context.model, function, parameter)
                yield self.report(parameter.node, "parameter", fix=fix, name=parameter.name)


def _group(node: ast.Call, context: Context) -> str | None:
    """The group of the signature that a call stands in."""
    for parent in context.module.index.ancestors(node):
        if isinstance(parent, FUNCTIONS):
            return signature_group(parent)
        if isinstance(parent, ast.stmt):
            return None
    return None
