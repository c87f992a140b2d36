"""FAR514: a partial update that overwrites what was not sent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import add_argument, fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.dumps import is_dump_of, is_only_looked_at, names_of_items
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.framework import SEQUENCE_TYPES
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.schemas import (
    body_parameters,
    excluded_names,
    is_pydantic_2,
    schema_fields,
)
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance

#: What cannot leave anything out.
_WHOLE = (External("builtins.dict"), External("builtins.vars"))
#: Functions that look at a body and store nothing of it.
_LOOKING = frozenset({"assert", "check", "compare", "diff", "ensure", "validate", "verify"})
_FILTERS = frozenset({"exclude_unset", "exclude_defaults", "exclude_none"})


class PatchOverwritesUnset(Rule):
    """Dump the body of a PATCH with `exclude_unset=True`.

    ## What it does
    Reports `model_dump()`, `dict()` and `jsonable_encoder(...)` of the body model in a PATCH
    operation without `exclude_unset=True`, where the model has fields that may be left out; also
    a call of the project's function that does so with the body it is given, and a loop over the
    body that stores every field.

    ## Why it matters
    The dump contains the defaults of all fields that the client did not send. Written back, they
    overwrite what is stored: a request that changes the name also clears the e-mail address.

    ## Example
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter(prefix="/items")


    class ItemChanges(BaseModel):
        name: str | None = None
        price: int | None = None


    @router.patch("/{item_id}")
    async def change_item(item_id: int, changes: ItemChanges) -> str:
        store(item_id, **changes.model_dump())
        return "changed"
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, Field


    class ItemChanges(BaseModel):
        \"\"\"What to change of an item.\"\"\"

        name: str | None = Field(default=None, description="What it is called")


    def apply(changes: ItemChanges) -> None:
        store(**changes.model_dump(exclude_unset=True))
    ```

    ## Leaves alone
    `exclude_defaults` and `exclude_none`, which leave out what was not sent as well, the latter
    also where `exclude` names all else that has a default; dumps that are filtered at once, only
    logged, compared or told in an error; models whose fields all are required; PUT.

    ## Fix safety
    Adds `exclude_unset=True`. What the client did not send is not written any more, which is what
    PATCH means.

    ## Source
    FastAPI's documentation on partial updates; RFC 5789.
    """

    code = "FAR514"
    message = "`{call}` of a PATCH body contains what was not sent; pass `exclude_unset=True`"
    variants = {
        "loop": "`{name}` contains what was not sent; loop over `model_dump(exclude_unset=True)`"
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    hints = ("patch", "PATCH")

    @on(Endpoint)
    def check(self, endpoint: Endpoint, context: Context) -> Iterator[Report]:
        """Report dumps of body models."""
        if endpoint.methods != frozenset({"PATCH"}):
            return
        types = {
            parameter.name: context.model.resolver.annotation(
                parameter.type_module, parameter.type_node
            )
            for parameter in body_parameters(context.model, endpoint.routes[0])
        }
        bodies = {name for name, typed in types.items() if self._is_partial(typed, context)}
        lists = {name for name, typed in types.items() if self._has_partial_items(typed, context)}
        if not bodies and not lists:
            return
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        filters = _FILTERS
        others = {each for name in bodies for each in self._other_defaults(types[name], context)}
        if others:
            filters = _FILTERS - {"exclude_none"}
        bodies |= lists | names_of_items(endpoint.node, lists)
        for node in self._dumps(function, bodies, filters, context):
            if others and self._leaves_out(node, others):
                continue
            shown = context.shown(node.func)
            yield self.report(node, call=f"{shown}()", fix=partial(self._fix, node, context))
        yield from self._passed_on(function, bodies, context)
        yield from self._looped_over(endpoint.node, bodies - lists, context)

    def _dumps(
        self, function: Function, bodies: set[str], filters: frozenset[str], context: Context
    ) -> Iterator[ast.Call]:
        """The calls in a function that dump a body with what was not sent."""
        module = function.module
        if isinstance(function.node, ast.Lambda):
            return
        for node in module.index.own_nodes(function.node):
            if not isinstance(node, ast.Call) or not is_dump_of(
                context.model, module, node, bodies
            ):
                continue
            if any(keyword.arg is None for keyword in node.keywords):
                continue
            if any(self._is_filtered(keyword, filters) for keyword in node.keywords):
                continue
            if not is_only_looked_at(module, node):
                yield node

    def _passed_on(
        self, function: Function, bodies: set[str], context: Context
    ) -> Iterator[Report]:
        """Report calls that hand a body to a function of the project that dumps it."""
        for site in context.model.effects.calls(function):
            target = site.target
            if target is None or "exclude_" in target.module.source.segment(target.node):
                continue  # it tells partial updates from whole ones
            if not _LOOKING.isdisjoint(words_of(getattr(target.node, "name", ""))[:1]):
                continue
            called = site.callee if isinstance(site.callee, Function) else target
            given = [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
            names = {
                filled.arg
                for each in given
                if isinstance(each, ast.Name) and each.id in bodies
                if (filled := argument_filled(called, site.node, each)) is not None
            }
            dump = next(self._dumps(target, names, _FILTERS, context), None) if names else None
            if dump is None:
                continue
            shown = target.module.source.segment(dump.func)
            place = context.related(target.module, dump, "the body is dumped here")
            yield self.report(
                site.node,
                related=[place],
                call=f"{shown}()",
                fix=Unfixable("the body is dumped in another function"),
            )

    def _looped_over(
        self, function: ast.AST, bodies: set[str], context: Context
    ) -> Iterator[Report]:
        """Report loops over the fields of a body that store all of them."""
        for node in context.module.index.own_nodes(function):
            match node:
                case ast.For(
                    target=ast.Tuple(elts=[_, ast.Name(id=value)]), iter=ast.Name(id=name)
                ) if name in bodies and self._stores_all(node, value):
                    yield self.report(
                        node.iter,
                        "loop",
                        name=name,
                        fix=Unfixable("nested models stay as they are"),
                    )

    def _stores_all(self, loop: ast.For, value: str) -> bool:
        """Whether every round of a loop over fields and values writes the value somewhere."""
        for statement in loop.body:
            match statement:
                case (
                    ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[*_, ast.Name(id=v)]))
                    | ast.Assign(targets=[ast.Subscript()], value=ast.Name(id=v))
                ) if v == value:
                    return True
                case ast.If() | ast.Try():
                    return False
        return False

    def _is_partial(self, value: object, context: Context) -> bool:
        """Whether a body is a model with fields that may be left out."""
        if not isinstance(value, Instance) or not isinstance(value.of, Class):
            return False
        if not context.model.is_instance(value, "pydantic.BaseModel"):
            return False
        fields = schema_fields(context.model, value.of)
        if any(each.has_default for each in fields):
            return True
        # To Pydantic 1 what may be `None` may be left out as well.
        return not is_pydantic_2(context.module) and any(
            context.model.allows_none(each.module, each.node.annotation) for each in fields
        )

    def _has_partial_items(self, value: object, context: Context) -> bool:
        """Whether a body is a list of such models."""
        return (
            isinstance(value, Instance)
            and isinstance(value.of, External)
            and value.of.name in SEQUENCE_TYPES
            and len(value.args) == 1
            and self._is_partial(value.args[0], context)
        )

    def _other_defaults(self, value: object, context: Context) -> set[str]:
        """The fields of a body that are not `None`, which `exclude_none` leaves out, by default."""
        if not isinstance(value, Instance) or not isinstance(value.of, Class):
            return set()
        return {
            each.name
            for each in schema_fields(context.model, value.of)
            if each.has_default and not each.defaults_to_none
        }

    def _leaves_out(self, node: ast.Call, names: set[str]) -> bool:
        """Whether a dump excludes `None` and, by name, what else is there by default."""
        return names <= excluded_names(node) and any(
            self._is_filtered(k, _FILTERS) for k in node.keywords
        )

    def _is_filtered(self, keyword: ast.keyword, filters: frozenset[str]) -> bool:
        is_off = isinstance(keyword.value, ast.Constant) and not keyword.value.value
        return keyword.arg == "include" or (keyword.arg in filters and not is_off)

    def _fix(self, node: ast.Call, context: Context) -> Fix:
        text = text_of(context.module)
        if context.resolve(node.func) in _WHOLE:
            raise Unfixable(f"`{context.shown(node.func)}()` cannot leave anything out")
        given = any(keyword.arg == "exclude_unset" for keyword in node.keywords)
        edits = (
            set_argument(text, node, "exclude_unset", "True")
            if given
            else add_argument(text, node, "exclude_unset=True")
        )
        return fix_of("Pass `exclude_unset=True`", "safe", edits)
