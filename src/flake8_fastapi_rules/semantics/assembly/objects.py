"""What the evaluator computes with: apps, objects, containers, closures, and choices of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from flake8_fastapi_rules.semantics.facts import Dependency
from flake8_fastapi_rules.semantics.graph import RouterNode
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import LONG, MANY
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    Class,
    Constant,
    Expression,
    External,
    Function,
    FunctionNode,
    Instance,
    ModuleValue,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.assembly.evaluator import Evaluator

#: A value of the evaluator: one of the classes below, or of `semantics.values`.
AV: TypeAlias = Any


class Assumed(Constant):
    """A constant that is only the default of a setting or field: good for text, not for tests."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """An app or router."""

    node: RouterNode


@dataclass(slots=True, eq=False)
class Object:
    """An instance of a class of the project."""

    cls: Class
    call: ast.Call | None = None
    module: Module | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Items:
    """A list, tuple or set; `complete` unless something unknown may be in it."""

    items: list[Any]
    complete: bool = True
    conditions: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Maybe:
    """An element that a branch put into a list, so that it may be there or not."""

    value: Any


@dataclass(slots=True, eq=False)
class Table:
    """A dict with constant keys."""

    items: dict[Any, Any]
    complete: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A function of the project, the names around it, and what it is bound to."""

    function: Function
    frame: Frame
    bound_to: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A method that a library's class gives to an app or router, or to a builtin container."""

    receiver: Any
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Decorator:
    """`router.get("/x")`: waits for its endpoint."""

    node: RouterNode
    verb: str
    arguments: Arguments
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """`partial(callee, ...)`: what is called, and the arguments that it has got already."""

    callee: Any
    arguments: Arguments


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """`super()` in a method of `cls`."""

    bound_to: Any
    cls: Class


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of several values; which one is decided at run time."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """The list `router.routes`."""

    node: RouterNode


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A `Mount(...)`, `APIRoute(...)` or `Route(...)` object."""

    kind: str
    arguments: Arguments
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class Depending:
    """`Depends(...)`."""

    dependency: Dependency


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """A name imported from a module that may not have run yet."""

    module: Module
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The expression in the project's text that registers something."""

    module: Module
    node: ast.expr
    call: ast.Call | None


@dataclass(frozen=True, slots=True)
class Decorating:
    """A decorator while it is applied.

    Parameters:
        origin: the decorator.
        function: what it decorates.
    """

    origin: Origin
    function: ast.AST


@dataclass(slots=True)
class Arguments:
    """The arguments of a call; `hidden` when `*args` or `**kwargs` hide some."""

    positional: list[Any]
    keywords: dict[str, Any]
    hidden: bool = False

    def named(self, names: tuple[str, ...]) -> dict[str, Any]:
        """By name, positional ones under the given names."""
        return {**dict(zip(names, self.positional, strict=False)), **self.keywords}


@dataclass(slots=True, eq=False)
class Frame:
    """The names of a running module, class body or function.

    Parameters:
        yielded: what a generator gives to a loop over it; `None` for other functions, and for
            those that a decorator makes context managers of.
    """

    evaluator: Evaluator
    module: Module
    parent: Frame | None = None
    names: dict[str, Any] = field(default_factory=dict)
    function: FunctionNode | ast.Lambda | None = None
    cls: Class | None = None
    receiver: Any = None
    is_class_body: bool = False
    returned: list[Any] = field(default_factory=list)
    yielded: Items | None = None
    is_done: bool = False
    jump: str | None = None


def to_value(value: AV) -> Value:
    """What the evaluator has, as a value of the resolver."""
    match value:
        case Closure(function=function):
            return function
        case Partial(callee=callee):
            return to_value(callee)
        case Made(node=node):
            return node.value
        case Object(cls=cls, module=module, call=call):
            return Instance(cls, module, call)
        case External() | ModuleValue() | Function() | Class() | Instance() | Expression():
            return value
        case Constant():
            return value
        case _:
            return UNKNOWN


