"""What statements and documents put into columns, and compare columns with.

`execute("INSERT INTO users (name) VALUES (?)", (name,))` and `users.insert_one({"name": name})`
both write a column without any class that says so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.engine.index import text_items
from flake8_fastapi_rules.semantics.arguments import is_changed
from flake8_fastapi_rules.semantics.libraries import MONGO_COLLECTIONS, SQL_SINKS, is_in
from flake8_fastapi_rules.semantics.names import last_names

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: The methods of collections that take documents, and those whose first document is a condition.
_WRITING: Final = frozenset({"insert_one", "insert_many"})
_CHANGING: Final = frozenset(
    {
        "find_one_and_replace", "find_one_and_update", "replace_one", "update_many", "update_one",
    }
)  # fmt: skip
_FINDING: Final = frozenset({"count_documents", "find", "find_one"})
#: Methods that run a statement, whatever their library.
STATEMENT_METHODS: Final = frozenset(last_names(SQL_SINKS) | _WRITING | _CHANGING | _FINDING)
_INSERT = re.compile(
    r"\b(?:INSERT|REPLACE)\s+(?:OR\s+\w+\s+)?INTO\s+[\w.\"`]+\s*\((?P<columns>[^()]*)\)"
    r"\s*VALUES\s*\((?P<values>[^()]*)\)",
    re.IGNORECASE,
)
_EQUAL = re.compile(
    r"\b(?P<column>\w+)[\"`]?\s*=\s*(?P<value>\?|%s|%\(\w+\)s|\$\d+|[:@](?!:)\w+)", re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"\?|%s|%\((?P<percent>\w+)\)s|\$(?P<number>\d+)|(?<!:)[:@](?P<name>\w+)")
_CONDITION = re.compile(r"\bWHERE\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A value for a column.

    Parameters:
        column: its name.
        value: the expression that it is given, or compared with.
        is_condition: it is compared.
    """

    column: str
    value: ast.expr
    is_condition: bool


def column_values(model: Model, module: Module, call: ast.Call) -> Iterator[ColumnValue]:
    """The columns that a call writes or compares, in a statement of SQL or in documents."""
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr not in STATEMENT_METHODS or not call.args:
        return
    if func.attr in _WRITING | _CHANGING | _FINDING:
        if _is_of_collection(model, module, func):
            for position, document in enumerate(call.args[:2]):
                is_condition = func.attr in _FINDING or (not position and func.attr in _CHANGING)
                if isinstance(document, ast.Name) and not is_changed(module, document):
                    home, written = model.resolver.written(module, document) or (module, document)
                    document = written if home is module else document
                yield from _of_document(document, is_condition=is_condition)
        return
    callee = model.library_object(module, func)
    if callee is None or not is_in(callee.name, SQL_SINKS):
        return
    statement = call.args[0]
    if isinstance(statement, ast.Call) and statement.args:  # text("...")
        statement = statement.args[0]
    text = model.text(module, statement)
    if text is not None:
        yield from _of_statement(text, call)


def inserted_document(model: Model, module: Module, call: ast.Call) -> ast.expr | None:
    """What `collection.insert_one(...)` stores; `None` for all other calls."""
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr != "insert_one" or not call.args:
        return None
    return call.args[0] if _is_of_collection(model, module, func) else None


def _is_of_collection(model: Model, module: Module, method: ast.Attribute) -> bool:
    callee = model.library_object(module, method)  # knows `database.users`, too
    names = model.resolver.names_of(callee) if callee is not None else ()
    return any(name.rpartition(".")[0] in MONGO_COLLECTIONS for name in names)


def _of_document(node: ast.expr, *, is_condition: bool) -> Iterator[ColumnValue]:
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            for name, value in text_items(part):
                yield ColumnValue(name, value, is_condition)


def _of_statement(text: str, call: ast.Call) -> Iterator[ColumnValue]:
    values = _values_by_place(text, call)
    inserted = _INSERT.search(text)
    if inserted is not None:
        start = inserted.start("values")
        for column, item in zip(
            inserted["columns"].split(","), inserted["values"].split(","), strict=False
        ):
            at = start + len(item) - len(item.lstrip())
            if at in values and _PLACEHOLDER.fullmatch(item.strip()):
                yield ColumnValue(column.strip(' "`\n\t'), values[at], False)
            start += len(item) + 1
    where = _CONDITION.search(text)
    for found in _EQUAL.finditer(text):
        if found.start("value") in values:
            is_condition = where is not None and found.start() > where.start()
            yield ColumnValue(found["column"], values[found.start("value")], is_condition)


def _values_by_place(text: str, call: ast.Call) -> Mapping[int, ast.expr]:
    """What is given for the placeholders of a statement, by their places in the text."""
    given = list(call.args[1:])
    given += [k.value for k in call.keywords if k.arg in {"parameters", "params", "values"}]
    named: dict[str, ast.expr] = {}
    listed: list[ast.expr] = given
    if len(given) == 1 and isinstance(given[0], ast.Dict):
        named.update(text_items(given[0]))
    elif len(given) == 1 and isinstance(given[0], ast.Tuple | ast.List):
        listed = given[0].elts
    if any(isinstance(each, ast.Starred) for each in listed):
        return {}
    values: dict[int, ast.expr] = {}
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        name = found["percent"] or found["name"]
        if name is not None:
            given_value = named.get(name)
        else:
            index = int(found["number"]) - 1 if found["number"] else position
            position += 1
            given_value = listed[index] if 0 <= index < len(listed) else None
        if given_value is not None:
            values[found.start()] = given_value
    return values
