"""SQL that is put together from texts and values: what of it comes from a caller."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import COMPREHENSIONS, FUNCTIONS
from flake8_fastapi_rules.semantics.callers import is_written_by_callers
from flake8_fastapi_rules.semantics.framework import SEQUENCE_TYPES
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.parameters import is_dataclass
from flake8_fastapi_rules.semantics.provided import provider_of, returned_items
from flake8_fastapi_rules.semantics.resolve import default_of
from flake8_fastapi_rules.semantics.taint import (
    CONNECTIONS,
    REQUEST_MAPPINGS,
    declared,
    is_constrained,
    is_given_by_clients,
    is_validated,
)
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    Expression,
    Function,
    FunctionNode,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model

_SQL = re.compile(
    r"\b(?:SELECT\b.+\bFROM|INSERT\s+INTO|REPLACE\s+INTO|UPDATE\s+\S+.*\bSET|DELETE\s+FROM"
    r"|DROP\s+TABLE|ALTER\s+TABLE|CREATE\s+TABLE|TRUNCATE)\b",
    re.IGNORECASE | re.DOTALL,
)
#: What is nothing but a statement, from its first word on.
_STATEMENT = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s.+\sset\s|delete\s+from\s)",
    re.IGNORECASE | re.DOTALL,
)
#: What stands in front of a value that rows have; everywhere else there are names, arguments of
#: functions, intervals, or parts of the statement.
_VALUE = re.compile(
    r"(?:[=<>]\s*(?:\w+\(\s*)?|\bLIKE|\bILIKE|\bIN\s*\([^()]*|\bVALUES\s*\([^()]*|\bLIMIT|\bOFFSET"
    r"|\bBETWEEN)\s*['%]*\s*$",
    re.IGNORECASE,
)
#: Behind these a text in quotes is a value, whatever function it is given to.
_CONDITIONS = re.compile(r"\b(?:WHERE|HAVING|VALUES|SET|AND|OR)\b", re.IGNORECASE)
#: What a database knows of itself.
_CATALOG = re.compile(
    r"\b(?:information_schema|pg_(?:catalog|class|namespace|tables|database)|sqlite_master"
    r"|sys\.(?:tables|columns|objects))\b",
    re.IGNORECASE,
)
#: A placeholder's name follows.
_PLACEHOLDER = re.compile(r"(?<!:):$|%\($|[@$]$")
#: What stands in front of a number, or of a value that no statement takes as a parameter.
_UNBOUND = re.compile(
    r"(?:\b(?:LIMIT|OFFSET)\s*|\bDEFAULT\s*'?"
    r"|^\s*SET\s+(?:SESSION\s+|LOCAL\s+)?[\w.]+\s*(?:=|\bTO\b)\s*'?)$",
    re.IGNORECASE,
)
#: What the project's own code calls the names of tables and the like.
_NAMES = re.compile(
    r"(?:^|_)(?:table|schema|col|column|constraint|seq|sequence|idx|index|database|view|field"
    r"|catalog|trigger|role|db|dbname|partition)s?(?:$|_)"
)
_SAFE_CALLS = frozenset(
    {"int", "float", "len", "bool", "abs", "round", "max", "min", "sum", "hash"}
)
_SAFE_TYPES = (
    "builtins.int", "builtins.float", "builtins.bool", "decimal.Decimal", "uuid.UUID",
    "datetime.date", "datetime.datetime", "datetime.timedelta", "datetime.time", "enum.Enum",
    "typing.Literal", "sqlalchemy.Table",
)  # fmt: skip
#: The fields of templates, with their names.
_PERCENT = re.compile(r"%(?:\((\w+)\))?[sdrif]")
_BRACES = re.compile(r"{([^{}!:.\[]*)[^{}]*}")
#: What may hold any text; of credentials the parts that a client writes are read.
_DANGEROUS_TYPES = (
    "builtins.str", "builtins.dict", "typing.Any", "fastapi.security.OAuth2PasswordRequestForm",
    "fastapi.security.HTTPBasicCredentials", "fastapi.security.HTTPAuthorizationCredentials",
)  # fmt: skip
#: Methods that leave a text as dangerous as it was.
_STRING_METHODS = frozenset(
    {
        "strip", "lstrip", "rstrip", "lower", "upper", "title", "format", "encode", "decode",
        "get", "items", "keys", "removeprefix", "removesuffix", "join",
    }
)  # fmt: skip
#: How a name gets what a text is built of, or taken from.
_BUILDING = frozenset({"annotated", "assign", "augmented", "walrus"})
_GIVING = frozenset({"annotated", "assign", "for", "walrus"})
_CHECKS = frozenset(
    {"match", "fullmatch", "isidentifier", "isalnum", "isdigit", "isnumeric", "isdecimal", "index"}
)


@dataclass(frozen=True, slots=True)
class Part:
    """A value that is put into SQL, and the literal text before it.

    Parameters:
        is_qualifier: a dot follows, as behind the name of a table.
    """

    node: ast.expr
    before: str
    is_qualifier: bool = False


class BuiltSql:
    """Follows texts that a function puts together back to its parameters.

    Parameters:
        model: answers what names and annotations are.
        module: the module whose functions are looked at.
    """

    def __init__(self, model: Model, module: Module) -> None:
        self._model = model
        self._module = module

    def built(self, node: ast.expr, depth: int = 0) -> Iterator[ast.expr]:
        """The expressions that put a text together, behind local names."""
        if depth > 4:
            return
        if isinstance(node, ast.Name):
            found = self._module.index.lookup(node.id, node)
            if found is None or not isinstance(found[0].node, FUNCTIONS):
                return
            for binding in found[1]:
                if binding.value is not None and binding.kind in _BUILDING:
                    yield from self.built(binding.value, depth + 1)
            return
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
        ):
            yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "format":
                yield node
            elif node.func.attr in {"strip", "bindparams", "replace"}:
                yield from self.built(node.func.value, depth + 1)
            elif node.func.attr == "join" and len(node.args) == 1:
                for element in self._elements(node.args[0]):
                    yield from self.built(element, depth + 1)

    def _elements(self, node: ast.expr) -> Iterator[ast.expr]:
        """What a list or generator is made of, appended elements of a local list included."""
        match node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                yield from elements
            case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
                yield element
            case ast.Name(id=name):
                found = self._module.index.lookup(name, node)
                function = self._module.index.function_of(node)
                if found is None or function is None or found[0].node is not function:
                    return
                for binding in found[1]:
                    if binding.value is not None and not isinstance(binding.value, ast.Name):
                        yield from self._elements(binding.value)
                for each in self._module.index.own_nodes(function):
                    match each:
                        case ast.Call(
                            func=ast.Attribute(value=ast.Name(id=owner), attr=attr), args=[given]
                        ) if owner == name and attr in {"append", "extend"}:
                            if attr == "append":
                                yield given
                            elif not isinstance(given, ast.Name):
                                yield from self._elements(given)

    def danger(self, part: Part, function: FunctionNode, depth: int = 0) -> str | None:
        """The parameter that gets into the SQL unchecked, as it is written; `None` if none does.

        What is no request's own value counts only where rows have a value, and the database is
        not asked about itself.
        """
        if _is_placeholder(part.before):
            return None
        for inner in self.built(part.node) if depth < 3 else ():
            for each in self.taken_apart(inner)[1]:
                behind = Part(each.node, part.before + each.before, each.is_qualifier)
                origin = self.danger(behind, function, depth + 1)
                if origin is not None:
                    return origin
        value = self._model.resolve(self._module, function)
        is_request = isinstance(value, Function) and bool(self._model.roles(value))
        if not is_request and (
            _is_migration(self._module) or self._model.settings.is_test_path(str(self._module.path))
        ):
            return None
        if not is_request and isinstance(value, Function) and not _is_value(part.before):
            return self._given_by_clients(part, value, function)
        if not is_request and (
            part.is_qualifier
            or not _is_value(part.before)
            or _CATALOG.search(part.before)
            or _UNBOUND.search(part.before)
        ):
            return None
        origin = self._origin(part.node, function, 0)
        if origin is None and is_request and _is_compared(part.before):
            return self._number(part.node, function)
        if origin is not None and not is_request and _NAMES.search(origin):
            return None
        if origin is not None and not _is_value(part.before) and _is_in_catalog(origin, function):
            return None
        if origin is not None and not is_request and isinstance(value, Function):
            parameter = next((a for a in _parameters(function) if a.arg == origin), None)
            if parameter is not None and is_written_by_callers(self._model, value, parameter):
                return None
        return origin

    def _given_by_clients(self, part: Part, value: Function, function: FunctionNode) -> str | None:
        """The parameter that a name or another piece of SQL is, if an operation hands it on."""
        if _CATALOG.search(part.before) or _UNBOUND.search(part.before):
            return None
        origin = self._origin(part.node, function, 0)
        if origin is None or _is_in_catalog(origin, function):
            return None
        parameter = next((a for a in _parameters(function) if a.arg == origin), None)
        if parameter is None or not is_given_by_clients(self._model, value, parameter):
            return None
        return origin

    def _number(self, node: ast.expr, function: FunctionNode) -> str | None:
        """A number that a request gives, for a value of a row.

        Nothing can be smuggled in with it, but the database plans a new statement for each, and
        whoever makes it a text opens the door.
        """
        match node:
            case ast.Call(func=ast.Name(id="str"), args=[inner]):
                node = inner
        if not isinstance(node, ast.Name):
            return None
        found = self._module.index.lookup(node.id, node)
        if found is None or found[0].node is not function or len(found[1]) != 1:
            return None
        given = found[1][0].node
        if not isinstance(given, ast.arg) or given.annotation is None:
            return None
        typed = self._model.resolver.annotation(self._module, given.annotation)
        is_number = self._model.is_instance(typed, "builtins.int", "builtins.float")
        is_flag = self._model.is_instance(typed, "builtins.bool", "enum.Enum")
        return node.id if is_number and not is_flag else None

    def _origin(self, node: ast.expr, function: FunctionNode, depth: int) -> str | None:
        """How the parameter behind an expression is written; `None` if there is none, or safe."""
        if depth > 6:
            return None
        value = self._model.resolve(self._module, node)
        if isinstance(value, Constant) and (cls := self._model_of(node)) is not None:
            assert isinstance(node, ast.Attribute)
            value = declared(self._model, cls, node.attr)  # the constant is its default
        if isinstance(value, Constant) or self._model.is_instance(value, *_SAFE_TYPES):
            return None
        if isinstance(value, Instance) and isinstance(value.of, Class):
            if self._model.is_instance(value, "enum.Enum"):
                return None
        match node:
            case ast.Name(id=name):
                return self._origin_of_name(node, name, function, depth)
            case ast.Attribute(value=ast.expr() as owner, attr=attr) if (
                attr in REQUEST_MAPPINGS and self._is_request(owner)
            ):
                return ast.unparse(node)
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner, attr=attr)) as read) if (
                attr in {"body", "form", "json"} and self._is_request(owner)
            ):
                return ast.unparse(read)
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                if isinstance(node, ast.Subscript) and self._is_safe_item(node, function, depth):
                    return None
                if isinstance(node, ast.Attribute) and not value:
                    return None  # what the attribute of an unknown object holds is not known
                if isinstance(node, ast.Attribute) and self._is_property(node):
                    return None  # made by the project: `db.timestamp_now`
                if _is_checked(ast.unparse(node), function):
                    return None
                cls = self._model_of(node)
                if isinstance(node, ast.Attribute) and cls is not None:
                    if is_validated(self._model, cls, node.attr):
                        return None
                found = self._origin(inner, function, depth + 1)
                return ast.unparse(node) if found and len(ast.unparse(node)) < 40 else found
            case ast.FormattedValue(value=inner) | ast.Await(value=inner):
                return self._origin(inner, function, depth + 1)
            case ast.JoinedStr() | ast.BinOp():
                for part in self.taken_apart(node)[1]:
                    if _is_placeholder(part.before):
                        continue
                    found = self._origin(part.node, function, depth + 1)
                    if found:
                        return found
                return None
            case ast.IfExp(body=body, orelse=orelse):
                return self._origin(body, function, depth + 1) or self._origin(
                    orelse, function, depth + 1
                )
            case ast.Call(
                func=ast.Name(id="str" | "repr" | "tuple" | "list" | "set" | "sorted"),
                args=[inner],
            ):
                return self._origin(inner, function, depth + 1)
            case ast.Call(func=ast.Name(id=called)) if called in _SAFE_CALLS:
                return None
            case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in _STRING_METHODS:
                if attr == "format":
                    for part in self.taken_apart(node)[1]:
                        found = self._origin(part.node, function, depth + 1)
                        if found:
                            return found
                if attr == "join":
                    for each in self._elements(node.args[0]) if node.args else ():
                        found = self._origin(each, function, depth + 1)
                        if found:
                            return found
                    return self._origin(node.args[0], function, depth + 1) if node.args else None
                return self._origin(inner, function, depth + 1)
            case _:
                return None

    def _is_safe_item(self, node: ast.Subscript, function: FunctionNode, depth: int) -> bool:
        """Whether an item of a dictionary that a dependency returns holds nothing dangerous."""
        match node:
            case ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value=str(key))):
                pass
            case _:
                return False
        for parameter in self._model.parameters(Function(self._module, function)):
            if parameter.name != owner:
                continue
            target = provider_of(self._model, parameter)
            if not isinstance(target, Function) or not isinstance(target.node, FUNCTIONS):
                return False
            inner = BuiltSql(self._model, target.module)
            given = [value for name, value in returned_items(target) if name == key]
            return bool(given) and not any(
                inner._origin(value, target.node, depth + 1) for value in given
            )
        return False

    def _is_property(self, node: ast.Attribute) -> bool:
        """Whether an attribute is computed by a class of the project, rather than filled in."""
        owner = self._model.resolve(self._module, node.value)
        if not isinstance(owner, Instance) or not isinstance(owner.of, Class):
            return False
        return any(
            isinstance(each, FUNCTIONS) and each.name == node.attr
            for base in self._model.resolver.mro(owner.of)
            if isinstance(base, Class)
            for each in base.node.body
        )

    def _origin_of_name(
        self, node: ast.Name, name: str, function: FunctionNode, depth: int
    ) -> str | None:
        if name in {"self", "cls"} or _is_checked(name, function):
            return None
        found = self._module.index.lookup(name, node)
        if found is None or not isinstance(found[0].node, (*FUNCTIONS, *COMPREHENSIONS)):
            return None
        for binding in found[1]:
            if binding.kind == "parameter":
                assert isinstance(binding.node, ast.arg)
                if not self._is_safe_parameter(binding.node, function):
                    return name
            elif binding.value is not None and binding.kind in _GIVING:
                origin = self._origin(binding.value, function, depth + 1)
                if origin:
                    return origin
        return None

    def _model_of(self, node: ast.expr) -> Class | None:
        """The model or dataclass of whose object an expression is a field."""
        if not isinstance(node, ast.Attribute):
            return None
        owner = self._model.resolve(self._module, node.value)
        cls = owner.of if isinstance(owner, Instance) else None
        if isinstance(cls, Class) and (
            self._model.is_subclass(cls, "pydantic.BaseModel")
            or is_dataclass(self._model.resolver, cls)
        ):
            return cls
        return None

    def _text(self, node: ast.expr) -> str | None:
        """The text that an expression always is."""
        return None if self._model_of(node) else self._model.text(self._module, node)

    def _is_safe_parameter(self, parameter: ast.arg, function: FunctionNode) -> bool:
        default = default_of(function.args, parameter)
        if is_constrained(self._model, self._module, parameter.annotation, default):
            return True
        if parameter.annotation is None:
            if parameter in (function.args.vararg, function.args.kwarg):
                return True
            return isinstance(default, ast.Constant) and isinstance(default.value, int | float)
        typed = self._model.resolver.annotation(self._module, parameter.annotation)
        if isinstance(typed, Instance) and self._model.is_instance(typed, *SEQUENCE_TYPES):
            typed = typed.args[0] if typed.args else typed
        if self._model.is_instance(typed, *_DANGEROUS_TYPES):
            return False
        if isinstance(typed, Instance) and isinstance(typed.of, Class):
            return self._model.is_instance(typed, "enum.Enum")
        return True

    def taken_apart(self, node: ast.expr) -> tuple[str, list[Part]]:
        """The literal text of a built string, constants included, and the parts between it."""
        parts: list[Part] = []
        text = ""
        match node:
            case ast.JoinedStr(values=values):
                for value, following in zip(values, [*values[1:], None], strict=True):
                    if isinstance(value, ast.Constant):
                        text += str(value.value)
                    elif isinstance(value, ast.FormattedValue):
                        known = self._text(value.value)
                        if known is not None:
                            text += known
                            continue
                        is_qualifier = isinstance(following, ast.Constant) and str(
                            following.value
                        ).startswith(".")
                        parts.append(Part(value.value, text, is_qualifier))
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                for side in (left, right):
                    known = self._text(side)
                    if known is not None:
                        text += known
                    elif isinstance(side, ast.BinOp | ast.JoinedStr):
                        inner, more = self.taken_apart(side)
                        parts += [Part(part.node, text + part.before) for part in more]
                        text += inner
                    else:
                        parts.append(Part(side, text))
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                template = self._model.text(self._module, left)
                if template is not None:
                    text, parts = _filled(template, _PERCENT, _given_to_percent(right))
            case ast.Call(func=ast.Attribute(value=left, attr="format")):
                template = self._model.text(self._module, left)
                if template is not None:
                    text, parts = _filled(template, _BRACES, _given_to_format(node))
        return text, parts

    def _is_request(self, node: ast.expr) -> bool:
        return self._model.is_instance(self._model.resolve(self._module, node), *CONNECTIONS)


def _parameters(function: FunctionNode) -> Iterator[ast.arg]:
    arguments = function.args
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)


def _is_migration(module: Module) -> bool:
    """Whether a module is a migration of Alembic, which runs with what is written in it."""
    return module.index.module_scope.bindings.keys() >= {"revision", "down_revision", "upgrade"}


def _given_to_percent(right: ast.expr) -> dict[str, ast.expr]:
    """What `template % right` puts in, by position or key."""
    if isinstance(right, ast.Tuple):
        return {str(position): value for position, value in enumerate(right.elts)}
    if isinstance(right, ast.Dict):
        pairs = zip(right.keys, right.values, strict=True)
        return {str(k.value): value for k, value in pairs if isinstance(k, ast.Constant)}
    return {"0": right}


def _given_to_format(call: ast.Call) -> dict[str, ast.expr]:
    """What `template.format(...)` puts in, by position or name."""
    given = {str(position): value for position, value in enumerate(call.args)}
    return given | {k.arg: k.value for k in call.keywords if k.arg is not None}


def _filled(
    template: str, fields: re.Pattern[str], given: dict[str, ast.expr]
) -> tuple[str, list[Part]]:
    """The text of a template without its fields, and what is put into them."""
    parts: list[Part] = []
    text = ""
    end = 0
    for position, found in enumerate(fields.finditer(template)):
        text += template[end : found.start()]
        end = found.end()
        value = given.get(found.group(1) or str(position))
        if value is not None:
            parts.append(Part(value, text, template.startswith(".", end)))
        text += " "
    return text + template[end:], parts


def _is_value(before: str) -> bool:
    """Whether a value of a row, not a name, follows in SQL, or what is left of one in quotes."""
    if before.count("'") % 2 == 1:
        if _CONDITIONS.search(before):
            return True
        before = before[: before.rindex("'") + 1]
    return _VALUE.search(before) is not None


def _is_compared(before: str) -> bool:
    """Whether a value of a row follows, rather than how many rows are asked for."""
    return _is_value(before) and _UNBOUND.search(before) is None


def _is_placeholder(before: str) -> bool:
    """Whether the name of a bound parameter follows, as in `:name_1`."""
    return before.count("'") % 2 == 0 and _PLACEHOLDER.search(before) is not None


def _is_in_catalog(name: str, function: FunctionNode) -> bool:
    """Whether a function looks a name up in what the database knows of itself."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        parts = list(ast.walk(node))
        if any(
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and _CATALOG.search(each.value)
            for each in parts
        ) and any(isinstance(each, ast.Name) and each.id == name for each in parts):
            return True
    return False


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
    if isinstance(node, ast.Name):
        return node.id == name
    is_part = isinstance(node, ast.Attribute | ast.Subscript) and not name.isidentifier()
    return is_part and ast.unparse(node) == name


def is_sql(text: str) -> bool:
    """Whether a text holds a statement of SQL."""
    return _SQL.search(text) is not None


def is_statement(value: Value) -> bool:
    """Whether a value is the text of an SQL statement, written out or an f-string."""
    match value:
        case Constant(value=str() as text):
            return bool(_STATEMENT.match(text))
        case Expression(node=ast.JoinedStr(values=values)):
            parts = (v.value if isinstance(v, ast.Constant) else "x" for v in values)
            return bool(_STATEMENT.match("".join(map(str, parts))))
    return False