def made_in(value: AV, depth: int) -> Iterator[Made]:
    """The apps and routers that a value is or holds."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Made):
        yield value
    elif depth < 3:
        inner: Iterable[AV] = ()
        if isinstance(value, Either):
            inner = value.values
        elif isinstance(value, Items):
            inner = value.items
        elif isinstance(value, Table):
            inner = value.items.values()
        elif isinstance(value, Object):
            inner = value.attributes.values()
        for item in inner:
            yield from made_in(item, depth + 1)


def may_concern_apps(value: AV, depth: int = 0) -> bool:
    """Whether a value is or holds something that an app may be told, or that tells it."""
    match value:
        case Maybe(value=inner) | Partial(callee=inner):
            return may_concern_apps(inner, depth)
        case Made() | Planned() | Decorator() | Depending() | Routes() | Closure() | Class():
            return True
        case Either(values=values) | Items(items=values):
            return depth < 3 and any(may_concern_apps(item, depth + 1) for item in values)
        case Table(items=named) | Object(attributes=named):
            return depth < 3 and any(may_concern_apps(v, depth + 1) for v in named.values())
        case _:
            return False


def has_objects(arguments: Arguments) -> bool:
    values = [*arguments.positional, *arguments.keywords.values()]
    return any(isinstance(value, Made | Object | Items | Table | Either) for value in values)


def visible_from(frame: Frame) -> Frame:
    """What functions defined in a frame see: not the names of a class body."""
    while frame.is_class_body and frame.parent is not None:
        frame = frame.parent
    return frame


def alternatives(value: AV) -> tuple[AV, ...]:
    if isinstance(value, Either):
        return tuple(inner for v in value.values for inner in alternatives(v))
    return (value,)


def either(values: Iterable[AV]) -> AV:
    """The one value that all known ones are, or the choice between them; `None` does not count."""
    found: list[AV] = []
    none: AV = None
    unknown = False
    for value in values:
        for alternative in alternatives(value):
            if alternative is UNKNOWN:
                unknown = True
            elif is_none(alternative):
                none = alternative
            elif not any(same(alternative, other) for other in found):
                found.append(alternative)
    if not found:
        return UNKNOWN if none is None or unknown else none
    if len(found) == 1:
        # A choice between a text and nothing, or something unknown, is no constant.
        if isinstance(found[0], Constant) and (unknown or none is not None):
            return UNKNOWN
        return found[0]
    return Either(tuple(found[:50]))


def same(first: AV, second: AV) -> bool:
    if isinstance(first, Made) and isinstance(second, Made):
        return first.node is second.node
    if isinstance(first, Closure) and isinstance(second, Closure):
        return first.function.node is second.function.node and first.frame is second.frame
    if isinstance(first, Items) and isinstance(second, Items):
        return first is second or (
            len(first.items) == len(second.items)
            and all(same(a, b) for a, b in zip(first.items, second.items, strict=True))
        )
    return bool(first == second)


def merged(first: dict[str, AV], second: dict[str, AV]) -> dict[str, AV]:
    """The names behind two branches of which one was taken."""
    result: dict[str, AV] = {}
    for name in {**first, **second}:
        if name in first and name in second:
            a, b = first[name], second[name]
            result[name] = a if a is b else either([a, b])
        else:
            result[name] = first.get(name, second.get(name))
    return result


def items_of(value: AV) -> list[AV] | None:
    """The elements of something that can be iterated over."""
    match value:
        case Items(items=items):
            return items
        case Table(items=items):
            return [key if not is_literal(key) else Constant(key) for key in items]
        case _:
            return None


def is_literal(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bytes)


def is_none(value: AV) -> bool:
    return isinstance(value, Constant) and value.value is None


def flag(value: AV) -> bool | Unknown:
    if isinstance(value, Constant) and not isinstance(value, Assumed):
        return bool(value.value)
    return UNKNOWN


def added(first: AV, second: AV) -> AV:
    if isinstance(first, Constant) and isinstance(second, Constant):
        if (
            isinstance(first.value, str)
            and isinstance(second.value, str)
            and len(first.value) + len(second.value) < LONG
        ):
            kind = Assumed if Assumed in {type(first), type(second)} else Constant
            return kind(first.value + second.value)
        return UNKNOWN
    left, right = items_of(first), items_of(second)
    if left is not None and right is not None:
        if len(left) + len(right) > MANY:
            return UNKNOWN
        complete = getattr(first, "complete", True) and getattr(second, "complete", True)
        return Items([*left, *right], complete)
    return UNKNOWN


def formatted(first: AV, second: AV) -> AV:
    """`"/%s/x" % name`"""
    if not (isinstance(first, Constant) and isinstance(first.value, str)):
        return UNKNOWN
    items = items_of(second)
    values = items if items is not None else [second]
    # Widths and precisions could ask for any amount of memory.
    if not all(isinstance(value, Constant) for value in values) or re.search(
        r"%[^sd%]", first.value
    ):
        return UNKNOWN
    try:
        return Constant(first.value % tuple(value.value for value in values))
    except (TypeError, ValueError):
        return UNKNOWN


def text_method(text: str, name: str, values: list[AV], named: dict[str, AV]) -> AV:
    """A method of a constant string, called with constants."""
    given = [*values, *named.values()]
    if not all(isinstance(value, Constant) for value in given):
        return UNKNOWN
    if name == "format" and re.search(r"[{][^}]*[^\w}]", text):
        return UNKNOWN
    if sum(len(str(value.value)) for value in given) * (len(text) + 1) > LONG:
        return UNKNOWN
    try:
        result = getattr(text, name)(
            *(value.value for value in values), **{key: v.value for key, v in named.items()}
        )
    except (TypeError, ValueError, LookupError):
        return UNKNOWN
    if isinstance(result, list):
        return Items([Constant(item) for item in result])
    return Constant(result)


def truth_of(value: AV | None) -> bool | None:
    match value:
        case Assumed():
            return None
        case Constant(value=constant):
            return bool(constant)
        case Items(items=items, complete=complete) | Table(items=items, complete=complete):
            return True if items else (False if complete else None)
        case Made() | Object() | Closure() | Class():
            return True
        case _:
            return None


def compared(op: ast.cmpop, first: AV, second: AV) -> bool | None:
    if isinstance(first, Assumed) or isinstance(second, Assumed):
        return None
    if isinstance(op, ast.In | ast.NotIn):
        items = items_of(second)
        if items is None or not isinstance(first, Constant):
            return None
        if first in items:
            return isinstance(op, ast.In)
        if not all(isinstance(item, Constant) for item in items):
            return None
        return isinstance(op, ast.NotIn) if getattr(second, "complete", True) else None
    if isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
        positive = isinstance(op, ast.Is | ast.Eq)
        if isinstance(first, Constant) and isinstance(second, Constant):
            return (first.value == second.value) is positive
        if is_none(second) and isinstance(first, Made | Object | Closure | Class | Items | Table):
            return not positive
    return None


def leaves(body: Sequence[ast.stmt], *, raising: bool = True) -> bool:
    """Whether a block certainly leaves its function or loop."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.Return | ast.Continue | ast.Break):
        return True
    if isinstance(last, ast.Raise):
        return raising
    if isinstance(last, ast.If):
        return leaves(last.body, raising=raising) and leaves(last.orelse, raising=raising)
    return False


def last_name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    for child in ast.walk(node):
        if isinstance(child, ast.Call):
            yield child
