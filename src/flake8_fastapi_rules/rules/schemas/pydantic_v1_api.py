"""FAR509: what Pydantic 2 has only for compatibility, or not any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import COMMENT, fix_of, rename, rename_argument
from flake8_fastapi_rules.fixes.idioms import config_to_model_config
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.schemas import is_pydantic_2
from flake8_fastapi_rules.semantics.values import Class, External, FunctionNode, Instance

_V2: Final = (0, 100)
#: Keys of a model's configuration; an empty name stands for one that is gone.
_CONFIG_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "allow_mutation": "frozen",
        "allow_population_by_field_name": "populate_by_name",
        "anystr_lower": "str_to_lower",
        "anystr_strip_whitespace": "str_strip_whitespace",
        "anystr_upper": "str_to_upper",
        "error_msg_templates": "",
        "fields": "",
        "getter_dict": "",
        "json_dumps": "",
        "json_loads": "",
        "keep_untouched": "ignored_types",
        "max_anystr_length": "str_max_length",
        "min_anystr_length": "str_min_length",
        "orm_mode": "from_attributes",
        "schema_extra": "json_schema_extra",
        "smart_union": "",
        "underscore_attrs_are_private": "",
        "validate_all": "validate_default",
        "copy_on_model_validation": "",
    }
)
#: Those that a fix may rename: the value means the same.
_RENAMED: Final = MappingProxyType(
    {
        old: new
        for old, new in _CONFIG_KEYS.items()
        if new and old not in {"allow_mutation", "schema_extra", "keep_untouched"}
    }
)
_METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "construct": "model_construct",
        "copy": "model_copy",
        "dict": "model_dump",
        "from_orm": "model_validate",
        "json": "model_dump_json",
        "parse_file": "model_validate_json",
        "parse_obj": "model_validate",
        "parse_raw": "model_validate_json",
        "schema": "model_json_schema",
        "schema_json": "model_json_schema",
        "update_forward_refs": "model_rebuild",
        "validate": "model_validate",
        "__fields__": "model_fields",
        "__fields_set__": "model_fields_set",
    }
)
#: Methods that a fix may rename, and the arguments with which the new one does the same.
_SAME: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "dict": frozenset(
            {"include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none"}
        ),
        "json": frozenset(
            {
                "include", "exclude", "by_alias", "exclude_unset", "exclude_defaults",
                "exclude_none", "indent",
            }
        ),
        "parse_obj": frozenset(),
        "copy": frozenset({"update", "deep"}),
        "construct": frozenset(),
        "update_forward_refs": frozenset(),
    }
)  # fmt: skip
_FIELD_ARGUMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "min_items": "min_length",
        "max_items": "max_length",
        "const": "Literal",
        "unique_items": "set",
        "allow_mutation": "frozen",
    }
)
_VALIDATORS: Final[Mapping[str, str]] = MappingProxyType(
    {"pydantic.validator": "field_validator", "pydantic.root_validator": "model_validator"}
)
_OBJECT_METHODS: Final = frozenset({"copy", "dict", "json", "__fields_set__"})
#: Names of `pydantic` and its modules that Pydantic 2 moved or removed.
_IMPORTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pydantic.Color": "pydantic_extra_types.color.Color",
        "pydantic.ConstrainedFloat": "Annotated[float, Field(...)]",
        "pydantic.ConstrainedInt": "Annotated[int, Field(...)]",
        "pydantic.ConstrainedList": "Annotated[list[...], Field(...)]",
        "pydantic.ConstrainedStr": "Annotated[str, StringConstraints(...)]",
        "pydantic.PaymentCardNumber": "pydantic_extra_types.payment.PaymentCardNumber",
        "pydantic.PyObject": "ImportString",
        "pydantic.color.Color": "pydantic_extra_types.color.Color",
        "pydantic.generics.GenericModel": "BaseModel",
        "pydantic.parse_obj_as": "TypeAdapter",
        "pydantic.payment.PaymentCardBrand": "pydantic_extra_types.payment.PaymentCardBrand",
        "pydantic.payment.PaymentCardNumber": "pydantic_extra_types.payment.PaymentCardNumber",
        "pydantic.tools.parse_obj_as": "TypeAdapter",
    }
)
#: Hooks of classes that are types of fields.
_HOOKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "__get_validators__": "__get_pydantic_core_schema__",
        "__modify_schema__": "__get_pydantic_json_schema__",
    }
)


class PydanticV1Api(Rule):
    """Use the API of Pydantic 2.

    ## What it does
    Reports what Pydantic 2 renamed: `@validator` and `@root_validator`, `class Config` and the old
    names of its settings, `.dict()`, `.json()`, `.parse_obj()` and the other methods of models,
    `__root__`, `BaseSettings`, `GenericModel`, `parse_obj_as` and others imported from `pydantic`,
    the hooks `__get_validators__` and `__modify_schema__`, and arguments of `Field` such as
    `min_items` and `const`.

    ## Why it matters
    Some of it works with a warning until Pydantic 3, some fails at import (`BaseSettings`,
    `const`), and some is ignored without a word (the old names of settings only warn).

    ## Example
    ```python
    from pydantic import BaseModel


    class Item(BaseModel):
        name: str

        class Config:
            orm_mode = True
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, ConfigDict


    class Item(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        name: str
    ```

    ## Leaves alone
    `pydantic.v1`, methods of these names that a class defines itself, objects whose class cannot
    be told, old hooks beside the new ones, imports under `try` or `if`, and projects that require
    Pydantic below 2 (or FastAPI from before 0.100).

    ## Fix safety
    Names that mean the same are replaced. Validators are rewritten when they take class and value
    only, `class Config` when it holds plain settings. There is no fix for what works differently:
    `from_orm`, `parse_raw`, `const`, `BaseSettings` (which needs another package).

    ## Source
    Pydantic's migration guide; warnings and errors of Pydantic 2.14.
    """

    code = "FAR509"
    message = "`{old}` is Pydantic 1; use `{new}`"
    variants = {
        "config": "`class Config` is Pydantic 1; use `model_config = ConfigDict(...)`",
        "gone": "`{old}` is Pydantic 1 and has no effect any more",
        "settings": "`BaseSettings` is not in Pydantic 2; import it from `pydantic_settings`",
    }
    profiles = ("recommended",)
    is_bug = True
    fix = "safe"
    scope = "project"

    def _applies(self, context: Context) -> bool:
        return context.settings.fastapi_at_least(*_V2) and is_pydantic_2(context.module)

    @on(PydanticModel)
    def check_model(self, model: PydanticModel, context: Context) -> Iterator[Report]:
        """Report old configuration and old validators of a model."""
        if not self._applies(context) or not self._is_of_pydantic(model.cls, context):
            return
        for statement in model.node.body:
            match statement:
                case ast.ClassDef(name="Config"):
                    where = context.source.name_range(statement)
                    fix = partial(self._config, model, statement, context)
                    yield self.report(where, "config", fix=fix)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield from self._validators(statement, context)
                case ast.AnnAssign(target=ast.Name(id="__root__")):
                    yield self.report(statement.target, old="__root__", new="RootModel")
                case ast.Assign(value=ast.Call() as call) if _binds_config(statement):
                    yield from self._keys(call, context)

    @on(Module)
    def check_module(self, module: Module, context: Context) -> Iterator[Report]:
        """Report moved imports, old methods and old arguments."""
        if "pydantic" not in module.source.text and not any(
            f".{name}" in module.source.text for name in _METHODS
        ):
            return
        if not self._applies(context):
            return
        for statement in module.index.nodes(ast.ImportFrom):
            assert isinstance(statement, ast.ImportFrom)
            if not statement.level and not self._is_tried(statement, context):
                for alias in statement.names:
                    name = f"{statement.module}.{alias.name}"
                    if name == "pydantic.BaseSettings":
                        yield self.report(alias, "settings")
                    elif new := _IMPORTED.get(name):
                        yield self.report(alias, old=alias.name, new=new)
        for cls in module.index.nodes(ast.ClassDef):
            assert isinstance(cls, ast.ClassDef)
            yield from self._hooks(cls, context)
        for node in module.index.nodes(ast.Attribute):
            assert isinstance(node, ast.Attribute)
            if node.attr in _METHODS:
                yield from self._method(node, context)
        for call in module.index.nodes(ast.Call):
            assert isinstance(call, ast.Call)
            yield from self._field(call, context)

    def _hooks(self, cls: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report old hooks of a type that has no new ones."""
        methods = {each.name: each for each in cls.body if isinstance(each, ast.FunctionDef)}
        if methods.keys() & set(_HOOKS.values()):
            return
        for old, new in _HOOKS.items():
            if old in methods:
                where = context.source.name_range(methods[old])
                yield self.report(where, old=old, new=new)

    def _is_tried(self, node: ast.AST, context: Context) -> bool:
        return any(isinstance(p, ast.Try | ast.If) for p in context.module.index.ancestors(node))

    def _is_of_pydantic(self, cls: Class, context: Context) -> bool:
        """Whether a model's configuration is Pydantic's and read by it."""
        return not any(
            isinstance(base, External)
            and base.name.startswith(("pydantic.v1.", "ormar.", "odmantic."))
            for base in context.model.resolver.mro(cls)
        )

    def _config(self, model: PydanticModel, config: ast.ClassDef, context: Context) -> Fix:
        names = {
            statement.targets[0].id
            for statement in config.body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        }
        if any(name in _CONFIG_KEYS and name not in _RENAMED for name in names):
            raise Unfixable("a key of `Config` has no successor")
        edits = config_to_model_config(
            text_of(context.module),
            model.node,
            config,
            _RENAMED,
            settings=model.kind == "settings",
        )
        return fix_of("Use `model_config`", "safe", edits)

    def _keys(self, call: ast.Call, context: Context) -> Iterator[Report]:
        for keyword in call.keywords:
            new = _CONFIG_KEYS.get(keyword.arg or "")
            if new is None or keyword.arg is None:
                continue
            fix: FixMaker | Unfixable = Unfixable("it has no successor of the same meaning")
            if keyword.arg in _RENAMED:
                fix = partial(self._rename_argument, call, keyword.arg, new, context)
            variant = None if new else "gone"
            yield self.report(keyword, variant, old=keyword.arg, new=new, fix=fix)

    def _rename_argument(self, call: ast.Call, old: str, new: str, context: Context) -> Fix:
        edit = rename_argument(text_of(context.module), call, old, new)
        return fix_of(f"Use `{new}`", "safe", edit)

    def _validators(self, function: FunctionNode, context: Context) -> Iterator[Report]:
        for decorator in function.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = context.resolve(target)
            new = _VALIDATORS.get(value.name) if isinstance(value, External) else None
            if new is not None and isinstance(value, External):
                old = f"@{value.name.removeprefix('pydantic.')}"
                fix = partial(self._validator, function, decorator, new, context)
                yield self.report(decorator, old=old, new=f"@{new}", fix=fix)

    def _validator(
        self, function: FunctionNode, decorator: ast.expr, new: str, context: Context
    ) -> Fix:
        """Rewrite a validator that takes class and value, and that runs before or after."""
        if not isinstance(decorator, ast.Call):
            raise Unfixable("the decorator is not called")
        if len(function.decorator_list) > 2:
            raise Unfixable("the validator has other decorators")
        arguments = function.args
        if len(arguments.args) != 2 or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            raise Unfixable("the validator takes more than the value")
        is_before = False
        for keyword in decorator.keywords:
            is_constant = isinstance(keyword.value, ast.Constant)
            if keyword.arg == "pre" and is_constant and isinstance(keyword.value, ast.Constant):
                is_before = bool(keyword.value.value)
            elif keyword.arg not in {"allow_reuse", "check_fields"}:
                raise Unfixable(f"`{keyword.arg}` has no successor")
        if new == "model_validator" and not is_before:
            raise Unfixable("Pydantic 2 gives it the model, not a dictionary")
        text = text_of(context.module)
        names = [text.segment(argument) for argument in decorator.args]
        if not names and new == "field_validator":
            raise Unfixable("it names no field")
        given = names + [text.segment(k) for k in decorator.keywords if k.arg == "check_fields"]
        given += ['mode="before"'] if is_before else []
        imported = ensure_import(text, "pydantic", new, decorator)
        start, end = text.start(decorator), text.end(decorator)
        if text.has_comment(start, end):
            raise Unfixable(COMMENT)
        rewritten = Edit(start, end, f"{imported.name}({', '.join(given)})")
        is_marked = any(
            isinstance(d, ast.Name) and d.id == "classmethod" for d in function.decorator_list
        )
        if len(function.decorator_list) == 2 and not is_marked:
            raise Unfixable("the validator has other decorators")
        if not is_marked:
            line = context.source.lines[decorator.lineno - 1]
            indent = line[: len(line) - len(line.lstrip())]
            rewritten = Edit(start, end, f"{rewritten.text}\n{indent}@classmethod")
        return fix_of(f"Use `@{new}`", "safe", imported.edits, rewritten)

    def _method(self, node: ast.Attribute, context: Context) -> Iterator[Report]:
        """Report an old method of an object or class that certainly is a model."""
        owner = context.resolve(node.value)
        model = context.model
        is_object = isinstance(owner, Instance) and model.is_instance(owner, "pydantic.BaseModel")
        is_class = isinstance(owner, Class) and model.is_subclass(owner, "pydantic.BaseModel")
        if not is_object and not (is_class and node.attr not in _OBJECT_METHODS):
            return
        cls = owner.of if isinstance(owner, Instance) else owner
        if not isinstance(cls, Class) or not self._is_of_pydantic(cls, context):
            return
        found = model.resolver.class_attribute(cls, node.attr, instance=True)
        if not isinstance(found, External) or not model.resolver.has_known_bases(cls):
            return  # a method or field of its own
        parent = context.module.index.parents.get(node)
        is_call = isinstance(parent, ast.Call) and parent.func is node
        if not is_call and not node.attr.startswith("__"):
            return
        shown = node.attr if node.attr.startswith("__") else f".{node.attr}()"
        new = _METHODS[node.attr]
        fix: FixMaker | Unfixable = Unfixable("its successor takes other arguments")
        if isinstance(parent, ast.Call) and is_call and self._means_the_same(node.attr, parent):
            fix = partial(self._rename, node, new, context)
        yield self.report(
            parent if is_call and parent is not None else node,
            old=shown,
            new=new if node.attr.startswith("__") else f".{new}()",
            fix=fix,
        )

    def _means_the_same(self, name: str, call: ast.Call) -> bool:
        allowed = _SAME.get(name)
        if allowed is None:
            return False
        if name == "parse_obj":
            return len(call.args) == 1 and not call.keywords
        if name == "construct":
            return not call.args
        return not call.args and all(keyword.arg in allowed for keyword in call.keywords)

    def _rename(self, node: ast.Attribute, new: str, context: Context) -> Fix:
        return fix_of(f"Use `{new}`", "safe", rename(text_of(context.module), node, new))

    def _field(self, call: ast.Call, context: Context) -> Iterator[Report]:
        names = [k.arg for k in call.keywords if k.arg in _FIELD_ARGUMENTS]
        if not names or not context.model.is_instance(context.resolve(call), "pydantic.Field"):
            return
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg not in _FIELD_ARGUMENTS:
                continue
            new = _FIELD_ARGUMENTS[keyword.arg]
            fix: FixMaker | Unfixable = Unfixable("its successor takes other values")
            if keyword.arg in {"min_items", "max_items"}:
                fix = partial(self._rename_argument, call, keyword.arg, new, context)
            yield self.report(keyword, old=keyword.arg, new=new, fix=fix)


def _binds_config(statement: ast.Assign) -> bool:
    return any(isinstance(t, ast.Name) and t.id == "model_config" for t in statement.targets)
