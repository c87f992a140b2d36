"""Signatures as FastAPI reads them: which parameter comes from where.

The order of decisions is that of `fastapi.dependencies.utils.analyze_param` (FastAPI 0.165):
marker in `Annotated`, marker as default, special types, names in the path, uploads, scalars as
query parameters, and everything else as body.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Literal

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.facts import Marker, Parameter, ParameterKind
from flake8_fastapi_rules.semantics.framework import (
    COMPLEX_TYPES,
    MAPPING_TYPES,
    MARKER_BY_NAME,
    SCALAR_TYPES,
    SEQUENCE_TYPES,
    SPECIAL_PARAMETER_TYPES,
    UPLOAD_TYPES,
)
from flake8_fastapi_rules.semantics.libraries import ASYNC_ENGINES, SESSIONS, SYNC_ENGINES
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import Resolver, default_of
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    AnnotatedAlias,
    Class,
    Constant,
    Expression,
    External,
    Function,
    Instance,
    Value,
)

KINDS: dict[str, ParameterKind] = {
    "Depends": ParameterKind.DEPENDENCY,
    "Security": ParameterKind.DEPENDENCY,
    "Path": ParameterKind.PATH,
    "Query": ParameterKind.QUERY,
    "Header": ParameterKind.HEADER,
    "Cookie": ParameterKind.COOKIE,
    "Body": ParameterKind.BODY,
    "Form": ParameterKind.FORM,
    "File": ParameterKind.FILE,
}

#: How deep types are looked into.
_DEPTH = 40
#: Packages whose objects are plain defaults.
_PLAIN_VALUES = frozenset({*sys.stdlib_module_names, "pydantic"})

Shape = Literal["scalar", "upload", "complex", "unknown"]


def marker_of(
    resolver: Resolver, module: Module, node: ast.expr, *, in_annotated: bool
) -> Marker | None:
    """The marker that an expression is, or that the helper it calls returns; else `None`."""
    value = resolver.resolve(module, node)
    match value:
        case Instance(of=External(name), module=home, call=call) if call is not None and home:
            if name in MARKER_BY_NAME:
                return Marker(MARKER_BY_NAME[name], module, node, call, home, in_annotated)
        case External(name):
            if name in MARKER_BY_NAME:
                return Marker(MARKER_BY_NAME[name], module, node, None, module, in_annotated)
    return None


def parameters_of(
    resolver: Resolver, function: Function, path_names: frozenset[str] = frozenset()
) -> tuple[Parameter, ...]:
    """The parameters of a function, `self` and `cls` of methods included as `NONE`."""
    module, node = function.module, function.node
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    found: list[Parameter] = []
    skipped = _implicit(function, positional)
    for argument in [*positional, *arguments.kwonlyargs]:
        found.append(
            parameter_of(
                resolver,
                module,
                argument,
                node,
                argument.annotation,
                default_of(arguments, argument),
                path_names,
                is_implicit=argument is skipped,
                is_keyword_only=argument in arguments.kwonlyargs,
                is_positional_only=argument in arguments.posonlyargs,
            )
        )
    for star in (arguments.vararg, arguments.kwarg):
        if star is not None:
            found.append(
                Parameter(
                    module,
                    star,
                    node,
                    star.annotation,
                    star.annotation,
                    module,
                    None,
                    (),
                    ParameterKind.NONE,
                    None,
                )
            )
    return tuple(found)


def _implicit(function: Function, positional: list[ast.arg]) -> ast.arg | None:
    """`self` or `cls`, which the caller fills in."""
    node = function.node
    if not isinstance(node, FUNCTIONS) or not positional:
        return None
    if function.module.index.class_of(node) is None:
        return None
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Name) and decorator.id == "staticmethod":
            return None
    return positional[0]


def parameter_of(
    resolver: Resolver,
    module: Module,
    argument: ast.arg,
    function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None,
    annotation: ast.expr | None,
    default: ast.expr | None,
    path_names: frozenset[str] = frozenset(),
    *,
    is_implicit: bool = False,
    is_keyword_only: bool = False,
    is_positional_only: bool = False,
) -> Parameter:
    """One parameter, or one field of a class that acts as parameters."""
    type_module, type_node, metadata = resolver.annotations.unwrapped(module, annotation)
    markers = [
        marker
        for home, part in metadata
        if (marker := marker_of(resolver, home, part, in_annotated=True)) is not None
    ]
    if default is not None:
        marker = marker_of(resolver, module, default, in_annotated=False)
        if marker is not None:
            markers.append(marker)
    parameter = Parameter(
        module,
        argument,
        function,
        annotation,
        type_node,
        type_module,
        default,
        tuple(markers),
        ParameterKind.UNKNOWN,
        None,
        is_keyword_only,
        is_positional_only,
        bool(metadata),
    )
    kind = (
        ParameterKind.NONE
        if is_implicit
        else _kind(resolver, parameter, argument.arg in path_names)
    )
    object.__setattr__(parameter, "kind", kind)
    object.__setattr__(parameter, "alias", _alias(resolver, parameter))
    return parameter


def is_handed_in(resolver: Resolver, module: Module, node: ast.expr | None) -> bool:
    """Whether an expression is, or is taken from, a parameter of a function around it.

    Factories of routes are given `Depends(...)` that way, whatever the annotation says. A parameter
    with a constant as its own default is none of these.
    """
    root = node
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    found = module.index.lookup(root.id, root)
    if found is None:
        return False
    if not all(binding.kind == "parameter" for binding in found[1]):
        # Branches of such a factory choose, between a dependency and none for example.
        return len(found[1]) > 1 and isinstance(found[0].node, FUNCTIONS)
    arguments = getattr(found[0].node, "args", None)
    for binding in found[1]:
        if isinstance(arguments, ast.arguments) and isinstance(binding.node, ast.arg):
            default = default_of(arguments, binding.node)
            value = resolver.resolve(module, default)
            if isinstance(value, Constant) and value.value is not None:
                return False
    return bool(found[1])


def _is_made_by_others(resolver: Resolver, module: Module, node: ast.expr | None) -> bool:
    """Whether a default is the result of a call that cannot be read: it may be `Depends(...)`.

    With `Field(...)`, which is for models, FastAPI cannot tell either and fails.
    """
    if not isinstance(node, ast.Call):
        return False
    value = resolver.resolve(module, node)
    if isinstance(value, Instance) and isinstance(value.of, External):
        name = value.of.name
        return name == "pydantic.Field" or name.partition(".")[0] not in _PLAIN_VALUES
    return value == UNKNOWN


def _alias(resolver: Resolver, parameter: Parameter) -> str | None:
    marker = parameter.marker
    if marker is None or marker.call is None:
        return None
    for name in ("validation_alias", "alias"):
        given = marker.argument(name)
        if given is not None:
            value = resolver.resolve(marker.call_module, given)
            if isinstance(value, Constant) and isinstance(value.value, str):
                return value.value
    return None


def _kind(resolver: Resolver, parameter: Parameter, is_in_path: bool) -> ParameterKind:
    marker = parameter.marker
    if marker is not None:
        return KINDS[marker.name]
    typed = resolver.annotation(parameter.type_module, parameter.type_node)
    # FastAPI looks at their types first: `tasks: BackgroundTasks = BackgroundTasks()`.
    is_special = resolver.is_instance(typed, *SPECIAL_PARAMETER_TYPES)
    if is_handed_in(resolver, parameter.module, parameter.default) or (
        not is_special and _is_made_by_others(resolver, parameter.module, parameter.default)
    ):
        return ParameterKind.UNKNOWN
    if is_special:
        return ParameterKind.SPECIAL
    kind = shape_of(resolver, parameter.type_module, parameter.type_node)
    if is_in_path:
        return ParameterKind.PATH
    if kind == "upload":
        return ParameterKind.FILE
    if kind == "scalar":
        return ParameterKind.QUERY
    if kind == "complex":
        return ParameterKind.BODY
    return ParameterKind.UNKNOWN


def shape_of(resolver: Resolver, module: Module, node: ast.expr | None, depth: int = 0) -> Shape:
    """Whether FastAPI takes a type for one plain value, an upload, or something larger.

    `depth` counts the aliases and brackets around the type: recursive aliases have no end.
    """
    if depth > _DEPTH:
        return "unknown"
    depth += 1
    if node is None:
        return "scalar"
    if isinstance(node, ast.Constant):
        if node.value is None or node.value is ...:
            return "scalar"
        parsed = resolver.annotations.parsed(module, node)
        return shape_of(resolver, module, parsed, depth) if parsed is not None else "unknown"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _joined(
            [shape_of(resolver, module, part, depth) for part in (node.left, node.right)]
        )
    if isinstance(node, ast.Subscript):
        base = resolver.resolve(module, node.value)
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        match base:
            case External("typing.Union" | "typing.Optional"):
                return _joined([shape_of(resolver, module, part, depth) for part in parts])
            case External("typing.Literal"):
                return "scalar"
            case External("typing.Annotated" | "pydantic.SerializeAsAny"):
                return shape_of(resolver, module, parts[0], depth)
            case External(name) if name in SEQUENCE_TYPES:
                inner = [
                    shape_of(resolver, module, part, depth)
                    for part in parts
                    if not (isinstance(part, ast.Constant) and part.value is ...)
                ]
                return "upload" if inner and set(inner) == {"upload"} else "complex"
            case External(name) if name in MAPPING_TYPES:
                return "complex"
        return _shape_of_value(resolver, base, depth)
    return _shape_of_value(resolver, resolver.resolve(module, node), depth)


def _joined(shapes: list[Shape]) -> Shape:
    if "upload" in shapes:
        return "upload"
    if "complex" in shapes:
        return "complex"
    return "unknown" if "unknown" in shapes else "scalar"


def _shape_of_value(resolver: Resolver, value: Value, depth: int) -> Shape:
    match value:
        case External(name):
            if resolver.is_subclass(value, *UPLOAD_TYPES):
                return "upload"
            if name in SCALAR_TYPES or resolver.is_subclass(value, "enum.Enum"):
                return "scalar"
            if resolver.is_subclass(value, *COMPLEX_TYPES):
                return "complex"
            return "unknown"
        case Class():
            return _shape_of_class(resolver, value)
        case AnnotatedAlias(module, node):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return shape_of(resolver, module, parts[0], depth)
        case Expression(module, ast.BinOp() | ast.Subscript() as node):
            return shape_of(resolver, module, node, depth)
        case Instance(
            of=External("typing.NewType" | "typing.TypeAliasType"), module=module, call=call
        ) if module and call and len(call.args) == 2:
            return shape_of(resolver, module, call.args[1], depth)
        case Instance(of=External(name)) if name in _CONSTRAINED:
            return "complex"
        case Instance(of=External(name)) if name in _CONSTRAINED_SCALARS:
            return "scalar"
        case _:
            return "unknown"


def _shape_of_class(resolver: Resolver, cls: Class) -> Shape:
    if resolver.is_subclass(cls, *UPLOAD_TYPES):
        return "upload"
    if resolver.is_subclass(cls, "enum.Enum"):
        return "scalar"
    if resolver.is_subclass(cls, *_RECORDS, *COMPLEX_TYPES) or is_dataclass(resolver, cls):
        return "complex"
    if any(isinstance(base, External) and base.name in SCALAR_TYPES for base in resolver.mro(cls)):
        return "scalar"
    return "unknown"


#: Classes with fields, besides models and dataclasses.
_RECORDS = ("typing.NamedTuple", "typing.TypedDict")
#: Calls that stand for a container in annotations: `conlist(int, max_length=3)`.
_CONSTRAINED = frozenset({"pydantic.confrozenset", "pydantic.conlist", "pydantic.conset"})
#: The same for single values: `conint(ge=1)`.
_CONSTRAINED_SCALARS = frozenset(
    f"pydantic.con{kind}" for kind in ("bytes", "date", "decimal", "float", "int", "str")
)
#: Bases that say nothing about how to validate a class.
_PLAIN_BASES = frozenset({"builtins.object", "abc.ABC", "typing.Generic"})
#: What makes Pydantic accept a class.
_PYDANTIC_HOOKS = ("__get_pydantic_core_schema__", "__get_validators__")


def is_refused_as_field(resolver: Resolver, cls: Class | External) -> bool:
    """Whether FastAPI certainly refuses a class as the type of a query, body or response field.

    That is a class of the project that is neither model, dataclass, enum nor typed dict and has no
    hooks for Pydantic (those of attrs are such), or a session or engine of SQLAlchemy.
    """
    if isinstance(cls, External):
        return cls.name in SESSIONS | SYNC_ENGINES | ASYNC_ENGINES
    if not resolver.has_known_bases(cls):
        return False
    for base in resolver.mro(cls):
        if isinstance(base, External):
            if base.name not in _PLAIN_BASES:
                return False
            continue
        for decorator in base.node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if resolver.resolve(base.module, target) not in _ATTRS:
                return False
    return not any(resolver.class_attribute(cls, hook, instance=True) for hook in _PYDANTIC_HOOKS)


def is_dataclass(resolver: Resolver, cls: Class) -> bool:
    """Whether a class, or a base of it, is a dataclass (also Pydantic's)."""
    for base in resolver.mro(cls):
        if isinstance(base, Class):
            for decorator in base.node.decorator_list:
                target = decorator.func if isinstance(decorator, ast.Call) else decorator
                value = resolver.resolve(base.module, target)
                if value in _DATACLASSES:
                    return True
    return False


def is_record(resolver: Resolver, cls: Class) -> bool:
    """Whether a class only names its items: a dataclass, a named tuple or a typed dict."""
    return resolver.is_subclass(cls, *_RECORDS) or is_dataclass(resolver, cls)


_DATACLASSES = (
    External("dataclasses.dataclass"),
    External("pydantic.dataclasses.dataclass"),
    External("attrs.define"),
)
#: Decorators that make classes which Pydantic knows nothing of.
_ATTRS = frozenset(
    External(name)
    for name in ("attr.define", "attr.s", "attrs.define", "attrs.frozen", "attrs.mutable")
)


def fields_of(resolver: Resolver, cls: Class) -> Iterator[tuple[Module, ast.AnnAssign]]:
    """The annotated fields of a model or dataclass, those of bases first; redefined ones once.

    The relationships of SQLModel are no fields: no answer has them.
    """
    fields: dict[str, tuple[Module, ast.AnnAssign]] = {}
    for base in reversed(resolver.mro(cls)):
        if not isinstance(base, Class):
            continue
        for statement in base.node.body:
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and not _is_class_variable(resolver, base.module, statement.annotation)
                and not _is_relationship(resolver, base.module, statement.value)
            ):
                fields[statement.target.id] = base.module, statement
    yield from fields.values()


