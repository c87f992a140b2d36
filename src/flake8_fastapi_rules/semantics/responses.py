"""What operations answer with: the declared type, and the values that they return."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import terminal_name
from flake8_fastapi_rules.engine.records import record
from flake8_fastapi_rules.semantics.framework import (
    BODILESS_STATUSES,
    RESPONSE,
    RETURN_ANNOTATION_IS_MODEL,
)
from flake8_fastapi_rules.semantics.parameters import is_record
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

#: The arguments of an operation that say what it answers with, or whether clients know of it.
_ANSWER_ARGUMENTS = frozenset(
    {"include_in_schema", "response_class", "response_model", "status_code"}
)
_DICT = External("builtins.dict")
#: How deep a type may nest before the rest of it is left aside.
_DEPTH = 12
#: How many calls a response is followed through to where its status is set.
_CALLS = 3
_SEQUENCES = ("builtins.tuple", "builtins.list", "collections.abc.Sequence")


@record
class ResponseType:
    """The type that FastAPI validates and documents an answer by.

    Parameters:
        module, node: the expression.
        is_annotation: it is the return annotation, not `response_model`.
    """

    module: Module
    node: ast.expr
    is_annotation: bool


@record
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


def answers_with(model: Model, route: Route, name: str) -> bool:
    """Whether a route says by `response_class` that it answers with a class of Starlette's."""
    given = route.arguments.get("response_class")
    return given is not None and model.is_subclass(model.resolve(route.module, given), name)


def is_raw_response(model: Model, module: Module, node: ast.expr | None) -> bool:
    """Whether a type is a response class, or a union of such."""
    if node is None:
        return False
    parts = [part for part in types_in(model, module, node) if part.value != Constant(None)]
    return bool(parts) and all(model.is_subclass(part.value, RESPONSE) for part in parts)


def is_only_response(model: Model, cls: Value) -> bool:
    """Whether a class is a response, and certainly no exception as well."""
    if not isinstance(cls, Class | External) or not model.is_subclass(cls, RESPONSE):
        return False
    return isinstance(cls, External) or (
        model.resolver.has_known_bases(cls) and not model.is_subclass(cls, "builtins.BaseException")
    )


def declares_sequence(model: Model, function: Function) -> bool:
    """Whether a route of a function says that it answers with a tuple or list, or may do so."""
    for route in model.uses(function.module).routes.get(function.node, ()):
        declared = response_type(model, route)
        if declared is None:
            continue
        for part in types_in(model, declared.module, declared.node):
            if not part.value or model.is_subclass(part.value, *_SEQUENCES):
                return True
    return False


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


def may_say_more(model: Model, route: Route) -> bool:
    """Whether arguments that are not written at a route may say what it answers with."""
    if not route.has_unknown_arguments or route.call is None:
        return route.has_unknown_arguments
    if any(isinstance(each, ast.Starred) for each in route.call.args):
        return True
    return any(
        not _unpacked_names(model, route.module, keyword.value).isdisjoint(_ANSWER_ARGUMENTS)
        for keyword in route.call.keywords
        if keyword.arg is None
    )


def _unpacked_names(model: Model, module: Module, node: ast.expr) -> frozenset[str]:
    """The keys of a dictionary that is written once and never changed; all of interest if not."""
    home, table = model.resolver.written(module, node) or (module, node)
    name = terminal_name(node)
    text = home.source.text
    if name and any(f"{name}{change}" in text for change in ("[", ".update(", ".setdefault(")):
        return _ANSWER_ARGUMENTS
    match table:
        case ast.Dict(keys=keys):
            names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
        case ast.Call(args=[], keywords=keywords) if model.resolve(home, table.func) == _DICT:
            names = [keyword.arg for keyword in keywords]
        case _:
            return _ANSWER_ARGUMENTS
    if all(isinstance(each, str) for each in names):
        return frozenset(str(each) for each in names)
    return _ANSWER_ARGUMENTS


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
            parsed = resolver.annotations.parsed(module, node)
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
        case Instance(
            of=External("typing.NewType" | "typing.TypeAliasType"), module=home, call=call
        ) if home and call and len(call.args) == 2:
            yield from inner(home, call.args[1], _contained)
        case _:
            yield TypePart(module, node, value, _contained)


def model_classes(model: Model, module: Module, node: ast.expr | None) -> Iterator[Class]:
    """The project's Pydantic models that a type names, each once."""
    for cls in _classes(model, module, node):
        if model.is_subclass(cls, "pydantic.BaseModel"):
            yield cls


def answer_classes(model: Model, module: Module, node: ast.expr | None) -> Iterator[Class]:
    """The project's models, dataclasses and typed dicts that a type names, each once."""
    for cls in _classes(model, module, node):
        if model.is_subclass(cls, "pydantic.BaseModel") or is_record(model.resolver, cls):
            yield cls


