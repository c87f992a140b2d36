"""FAR724: clients that set what they should not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import CREATING_METHODS, is_stored_class
from flake8_fastapi_rules.semantics.plain_passwords import written_table
from flake8_fastapi_rules.semantics.schemas import dumped_fields, schema_fields
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    External,
    FunctionNode,
    Instance,
    Value,
)

_PRIVILEGED = re.compile(
    r"^(?:is_)?(?:admin|superuser|staff|verified|approved|owner|moderator)$"
    r"|^(?:role|roles|permissions|balance|credits|email_verified|account_type)$"
)

#: Functions that look up what is stored, and not what a request holds.
_LOOK_UP = re.compile(
    r"^(?:get|find|load|fetch)_(?!.*(?:body|data|form|input|json|params|payload|request))"
)
#: Methods of tables that make an object of a model.
_MAKERS = frozenset({"model_validate", "from_orm", "parse_obj"})


class MassAssignment(Rule):
    """Store the fields that a client may set, one by one.

    ## What it does
    Reports an object of the database that is made from a whole request model, or updated with one,
    when the model has fields such as `is_admin`, `role` or `balance`: `User(**body.model_dump())`,
    `User.model_validate(body)`, `setattr` in a loop over the dump, `update(User).values(...)`.

    ## Why it matters
    Whatever is in the model, every client sets: a registration with `"is_admin": true` makes an
    administrator. The model and the table grow apart from each other, and nobody looks again.

    ## Example
    ```python
    from pydantic import BaseModel
    from sqlmodel import Field, SQLModel


    class UserTable(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        is_admin: bool = False


    class NewUser(BaseModel):
        is_admin: bool = False


    def create(new: NewUser) -> UserTable:
        return UserTable(**new.model_dump())
    ```

    ## Use instead
    ```python
    def create(new: NewUser) -> User:
        return User(name=new.name, is_admin=False)
    ```

    ## Leaves alone
    Models without such fields, `model_dump` with `include` or with `exclude` that names them, what
    was looked up (`user = await find_user(name)`), and functions and paths that speak of
    administration.

    ## Source
    CWE-915; OWASP API security: mass assignment.
    """

    code = "FAR724"
    message = "Clients set `{name}` of `{table}`; pass the fields they may set one by one"
    profiles = ("opt-in",)
    scope = "project"
    hints = ("model_dump", "dict(", "model_validate", "from_orm", "parse_obj", "sqlmodel_update")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report tables that are made of, or updated with, a whole request model."""
        function = context.module.index.function_of(call)
        if not isinstance(function, FUNCTIONS) or "admin" in function.name.lower():
            return
        table, given = self._assigned(call, context)
        if not isinstance(table, Class) or not is_stored_class(context.model, table):
            return
        for node in given:
            if self._is_read_back(node, function, context):
                continue
            name = self._privileged(node, context)
            if name is not None:
                yield self.report(call, name=name, table=table.node.name)
                return

    def _is_read_back(self, node: ast.expr, function: FunctionNode, context: Context) -> bool:
        """Whether what is given was looked up, so that no client sent it: `user = find_user()`."""
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        for statement in context.module.index.own_nodes(function):
            if not isinstance(statement, ast.Assign) or not isinstance(
                statement.targets[0], ast.Name
            ):
                continue
            value = statement.value.value if isinstance(statement.value, ast.Await) else None
            value = value or statement.value
            if statement.targets[0].id in names and isinstance(value, ast.Call):
                called = getattr(value.func, "attr", getattr(value.func, "id", ""))
                if _LOOK_UP.match(called):
                    return True
        return False

    def _assigned(self, call: ast.Call, context: Context) -> tuple[Value, list[ast.expr]]:
        """The table that a call fills, and what with."""
        unpacked = [k.value for k in call.keywords if k.arg is None]
        func = call.func
        if isinstance(func, ast.Name) and func.id == "setattr" and len(call.args) == 3:
            owner = context.resolve(call.args[0])
            items = self._items_around(call, context)
            return (owner.of if isinstance(owner, Instance) else owner), items
        if isinstance(func, ast.Attribute):
            row = _row_of(func)
            if row is not None:
                owner = context.resolve(row)
                return (owner.of if isinstance(owner, Instance) else owner), call.args[:1]
            owner = context.resolve(func.value)
            if func.attr in _MAKERS:
                return owner, call.args[:1]
            if func.attr == "sqlmodel_update" and isinstance(owner, Instance):
                return owner.of, call.args[:1]
            if func.attr == "update" and isinstance(owner, Instance):
                table = owner.args[0] if owner.args else UNKNOWN
                is_query = context.model.is_instance(owner, "sqlalchemy.orm.Query")
                if is_query and isinstance(table, Instance):
                    return table.of, call.args[:1]
            if func.attr == "update" and unpacked:  # Member.filter(id=1).update(**changes)
                return written_table(context.model, context.module, func.value), unpacked
            if func.attr == "update_from_dict" and isinstance(owner, Instance):
                return owner.of, call.args[:1]
            made = context.resolve(func)
            if isinstance(made, External) and made.name in CREATING_METHODS:
                return owner, unpacked
            if func.attr == "values":
                return self._statement_table(func.value, context), [*unpacked, *call.args[:1]]
        return context.resolve(func), unpacked

    def _items_around(self, call: ast.Call, context: Context) -> list[ast.expr]:
        """The mapping in `for key, value in mapping.items():` around a `setattr`."""
        for parent in context.module.index.ancestors(call):
            match parent:
                case ast.For(iter=ast.Call(func=ast.Attribute(attr="items", value=mapping))):
                    return [mapping]
                case ast.For(iter=mapping):
                    return [mapping]
        return []

    def _statement_table(self, node: ast.expr, context: Context) -> Value:
        """The table of `update(Table).where(...)` and `insert(Table)`."""
        while isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
                node = node.func.value
                continue
            callee = context.resolve(node.func)
            is_write = isinstance(callee, External) and callee.name.startswith(
                ("sqlalchemy.", "sqlmodel.")
            )
            return context.resolve(node.args[0]) if is_write and node.args else UNKNOWN
        return UNKNOWN

    def _privileged(self, node: ast.expr, context: Context) -> str | None:
        """The first privileged field in a model, or in what one was dumped to."""
        found = dumped_fields(context.model, context.module, node)
        if found is None:
            value = context.resolve(node)
            if not isinstance(value, Instance) or not isinstance(value.of, Class):
                return None
            if not context.model.is_instance(value, "pydantic.BaseModel"):
                return None
            found = value, schema_fields(context.model, value.of)
        if is_stored_class(context.model, found[0].of):
            return None
        return next((f.name for f in found[1] if _PRIVILEGED.match(f.name.lower())), None)


def _row_of(func: ast.Attribute) -> ast.expr | None:
    """The object in `row.__dict__.update` and `vars(row).update`."""
    match func:
        case ast.Attribute(attr="update", value=ast.Attribute(attr="__dict__", value=row)):
            return row
        case ast.Attribute(
            attr="update", value=ast.Call(func=ast.Name(id="vars"), args=[row], keywords=[])
        ):
            return row
        case _:
            return None
