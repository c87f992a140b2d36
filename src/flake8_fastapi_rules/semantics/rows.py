"""Which of the project's classes the rows of a query are objects of.

`select(User)` and `session.query(User)` carry the class as their type argument. It goes from the
statement to the result (`session.scalars(statement)`), to lists of rows (`.all()`) and to single
rows (`.first()`, `.scalar_one()`, `session.get(User, 1)`). Active records are asked by their class
itself (`await User.get(id=1)`) and give themselves when they are stored (`await user.insert()`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from flake8_fastapi_rules.semantics.names import member_set
from flake8_fastapi_rules.semantics.values import UNKNOWN, Class, External, Instance, Value

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.resolve import Resolver

#: Types of statements and results that carry the class of their rows.
ROW_CARRIERS: Final = frozenset(
    {
        "sqlalchemy.Select", "sqlalchemy.orm.Query", "sqlalchemy.engine.Result",
        "sqlalchemy.engine.ScalarResult", "sqlalchemy.ext.asyncio.AsyncResult",
        "sqlalchemy.ext.asyncio.AsyncScalarResult",
    }
)  # fmt: skip
#: Those whose items are such rows.
ITERABLE_ROWS: Final = frozenset(
    {
        "sqlalchemy.orm.Query", "sqlalchemy.engine.ScalarResult",
        "sqlalchemy.ext.asyncio.AsyncScalarResult",
    }
)  # fmt: skip
#: What gives its one row, or `None`, by the class that it is given.
_GETTERS: Final = member_set(
    """sqlalchemy.orm.Session: get get_one; sqlalchemy.orm.scoped_session: get get_one;
    sqlalchemy.ext.asyncio.AsyncSession: get get_one;
    sqlalchemy.ext.asyncio.async_scoped_session: get get_one;
    odmantic.AIOEngine.find_one; odmantic.SyncEngine.find_one"""
)
#: Methods of active records that give one row of the class that they are called on.
_RECORD_GETTERS: Final = member_set(
    """tortoise.models.Model: create first get get_or_none;
    beanie.Document: find_one get insert replace save set;
    peewee.Model: create get get_by_id get_or_none;
    mongoengine.Document.save"""
)
#: The same of what a class keeps for its queries: `Album.objects.get(id=1)`.
_MANAGER_GETTERS: Final = member_set(
    """ormar.Model.objects: create first get get_or_none;
    edgy.Model.query: create first get get_or_none"""
)
#: What the names of libraries with rows begin with.
ROW_LIBRARIES: Final = (
    "sqlalchemy.", "sqlmodel.", "odmantic.", "tortoise.", "beanie.", "peewee.", "mongoengine.",
    "ormar.", "edgy.",
)  # fmt: skip
#: What asks for the rows of a class.
_MAKERS: Final = member_set(
    """sqlalchemy.select; sqlmodel.select; sqlalchemy.orm.Session.query;
    sqlalchemy.orm.scoped_session.query"""
)
#: What runs a statement and gives its rows.
_RUNNERS: Final = member_set(
    """sqlalchemy.orm.Session: execute scalars; sqlalchemy.orm.scoped_session: execute scalars;
    sqlalchemy.ext.asyncio.AsyncSession: execute scalars stream stream_scalars;
    sqlalchemy.ext.asyncio.async_scoped_session: execute scalars;
    sqlmodel.Session.exec; sqlmodel.ext.asyncio.session.AsyncSession.exec"""
)
#: What runs a statement and gives the first row.
_SCALARS: Final = member_set(
    """sqlalchemy.orm.Session.scalar; sqlalchemy.orm.scoped_session.scalar;
    sqlalchemy.ext.asyncio.AsyncSession.scalar;
    sqlalchemy.ext.asyncio.async_scoped_session.scalar"""
)
#: What gives one row of a result. The rows of a plain `Result` are tuples, so only its scalars.
_SINGLES: Final = member_set(
    """sqlalchemy.orm.Query: first get one one_or_none scalar;
    sqlalchemy.engine.ScalarResult: first one one_or_none;
    sqlalchemy.engine.Result: scalar scalar_one scalar_one_or_none"""
)
#: What gives all of them.
_LISTS: Final = member_set(
    "sqlalchemy.orm.Query.all; sqlalchemy.engine.ScalarResult: all fetchall fetchmany"
)


#: What changes of what the rows are.
_OTHER_ROWS: Final = frozenset(
    {"add_columns", "add_entity", "columns", "with_entities", "with_only_columns", "column"}
)


def queried(
    resolver: Resolver, names: tuple[str, ...], result: str | None, module: Module, node: ast.Call
) -> Value:
    """What a call of a library gives that is, or holds, objects of a class of the project.

    Parameters:
        names: the canonical names of what is called.
        result: the type of its result, as far as the library tells.

    Returns:
        `UNKNOWN` where no class of the project is known to be behind it.
    """
    if isinstance(node.func, ast.Attribute) and not _RECORD_GETTERS.isdisjoint(names):
        owner_value = resolver.resolve(module, node.func.value)
        if isinstance(owner_value, Instance):
            return owner_value if isinstance(owner_value.of, Class) else UNKNOWN
        return Instance(owner_value) if isinstance(owner_value, Class) else UNKNOWN
    match node.func:
        case ast.Attribute(value=ast.Attribute(value=holder)) if not _MANAGER_GETTERS.isdisjoint(
            names
        ):
            owner_value = resolver.resolve(module, holder)
            return Instance(owner_value) if isinstance(owner_value, Class) else UNKNOWN
    for name in names:
        if name in _GETTERS or name in _MAKERS:
            cls = resolver.resolve(module, node.args[0]) if node.args else UNKNOWN
            if not isinstance(cls, Class):
                return UNKNOWN
            if name in _GETTERS:
                return Instance(cls)
            return _holding(result, Instance(cls), module, node) if len(node.args) == 1 else UNKNOWN
        owner, _, member = name.rpartition(".")
        if name in _RUNNERS or name in _SCALARS:
            source: ast.expr | None = node.args[0] if node.args else None
        elif owner in ROW_CARRIERS and isinstance(node.func, ast.Attribute):
            source = node.func.value
        else:
            continue
        row = _row_of(resolver.resolve(module, source))
        if not row or member in _OTHER_ROWS:
            return UNKNOWN
        if name in _SCALARS or name in _SINGLES:
            return row
        if result in ROW_CARRIERS or name in _LISTS:
            return _holding(result, row, module, node)
        return UNKNOWN
    return UNKNOWN


def _holding(result: str | None, row: Value, module: Module, node: ast.Call) -> Value:
    return UNKNOWN if result is None else Instance(External(result), module, node, (row,))


def _row_of(value: Value) -> Value:
    match value:
        case Instance(of=External(name), args=(Instance() as row,)) if name in ROW_CARRIERS:
            return row
        case _:
            return UNKNOWN
