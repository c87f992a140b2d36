"""FAR609: SQL put together from values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS, terminal_name
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on, on_calls
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.facts import FrameworkFunction
from flake8_fastapi_rules.semantics.libraries import SQL_SINKS, spellings
from flake8_fastapi_rules.semantics.names import last_names
from flake8_fastapi_rules.semantics.sql import BuiltSql, is_sql
from flake8_fastapi_rules.semantics.values import External, Function, FunctionNode

#: Methods that run SQL on objects whose type is not known, if what they are given is SQL.
_RUNNERS = frozenset(
    {
        "exec_driver_sql", "execute", "executemany", "executescript", "fetch", "fetch_all",
        "fetch_one", "fetch_val", "fetchrow", "fetchval", "text", "raw",
    }
)  # fmt: skip
#: What functions that take SQL call it.
_STATEMENTS = frozenset({"clause", "operation", "query", "sql", "statement", "text"})
#: What may be, or stand for, a text that is put together.
_MAY_BE_BUILT = (ast.Name, ast.JoinedStr, ast.BinOp, ast.Call)


class SqlInjection(Rule):
    """Pass values to SQL as parameters.

    ## What it does
    Reports SQL that is put together from a function's parameters, with an f-string, `%`,
    `format()` or `+`, and given to `text()`, `execute()`, `fetch()` or the like, or to a function
    of the project that does so.

    ## Why it matters
    Whoever sends the value writes part of the statement: a search for `' OR 1=1 --` reads all
    rows, and with some drivers a second statement deletes them. Quoting by hand is what attackers
    count on; bound parameters never become part of the statement.

    ## Example
    ```python
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession


    async def find(session: AsyncSession, name: str) -> None:
        await session.execute(text(f"SELECT id FROM users WHERE name = '{name}'"))
    ```

    ## Use instead
    ```python
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession


    async def find(session: AsyncSession, name: str) -> None:
        await session.execute(text("SELECT id FROM users WHERE name = :name"), {"name": name})
    ```

    ## Leaves alone
    Constants, dates, UUIDs, enumerations and numbers (but for values of rows in endpoints and
    dependencies), placeholders that are joined, names of
    tables and columns and other parts of a statement unless they come from a request, values that
    the function checks against a fixed set or pattern, and what tests pass to their database.

    ## Source
    OWASP: SQL injection prevention; SQLAlchemy's documentation of `text()`.
    """

    code = "FAR609"
    message = "`{name}` becomes part of the SQL; pass it as a bound parameter"
    profiles = ("recommended",)
    is_bug = True

    @on_calls(_RUNNERS | last_names(SQL_SINKS))
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report SQL with values in it where it is run or made."""
        given = call.args[0] if call.args else self._named(call)
        if not isinstance(given, _MAY_BE_BUILT):
            return
        sql = BuiltSql(context.model, context.module)
        found = [(built, *sql.taken_apart(built)) for built in sql.built(given)]
        if not found:
            return
        func = call.func
        last = terminal_name(func)
        callee = context.resolve(func)
        is_sink = isinstance(callee, External) and any(
            name in SQL_SINKS for name in spellings(callee.name)
        )
        function = context.module.index.function_of(call)
        if not isinstance(function, FUNCTIONS):
            return
        if isinstance(callee, Function):
            # What FastAPI code hands on is reported below, whatever the function is called.
            filled = argument_filled(callee, call, given)
            is_framework = bool(context.model.roles(Function(context.module, function)))
            if is_framework or filled is None or not _runs(callee.node, filled.arg):
                return
        elif not is_sink and (callee or last not in _RUNNERS):
            return
        for built, literal, parts in found:
            if not is_sink and not is_sql(literal):
                continue
            for part in parts:
                name = sql.danger(part, function)
                if name is not None:
                    yield self.report(built, name=name)
                    return

    @on(FrameworkFunction)
    def check_handed_on(self, fact: FrameworkFunction, context: Context) -> Iterator[Report]:
        """Report such SQL where it is given to a function of the project that runs it."""
        sql = BuiltSql(context.model, context.module)
        for site in context.model.effects.calls(Function(context.module, fact.node)):
            if site.target is None or not isinstance(site.target.node, FUNCTIONS):
                continue
            called = site.callee if isinstance(site.callee, Function) else site.target
            for given in (*site.node.args, *(keyword.value for keyword in site.node.keywords)):
                for built in sql.built(given) if isinstance(given, _MAY_BE_BUILT) else ():
                    literal, parts = sql.taken_apart(built)
                    filled = argument_filled(called, site.node, given) if is_sql(literal) else None
                    if filled is None or not _runs(site.target.node, filled.arg):
                        continue
                    names = (sql.danger(part, fact.node) for part in parts)
                    name = next((each for each in names if each is not None), None)
                    if name is not None:
                        yield self.report(built, name=name)

    def _named(self, call: ast.Call) -> ast.expr | None:
        """The SQL that is given by name, as in `database.fetch_all(query=...)`."""
        return next((k.value for k in call.keywords if k.arg in _STATEMENTS), None)


def _runs(function: FunctionNode | ast.Lambda, name: str) -> bool:
    """Whether a function runs the SQL that one of its parameters is."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        func, given = node.func, node.args[0]
        if isinstance(given, ast.Call) and given.args:
            given = given.args[0]  # `execute(text(sql))`
        last = terminal_name(func)
        if last in _RUNNERS and isinstance(given, ast.Name) and given.id == name:
            return True
    return False
