"""Dependency overrides in tests: where they are set, and whether they are taken back."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.fixtures import (
    SET_UPS,
    TEAR_DOWNS,
    fixture_decorator,
    fixture_named,
    fixture_scope,
    is_set_up,
    tear_downs_of,
    uses_fixtures,
)
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.resolve import Resolver
from flake8_fastapi_rules.semantics.values import (
    Class,
    External,
    Function,
    FunctionNode,
    Instance,
    Value,
)

#: Where base classes come from that clear no overrides.
_HARMLESS_BASES: Final = ("builtins.", "typing.", "unittest.")
_RESETS: Final = frozenset({"clear", "pop", "popitem"})


@dataclass(frozen=True, slots=True)
class Override:
    """A statement of a test, a fixture or a set-up that puts something into an app's overrides.

    Parameters:
        app: the expression before `.dependency_overrides`.
    """

    module: Module
    function: FunctionNode
    statement: ast.stmt
    app: ast.expr


def overrides_in(model: Model, module: Module) -> Iterator[Override]:
    """The overrides that tests, fixtures and set-ups of a module set, in source order."""
    for node in module.index.nodes(ast.Attribute):
        if node.attr != "dependency_overrides":
            continue
        function = module.index.function_of(node)
        if not isinstance(function, FUNCTIONS):
            continue
        for place in (node, *_other_names(module, function, node)):
            statement = module.index.statement_of(place)
            if statement is not None and _sets(place, statement):
                if uses_fixtures(model.resolver, module, function) or is_set_up(module, function):
                    yield Override(module, function, statement, node.value)


def _other_names(module: Module, function: FunctionNode, node: ast.Attribute) -> Iterator[ast.Name]:
    """Where a function calls overrides otherwise: after `overrides = app.dependency_overrides`."""
    statement = module.index.statement_of(node)
    named = _named_overrides(statement) if statement is not None else None
    if named is not None and named[1] is node.value:
        for each in module.index.own_nodes(function):
            if isinstance(each, ast.Name) and each.id == named[0]:
                yield each


def _named_overrides(node: ast.AST) -> tuple[str, ast.expr] | None:
    """The variable that a statement makes another name for an app's overrides, with the app."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ) if isinstance(value, ast.Attribute) and value.attr == "dependency_overrides":
            return name, value.value
    return None


def outlives_test(model: Model, override: Override) -> bool:
    """Whether the app that is overridden is certain to be there after the test.

    What a fixture of the whole session overrides is meant to be there for all tests.
    """
    module, resolver, app = override.module, model.resolver, override.app
    if fixture_scope(resolver, Function(module, override.function)) in {"package", "session"}:
        return False
    is_attribute = isinstance(app, ast.Attribute)
    name = app.attr if isinstance(app, ast.Attribute) else ""
    while isinstance(app, ast.Attribute):
        app = app.value
    if not isinstance(app, ast.Name):
        return False
    if is_attribute and app.id in {"self", "cls"}:
        return _is_of_class(module, override.function, name)
    found = module.index.lookup(app.id, app)
    if found is None:
        return bool(module.index.module_scope.stars)
    scope, bindings = found
    if is_attribute:  # `main.app`, but nothing of an object
        return all(binding.kind in {"from", "import"} for binding in bindings)
    if scope is module.index.module_scope:
        return all(
            binding.kind in {"from", "import", "assign", "annotated"} for binding in bindings
        )
    if bindings[0].kind != "parameter":
        return False
    fixture = fixture_named(resolver, module, app.id)
    if fixture is None:
        return False
    if fixture_scope(resolver, fixture) in {"module", "package", "session", "class"}:
        return True
    value = resolver.provided(fixture)
    return (
        isinstance(value, Instance)
        and value.call is not None
        and value.module is not None
        and value.module.index.function_of(value.call) is None
    )


def is_taken_back(model: Model, override: Override) -> bool:
    """Whether the test, what it uses or what runs around it takes an override back."""
    module, function, resolver = override.module, override.function, model.resolver
    for each in (function, *tear_downs_of(module, function)):
        if _resets(each) or _calls_reset(model, module, each):
            return True
    owner = module.index.class_of(function)
    if owner is not None and _is_reset_by_class(Class(module, owner), resolver):
        return True
    for argument in [*function.args.args, *function.args.kwonlyargs]:
        fixture = fixture_named(resolver, module, argument.arg)
        if fixture is not None and _resets(fixture.node):
            return True
    if not any("autouse" in text or "usefixtures" in text for text in _texts_above(model, module)):
        return False
    ours = model.resolve(module, override.app)
    return any(
        not _are_different(ours, model.resolve(fixture.module, other))
        for fixture in _autouse(model, module)
        for other in _reset_in(fixture.node)
    )


