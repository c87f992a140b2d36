"""Validators of Pydantic 1 into those of Pydantic 2.

What is compared is Pydantic 2 with itself: it still runs the old decorators, and what they do there
is what the new ones must do.

- `values` is `info.data`: Pydantic 2 hands the same dictionary to both.
- `always=True` makes a field validate its default, whatever else validates it: that is
  `Field(validate_default=True)`.
- A `@root_validator` behind the fields gets a dictionary, `@model_validator(mode="after")` the
  model. One that only reads fields and returns what it was given can read the model instead. The
  new one runs later than the old ones, and after `model_post_init`.
- `each_item=True` goes into the elements of whatever container the field's type names: no decorator
  does that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.fixes.edit import (
    COMMENT,
    SHARED_LINE,
    Edits,
    add_argument,
    argument_of,
    remove_decorator,
    replace,
    replace_range,
    wrap,
)
from flake8_fastapi_rules.fixes.imports import ensure_import, join_insertions
from flake8_fastapi_rules.fixes.text import FileText
from flake8_fastapi_rules.semantics.values import FunctionNode

OTHER_DECORATORS = "the validator has other decorators"
MORE_THAN_VALUE = "the validator takes more than the value"
WHOLE_DICTIONARY = "it does more with the values than to read fields"


@dataclass(frozen=True, slots=True)
class OldValidator:
    """A validator of Pydantic 1.

    Parameters:
        decorator: `@validator(...)` or `@root_validator`, called or not.
        is_field: tells whether a call is one of `pydantic.Field`.
    """

    text: FileText
    function: FunctionNode
    decorator: ast.expr
    is_field: Callable[[ast.Call], bool]

    @property
    def keywords(self) -> list[ast.keyword]:
        """The arguments of the decorator that have names."""
        return self.decorator.keywords if isinstance(self.decorator, ast.Call) else []

    def flag(self, name: str) -> bool:
        """The value of an argument that must be a literal."""
        for keyword in self.keywords:
            if keyword.arg == name:
                if not isinstance(keyword.value, ast.Constant):
                    raise Unfixable(f"`{name}` is no literal")
                return bool(keyword.value.value)
        return False

    def require(self, known: Collection[str]) -> None:
        """Refuse arguments other than `known`."""
        for keyword in self.keywords:
            if keyword.arg not in known:
                raise Unfixable(f"`{keyword.arg}` has no successor")


@dataclass(slots=True)
class _Imports:
    """Names of `pydantic` that a fix needs."""

    text: FileText
    at: ast.AST
    found: list[Edit] = field(default_factory=list)

    def name(self, name: str) -> str:
        """How to write a name."""
        imported = ensure_import(self.text, "pydantic", name, self.at)
        self.found += imported.edits
        return imported.name

    @property
    def edits(self) -> Edits:
        return join_insertions(self.found)


def field_validators(olds: Sequence[OldValidator], model: ast.ClassDef | None) -> Edits:
    """Turn `@validator("name", ...)` into `@field_validator("name", ...)`.

    Parameters:
        olds: the validators of one class that share fields. Pydantic 2 runs old ones outside of
            the new ones, so the order of some would change without the others.
        model: the class around them; `None` when it is no model.
    """
    imports = _Imports(olds[0].text, olds[0].decorator)
    edits = [edit for old in olds for edit in _field_validator(old, model, imports)]
    return (*imports.edits, *dict.fromkeys(edits))


def _field_validator(old: OldValidator, model: ast.ClassDef | None, imports: _Imports) -> Edits:
    text = old.text
    if not isinstance(old.decorator, ast.Call):
        raise Unfixable("the decorator is not called")
    if old.flag("each_item"):
        raise Unfixable("`each_item` belongs into the type of the elements now")
    old.require({"pre", "always", "allow_reuse", "check_fields", "each_item"})
    if not old.decorator.args:
        raise Unfixable("it names no field")
    given = [text.segment(argument) for argument in old.decorator.args]
    given += [text.segment(k) for k in old.keywords if k.arg == "check_fields"]
    given += ['mode="before"'] if old.flag("pre") else []
    name = imports.name("field_validator")
    signature = _with_info(old, imports)
    defaults = _validated_defaults(old, model, imports) if old.flag("always") else ()
    decorated = _decorated(old, f"{name}({', '.join(given)})", bound=True)
    return (*decorated, *signature, *defaults)


def model_validator(
    old: OldValidator, model: ast.ClassDef | None, fields: Collection[str], others: Iterable[str]
) -> Edits:
    """Turn `@root_validator(...)` into `@model_validator(...)`.

    Parameters:
        model: the class around it; `None` when it is no model.
        fields: the names of the model's fields, inherited ones too.
        others: why other validators of the model cannot be turned into such ones.
    """
    text, function = old.text, old.function
    old.require({"pre", "skip_on_failure", "allow_reuse"})
    arguments = function.args
    if len(arguments.args) != 2 or arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        raise Unfixable(MORE_THAN_VALUE)
    imported = ensure_import(text, "pydantic", "model_validator", old.decorator)
    if old.flag("pre"):
        decorated = _decorated(old, f'{imported.name}(mode="before")', bound=True)
        return (*imported.edits, *decorated)
    if model is None:
        raise Unfixable("Pydantic 2 gives it the model, not a dictionary")
    if any(word in text.text for word in ("validate_assignment", "model_post_init")):
        raise Unfixable("it may run at another time than `@model_validator`")
    if any(node.attr == function.name for node in text.index.nodes(ast.Attribute)):
        raise Unfixable("it is called elsewhere")
    body = read_from_model(text, function, fields)
    for reason in others:
        raise Unfixable(reason)
    decorated = _decorated(old, f'{imported.name}(mode="after")', bound=False)
    first, last = arguments.args
    signature = replace_range(text, text.start(first), text.end(last), "self")
    returns: Edits = ()
    if function.returns is not None:
        returns = (replace(text, function.returns, f'"{model.name}"'),)
    return (*imported.edits, *decorated, signature, *returns, *body)


def read_from_model(text: FileText, function: FunctionNode, fields: Collection[str]) -> Edits:
    """The body of a root validator that reads the model instead of a dictionary.

    Raises:
        Unfixable: when it does anything with the dictionary but reading fields and returning it.
    """
    arguments = function.args.args
    if len(arguments) != 2:
        raise Unfixable(MORE_THAN_VALUE)
    cls, values = (argument.arg for argument in arguments)
    edits: list[Edit] = []
    is_returned = False
    for node in _own_body(function):
        if isinstance(node, ast.arg | ast.Global | ast.Nonlocal):
            raise Unfixable(WHOLE_DICTIONARY)
        if not isinstance(node, ast.Name):
            continue
        if node.id == "self" or (node.id in {cls, values} and not isinstance(node.ctx, ast.Load)):
            raise Unfixable(WHOLE_DICTIONARY)
        if node.id == cls:
            edits.append(replace(text, node, "type(self)"))
        elif node.id == values:
            parent = text.index.parents.get(node)
            if isinstance(parent, ast.Return):
                is_returned = True
                edits.append(replace(text, node, "self"))
                continue
            read, name = _reading(text, node)
            if name not in fields:
                raise Unfixable(WHOLE_DICTIONARY)
            edits.append(replace(text, read, f"self.{name}"))
    if not is_returned:
        raise Unfixable(WHOLE_DICTIONARY)
    return tuple(edits)


def _reading(text: FileText, node: ast.Name) -> tuple[ast.expr, str]:
    """The expression around a dictionary's name that reads a key, and the key."""
    parent = text.index.parents.get(node)
    match parent:
        case ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            return parent, name
        case ast.Attribute(attr="get"):
            call = text.index.parents.get(parent)
            match call:
                case ast.Call(args=[ast.Constant(value=str(name))], keywords=[]):
                    return call, name
                case ast.Call(args=[ast.Constant(value=str(name)), ast.Constant()], keywords=[]):
                    return call, name  # behind the fields each of them is there
    raise Unfixable(WHOLE_DICTIONARY)


