"""FAR509: what Pydantic 2 has only for compatibility, or not any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flake8_fastapi_rules.fixes.pydantic import PydanticFixes
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.old_pydantic import (
    OldKind,
    OldUse,
    old_uses_elsewhere,
    old_uses_in_model,
)
from flake8_fastapi_rules.semantics.pydantic_changes import (
    HOOKS,
    METHODS,
    MOVED_IMPORTS,
    MOVED_NAMES,
    RENAMED_ARGUMENTS,
)
from flake8_fastapi_rules.semantics.schemas import is_pydantic_2

_V2: Final = (0, 100)


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

    @on(PydanticModel)
    def check_model(self, model: PydanticModel, context: Context) -> Iterator[Report]:
        """Report old configuration and old validators of a model."""
        if self._applies(context):
            for use in old_uses_in_model(context.model, model):
                yield self._report(use, context)

    @on(Module)
    def check_module(self, module: Module, context: Context) -> Iterator[Report]:
        """Report moved imports, old methods and old arguments."""
        if self._applies(context):
            for use in old_uses_elsewhere(context.model, module):
                yield self._report(use, context)

    def _applies(self, context: Context) -> bool:
        return context.settings.fastapi_at_least(*_V2) and is_pydantic_2(context.module)

    def _report(self, use: OldUse, context: Context) -> Report:
        variant, old, new = None, use.old, use.new
        match use.kind:
            case OldKind.CONFIG_CLASS:
                variant = "config"
            case OldKind.SETTINGS:
                variant = "settings"
            case OldKind.VALIDATOR:
                old, new = f"@{old}", f"@{new}"
            case OldKind.IMPORT:
                old = old.rpartition(".")[2]
            case OldKind.NAME:
                old = context.shown(use.place)
            case OldKind.METHOD if not old.startswith("__"):
                old, new = f".{old}()", f".{new}()"
            case _ if not new:
                variant = "gone"
        fix = PydanticFixes(context.model, context.module).of(use)
        return self.report(use.place, variant, fix=fix, old=old, new=new)
