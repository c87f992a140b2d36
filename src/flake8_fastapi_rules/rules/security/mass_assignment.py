"""FAR724: clients that set what they should not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.credentials import is_stored_class
from flake8_fastapi_rules.semantics.schemas import dumped_model, schema_fields
from flake8_fastapi_rules.semantics.values import Class, Constant

_PRIVILEGED = re.compile(
    r"^(?:is_)?(?:admin|superuser|staff|verified|approved|owner|moderator)$"
    r"|^(?:role|roles|permissions|balance|credits|email_verified|account_type)$"
)


class MassAssignment(Rule):
    """Store the fields that a client may set, one by one.

    ## What it does
    Reports an object of the database that is made from a whole request model,
    `User(**body.model_dump())`, when the model has fields such as `is_admin`, `role` or `balance`.

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
    Models without such fields, `model_dump` with `include` or with `exclude` that names them, and
    functions and paths that speak of administration.

    ## Source
    CWE-915; OWASP API security: mass assignment.
    """

    code = "FAR724"
    message = "Clients set `{name}` of `{table}`; pass the fields they may set one by one"
    profiles = ("opt-in",)
    scope = "project"
    hints = ("model_dump", "dict(")

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report calls of tables with a whole dumped model, and updates with one."""
        function = context.module.index.function_of(call)
        if not isinstance(function, FUNCTIONS) or "admin" in function.name.lower():
            return
        table = context.resolve(call.func)
        if not isinstance(table, Class) or not is_stored_class(context.model, table):
            return
        given = [k.value for k in call.keywords if k.arg is None]
        for node in given:
            name = self._privileged(node, context)
            if name is not None:
                yield self.report(call, name=name, table=table.node.name)
                return

    def _privileged(self, node: ast.expr, context: Context) -> str | None:
        """The first privileged field in what a model was dumped to."""
        if not isinstance(node, ast.Call):
            return None
        model = dumped_model(context.model, context.module, node)
        if model is None or not isinstance(model.of, Class):
            return None
        if is_stored_class(context.model, model.of):
            return None
        arguments = {k.arg: k.value for k in node.keywords}
        if "include" in arguments:
            return None
        excluded: set[object] = set()
        if "exclude" in arguments:
            elements = context.model.elements(context.module, arguments["exclude"])
            if elements is None:
                return None
            for home, element in elements:
                value = context.model.resolve(home, element)
                if isinstance(value, Constant):
                    excluded.add(value.value)
        for each in schema_fields(context.model, model.of):
            if each.name not in excluded and _PRIVILEGED.match(each.name.lower()):
                return each.name
        return None
