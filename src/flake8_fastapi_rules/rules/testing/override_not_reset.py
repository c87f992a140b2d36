"""FAR901: a dependency override that later tests inherit."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
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
_HARMLESS_BASES = ("builtins.", "typing.", "unittest.")
_RESETS = frozenset({"clear", "pop", "popitem"})


class OverrideNotReset(Rule):
    """Take dependency overrides back after the test.

    ## What it does
    Reports `app.dependency_overrides[...] = ...` in a test or fixture that nothing clears, pops or
    restores, on an app that outlives the test.

    ## Why it matters
    The override stays for every test after it. They pass or fail by the order in which they run,
    and may test the replacement instead of the real thing.

    ## Example
    ```python
    # far: filename=tests/test_items.py
    from shop.main import app, get_user


    def test_items() -> None:
        app.dependency_overrides[get_user] = lambda: "me"
        assert app
    ```

    ## Use instead
    ```python
    # far: filename=tests/conftest.py
    from collections.abc import Iterator

    import pytest

    from shop.main import app, get_user


    @pytest.fixture
    def user() -> Iterator[str]:
        app.dependency_overrides[get_user] = lambda: "me"
        yield "me"
        app.dependency_overrides.clear()
    ```

    ## Leaves alone
    Apps that are made for the test; overrides that the same function, a fixture it uses or an
    `autouse` fixture takes back; `monkeypatch.setitem`; `patch.dict(app.dependency_overrides)`.

    ## Source
    `dependency_overrides` is a plain dictionary of the app.
    """

    code = "FAR901"
    message = "This override outlives the test; clear `{app}.dependency_overrides` after it"
    profiles = ("recommended",)
    tests_only = True
    hints = ("dependency_overrides",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report the first override of each test or fixture that is not taken back."""
        resolver = context.model.resolver
        reported: set[ast.AST] = set()
        for node in module.index.nodes(ast.Attribute):
            if node.attr != "dependency_overrides":
                continue
            function = module.index.function_of(node)
            statement = module.index.statement_of(node)
            if (
                not isinstance(function, FUNCTIONS)
                or function in reported
                or statement is None
                or not _sets(node, statement)
                or not (uses_fixtures(resolver, module, function) or is_set_up(module, function))
            ):
                continue
            if self._outlives(node.value, function, context) and not self._is_reset(
                node.value, function, context
            ):
                reported.add(function)
                yield self.report(statement, app=ast.unparse(node.value))

    def _outlives(self, app: ast.expr, function: FunctionNode, context: Context) -> bool:
        """Whether the app is certain to be there after the test."""
        module, resolver = context.module, context.model.resolver
        is_attribute = isinstance(app, ast.Attribute)
        name = app.attr if isinstance(app, ast.Attribute) else ""
        while isinstance(app, ast.Attribute):
            app = app.value
        if not isinstance(app, ast.Name):
            return False
        if is_attribute and app.id in {"self", "cls"}:
            return self._is_of_class(name, function, context)
        found = module.index.lookup(app.id, app)
        if found is None:
            return bool(module.index.module_scope.stars)
        scope, bindings = found
        if is_attribute:  # `main.app`, but nothing of an object
            return all(binding.kind in {"from", "import"} for binding in bindings)
        if scope is module.index.module_scope:
            return all(binding.kind in {"from", "import", "assign"} for binding in bindings)
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

    def _is_of_class(self, name: str, function: FunctionNode, context: Context) -> bool:
        """Whether all tests of a class share an app: it is made in the class's body."""
        cls = context.module.index.class_of(function)
        bindings = context.module.index.scopes[cls].bindings.get(name, ()) if cls else ()
        return len(bindings) == 1 and isinstance(bindings[0].value, ast.Call)

    def _is_reset(self, app: ast.expr, function: FunctionNode, context: Context) -> bool:
        module, resolver = context.module, context.model.resolver
        for each in (function, *tear_downs_of(module, function)):
            if _resets(each) or self._calls_reset(each, context):
                return True
        owner = module.index.class_of(function)
        if owner is not None and _is_reset_by_class(Class(module, owner), resolver):
            return True
        for argument in [*function.args.args, *function.args.kwonlyargs]:
            fixture = fixture_named(resolver, module, argument.arg)
            if fixture is not None and _resets(fixture.node):
                return True
        if not any("autouse" in text or "usefixtures" in text for text in _texts_above(context)):
            return False
        ours = context.resolve(app)
        return any(
            not _are_different(ours, context.model.resolve(fixture.module, other))
            for fixture in _autouse(context)
            for other in _reset_in(fixture.node)
        )

    def _calls_reset(self, function: FunctionNode, context: Context) -> bool:
        """Whether a function calls one of the project that takes overrides back."""
        called = (
            context.resolve(node.func)
            for node in context.module.index.own_nodes(function)
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
        isinstance(base, External)
        and not base.name.startswith(("builtins.", "typing.", "unittest."))
        for base in bases
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


def _sets(node: ast.Attribute, statement: ast.stmt) -> bool:
    """Whether a statement puts something into the overrides."""
    if isinstance(statement, ast.Assign):
        return any(
            (target is node and not _is_empty(statement.value))
            or (isinstance(target, ast.Subscript) and target.value is node)
            for target in statement.targets
        )
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
    for node in ast.walk(function):
        match node:
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


def _modules_above(context: Context) -> list[Module]:
    found = [context.module]
    folder = context.module.folder
    for _ in range(8):
        conftest = context.model.modules.load(folder / "conftest.py")
        if conftest is not None and conftest not in found:
            found.append(conftest)
        if os.path.exists(folder / ".git") or folder.parent == folder:
            break
        folder = folder.parent
    return found


def _texts_above(context: Context) -> list[str]:
    return [module.source.text for module in _modules_above(context)]


def _autouse(context: Context) -> list[Function]:
    """The fixtures that every test here gets, or asks for by a mark; those of classes do less."""
    return [
        Function(module, node)
        for module in _modules_above(context)
        for node in module.index.functions
        if module.index.class_of(node) is None
        if (decorator := fixture_decorator(context.model.resolver, Function(module, node)))
        and ("autouse=True" in ast.unparse(decorator) or "usefixtures" in context.source.text)
    ]
