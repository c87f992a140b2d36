"""FAR510: fields that the schema only names."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import PydanticModel, Record
from flake8_fastapi_rules.semantics.schemas import (
    SchemaField,
    config_values,
    is_part_of_settings,
    is_true,
    own_fields,
    schema_classes,
    schema_uses,
)
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Instance

#: Its metadata may hold a description.
_DATACLASS_FIELD = External("dataclasses.field")
_CONFIGURATION = re.compile(r"(?:Config|Configuration|Settings)$")


class UndescribedField(Rule):
    """Describe the fields of bodies, answers and settings.

    ## What it does
    Reports a field without a description in a model (or dataclass, or typed dict) that is a request
    body, an answer, a part or a base of one, or that holds settings.

    ## Why it matters
    The description is what whoever calls the service reads, in the documentation and in the
    generated client. A name such as `rate` does not say per what, nor in which unit.

    ## Example
    ```python
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        rate: int = 10
    ```

    ## Use instead
    ```python
    from pydantic import Field
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        rate: int = Field(default=10, description="Requests per second and client")
    ```

    ## Leaves alone
    Docstrings of fields where `use_attribute_docstrings` is on, fields made by helpers, private
    fields, and models and tables with other uses.

    ## Source
    Pydantic's documentation on the customisation of JSON schemas.
    """

    code = "FAR510"
    message = "Field `{name}` has no description"
    profiles = ("strict",)
    scope = "project"

    @on(PydanticModel)
    def check(self, model: PydanticModel, context: Context) -> Iterator[Report]:
        """Report fields without a description."""
        if model.kind == "root":
            return
        if (
            model.kind != "settings"
            and not self._holds_configuration(model.node, context)
            and model.node not in schema_classes(context.model, context.module)
            and model.node not in schema_uses(context.model, context.module).queries
            and not is_part_of_settings(context.model, context.module, model.node)
        ):
            return
        config = config_values(context.model, model.cls)
        uses_docstrings = config is None or (
            "use_attribute_docstrings" in config
            and is_true(context.model, *config["use_attribute_docstrings"])
        )
        yield from self._check_fields(model.cls, uses_docstrings, context)

    @on(Record)
    def check_record(self, record: Record, context: Context) -> Iterator[Report]:
        """Report fields of dataclasses and typed dicts; their settings are written elsewhere."""
        if context.model.is_subclass(record.cls, "typing.NamedTuple"):
            return  # its schema is an array, whose items have no names
        yield from self._check_fields(record.cls, True, context)

    def _check_fields(
        self, cls: Class, uses_docstrings: bool, context: Context
    ) -> Iterator[Report]:
        for each in own_fields(context.model, cls):
            if uses_docstrings and self._has_docstring(each, cls.node):
                continue
            if not self._is_described(each, context):
                yield self.report(each.node.target, name=each.name)

    def _holds_configuration(self, node: ast.ClassDef, context: Context) -> bool:
        """Whether a plain model is the configuration of a settings module, filled from a file."""
        return _CONFIGURATION.search(node.name) is not None and not set(
            context.module.name.split(".")
        ).isdisjoint(context.settings.settings_modules)

    def _may_describe(self, default: ast.Call, context: Context) -> bool:
        """Whether what makes a default may be a helper around `Field`; `Path("x")` is none."""
        callee = context.resolve(default.func)
        if callee == _DATACLASS_FIELD:
            return any(keyword.arg == "metadata" for keyword in default.keywords)
        if isinstance(callee, External):
            return callee.name.partition(".")[0] not in sys.stdlib_module_names
        return not isinstance(callee, Class)

    def _is_described(self, each: SchemaField, context: Context) -> bool:
        if each.field_call is not None:
            if each.argument("description") is not None:
                return True
            if any(keyword.arg is None for keyword in each.field_call.keywords):
                return True
        elif isinstance(each.node.value, ast.Call) and self._may_describe(each.node.value, context):
            return True
        for home, node in context.model.resolver.annotations.metadata(
            each.module, each.node.annotation
        ):
            value = context.model.resolve(home, node)
            if isinstance(node, ast.Call) and any(k.arg == "description" for k in node.keywords):
                return True
            if not isinstance(value, Instance | Constant):
                return True
        return False

    def _has_docstring(self, each: SchemaField, owner: ast.ClassDef) -> bool:
        position = owner.body.index(each.node)
        following = owner.body[position + 1 : position + 2]
        return any(
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            for statement in following
        )
