"""FAR609: SQL put together from values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.libraries import SQL_SINKS, spellings
from flake8_fastapi_rules.semantics.resolve import default_of
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    FunctionNode,
    Instance,
)

#: Methods that run SQL on objects whose type is not known, if what they are given is SQL.
_RUNNERS = frozenset(
    {
        "exec_driver_sql", "execute", "executemany", "executescript", "fetch", "fetch_all",
        "fetch_one", "fetch_val", "fetchrow", "fetchval", "text", "raw",
    }
)  # fmt: skip
_SQL = re.compile(
    r"\b(?:SELECT\b.+\bFROM|INSERT\s+INTO|REPLACE\s+INTO|UPDATE\s+\S+.*\bSET|DELETE\s+FROM"
    r"|DROP\s+TABLE|ALTER\s+TABLE|CREATE\s+TABLE|TRUNCATE)\b",
    re.IGNORECASE | re.DOTALL,
)
#: What stands in front of a value; everywhere else there are names or parts of the statement.
_VALUE = re.compile(
    r"(?:[=<>]|\bLIKE|\bILIKE|\bIN\s*\(|\bVALUES\s*\([^()]*|\bLIMIT|\bOFFSET|\bBETWEEN)"
    r"\s*['%]*\s*$",
    re.IGNORECASE,
)
#: What the project's own code calls the names of tables and the like.
_NAMES = re.compile(
    r"(?:^|_)(?:table|schema|col|column|constraint|seq|sequence|idx|index|database|view|field"
    r"|catalog|trigger|role)s?(?:$|_)"
)
_SAFE_CALLS = frozenset(
    {"int", "float", "len", "bool", "abs", "round", "max", "min", "sum", "hash"}
)
_SAFE_TYPES = (
    "builtins.int", "builtins.float", "builtins.bool", "decimal.Decimal", "uuid.UUID",
    "datetime.date", "datetime.datetime", "datetime.timedelta", "datetime.time", "enum.Enum",
    "typing.Literal", "sqlalchemy.Table",
)  # fmt: skip
#: What may be, or stand for, a text that is put together.
_MAY_BE_BUILT = (ast.Name, ast.JoinedStr, ast.BinOp, ast.Call)
#: Methods that leave a text as dangerous as it was.
_STRING_METHODS = frozenset(
    {
        "strip", "lstrip", "rstrip", "lower", "upper", "title", "format", "encode", "decode",
        "get", "removeprefix", "removesuffix", "join",
    }
)  # fmt: skip
_CHECKS = frozenset(
    {"match", "fullmatch", "isidentifier", "isalnum", "isdigit", "isnumeric", "isdecimal", "index"}
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A value that is put into SQL, and the literal text before it."""

    node: ast.expr
    before: str


