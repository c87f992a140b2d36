"""Query parameters that say how much of a list is asked for, and whether anything bounds them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.semantics.calls import argument_filled
from flake8_fastapi_rules.semantics.credentials import last_name, snake
from flake8_fastapi_rules.semantics.decorators import has_own_signature
from flake8_fastapi_rules.semantics.facts import Parameter, ParameterKind
from flake8_fastapi_rules.semantics.parameters import fields_of
from flake8_fastapi_rules.semantics.provided import returned_items, takers_of
from flake8_fastapi_rules.semantics.responses import types_in
from flake8_fastapi_rules.semantics.values import (
    Class,
    Constant,
    External,
    Function,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import ModuleIndex
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: How many calls a page size is followed through to where it is bounded.
_CALLS = 3
LISTS = ("builtins.list", "collections.abc.Sequence", "typing.Sequence")
_BOUNDS = ("le", "lt")
#: Functions that give no more than another argument says.
_BOUNDING = frozenset({"min", "sorted", "clamp"})
_NAMED = ast.Name | ast.Attribute
#: Names beside which a limit is one on something else than what is shown.
_OF_RATES = frozenset({"period", "window", "interval", "quota"})
#: What the name of a function says that is about such limits.
_RATES = ("rate_limit", "quota")
#: A name that means a page only beside another one that says where it begins, or for a list.
_VAGUE = "size"
#: Verbs of functions that answer with lists.
_LISTING = frozenset({"browse", "find", "list", "paginate", "query", "search"})
#: Types of numbers without an upper bound.
_INTEGERS = (
    External("builtins.int"),
    External("pydantic.NonNegativeInt"),
    External("pydantic.PositiveInt"),
)
#: Those that mean a page only beside a parameter that says where it begins: others are amounts.
_FLOATS = (
    External("builtins.float"),
    External("pydantic.NonNegativeFloat"),
    External("pydantic.PositiveFloat"),
)
_PAGING = frozenset({"after", "before", "cursor", "offset", "page", "page_number", "skip", "start"})


@record
class PageSize:
    """A page size that a client may choose as it likes.

    Parameters:
        parameter: the query parameter, or the one that brings in the model with the field.
        name: its name in the request.
        model, field_module, field: the model that has it as a field, its module and the field's
            statement.
    """

    parameter: Parameter
    name: str
    model: Class | None = None
    field_module: Module | None = None
    field: ast.stmt | None = None


@record
class _Place:
    """Where a function has a value: in a variable, or in one's attribute or item."""

    name: str
    key: str | None = None

    def is_read_by(self, node: ast.expr) -> bool:
        """Whether an expression is the value: `page`, `page.limit`, `page["limit"]`."""
        match node:
            case ast.Name(id=name):
                return self.key is None and name == self.name
            case (
                ast.Attribute(value=ast.Name(id=name), attr=key)
                | ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key))
                | ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="get"),
                    args=[ast.Constant(value=key), *_],
                )
            ):
                return self.key is not None and (name, key) == (self.name, self.key)
        return False

    def is_read_in(self, node: ast.AST) -> bool:
        """Whether some part of a tree is the value."""
        return any(self.is_read_by(each) for each in ast.walk(node) if isinstance(each, ast.expr))

    def may_be_read_in(self, function: ast.AST) -> bool:
        """Whether a function reads the value, or hands on what has it."""
        body = getattr(function, "body", None)
        parts = [n for each in body for n in ast.walk(each)] if isinstance(body, list) else []
        owned = {
            each.value
            for each in parts
            if isinstance(each, ast.Attribute | ast.Subscript) and isinstance(each.value, ast.Name)
        }
        return any(
            self.is_read_by(each)
            or (isinstance(each, ast.Name) and each.id == self.name and each not in owned)
            for each in parts
            if isinstance(each, ast.expr)
        )


