"""What annotations mean: unions, aliases, `Annotated`, generics and their variables, strings."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import argument
from flake8_fastapi_rules.semantics.agreement import library_name, union_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    AnnotatedAlias,
    Class,
    Constant,
    Expression,
    External,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.resolve import Resolver

#: How many aliases of aliases are followed.
_DEPTH = 60
#: How many bases of bases are looked at for what they give to type variables.
_HOPS = 5
#: What gives an object when it is awaited.
_AWAITABLES = frozenset(
    {"collections.abc.Awaitable", "collections.abc.Coroutine", "asyncio.Future", "asyncio.Task"}
)
_ALTERNATIVES = (External("typing.Union"), External("typing.Optional"))
_GENERIC = (External("typing.Generic"), External("typing.Protocol"))


class Annotations:
    """Answers what annotations mean, each question once.

    Parameters:
        resolver: tells what the names in them mean.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._types: dict[ast.AST, Value] = {}
        self._parsed: dict[ast.Constant, ast.expr | None] = {}

    def meaning(self, module: Module, node: ast.expr | None) -> Value:
        """An instance of what an annotation of `module` names.

        `T | None` is `T`; `type[T]` is the class `T` itself; unions of several types are
        `UNKNOWN` unless they agree; `Annotated[T, ...]` and aliases of it are `T`.
        """
        if node is None:
            return UNKNOWN
        known = self._types.get(node)
        if known is not None:
            return known
        return self._resolver.guarded(self._types, node, lambda: self._meaning(module, node))

    def _meaning(self, module: Module, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            if node.value is None:
                return Constant(None)
            parsed = self.parsed(module, node)
            return self.meaning(module, parsed) if parsed is not None else UNKNOWN
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union_of([self.meaning(module, node.left), self.meaning(module, node.right)])
        if isinstance(node, ast.Subscript):
            return self._generic(module, node)
        return self._instance_of(module, self._resolver.resolve(module, node), node)

    def _instance_of(self, module: Module, value: Value, node: ast.expr) -> Value:
        match value:
            case Class() | External():
                return Instance(value)
            case AnnotatedAlias(home, alias):
                return self.meaning(home, parts_of(alias)[0])
            case Expression(home, ast.BinOp() | ast.Subscript() as other) if other is not node:
                return self.meaning(home, other)
            case Instance(
                of=External("typing.NewType" | "typing.TypeAliasType"), module=home, call=call
            ) if home and call and len(call.args) == 2:
                return self.meaning(home, call.args[1])
            case Constant(str()) if isinstance(node, ast.Name):
                return UNKNOWN
            case _:
                return UNKNOWN

    def _generic(self, module: Module, node: ast.Subscript) -> Value:
        base = self._resolver.resolve(module, node.value)
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        match base:
            case External("typing.Annotated"):
                return self.meaning(module, arguments[0])
            case External("typing.Optional"):
                return self.meaning(module, arguments[0])
            case External("typing.Union"):
                return union_of([self.meaning(module, argument) for argument in arguments])
            case External("typing.Literal"):
                return Instance(External("typing.Literal"))
            case External("builtins.type" | "typing.Type"):
                inner = self.meaning(module, arguments[0])
                return inner.of if isinstance(inner, Instance) else UNKNOWN
            case External("typing.ClassVar" | "typing.Final" | "typing.Required"):
                return self.meaning(module, arguments[0])
            case External("typing.NotRequired" | "typing.ReadOnly"):
                return self.meaning(module, arguments[0])
            case External("pydantic.SerializeAsAny"):
                return self.meaning(module, arguments[0])
            case External("dishka.FromDishka" | "wireup.Injected" | "aioinject.Injected"):
                return self.meaning(module, arguments[0])  # what a container hands in
            case External(name) if name in _AWAITABLES:
                return self.meaning(module, arguments[-1])
            case External(name):
                args = tuple(self.meaning(module, argument) for argument in arguments)
                return Instance(External(name), args=args)
            case Class():
                args = tuple(self.meaning(module, argument) for argument in arguments)
                return Instance(base, args=args)
            case AnnotatedAlias(home, alias):
                given = {
                    name: self.meaning(module, part)
                    for name, part in zip(self._variables_of(home, alias), arguments, strict=False)
                }
                return self.with_variables(home, parts_of(alias)[0], given)
            case _:
                return UNKNOWN

    def parsed(self, module: Module, node: ast.Constant) -> ast.expr | None:
        """The expression inside a string annotation; `None` when it is not one."""
        if node not in self._parsed:
            parsed: ast.expr | None = None
            if isinstance(node.value, str) and len(node.value) < 1000:
                try:
                    parsed = ast.parse(node.value.strip(), mode="eval").body
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    parsed = None
            if parsed is not None:
                for child in ast.walk(parsed):
                    if isinstance(child, ast.expr | ast.keyword):
                        ast.copy_location(child, node)
                module.index.adopt(parsed, module.index.parents.get(node, module.tree))
            self._parsed[node] = parsed
        return self._parsed[node]

    def metadata(self, module: Module, node: ast.expr | None) -> list[tuple[Module, ast.expr]]:
        """The metadata in an annotation's `Annotated[...]`, aliases and nesting followed.

        Innermost first, as Python flattens them; each with the module it is written in.
        """
        return self.unwrapped(module, node)[2]

    def unwrapped(
        self, module: Module, node: ast.expr | None
    ) -> tuple[Module, ast.expr | None, list[tuple[Module, ast.expr]]]:
        """An annotation without `Annotated`: the module and node of the type, and the metadata.

        What stands for a type variable of a generic alias alone is what the alias is given.
        """
        found: list[tuple[Module, ast.expr]] = []
        variables: dict[str, tuple[Module, ast.expr]] = {}
        seen = 0
        while node is not None and seen < _DEPTH:
            seen += 1
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parsed = self.parsed(module, node)
                if parsed is None:
                    break
                node = parsed
                continue
            if isinstance(node, ast.Name) and node.id in variables:
                module, node = variables.pop(node.id)
                continue
            value = self._resolver.resolve(module, node)
            if isinstance(value, Expression) and value.node is not node:
                # A plain alias (`Ids = list[int]`), or a generic one.
                if isinstance(value.node, ast.BinOp | ast.Subscript):
                    module, node = value.module, value.node
                    continue
                break
            if not isinstance(value, AnnotatedAlias):
                break
            if isinstance(node, ast.Subscript) and node is not value.node:
                names = self._variables_of(value.module, value.node)
                given = [(module, part) for part in parts_of(node)]
                variables = dict(zip(names, given, strict=False))
            module = value.module
            parts = parts_of(value.node)
            found[:0] = [(module, part) for part in parts[1:]]
            node = parts[0]
        return module, node, found

    # -- type variables ---------------------------------------------------------------------

    def type_variables(
        self, cls: Class, base: Class, arguments: tuple[Value, ...] = ()
    ) -> dict[str, Value]:
        """What the type variables of `base` stand for in `cls`, which derives from it.

        Parameters:
            arguments: the type arguments that `cls` itself is written with.
        """
        own = dict(zip(self._type_parameters(cls), arguments, strict=False))
        return self._variables(cls, base, own, 0) or {}

    def _variables(
        self, cls: Class, base: Class, known: dict[str, Value], depth: int
    ) -> dict[str, Value] | None:
        if cls == base:
            return known
        for written in cls.node.bases if depth < _HOPS else ():
            parent = self._resolver.resolve(cls.module, written)
            if not isinstance(parent, Class):
                continue
            inner: dict[str, Value] = {}
            if isinstance(written, ast.Subscript):
                parts = parts_of(written)
                for name, part in zip(self._type_parameters(parent), parts, strict=False):
                    inner[name] = self.with_variables(cls.module, part, known)
            found = self._variables(parent, base, inner, depth + 1)
            if found is not None:
                return found
        return None

    def _type_parameters(self, cls: Class) -> tuple[str, ...]:
        """The names of a class's type variables, in order."""
        declared = getattr(cls.node, "type_params", ())
        if declared:
            return tuple(parameter.name for parameter in declared)
        names: dict[str, None] = {}
        for base in cls.node.bases:
            if isinstance(base, ast.Subscript):
                found = dict.fromkeys(self._variables_of(cls.module, base))
                if self._resolver.resolve(cls.module, base.value) in _GENERIC:
                    return tuple(found)  # what `Generic[...]` says is the order
                names.update(found)
        return tuple(names)

    def _variables_of(self, module: Module, written: ast.Subscript) -> tuple[str, ...]:
        """The names of the type variables in a generic base or alias, in order."""
        parent = module.index.parents.get(written)
        declared = getattr(parent, "type_params", ())
        if declared and not isinstance(parent, ast.ClassDef):
            return tuple(parameter.name for parameter in declared)
        names = [part for part in ast.walk(written.slice) if isinstance(part, ast.Name)]
        names.sort(key=lambda part: (part.lineno, part.col_offset))
        return tuple(
            dict.fromkeys(part.id for part in names if self._is_type_variable(module, part))
        )

    def _is_type_variable(self, module: Module, node: ast.expr) -> bool:
        value = self._resolver.resolve(module, node)
        return isinstance(value, Instance) and library_name(value) == "typing.TypeVar"

    def given_for_variable(self, module: Module, name: ast.Name, base: Class, cls: Class) -> Value:
        """An instance of what a parameter's type variable of a generic class stands for.

        Parameters:
            base: the class with the variable.
            cls: the same class, or one that derives from it and may give the variable.
        """
        found = module.index.lookup(name.id, name)
        if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
            return UNKNOWN
        annotation = getattr(found[1][0].node, "annotation", None)
        given = self.type_variables(cls, base) if cls != base else {}
        if isinstance(annotation, ast.Name) and given.get(annotation.id):
            return given[annotation.id]
        return self._bound(module, annotation)

    def bound_of(self, module: Module, name: ast.Name) -> Value:
        """An instance of the bound of the type variable that a parameter is annotated with.

        Of `T | dict[str, Any]` too: what only an object of `T` can do is done with one.
        """
        found = module.index.lookup(name.id, name)
        if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
            return UNKNOWN
        return self._bound(module, getattr(found[1][0].node, "annotation", None))

    def _bound(self, module: Module, node: ast.expr | None) -> Value:
        match node:
            case ast.Constant(value=str()):
                return self._bound(module, self.parsed(module, node))
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._bound(module, left) or self._bound(module, right)
            case ast.Subscript(value=value) if (
                self._resolver.resolve(module, value) in _ALTERNATIVES
            ):
                bounds = (self._bound(module, part) for part in parts_of(node))
                return next((bound for bound in bounds if bound), UNKNOWN)
            case ast.Name(id=name):
                for owner in module.index.ancestors(node):
                    for declared in getattr(owner, "type_params", ()):
                        if declared.name == name:
                            return self.meaning(module, getattr(declared, "bound", None))
                variable = self._resolver.resolve(module, node)
                if not isinstance(variable, Instance) or library_name(variable) != "typing.TypeVar":
                    return UNKNOWN
                if variable.call is None or variable.module is None:
                    return UNKNOWN
                return self.meaning(variable.module, argument(variable.call, "bound"))
        return UNKNOWN

    def with_variables(self, module: Module, node: ast.expr, variables: dict[str, Value]) -> Value:
        """An instance of what an annotation names, type variables given."""
        parsed = self.parsed(module, node) if isinstance(node, ast.Constant) else None
        node = parsed or node
        mentioned = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if mentioned.isdisjoint(variables):
            return self.meaning(module, node)
        match node:
            case ast.Name(id=name):
                return variables[name]
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                parts = [left, right]
                return union_of([self.with_variables(module, part, variables) for part in parts])
            case ast.Subscript(value=value):
                base = self._resolver.resolve(module, value)
                given = [self.with_variables(module, part, variables) for part in parts_of(node)]
                match base:
                    case External("typing.Annotated" | "typing.Optional"):
                        return given[0]
                    case External("typing.Union"):
                        return union_of(given)
                    case External("builtins.type" | "typing.Type"):
                        return given[0].of if isinstance(given[0], Instance) else UNKNOWN
                    case External(name) if name in _AWAITABLES:
                        return given[-1]
                    case External() | Class():
                        return Instance(base, args=tuple(given))
        return UNKNOWN

    def type_arguments(self, module: Module, node: ast.expr) -> tuple[Value, ...]:
        """The type arguments in `Repository[Item]`."""
        if not isinstance(node, ast.Subscript):
            return ()
        return tuple(self.meaning(module, part) for part in parts_of(node))


def parts_of(node: ast.Subscript) -> list[ast.expr]:
    """What stands between the brackets of an annotation."""
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
