"""FAR618: rows of one column where objects are meant."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.findings import Edit, Fix, FixMaker, Unfixable
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import SESSIONS, SQL_SELECTS
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.names import looks_like_class
from flake8_fastapi_rules.semantics.resolve import first_argument
from flake8_fastapi_rules.semantics.values import Class, External, Instance

_FETCHES = frozenset({"all", "fetchall", "first", "one", "one_or_none"})
_WIDENING = frozenset({"add_columns", "with_only_columns", "add_entity", "column"})

_ROW_MEMBERS = frozenset({"_asdict", "_fields", "_mapping", "_tuple", "t", "tuple"})


class RowsInsteadOfScalars(Rule):
    """Use `scalars()` for queries of one entity.

    ## What it does
    Reports `session.execute(select(Model))` whose result is fetched with `all()`, `first()`,
    `one()` or `one_or_none()` without `scalars()`.

    ## Why it matters
    `execute` gives rows, tuples with one element each: `user.name` fails with `AttributeError`, a
    response model complains about missing fields, and the usual cure, `[row[0] for row in rows]`,
    says less than `scalars()` does.

    ## Example
    ```python
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"


    async def all_users(session: AsyncSession) -> list[User]:
        return (await session.execute(select(User))).all()
    ```

    ## Use instead
    ```python
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"


    async def all_users(session: AsyncSession) -> list[User]:
        return list((await session.execute(select(User))).scalars().all())
    ```

    ## Leaves alone
    Queries of several entities or of columns, `session.scalars(...)`, SQLModel's `exec`, rows that
    are only compared (`first() is not None`), and statements that cannot be resolved.

    ## Fix safety
    Safe: it adds `scalars()` where the rows are returned or kept, so that they become what the
    code takes them for. There is no fix where they are taken apart as tuples right there.

    ## Source
    SQLAlchemy's documentation: selecting ORM entities, `Result.scalars`.
    """

    code = "FAR618"
    message = "Rows of one `{entity}` each; call `scalars()` before `{fetch}()`"
    profiles = ("strict",)
    fix = "safe"
    hints = (".execute(",)

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report fetches from results of one entity."""
        func = call.func
        if not isinstance(func, ast.Attribute) or func.attr not in _FETCHES:
            return
        if isinstance(context.module.index.parents.get(call), ast.Compare):
            return  # `is not None`: whether there is a row at all
        result = context.resolve(func.value)
        if not context.model.is_instance(result, "sqlalchemy.engine.Result"):
            return
        if not isinstance(result, Instance) or result.call is None or result.module is None:
            return
        entity = self._entity(result.module, result.call, context)
        if entity is not None:
            yield self.report(
                call, entity=entity, fetch=func.attr, fix=self._fix(context, call, func, entity)
            )

    def _entity(self, module: Module, execute: ast.Call, context: Context) -> str | None:
        """The name of the only entity that an executed `select` asks for."""
        while isinstance(execute.func, ast.Attribute) and execute.func.attr in {
            "unique",
            "yield_per",
            "execution_options",
        }:
            inner = execute.func.value
            inner = inner.value if isinstance(inner, ast.Await) else inner
            if not isinstance(inner, ast.Call):
                return None
            execute = inner
        if not isinstance(execute.func, ast.Attribute) or execute.func.attr != "execute":
            return None
        session = context.model.resolve(module, execute.func.value)
        if not context.model.is_instance(session, *SESSIONS):
            return None
        statement = context.model.resolve(module, first_argument(execute, "statement"))
        if not context.model.is_instance(statement, "sqlalchemy.Select"):
            return None
        if not isinstance(statement, Instance) or statement.module is None:
            return None
        node: ast.expr | None = statement.call
        while isinstance(node, ast.Call):
            callee = context.model.resolve(statement.module, node.func)
            if isinstance(callee, External) and callee.name in SQL_SELECTS:
                if len(node.args) != 1 or isinstance(node.args[0], ast.Starred):
                    return None
                entity = context.model.resolve(statement.module, node.args[0])
                if isinstance(entity, External) and looks_like_class(entity.name):
                    return entity.name.rpartition(".")[2]
                return entity.node.name if isinstance(entity, Class) else None
            if not isinstance(node.func, ast.Attribute) or node.func.attr in _WIDENING:
                return None
            node = node.func.value
            if isinstance(node, ast.Name):
                value = context.model.resolve(statement.module, node)
                if not isinstance(value, Instance) or value.module is not statement.module:
                    return None
                node = value.call
        return None

    def _takes_apart(
        self, statement: ast.Assign | ast.AnnAssign | ast.NamedExpr, entity: str, context: Context
    ) -> bool:
        """Whether rows that are kept under a name are used as the tuples that they are."""
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if not all(isinstance(target, ast.Name) for target in targets):
            return True
        index = context.module.index
        nodes = list(ast.walk(index.function_of(statement) or context.module.tree))
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        for node in nodes:
            if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                if not any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node.iter)):
                    continue
                if not isinstance(node.target, ast.Name):
                    return True
                names.add(node.target.id)
        for node in nodes:
            if isinstance(node, ast.Attribute | ast.Subscript):
                root = node.value
                while isinstance(root, ast.Subscript):
                    root = root.value
                if not isinstance(root, ast.Name) or root.id not in names:
                    continue
                if isinstance(node, ast.Subscript) or node.attr in {entity, *_ROW_MEMBERS}:
                    return True
        return False

    def _fix(self, context: Context, call: ast.Call, func: ast.Attribute, entity: str) -> FixMaker:
        def fix() -> Fix:
            parent = context.module.index.parents.get(call)
            if isinstance(parent, ast.Await):
                parent = context.module.index.parents.get(parent)
            if isinstance(parent, ast.Subscript | ast.For | ast.AsyncFor | ast.comprehension):
                raise Unfixable("the rows are taken apart at once")
            if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
                if self._takes_apart(parent, entity, context):
                    raise Unfixable("the rows are taken apart below")
            text = text_of(context.module)
            _, end = text.span(func.value)
            return fix_of("Add `scalars()`", "safe", Edit(end, end, ".scalars()"))

        return fix
