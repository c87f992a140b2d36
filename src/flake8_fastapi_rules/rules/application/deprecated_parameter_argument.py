"""FAR123: arguments of parameter functions that are deprecated or gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import (
    add_argument,
    fix_of,
    remove_argument,
    rename_argument,
    replace_argument,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on_calls
from flake8_fastapi_rules.semantics.framework import (
    CHANGES,
    EXTRA_KEYWORDS_REMOVED,
    NAMED_ARGUMENTS,
    NEEDS_PYDANTIC_2,
)
from flake8_fastapi_rules.semantics.names import last_names

#: What was meant by keywords that have no effect but in the schema.
_MEANT = {
    "gte": "ge=", "min": "ge=", "minimum": "ge=", "min_value": "ge=",
    "lte": "le=", "max": "le=", "maximum": "le=", "max_value": "le=",
    "min_items": "min_length=", "max_items": "max_length=", "minlength": "min_length=",
    "maxlength": "max_length=", "desc": "description=",
    "strip_whitespace": "StringConstraints", "to_lower": "StringConstraints",
    "to_upper": "StringConstraints", "enum": "Literal",
}  # fmt: skip
#: Arguments that every one of these functions takes, and that are not deprecated in any.
_ALWAYS_TAKEN = frozenset.intersection(*NAMED_ARGUMENTS.values()) - {"regex", "example"}


class DeprecatedParameterArgument(Rule):
    """Use `pattern=`, `examples=` and `json_schema_extra=` in parameters and fields.

    ## What it does
    Reports `regex=`, `example=` and keywords that are no parameters of the function (extra data for
    the schema) in `Query`, `Path`, `Header`, `Cookie`, `Body`, `Form`, `File` and Pydantic's
    `Field`.

    ## Why it matters
    `regex=` and `example=` warn where the module is imported, and Pydantic 2 refuses `regex=` in
    `Field`. Extra keywords are a `TypeError` since FastAPI 0.155, and until then those that look
    like constraints (`gte=`, `min_items=`) checked nothing.

    ## Example
    ```python
    from typing import Annotated

    from fastapi import Query

    Code = Annotated[str, Query(regex="^[a-z]+$")]
    ```

    ## Use instead
    ```python
    from typing import Annotated

    from fastapi import Query

    Code = Annotated[str, Query(pattern="^[a-z]+$", examples=["abc"])]
    ```

    ## Leaves alone
    FastAPI below 0.100; `Field` below 0.126, where it may be the one of Pydantic 1; `**kwargs`;
    names that Pydantic 1 had.

    ## Fix safety
    `pattern=` and `json_schema_extra=` mean the same; safe. `examples=[...]` stands at another
    place of the schema than `example=`; unsafe. There is no fix for what was meant as a constraint.

    ## Source
    FastAPI 0.100 (`pattern`, `examples`) and 0.155 (extra keywords); Pydantic 2.
    """

    code = "FAR123"
    message = "`{old}=` of `{function}` is deprecated; use `{new}`"
    variants = {
        "removed": "`{function}` takes no `{old}=` any more: importing this fails; use `{new}`",
        "ignored": "`{old}=` of `{function}` checks nothing and is deprecated; use `{new}`",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"

    @on_calls(last_names(NAMED_ARGUMENTS))
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report each deprecated keyword of a call."""
        if all(keyword.arg in _ALWAYS_TAKEN for keyword in call.keywords):
            return
        callee = context.library_object(call.func)
        named = NAMED_ARGUMENTS.get(callee.name) if callee is not None else None
        if named is None or callee is None:
            return
        is_field = callee.name == "pydantic.Field"
        at_least = context.settings.fastapi_at_least
        deprecated = CHANGES["fastapi.Query(regex=)"].deprecated
        if not at_least(*(NEEDS_PYDANTIC_2 if is_field else deprecated or ())):
            return
        function = callee.name.rpartition(".")[2]
        for keyword in call.keywords:
            old = keyword.arg
            if old is None or (old in named and old not in {"regex", "example"}):
                continue
            new = {"regex": "pattern=", "example": "examples=[...]"}.get(old)
            meant = _MEANT.get(old)
            is_gone = (
                old == "regex"
                if is_field
                else old not in named and at_least(*EXTRA_KEYWORDS_REMOVED)
            )
            variant = "removed" if is_gone else "ignored" if meant else None
            yield self.report(
                keyword,
                variant,
                fix=lambda keyword=keyword: self._fix(call, keyword, named, context),  # type: ignore[misc]
                old=old,
                new=new or meant or "json_schema_extra=",
                function=function,
            )

    def _fix(
        self, call: ast.Call, keyword: ast.keyword, named: frozenset[str], context: Context
    ) -> Fix:
        if keyword.arg in _MEANT:
            raise Unfixable("what was meant would refuse values that are taken today")
        text = text_of(context.module)
        given = {each.arg for each in call.keywords}
        group = f"arguments:{call.lineno}:{call.col_offset}"
        if keyword.arg == "regex":
            edit = rename_argument(text, call, "regex", "pattern")
            return fix_of("Use `pattern`", "safe", edit, group=group)
        if keyword.arg == "example":
            if "examples" in given:
                raise Unfixable("`examples` is given already")
            code = f"examples=[{text.segment(keyword.value)}]"
            edit = replace_argument(text, call, keyword, code)
            return fix_of("Use `examples`", "unsafe", edit, group=group)
        if None in given or "json_schema_extra" in given:
            raise Unfixable("`json_schema_extra` is given already, or may be by `**`")
        extra = [each for each in call.keywords if each.arg not in named and each.arg not in _MEANT]
        pairs = ", ".join(f'"{each.arg}": {text.segment(each.value)}' for each in extra)
        code = f"json_schema_extra={{{pairs}}}"
        if len(extra) == 1:
            edit = replace_argument(text, call, extra[0], code)
            return fix_of("Use `json_schema_extra`", "safe", edit, group=group)
        if len(extra) == len(call.args) + len(call.keywords):
            raise Unfixable("no other argument is left to add `json_schema_extra` to")
        removed = remove_argument(text, call, *extra)
        added = add_argument(text, call, code)
        return fix_of("Use `json_schema_extra`", "safe", removed, added, group=group)
