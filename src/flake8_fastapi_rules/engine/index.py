"""One pass over a tree: nodes by type, parents, scopes and what every name is bound to."""

from __future__ import annotations

import ast
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from flake8_fastapi_rules.engine.records import record

ScopeNode: TypeAlias = (
    ast.Module
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Lambda
    | ast.ClassDef
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.Module, *FUNCTIONS, ast.Lambda, ast.ClassDef, *COMPREHENSIONS)
_SCOPE_TYPES = frozenset(SCOPES)

#: How many names a condition is looked for behind.
_CONDITIONS = 3
#: How a name gets a value of its own.
_GIVEN = frozenset({"annotated", "assign", "walrus"})
#: Calls that are asked for yes or no.
_ASKING = frozenset(
    {
        "all", "any", "callable", "endswith", "exists", "fullmatch", "hasattr", "isabs", "isalnum",
        "isalpha", "isdigit", "isdir", "isfile", "isidentifier", "isinstance", "issubclass",
        "match", "startswith",
    }
)  # fmt: skip
#: What `own_nodes` does not look into.
_DEFINITIONS = frozenset({*FUNCTIONS, ast.Lambda, ast.ClassDef})

#: Fields that hold no nodes, or operators and contexts, which carry no position.
_LEAF_FIELDS = frozenset(
    {
        "ctx", "op", "ops", "id", "attr", "kind", "level", "module", "type_comment",
        "type_ignores", "conversion", "simple", "is_async", "arg", "tag", "n", "s", "rest",
    }
)  # fmt: skip
#: Node type to the names of its fields with children, last first: the walk's stack turns them.
_CHILD_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: (), ast.Name: ()}


def _child_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    named = {"TypeAlias"}  # the only node whose `name` is a node
    return tuple(
        field
        for field in reversed(kind._fields)
        if field not in _LEAF_FIELDS and (field != "name" or kind.__name__ in named)
    )


N = TypeVar("N", bound=ast.AST)


@record(eq=False)
class Binding:
    """One place that binds a name.

    Parameters:
        kind: `import`, `from`, `def`, `class`, `assign`, `annotated`, `augmented`, `for`, `with`,
            `parameter`, `alias` (PEP 695), `walrus`, `delete` or `other` (except, match, ...).
        node: the binding statement or expression, or the `ast.arg`.
        value: the expression whose value is bound, if there is one.
        path: for unpacking, the indices that lead to the name (`-1` when a star is in the way).
        alias: the `ast.alias` of an import.
        deferred: bound by a function through `global` or `nonlocal`.
    """

    name: str
    kind: str
    node: ast.AST
    value: ast.expr | None = None
    path: tuple[int, ...] = ()
    alias: ast.alias | None = None
    deferred: bool = False

    @property
    def given(self) -> ast.expr | None:
        """The whole of what an assignment, annotated or not, or a walrus gives the name."""
        return self.value if self.kind in _GIVEN and not self.path else None


@dataclass(slots=True, eq=False)
class Scope:
    """A scope of Python code and the bindings made in it, in source order."""

    node: ScopeNode
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, str] = field(default_factory=dict)
    stars: list[ast.ImportFrom] = field(default_factory=list)

    @property
    def is_class(self) -> bool:
        """Names of a class body are not seen by the functions inside it."""
        return isinstance(self.node, ast.ClassDef)


