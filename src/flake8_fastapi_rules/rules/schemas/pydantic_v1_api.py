"""FAR509: what Pydantic 2 has only for compatibility, or not any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from flake8_fastapi_rules.engine.findings import FixMaker, Unfixable
from flake8_fastapi_rules.fixes.pydantic import PydanticFixes
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.per_project import modules_mentioning
from flake8_fastapi_rules.semantics.pydantic_changes import (
    CONFIG_KEYS,
    FIELD_ARGUMENTS,
    HOOKS,
    METHODS,
    MOVED_IMPORTS,
    MOVED_NAMES,
    OBJECT_METHODS,
    RENAMED_ARGUMENTS,
    RENAMED_KEYS,
    SAME_ARGUMENTS,
    TYPE_ARGUMENTS,
    VALIDATORS,
)
from flake8_fastapi_rules.semantics.schemas import is_pydantic_2
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    FunctionNode,
    Instance,
)

_V2: Final = (0, 100)
_BASE_MODEL: Final = External("pydantic.BaseModel")
_OTHER_PACKAGE: Final = Unfixable("it needs another package")


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
        "class Config", "model_config", "validator", "__root__", *HOOKS, *MOVED_NAMES,
        *(f"{name}{equals}" for name in RENAMED_ARGUMENTS for equals in ("=", " =")),
        *(f".{name}" if name.startswith("__") else f".{name}(" for name in METHODS),
        *(name.rpartition(".")[2] for name in MOVED_IMPORTS),
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
                    fix = partial(_fixes(context).model_config, model, statement)
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
                    fix = partial(_fixes(context).root_model, model, statement)
                    yield self.report(statement.target, old="__root__", new="RootModel", fix=fix)
                case (
                    ast.Assign(value=ast.Call() | ast.Dict() as config)
                    | ast.AnnAssign(value=ast.Call() | ast.Dict() as config)
                ) if _binds_config(statement):
                    yield from self._keys(config, context)

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
                    elif new := MOVED_IMPORTS.get(name):
                        fix = partial(_fixes(context).exchange_import, alias, name)
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
            if node.attr in METHODS:
                yield from self._method(node, context)
            elif node.attr in MOVED_NAMES and isinstance(node.value, ast.Name):
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
        elif new := MOVED_IMPORTS.get(f"pydantic.{node.attr}"):
            fix = Unfixable("its successor is another thing")
            yield self.report(node, old=context.shown(node), new=new, fix=fix)

    def _reused(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report `checked = validator("name")(function)`."""
        if not isinstance(call.func, ast.Call):
            return
        value = context.resolve(call.func.func)
        new = VALIDATORS.get(value.name) if isinstance(value, External) else None
        if new is not None and isinstance(value, External):
            old = value.name.removeprefix("pydantic.")
            fix = Unfixable("what it is given may take more than the value")
            yield self.report(call.func, old=old, new=new, fix=fix)

    def _hooks(self, cls: ast.ClassDef, context: Context) -> Iterator[Report]:
        """Report old hooks of a type that has no new ones."""
        methods = {each.name: each for each in cls.body if isinstance(each, ast.FunctionDef)}
        if methods.keys() & set(HOOKS.values()):
            return
        for old, new in HOOKS.items():
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

    def _keys(self, config: ast.Call | ast.Dict, context: Context) -> Iterator[Report]:
        """Report old keys of `ConfigDict(...)` or of a dictionary."""
        for place, old in _written_keys(config):
            new = CONFIG_KEYS.get(old)
            if new is None:
                continue
            fix: FixMaker | Unfixable = Unfixable("it has no successor of the same meaning")
            if old in RENAMED_KEYS and isinstance(config, ast.Call):
                fix = partial(_fixes(context).rename_argument, config, old, new)
            elif old in RENAMED_KEYS and new and isinstance(place, ast.expr):
                keys = {key for _, key in _written_keys(config)}
                fix = partial(_fixes(context).rename_key, place, keys, new)
            variant = None if new else "gone"
            yield self.report(place, variant, old=old, new=new, fix=fix)

    def _validators(self, function: FunctionNode, context: Context) -> Iterator[Report]:
        for decorator in function.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = context.resolve(target)
            new = VALIDATORS.get(value.name) if isinstance(value, External) else None
            if new is not None and isinstance(value, External):
                old = f"@{value.name.removeprefix('pydantic.')}"
                fix = partial(_fixes(context).validator, function, decorator, new)
                yield self.report(decorator, old=old, new=f"@{new}", fix=fix)

    def _method(self, node: ast.Attribute, context: Context) -> Iterator[Report]:
        """Report an old method of an object or class that certainly is a model."""
        owner = context.resolve(node.value)
        model = context.model
        is_open = not owner or (node.attr != "copy" and model.is_instance(owner, "builtins.dict"))
        if is_open and isinstance(node.value, ast.Name):
            owner = model.resolver.bound_of(context.module, node.value)
        is_object = isinstance(owner, Instance) and model.is_instance(owner, "pydantic.BaseModel")
        is_class = owner == _BASE_MODEL or (
            isinstance(owner, Class) and model.is_subclass(owner, "pydantic.BaseModel")
        )
        if not is_object and not (is_class and node.attr not in OBJECT_METHODS):
            return
        cls = owner.of if isinstance(owner, Instance) else owner
        if isinstance(cls, Class):
            found = model.resolver.class_attribute(cls, node.attr, instance=True)
            if not isinstance(found, External) or not model.resolver.has_known_bases(cls):
                return  # a method or field of its own
            if not self._is_of_pydantic(cls, context):
                return
        elif cls != _BASE_MODEL or self._is_for_both(node, context):
            return
        parent = context.module.index.parents.get(node)
        is_call = isinstance(parent, ast.Call) and parent.func is node
        if not is_call and not node.attr.startswith("__"):
            return
        shown = node.attr if node.attr.startswith("__") else f".{node.attr}()"
        new = METHODS[node.attr]
        fix: FixMaker | Unfixable = Unfixable("its successor takes other arguments")
        if node.attr.startswith("__") or (
            isinstance(parent, ast.Call) and is_call and self._means_the_same(node.attr, parent)
        ):
            fix = partial(_fixes(context).rename, node, new)
            if cls == _BASE_MODEL and any(
                modules_mentioning(model, context.module, f"def {node.attr}(")
            ):
                fix = Unfixable("a model of the project has a method of its own")
        yield self.report(
            parent if is_call and parent is not None else node,
            old=shown,
            new=new if node.attr.startswith("__") else f".{new}()",
            fix=fix,
        )

    def _is_for_both(self, node: ast.Attribute, context: Context) -> bool:
        """Whether code for any model asks which Pydantic there is."""
        index = context.module.index
        function = index.function_of(node)
        new = METHODS[node.attr]
        return (function is not None and new in ast.dump(function)) or self._is_tried(
            function or node, context
        )

    def _means_the_same(self, name: str, call: ast.Call) -> bool:
        allowed = SAME_ARGUMENTS.get(name)
        if allowed is None:
            return False
        if name in {"from_orm", "parse_obj", "validate"}:
            return len(call.args) == 1 and not call.keywords
        if name == "construct":
            return not call.args
        return not call.args and all(keyword.arg in allowed for keyword in call.keywords)

    def _field(self, call: ast.Call, context: Context) -> Iterator[Report]:
        names = {k.arg for k in call.keywords}
        if names.isdisjoint(RENAMED_ARGUMENTS):
            return
        callee = context.library_object(call.func)
        renamed: Mapping[str, str] = TYPE_ARGUMENTS.get(callee.name, {}) if callee else {}
        if context.model.is_instance(context.resolve(call), "pydantic.Field"):
            renamed = FIELD_ARGUMENTS
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg not in renamed:
                continue
            new = renamed[keyword.arg]
            fix: FixMaker | Unfixable = Unfixable("its successor takes other values")
            if keyword.arg in {"min_items", "max_items", "regex"}:
                fix = partial(_fixes(context).rename_argument, call, keyword.arg, new)
            elif keyword.arg == "const":
                fix = partial(_fixes(context).literal, call, keyword)
            yield self.report(keyword, old=keyword.arg, new=new, fix=fix)


def _binds_config(statement: ast.Assign | ast.AnnAssign) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(t, ast.Name) and t.id == "model_config" for t in targets)


def _written_keys(config: ast.Call | ast.Dict) -> Iterator[tuple[ast.keyword | ast.expr, str]]:
    if isinstance(config, ast.Dict):
        for key in config.keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key, key.value
    else:
        yield from ((keyword, keyword.arg) for keyword in config.keywords if keyword.arg)


def _fixes(context: Context) -> PydanticFixes:
    return PydanticFixes(context.model, context.module)
