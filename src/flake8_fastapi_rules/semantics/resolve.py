"""What does this expression mean? Names, attributes and calls followed through the project.

The resolver never runs anything. Where bindings differ between branches the answer is `UNKNOWN`
unless they agree; a branch that only holds `None` or that cannot be told does not count, since the
question is always "what is this, if it is anything".
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from flake8_fastapi_rules.engine.index import (
    FUNCTIONS,
    Binding,
    Scope,
    all_arguments,
    argument,
    terminal_name,
)
from flake8_fastapi_rules.semantics.agreement import (
    agreed,
    has_unknown_part,
    is_opaque,
    library_name,
    says_nothing,
)
from flake8_fastapi_rules.semantics.annotations import Annotations, parts_of
from flake8_fastapi_rules.semantics.bases import MADE_MODEL, MODEL_MAKERS, external_mro
from flake8_fastapi_rules.semantics.modules import Module, Modules
from flake8_fastapi_rules.semantics.names import canonical, looks_like_class
from flake8_fastapi_rules.semantics.rows import ITERABLE_ROWS, ROW_LIBRARIES, queried
from flake8_fastapi_rules.semantics.types import (
    ATTRIBUTES,
    CLASSES,
    ENTER,
    PRODUCT_ARGUMENT,
    RETURNS,
)
from flake8_fastapi_rules.semantics.values import (
    UNKNOWN,
    AnnotatedAlias,
    Class,
    Constant,
    Expression,
    External,
    Function,
    FunctionNode,
    Instance,
    ModuleValue,
    Value,
)

#: How deep questions may lead to further questions before the answer is `UNKNOWN`.
_DEPTH = 60
#: After so many of them in one question, what was left open is not asked again.
_CUTS = 10_000
#: How many elements of a folded string or of a class hierarchy are looked at.
_WIDTH = 200

_CONTEXT_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_ITERATORS = frozenset(
    {
        "collections.abc.Iterator",
        "collections.abc.Iterable",
        "collections.abc.Generator",
        "collections.abc.AsyncIterator",
        "collections.abc.AsyncIterable",
        "collections.abc.AsyncGenerator",
    }
)
_CONTEXT_MANAGER_TYPES = frozenset(
    {"contextlib.AbstractAsyncContextManager", "contextlib.AbstractContextManager"}
)
#: What describes a field of a model; the field's value is of the type that is written.
_FIELDS = frozenset({"pydantic.Field", "sqlmodel.Field", "odmantic.Field", "beanie.Indexed"})
#: How many imports of imports are followed.
_HOPS = 5
#: What asks FastAPI for a value.
_APPS = ("fastapi.FastAPI", "starlette.applications.Starlette")
_INJECTORS = frozenset({"fastapi.Depends", "fastapi.Security"})
#: Methods of models that give another model of the same class.
_MODEL_MAKERS = frozenset(
    {
        "construct", "copy", "from_orm", "model_construct", "model_copy", "model_validate",
        "model_validate_json", "model_validate_strings", "parse_file", "parse_obj", "parse_raw",
        "validate",
    }
)  # fmt: skip
_DICT = External("builtins.dict")
_CONTAINERS = (
    frozenset(
        {
            "builtins.list",
            "builtins.set",
            "builtins.frozenset",
            "builtins.tuple",
            "collections.abc.Sequence",
            "collections.abc.MutableSequence",
            "collections.abc.Set",
            "collections.abc.MutableSet",
            "collections.abc.Collection",
            "collections.deque",
        }
    )
    | _ITERATORS
)
_MAPPINGS = frozenset(
    {
        "builtins.dict",
        "collections.defaultdict",
        "collections.OrderedDict",
        "collections.abc.Mapping",
        "collections.abc.MutableMapping",
    }
)
_DISPLAYS: dict[type[ast.expr], str] = {
    ast.List: "builtins.list",
    ast.ListComp: "builtins.list",
    ast.Tuple: "builtins.tuple",
    ast.Dict: "builtins.dict",
    ast.DictComp: "builtins.dict",
    ast.Set: "builtins.set",
    ast.SetComp: "builtins.set",
    ast.GeneratorExp: "collections.abc.Iterator",
    ast.JoinedStr: "builtins.str",
}
#: How long a text may become: what doubles in every line fills any memory.
LONG = 100_000
#: How many elements a list may have.
MANY = 10_000
#: Paths that `/` makes further ones of.
_PATHS = ("pathlib.PurePath", "anyio.Path")
_APP = "starlette.applications.Starlette"
#: Decorators of the standard library that leave what a function returns as it is.
_TRANSPARENT_PARTIALS = frozenset({"functools.partial", "functools.partialmethod"})
#: What runs a function elsewhere and gives its result, with the function's position.
_WORKERS = {
    "anyio.to_process.run_sync": 0,
    "anyio.to_thread.run_sync": 0,
    "asyncio.AbstractEventLoop.run_in_executor": 1,
    "asyncio.to_thread": 0,
    "starlette.concurrency.run_in_threadpool": 0,
}


class Resolver:
    """Answers what expressions mean, lazily, each question once.

    Parameters:
        modules: where first-party modules come from.
    """

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.annotations = Annotations(self)
        self._memo: dict[ast.AST, Value] = {}
        self._attributes: dict[tuple[Module, str], Value] = {}
        self._returns: dict[ast.AST, Value] = {}
        self._given: dict[ast.AST, Value] = {}
        self._mros: dict[ast.ClassDef, tuple[tuple[Class | External, ...], bool]] = {}
        self._self_assignments: dict[
            ast.ClassDef, dict[str, list[tuple[ast.expr | None, ast.expr | None]]]
        ] = {}
        self._without: dict[tuple[Module, str, frozenset[str]], bool] = {}
        self._kept: dict[tuple[Path, str], Value] = {}
        self._busy: set[object] = set()
        self._depth = 0
        #: How many questions were left because they led back to themselves, or too far.
        self._cuts = 0

    # -- expressions ------------------------------------------------------------------------

    def resolve(self, module: Module, node: ast.AST | None) -> Value:
        """What an expression of `module` means."""
        if node is None:
            return UNKNOWN
        known = self._memo.get(node)
        if known is not None:
            return known
        return self.guarded(self._memo, node, lambda: self._resolve(module, node))

    def guarded(
        self, memo: dict[ast.AST, Value], key: ast.AST, compute: Callable[[], Value]
    ) -> Value:
        """Compute once; a question that leads back to itself, or too far, is `UNKNOWN`."""
        guard = (id(memo), key)
        if guard in self._busy or self._depth > _DEPTH:
            self._cuts += 1
            return UNKNOWN
        if not self._busy:
            self._cuts = 0
        self._busy.add(guard)
        self._depth += 1
        cuts = self._cuts
        try:
            value = compute()
        finally:
            self._depth -= 1
            self._busy.discard(guard)
        # An UNKNOWN inside of a cycle may be known outside of it, if it does not take forever.
        if value or not self._busy or self._cuts == cuts or self._cuts > _CUTS:
            memo[key] = value
        return value

    def _resolve(self, module: Module, node: ast.AST) -> Value:
        match node:
            case ast.Name(id=name):
                return self.name(module, name, node)
            case ast.Attribute(value=value, attr=attr):
                dotted = self._imported_submodule(module, node)
                if dotted is not None:
                    return dotted
                found = self.attribute(self.resolve(module, value), attr)
                if not found and isinstance(value, ast.Attribute) and value.attr == "state":
                    return self._kept_by_app(module, value.value, attr)
                return found
            case ast.Call():
                return self._call(module, node)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.resolve(module, value)
            case ast.Constant(value=value):
                return Constant(value)
            case ast.JoinedStr():
                return self._fold(module, node)
            case ast.FormattedValue(value=value):
                return self.resolve(module, value)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return Expression(module, node)
            case ast.BinOp(left=left, op=op, right=right):
                first = self.resolve(module, left)
                if isinstance(op, ast.Div) and self.is_instance(first, *_PATHS):
                    return first
                second = self.resolve(module, right)
                if (
                    isinstance(op, ast.Add)
                    and isinstance(first, Constant)
                    and isinstance(second, Constant)
                    and isinstance(first.value, str)
                    and isinstance(second.value, str)
                    and len(first.value) + len(second.value) < LONG
                ):
                    return Constant(first.value + second.value)
                return Expression(module, node)
            case ast.IfExp(body=body, orelse=orelse):
                return agreed([self.resolve(module, body), self.resolve(module, orelse)])
            case ast.BoolOp(values=values):
                return agreed([self.resolve(module, value) for value in values])
            case ast.Subscript():
                return self._subscript(module, node)
            case ast.Lambda():
                return Function(module, node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                owner = module.index.class_of(node)
                return Function(module, node, Class(module, owner) if owner else None)
            case ast.ClassDef():
                return Class(module, node)
            case ast.arg():
                return self._parameter(module, node)
            case ast.Starred():
                return UNKNOWN
            case ast.expr():
                return Expression(module, node)
            case _:
                return UNKNOWN

    def name(self, module: Module, name: str, at: ast.AST) -> Value:
        """What a name means at a place in `module`."""
        found = module.index.lookup(name, at)
        if found is None:
            starred = self._starred(module, name)
            if starred is not None:
                return starred
            return External(f"builtins.{name}") if name in _BUILTINS else UNKNOWN
        scope, bindings = found
        return self._agreed_bindings(module, scope, bindings)

    def _agreed_bindings(self, module: Module, scope: Scope, bindings: list[Binding]) -> Value:
        values = [self._binding(module, scope, binding) for binding in bindings]
        found = agreed(values)
        if not found and len(values) > 1 and _is_preferred(module, bindings):
            return values[0]
        return found

    def _binding(self, module: Module, scope: Scope, binding: Binding) -> Value:
        match binding.kind:
            case "import" | "from":
                return self._import(module, binding)
            case "def" | "class":
                return self.resolve(module, binding.node)
            case "assign" | "walrus" | "alias":
                value = self.resolve(module, binding.value)
                if binding.path:
                    return self._element(module, value, binding.path)
                if not value or is_opaque(value):
                    return self._passed_through(module, scope, binding) or value
                return value
            case "annotated":
                assert isinstance(binding.node, ast.AnnAssign)
                value = self.resolve(module, binding.value)
                if _is_type_alias_annotation(binding.node.annotation):
                    return value
                is_field = isinstance(value, Instance) and library_name(value) in _FIELDS
                if isinstance(value, Instance | Function | Class) and not (
                    is_field or is_opaque(value)
                ):
                    return value
                typed = self.annotation(module, binding.node.annotation)
                if isinstance(value, Constant) and value.value is not None:
                    return value
                if isinstance(value, Expression) and not isinstance(typed, Instance):
                    return value
                return typed or value
            case "for":
                return self._iterated(module, binding)
            case "with":
                entered = self._entered(module, binding.value)
                return self._element(module, entered, binding.path)
            case "parameter":
                return self.resolve(module, binding.node)
            case _:
                return UNKNOWN

    def _passed_through(self, module: Module, scope: Scope, binding: Binding) -> Value:
        """`app = instrument(app)`: what a library hands back for the name it was given."""
        call = binding.value
        if not (isinstance(call, ast.Call) and call.args):
            return UNKNOWN
        first = call.args[0]
        if not (isinstance(first, ast.Name) and first.id == binding.name):
            return UNKNOWN
        return self.resolve(module, first)

    def written(self, module: Module, node: ast.expr) -> tuple[Module, ast.expr] | None:
        """The expression that a module's or function's constant is given, whatever its type says.

        `None` for other expressions, and for names that are bound more than once.
        """
        home, name, bindings = module, "", list[Binding]()
        match node:
            case ast.Name(id=name):
                found = module.index.lookup(name, node)
                bindings = found[1] if found else []
            case ast.Attribute(value=owner, attr=name):
                value = self.resolve(module, owner)
                if isinstance(value, ModuleValue):
                    home = value.module
                    bindings = home.index.module_scope.bindings.get(name, [])
        for _ in range(_HOPS):
            if len(bindings) != 1:
                return None
            binding = bindings[0]
            if binding.kind in {"assign", "annotated"} and not binding.path:
                return None if binding.value is None else (home, binding.value)
            if binding.kind != "from" or binding.alias is None:
                return None
            statement = binding.node
            assert isinstance(statement, ast.ImportFrom)
            origin = self.modules.home_of(statement, home)
            if origin is None:
                return None
            home = origin
            bindings = home.index.module_scope.bindings.get(binding.alias.name, [])
        return None

    def possible(self, module: Module, node: ast.AST | None, depth: int = 0) -> tuple[Value, ...]:
        """All that an expression may be: the one thing it is, or each of what it is one of.

        Choices are those of `a if x else b`, of names that branches bind, of what a loop goes
        through, and of functions that return now this, now that. Empty when one of the choices
        cannot be told.
        """
        value = self.resolve(module, node)
        if says_nothing(value):
            value = UNKNOWN
        if value or node is None or depth > _HOPS:
            return (value,) if value else ()
        choices: list[tuple[Value, ...]] = []
        match node:
            case ast.IfExp(body=body, orelse=orelse):
                choices = [self.possible(module, part, depth + 1) for part in (body, orelse)]
            case ast.BoolOp(values=values):
                choices = [self.possible(module, part, depth + 1) for part in values]
            case ast.Name(id=name):
                scope, bindings = module.index.lookup(name, node) or (None, [])
                for binding in bindings:
                    known = self._binding(module, scope, binding) if scope else UNKNOWN
                    is_plain = binding.kind in {"assign", "annotated"} and not binding.path
                    if known and not says_nothing(known):
                        choices.append((known,))
                    elif binding.kind == "for" and not binding.path:
                        choices.extend(self._looped(module, binding.value, depth + 1))
                    else:
                        given = binding.value if is_plain else None
                        choices.append(self.possible(module, given, depth + 1))
            case ast.Call(func=func):
                callee = self.resolve(module, func)
                if isinstance(callee, Function) and isinstance(callee.node, ast.FunctionDef):
                    index = callee.module.index
                    if not callee.node.decorator_list and not index.is_generator(callee.node):
                        choices = [
                            self.possible(callee.module, each.value, depth + 1)
                            for each in index.own_nodes(callee.node)
                            if isinstance(each, ast.Return)
                        ]
        if not all(choices):
            return ()
        return tuple(dict.fromkeys(each for choice in choices for each in choice))

    def _looped(
        self, module: Module, looped: ast.expr | None, depth: int
    ) -> list[tuple[Value, ...]]:
        """What each element of a written list or tuple may be; one unknown for anything else."""
        match self.resolve(module, looped):
            case Expression(home, ast.List(elts=elements) | ast.Tuple(elts=elements)) if (
                0 < len(elements) <= _WIDTH
            ):
                return [self.possible(home, element, depth) for element in elements]
            case _:
                return [()]

    # -- imports ----------------------------------------------------------------------------

    def _import(self, module: Module, binding: Binding) -> Value:
        alias = binding.alias
        assert alias is not None
        if binding.kind == "import":
            dotted = alias.name if alias.asname else alias.name.partition(".")[0]
            return self._module(module, dotted)
        known = self._memo.get(alias)
        if known is None:
            known = self._imported(module, binding.node, alias.name)
            if known:  # else a cycle of imports may be in the way
                self._memo[alias] = known
        return known

    def _imported(self, module: Module, node: ast.AST, name: str) -> Value:
        """What `from ... import name` gives."""
        assert isinstance(node, ast.ImportFrom)
        home = self.modules.home_of(node, module)
        if home is not None:
            value = self.module_attribute(home, name)
            if home.error is None:
                return value
        # What cannot be read is known by its name only, like a library.
        return UNKNOWN if node.level else External(canonical(f"{node.module}.{name}"))

    def origin(self, module: Module, name: ast.Name) -> tuple[Module, str] | None:
        """The project's module that a name is imported from, and the name there, not looked into.

        `None` for a name that is not, or not only, imported from one.
        """
        found = module.index.lookup(name.id, name)
        if found is None or len(found[1]) != 1 or found[1][0].kind != "from":
            return None
        node, alias = found[1][0].node, found[1][0].alias
        assert isinstance(node, ast.ImportFrom)
        assert alias is not None
        home = self.modules.home_of(node, module)
        return (home, alias.name) if home is not None else None

    def is_own_definition(self, module: Module, node: ast.AST) -> bool:
        """Whether an expression names a function or class of the project, as texts show.

        No module is parsed for the answer. `False` leaves open what it is.
        """
        match node:
            case ast.Name():
                origin = self.origin(module, node)
                return origin is not None and origin[1] in origin[0].shown_definitions
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=attr):
                value = self.resolve(module, owner)
                return isinstance(value, ModuleValue) and attr in value.module.shown_definitions
            case _:
                return False

    def is_class_without(self, module: Module, name: str, tops: frozenset[str]) -> bool:
        """Whether a name of a module is a class that has nothing of some libraries, as texts show.

        No module is parsed for the answer. `False` leaves open what it is.

        Parameters:
            tops: the top packages of the libraries.
        """
        key = (module, name, tops)
        if key not in self._without:
            self._without[key] = False  # a class is no base of its own
            self._without[key] = self._shows_class_without(module, name, tops)
        return self._without[key]

    def _shows_class_without(self, module: Module, name: str, tops: frozenset[str]) -> bool:
        bases = module.shown_bases.get(name)
        if bases is None:
            origin = module.shown_imports.get(name)
            if origin is None or name in module.shown_definitions:
                return False
            level, dotted, its_name = origin
            home = self.modules.named(level, dotted, module)
            if home is not None:
                return self.is_class_without(home, its_name, tops)
            if level:
                return False
            ancestors = external_mro(canonical(f"{dotted}.{its_name}"))
            return all(ancestor.partition(".")[0] not in tops for ancestor in ancestors)
        return all(
            self.is_class_without(module, base, tops)
            if base in module.shown_definitions or base in module.shown_imports
            else hasattr(builtins, base) and not module.may_have(f"{base} =")
            for base in bases
        )

    def _module(self, importer: Module, dotted: str) -> Value:
        home = self.modules.find(dotted, importer)
        return External(canonical(dotted)) if home is None else ModuleValue(home)

    def _imported_submodule(self, module: Module, node: ast.Attribute) -> Value | None:
        """`a.b.c` after `import a.b.c`: the module, even if `a` does not import its `b`."""
        parts: list[str] = [node.attr]
        current: ast.expr = node.value
        while isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        if not isinstance(current, ast.Name):
            return None
        found = module.index.lookup(current.id, current)
        if found is None:
            return None
        dotted = ".".join([current.id, *reversed(parts)])
        for binding in found[1]:
            alias = binding.alias
            if (
                binding.kind == "import"
                and alias
                and not alias.asname
                and (alias.name == dotted or alias.name.startswith(f"{dotted}."))
            ):
                home = self.modules.find(dotted, module)
                return ModuleValue(home) if home else None
        return None

    def module_attribute(self, module: Module, name: str) -> Value:
        """What `module.name` means at the end of the module's execution."""
        key = (module, name)
        known = self._attributes.get(key)
        if known is not None:
            return known
        if key in self._busy or self._depth > _DEPTH:
            return UNKNOWN
        self._busy.add(key)
        self._depth += 1
        try:
            value = self._module_attribute(module, name)
        finally:
            self._depth -= 1
            self._busy.discard(key)
        if value or not self._busy:
            self._attributes[key] = value
        return value

    def _module_attribute(self, module: Module, name: str) -> Value:
        submodule = self.modules.submodule(module, name) if module.is_package else None
        if not module.may_have(name):
            return UNKNOWN if submodule is None else ModuleValue(submodule)
        scope = module.index.module_scope
        bindings = scope.bindings.get(name)
        if bindings:
            visible = module.index.at_the_end(scope, bindings)
            value = self._agreed_bindings(module, scope, visible)
            if value or submodule is None:
                return value
        if submodule is not None:
            return ModuleValue(submodule)
        return self._starred(module, name) or self._given_lazily(module, name)

    def _given_lazily(self, module: Module, name: str) -> Value:
        """What a module's `__getattr__` imports when it is asked for a name, and returns."""
        bindings = module.index.module_scope.bindings.get("__getattr__", ())
        function = bindings[0].node if len(bindings) == 1 else None
        for node in module.index.own_nodes(function) if isinstance(function, FUNCTIONS) else ():
            match node:
                case ast.If(
                    test=ast.Compare(
                        left=ast.Name(), ops=[ast.Eq()], comparators=[ast.Constant(value=asked)]
                    ),
                    body=[*_, ast.Return(value=ast.expr() as given)],
                ) if asked == name:
                    return self.resolve(module, given)
        return UNKNOWN

    def _starred(self, module: Module, name: str) -> Value | None:
        """A name that a star import of `module` brings; `None` if none does."""
        for node in reversed(module.index.module_scope.stars):
            home = self.modules.home_of(node, module)
            if home is None:
                if not node.level and not name.startswith("_"):
                    external = External(canonical(f"{node.module}.{name}"))
                    if node.module in _STAR_SOURCES and name in _STAR_SOURCES[node.module]:
                        return external
                continue
            exported = _all_of(home)
            if exported is not None and name not in exported:
                continue
            if exported is None and name.startswith("_"):
                continue
            value = self.module_attribute(home, name)
            if value:
                return value
        return None

    # -- attributes -------------------------------------------------------------------------

    def attribute(self, value: Value, attr: str) -> Value:
        """What `value.attr` means."""
        match value:
            case External(name):
                # What a library's object holds; names of classes begin with a capital letter.
                typed = ATTRIBUTES.get(f"{name}.{attr}")
                if typed is not None and name.rpartition(".")[2].islower():
                    return Instance(External(typed))
                # `database.users.find`: what is no method of a database is a collection.
                given = RETURNS.get(f"{name.rpartition('.')[0]}.__getattr__")
                if given is not None and name not in RETURNS:
                    return External(f"{given}.{attr}")
                return External(canonical(f"{name}.{attr}"))
            case ModuleValue(module):
                found = self.module_attribute(module, attr)
                if module.error is not None:
                    return External(canonical(f"{module.name}.{attr}"))
                return found
            case Instance(of=External(name)):
                for base in external_mro(name):
                    typed = ATTRIBUTES.get(f"{base}.{attr}")
                    if typed:
                        return Instance(External(typed))
                if attr in {"__class__"}:
                    return value.of
                if name == "starlette.datastructures.State":
                    return UNKNOWN  # whatever the application puts there
                return External(f"{name}.{attr}")
            case Instance(of=Class() as cls):
                return self.class_attribute(cls, attr, instance=True)
            case Class() as cls:
                return self.class_attribute(cls, attr, instance=False)
            case Constant(value=constant):
                # An Enum member's `value` is the constant it was made of.
                if attr == "value":
                    return value
                return External(f"builtins.{type(constant).__name__}.{attr}")
            case Expression(node=node):
                kind = _DISPLAYS.get(type(node))
                return External(f"{kind}.{attr}") if kind else UNKNOWN
            case _:
                return UNKNOWN

    def _kept_by_app(self, module: Module, owner: ast.expr, attr: str) -> Value:
        """The kind of object that the project's code puts into `app.state` under a name."""
        if not self.is_instance(self.resolve(module, owner), _APP):
            return UNKNOWN
        key = self.modules.project_root(module.path), attr
        known = self._kept.get(key, UNKNOWN) or self._put_into_apps(*key)
        if known:  # while a value is being found out, nothing is known of it yet
            self._kept[key] = known
        return known

    def _put_into_apps(self, root: Path, attr: str) -> Value:
        from flake8_fastapi_rules.semantics.fixtures import is_in_tests

        kept: list[Value] = []
        for path in self.modules.files_mentioning(root, ".state."):
            home = self.modules.load(path)
            if home is None or f".state.{attr}" not in home.source.text:
                continue
            if is_in_tests(path.relative_to(root)):  # it may be a stand-in
                continue
            for node in home.index.nodes(ast.Assign):
                for target in node.targets:
                    match target:
                        case ast.Attribute(attr=name, value=ast.Attribute(attr="state", value=app)):
                            if name == attr and self._may_be_app(home, app):
                                kept.append(self.resolve(home, node.value))
        value = agreed([each for each in kept if each != Constant(None)])
        # Where it was made does not matter to those who find it there.
        return Instance(value.of, args=value.args) if isinstance(value, Instance) else UNKNOWN

    def _may_be_app(self, module: Module, node: ast.expr) -> bool:
        value = self.resolve(module, node)
        if not value:
            name = terminal_name(node)
            return name in {"app", "application"}
        return self.is_instance(value, _APP)

    def class_attribute(self, cls: Class, attr: str, *, instance: bool) -> Value:
        """What an attribute of a class (or of its instances) means, bases included."""
        for base in self.mro(cls):
            if isinstance(base, External):
                for name in external_mro(base.name):
                    typed = ATTRIBUTES.get(f"{name}.{attr}")
                    if typed:
                        return Instance(External(typed))
                return External(f"{base.name}.{attr}")
            value = self._own_attribute(base, attr, cls, instance=instance)
            if value is not None:
                return value
        return UNKNOWN

    def _own_attribute(
        self, base: Class, attr: str, reached: Class, *, instance: bool
    ) -> Value | None:
        module = base.module
        scope = module.index.scopes[base.node]
        bindings = scope.bindings.get(attr)
        if bindings:
            binding = bindings[-1]
            if binding.kind == "def":
                node = binding.node
                assert isinstance(node, FUNCTIONS)
                kinds = {_terminal(decorator) for decorator in node.decorator_list}
                if kinds & {"property", "cached_property", "computed_field"} and instance:
                    return self.returned(Function(module, node, reached, bound=True))
                if "staticmethod" in kinds:
                    return Function(module, node)
                bound = instance or "classmethod" in kinds
                return Function(module, node, reached, bound)
            if instance and binding.kind == "annotated" and binding.value is None:
                assigned = self._assigned_to_self(base, attr)
                assert isinstance(binding.node, ast.AnnAssign)
                typed = assigned or self.annotation(module, binding.node.annotation)
                if not typed and base != reached:
                    variables = self.annotations.type_variables(reached, base)
                    typed = self.annotations.with_variables(
                        module, binding.node.annotation, variables
                    )
                return typed
            if instance and isinstance(binding.value, ast.Call):
                # Class-based views: FastAPI fills what is declared as `= Depends(...)`.
                injected = self.resolve(module, binding.value)
                if isinstance(injected, Instance) and library_name(injected) in _INJECTORS:
                    hint = getattr(binding.node, "annotation", None)
                    typed = self.annotation(module, hint)
                    return typed or self._injected(module, hint, binding.value)
            value = self._agreed_bindings(module, scope, [binding])
            if value == Constant(None) and binding.kind == "assign":
                # `_engine = None`, until a method makes one.
                value = self._assigned_to_self(base, attr, reached) or value
            return value
        return self._assigned_to_self(base, attr, reached)

    def _assigned_to_self(
        self, cls: Class, attr: str, reached: Class | None = None
    ) -> Value | None:
        """What methods of the class assign to `self.attr` or `Class.attr`; `None` if none does.

        Parameters:
            reached: the subclass at hand, which may say what type variables stand for.
        """
        table = self._self_assignments.get(cls.node)
        if table is None:
            table = self._self_assignments[cls.node] = {}
            for method in cls.node.body:
                if isinstance(method, FUNCTIONS):
                    owners = {cls.node.name}
                    owners.update(a.arg for a in (*method.args.posonlyargs, *method.args.args)[:1])
                    for target, assigned, hint in _assignments(cls.module, method):
                        if (
                            isinstance(target, ast.Attribute)
                            and isinstance(target.value, ast.Name)
                            and target.value.id in owners
                        ):
                            table.setdefault(target.attr, []).append((assigned, hint))
        found = table.get(attr)
        if not found:
            return None
        values: list[Value] = []
        for value_node, annotation in found:
            value = self.resolve(cls.module, value_node)
            if annotation is not None and not isinstance(value, Instance | Function | Class):
                value = self.annotation(cls.module, annotation) or value
            if not value and isinstance(value_node, ast.Name):
                value = self.annotations.given_for_variable(
                    cls.module, value_node, cls, reached or cls
                )
            values.append(value)
        return agreed(values)

    # -- classes ----------------------------------------------------------------------------

    def mro(self, cls: Class) -> tuple[Class | External, ...]:
        """The class and its bases, nearest first; library classes end a line."""
        return self._mro(cls)[0]

    def has_known_bases(self, cls: Class) -> bool:
        """Whether every base class, however far up, could be told."""
        return self._mro(cls)[1]

    def _mro(self, cls: Class) -> tuple[tuple[Class | External, ...], bool]:
        known = self._mros.get(cls.node)
        if known is not None:
            return known
        order: dict[Class | External, None] = {}
        complete = True
        stack: list[Class | External] = [cls]
        while stack and len(order) < _WIDTH:
            current = stack.pop()
            if current in order:
                continue
            order[current] = None
            if isinstance(current, External):
                continue
            bases: list[Class | External] = []
            if current.node.decorator_list and self._is_mapped(current):
                bases.append(External("sqlalchemy.orm.DeclarativeBase"))
            for base in current.node.bases:
                value = self.resolve(current.module, base)
                if isinstance(value, Expression) and isinstance(value.node, ast.Subscript):
                    value = self.resolve(value.module, value.node.value)  # `dict[str, int]`
                if isinstance(value, Class | External):
                    bases.append(value)
                    made = isinstance(value, External) and value.name.startswith(MADE_MODEL)
                    complete = complete and not made
                elif isinstance(value, Instance) and library_name(value) in _BASE_MAKERS:
                    bases.append(External("sqlalchemy.orm.DeclarativeBase"))
                    complete = complete and (value.call is None or not _gives_base(value.call))
                else:
                    complete = False
            stack.extend(reversed(bases))
        # A library's `object`-like ends come last: the project's own classes are asked first.
        own: list[Class | External] = [c for c in order if isinstance(c, Class)]
        libraries = [c for c in order if isinstance(c, External)]
        libraries.sort(key=lambda c: c.name in _PLAIN_BASES)
        result = (*own, *libraries), complete
        if complete or not self._busy:
            self._mros[cls.node] = result
        return result

    def _is_mapped(self, cls: Class) -> bool:
        """Whether a decorator makes a table of a class, or a base of tables."""
        for decorator in cls.node.decorator_list:
            made = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(made, ast.Name | ast.Attribute):
                value = self.resolve(cls.module, made)
                if isinstance(value, External) and value.name in _BASE_MAKERS:
                    return True
        return False

    def is_subclass(self, value: Value, *names: str) -> bool:
        """Whether a class value is one of the named library classes or derives from one."""
        if isinstance(value, External):
            return not set(names).isdisjoint(external_mro(value.name))
        if isinstance(value, Class):
            return any(
                isinstance(base, External) and not set(names).isdisjoint(external_mro(base.name))
                for base in self.mro(value)
            )
        return False

    def is_instance(self, value: Value, *names: str) -> bool:
        """Whether a value is an instance of one of the named library classes."""
        return isinstance(value, Instance) and self.is_subclass(value.of, *names)

    def names_of(self, value: Value) -> Iterator[str]:
        """All names under which a table may know a value.

        `sqlmodel.Session.add` is `sqlalchemy.orm.Session.add` too. First the value's own name.
        """
        if isinstance(value, Instance):
            value = value.of
        if isinstance(value, Class):
            for ancestor in self.mro(value):
                if isinstance(ancestor, External):
                    yield from external_mro(ancestor.name)
            return
        if not isinstance(value, External):
            return
        yield value.name
        owner, _, attr = value.name.rpartition(".")
        if owner:
            for base in external_mro(owner)[1:]:
                yield f"{base}.{attr}"
        for base in external_mro(value.name)[1:]:
            yield base

    # -- calls ------------------------------------------------------------------------------

    def _call(self, module: Module, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super(module, node)
        return self.called(self.resolve(module, node.func), module, node)

    def called(self, callee: Value, module: Module, node: ast.Call) -> Value:
        """What a call of `callee` gives."""
        match callee:
            case External("typing.cast") if len(node.args) == 2:
                return self.annotation(module, node.args[0])
            case External("builtins.type"):
                return UNKNOWN
            case External(name) if name in MODEL_MAKERS:
                place = f"{module.name}:{node.lineno}:{node.col_offset}".replace(".", "/")
                return External(MADE_MODEL + place)  # two of them are not the same
            case External("typing.NewType" | "typing.TypeAliasType"):
                return Instance(callee, module, node)
            case External(name) if name in _TRANSPARENT_PARTIALS and node.args:
                return self.resolve(module, node.args[0])
            case External(name) if name.rpartition(".")[2] in _ENTERING and len(node.args) == 1:
                return self._entered(module, node.args[0])
            case External(name) if name in _WORKERS and (
                made := self._made_by_worker(node.args[_WORKERS[name] :][:1], module, node)
            ):
                return made
            case External(name):
                owner, _, member = name.rpartition(".")
                if member == "begin" and owner in PRODUCT_ARGUMENT:
                    # `factory.begin()` gives what `factory()` does, in a transaction.
                    factory = (
                        self.resolve(module, node.func.value)
                        if isinstance(node.func, ast.Attribute)
                        else UNKNOWN
                    )
                    return self.called(factory, module, node)
                names = tuple(self.names_of(callee))
                typed = next((RETURNS[known] for known in names if known in RETURNS), None)
                if name.rpartition(".")[2] in _MODEL_MAKERS:
                    if made := self._made_model(names, module, node):
                        return made
                if name.startswith(ROW_LIBRARIES):
                    if row := queried(self, names, typed, module, node):
                        return row
                if typed is not None:
                    return Instance(External(typed), module, node)
                if name.startswith("builtins.") and name.count(".") > 1:
                    return UNKNOWN
                return Instance(External(name), module, node)
            case Class():
                return Instance(
                    callee, module, node, self.annotations.type_arguments(module, node.func)
                )
            case Function():
                chosen = self._overload(callee, module, node) or callee
                return self.returned(chosen, self._receivers_arguments(module, node.func))
            case Instance(of=External(name)) if name in PRODUCT_ARGUMENT:
                return self._product(callee, name, module, node)
            case Instance(of=External(name)):
                for base in external_mro(name):
                    typed = RETURNS.get(f"{base}.__call__")
                    if typed:
                        return Instance(External(typed), module, node)
                return UNKNOWN
            case Instance(of=Class() as cls):
                method = self.class_attribute(cls, "__call__", instance=True)
                return self.returned(method) if isinstance(method, Function) else UNKNOWN
            case _:
                return UNKNOWN

    def _overload(self, function: Function, module: Module, call: ast.Call) -> Function | None:
        """The overload of a function that a call takes, if a literal tells: `open("sync")`."""
        node, home = function.node, function.module
        if isinstance(node, ast.Lambda):
            return None
        bindings = home.index.scope_of(node).bindings.get(node.name, ())
        for stub in (binding.node for binding in bindings if len(bindings) > 1):
            if isinstance(stub, FUNCTIONS) and any(
                self.resolve(home, decorator) == External("typing.overload")
                for decorator in stub.decorator_list
            ):
                if self._takes_literals(home, stub, module, call, skipped=int(function.bound)):
                    return Function(home, stub, function.owner, bound=function.bound)
        return None

    def _takes_literals(
        self,
        home: Module,
        stub: ast.FunctionDef | ast.AsyncFunctionDef,
        module: Module,
        call: ast.Call,
        *,
        skipped: int,
    ) -> bool:
        """Whether what a call gives to parameters of literal types is among their literals."""
        found = False
        positional = [*stub.args.posonlyargs, *stub.args.args][skipped:]
        for parameter in (*positional, *stub.args.kwonlyargs):
            typed = parameter.annotation
            if not isinstance(typed, ast.Subscript) or (
                self.resolve(home, typed.value) != External("typing.Literal")
            ):
                continue
            position = positional.index(parameter) if parameter in positional else None
            given = argument(call, parameter.arg, position) or default_of(stub.args, parameter)
            literals = [self.resolve(home, part) for part in parts_of(typed)]
            if given is None or self.resolve(module, given) not in literals:
                return False
            found = True
        return found

    def _made_by_worker(self, run: list[ast.expr], module: Module, node: ast.Call) -> Value:
        """What a function gives that a thread or process runs, and that is waited for."""
        match self.resolve(module, run[0]) if run else UNKNOWN:
            case Function() as function:
                return self.returned(function)
            case External() as function:
                names = self.names_of(function)
                typed = next((RETURNS[known] for known in names if known in RETURNS), None)
                return UNKNOWN if typed is None else Instance(External(typed), module, node)
            case _:
                return UNKNOWN

    def _made_model(self, names: tuple[str, ...], module: Module, node: ast.Call) -> Value:
        """The model that `Model.model_validate(...)` or `model.model_copy()` gives."""
        func = node.func
        if not isinstance(func, ast.Attribute) or f"pydantic.BaseModel.{func.attr}" not in names:
            return UNKNOWN
        match self.resolve(module, func.value):
            case Class() as cls:
                return Instance(cls, module, node)
            case Instance(of=Class() as cls, args=args):
                return Instance(cls, module, node, args)
            case _:
                return UNKNOWN

    def _product(self, factory: Instance, name: str, module: Module, node: ast.Call) -> Value:
        """What calling a factory gives that was told which class to make objects of."""
        default = External(RETURNS[f"{name}.__call__"])
        if factory.call is None or factory.module is None:
            if factory.args and isinstance(factory.args[0], Instance):
                return Instance(factory.args[0].of, module, node)
            # Many a parameter annotated with a plain `sessionmaker` makes asynchronous sessions.
            is_async = name.startswith("sqlalchemy.ext.asyncio.")
            return Instance(default, module, node) if is_async else UNKNOWN
        cls: Value = default
        if len(factory.call.args) > 1:
            # SQLAlchemy 1.4 takes the class by position, too.
            cls = self.resolve(factory.module, factory.call.args[1])
        for keyword in factory.call.keywords:
            if keyword.arg == PRODUCT_ARGUMENT[name]:
                cls = self.resolve(factory.module, keyword.value)
            elif keyword.arg is None:
                return UNKNOWN
        return Instance(cls, module, node) if isinstance(cls, External | Class) else UNKNOWN

    def _super(self, module: Module, node: ast.Call) -> Value:
        function = module.index.function_of(node)
        owner = module.index.class_of(function) if function else None
        if owner is None:
            return UNKNOWN
        bases = self.mro(Class(module, owner))[1:]
        return Instance(bases[0]) if bases else UNKNOWN

    def returned(self, function: Function, arguments: tuple[Value, ...] = ()) -> Value:
        """What a call (and an await) of a project's function gives.

        The returned expressions say which object it is, the annotation of which type; for
        generators it is the generator, whose items `yielded` tells.

        Parameters:
            arguments: the type arguments of the object whose method it is (`Repository[Item]`).
        """
        node = function.node
        known = self._returns.get(node)
        if known is None:
            known = self.guarded(self._returns, node, lambda: self._returned(function))
        unclear = not known or is_opaque(known) or has_unknown_part(known)
        if unclear and function.owner is not None:
            if self._gives_self(function):
                return Instance(function.owner)  # of the class that it was called on
            returns = None if isinstance(node, ast.Lambda) else node.returns
            home = function.module.index.class_of(node)
            if home is not None and returns is not None:
                base = Class(function.module, home)
                variables = self.annotations.type_variables(function.owner, base, arguments)
                if variables:
                    return (
                        self.annotations.with_variables(function.module, returns, variables)
                        or known
                    )
        return known

    def _receivers_arguments(self, module: Module, func: ast.expr) -> tuple[Value, ...]:
        """The type arguments of the object whose method is called."""
        receiver = self.resolve(module, func.value) if isinstance(func, ast.Attribute) else UNKNOWN
        return receiver.args if isinstance(receiver, Instance) else ()

    def _gives_self(self, function: Function) -> bool:
        """Whether a method is annotated to return an object of its own class."""
        node = function.node
        if isinstance(node, ast.Lambda) or node.returns is None:
            return False
        typed = self.annotation(function.module, node.returns)
        return isinstance(typed, Instance) and library_name(typed) == "typing.Self"

    def _returned(self, function: Function) -> Value:
        module, node = function.module, function.node
        if isinstance(node, ast.Lambda):
            return self.resolve(module, node.body)
        typed = self.annotation(module, node.returns) if node.returns else UNKNOWN
        if module.index.is_generator(node):
            return typed
        values = [
            self.resolve(module, statement.value)
            for statement in module.index.own_nodes(node)
            if isinstance(statement, ast.Return) and statement.value is not None
        ]
        value = agreed(values)
        if isinstance(value, Instance) and value.of == function.owner and not value.call:
            return value  # `return self`
        if isinstance(value, Instance) and not value.call and library_name(value) in _INJECTORS:
            return _either_dependency(module, value, values)
        if (
            isinstance(typed, Instance)
            and isinstance(typed.of, External)
            and typed.of.name in {"typing.Any", "typing.Self"}
        ):
            typed = UNKNOWN
        if typed and (not value or is_opaque(value) or isinstance(value, Expression | Constant)):
            return typed
        if isinstance(typed, Instance) and typed.args and not value:
            return typed
        return value or typed

    def yielded(self, function: Function) -> Value:
        """What a generator function yields, by its annotation or its yield expressions."""
        module, node = function.module, function.node
        if isinstance(node, ast.Lambda):
            return UNKNOWN
        typed = self.annotation(module, node.returns) if node.returns else UNKNOWN
        item: Value = UNKNOWN
        if isinstance(typed, Instance) and typed.args and isinstance(typed.of, External):
            if typed.of.name in _ITERATORS:
                item = typed.args[0]
        elif typed and not (isinstance(typed, Instance) and library_name(typed) in _ITERATORS):
            item = typed  # `-> Session` on a generator: wrong, common, and meant
        values = [
            self.resolve(module, part.value)
            for part in module.index.own_nodes(node)
            if isinstance(part, ast.Yield) and part.value is not None
        ]
        value = agreed(values)
        if item and (not value or is_opaque(value) or isinstance(value, Expression | Constant)):
            return item
        return value or item

    def is_context_manager(self, function: Function) -> bool:
        """Whether a function is decorated with `contextmanager` or `asynccontextmanager`."""
        node = function.node
        return not isinstance(node, ast.Lambda) and any(
            isinstance(value := self.resolve(function.module, decorator), External)
            and value.name in _CONTEXT_MANAGERS
            for decorator in node.decorator_list
        )

    def provided(self, function: Function) -> Value:
        """What a dependency function gives to whoever depends on it."""
        node = function.node
        if not isinstance(node, ast.Lambda) and function.module.index.is_generator(node):
            return self.yielded(function)
        return self.returned(function)

    # -- parameters, loops, with ------------------------------------------------------------

    def _parameter(self, module: Module, node: ast.arg) -> Value:
        arguments = module.index.parents.get(node)
        function = module.index.parents.get(arguments) if arguments else None
        if not isinstance(arguments, ast.arguments) or function is None:
            return UNKNOWN
        if node is arguments.vararg or node is arguments.kwarg:
            return UNKNOWN
        if isinstance(function, FUNCTIONS):
            owner = module.index.class_of(function)
            positional = [*arguments.posonlyargs, *arguments.args]
            if owner is not None and positional and positional[0] is node:
                kinds = {_terminal(decorator) for decorator in function.decorator_list}
                if "classmethod" in kinds:
                    return Class(module, owner)
                if "staticmethod" not in kinds:
                    return Instance(Class(module, owner))
        default = default_of(arguments, node)
        typed = self.annotation(module, node.annotation) if node.annotation else UNKNOWN
        if isinstance(typed, Instance) and library_name(typed) in _APPS and default is None:
            # Which app it is, only the fixture says that makes it.
            if not isinstance(function, FUNCTIONS):
                return typed
            made = self._from_fixture(module, function, node.arg)
            return made if self.is_instance(made, *_APPS) else typed
        if typed and not (isinstance(typed, Instance) and library_name(typed) == "typing.Any"):
            return typed
        injected = self._injected(module, node.annotation, default)
        if injected or default is not None or not isinstance(function, FUNCTIONS):
            return injected
        if node.annotation is None and _precedes_call_next(arguments, node):
            return Instance(External("starlette.requests.Request"))
        made = self._from_fixture(module, function, node.arg)
        if not made and node.annotation is None:
            return self._handed_in(module, function, node)
        return made

    def _handed_in(self, module: Module, function: FunctionNode, node: ast.arg) -> Value:
        """What a function is called with: an app or router to set it up, a session, a body."""
        from flake8_fastapi_rules.semantics.passed_in import object_passed
        from flake8_fastapi_rules.semantics.set_up import handed_in, sets_up

        known = self._given.get(node)
        if known is None:
            self._given[node] = UNKNOWN  # callers that ask each other ask once
            if module.mentions_framework and sets_up(module, node.arg):
                known = handed_in(self, module, function, node)
            else:
                known = object_passed(self, module, function, node)
            self._given[node] = known
        return known

    def _from_fixture(self, module: Module, function: FunctionNode, name: str) -> Value:
        """What pytest passes to the parameter of a test or of a fixture."""
        from flake8_fastapi_rules.semantics.fixtures import fixture_named, uses_fixtures

        if not uses_fixtures(self, module, function):
            return UNKNOWN
        fixture = fixture_named(self, module, name, function)
        if fixture is None or fixture.node is function:
            return UNKNOWN
        return self.provided(fixture)

    def _injected(
        self, module: Module, annotation: ast.expr | None, default: ast.expr | None
    ) -> Value:
        """What `= Depends(f)` or `Annotated[Any, Depends(f)]` puts into a parameter."""
        candidates: list[tuple[Module, ast.expr]] = [(module, default)] if default else []
        if annotation is not None:
            candidates.extend(self.annotations.metadata(module, annotation))
        for home, candidate in candidates:
            value = self.resolve(home, candidate)
            if (
                isinstance(value, Instance)
                and library_name(value) in _INJECTORS
                and value.call is not None
                and value.module is not None
            ):
                target_node = first_argument(value.call, "dependency")
                target = self.resolve(value.module, target_node)
                if isinstance(target, Function):
                    return self.provided(target)
                if isinstance(target, Class):
                    return Instance(target)
                if isinstance(target, Instance):
                    method = self.attribute(target, "__call__")
                    return self.provided(method) if isinstance(method, Function) else UNKNOWN
                if isinstance(target, External) and RETURNS.get(f"{target.name}"):
                    return Instance(External(RETURNS[target.name]))
        return UNKNOWN

    def _iterated(self, module: Module, binding: Binding) -> Value:
        item = self.item(self.resolve(module, binding.value))
        if not item and isinstance(binding.value, ast.Call):
            return self._iterated_call(module, binding.value, binding.path)
        return self._element(module, item, binding.path)

    def _iterated_call(self, module: Module, call: ast.Call, path: tuple[int, ...]) -> Value:
        """What a loop over `enumerate(values)`, `zip(names, values)` or `table.items()` binds."""
        if isinstance(call.func, ast.Attribute):
            if call.func.attr not in {"items", "values"} or call.args:
                return UNKNOWN
            match self.resolve(module, call.func.value):
                case Instance(of=External(name), args=(key, value)) if name in _MAPPINGS:
                    if call.func.attr == "values":
                        return self._element(module, value, path)
                    return (
                        self._element(module, (key, value)[path[0]], path[1:])
                        if (path[:1] in {(0,), (1,)})
                        else UNKNOWN
                    )
            return UNKNOWN
        callee = self.resolve(module, call.func)
        name = callee.name if isinstance(callee, External) else ""
        inner = path
        given = call.args[:1]
        match name, path[:1]:
            case "builtins.enumerate", (1,):
                inner = path[1:]
            case "builtins.zip", (position,):
                inner, given = path[1:], call.args[position : position + 1]
            case (
                ("builtins.reversed" | "builtins.sorted" | "builtins.list" | "builtins.tuple"),
                _,
            ):
                pass
            case _:
                return UNKNOWN
        if any(isinstance(each, ast.Starred) for each in call.args) or not given:
            return UNKNOWN
        return self._element(module, self.item(self.resolve(module, given[0])), inner)

    def item(self, value: Value) -> Value:
        """What iterating over a value gives."""
        match value:
            case Expression(module, ast.List(elts=elements) | ast.Tuple(elts=elements)):
                if any(isinstance(element, ast.Starred) for element in elements):
                    return UNKNOWN
                return agreed([self.resolve(module, element) for element in elements[:_WIDTH]])
            case Expression(module, ast.ListComp(elt=element) | ast.GeneratorExp(elt=element)):
                return self.resolve(module, element)
            case Instance(of=External(name), args=args) if args and name in _CONTAINERS:
                return args[0]
            case Instance(of=External(name), args=args) if args and name in _MAPPINGS:
                return args[0]
            case Instance(of=External(name), args=args) if args and name in ITERABLE_ROWS:
                return args[0]
            case Instance(of=External(name)) if typed := RETURNS.get(f"{name}.__next__"):
                return Instance(External(typed))
            case _:
                return UNKNOWN

    def _entered(self, module: Module, expression: ast.expr | None) -> Value:
        """What `with expression as name` binds."""
        if isinstance(expression, ast.Call):
            callee = self.resolve(module, expression.func)
            if isinstance(callee, Function) and self.is_context_manager(callee):
                return self.yielded(callee)
            if isinstance(callee, External) and callee.name in _GIVING_BACK and expression.args:
                return self.resolve(module, expression.args[0])
        value = self.resolve(module, expression)
        match value:
            case Instance(of=External(name), args=args) if name in _CONTEXT_MANAGER_TYPES:
                return args[0] if args else UNKNOWN
            case Instance(of=External(name)):
                for base in external_mro(name):
                    if base in ENTER:
                        return Instance(External(ENTER[base]), value.module, value.call)
                return value
            case Instance(of=Class() as cls):
                for method_name in ("__aenter__", "__enter__"):
                    method = self.class_attribute(cls, method_name, instance=True)
                    if isinstance(method, Function):
                        entered = self.returned(method)
                        if isinstance(entered, Instance) and library_name(entered) == "typing.Self":
                            return value
                        return entered or value
                return value
            case _:
                return UNKNOWN

    def _element(self, module: Module, value: Value, path: tuple[int, ...]) -> Value:
        for position in path:
            match value:
                case Expression(home, ast.List(elts=elements) | ast.Tuple(elts=elements)) if (
                    0 <= position < len(elements)
                    and not any(isinstance(e, ast.Starred) for e in elements)
                ):
                    value = self.resolve(home, elements[position])
                case Instance(of=External("builtins.tuple"), args=args) if (
                    0 <= position < len(args)
                ):
                    value = args[position]
                case _:
                    return UNKNOWN
        return value

    def _subscript(self, module: Module, node: ast.Subscript) -> Value:
        value = self.resolve(module, node.value)
        match value:
            case External("typing.Annotated"):
                return AnnotatedAlias(module, node)
            case External(name) if name in _TYPE_FORMS or name in _CONTAINERS | _MAPPINGS:
                return Expression(module, node)
            case Class() | AnnotatedAlias():
                return value  # a generic class or alias with its arguments
            case External(name):
                typed = RETURNS.get(f"{name}.__getitem__")
                if typed:
                    return Instance(External(typed), module)
                return External(name) if _is_generic(name) else UNKNOWN
            case Expression(home, ast.List(elts=elements) | ast.Tuple(elts=elements)):
                if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
                    position = node.slice.value
                    if -len(elements) <= position < len(elements):
                        return self.resolve(home, elements[position])
                return self.item(value)
            case Expression(home, ast.Dict(keys=keys, values=values)):
                if isinstance(node.slice, ast.Constant):
                    for key, item in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == node.slice.value:
                            return self.resolve(home, item)
                return agreed([self.resolve(home, item) for item in values[:_WIDTH]])
            case Instance(of=External(name), args=args):
                for base in external_mro(name):
                    typed = RETURNS.get(f"{base}.__getitem__")
                    if typed:
                        return Instance(External(typed), value.module, None)
                if name in _MAPPINGS and len(args) == 2:
                    return args[1]
                if name in _CONTAINERS and args:
                    return args[0]
                return UNKNOWN
            case _:
                return UNKNOWN

    def _fold(self, module: Module, node: ast.JoinedStr) -> Value:
        parts: list[str] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and (part.format_spec or part.conversion != -1):
                return Expression(module, node)
            value = self.resolve(module, part)
            if not isinstance(value, Constant) or value.value is None:
                return Expression(module, node)
            parts.append(str(value.value))
        if sum(map(len, parts)) >= LONG:
            return Expression(module, node)
        return Constant("".join(parts))

    # -- annotations ------------------------------------------------------------------------

    def annotation(self, module: Module, node: ast.expr | None) -> Value:
        """An instance of what an annotation of `module` names.

        `T | None` is `T`; `type[T]` is the class `T` itself; unions of several types are
        `UNKNOWN` unless they agree; `Annotated[T, ...]` and aliases of it are `T`.
        """
        return self.annotations.meaning(module, node)


# -- helpers --------------------------------------------------------------------------------


def _either_dependency(module: Module, marker: Instance, values: Iterable[Value]) -> Instance:
    """What a function returns that returns one of several `Depends(...)`: one with either target.

    The call is written nowhere; the parts of it are.
    """
    calls = [value.call for value in values if isinstance(value, Instance) and value.call]
    targets = [target for call in calls if (target := first_argument(call, "dependency"))]
    if not targets or len(targets) != len(calls):
        return marker
    either = targets[0]
    for target in targets[1:]:
        either = ast.copy_location(ast.IfExp(ast.Constant(True), target, either), target)
    call = ast.copy_location(ast.Call(calls[0].func, [either], []), calls[0])
    return Instance(marker.of, module, call)


def _is_preferred(module: Module, bindings: list[Binding]) -> bool:
    """Whether a `try` imports a name, and only its `except ImportError` binds others instead."""
    first, *others = bindings
    tried = module.index.parents.get(first.node)
    if first.alias is None or not isinstance(tried, ast.Try) or first.node not in tried.body:
        return False
    fallbacks = {
        handler
        for handler in tried.handlers
        if _terminal(handler.type or ast.Name("")) in {"", "ImportError", "ModuleNotFoundError"}
    }
    return all(not fallbacks.isdisjoint(module.index.ancestors(binding.node)) for binding in others)


def _is_generic(name: str) -> bool:
    """Whether `name[...]` is the class itself: also `sessionmaker[Session]`."""
    return name in CLASSES or looks_like_class(name)


def _precedes_call_next(arguments: ast.arguments, node: ast.arg) -> bool:
    """Whether a parameter is the request of an HTTP middleware: `(self, request, call_next)`."""
    names = [each.arg for each in arguments.args]
    return names[-1:] == ["call_next"] and arguments.args[-2:-1] == [node]


def _terminal(decorator: ast.expr) -> str:
    """The last name of a decorator: `property` for `@functools.property` and `@property()`."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""


def _assignments(
    module: Module, function: FunctionNode
) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    for node in module.index.own_nodes(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield target, node.value, None
        elif isinstance(node, ast.AnnAssign):
            yield node.target, node.value, node.annotation
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield node.optional_vars, node.context_expr, None


def default_of(arguments: ast.arguments, node: ast.arg) -> ast.expr | None:
    """The default of an argument; `None` when it has none."""
    positional = [*arguments.posonlyargs, *arguments.args]
    if node in positional:
        position = positional.index(node) - (len(positional) - len(arguments.defaults))
        return arguments.defaults[position] if position >= 0 else None
    if node in arguments.kwonlyargs:
        return arguments.kw_defaults[arguments.kwonlyargs.index(node)]
    return None


def first_argument(call: ast.Call, keyword: str) -> ast.expr | None:
    """The first positional argument of a call, or the one passed as `keyword`."""
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return next((k.value for k in call.keywords if k.arg == keyword), None)


def literal_keywords(
    resolver: Resolver, module: Module, node: ast.expr
) -> dict[str, ast.expr] | None:
    """The arguments in `**{"name": value}` and `**dict(name=value)`; `None` for any other `**`."""
    if isinstance(node, ast.Call):
        names = [keyword.arg for keyword in node.keywords]
        if node.args or None in names or resolver.resolve(module, node.func) != _DICT:
            return None
        return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if not isinstance(node, ast.Dict):
        return None
    arguments: dict[str, ast.expr] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            return None
        arguments[key.value] = value
    return arguments


def _all_of(module: Module) -> frozenset[str] | None:
    """The names in a module's `__all__`; `None` if it has none that can be read."""
    bindings = module.index.module_scope.bindings.get("__all__")
    if not bindings:
        return None
    names: set[str] = set()
    for binding in bindings:
        value = binding.value
        if not isinstance(value, ast.List | ast.Tuple):
            return None
        for element in value.elts:
            if not (isinstance(element, ast.Constant) and isinstance(element.value, str)):
                return None
            names.add(element.value)
    return frozenset(names)


def _is_type_alias_annotation(annotation: ast.expr) -> bool:
    """`X: TypeAlias = ...`"""
    return _terminal(annotation) == "TypeAlias"


_BUILTINS = frozenset(dir(builtins))
_PLAIN_BASES = frozenset(
    {"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "collections.abc.Hashable"}
)
_TYPE_FORMS = frozenset(
    {
        "typing.Optional",
        "typing.Union",
        "typing.Literal",
        "builtins.type",
        "typing.Type",
        "typing.Callable",
        "collections.abc.Callable",
        "typing.ClassVar",
        "typing.Final",
    }
)
#: Calls that make the base class of tables, and decorators that make one of a class.
_BASE_MAKERS = frozenset(
    {
        "sqlalchemy.orm.declarative_base", "sqlalchemy.orm.registry.generate_base",
        "sqlalchemy.orm.as_declarative", "sqlalchemy.orm.registry.as_declarative_base",
        "sqlalchemy.orm.registry.mapped",
    }
)  # fmt: skip
#: Methods that enter a context manager and give what `with` would bind.
_ENTERING = frozenset(
    {"enterAsyncContext", "enterClassContext", "enterContext", "enter_async_context",
     "enter_context"}
)  # fmt: skip
#: Context managers that give what they are given.
_GIVING_BACK = frozenset({"contextlib.aclosing", "contextlib.closing", "contextlib.nullcontext"})
_RESPONSES = frozenset(
    {
        "FileResponse", "HTMLResponse", "JSONResponse", "PlainTextResponse", "RedirectResponse",
        "Response", "StreamingResponse",
    }
)  # fmt: skip
#: Libraries whose star imports people use, and the names that matter of them.
_STAR_SOURCES: dict[str, frozenset[str]] = {
    "fastapi": frozenset(
        {
            "FastAPI", "APIRouter", "Depends", "Security", "Query", "Path", "Header", "Cookie",
            "Body", "Form", "File", "UploadFile", "HTTPException", "WebSocketException", "Request",
            "Response", "WebSocket", "WebSocketDisconnect", "BackgroundTasks", "status",
        }
    ),
    "typing": frozenset(
        {
            "Annotated", "Any", "Callable", "ClassVar", "Dict", "Generic", "List", "Literal",
            "Mapping", "Optional", "Sequence", "Set", "TYPE_CHECKING", "Tuple", "Type", "TypeVar",
            "Union",
        }
    ),
    "pydantic": frozenset(
        {
            "BaseModel", "BaseSettings", "ConfigDict", "EmailStr", "Field", "RootModel",
            "SecretStr", "TypeAdapter", "field_validator", "model_validator", "root_validator",
            "validator",
        }
    ),
    "fastapi.responses": _RESPONSES | {"ORJSONResponse", "UJSONResponse"},
    "starlette.responses": _RESPONSES,
    "fastapi.security": frozenset(
        {
            "APIKeyCookie", "APIKeyHeader", "APIKeyQuery", "HTTPAuthorizationCredentials",
            "HTTPBasic", "HTTPBasicCredentials", "HTTPBearer", "HTTPDigest", "OAuth2",
            "OAuth2PasswordBearer", "OAuth2PasswordRequestForm", "SecurityScopes",
        }
    ),
    "sqlalchemy": frozenset({"select", "insert", "update", "delete", "text", "create_engine"}),
    "sqlalchemy.orm": frozenset({"Session", "sessionmaker"}),
    "sqlmodel": frozenset({"Session", "SQLModel", "select", "create_engine", "Field"}),
}  # fmt: skip


def _gives_base(call: ast.Call) -> bool:
    """Whether `declarative_base` is given a class to derive from."""
    return any(keyword.arg in (None, "cls", "metaclass") for keyword in call.keywords)


def arguments_of(function: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """Every argument of a function in order, stars included."""
    return list(all_arguments(function.args))