class ModuleIndex:
    """Nodes by type, parents, scopes and bindings of one tree, which it never changes."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self._by_type: dict[type[ast.AST], list[ast.AST]] = {}
        self._qualnames: dict[ast.AST, str] = {}
        self._scope_cache: dict[ast.AST, Scope] = {}
        self._body_cache: dict[ast.AST, tuple[ast.AST, ...]] = {}
        self._mentioned: dict[ast.AST, frozenset[str]] = {}
        self._inside: dict[ast.AST, set[ast.AST]] = {}
        self._in_order: dict[type[ast.AST], list[Any]] = {}
        self.module_scope = Scope(tree, None)
        self.scopes[tree] = self.module_scope
        self._walk()
        self._bind()

    # -- building ---------------------------------------------------------------------------

    def _walk(self) -> None:
        # The hottest loop of the linter: every node of every file passes here once.
        parents = self.parents
        by_type = self._by_type
        child_fields = _CHILD_FIELDS
        stack: list[ast.AST] = [self.tree]
        pop = stack.pop
        while stack:
            node = pop()
            kind = node.__class__
            group = by_type.get(kind)
            if group is None:
                by_type[kind] = [node]
            else:
                group.append(node)
            fields = child_fields.get(kind)
            if fields is None:
                fields = child_fields[kind] = _child_fields(kind)
            for name in fields:
                value = getattr(node, name, None)
                if value is None:
                    continue
                if value.__class__ is list:
                    for item in reversed(value):
                        if isinstance(item, ast.AST):
                            parents[item] = node
                            stack.append(item)
                elif isinstance(value, ast.AST):
                    parents[value] = node
                    stack.append(value)

    def _bind(self) -> None:
        for kind in SCOPES[1:]:
            for node in self._by_type.get(kind, ()):
                self.scopes[node] = Scope(node, None)  # type: ignore[arg-type]
        for node, scope in self.scopes.items():
            if not isinstance(node, ast.Module):
                scope.parent = self.scope_of(node)
        declarations: list[ast.Global | ast.Nonlocal] = [
            *self.nodes(ast.Global),
            *self.nodes(ast.Nonlocal),
        ]
        for declaration in declarations:
            how = "global" if isinstance(declaration, ast.Global) else "nonlocal"
            self.scope_of(declaration).outer.update(dict.fromkeys(declaration.names, how))
        for node in self._binders():
            for binding in _bindings_of(node):
                self._add(self.scope_of(node), binding)
        for node, scope in self.scopes.items():
            if isinstance(node, (*FUNCTIONS, ast.Lambda)):
                for arg in all_arguments(node.args):
                    scope.bindings.setdefault(arg.arg, []).insert(
                        0, Binding(arg.arg, "parameter", arg)
                    )
        for scope in self.scopes.values():
            for bindings in scope.bindings.values():
                if len(bindings) > 1:
                    bindings.sort(key=_position)

    def _binders(self) -> Iterator[ast.AST]:
        for kind in _BINDERS:
            yield from self._by_type.get(kind, ())

    def _add(self, scope: Scope, binding: Binding) -> None:
        if binding.name == "*":
            assert isinstance(binding.node, ast.ImportFrom)
            scope.stars.append(binding.node)
            return
        if binding.kind == "walrus":
            while isinstance(scope.node, COMPREHENSIONS) and scope.parent:
                scope = scope.parent
        how = scope.outer.get(binding.name)
        if how:
            target: Scope | None = self.module_scope
            if how == "nonlocal":
                target = scope.parent
                while target and binding.name not in target.bindings and target.parent:
                    target = target.parent
            assert target is not None
            scope = target
            binding = Binding(
                binding.name,
                binding.kind,
                binding.node,
                binding.value,
                binding.path,
                binding.alias,
                deferred=True,
            )
        scope.bindings.setdefault(binding.name, []).append(binding)

    # -- asking -----------------------------------------------------------------------------

    def nodes(self, kind: type[N]) -> list[N]:
        """All nodes of exactly this type, as the tree has them: statements in source order."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]

    def nodes_in(self, outer: ast.AST, kind: type[N]) -> list[N]:
        """The nodes of exactly this type between a node's start and end, in source order.

        Of a definition without its decorators.
        """
        nodes = self.nodes(kind)
        if not nodes:
            return nodes
        if issubclass(kind, ast.expr):
            if sys.version_info < (3, 12):
                # What stands in an f-string has no place of its own: python/cpython#94869.
                inside = self._inside.get(outer)
                if inside is None:
                    inside = {each for part in _parts(outer) for each in ast.walk(part)}
                    self._inside[outer] = inside
                return [each for each in nodes if each in inside]
            # A tree's decorators and return annotations come behind the body.
            nodes = self._in_order.get(kind) or self._in_order.setdefault(
                kind, sorted(nodes, key=_start)
            )
        start = bisect_left(nodes, _start(outer), key=_start)
        return nodes[start : bisect_right(nodes, _end(outer), start, key=_start)]

    def calls_of(self, names: frozenset[str]) -> list[ast.Call]:
        """The calls of something with one of these last names, in source order.

        Also those by a name that may stand for something of another name.
        """
        return self.calls_named(names | self._renamed)

    def calls_named(self, names: frozenset[str]) -> list[ast.Call]:
        """The calls of what is written with one of these last names, in source order."""
        by_name = self._calls_by_name
        wanted = names & by_name.keys()
        found = [call for name in wanted for call in by_name[name]]
        found.sort(key=lambda item: item[0])
        return [call for _, call in found]

    @cached_property
    def _calls_by_name(self) -> dict[str, list[tuple[int, ast.Call]]]:
        """The calls by the last name of what is called, with their positions among all calls."""
        found: dict[str, list[tuple[int, ast.Call]]] = {}
        for position, call in enumerate(self.nodes(ast.Call)):
            func = call.func
            if isinstance(func, ast.Attribute):
                found.setdefault(func.attr, []).append((position, call))
            elif isinstance(func, ast.Name):
                found.setdefault(func.id, []).append((position, call))
        return found

    @cached_property
    def _renamed(self) -> frozenset[str]:
        """The names that are bound to what may have another name: aliases and variables."""
        return frozenset(
            name
            for scope in self.scopes.values()
            for name, bindings in scope.bindings.items()
            if any(_may_rename(binding) for binding in bindings)
        )

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions and methods, plain ones first."""
        return [*self.nodes(ast.FunctionDef), *self.nodes(ast.AsyncFunctionDef)]

    def adopt(self, node: ast.AST, parent: ast.AST) -> None:
        """Give a node that was made later (a parsed string annotation) a place in the tree."""
        self.parents[node] = parent
        stack = [node]
        while stack:
            current = stack.pop()
            for child in ast.iter_child_nodes(current):
                self.parents[child] = current
                stack.append(child)

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope in which `node` is evaluated (for a definition: the one that binds it)."""
        cache = self._scope_cache
        scope = cache.get(node)
        if scope is not None:
            return scope
        scope = self.module_scope
        child, parent = node, self.parents.get(node)
        while parent is not None:
            if parent.__class__ in _SCOPE_TYPES and _is_inside(parent, child):  # type: ignore[arg-type]
                found = self.scopes.get(parent)
                if found is not None:  # a lambda in a string annotation has none of its own
                    scope = found
                    break
            if (known := cache.get(parent)) is not None:
                scope = known
                break
            child, parent = parent, self.parents.get(parent)
        cache[node] = scope
        # Its neighbours need not climb again.
        above = self.parents.get(node)
        if above is not None and above is not parent:
            cache[above] = scope
        return scope

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around `node`, from the inside out."""
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that `node` is or stands in."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self.parents.get(current)
        return current

    def function_of(
        self, node: ast.AST
    ) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """The innermost function in whose scope `node` is evaluated."""
        scope: Scope | None = self.scope_of(node)
        while scope is not None:
            if isinstance(scope.node, (*FUNCTIONS, ast.Lambda)):
                return scope.node
            scope = scope.parent
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class in whose body `node` (a method, say) stands directly."""
        scope = self.scope_of(node)
        return scope.node if isinstance(scope.node, ast.ClassDef) else None

    def qualname(self, node: ast.AST) -> str:
        """The dotted name of a definition inside its module, as `__qualname__` has it."""
        cached = self._qualnames.get(node)
        if cached is None:
            parts = [getattr(node, "name", "<lambda>")]
            scope: Scope | None = self.scope_of(node)
            while scope is not None and not isinstance(scope.node, ast.Module):
                if isinstance(scope.node, ast.ClassDef):
                    parts.append(scope.node.name)
                elif isinstance(scope.node, FUNCTIONS):
                    parts += ["<locals>", scope.node.name]
                scope = scope.parent
            cached = self._qualnames[node] = ".".join(reversed(parts))
        return cached

    def own_nodes(self, function: ast.AST) -> tuple[ast.AST, ...]:
        """The nodes of a function's body without those of functions and classes inside it.

        In source order; the inner definitions themselves, their decorators, bases and defaults
        belong to the outer body.
        """
        cached = self._body_cache.get(function)
        if cached is None:
            body = function.body  # type: ignore[attr-defined]
            found: list[ast.AST] = []
            stack: list[ast.AST] = list(reversed(body)) if isinstance(body, list) else [body]
            pop, push, child_fields = stack.pop, stack.append, _CHILD_FIELDS
            while stack:
                node = pop()
                found.append(node)
                kind = node.__class__
                if kind in _DEFINITIONS:
                    outside = [
                        *getattr(node, "decorator_list", ()),
                        *getattr(node, "bases", ()),
                        *(getattr(getattr(node, "args", None), "defaults", None) or ()),
                    ]
                    stack.extend(reversed(outside))
                    continue
                fields = child_fields.get(kind)
                if fields is None:
                    fields = child_fields[kind] = _child_fields(kind)
                for name in fields:
                    value = getattr(node, name, None)
                    if value is None:
                        continue
                    if value.__class__ is list:
                        for item in reversed(value):
                            if isinstance(item, ast.AST):
                                push(item)
                    elif isinstance(value, ast.AST):
                        push(value)
            cached = self._body_cache[function] = tuple(found)
        return cached

    def mentioned(self, node: ast.AST) -> frozenset[str]:
        """The names in a node, and with a dot in front the attributes (`name`, `.filename`)."""
        cached = self._mentioned.get(node)
        if cached is None:
            found: set[str] = set()
            stack = [node]
            while stack:
                current = stack.pop()
                kind = current.__class__
                if kind is ast.Name:
                    found.add(current.id)  # type: ignore[attr-defined]
                    continue
                if kind is ast.Attribute:
                    found.add(f".{current.attr}")  # type: ignore[attr-defined]
                stack += _children(current)
            cached = self._mentioned[node] = frozenset(found)
        return cached

    @cached_property
    def annotations_are_text(self) -> bool:
        """Whether `from __future__ import annotations` keeps annotations from being evaluated."""
        return any(
            statement.module == "__future__"
            and any(alias.name == "annotations" for alias in statement.names)
            for statement in self.nodes(ast.ImportFrom)
        )

    @cached_property
    def _generators(self) -> frozenset[ast.AST | None]:
        yields = (*self.nodes(ast.Yield), *self.nodes(ast.YieldFrom))
        return frozenset(self.function_of(node) for node in yields)

    def is_generator(self, function: ast.AST) -> bool:
        """Whether the function's own body contains `yield`."""
        return function in self._generators

    @cached_property
    def _checking_aliases(self) -> frozenset[str]:
        """The other names of `TYPE_CHECKING` in this module."""
        return frozenset(
            alias.asname
            for node in self.nodes(ast.ImportFrom)
            for alias in node.names
            if alias.asname and alias.name == "TYPE_CHECKING"
        )

    def is_for_checkers(self, node: ast.AST) -> bool:
        """Whether a statement is an `if TYPE_CHECKING`, alone or in an `and`, whatever its name."""
        return isinstance(node, ast.If) and any(
            self._asks_for_checkers(test) for test in _joined_by(ast.And, node.test)
        )

    def _asks_for_checkers(self, test: ast.expr) -> bool:
        return is_type_checking(test) or (
            isinstance(test, ast.Name) and test.id in self._checking_aliases
        )

    def branch_of(self, node: ast.AST, scope: Scope) -> tuple[tuple[ast.AST, str], ...]:
        """The branches around `node` within `scope`, from the outside in.

        A branch is a statement that may or may not run a block, and the name of that block.
        The body of `try` and of `with` counts as always run; so do `if TYPE_CHECKING` and its
        `else`, which binds last what both bind, as it does at run time.
        """
        branches: list[tuple[ast.AST, str]] = []
        child = node
        parent = self.parents.get(child)
        while parent is not None and child is not scope.node:
            if isinstance(parent, ast.If | ast.While | ast.For | ast.AsyncFor | ast.IfExp):
                if isinstance(parent, ast.If) and self.is_for_checkers(parent):
                    pass
                elif isinstance(parent, ast.IfExp):
                    if child is not parent.test:
                        branches.append((parent, "body" if child is parent.body else "orelse"))
                elif child in parent.body:
                    branches.append((parent, "body"))
                elif child in parent.orelse:
                    branches.append((parent, "orelse"))
            elif isinstance(parent, ast.ExceptHandler | ast.match_case):
                branches.append((parent, "body"))
            child, parent = parent, self.parents.get(parent)
        branches.reverse()
        return tuple(branches)

    def runs_at_import(self, node: ast.AST) -> bool:
        """Whether importing the module can evaluate `node`.

        Not inside functions, under `if __name__ == "__main__"` or under `if TYPE_CHECKING`, be it
        one of several conditions.
        """
        child = node
        for parent in self.ancestors(node):
            if isinstance(parent, (*FUNCTIONS, ast.Lambda)) and _is_inside(parent, child):
                return False
            if isinstance(parent, ast.If) and child in parent.body:
                if self.is_for_checkers(parent) or any(
                    is_main_guard(test) or self._asks_for_checkers(test)
                    for test in _joined_by(ast.Or, parent.test)
                ):
                    return False
            if isinstance(parent, ast.If) and child in parent.orelse:
                if is_main_guard(parent.test, ast.NotEq):
                    return False
            child = parent
        return True

    def lookup(self, name: str, at: ast.AST) -> tuple[Scope, list[Binding]] | None:
        """The bindings that a use of `name` at the node `at` can see, and their scope.

        Within one scope only what comes before the use counts, from the last binding on that is
        certain to have run; from an inner function all that the outer scope ends with.
        """
        scope: Scope | None = self.scope_of(at)
        start = scope
        deferred: tuple[Scope, list[Binding]] | None = None
        while scope is not None:
            if scope is start or not scope.is_class:
                if name in scope.outer:
                    target = self.module_scope if scope.outer[name] == "global" else None
                    if target is not None and name in target.bindings:
                        return target, self._visible(target, target.bindings[name], None)
                elif name in scope.bindings:
                    if scope.is_class and _is_unbound(scope.bindings[name], at):
                        # `session: Session = Depends(session)`; an annotation may be deferred.
                        deferred = scope, scope.bindings[name]
                        scope = scope.parent
                        continue
                    # A comprehension's or class body's own position counts as a use in `scope`.
                    use = at if scope is start else self._use_in(at, scope)
                    return scope, self._visible(scope, scope.bindings[name], use)
            scope = scope.parent
        return deferred

    def condition(self, test: ast.expr, depth: int = 0) -> ast.expr:
        """A test, with the conditions behind the local names that it asks instead.

        `is_known = name in NAMES` and `if not is_known:` is the test `not name in NAMES`.
        """
        match test:
            case ast.Name(id=name) if depth < _CONDITIONS:
                found = self.lookup(name, test)
                if found is None or len(found[1]) != 1:
                    return test
                scope, (binding,) = found
                given = binding.given if isinstance(scope.node, FUNCTIONS) else None
                if given is not None and _is_condition(given):
                    return self.condition(given, depth + 1)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                said = self.condition(inner, depth)
                if said is not inner:
                    return ast.copy_location(ast.UnaryOp(test.op, said), test)
            case ast.BoolOp(values=values):
                parts = [self.condition(value, depth) for value in values]
                if any(part is not value for part, value in zip(parts, values, strict=True)):
                    return ast.copy_location(ast.BoolOp(test.op, parts), test)
        return test

    def at_the_end(self, scope: Scope, bindings: list[Binding]) -> list[Binding]:
        """Of the bindings of a name in `scope`, those that may hold when its code has run."""
        return self._visible(scope, bindings, None)

    def _use_in(self, at: ast.AST, scope: Scope) -> ast.AST | None:
        """The use as seen from an outer `scope`: positioned only if nothing defers it."""
        inner: Scope | None = self.scope_of(at)
        while inner is not None and inner is not scope:
            if isinstance(inner.node, (*FUNCTIONS, ast.Lambda)):
                return None
            inner = inner.parent
        return at

    def _visible(self, scope: Scope, bindings: list[Binding], use: ast.AST | None) -> list[Binding]:
        if len(bindings) == 1:
            return bindings
        deferred = [binding for binding in bindings if binding.deferred]
        direct = [binding for binding in bindings if not binding.deferred]
        candidates = direct
        use_branch: tuple[tuple[ast.AST, str], ...] = ()
        if use is not None and hasattr(use, "lineno"):
            where = (use.lineno, use.col_offset)  # type: ignore[attr-defined]
            before = [b for b in direct if _end_position(b) <= where]
            if not before:
                return bindings
            candidates = before
            use_branch = self.branch_of(use, scope)
        chosen: list[Binding] = []
        for binding in reversed(candidates):
            branch = self.branch_of(binding.node, scope)
            if _excludes(branch, use_branch):
                continue
            chosen.append(binding)
            if use_branch[: len(branch)] == branch:
                break
        chosen.reverse()
        if chosen and chosen[-1].kind == "delete":
            chosen = [b for b in chosen if b.kind != "delete"]
        return (chosen or candidates) + deferred


