"""FAR704: passwords that are stored as they were typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.columns import STATEMENT_METHODS, column_values
from flake8_fastapi_rules.semantics.credentials import (
    CREATING_METHODS,
    is_password_name,
    is_stored_class,
    last_name,
)
from flake8_fastapi_rules.semantics.plain_passwords import (
    comes_from_client,
    has_validators,
    is_password_column,
    is_plain_password,
    is_replaced_by_hash,
    keeps_password,
    selects_password,
    written_table,
)
from flake8_fastapi_rules.semantics.resolve import literal_keywords
from flake8_fastapi_rules.semantics.schemas import (
    SchemaField,
    dumped_fields,
    schema_fields,
)
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    External,
    Instance,
    Value,
    qualified_name,
)

#: Receivers that hold what was found in a database.
_STORED = re.compile(
    r"^(?:\w+_)?(?:user|account|customer|member|admin|record|row|stored|existing|db)$|^db_\w+$"
)
#: Class methods that make an object of another's attributes.
_CONVERSIONS = frozenset({"model_validate", "from_orm", "parse_obj"})


class PlaintextPassword(Rule):
    """Store a hash of a password, and compare through it.

    ## What it does
    Reports a stored password that is compared with the plain one by `==` or `!=`, also in a
    query, and an object, document or row of the database whose password is set to the plain one.

    ## Why it matters
    Such a comparison only works when passwords are stored as they were typed. One leaked backup
    then gives away all of them, and with them the accounts that people have elsewhere.

    ## Example
    ```python
    from shop.models import find_user


    def authenticate(name: str, password: str) -> bool:
        user = find_user(name)
        return user.password == password
    ```

    ## Use instead
    ```python
    from pwdlib import PasswordHash

    from shop.models import find_user

    passwords = PasswordHash.recommended()


    def authenticate(name: str, password: str) -> bool:
        return passwords.verify(password, find_user(name).password_hash)
    ```

    ## Leaves alone
    Comparisons with a repeated or another password of the same form, values that were hashed
    before, also in place of the password of the body, and models that hash in a property or
    validator.

    ## Source
    OWASP: password storage; CWE-256.
    """

    code = "FAR704"
    message = "The stored password is compared as plain text; store a hash and verify that"
    variants = {"set": "A plain password is stored; store a hash of it"}
    profiles = ("recommended",)
    hints = ("password", "passwd", "pwd", "pw")

    @on(ast.Compare)
    def check_comparison(self, node: ast.Compare, context: Context) -> Iterator[Report]:
        """Report comparisons of a stored password with a plain one."""
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return
        sides = (node.left, node.comparators[0])
        for stored, plain in (sides, sides[::-1]):
            if self._is_stored(stored, context) and is_plain_password(
                context.model, context.module, plain
            ):
                if not self._same_owner(stored, plain):
                    yield self.report(node)
                    return

    @on(ast.Call)
    def check_call(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report stored objects that are made with a plain password."""
        if isinstance(call.func, ast.Attribute):
            method, receiver = call.func.attr, call.func.value
            if method == "filter_by":
                for keyword in call.keywords:
                    if is_password_column(keyword.arg) and is_plain_password(
                        context.model, context.module, keyword.value
                    ):
                        yield self.report(keyword.value)
                return
            if method in {"update", "values"}:
                table = written_table(context.model, context.module, receiver)
                for name, value in self._columns_in(call, context):
                    if keeps_password(context.model, table, name) and is_plain_password(
                        context.model, context.module, value
                    ):
                        yield self.report(value, "set")
            if method == "execute" and len(call.args) == 2:
                table = written_table(context.model, context.module, call.args[0])
                for row in _rows(call.args[1]):
                    for name, value in self._columns_of(row, context):
                        if keeps_password(context.model, table, name) and is_plain_password(
                            context.model, context.module, value
                        ):
                            yield self.report(value, "set")
            if method in STATEMENT_METHODS:
                columns = list(column_values(context.model, context.module, call))
                if any("salt" in column.column.lower() for column in columns):
                    return  # what is stored beside a salt is a hash
                for column in columns:
                    if not is_password_column(column.column) or not is_plain_password(
                        context.model, context.module, column.value
                    ):
                        continue
                    if column.is_condition:
                        yield self.report(column.value)
                    elif comes_from_client(context.model, context.module, column.value):
                        yield self.report(column.value, "set")
            if method in _CONVERSIONS and call.args:
                if self._converts_plain(call, receiver, context):
                    yield self.report(call, "set")
                return
        given = [k for k in call.keywords if k.arg is None or is_password_column(k.arg)]
        made = self._made(call, context) if given else UNKNOWN
        for keyword in given:
            if keyword.arg is None:
                if self._unpacks_plain(keyword.value, call, made, context):
                    yield self.report(call, "set")
            elif keeps_password(context.model, made, keyword.arg):
                if is_plain_password(context.model, context.module, keyword.value):
                    yield self.report(keyword.value, "set")

    def _made(self, call: ast.Call, context: Context) -> Value:
        """The class that a call makes a row of: `User(...)`, `insert(User).values(...)`."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"update", "values"}:
            return written_table(context.model, context.module, call.func.value)
        made = context.resolve(call.func)
        if isinstance(made, External) and made.name in CREATING_METHODS:
            return context.resolve(getattr(call.func, "value", None))
        return made

    def _columns_in(self, call: ast.Call, context: Context) -> Iterator[tuple[str, ast.expr]]:
        """The columns of passwords in `values({"password": ...})`, with what they are given."""
        for given in call.args[:1]:
            yield from self._columns_of(given, context)

    def _columns_of(self, row: ast.expr, context: Context) -> Iterator[tuple[str, ast.expr]]:
        written = literal_keywords(context.model.resolver, context.module, row) or {}
        for name, value in written.items():
            if is_password_column(name):
                yield name, value

    def _converts_plain(self, call: ast.Call, table: ast.expr, context: Context) -> bool:
        """Whether `Table.model_validate(body)` stores the password of the body as it is."""
        made, body = context.resolve(table), context.resolve(call.args[0])
        if not isinstance(made, Class) or not is_stored_class(context.model, made):
            return False
        if not isinstance(body, Instance) or not isinstance(body.of, Class):
            return False
        if not context.model.is_subclass(body.of, "pydantic.BaseModel"):
            return False
        update = next((k.value for k in call.keywords if k.arg == "update"), None)
        changed: set[str | None] = set()
        if update is not None:
            written = context.model.resolver.written(context.module, update)
            home, node = written or (context.module, update)
            keywords = literal_keywords(context.model.resolver, home, node)
            if keywords is None:
                return False
            changed.update(keywords)
        fields = schema_fields(context.model, body.of)
        return self._takes_plain(body, fields, changed, call, made, context)

    def _unpacks_plain(
        self, node: ast.expr, call: ast.Call, made: object, context: Context
    ) -> bool:
        """Whether `Table(**body.model_dump())` stores the password of the body as it is."""
        found = dumped_fields(context.model, context.module, node)
        if found is None or not isinstance(made, Class):
            return False
        given = {keyword.arg for keyword in call.keywords}
        return self._takes_plain(*found, given, call, made, context)

    def _takes_plain(
        self,
        body: Instance,
        fields: Iterable[SchemaField],
        given: set[str | None],
        call: ast.Call,
        made: Class,
        context: Context,
    ) -> bool:
        """Whether a table gets the password of a body with its other fields, and keeps it."""
        function = context.module.index.function_of(call)
        if not isinstance(body.of, Class) or not isinstance(function, FUNCTIONS):
            return False
        if is_stored_class(context.model, body.of) or has_validators(body.of):
            return False
        if any(is_replaced_by_hash(context.model, each) for each in (body.of, made)):
            return False
        columns = {
            name
            for base in context.model.resolver.mro(made)
            if isinstance(base, Class)
            for name in base.module.index.scopes[base.node].bindings
        }
        names = {f.name for f in fields if is_password_name(f.name)} & columns - given
        set_later = any(
            isinstance(each, ast.Attribute | ast.Subscript)
            and isinstance(each.ctx, ast.Store)
            and is_password_column(last_name(each))
            for each in ast.walk(function)
        )
        return not set_later and any(keeps_password(context.model, made, name) for name in names)

    @on(ast.Assign)
    def check_assignment(self, node: ast.Assign, context: Context) -> Iterator[Report]:
        """Report stored objects whose password is set to a plain one."""
        for target in node.targets:
            if isinstance(target, ast.Attribute) and is_password_column(target.attr):
                owner = context.resolve(target.value)
                if (
                    isinstance(owner, Instance)
                    and keeps_password(context.model, owner.of, target.attr)
                    and is_plain_password(context.model, context.module, node.value)
                    and not self._same_owner(target, node.value)
                ):
                    yield self.report(node.value, "set")

    def _is_stored(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is the password of an object that was stored."""
        if isinstance(node, ast.Name):
            return selects_password(context.model, context.module, node)
        if not isinstance(node, ast.Attribute | ast.Subscript):
            return False
        if not is_password_column(last_name(node)):
            return False
        owner = context.resolve(node.value)
        if isinstance(owner, Class):  # a condition of a query
            return is_stored_class(context.model, owner)
        if isinstance(owner, Instance):
            if isinstance(owner.of, Class):
                return is_stored_class(context.model, owner.of)
            name = qualified_name(owner) or ""
            if name.startswith(("pydantic", "fastapi.", "starlette.", "builtins.str")):
                return False
        return self._says_stored(node)

    def _says_stored(self, node: ast.Attribute | ast.Subscript) -> bool:
        """Whether the owner's name says so, and it is no parameter that a client fills."""
        return isinstance(node.value, ast.Name) and bool(_STORED.match(node.value.id.lower()))

    def _same_owner(self, first: ast.expr, second: ast.expr) -> bool:
        owners = [ast.unparse(n.value) for n in (first, second) if hasattr(n, "value")]
        return len(owners) == 2 and owners[0] == owners[1]


def _rows(node: ast.expr) -> list[ast.expr]:
    """The rows that `execute(insert(table), rows)` is given."""
    match node:
        case ast.List(elts=rows) | ast.Tuple(elts=rows):
            return rows
        case ast.ListComp(elt=row):
            return [row]
        case _:
            return [node]