class SqlInjection(Rule):
    """Pass values to SQL as parameters.

    ## What it does
    Reports SQL that is put together from a function's parameters, with an f-string, `%`,
    `format()` or `+`, and given to `text()`, `execute()`, `fetch()` or the like.

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
    Constants, numbers, dates, UUIDs and enumerations, placeholders that are joined, names of
    tables and columns and other parts of a statement unless they come from a request, values that
    the function checks against a fixed set or pattern, and what tests pass to their database.

    ## Source
    OWASP: SQL injection prevention; SQLAlchemy's documentation of `text()`.
    """

    code = "FAR609"
    message = "`{name}` becomes part of the SQL; pass it as a bound parameter"
    profiles = ("recommended",)
    is_bug = True

    @on(ast.Call)
    def check(self, call: ast.Call, context: Context) -> Iterator[Report]:
        """Report SQL with values in it where it is run or made."""
        if not call.args or not isinstance(call.args[0], _MAY_BE_BUILT):
            return
        func = call.func
        last = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        callee = context.resolve(func)
        is_sink = isinstance(callee, External) and any(
            name in SQL_SINKS for name in spellings(callee.name)
        )
        if not is_sink and (callee or last not in _RUNNERS):
            return
        function = context.module.index.function_of(call)
        if not isinstance(function, FUNCTIONS):
            return
        for built in self._built(call.args[0], context, 0):
            literal, parts = _taken_apart(built)
            if not is_sink and not _SQL.search(literal):
                continue
            for part in parts:
                name = self._danger(part, function, context)
                if name is not None:
                    yield self.report(built, name=name)
                    return

    def _built(self, node: ast.expr, context: Context, depth: int) -> Iterator[ast.expr]:
        """The expressions that put a text together, behind local names."""
        if depth > 4:
            return
        if isinstance(node, ast.Name):
            found = context.module.index.lookup(node.id, node)
            if found is None or not isinstance(found[0].node, FUNCTIONS):
                return
            for binding in found[1]:
                if binding.value is not None and binding.kind in {"assign", "augmented", "walrus"}:
                    yield from self._built(binding.value, context, depth + 1)
            return
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
        ):
            yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "format":
                yield node
            elif node.func.attr in {"strip", "bindparams", "replace"}:
                yield from self._built(node.func.value, context, depth + 1)

    def _danger(self, part: _Part, function: FunctionNode, context: Context) -> str | None:
        """The parameter that gets into the SQL unchecked; `None` if none does."""
        value = context.resolve(function)
        is_request = isinstance(value, Function) and bool(context.model.roles(value))
        if not is_request and (
            not _is_value(part.before) or context.settings.is_test_path(context.path)
        ):
            return None
        origin = self._origin(part.node, function, context, 0)
        if origin is not None and not is_request and _NAMES.search(origin):
            return None
        return origin

    def _origin(
        self, node: ast.expr, function: FunctionNode, context: Context, depth: int
    ) -> str | None:
        """How the parameter behind an expression is written; `None` if there is none, or safe."""
        if depth > 6:
            return None
        value = context.resolve(node)
        if isinstance(value, Constant) or context.model.is_instance(value, *_SAFE_TYPES):
            return None
        if isinstance(value, Instance) and isinstance(value.of, Class):
            if context.model.is_instance(value, "enum.Enum"):
                return None
        match node:
            case ast.Name(id=name):
                return self._origin_of_name(node, name, function, context, depth)
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                if isinstance(node, ast.Attribute) and not value:
                    return None  # what the attribute of an unknown object holds is not known
                found = self._origin(inner, function, context, depth + 1)
                return ast.unparse(node) if found and len(ast.unparse(node)) < 40 else found
            case ast.FormattedValue(value=inner) | ast.Await(value=inner):
                return self._origin(inner, function, context, depth + 1)
            case ast.JoinedStr() | ast.BinOp():
                for part in _taken_apart(node)[1]:
                    found = self._origin(part.node, function, context, depth + 1)
                    if found:
                        return found
                return None
            case ast.IfExp(body=body, orelse=orelse):
                return self._origin(body, function, context, depth + 1) or self._origin(
                    orelse, function, context, depth + 1
                )
            case ast.Call(func=ast.Name(id="str" | "repr"), args=[inner]):
                return self._origin(inner, function, context, depth + 1)
            case ast.Call(func=ast.Name(id=called)) if called in _SAFE_CALLS:
                return None
            case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in _STRING_METHODS:
                if attr == "join":
                    return None
                return self._origin(inner, function, context, depth + 1)
            case _:
                return None

    def _origin_of_name(
        self, node: ast.Name, name: str, function: FunctionNode, context: Context, depth: int
    ) -> str | None:
        if name in {"self", "cls"} or _is_checked(name, function):
            return None
        found = context.module.index.lookup(name, node)
        if found is None or not isinstance(found[0].node, FUNCTIONS):
            return None
        for binding in found[1]:
            if binding.kind == "parameter":
                assert isinstance(binding.node, ast.arg)
                if not self._is_safe_parameter(binding.node, function, context):
                    return name
            elif binding.value is not None and binding.kind in {"assign", "walrus"}:
                origin = self._origin(binding.value, function, context, depth + 1)
                if origin:
                    return origin
        return None

    def _is_safe_parameter(
        self, parameter: ast.arg, function: FunctionNode, context: Context
    ) -> bool:
        default = default_of(function.args, parameter)
        if parameter.annotation is None:
            if parameter in (function.args.vararg, function.args.kwarg):
                return True
            return isinstance(default, ast.Constant) and isinstance(default.value, int | float)
        typed = context.model.resolver.annotation(context.module, parameter.annotation)
        if context.model.is_instance(typed, "builtins.str", "builtins.dict", "typing.Any"):
            return False
        if isinstance(typed, Instance) and isinstance(typed.of, Class):
            return context.model.is_instance(typed, "enum.Enum")
        return True


def _taken_apart(node: ast.expr) -> tuple[str, list[_Part]]:
    """The literal text of a built string, and the parts between it."""
    parts: list[_Part] = []
    text = ""
    match node:
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.Constant):
                    text += str(value.value)
                elif isinstance(value, ast.FormattedValue):
                    parts.append(_Part(value.value, text))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for side in (left, right):
                if isinstance(side, ast.Constant):
                    text += str(side.value)
                elif isinstance(side, ast.BinOp | ast.JoinedStr):
                    inner, more = _taken_apart(side)
                    parts += [_Part(part.node, text + part.before) for part in more]
                    text += inner
                else:
                    parts.append(_Part(side, text))
        case ast.BinOp(left=ast.Constant(value=str() as template), op=ast.Mod(), right=right):
            given = [right]
            if isinstance(right, ast.Tuple):
                given = right.elts
            elif isinstance(right, ast.Dict):
                given = right.values
            pieces = re.split(r"%\(?\w*\)?[sdrif]", template)
            text = " ".join(pieces)
            before = ""
            for piece, value in zip(pieces, given, strict=False):
                before += piece
                parts.append(_Part(value, before))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as template))):
            pieces = re.split(r"{[^{}]*}", template)
            text = " ".join(pieces)
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            before = ""
            for piece, value in zip(pieces, given, strict=False):
                before += piece
                parts.append(_Part(value, before))
    return text, parts


def _is_value(before: str) -> bool:
    """Whether a value, not a name, follows in SQL; inside of quotes there is always one."""
    return before.count("'") % 2 == 1 or _VALUE.search(before) is not None


def _is_checked(name: str, function: FunctionNode) -> bool:
    """Whether the function tests a name against a fixed set or pattern, or looks it up."""
    for node in ast.walk(function):
        match node:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[_]):
                if _is_name(left, name):
                    return True
            case ast.Subscript(slice=key, value=ast.Name(id=table)) if table.isupper():
                if _is_name(key, name):
                    return True
            case ast.Call(func=ast.Attribute(attr=attr, value=receiver), args=args):
                if attr in _CHECKS and any(_is_name(a, name) for a in (receiver, *args)):
                    return True
            case ast.Match(subject=subject) if _is_name(subject, name):
                return True
    return False


def _is_name(node: ast.expr, name: str) -> bool:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return isinstance(node, ast.Name) and node.id == name
