"""Where plain passwords are stored, or compared with stored ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.columns import (
    STATEMENT_METHODS,
    column_values,
    inserted_document,
)
from flake8_fastapi_rules.semantics.credentials import (
    CREATING_METHODS,
    is_password_name,
    is_stored_class,
    last_name,
)
from flake8_fastapi_rules.semantics.libraries import SETTINGS
from flake8_fastapi_rules.semantics.modules import Module
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
from flake8_fastapi_rules.semantics.schemas import SchemaField, dumped_fields, schema_fields
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Expression,
    External,
    Instance,
    Value,
    qualified_name,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

#: Receivers that hold what was found in a database.
_STORED = re.compile(
    r"^(?:\w+_)?(?:user|account|customer|member|admin|record|row|stored|existing|db)$|^db_\w+$"
)
#: Variables that say so themselves.
_STORED_PASSWORD = re.compile(
    r"^(?:stored|saved)_(?:password|passwd|pwd)$|^(?:password|passwd|pwd)_(?:in|from)_db$"
)
#: What users are found by.
_USER_NAMES = frozenset({"user_name", "username", "email", "login", "user"})
#: The same, where the mapping is called after them.
_SHORT_NAMES = frozenset({"name", "user_id", "account", "uid"})
_OF_USERS = re.compile(r"(?:^|_)(?:users?|accounts|logins|passwords|credentials|members)(?:_|$)")
#: Class methods that make an object of another's attributes.
_CONVERSIONS = frozenset({"model_validate", "from_orm", "parse_obj"})


@dataclass(frozen=True, slots=True)
class PlainPassword:
    """A place where a plain password meets what is stored.

    Parameters:
        node: the password, or the comparison or call as a whole.
        is_stored: it is put there, rather than compared with what is there.
    """

    node: ast.expr
    is_stored: bool = True


def plain_passwords_in(
    model: Model, module: Module, node: ast.Compare | ast.Call | ast.Assign
) -> Iterator[PlainPassword]:
    """Where a comparison, call or assignment has to do with a password that is stored as typed."""
    search = _Search(model, module)
    match node:
        case ast.Compare():
            if search.compares(node):
                yield PlainPassword(node, is_stored=False)
        case ast.Call():
            yield from search.in_call(node)
        case ast.Assign():
            yield from search.assigned(node)


@dataclass(frozen=True, slots=True)
class _Search:
    model: Model
    module: Module

    def compares(self, node: ast.Compare) -> bool:
        """Whether a stored password is compared with a plain one."""
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return False
        sides = (node.left, node.comparators[0])
        return any(
            self._is_stored(stored)
            and self._is_plain(plain)
            and not self._same_owner(stored, plain)
            for stored, plain in (sides, sides[::-1])
        )

    def assigned(self, node: ast.Assign) -> Iterator[PlainPassword]:
        """Where the password of a stored object is set."""
        for target in node.targets:
            if isinstance(target, ast.Attribute) and is_password_column(target.attr):
                owner = self.model.resolve(self.module, target.value)
                if (
                    isinstance(owner, Instance)
                    and keeps_password(self.model, owner.of, target.attr)
                    and self._is_plain(node.value)
                    and not self._same_owner(target, node.value)
                ):
                    yield PlainPassword(node.value)

    def in_call(self, call: ast.Call) -> Iterator[PlainPassword]:
        """Where a call makes an object or row, or asks for one."""
        match call.func:
            case ast.Attribute(attr="filter_by"):
                for keyword in call.keywords:
                    if is_password_column(keyword.arg) and self._is_plain(keyword.value):
                        yield PlainPassword(keyword.value, is_stored=False)
                return
            case ast.Attribute(attr="update" | "values", value=receiver):
                yield from self._in_rows(receiver, call.args[:1])
            case ast.Attribute(attr="execute") if len(call.args) == 2:
                yield from self._in_rows(call.args[0], _rows(call.args[1]))
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in STATEMENT_METHODS:
                yield from self._in_statement(call)
            if call.func.attr in _CONVERSIONS and call.args:
                if self._converts_plain(call, call.func.value):
                    yield PlainPassword(call)
                return
        yield from self._in_arguments(call)

    def _in_rows(self, statement: ast.expr, rows: list[ast.expr]) -> Iterator[PlainPassword]:
        """In `insert(table).values({"password": ...})` and `execute(insert(table), rows)`."""
        table = written_table(self.model, self.module, statement)
        for row in rows:
            for name, value in self._columns_of(row):
                if keeps_password(self.model, table, name) and self._is_plain(value):
                    yield PlainPassword(value)

    def _in_statement(self, call: ast.Call) -> Iterator[PlainPassword]:
        """In a statement in SQL and its values."""
        if self._stores_dump(call):
            yield PlainPassword(call)
        columns = list(column_values(self.model, self.module, call))
        if any("salt" in column.column.lower() for column in columns):
            return  # what is stored beside a salt is a hash
        for column in columns:
            if not is_password_column(column.column) or not self._is_plain(column.value):
                continue
            if column.is_condition:
                yield PlainPassword(column.value, is_stored=False)
            elif comes_from_client(self.model, self.module, column.value):
                yield PlainPassword(column.value)

    def _stores_dump(self, call: ast.Call) -> bool:
        """Whether `insert_one(body.model_dump())` stores the password of the body as it is."""
        found = dumped_fields(
            self.model, self.module, inserted_document(self.model, self.module, call)
        )
        if found is None:
            return False
        body, fields = found
        return self._may_hold_plain(body, call) and any(is_password_name(f.name) for f in fields)

    def _in_arguments(self, call: ast.Call) -> Iterator[PlainPassword]:
        """In `User(password=...)` and `User(**body.model_dump())`."""
        given = [k for k in call.keywords if k.arg is None or is_password_column(k.arg)]
        made = self._made(call) if given else UNKNOWN
        for keyword in given:
            if keyword.arg is None:
                if self._unpacks_plain(keyword.value, call, made):
                    yield PlainPassword(call)
            elif keeps_password(self.model, made, keyword.arg) and self._is_plain(keyword.value):
                yield PlainPassword(keyword.value)

    def _is_plain(self, node: ast.expr) -> bool:
        return is_plain_password(self.model, self.module, node)

    def _made(self, call: ast.Call) -> Value:
        """The class that a call makes a row of: `User(...)`, `insert(User).values(...)`."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"update", "values"}:
            return written_table(self.model, self.module, call.func.value)
        made = self.model.resolve(self.module, call.func)
        if isinstance(made, External) and made.name in CREATING_METHODS:
            return self.model.resolve(self.module, getattr(call.func, "value", None))
        return made

    def _columns_of(self, row: ast.expr) -> Iterator[tuple[str, ast.expr]]:
        written = literal_keywords(self.model.resolver, self.module, row) or {}
        for name, value in written.items():
            if is_password_column(name):
                yield name, value

    def _converts_plain(self, call: ast.Call, table: ast.expr) -> bool:
        """Whether `Table.model_validate(body)` stores the password of the body as it is."""
        made, body = (
            self.model.resolve(self.module, table),
            self.model.resolve(self.module, call.args[0]),
        )
        if not isinstance(made, Class) or not is_stored_class(self.model, made):
            return False
        if not isinstance(body, Instance) or not isinstance(body.of, Class):
            return False
        if not self.model.is_subclass(body.of, "pydantic.BaseModel"):
            return False
        update = next((k.value for k in call.keywords if k.arg == "update"), None)
        changed: set[str | None] = set()
        if update is not None:
            written = self.model.resolver.written(self.module, update)
            home, node = written or (self.module, update)
            keywords = literal_keywords(self.model.resolver, home, node)
            if keywords is None:
                return False
            changed.update(keywords)
        fields = schema_fields(self.model, body.of)
        return self._takes_plain(body, fields, changed, call, made)

    def _unpacks_plain(self, node: ast.expr, call: ast.Call, made: object) -> bool:
        """Whether `Table(**body.model_dump())` stores the password of the body as it is."""
        found = dumped_fields(self.model, self.module, node)
        if found is None or not isinstance(made, Class):
            return False
        given = {keyword.arg for keyword in call.keywords}
        return self._takes_plain(*found, given, call, made)

    def _takes_plain(
        self,
        body: Instance,
        fields: Iterable[SchemaField],
        given: set[str | None],
        call: ast.Call,
        made: Class,
    ) -> bool:
        """Whether a table gets the password of a body with its other fields, and keeps it."""
        if not self._may_hold_plain(body, call) or is_replaced_by_hash(self.model, made):
            return False
        columns = {
            name
            for base in self.model.resolver.mro(made)
            if isinstance(base, Class)
            for name in base.module.index.scopes[base.node].bindings
        }
        names = {f.name for f in fields if is_password_name(f.name)} & columns - given
        return any(keeps_password(self.model, made, name) for name in names)

    def _may_hold_plain(self, body: Instance, call: ast.Call) -> bool:
        """Whether nobody makes a hash of the password of a body before a call stores it."""
        function = self.module.index.function_of(call)
        if not isinstance(body.of, Class) or not isinstance(function, FUNCTIONS):
            return False
        if is_stored_class(self.model, body.of) or has_validators(body.of):
            return False
        return not is_replaced_by_hash(self.model, body.of) and not any(
            isinstance(each, ast.Attribute | ast.Subscript)
            and isinstance(each.ctx, ast.Store)
            and is_password_column(last_name(each))
            for each in ast.walk(function)
        )

    def _is_stored(self, node: ast.expr) -> bool:
        """Whether an expression is the password of an object that was stored."""
        if isinstance(node, ast.Name):
            if _STORED_PASSWORD.match(node.id):
                return True
            found = self.module.index.lookup(node.id, node)
            given = found[1][0].given if found is not None and len(found[1]) == 1 else None
            if given is not None and _is_found_by_name(given):
                return self._is_mapping(given)
            return selects_password(self.model, self.module, node)
        if _is_found_by_name(node):
            return self._is_mapping(node)
        if not isinstance(node, ast.Attribute | ast.Subscript):
            return False
        if not is_password_column(last_name(node)):
            return False
        owner = self.model.resolve(self.module, node.value)
        if isinstance(owner, Class):  # a condition of a query
            return is_stored_class(self.model, owner)
        if isinstance(owner, Instance):
            if isinstance(owner.of, Class):
                return is_stored_class(self.model, owner.of)
            name = qualified_name(owner) or ""
            if name.startswith(("pydantic", "fastapi.", "starlette.", "builtins.str")):
                return False
        return self._says_stored(node)

    def _says_stored(self, node: ast.Attribute | ast.Subscript) -> bool:
        """Whether the owner's name says so, and it is no parameter that a client fills."""
        if _is_found_by_name(node.value):
            return True
        return isinstance(node.value, ast.Name) and bool(_STORED.match(node.value.id.lower()))

    def _is_mapping(self, node: ast.expr) -> bool:
        """Whether an expression takes an entry of a mapping of texts, which is no setting."""
        mapping = getattr(node, "value", None) or getattr(
            getattr(node, "func", None), "value", None
        )
        if isinstance(mapping, ast.Attribute) and self.model.is_instance(
            self.model.resolve(self.module, mapping.value), *SETTINGS
        ):
            return False
        value = self.model.resolve(self.module, mapping)
        return isinstance(value, Instance | Expression) and (
            isinstance(value, Expression) or self.model.is_instance(value, "builtins.dict")
        )

    def _same_owner(self, first: ast.expr, second: ast.expr) -> bool:
        owners = [ast.unparse(n.value) for n in (first, second) if hasattr(n, "value")]
        return len(owners) == 2 and owners[0] == owners[1]


def _is_found_by_name(node: ast.expr) -> bool:
    """Whether an expression looks a user up in a mapping: `USERS[form.username]`, or by `get`."""
    match node:
        case (
            ast.Subscript(value=mapping, slice=key)
            | ast.Call(func=ast.Attribute(attr="get", value=mapping), args=[key, *_])
        ):
            name = last_name(key)
            return name in _USER_NAMES or (
                name in _SHORT_NAMES and _OF_USERS.search(last_name(mapping) or "") is not None
            )
        case _:
            return False


def _rows(node: ast.expr) -> list[ast.expr]:
    """The rows that `execute(insert(table), rows)` is given."""
    match node:
        case ast.List(elts=rows) | ast.Tuple(elts=rows):
            return rows
        case ast.ListComp(elt=row):
            return [row]
        case _:
            return [node]
