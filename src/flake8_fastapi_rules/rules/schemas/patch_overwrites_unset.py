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
from flake8_fastapi_rules.semantics.facts import Endpoint
from flake8_fastapi_rules.semantics.framework import SEQUENCE_TYPES
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.schemas import body_parameters, excluded_names, schema_fields
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance

_DUMPS = frozenset({"model_dump", "model_dump_json", "dict", "json"})
_ENCODER = External("fastapi.encoders.jsonable_encoder")
_DICT = External("builtins.dict")
_FILTERS = frozenset({"exclude_unset", "exclude_defaults", "exclude_none"})
_LOOKS = frozenset(
    {"debug", "info", "warning", "error", "exception", "log", "print", "dumps", "bind"}
)


class PatchOverwritesUnset(Rule):
    """Dump the body of a PATCH with `exclude_unset=True`.

    ## What it does
    Reports `model_dump()`, `dict()` and `jsonable_encoder(...)` of the body model in a PATCH
    operation without `exclude_unset=True`, where the model has fields that may be left out; also
    a call of the project's function that does so with the body it is given.

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
    logged or told in an error; models whose fields all are required; PUT.

    ## Fix safety
    Adds `exclude_unset=True`. What the client did not send is not written any more, which is what
    PATCH means.

    ## Source
    FastAPI's documentation on partial updates; RFC 5789.
    """

    code = "FAR514"
    message = "`{call}` of a PATCH body contains what was not sent; pass `exclude_unset=True`"
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
        bodies |= lists | _names_of_items(endpoint.node, lists)
        for node in self._dumps(function, bodies, filters, context):
            if others and self._leaves_out(node, others):
                continue
            shown = context.shown(node.func)
            yield self.report(node, call=f"{shown}()", fix=partial(self._fix, node, context))
        yield from self._passed_on(function, bodies, context)

    def _dumps(
        self, function: Function, bodies: set[str], filters: frozenset[str], context: Context
    ) -> Iterator[ast.Call]:
        """The calls in a function that dump a body with what was not sent."""
        module = function.module
        if isinstance(function.node, ast.Lambda):
            return
        for node in module.index.own_nodes(function.node):
            if not isinstance(node, ast.Call) or not self._is_dump(node, bodies, module, context):
                continue
            if any(keyword.arg is None for keyword in node.keywords):
                continue
            if any(self._is_filtered(keyword, filters) for keyword in node.keywords):
                continue
            if not self._is_harmless(node, module):
                yield node

    def _passed_on(
        self, function: Function, bodies: set[str], context: Context
    ) -> Iterator[Report]:
        """Report calls that hand a body to a function of the project that dumps it."""
        for site in context.model.effects.calls(function):
            target = site.target
            if target is None or "exclude_" in target.module.source.segment(target.node):
                continue  # it tells partial updates from whole ones
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

    def _is_partial(self, value: object, context: Context) -> bool:
        """Whether a body is a model with fields that may be left out."""
        if not isinstance(value, Instance) or not isinstance(value.of, Class):
            return False
        if not context.model.is_instance(value, "pydantic.BaseModel"):
            return False
        return any(each.has_default for each in schema_fields(context.model, value.of))

    def _has_partial_items(self, value: object, context: Context) -> bool:
        """Whether a body is a list of such models."""
        return (
            isinstance(value, Instance)
            and isinstance(value.of, External)
            and value.of.name in SEQUENCE_TYPES
            and len(value.args) == 1
            and self._is_partial(value.args[0], context)
        )

    def _is_dump(self, node: ast.Call, bodies: set[str], module: Module, context: Context) -> bool:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in _DUMPS:
            owner = func.value
            owner = owner.value if isinstance(owner, ast.Subscript) else owner
            return isinstance(owner, ast.Name) and owner.id in bodies
        if len(node.args) == 1 and isinstance(node.args[0], ast.Name) and node.args[0].id in bodies:
            return context.model.resolve(module, func) in (_ENCODER, _DICT)
        return False

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

    def _is_harmless(self, node: ast.Call, module: Module) -> bool:
        """Whether a dump is only looked at, or what was not sent is left out afterwards."""
        for parent in module.index.ancestors(node):
            match parent:
                case ast.Raise() | ast.ExceptHandler():
                    return True
                case ast.comprehension(ifs=tests) if tests:
                    return True
                case ast.For(iter=source, body=body) if _contains(source, node):
                    return any(isinstance(each, ast.If) for each in body)
                case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in _LOOKS:
                    return True
                case ast.FormattedValue():
                    return True
                case ast.Assign(targets=[ast.Name(id=name)]) if parent.value is node:
                    return self._is_filtered_later(name, node, module)
                case ast.stmt():
                    return isinstance(parent, ast.Assert | ast.If)
        return False

    def _is_filtered_later(self, name: str, node: ast.Call, module: Module) -> bool:
        function = module.index.function_of(node)
        for each in ast.walk(function) if function is not None else ():
            source: ast.expr | None = None
            is_loop = isinstance(each, ast.For) and any(isinstance(s, ast.If) for s in each.body)
            if is_loop or (isinstance(each, ast.comprehension) and each.ifs):
                source = each.iter  # type: ignore[attr-defined]
            if source is not None and any(
                isinstance(part, ast.Name) and part.id == name for part in ast.walk(source)
            ):
                return True
        return False

    def _fix(self, node: ast.Call, context: Context) -> Fix:
        text = text_of(context.module)
        if context.resolve(node.func) == _DICT:
            raise Unfixable("`dict()` cannot leave anything out")
        given = any(keyword.arg == "exclude_unset" for keyword in node.keywords)
        edits = (
            set_argument(text, node, "exclude_unset", "True")
            if given
            else add_argument(text, node, "exclude_unset=True")
        )
        return fix_of("Pass `exclude_unset=True`", "safe", edits)


def _names_of_items(function: ast.AST, lists: set[str]) -> set[str]:
    """The variables of loops over one of these lists, also over `enumerate(list)`."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension):
            source, target = node.iter, node.target
            if isinstance(source, ast.Call) and isinstance(target, ast.Tuple) and source.args:
                is_counted = isinstance(source.func, ast.Name) and source.func.id == "enumerate"
                source, target = source.args[0], target.elts[-1] if is_counted else target
            if isinstance(source, ast.Name) and source.id in lists and isinstance(target, ast.Name):
                found.add(target.id)
    return found


def _contains(tree: ast.AST, node: ast.AST) -> bool:
    return any(each is node for each in ast.walk(tree))
