"""FAR509: what Pydantic 2 has only for compatibility, or not any more."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Safety, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import (
    fix_of,
    remove_argument,
    rename,
    rename_argument,
    replace,
    replace_range,
)
from flake8_fastapi_rules.fixes.idioms import config_to_model_config
from flake8_fastapi_rules.fixes.imports import (
    ensure_import,
    remove_unused_import,
    replace_references,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.fixes.validators import (
    OldValidator,
    field_validators,
    model_validator,
    read_from_model,
)
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.schemas import is_pydantic_2, own_fields, schema_fields
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    FunctionNode,
    Instance,
    qualified_name,
)

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
#: Those that a fix may leave out: what they asked for is what Pydantic 2 does.
_DROPPED: Final = frozenset(
    {"copy_on_model_validation", "smart_union", "underscore_attrs_are_private"}
)
#: Old names that Pydantic 2 ignores, whose new names change what is accepted, or the schema.
_CHANGING: Final = frozenset(
    {
        "allow_mutation", "anystr_lower", "anystr_strip_whitespace", "anystr_upper",
        "max_anystr_length", "min_anystr_length", "schema_extra", "validate_all",
    }
)  # fmt: skip
#: Those that a fix may rename (the value means the same) or leave out.
_RENAMED: Final = MappingProxyType(
    {
        old: new
        for old, new in _CONFIG_KEYS.items()
        if old in _DROPPED or (new and old not in {"allow_mutation", "schema_extra"})
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
        "from_orm": frozenset(),
        "parse_obj": frozenset(),
        "schema": frozenset({"by_alias", "ref_template"}),
        "validate": frozenset(),
        "copy": frozenset({"update", "deep"}),
        "construct": frozenset(),
        "update_forward_refs": frozenset(),
        "__fields__": frozenset(),
        "__fields_set__": frozenset(),
    }
)  # fmt: skip
_FIELD_ARGUMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "min_items": "min_length",
        "max_items": "max_length",
        "const": "Literal",
        "unique_items": "set",
        "allow_mutation": "frozen",
        "regex": "pattern",
    }
)
#: Types made by calls, and their arguments that Pydantic 2 renamed or dropped.
_TYPE_ARGUMENTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "pydantic.conlist": {
            "min_items": "min_length", "max_items": "max_length", "unique_items": "set",
        },
        "pydantic.conset": {"min_items": "min_length", "max_items": "max_length"},
        "pydantic.confrozenset": {"min_items": "min_length", "max_items": "max_length"},
        "pydantic.constr": {"regex": "pattern"},
    }
)  # fmt: skip
_VALIDATORS: Final[Mapping[str, str]] = MappingProxyType(
    {"pydantic.validator": "field_validator", "pydantic.root_validator": "model_validator"}
)
_RENAMED_ARGUMENTS: Final = frozenset(_FIELD_ARGUMENTS)
_OBJECT_METHODS: Final = frozenset({"copy", "dict", "json", "__fields_set__"})
#: Names of `pydantic` and its modules that Pydantic 2 moved or removed.
_IMPORTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pydantic.Color": "pydantic_extra_types.color.Color",
        "pydantic.BaseConfig": "ConfigDict",
        "pydantic.ConstrainedFloat": "Annotated[float, Field(...)]",
        "pydantic.ConstrainedInt": "Annotated[int, Field(...)]",
        "pydantic.ConstrainedList": "Annotated[list[...], Field(...)]",
        "pydantic.ConstrainedStr": "Annotated[str, StringConstraints(...)]",
        "pydantic.Extra": 'extra="forbid"',
        "pydantic.PaymentCardNumber": "pydantic_extra_types.payment.PaymentCardNumber",
        "pydantic.PyObject": "ImportString",
        "pydantic.color.Color": "pydantic_extra_types.color.Color",
        "pydantic.generics": "BaseModel",
        "pydantic.generics.GenericModel": "BaseModel",
        "pydantic.parse_obj_as": "TypeAdapter",
        "pydantic.payment.PaymentCardBrand": "pydantic_extra_types.payment.PaymentCardBrand",
        "pydantic.payment.PaymentCardNumber": "pydantic_extra_types.payment.PaymentCardNumber",
        "pydantic.settings.BaseSettings": "pydantic_settings.BaseSettings",
        "pydantic.tools.parse_obj_as": "TypeAdapter",
        "pydantic.validate_arguments": "validate_call",
    }
)
_MOVED: Final = frozenset(
    {"BaseSettings", *(n.partition(".")[2] for n in _IMPORTED if n.count(".") == 1)}
)
_EXTRAS: Final = frozenset({"allow", "forbid", "ignore"})
_OTHER_PACKAGE: Final = Unfixable("it needs another package")
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
    Names that mean the same are replaced, `GenericModel`, `__root__`, `parse_obj_as`, `Extra` and
    `const` by what does the same now. Validators read `info.data` instead of `values`, fields
    validate their default instead of `always=True`, and root validators that only read fields read
    the model. `class Config` is rewritten when it holds plain settings; that is unsafe for
    `schema_extra`, `validate_all` and others that Pydantic 2 ignores by their old names: by their
    new ones they change the schema or what is accepted. There is no fix for what works differently
    (`parse_raw`, `each_item=True`, root validators that change the values, hooks of types), or
    needs another package (`BaseSettings`).

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
    fix_reaches_imported = True
    scope = "project"
    hints = (
        "Config", "model_config", "validator", "__root__", *_RENAMED_ARGUMENTS, *_HOOKS, *_MOVED,
        *(f".{name}" for name in _METHODS), *(name.rpartition(".")[2] for name in _IMPORTED),
    )  # fmt: skip

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
                case ast.Assign(targets=[ast.Name(id="__root__") as name]):
                    yield self.report(
                        name,
                        old="__root__",
                        new="RootModel",
                        fix=Unfixable("its type is not annotated"),
                    )
                case ast.AnnAssign(target=ast.Name(id="__root__")):
                    fix = partial(self._root, model, statement, context)
                    yield self.report(statement.target, old="__root__", new="RootModel", fix=fix)
                case ast.Assign(value=ast.Call() as call) if _binds_config(statement):
                    yield from self._keys(call, context)

    @on(Module)
    def check_module(self, module: Module, context: Context) -> Iterator[Report]:
        """Report moved imports, old methods and old arguments."""
        if not self._applies(context):
            return
        for statement in module.index.nodes(ast.ImportFrom):
            assert isinstance(statement, ast.ImportFrom)
            if not statement.level and not self._is_tried(statement, context):
                for alias in statement.names:
                    name = f"{statement.module}.{alias.name}"
                    if name == "pydantic.BaseSettings":
                        yield self.report(alias, "settings", fix=_OTHER_PACKAGE)
                    elif new := _IMPORTED.get(name):
                        fix = partial(self._imported, alias, name, context)
                        yield self.report(alias, old=alias.name, new=new, fix=fix)
        if "validator" in module.source.text:
            models = {fact.node for fact in context.facts(PydanticModel)}
            for function in module.index.functions:
                if module.index.class_of(function) not in models:
                    yield from self._validators(function, context)
        for cls in module.index.nodes(ast.ClassDef):
            assert isinstance(cls, ast.ClassDef)
            yield from self._hooks(cls, context)
        for node in module.index.nodes(ast.Attribute):
            assert isinstance(node, ast.Attribute)
            if node.attr in _METHODS:
                yield from self._method(node, context)
            elif node.attr in _MOVED and isinstance(node.value, ast.Name):
                yield from self._moved(node, context)
        for call in module.index.nodes(ast.Call):
            assert isinstance(call, ast.Call)
            yield from self._field(call, context)
            yield from self._reused(call, context)

    def _moved(self, node: ast.Attribute, context: Context) -> Iterator[Report]:
        """Report `pydantic.BaseSettings` and its like, written with the module's name."""
        owner = context.resolve(node.value)
        if owner != External("pydantic") or self._is_tried(node, context):
            return
        if node.attr == "BaseSettings":
            yield self.report(node, "settings", fix=_OTHER_PACKAGE)
        elif new := _IMPORTED.get(f"pydantic.{node.attr}"):
            fix = Unfixable("its successor is another thing")
            yield self.report(node, old=context.shown(node), new=new, fix=fix)

    def _reused(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report `checked = validator("name")(function)`."""
        if not isinstance(call.func, ast.Call):
            return
        value = context.resolve(call.func.func)
        new = _VALIDATORS.get(value.name) if isinstance(value, External) else None
        if new is not None and isinstance(value, External):
            old = value.name.removeprefix("pydantic.")
            fix = Unfixable("what it is given may take more than the value")
            yield self.report(call.func, old=old, new=new, fix=fix)

    def _imported(self, alias: ast.alias, name: str, context: Context) -> Fix:
        """Exchange a name and all of its uses for what Pydantic 2 has instead."""
        text = text_of(context.module)
        local = alias.asname or alias.name
        uses = [each for each in text.index.nodes(ast.Name) if each.id == local]
        if not uses:
            return fix_of("Drop the import", "safe", remove_unused_import(text, local))
        parents = [text.index.parents.get(use) for use in uses]
        match name:
            case "pydantic.generics.GenericModel":
                bases = [self._siblings(parent, context) for parent in parents]
                if any("pydantic.BaseModel" in names for names in bases):
                    raise Unfixable("it is not only a base of models")
                edits = replace_references(text, uses, "pydantic", "BaseModel")
                return fix_of("Use `BaseModel`", "safe", edits)
            case "pydantic.Extra":
                members = [parent for parent in parents if isinstance(parent, ast.Attribute)]
                if len(members) < len(uses) or any(m.attr not in _EXTRAS for m in members):
                    raise Unfixable("its members are not all that is used")
                strings = [replace(text, member, f'"{member.attr}"') for member in members]
                return fix_of(
                    "Use a string", "safe", strings, remove_unused_import(text, local, uses)
                )
            case "pydantic.parse_obj_as" | "pydantic.tools.parse_obj_as":
                gaps = [self._gap(use, context) for use in uses]
                edits = replace_references(text, uses, "pydantic", "TypeAdapter")
                return fix_of("Use `TypeAdapter`", "safe", edits, gaps)
            case "pydantic.validate_arguments" if not any(isinstance(p, ast.Call) for p in parents):
                edits = replace_references(text, uses, "pydantic", "validate_call")
                return fix_of("Use `validate_call`", "safe", edits)
            case _:
                raise Unfixable("its successor is another thing")

    def _siblings(self, parent: ast.AST | None, context: Context) -> set[str]:
        """The names of a class's bases; a model's where `parent` is no class."""
        if not isinstance(parent, ast.ClassDef):
            return {"pydantic.BaseModel"}
        return {qualified_name(context.resolve(base)) or "" for base in parent.bases}

    def _gap(self, use: ast.Name, context: Context) -> Edit:
        """Turn the comma in `parse_obj_as(T, value)` into `).validate_python(`."""
        parent = context.module.index.parents.get(use)
        if not isinstance(parent, ast.Call) or parent.func is not use or parent.keywords:
            raise Unfixable("it is not only called")
        if len(parent.args) != 2 or any(isinstance(each, ast.Starred) for each in parent.args):
            raise Unfixable("its arguments cannot be told")
        text = text_of(context.module)
        start, end = text.span(parent.args[0])[1], text.span(parent.args[1])[0]
        return replace_range(text, start, end, ").validate_python(")

    def _root(self, model: PydanticModel, statement: ast.AnnAssign, context: Context) -> Fix:
        """Derive a model of one value from `RootModel`."""
        bases = [
            base
            for base in model.node.bases
            if context.resolve(base) == External("pydantic.BaseModel")
        ]
        fields = [each for each in model.node.body if isinstance(each, ast.AnnAssign | ast.Assign)]
        if len(bases) != 1 or len(fields) != 1:
            raise Unfixable("it derives from another model, or has other fields")
        if context.source.text.count("__root__") > 1:
            raise Unfixable("`__root__` is used elsewhere")
        text = text_of(context.module)
        edits = replace_references(text, bases, "pydantic", "RootModel")
        renamed = replace(text, statement.target, "root")
        return fix_of("Use `RootModel`", "safe", edits, renamed)

    def _hooks(self, cls: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report old hooks of a type that has no new ones."""
        methods = {each.name: each for each in cls.body if isinstance(each, ast.FunctionDef)}
        if methods.keys() & set(_HOOKS.values()):
            return
        for old, new in _HOOKS.items():
            if old in methods:
                where = context.source.name_range(methods[old])
                reason = Unfixable("the new hook has other parameters")
                yield self.report(where, old=old, new=new, fix=reason)

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
        text = text_of(context.module)
        given = {
            statement.targets[0].id: statement.value
            for statement in config.body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        }
        renamed = dict(_RENAMED)
        values: dict[str, str] = {}
        for name, value in given.items():
            match name, value:
                case "allow_mutation", ast.Constant(value=bool() as is_mutable):
                    renamed[name], values[name] = "frozen", str(not is_mutable)
                case "schema_extra", ast.Dict():
                    renamed[name] = "json_schema_extra"
                case "extra", ast.Attribute(value=ast.Name() as extra, attr=member):
                    if member in _EXTRAS and context.resolve(extra) == External("pydantic.Extra"):
                        values[name] = f'"{member}"'
                case _:
                    if name in _CONFIG_KEYS and name not in _RENAMED:
                        raise Unfixable(f"`{name}` has no successor of the same meaning")
        bases = self._config_of(model.cls, config.bases, context)
        self._refuse_read_config(model.cls, context)
        edits = config_to_model_config(
            text,
            model.node,
            config,
            renamed,
            values=values,
            settings=model.kind == "settings",
            inherited=bases,
        )
        off = {name for name, value in given.items() if _is_off(name, value)}
        safety: Safety = "unsafe" if _CHANGING & given.keys() - off else "safe"
        return fix_of("Use `model_config`", safety, edits)

    def _config_of(self, cls: Class, nodes: Iterable[ast.expr], context: Context) -> list[ast.expr]:
        """Those of `nodes` that are the `Config` of one of a model's bases."""
        above = context.model.resolver.mro(cls)
        return [
            node
            for node in nodes
            if isinstance(node, ast.Attribute)
            and node.attr == "Config"
            and context.resolve(node.value) in above
        ]

    def _refuse_read_config(self, cls: Class, context: Context) -> None:
        """Refuse a `Config` that other code reads or derives from: `class Config(Base.Config)`."""
        model = context.model
        for module in modules_mentioning(model, context.module, ".Config"):
            for node in module.index.nodes(ast.Attribute):
                if not isinstance(node, ast.Attribute) or node.attr != "Config":
                    continue
                owner = model.resolve(module, node.value)
                owner = owner.of if isinstance(owner, Instance) else owner
                if isinstance(owner, Class):
                    if cls in model.resolver.mro(owner):
                        raise Unfixable("its `Config` is used elsewhere")
                elif module is context.module and not isinstance(owner, External):
                    raise Unfixable("its `Config` may be used elsewhere")

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
        return fix_of(f"Use `{new}`", "unsafe" if old in _CHANGING else "safe", edit)

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
        """Rewrite a validator, as far as Pydantic 2 has one that does the same."""
        index = context.module.index
        cls = index.class_of(function)
        known = next((m for m in context.facts(PydanticModel) if m.node is cls), None)
        old = self._old(function, decorator, context)
        if new == "model_validator":
            fields = schema_fields(context.model, known.cls) if known is not None else ()
            names = {field.name for field in fields}
            others = self._unreadable(function, cls, names, context)
            edits = model_validator(old, cls if known is not None else None, names, others)
            return fix_of(f"Use `@{new}`", "safe", edits)
        if cls is None or not isinstance(decorator, ast.Call):
            return fix_of(f"Use `@{new}`", "safe", field_validators([old], cls))
        together = self._of_same_fields(cls, decorator, context)
        for each in together:
            if known is not None and each.flag("always"):
                self._refuse_other_defaults(known.cls, each.decorator, context)
        edits = field_validators(together, cls)
        first = min(each.function.lineno for each in together)
        return fix_of(f"Use `@{new}`", "safe", edits, group=f"validators:{first}")

    def _old(self, function: FunctionNode, decorator: ast.expr, context: Context) -> OldValidator:
        def is_field(call: ast.Call) -> bool:
            return context.model.is_instance(context.resolve(call), "pydantic.Field")

        return OldValidator(text_of(context.module), function, decorator, is_field)

    def _of_same_fields(
        self, cls: ast.ClassDef, decorator: ast.Call, context: Context
    ) -> list[OldValidator]:
        """The old validators of a class that have to be rewritten at once."""
        found: list[tuple[FunctionNode | None, ast.Call, str]] = []
        for node in context.module.index.nodes(ast.Call):
            assert isinstance(node, ast.Call)
            owner = context.module.index.parents.get(node)
            home = context.module.index.class_of(node)
            if home is None and isinstance(owner, FUNCTIONS):
                home = context.module.index.class_of(owner)
            value = context.resolve(node.func) if home is cls else None
            name = value.name if isinstance(value, External) else ""
            if name in {"pydantic.validator", "pydantic.field_validator"}:
                is_decorator = isinstance(owner, FUNCTIONS) and node in owner.decorator_list
                found.append((owner if is_decorator else None, node, name))  # type: ignore[arg-type]
        fields = _fields_of(decorator)
        size = -1
        while len(fields) > size:
            size = len(fields)
            for _, call, _ in found:
                if _share(fields, _fields_of(call)):
                    fields |= _fields_of(call)
        together = [each for each in found if _share(fields, _fields_of(each[1]))]
        old = [each for each in together if each[2] == "pydantic.validator"]
        first = min(call.lineno for _, call, _ in old)
        if any(call.lineno > first for _, call, name in together if name != "pydantic.validator"):
            raise Unfixable("a new validator of the same field stands behind it")
        if any(function is None for function, _, _ in old):
            raise Unfixable("another validator of the same field is no method")
        return [self._old(function, call, context) for function, call, _ in old if function]

    def _unreadable(
        self,
        function: FunctionNode,
        cls: ast.ClassDef | None,
        fields: Collection[str],
        context: Context,
    ) -> Iterator[str]:
        """Why other root validators of a model have to see the dictionary: they run first then."""
        text = text_of(context.module)
        for other in cls.body if cls is not None else ():
            if not isinstance(other, ast.FunctionDef) or other is function:
                continue
            for decorator in other.decorator_list:
                target = decorator.func if isinstance(decorator, ast.Call) else decorator
                if context.resolve(target) != External("pydantic.root_validator"):
                    continue
                try:
                    if not self._old(other, decorator, context).flag("pre"):
                        read_from_model(text, other, fields)
                except Unfixable:
                    yield "another root validator changes the values"

    def _refuse_other_defaults(self, cls: Class, decorator: ast.expr, context: Context) -> None:
        """Refuse fields to which a derived model gives a default: it is not validated there."""
        names = {
            argument.value
            for argument in getattr(decorator, "args", ())
            if isinstance(argument, ast.Constant)
        }
        model = context.model
        for module in modules_mentioning(model, context.module, cls.node.name):
            for derived in model.models(module):
                if derived.cls != cls and cls in model.resolver.mro(derived.cls):
                    if any(field.name in names for field in own_fields(model, derived.cls)):
                        raise Unfixable("a derived model gives the field another default")

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
        if node.attr.startswith("__") or (
            isinstance(parent, ast.Call) and is_call and self._means_the_same(node.attr, parent)
        ):
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
        if name in {"from_orm", "parse_obj", "validate"}:
            return len(call.args) == 1 and not call.keywords
        if name == "construct":
            return not call.args
        return not call.args and all(keyword.arg in allowed for keyword in call.keywords)

    def _rename(self, node: ast.Attribute, new: str, context: Context) -> Fix:
        return fix_of(f"Use `{new}`", "safe", rename(text_of(context.module), node, new))

    def _field(self, call: ast.Call, context: Context) -> Iterator[Report]:
        names = {k.arg for k in call.keywords}
        if names.isdisjoint(_RENAMED_ARGUMENTS):
            return
        callee = context.library_object(call.func)
        renamed: Mapping[str, str] = _TYPE_ARGUMENTS.get(callee.name, {}) if callee else {}
        if context.model.is_instance(context.resolve(call), "pydantic.Field"):
            renamed = _FIELD_ARGUMENTS
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg not in renamed:
                continue
            new = renamed[keyword.arg]
            fix: FixMaker | Unfixable = Unfixable("its successor takes other values")
            if keyword.arg in {"min_items", "max_items", "regex"}:
                fix = partial(self._rename_argument, call, keyword.arg, new, context)
            elif keyword.arg == "const":
                fix = partial(self._literal, call, keyword, context)
            yield self.report(keyword, old=keyword.arg, new=new, fix=fix)

    def _literal(self, call: ast.Call, keyword: ast.keyword, context: Context) -> Fix:
        """Turn `kind: str = Field("a", const=True)` into `kind: Literal["a"] = Field("a")`."""
        text = text_of(context.module)
        statement = text.index.parents.get(call)
        value = call.args[0] if call.args else None
        if not isinstance(statement, ast.AnnAssign) or not isinstance(value, ast.Constant):
            raise Unfixable("the value is no literal")
        if value.value is ... or not isinstance(value.value, str | int | bytes | None):
            raise Unfixable("the value is no literal")
        if context.resolve(keyword.value) != Constant(True):
            raise Unfixable("whether it is constant cannot be told")
        imported = ensure_import(text, "typing", "Literal", statement)
        typed = replace(text, statement.annotation, f"{imported.name}[{text.segment(value)}]")
        edits = remove_argument(text, call, keyword)
        return fix_of("Use `Literal`", "safe", imported.edits, typed, edits)


def _is_off(name: str, value: ast.expr) -> bool:
    """Whether a setting asks for what is so without it."""
    return isinstance(value, ast.Constant) and (
        value.value is None or value.value is (name == "allow_mutation")
    )


def _fields_of(decorator: ast.Call) -> set[str]:
    """The names in `@validator("a", "b")`; `*` for all of them, and where they cannot be told."""
    return {
        argument.value
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        else "*"
        for argument in decorator.args
    }


def _share(some: set[str], others: set[str]) -> bool:
    return "*" in some or "*" in others or not some.isdisjoint(others)


def _binds_config(statement: ast.Assign) -> bool:
    return any(isinstance(t, ast.Name) and t.id == "model_config" for t in statement.targets)
