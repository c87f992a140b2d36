"""Edits that bring models of Pydantic 1 to Pydantic 2."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Safety, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import (
    Edits,
    fix_of,
    remove_argument,
    rename,
    rename_argument,
    replace,
    replace_range,
    wrap,
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
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.old_pydantic import OldKind, OldUse, written_keys
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.pydantic_changes import (
    CHANGING_KEYS,
    CONFIG_KEYS,
    EXTRAS,
    RENAMED_KEYS,
    SAME_ARGUMENTS,
)
from flake8_fastapi_rules.semantics.schemas import own_fields, schema_fields
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    FunctionNode,
    Instance,
    Value,
    qualified_name,
)

_WHY_NOT = {
    OldKind.CONFIG_CLASS: "its successor is another thing",
    OldKind.CONFIG_KEY: "it has no successor of the same meaning",
    OldKind.ROOT: "its type is not annotated",
    OldKind.VALIDATOR: "its successor is another thing",
    OldKind.REUSED_VALIDATOR: "what it is given may take more than the value",
    OldKind.SETTINGS: "it needs another package",
    OldKind.IMPORT: "its successor is another thing",
    OldKind.NAME: "its successor is another thing",
    OldKind.HOOK: "the new hook has other parameters",
    OldKind.METHOD: "its successor takes other arguments",
    OldKind.ARGUMENT: "its successor takes other values",
}


class PydanticFixes:
    """Makes the fixes for one module.

    The other methods than `of` give a fix or raise `Unfixable` with the reason.
    """

    def __init__(self, model: Model, module: Module) -> None:
        self._model = model
        self._module = module

    def of(self, use: OldUse) -> FixMaker | Unfixable:
        """What brings one use to Pydantic 2, or why nothing does."""
        match use.kind, use.place, use.owner:
            case OldKind.CONFIG_CLASS, ast.ClassDef() as config, _ if use.model is not None:
                return partial(self.model_config, use.model, config)
            case OldKind.CONFIG_KEY, place, config if use.old in RENAMED_KEYS and config:
                if isinstance(config, ast.Call):
                    return partial(self.rename_argument, config, use.old, use.new)
                if use.new and isinstance(place, ast.expr):
                    keys = {key for _, key in written_keys(config)}
                    return partial(self.rename_key, place, keys, use.new)
            case OldKind.ROOT, _, ast.AnnAssign() as statement if use.model is not None:
                return partial(self.root_model, use.model, statement)
            case OldKind.VALIDATOR, ast.expr() as decorator, function:
                if isinstance(function, FUNCTIONS):
                    return partial(self.validator, function, decorator, use.new)
            case OldKind.IMPORT, ast.alias() as alias, _:
                return partial(self.exchange_import, alias, use.old)
            case OldKind.METHOD, place, ast.Attribute() as name if self._means_the_same(place):
                return partial(self.method, name, use)
            case OldKind.ARGUMENT, ast.keyword() as keyword, ast.Call() as call:
                if use.old in {"min_items", "max_items", "regex"}:
                    return partial(self.rename_argument, call, use.old, use.new)
                if use.old == "const":
                    return partial(self.literal, call, keyword)
        return Unfixable(_WHY_NOT[use.kind])

    def _resolve(self, node: ast.AST | None) -> Value:
        return self._model.resolve(self._module, node)

    def exchange_import(self, alias: ast.alias, name: str) -> Fix:
        """Exchange a name and all of its uses for what Pydantic 2 has instead."""
        text = text_of(self._module)
        local = alias.asname or alias.name
        uses = [each for each in text.index.nodes(ast.Name) if each.id == local]
        if not uses:
            return fix_of("Drop the import", "safe", remove_unused_import(text, local))
        parents = [text.index.parents.get(use) for use in uses]
        match name:
            case "pydantic.generics.GenericModel":
                bases = [self._siblings(parent) for parent in parents]
                if any("pydantic.BaseModel" in names for names in bases):
                    raise Unfixable("it is not only a base of models")
                edits = replace_references(text, uses, "pydantic", "BaseModel")
                return fix_of("Use `BaseModel`", "safe", edits)
            case "pydantic.Extra":
                members = [parent for parent in parents if isinstance(parent, ast.Attribute)]
                if len(members) < len(uses) or any(m.attr not in EXTRAS for m in members):
                    raise Unfixable("its members are not all that is used")
                strings = [replace(text, member, f'"{member.attr}"') for member in members]
                return fix_of(
                    "Use a string", "safe", strings, remove_unused_import(text, local, uses)
                )
            case "pydantic.parse_obj_as" | "pydantic.tools.parse_obj_as":
                gaps = [self._gap(use) for use in uses]
                edits = replace_references(text, uses, "pydantic", "TypeAdapter")
                return fix_of("Use `TypeAdapter`", "safe", edits, gaps)
            case "pydantic.validate_arguments" if not any(isinstance(p, ast.Call) for p in parents):
                edits = replace_references(text, uses, "pydantic", "validate_call")
                return fix_of("Use `validate_call`", "safe", edits)
            case _:
                raise Unfixable("its successor is another thing")

    def _siblings(self, parent: ast.AST | None) -> set[str]:
        """The names of a class's bases; a model's where `parent` is no class."""
        if not isinstance(parent, ast.ClassDef):
            return {"pydantic.BaseModel"}
        return {qualified_name(self._resolve(base)) or "" for base in parent.bases}

    def _gap(self, use: ast.Name) -> Edit:
        """Turn the comma in `parse_obj_as(T, value)` into `).validate_python(`."""
        parent = self._module.index.parents.get(use)
        if not isinstance(parent, ast.Call) or parent.func is not use or parent.keywords:
            raise Unfixable("it is not only called")
        if len(parent.args) != 2 or any(isinstance(each, ast.Starred) for each in parent.args):
            raise Unfixable("its arguments cannot be told")
        text = text_of(self._module)
        start, end = text.span(parent.args[0])[1], text.span(parent.args[1])[0]
        return replace_range(text, start, end, ").validate_python(")

    def root_model(self, model: PydanticModel, statement: ast.AnnAssign) -> Fix:
        """Derive a model of one value from `RootModel`."""
        bases = [
            base
            for base in model.node.bases
            if self._resolve(base) == External("pydantic.BaseModel")
        ]
        fields = [each for each in model.node.body if isinstance(each, ast.AnnAssign | ast.Assign)]
        if len(bases) != 1 or len(fields) != 1:
            raise Unfixable("it derives from another model, or has other fields")
        if self._module.source.text.count("__root__") > 1:
            raise Unfixable("`__root__` is used elsewhere")
        text = text_of(self._module)
        edits = replace_references(text, bases, "pydantic", "RootModel")
        renamed = replace(text, statement.target, "root")
        return fix_of("Use `RootModel`", "safe", edits, renamed)

    def model_config(self, model: PydanticModel, config: ast.ClassDef) -> Fix:
        """Turn `class Config` into `model_config`, where each key has a successor that does it."""
        text = text_of(self._module)
        given = {
            statement.targets[0].id: statement.value
            for statement in config.body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        }
        renamed = dict(RENAMED_KEYS)
        values: dict[str, str] = {}
        for name, value in given.items():
            match name, value:
                case "allow_mutation", ast.Constant(value=bool() as is_mutable):
                    renamed[name], values[name] = "frozen", str(not is_mutable)
                case "schema_extra", ast.Dict():
                    renamed[name] = "json_schema_extra"
                case "extra", ast.Attribute(value=ast.Name() as extra, attr=member):
                    if member in EXTRAS and self._resolve(extra) == External("pydantic.Extra"):
                        values[name] = f'"{member}"'
                case _:
                    if name in CONFIG_KEYS and name not in RENAMED_KEYS:
                        raise Unfixable(f"`{name}` has no successor of the same meaning")
        bases = self._config_of(model.cls, config.bases)
        self._refuse_read_config(model.cls)
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
        safety: Safety = "unsafe" if CHANGING_KEYS & given.keys() - off else "safe"
        return fix_of("Use `model_config`", safety, edits)

    def _config_of(self, cls: Class, nodes: Iterable[ast.expr]) -> list[ast.expr]:
        """Those of `nodes` that are the `Config` of one of a model's bases."""
        above = self._model.resolver.mro(cls)
        return [
            node
            for node in nodes
            if isinstance(node, ast.Attribute)
            and node.attr == "Config"
            and self._resolve(node.value) in above
        ]

    def _refuse_read_config(self, cls: Class) -> None:
        """Refuse a `Config` that other code reads or derives from: `class Config(Base.Config)`."""
        model = self._model
        for module in modules_mentioning(model, self._module, ".Config"):
            for node in module.index.nodes(ast.Attribute):
                if not isinstance(node, ast.Attribute) or node.attr != "Config":
                    continue
                owner = model.resolve(module, node.value)
                owner = owner.of if isinstance(owner, Instance) else owner
                if isinstance(owner, Class):
                    if cls in model.resolver.mro(owner):
                        raise Unfixable("its `Config` is used elsewhere")
                elif module is self._module and not isinstance(owner, External):
                    raise Unfixable("its `Config` may be used elsewhere")

    def rename_argument(self, call: ast.Call, old: str, new: str) -> Fix:
        """Give a keyword of a call its new name; leave out what has none."""
        if not new:
            keyword = next(each for each in call.keywords if each.arg == old)
            return fix_of(
                f"Drop `{old}`", "safe", remove_argument(text_of(self._module), call, keyword)
            )
        edit = rename_argument(text_of(self._module), call, old, new)
        return fix_of(f"Use `{new}`", "unsafe" if old in CHANGING_KEYS else "safe", edit)

    def rename_key(self, key: ast.expr, keys: Collection[str], new: str) -> Fix:
        """Give a key of a dictionary with `keys` its new name."""
        if new in keys:
            raise Unfixable(f"`{new}` is given already")
        changes = isinstance(key, ast.Constant) and key.value in CHANGING_KEYS
        edit = replace(text_of(self._module), key, f'"{new}"')
        return fix_of(f"Use `{new}`", "unsafe" if changes else "safe", edit)

    def validator(self, function: FunctionNode, decorator: ast.expr, new: str) -> Fix:
        """Rewrite a validator, as far as Pydantic 2 has one that does the same."""
        index = self._module.index
        cls = index.class_of(function)
        known = next(
            (m for m in self._model.facts(self._module, PydanticModel) if m.node is cls), None
        )
        old = self._old(function, decorator)
        if new == "model_validator":
            fields = schema_fields(self._model, known.cls) if known is not None else ()
            names = {field.name for field in fields}
            others = self._unreadable(function, cls, names)
            edits = model_validator(old, cls if known is not None else None, names, others)
            return fix_of(f"Use `@{new}`", "safe", edits)
        if cls is None or not isinstance(decorator, ast.Call):
            return fix_of(f"Use `@{new}`", "safe", field_validators([old], cls))
        together = self._of_same_fields(cls, decorator)
        for each in together:
            if known is not None and each.flag("always"):
                self._refuse_other_defaults(known.cls, each.decorator)
        edits = field_validators(together, cls)
        first = min(each.function.lineno for each in together)
        return fix_of(f"Use `@{new}`", "safe", edits, group=f"validators:{first}")

    def _old(self, function: FunctionNode, decorator: ast.expr) -> OldValidator:
        def is_field(call: ast.Call) -> bool:
            return self._model.is_instance(self._resolve(call), "pydantic.Field")

        return OldValidator(text_of(self._module), function, decorator, is_field)

    def _of_same_fields(self, cls: ast.ClassDef, decorator: ast.Call) -> list[OldValidator]:
        """The old validators of a class that have to be rewritten at once."""
        found: list[tuple[FunctionNode | None, ast.Call, str]] = []
        for node in self._module.index.nodes(ast.Call):
            assert isinstance(node, ast.Call)
            owner = self._module.index.parents.get(node)
            home = self._module.index.class_of(node)
            if home is None and isinstance(owner, FUNCTIONS):
                home = self._module.index.class_of(owner)
            value = self._resolve(node.func) if home is cls else None
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
        return [self._old(function, call) for function, call, _ in old if function]

    def _unreadable(
        self,
        function: FunctionNode,
        cls: ast.ClassDef | None,
        fields: Collection[str],
    ) -> Iterator[str]:
        """Why other root validators of a model have to see the dictionary: they run first then."""
        text = text_of(self._module)
        for other in cls.body if cls is not None else ():
            if not isinstance(other, ast.FunctionDef) or other is function:
                continue
            for decorator in other.decorator_list:
                target = decorator.func if isinstance(decorator, ast.Call) else decorator
                if self._resolve(target) != External("pydantic.root_validator"):
                    continue
                try:
                    if not self._old(other, decorator).flag("pre"):
                        read_from_model(text, other, fields)
                except Unfixable:
                    yield "another root validator changes the values"

    def _refuse_other_defaults(self, cls: Class, decorator: ast.expr) -> None:
        """Refuse fields to which a derived model gives a default: it is not validated there."""
        names = {
            argument.value
            for argument in getattr(decorator, "args", ())
            if isinstance(argument, ast.Constant)
        }
        model = self._model
        for module in modules_mentioning(model, self._module, cls.node.name):
            for derived in model.models(module):
                if derived.cls != cls and cls in model.resolver.mro(derived.cls):
                    if any(field.name in names for field in own_fields(model, derived.cls)):
                        raise Unfixable("a derived model gives the field another default")

    def method(self, node: ast.Attribute, use: OldUse) -> Fix:
        """Give a method or attribute of a model its new name."""
        if isinstance(use.of, External) and any(
            modules_mentioning(self._model, self._module, f"def {node.attr}(")
        ):
            raise Unfixable("a model of the project has a method of its own")
        text = text_of(self._module)
        of_class: Edits = ()
        if node.attr == "__fields__" and isinstance(self._resolve(node.value), Instance):
            of_class = wrap(text, node.value, "type(", ")")  # objects have it until Pydantic 3 only
        return fix_of(f"Use `{use.new}`", "safe", of_class, rename(text, node, use.new))

    def _means_the_same(self, place: ast.AST) -> bool:
        """Whether the new method, or attribute, takes what the old one is given."""
        if not isinstance(place, ast.Call) or not isinstance(place.func, ast.Attribute):
            return True
        name = place.func.attr
        if name in {"from_orm", "parse_obj", "validate"}:
            return len(place.args) == 1 and not place.keywords
        if name == "construct":
            return not place.args
        allowed = SAME_ARGUMENTS.get(name)
        return (
            allowed is not None
            and not place.args
            and all(keyword.arg in allowed for keyword in place.keywords)
        )

    def literal(self, call: ast.Call, keyword: ast.keyword) -> Fix:
        """Turn `kind: str = Field("a", const=True)` into `kind: Literal["a"] = Field("a")`."""
        text = text_of(self._module)
        statement = text.index.parents.get(call)
        value = call.args[0] if call.args else None
        if not isinstance(statement, ast.AnnAssign) or not isinstance(value, ast.Constant):
            raise Unfixable("the value is no literal")
        if value.value is ... or not isinstance(value.value, str | int | bytes | None):
            raise Unfixable("the value is no literal")
        if self._resolve(keyword.value) != Constant(True):
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
