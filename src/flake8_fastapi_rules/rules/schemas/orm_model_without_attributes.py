"""FAR517: validating an object whose attributes the schema does not read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from flake8_fastapi_rules.engine.findings import Fix, Unfixable
from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.fixes.edit import add_argument, fix_of
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import is_stored_class
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.schemas import config_values
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Value,
)

_KEYS = frozenset({"from_attributes", "orm_mode"})


class OrmModelWithoutAttributes(Rule):
    """Let a schema read attributes where it validates objects.

    ## What it does
    Reports `Schema.model_validate(row)` and `Schema.from_orm(row)` of a database object where
    neither the call nor the configuration of the schema says `from_attributes=True`.

    ## Why it matters
    Without it Pydantic takes dictionaries and objects of the schema itself only: each such call
    raises a `ValidationError`.

    ## Example
    ```python
    from pydantic import BaseModel
    from sqlalchemy.orm import DeclarativeBase, Mapped


    class Base(DeclarativeBase):
        pass


    class Row(Base):
        __tablename__ = "rows"
        name: Mapped[str]


    class Item(BaseModel):
        name: str


    def item(row: Row) -> Item:
        return Item.model_validate(row)
    ```

    ## Use instead
    ```python
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy.orm import DeclarativeBase, Mapped


    class Base(DeclarativeBase):
        pass


    class Row(Base):
        __tablename__ = "rows"
        name: Mapped[str]


    class Item(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        name: str


    def item(row: Row) -> Item:
        return Item.model_validate(row)
    ```

    ## Leaves alone
    Schemas of SQLModel, which read attributes anyway, schemas with a validator that takes the whole
    object, classes of rows that derive from the schema, and schemas and objects that cannot be
    told.

    ## Fix safety
    `from_attributes=True` is given to the call, which fails without it. There is no fix for
    `from_orm`, which takes it from the configuration only.

    ## Source
    Pydantic's documentation on arbitrary class instances.
    """

    code = "FAR517"
    message = "`{name}` reads no attributes, so it refuses `{row}`; set `from_attributes=True`"
    profiles = ("strict",)
    fix = "safe"
    scope = "project"
    hints = ("model_validate", "from_orm")

    @on(ast.Call)
    def check(self, node: ast.Call, context: Context) -> Iterator[Report]:
        """Report validations of database objects."""
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in ("model_validate", "from_orm"):
            return
        given = argument(node, "obj", 0)
        if given is None or any(k.arg in (None, "from_attributes") for k in node.keywords):
            return
        schema = context.resolve(func.value)
        row = context.resolve(given)
        if not isinstance(schema, Class) or not self._is_row(row, schema, context):
            return
        if not self._is_plain_schema(schema, context):
            return
        own = context.model.resolver.class_attribute(schema, func.attr, instance=False)
        if isinstance(own, Function):
            return  # a method of the project reads the attributes itself
        config = config_values(context.model, schema)
        if config is None or any(
            self._may_be_on(*config[key], context) for key in _KEYS & config.keys()
        ):
            return
        assert isinstance(row, Instance)
        assert isinstance(row.of, Class)
        yield self.report(
            node, name=schema.node.name, row=row.of.node.name, fix=partial(self._fix, node, context)
        )

    def _may_be_on(self, module: Module, node: ast.expr, context: Context) -> bool:
        return context.model.resolve(module, node) != Constant(False)

    def _is_row(self, value: Value, schema: Class, context: Context) -> bool:
        """Whether a value is a row or document that is not an object of the schema itself."""
        return (
            isinstance(value, Instance)
            and isinstance(value.of, Class)
            and is_stored_class(context.model, value.of)
            and schema not in context.model.resolver.mro(value.of)
        )

    def _is_plain_schema(self, schema: Class, context: Context) -> bool:
        """Whether only Pydantic's own rules say what the schema takes."""
        resolver = context.model.resolver
        if not context.model.is_subclass(schema, "pydantic.BaseModel"):
            return False
        for base in resolver.mro(schema):
            if isinstance(base, External) and base.name != "pydantic.BaseModel":
                if not base.name.startswith(("typing.", "abc.", "builtins.")):
                    return False
            elif isinstance(base, Class) and any(
                "model_validator" in ast.dump(decorator) or "root_validator" in ast.dump(decorator)
                for statement in base.node.body
                for decorator in getattr(statement, "decorator_list", ())
            ):
                return False
        return resolver.has_known_bases(schema)

    def _fix(self, node: ast.Call, context: Context) -> Fix:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "from_orm":
            raise Unfixable("`from_orm` takes it from the configuration only")
        edits = add_argument(text_of(context.module), node, "from_attributes=True")
        return fix_of("Pass `from_attributes=True`", "safe", edits)
