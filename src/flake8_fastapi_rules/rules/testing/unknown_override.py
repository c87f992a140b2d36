"""FAR908: an override that replaces nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_fastapi_rules.rules.base import Context, Report, Rule, on
from flake8_fastapi_rules.semantics.facts import Dependency, Include
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Class, External, Function, Instance

#: What stands in for an app.
_STAND_INS = ("unittest.mock.", "types.SimpleNamespace")
_PATCHING = frozenset({"setattr", "delattr", "object"})


class UnknownOverride(Rule):
    """Override what endpoints depend on.

    ## What it does
    Reports a key of `dependency_overrides` that nothing in the project depends on.

    ## Why it matters
    FastAPI looks overrides up by the very object in `Depends(...)`. Another function, even one that
    the dependency calls, is never asked for: the test runs against the real thing.

    ## Example
    ```python title="shop/dependencies.py"
    from typing import Annotated

    from fastapi import Depends


    def load_user() -> str:
        return "me"


    def current_user() -> str:
        return load_user()


    CurrentUser = Annotated[str, Depends(current_user)]
    ```
    ```python title="tests/test_items.py"
    from shop.dependencies import load_user


    def test_items(app) -> None:
        app.dependency_overrides[load_user] = lambda: "you"
    ```

    ## Use instead
    ```python
    # far: filename=tests/test_items.py
    from shop.dependencies import current_user


    def test_items(app) -> None:
        app.dependency_overrides[current_user] = lambda: "you"
    ```

    ## Leaves alone
    Keys that cannot be resolved, projects in which some `Depends(...)` cannot be, and mocks.

    ## Source
    `solve_dependencies` of FastAPI (0.165).
    """

    code = "FAR908"
    message = "Nothing depends on `{name}`: this override has no effect"
    profiles = ("recommended",)
    tests_only = True
    scope = "project"
    hints = ("dependency_overrides",)

    @on(Module)
    def check(self, module: Module, context: Context) -> Iterator[Report]:
        """Report each key that no dependency of the project has for its target."""
        for key in self._keys(context):
            value = context.resolve(key)
            if isinstance(value, Function | Class) and not self._may_be_used(value, context):
                yield self.report(key, name=ast.unparse(key))

    def _keys(self, context: Context) -> Iterator[ast.expr]:
        index = context.module.index
        for node in index.nodes(ast.Subscript):
            if isinstance(node.ctx, ast.Store) and self._is_of_app(node.value, context):
                yield node.slice
        for assign in index.nodes(ast.Assign):
            if any(self._is_of_app(target, context) for target in assign.targets):
                yield from _keys_of(assign.value)
        for added in index.nodes(ast.AugAssign):
            if self._is_of_app(added.target, context):
                yield from _keys_of(added.value)
        for call in index.nodes(ast.Call):
            match call:
                case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[given, *_]) if (
                    attr in {"setdefault", "update"} and self._is_of_app(owner, context)
                ):
                    yield from _keys_of(given) if attr == "update" else [given]
                case ast.Call(func=ast.Attribute(attr="setitem" | "dict"), args=[owner, given, *_]):
                    # `monkeypatch.setitem(overrides, key, fake)`, `patch.dict(overrides, {...})`
                    if self._is_of_app(owner, context):
                        yield from _keys_of(given) if isinstance(given, ast.Dict) else [given]

    def _is_of_app(self, node: ast.expr, context: Context) -> bool:
        """Whether an expression is the overrides of an app, and not of a mock."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        value = context.resolve(root)
        return _is_overrides(node) and not (
            isinstance(value, Instance)
            and isinstance(value.of, External)
            and value.of.name.startswith(_STAND_INS)
        )

    def _may_be_used(self, value: Function | Class, context: Context) -> bool:
        model = context.model
        for module in model.uses(context.module).modules:
            if any(not isinstance(each.child, Instance) for each in model.local(module, Include)):
                return True  # nobody knows what its endpoints depend on
            if self._is_handed_on(value, module, context):
                return True
            for dependency in model.local(module, Dependency):
                target = dependency.target
                if not target or (isinstance(target, Function | Class) and _is_same(target, value)):
                    return True
        return False

    def _is_handed_on(self, value: Function | Class, module: Module, context: Context) -> bool:
        """Whether a module passes a function to something that may depend on it."""
        name = getattr(value.node, "name", None)
        for call in module.index.nodes(ast.Call):
            if isinstance(call.func, ast.Attribute) and _is_overrides(call.func.value):
                continue  # `app.dependency_overrides.pop(get_user)`
            if any(_is_overrides(given) for given in call.args):
                continue  # `monkeypatch.setitem(app.dependency_overrides, get_user, fake)`
            if isinstance(call.func, ast.Attribute) and call.func.attr in _PATCHING:
                continue  # `monkeypatch.setattr(Service, "get", fail)`
            for given in (*call.args, *(keyword.value for keyword in call.keywords)):
                last = getattr(given, "attr", getattr(given, "id", None))
                if last == name and isinstance(given, ast.Name | ast.Attribute):
                    found = context.model.resolve(module, given)
                    if isinstance(found, Function | Class) and _is_same(found, value):
                        return True
        return False


def _keys_of(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Dict):
        yield from (key for key in node.keys if key is not None)


def _is_same(one: Function | Class, other: Function | Class) -> bool:
    """Whether two values are one definition, be it in two texts of a module that is being fixed."""
    if one.node is other.node:
        return True
    name = getattr(one.node, "name", None)
    same_name = name is not None and name == getattr(other.node, "name", None)
    return same_name and one.module.path == other.module.path


def _is_overrides(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "dependency_overrides"