def _is_class_variable(resolver: Resolver, module: Module, annotation: ast.expr) -> bool:
    node = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return resolver.resolve(module, node) == External("typing.ClassVar")


def _is_relationship(resolver: Resolver, module: Module, node: ast.expr | None) -> bool:
    value = resolver.resolve(module, node) if isinstance(node, ast.Call) else UNKNOWN
    return isinstance(value, Instance) and value.of == External("sqlmodel.Relationship")


def is_part_of_form(resolver: Resolver, module: Module, node: ast.expr) -> bool:
    """Whether an expression is one part of a form that is read by hand: `form["file"]`.

    It is text or an upload, which only its use tells.
    """
    binding = None
    if isinstance(node, ast.Name):
        _, bindings = module.index.lookup(node.id, node) or (None, [])
        if len(bindings) != 1 or bindings[0].value is None:
            return False
        binding = bindings[0]
        node = bindings[0].value
    is_loop = binding is not None and binding.kind == "for"
    match node:
        case ast.Call(func=ast.Attribute(value=form, attr="getlist" | "values")) if is_loop:
            pass
        case ast.Call(func=ast.Attribute(value=form, attr="items" | "multi_items")) if is_loop:
            if binding is not None and binding.path != (1,):
                return False
        case ast.Subscript(value=form) | ast.Call(func=ast.Attribute(value=form, attr="get")):
            if is_loop:
                return False
        case _:
            return False
    return resolver.is_instance(resolver.resolve(module, form), "starlette.datastructures.FormData")
