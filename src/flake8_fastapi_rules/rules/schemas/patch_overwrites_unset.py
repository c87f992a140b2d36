"""FAR514: a partial update that overwrites what was not sent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.fixes.edit import add_argument, fix_of, set_argument
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.calls import names_filled
from flake8_fastapi_rules.semantics.dumps import (
    UNSET_FILTERS,
    dumps_kept_whole,
    is_filtered,
    names_of_items,
    stores_in_every_round,
)
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.schemas import (
    body_parameters,
    excluded_names,
    item_of_sequence,
    may_leave_out_fields,
    names_of_other_defaults,
)
from flake8_fastapi_rules.semantics.values import External, Function

#: What cannot leave anything out.
_WHOLE = (External("builtins.dict"), External("builtins.vars"))
#: Functions that look at a body and store nothing of it.
_LOOKING = frozenset({"assert", "check", "compare", "diff", "ensure", "validate", "verify"})


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
        model = context.model
        types = {
            parameter.name: model.resolver.annotation(parameter.type_module, parameter.type_node)
            for parameter in body_parameters(model, endpoint.routes[0])
        }
        may_leave_out = partial(may_leave_out_fields, model, context.module)
        bodies = {name for name, typed in types.items() if may_leave_out(typed)}
        lists = {name for name, typed in types.items() if may_leave_out(item_of_sequence(typed))}
        if not bodies and not lists:
            return
        function = Function(endpoint.module, endpoint.node, endpoint.view_class)
        others = {name for body in bodies for name in names_of_other_defaults(model, types[body])}
        filters = UNSET_FILTERS - {"exclude_none"} if others else UNSET_FILTERS
        bodies |= lists | names_of_items(endpoint.node, lists)
        for node in dumps_kept_whole(model, function, bodies, filters):
            # `exclude_none` and, by name, what else is there by default
            if others and others <= excluded_names(node) and is_filtered(node, UNSET_FILTERS):
                continue
            shown = context.shown(node.func)
            yield self.report(node, call=f"{shown}()", fix=partial(self._fix, node, context))
        yield from self._passed_on(function, bodies, context)
        yield from self._looped_over(endpoint.node, bodies - lists, context)

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
            names = names_filled(called, site.node, bodies)
            dump = next(dumps_kept_whole(context.model, target, names), None) if names else None
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
                ) if name in bodies and stores_in_every_round(node, value):
                    yield self.report(
                        node.iter,
                        "loop",
                        name=name,
                        fix=Unfixable("nested models stay as they are"),
                    )

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