def _is_condition(node: ast.expr) -> bool:
    """Whether an expression is written to be asked: a comparison, or a call that says so."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _ASKING or name.startswith(("is_", "has_", "can_"))
        case ast.Await(value=inner):
            return _is_condition(inner)
    return False


def _may_rename(binding: Binding) -> bool:
    if binding.kind in {"import", "from"}:
        alias = binding.alias
        return alias is None or alias.asname not in (None, alias.name)
    return binding.kind not in {"def", "class", "parameter"}


def _is_unbound(bindings: list[Binding], use: ast.AST) -> bool:
    """Whether a class body uses a name before binding it: it gets the one from outside then."""
    if not hasattr(use, "lineno"):
        return False
    where = (use.lineno, use.col_offset)  # type: ignore[attr-defined]
    return all(_end_position(binding) > where for binding in bindings)


def _excludes(
    branch: tuple[tuple[ast.AST, str], ...], other: tuple[tuple[ast.AST, str], ...]
) -> bool:
    """Whether two branches can never run in one go: the two sides of one `if`."""
    for (node, side), (other_node, other_side) in zip(branch, other, strict=False):
        if node is not other_node:
            return False
        if side != other_side:
            return isinstance(node, ast.If | ast.IfExp)
    return False


def _parts(outer: ast.AST) -> Iterator[ast.AST]:
    """The nodes directly in a node, without its decorators."""
    decorators = getattr(outer, "decorator_list", ())
    return (each for each in ast.iter_child_nodes(outer) if each not in decorators)


def _start(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0


def _position(binding: Binding) -> tuple[int, int]:
    return _start(binding.node)


def _end_position(binding: Binding) -> tuple[int, int]:
    """Where the binding has taken effect: behind its value, in front of a loop's body.

    A function is bound behind its end: `def get(user=Depends(get))` names an earlier `get`.
    """
    node = binding.node
    if binding.kind in {"for", "with", "other", "parameter"}:
        return _position(binding)
    return _end(node)


def is_type_checking(test: ast.expr) -> bool:
    """Whether an `if`'s test is `TYPE_CHECKING` in any spelling."""
    if isinstance(test, ast.Attribute):
        return test.attr == "TYPE_CHECKING"
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def is_main_guard(test: ast.expr, operator: type[ast.cmpop] = ast.Eq) -> bool:
    """Whether an `if`'s test is `__name__ == "__main__"`, alone or in an `and`.

    So is `__name__ in ("__main__", "__mp_main__")`.

    Parameters:
        operator: what compares the two; `ast.NotEq` of a guard whose `else` is for scripts.
    """
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and operator is ast.Eq:
        return any(is_main_guard(value) for value in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    sides = [test.left, test.comparators[0]]
    if isinstance(test.ops[0], ast.In if operator is ast.Eq else ast.NotIn):
        sides = [test.left, *getattr(sides[1], "elts", ())]
    elif not isinstance(test.ops[0], operator):
        return False
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def _joined_by(operator: type[ast.boolop], test: ast.expr) -> list[ast.expr]:
    """The conditions that `and` or `or` joins to a test; else the test alone."""
    is_joined = isinstance(test, ast.BoolOp) and isinstance(test.op, operator)
    return test.values if is_joined and isinstance(test, ast.BoolOp) else [test]


def mentions(node: ast.AST, names: Container[str]) -> bool:
    """Whether one of some names stands in a tree, read or bound, as a variable."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Name):
            if current.id in names:
                return True
        else:
            stack += _children(current)
    return False


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node, without operators and contexts, in no certain order."""
    kind = node.__class__
    fields = _CHILD_FIELDS.get(kind)
    if fields is None:
        fields = _CHILD_FIELDS[kind] = _child_fields(kind)
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def is_ellipsis(node: ast.AST | None) -> bool:
    """Whether an expression is `...`, by which FastAPI and Pydantic mark what is required."""
    return isinstance(node, ast.Constant) and node.value is ...


def all_arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    """Every argument of a signature in order, stars included."""
    yield from arguments.posonlyargs
    yield from arguments.args
    if arguments.vararg:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg:
        yield arguments.kwarg


def _is_inside(scope: ScopeNode, child: ast.AST) -> bool:
    """Whether `child`, a direct child of `scope`, is evaluated inside of it."""
    if isinstance(scope, ast.Module):
        return True
    if isinstance(scope, FUNCTIONS):
        return not (child is scope.args or child is scope.returns or child in scope.decorator_list)
    if isinstance(scope, ast.Lambda):
        return child is scope.body
    if isinstance(scope, ast.ClassDef):
        return not (
            child in scope.bases or child in scope.keywords or child in scope.decorator_list
        )
    # Of a comprehension only the first iterable is evaluated outside; it is a grandchild, so this
    # takes the whole comprehension as inside, which differs only for a name that it rebinds.
    return True


def _names(
    target: ast.expr, path: tuple[int, ...] = ()
) -> Iterator[tuple[ast.Name, tuple[int, ...]]]:
    if isinstance(target, ast.Name):
        yield target, path
    elif isinstance(target, ast.Starred):
        yield from _names(target.value, (*path, -1))
    elif isinstance(target, ast.Tuple | ast.List):
        starred = False
        for position, element in enumerate(target.elts):
            starred = starred or isinstance(element, ast.Starred)
            yield from _names(element, (*path, -1 if starred else position))


def _bindings_of(node: ast.AST) -> Iterator[Binding]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                name = alias.asname or alias.name.partition(".")[0]
                yield Binding(name, "import", node, alias=alias)
        case ast.ImportFrom(names=names):
            for alias in names:
                yield Binding(alias.asname or alias.name, "from", node, alias=alias)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield Binding(name, "def", node)
        case ast.ClassDef(name=name):
            yield Binding(name, "class", node)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                for bound, path in _names(target):
                    yield Binding(bound.id, "assign", node, value, path)
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield Binding(name, "annotated", node, value)
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            yield Binding(name, "augmented", node, value)
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield Binding(name, "walrus", node, value)
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            for bound, path in _names(target):
                yield Binding(bound.id, "for", node, value, path)
        case ast.comprehension(target=target, iter=value):
            for bound, path in _names(target):
                yield Binding(bound.id, "for", target, value, path)
        case ast.withitem(context_expr=value, optional_vars=target) if target is not None:
            for bound, path in _names(target):
                yield Binding(bound.id, "with", target, value, path)
        case ast.ExceptHandler(name=str(name)):
            yield Binding(name, "other", node)
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield Binding(name, "other", node)
        case ast.MatchMapping(rest=str(name)):
            yield Binding(name, "other", node)
        case ast.Delete(targets=targets):
            for target in targets:
                if isinstance(target, ast.Name):
                    yield Binding(target.id, "delete", node)
        case _:
            if type(node).__name__ == "TypeAlias":
                yield Binding(node.name.id, "alias", node, node.value)  # type: ignore[attr-defined]


_BINDERS: tuple[type[ast.AST], ...] = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.NamedExpr,
    ast.For,
    ast.AsyncFor,
    ast.comprehension,
    ast.withitem,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
    ast.MatchMapping,
    ast.Delete,
    *((ast.TypeAlias,) if hasattr(ast, "TypeAlias") else ()),
)


def targets_of(node: ast.AST | None) -> list[ast.expr]:
    """What an assignment, annotated or not, gives its value to; nothing for other nodes."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) and node.value is not None else []


def names_bound_in(target: ast.expr) -> Iterable[str]:
    """The names that an assignment target binds."""
    return (name.id for name, _ in _names(target))


def text_items(node: ast.Dict) -> Iterator[tuple[str, ast.expr]]:
    """The entries of a dictionary whose keys are written out as texts."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value


def terminal_name(node: ast.AST) -> str:
    """The last name of what is called or named: `send` of `self.bus.send`; empty for others."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def argument(call: ast.Call, keyword: str, position: int | None = None) -> ast.expr | None:
    """The argument given as `keyword` or at `position`; `None` when it is not there."""
    for each in call.keywords:
        if each.arg == keyword:
            return each.value
    if position is not None and position < len(call.args):
        if not any(isinstance(each, ast.Starred) for each in call.args[: position + 1]):
            return call.args[position]
    return None