def unbounded_page_sizes(
    model: Model, function: Function, path_names: frozenset[str], *, lists: bool = False
) -> Iterator[PageSize]:
    """The page sizes among a function's parameters that nothing bounds, in order.

    Parameters:
        path_names: the parameters of the paths that the function serves.
        lists: the function is declared to answer with a list.
    """
    if not has_own_signature(model, function):
        return
    parameters = model.parameters(function, path_names)
    names = {parameter.alias or parameter.name for parameter in parameters}
    for parameter in parameters:
        if parameter.kind is ParameterKind.DEPENDENCY:
            yield from _unchecked(model, function, _of_class(model, parameter, function))
        if parameter.kind is not ParameterKind.QUERY:
            continue
        name = parameter.alias or parameter.name
        if not _is_page_size(model, name, names, function, lists=lists):
            yield from _unchecked(model, function, _of_query_model(model, parameter, function))
        elif (
            _is_unbounded(model, parameter, names)
            and not _is_checked(model, function, _Place(parameter.name))
            and not _is_checked_by_users(model, function, parameter.name)
        ):
            yield PageSize(parameter, name)


def _is_page_size(
    model: Model, name: str, names: set[str], function: Function | None, *, lists: bool = False
) -> bool:
    said = snake(name)
    if not {name, said} & {*model.settings.page_size_names}:
        return False
    beside = {snake(each) for each in names}
    owner = getattr(function.node, "name", "") if function is not None else ""
    users = [user for user, _ in takers_of(model, function)] if function is not None else []
    is_of_rates = not beside.isdisjoint(_OF_RATES) or any(
        word in each
        for each in (owner, *(getattr(user.node, "name", "") for user in users))
        for word in _RATES
    )
    if is_of_rates and "page" not in said:
        return False
    if said != _VAGUE or lists or not beside.isdisjoint(_PAGING):
        return True
    return function is not None and _answers_with_list(model, function)


def _answers_with_list(model: Model, function: Function) -> bool:
    node = function.node
    if isinstance(node, ast.Lambda):
        return False
    returned = model.resolver.annotation(function.module, node.returns)
    return node.name.split("_")[0] in _LISTING or model.is_instance(returned, *LISTS)


def _of_class(model: Model, parameter: Parameter, function: Function) -> Iterator[PageSize]:
    """The page sizes among the fields of a model or dataclass that is a dependency."""
    dependency = model.dependency_of(parameter)
    target = dependency.target if dependency is not None else None
    if isinstance(target, Class) and model.callable_of(target) is None:
        yield from _of_fields(model, target, parameter, function)


def _of_query_model(model: Model, parameter: Parameter, function: Function) -> Iterator[PageSize]:
    """The page sizes among the fields of a `Query()` model."""
    cls = model.resolver.resolve(parameter.type_module, parameter.type_node)
    if parameter.marker is not None and model.is_subclass(cls, "pydantic.BaseModel"):
        yield from _of_fields(model, cls, parameter, function)


def _of_fields(
    model: Model, cls: Value, parameter: Parameter, function: Function
) -> Iterator[PageSize]:
    resolver = model.resolver
    if not isinstance(cls, Class) or any(
        isinstance(statement, FUNCTIONS) and statement.decorator_list
        for base in resolver.mro(cls)
        if isinstance(base, Class)
        for statement in base.node.body
    ):
        return  # a validator may bound it
    fields = model.class_parameters(cls) or ()
    names = {field.name for field in fields}
    homes = {s.target.id: (m, s) for m, s in fields_of(resolver, cls)}  # type: ignore[union-attr]
    for field in fields:
        home, statement = homes[field.name]
        if not _is_page_size(model, field.name, names, function):
            continue
        if not _has_bound(statement.value) and _is_unbounded(model, field, names):
            yield PageSize(parameter, field.name, cls, home, statement)


def _unchecked(model: Model, function: Function, sizes: Iterable[PageSize]) -> Iterator[PageSize]:
    """Those of the fields of a parameter that the function's body does not compare either."""
    for size in sizes:
        if not _is_checked(model, function, _Place(size.parameter.name, size.name)):
            yield size


