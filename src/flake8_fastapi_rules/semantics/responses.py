"""What operations answer with: the declared type, and the values that they return."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.framework import (
    BODILESS_STATUSES,
    RESPONSE,
    RETURN_ANNOTATION_IS_MODEL,
)
from flake8_fastapi_rules.semantics.values import (
    AnnotatedAlias,
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Route
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module

#: How deep a type may nest before the rest of it is left aside.
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class ResponseType:
    """The type that FastAPI validates and documents an answer by.

    Parameters:
        module, node: the expression.
        is_annotation: it is the return annotation, not `response_model`.
    """

    module: Module
    node: ast.expr
    is_annotation: bool


@dataclass(frozen=True, slots=True)
class TypePart:
    """One class or form in a type, with its containers and unions taken away.

    Parameters:
        module, node: the expression that names it.
        value: what it means; a class, an `External` or, when that cannot be told, `UNKNOWN`.
        is_contained: it stands inside of a list, mapping or another container.
    """

    module: Module
    node: ast.expr
    value: Value
    is_contained: bool


def return_annotation(route: Route) -> tuple[Module, ast.expr] | None:
    """The return annotation of a route's endpoint with its module; `None` without one."""
    returns = getattr(route.endpoint, "returns", None)
    if returns is None or route.endpoint_module is None:
        return None
    return route.endpoint_module, returns


def response_type(model: Model, route: Route) -> ResponseType | None:
    """What declares a route's answer: `response_model`, else the return annotation.

    `None` when neither does, or `response_model=None` says that nothing shall.
    """
    given = route.arguments.get("response_model")
    if given is not None:
        if model.resolve(route.module, given) == Constant(None):
            return None
        return ResponseType(route.module, given, is_annotation=False)
    annotated = return_annotation(route)
    if annotated is None or not model.settings.fastapi_at_least(*RETURN_ANNOTATION_IS_MODEL):
        return None
    return ResponseType(*annotated, is_annotation=True)


def is_raw_response(model: Model, module: Module, node: ast.expr | None) -> bool:
    """Whether a type is a response class, or a union of such."""
    if node is None:
        return False
    parts = [part for part in types_in(model, module, node) if part.value != Constant(None)]
    return bool(parts) and all(model.is_subclass(part.value, RESPONSE) for part in parts)


def returns_of(module: Module, function: ast.AST) -> tuple[ast.Return, ...]:
    """The `return` statements with a value in a function's own body."""
    return tuple(
        node
        for node in module.index.own_nodes(function)
        if isinstance(node, ast.Return) and node.value is not None
    )


def has_no_body(model: Model, route: Route) -> bool:
    """Whether a route's status allows no body."""
    status = model.status(route.module, route.arguments.get("status_code"))
    return status is not None and status in BODILESS_STATUSES


def types_in(
    model: Model,
    module: Module,
    node: ast.expr | None,
    *,
    _contained: bool = False,
    _depth: int = 0,
) -> Iterator[TypePart]:
    """The classes in a type: unions, containers, `Annotated` and aliases taken apart.

    The arguments of generic classes of the project follow the class itself.
    """
    if node is None or _depth > _DEPTH:
        return
    resolver = model.resolver

    def inner(home: Module, part: ast.expr, contained: bool) -> Iterator[TypePart]:
        return types_in(model, home, part, _contained=contained, _depth=_depth + 1)

    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            parsed = resolver.parsed_annotation(module, node)
            if parsed is not None:
                yield from inner(module, parsed, _contained)
            return
        yield TypePart(module, node, Constant(node.value), _contained)
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from inner(module, node.left, _contained)
        yield from inner(module, node.right, _contained)
        return
    if isinstance(node, ast.Subscript):
        base = resolver.resolve(module, node.value)
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        match base:
            case External("typing.Annotated" | "typing.ClassVar" | "typing.Final"):
                yield from inner(module, parts[0], _contained)
            case External("typing.Optional" | "typing.Union"):
                for part in parts:
                    yield from inner(module, part, _contained)
                if base == External("typing.Optional"):
                    yield TypePart(module, node, Constant(None), _contained)
            case External("typing.Literal" | "builtins.type" | "typing.Type"):
                yield TypePart(module, node, base, _contained)
            case _:
                yield TypePart(module, node, base, _contained)
                for part in parts:
                    yield from inner(module, part, True)
        return
    value = resolver.resolve(module, node)
    match value:
        case AnnotatedAlias(home, alias):
            yield from inner(home, alias, _contained)
        case Expression(home, ast.BinOp() | ast.Subscript() as other) if other is not node:
            yield from inner(home, other, _contained)
        case Instance(of=External("typing.NewType"), module=home, call=call) if (
            home and call and len(call.args) == 2
        ):
            yield from inner(home, call.args[1], _contained)
        case _:
            yield TypePart(module, node, value, _contained)


def model_classes(model: Model, module: Module, node: ast.expr | None) -> Iterator[Class]:
    """The project's Pydantic models that a type names, each once."""
    seen: set[Class] = set()
    for part in types_in(model, module, node):
        cls = part.value
        if (
            isinstance(cls, Class)
            and cls not in seen
            and model.is_subclass(cls, "pydantic.BaseModel")
        ):
            seen.add(cls)
            yield cls


def is_generator(function: Function) -> bool:
    """Whether a function yields its answer piece by piece."""
    return isinstance(function.node, FUNCTIONS) and function.module.index.is_generator(
        function.node
    )