def _own_body(function: FunctionNode) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from ast.walk(statement)


def _decorated(old: OldValidator, code: str, *, bound: bool) -> Edits:
    """The new decorator, with `@classmethod` below it or without."""
    text, function = old.text, old.function
    others = [d for d in function.decorator_list if d is not old.decorator]
    if len(others) > 1 or any(not isinstance(d, ast.Name) or d.id != "classmethod" for d in others):
        raise Unfixable(OTHER_DECORATORS)
    start, end = text.start(old.decorator), text.end(old.decorator)
    if text.has_comment(start, end):
        raise Unfixable(COMMENT)
    if bound and not others:
        line = text.source.lines[old.decorator.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if not line.lstrip().startswith("@"):
            raise Unfixable(SHARED_LINE)
        code = f"{code}\n{indent}@classmethod"
    removed = () if bound else tuple(remove_decorator(text, function, d) for d in others)
    return (Edit(start, end, code), *removed)


def _with_info(old: OldValidator, imports: _Imports) -> Edits:
    """The signature without `values` and `**kwargs`, the body with `info.data`."""
    text, function = old.text, old.function
    arguments = function.args
    positional = arguments.args
    if len(positional) < 2 or arguments.posonlyargs or arguments.vararg or arguments.defaults:
        raise Unfixable(MORE_THAN_VALUE)
    more = [*positional[2:], *arguments.kwonlyargs]
    if any(default is not None for default in arguments.kw_defaults):
        raise Unfixable(MORE_THAN_VALUE)
    for argument in more:
        if argument.arg != "values":
            raise Unfixable(f"Pydantic 2 gives validators no `{argument.arg}`")
    if not more and arguments.kwarg is None:
        return ()
    nodes = list(_own_body(function))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    if arguments.kwarg is not None and arguments.kwarg.arg in used:
        raise Unfixable(f"it reads `**{arguments.kwarg.arg}`")
    uses = [n for n in nodes if isinstance(n, ast.Name) and n.id == "values"] if more else []
    bound = {node.arg for node in nodes if isinstance(node, ast.arg)}
    if "values" in bound or any(not isinstance(node.ctx, ast.Load) for node in uses):
        raise Unfixable("it binds `values` anew")
    name = "info" if "info" not in used | bound else "validation_info"
    if name in used | bound:
        raise Unfixable("`info` is another name there")
    last = arguments.kwarg or more[-1]
    start, end = text.end(positional[1]), text.end(last)
    if text.has_comment(start, end):
        raise Unfixable(COMMENT)
    code = f", {name}: {imports.name('ValidationInfo')}" if uses else ""
    body = tuple(replace(text, node, f"{name}.data") for node in uses)
    return (Edit(start, end, code), *body)


def _validated_defaults(old: OldValidator, model: ast.ClassDef | None, imports: _Imports) -> Edits:
    """The fields of a validator with `validate_default=True`."""
    text = old.text
    assert isinstance(old.decorator, ast.Call)
    statements = {
        statement.target.id: statement
        for statement in (model.body if model is not None else ())
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }
    edits: list[Edit] = []
    for argument in old.decorator.args:
        name = argument.value if isinstance(argument, ast.Constant) else None
        statement = statements.get(name) if isinstance(name, str) else None
        if statement is None:
            raise Unfixable("`always` is about a field of another class")
        value = statement.value
        if value is None:
            continue  # a required field has no default
        if not isinstance(value, ast.Call) or not old.is_field(value):
            if "Field(" in text.segment(statement.annotation):
                raise Unfixable("the field has a default and a `Field`")
            edits += wrap(text, value, f"{imports.name('Field')}(", ", validate_default=True)")
            continue
        default = argument_of(value, "default", 0)
        if isinstance(default, ast.keyword):
            default = default.value
        given = argument_of(value, "validate_default")
        if any(k.arg is None for k in value.keywords):
            raise Unfixable("what its `Field` is given cannot be told")
        if isinstance(given, ast.keyword):
            if not isinstance(given.value, ast.Constant) or given.value.value is not True:
                raise Unfixable("its `Field` says something else about defaults")
        elif not (isinstance(default, ast.Constant) and default.value is ...):
            edits += add_argument(text, value, "validate_default=True")
    return tuple(edits)