def _has_bound(node: ast.expr | None) -> bool:
    """Whether a call such as `Query(...)` or `Field(...)` bounds, or may bound, its value."""
    if not isinstance(node, ast.Call):
        return node is not None and not isinstance(node, ast.Constant)
    return any(keyword.arg in {*_BOUNDS, None} for keyword in node.keywords)


def _is_unbounded(model: Model, parameter: Parameter, names: set[str]) -> bool:
    resolver = model.resolver
    if not _is_number(model, parameter, is_paged=not _PAGING.isdisjoint(map(snake, names))):
        return False
    _, _, metadata = resolver.annotations.unwrapped(parameter.module, parameter.annotation)
    for home, part in metadata:
        callee = resolver.resolve(home, part.func) if isinstance(part, ast.Call) else None
        is_known = isinstance(callee, External) and callee.name in {
            "fastapi.Query",
            "pydantic.Field",
        }
        if isinstance(part, ast.Constant):
            continue
        if not is_known or _has_bound(part):
            return False
    marker = parameter.marker
    if marker is not None and not marker.in_annotated:
        return marker.call is None or not _has_bound(marker.call)
    return True


def _is_number(model: Model, parameter: Parameter, *, is_paged: bool) -> bool:
    """Whether a type is that of numbers, or one of them constrained, but not from above."""
    match parameter.type_node:
        case ast.Call(func=func) as made:  # `conint(ge=1)`
            callee = model.resolve(parameter.type_module, func)
            return callee == External("pydantic.conint") and not _has_bound(made)
    parts = [
        part.value
        for part in types_in(model, parameter.type_module, parameter.type_node)
        if part.value != Constant(None)
    ]
    kinds = (*_INTEGERS, *_FLOATS) if is_paged else _INTEGERS
    return len(parts) == 1 and parts[0] in kinds


def _is_checked(model: Model, function: Function, place: _Place, depth: int = 0) -> bool:
    """Whether the body compares the value, or makes another of it.

    Or a function of the project does so that it is handed to.
    """
    if not isinstance(function.node, FUNCTIONS):
        return True
    for node in ast.walk(function.node):
        match node:
            case ast.Call() | ast.Compare() if _is_bound(node, place):
                return True
            case ast.Name(id=bound, ctx=ast.Store()) if bound == place.name and not place.key:
                if not _is_default(function.module.index, node, place):
                    return True
            case ast.Assign(targets=[ast.Name(id=other)], value=value) if place.key:
                if place.is_read_by(value) and any(
                    isinstance(each, ast.Compare | ast.Call) and _is_bound(each, _Place(other))
                    for each in ast.walk(function.node)
                ):
                    return True
    return depth < _CALLS and any(
        _is_checked(model, target, there, depth + 1)
        for target, there in _handed_to(model, function, place)
    )


def _is_bound(node: ast.Call | ast.Compare, place: _Place) -> bool:
    """Whether a comparison, or a call such as `min(...)`, bounds a value."""
    if isinstance(node, ast.Compare):
        # `ceil(total / size) > page` compares what is counted by it.
        sides = (node.left, *node.comparators)
        return any(_is_size(side, place) for side in sides) and not _is_from_below(node)
    is_bounding = isinstance(node.func, ast.Name) and node.func.id in _BOUNDING
    return is_bounding and place.is_read_in(node)


def _is_default(index: ModuleIndex, target: ast.Name, place: _Place) -> bool:
    """Whether an assignment only gives a value that is missing or too small, or converts it."""
    statement = index.statement_of(target)
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.expr() as value):
            pass
        case _:
            return False
    parent = index.parents.get(statement)
    is_set = isinstance(value, ast.Constant) and isinstance(parent, ast.If)
    if is_set and statement in parent.body:  # type: ignore[union-attr]
        return _says_too_little(parent.test, place)  # type: ignore[union-attr]
    return _is_no_smaller(value, place)