def _classes(model: Model, module: Module, node: ast.expr | None) -> Iterator[Class]:
    seen: set[Class] = set()
    for part in types_in(model, module, node):
        cls = part.value
        if isinstance(cls, Class) and cls not in seen:
            seen.add(cls)
            yield cls


def type_key(
    model: Model,
    module: Module,
    node: ast.expr | None,
    *,
    ordered: bool = False,
    _depth: int = 0,
) -> object | None:
    """What two expressions share that are the same type; `None` when it cannot be told.

    Aliases and strings are followed.

    Parameters:
        ordered: the members of unions have an order, as they do in a schema.
    """
    if node is None or _depth > _DEPTH:
        return None
    resolver = model.resolver

    def again(home: Module, part: ast.expr | None) -> object | None:
        return type_key(model, home, part, ordered=ordered, _depth=_depth + 1)

    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            parsed = resolver.annotations.parsed(module, node)
            return again(module, parsed)
        return ("constant", node.value) if node.value in (None, ...) else None

    def members(home: Module, parts: list[ast.expr], *extra: object) -> object | None:
        keys = [*(again(home, part) for part in parts), *extra]
        flat: dict[object, None] = {}
        for key in keys:
            if key is None:
                return None
            if isinstance(key, tuple) and key[0] == "union":
                flat.update(dict.fromkeys(key[1]))
            else:
                flat[key] = None
        if len(flat) == 1:
            return next(iter(flat))
        return ("union", tuple(flat) if ordered else frozenset(flat))

    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return members(module, [node.left, node.right])
    if isinstance(node, ast.Subscript):
        base = resolver.resolve(module, node.value)
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base == External("typing.Union"):
            return members(module, parts)
        if base == External("typing.Optional"):
            return members(module, parts, ("constant", None))
        if not isinstance(base, External | Class):
            return None
        if base in (External("typing.Literal"), External("typing.Annotated")):
            return (base, module, ast.dump(node.slice))
        keys = tuple(again(module, part) for part in parts)
        return None if None in keys else (base, keys)
    value = resolver.resolve(module, node)
    if isinstance(value, Class) and (written := resolver.written(module, node)) is not None:
        # `Items = Page[Item]`: the name means the class, and its arguments are written there.
        return again(*written)
    match value:
        case AnnotatedAlias(home, alias):
            return again(home, alias)
        case Expression(home, ast.BinOp() | ast.Subscript() as other) if other is not node:
            return again(home, other)
        case External() | Class():
            return value
        case _:
            return None


def is_evaluable(module: Module, node: ast.expr) -> bool:
    """Whether FastAPI finds what an annotation names when it evaluates it.

    An annotation that is a string, or all of them under `from __future__ import annotations`, is
    evaluated in the module's globals: no names of functions around, none that only a type checker
    imports.
    """
    is_text = any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.walk(node))
    if not is_text and not module.index.annotations_are_text:
        return True
    for name in ast.walk(node):
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            if not all(_is_global(module, word, name) for word in _names_in(name.value)):
                return False
        elif isinstance(name, ast.Name) and not _is_global(module, name.id, name):
            return False
    return True


def _names_in(text: str) -> list[str]:
    try:
        parsed = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [""]
    return [node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)]


def _is_global(module: Module, name: str, at: ast.AST) -> bool:
    found = module.index.lookup(name, at)
    if found is None:
        # What `from x import *` brings is known by now.
        return bool(name) and (
            hasattr(builtins, name)
            or any(_runs(module, star) for star in module.index.module_scope.stars)
        )
    scope, bindings = found
    if scope is not module.index.module_scope:
        return False
    return any(_runs(module, binding.node) for binding in bindings)


def _runs(module: Module, node: ast.AST) -> bool:
    """Whether a statement is not only for type checkers."""
    return not any(module.index.is_for_checkers(parent) for parent in module.index.ancestors(node))


def is_generator(function: Function) -> bool:
    """Whether a function yields its answer piece by piece."""
    return function.module.index.is_generator(function.node)


def sets_status(model: Model, function: Function, depth: int = 0) -> bool:
    """Whether a body says the status: `response.status_code = 201`.

    Or a function of the project does so that it hands a response to.
    """
    if any(
        isinstance(node, ast.Attribute)
        and node.attr == "status_code"
        and isinstance(node.ctx, ast.Store)
        for node in function.module.index.own_nodes(function.node)
    ):
        return True
    if depth >= _CALLS or "esponse" not in function.module.source.segment(function.node):
        return False
    return any(
        model.is_instance(model.resolve(function.module, given), RESPONSE)
        and sets_status(model, site.target, depth + 1)
        for site in model.effects.calls(function)
        if site.target is not None
        for given in (*site.node.args, *(keyword.value for keyword in site.node.keywords))
    )