def _is_of_class(module: Module, function: FunctionNode, name: str) -> bool:
    """Whether all tests of a class share an app: it is made in the class's body."""
    cls = module.index.class_of(function)
    bindings = module.index.scopes[cls].bindings.get(name, ()) if cls else ()
    return len(bindings) == 1 and isinstance(bindings[0].value, ast.Call)


def _calls_reset(model: Model, module: Module, function: FunctionNode) -> bool:
    """Whether a function calls one of the project that takes overrides back."""
    called = (
        model.resolve(module, node.func)
        for node in module.index.own_nodes(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    )
    return any(
        isinstance(each, Function) and isinstance(each.node, FUNCTIONS) and _resets(each.node)
        for each in called
    )


def _is_reset_by_class(cls: Class, resolver: Resolver) -> bool:
    """Whether a class of tests, or one that it derives from, takes the overrides of tests back."""
    bases = resolver.mro(cls)
    if not resolver.has_known_bases(cls) or any(
        isinstance(base, External) and not base.name.startswith(_HARMLESS_BASES) for base in bases
    ):
        return True
    return any(
        isinstance(node, FUNCTIONS)
        and (
            node.name in SET_UPS
            or node.name in TEAR_DOWNS
            or any("autouse=True" in ast.unparse(each) for each in node.decorator_list)
        )
        and _resets(node)
        for base in bases
        if isinstance(base, Class)
        for node in base.node.body
    )


def _sets(node: ast.expr, statement: ast.stmt) -> bool:
    """Whether a statement puts something into the overrides."""
    if isinstance(statement, ast.Assign):
        is_whole = isinstance(node, ast.Attribute)  # to a variable it only gives a name
        return any(
            (is_whole and target is node and not _is_empty(statement.value))
            or (isinstance(target, ast.Subscript) and target.value is node)
            for target in statement.targets
        )
    if isinstance(statement, ast.AugAssign):  # `app.dependency_overrides |= {...}`
        return statement.target is node and not _is_empty(statement.value)
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.value is node
        and call.func.attr in {"update", "setdefault"}
    )


def _is_empty(node: ast.expr) -> bool:
    return (isinstance(node, ast.Dict) and not node.keys) or (
        isinstance(node, ast.Call) and not node.args and not node.keywords
    )


def _are_different(app: Value, other: Value) -> bool:
    """Whether two apps are certainly not the same: they are made in different places."""
    return (
        isinstance(app, Instance)
        and isinstance(other, Instance)
        and app.call is not None
        and other.call is not None
        and app.call is not other.call
    )


def _resets(function: ast.AST) -> bool:
    return next(_reset_in(function), None) is not None


def _reset_in(function: ast.AST) -> Iterator[ast.expr]:
    """The apps of which a function takes overrides back: cleared, popped, deleted, restored."""
    names: dict[str, ast.expr] = {}
    for node in ast.walk(function):  # a statement comes before what is inside of those beside it
        if (named := _named_overrides(node)) is not None:
            names[named[0]] = named[1]
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if (
                name in names and method in _RESETS
            ):
                yield names[name]
            case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=name))]) if name in names:
                yield names[name]
            # Called, or handed to `addfinalizer` and the like.
            case ast.Attribute(
                value=ast.Attribute(attr="dependency_overrides", value=app), attr=method
            ) if method in _RESETS:
                yield app
            case ast.Call(
                func=ast.Attribute(attr="dict"),
                args=[ast.Attribute(attr="dependency_overrides", value=app), *_],
            ):
                yield app  # `patch.dict` puts back what was there
            case ast.Delete():
                for part in ast.walk(node):
                    if isinstance(part, ast.Attribute) and part.attr == "dependency_overrides":
                        yield part.value
            case ast.Assign(
                targets=[ast.Attribute(attr="dependency_overrides", value=app)], value=value
            ):
                if _is_empty(value) or isinstance(value, ast.Name | ast.Call):
                    yield app


def _modules_above(model: Model, module: Module) -> list[Module]:
    found = [module]
    folder = module.folder
    for _ in range(8):
        conftest = model.modules.load(folder / "conftest.py")
        if conftest is not None and conftest not in found:
            found.append(conftest)
        if os.path.exists(folder / ".git") or folder.parent == folder:
            break
        folder = folder.parent
    return found


def _texts_above(model: Model, module: Module) -> list[str]:
    return [each.source.text for each in _modules_above(model, module)]


def _autouse(model: Model, module: Module) -> list[Function]:
    """The fixtures that every test here gets, or asks for by a mark; those of classes do less."""
    return [
        Function(above, node)
        for above in _modules_above(model, module)
        for node in above.index.functions
        if above.index.class_of(node) is None
        if (decorator := fixture_decorator(model.resolver, Function(above, node)))
        and ("autouse=True" in ast.unparse(decorator) or "usefixtures" in module.source.text)
    ]