def _says_too_little(test: ast.expr, place: _Place) -> bool:
    """Whether a test asks for values that are missing or too small: `size < 1`, `not size`."""
    match test:
        case ast.BoolOp(op=ast.Or(), values=parts):
            return all(_says_too_little(part, place) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return place.is_read_by(operand)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if place.is_read_by(left):
                return isinstance(op, ast.Lt | ast.LtE | ast.Is | ast.Eq)
            return place.is_read_by(right) and isinstance(op, ast.Gt | ast.GtE)
    return False


def _is_no_smaller(node: ast.expr, place: _Place) -> bool:
    """Whether an expression is the value, or a larger one: `int(size)`, `max(1, size)`."""
    match node:
        case ast.BoolOp(op=ast.Or(), values=[first, *_]):
            return _is_no_smaller(first, place)
        case ast.IfExp(test=ast.Compare(left=left, ops=[op]), body=body, orelse=ast.Constant()):
            is_kept = isinstance(op, ast.Gt | ast.GtE | ast.IsNot)
            return is_kept and place.is_read_by(left) and _is_no_smaller(body, place)
        case ast.IfExp(test=test, body=body, orelse=ast.Constant()):
            return place.is_read_by(test) and _is_no_smaller(body, place)
        case ast.Call(func=ast.Name(id="int" | "max" | "abs"), args=given, keywords=[]):
            return all(
                isinstance(each, ast.Constant) or _is_no_smaller(each, place) for each in given
            )
    return place.is_read_by(node)


def _is_size(node: ast.expr, place: _Place) -> bool:
    """Whether an expression is the value, be it by default or converted: `int(limit or 10)`."""
    match node:
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return any(_is_size(part, place) for part in parts)
        case ast.NamedExpr(value=inner):
            return _is_size(inner, place)
        case ast.Call(args=given) if not place.is_read_by(node):
            return any(_is_size(each, place) for each in given)
    return place.is_read_by(node)


def _handed_to(
    model: Model, function: Function, place: _Place
) -> Iterator[tuple[Function, _Place]]:
    """The functions of the project that a function hands a value to, and where it is there."""
    for site in model.effects.calls(function):
        given = (*site.node.args, *(keyword.value for keyword in site.node.keywords))
        for each in given:
            whole = isinstance(each, ast.Name) and each.id == place.name
            if site.target is not None and (whole or place.is_read_by(each)):
                called = site.callee if isinstance(site.callee, Function) else site.target
                filled = argument_filled(called, site.node, each)
                if filled is not None:
                    yield site.target, _Place(filled.arg, place.key if whole else None)


def _is_checked_by_users(model: Model, function: Function, name: str) -> bool:
    """Whether what a dependency takes is bounded by each function that reads it from there."""
    keys = [key for key, value in _given_on(function) if value == name]
    found = [
        _is_checked(model, user, _Place(taken.name, key))
        for user, taken in takers_of(model, function)
        for key in keys
        if _Place(taken.name, key).may_be_read_in(user.node)
    ]
    return bool(found) and all(found)


def _given_on(function: Function) -> Iterator[tuple[str | None, str]]:
    """Where a dependency puts its parameters, with their names: attributes, items, the result."""
    for node in function.module.index.own_nodes(function.node):
        match node:
            case ast.Return(value=ast.Name(id=name)):
                yield None, name
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)],
                value=ast.Name(id=name),
            ):
                yield attr, name
            case ast.Return(value=ast.Call(func=ast.Name() | ast.Attribute(), keywords=keywords)):
                for keyword in keywords:
                    if keyword.arg is not None and isinstance(keyword.value, ast.Name):
                        yield keyword.arg, keyword.value.id
    for key, value in returned_items(function):
        if isinstance(value, ast.Name):
            yield key, value.id


def _is_from_below(test: ast.Compare) -> bool:
    """Whether a comparison says nothing of large values: `limit < 1`, `len(rows) < limit`."""
    ordered = ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.In | ast.NotIn
    if not any(isinstance(op, ordered) for op in test.ops):
        return True
    others = [e for e in (test.left, *test.comparators) if not isinstance(e, _NAMED)]
    return bool(others) and all(
        (isinstance(each, ast.Constant) and each.value in {0, 1})
        or (isinstance(each, ast.Call) and last_name(each.func) == "len")
        for each in others
    )
