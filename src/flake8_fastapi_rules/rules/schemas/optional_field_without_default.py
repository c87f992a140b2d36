"""FAR516: fields that may be empty, but not missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Edit, Fix
from flake8_fastapi_rules.fixes.edit import fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.schemas import SchemaField, is_pydantic_2, own_fields
from flake8_fastapi_rules.semantics.values import Constant


class OptionalFieldWithoutDefault(Rule):
    """Give a field that may be `None` the default `None`.

    ## What it does
    Reports a field `T | None` (or `Optional[T]`) of a Pydantic model without a default.

    ## Why it matters
    Pydantic 1 gave such fields the default `None`, Pydantic 2 does not: clients have to send
    `null`, or get 422. Where that is meant, it is worth a default of its own or a comment.

    ## Example
    ```python
    from pydantic import BaseModel


    class Item(BaseModel):
        name: str | None
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel


    class Item(BaseModel):
        name: str | None = None
    ```

    ## Leaves alone
    Fields with a default or a default factory, however given, tables, and projects that require
    Pydantic below 2 (or FastAPI from before 0.100).

    ## Fix safety
    Adds the default `None`: the field may be left out then, which a validator or a client could
    rely on not to happen.

    ## Source
    Pydantic's migration guide: required, optional and nullable fields.
    """

    code = "FAR516"
    message = "Field `{name}` may be `None` but not left out; give it the default `None`"
    profiles = ("strict",)
    fix = "unsafe"
    scope = "project"
    hints = ("None", "Optional")

    @on(PydanticModel)
    def check(self, model: PydanticModel, context: Context) -> Iterator[Report]:
        """Report nullable fields without a default."""
        if model.kind in ("table", "root") or not model.is_complete:
            return
        if not is_pydantic_2(context.module) or not context.settings.fastapi_at_least(0, 100):
            return
        for each in own_fields(context.model, model.cls):
            if each.has_default:
                continue
            parts = types_in(context.model, each.module, each.node.annotation)
            if any(part.value == Constant(None) and not part.is_contained for part in parts):
                if isinstance(each.node.annotation, ast.Constant) and not each.node.value:
                    if each.node.annotation.value is None:
                        continue
                fix = partial(self._fix, each, context)
                yield self.report(each.node.target, name=each.name, fix=fix)

    def _fix(self, each: SchemaField, context: Context) -> Fix:
        text = text_of(context.module)
        call, value = each.field_call, each.node.value
        if value is None:
            end = text.span(each.node.annotation)[1]
            return fix_of("Add the default `None`", "unsafe", Edit(end, end, " = None"))
        if value is call and call is not None:
            edits = set_argument(text, call, "default", "None", 0)
        else:
            edits = (Edit(text.start(value), text.end(value), "None"),)
        return fix_of("Add the default `None`", "unsafe", edits)
