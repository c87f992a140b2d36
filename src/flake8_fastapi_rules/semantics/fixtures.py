"""pytest's fixtures: what the parameter of a test is."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.intent import words_of
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import Class, Constant, External, Function, FunctionNode

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.resolve import Resolver

_FIXTURES = frozenset({"pytest.fixture", "pytest_asyncio.fixture", "anyio.pytest_plugin.fixture"})
SET_UPS = frozenset(
    {
        "setup", "setup_class", "setup_function", "setup_method", "setup_module", "setUp",
        "setUpClass", "setUpModule", "asyncSetUp",
    }
)  # fmt: skip
TEAR_DOWNS = frozenset(
    {
        "teardown", "teardown_class", "teardown_function", "teardown_method", "teardown_module",
        "tearDown", "tearDownClass", "tearDownModule", "asyncTearDown",
    }
)  # fmt: skip
_MOCKS = frozenset({"mock", "mocks", "stub", "stubs"})
#: How many folders up a `conftest.py` is looked for.
_LEVELS = 8


def is_test_module(module: Module) -> bool:
    """Whether pytest would take the file for tests or fixtures, by its name."""
    name = module.path.name
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py")


def is_in_tests(path: Path) -> bool:
    """Whether a file, by its path inside of the project, is there for tests."""
    return path.name.startswith(("test_", "conftest")) or "tests" in path.parts


def has_no_tests(cls: ast.ClassDef) -> bool:
    """Whether a class of a test file has no tests, by its name and its functions: a stand-in."""
    return not cls.name.startswith("Test") and not any(
        isinstance(each, FUNCTIONS)
        and (
            each.name.startswith(("test", "setup_", "setUp"))
            or (each.name == "setup" and len(each.args.args) == 1)
        )
        for each in cls.body
    )


def is_service_for_tests(module: Module) -> bool:
    """Whether a file below the tests is a service that they run, without any test of its own."""
    return (
        "fixtures" in module.path.parts
        and not module.path.name.startswith(("test_", "conftest"))
        and not any(word in module.source.text for word in ("pytest", "unittest", "def test_"))
    )


def is_stand_in(module: Module, root: str | None) -> bool:
    """Whether a module stands for another service in tests: it or its folder is called mock.

    Parameters:
        root: the folder of the project; without one nothing is.
    """
    if root is None or not module.path.is_relative_to(root):
        return False
    parts = (Path(root).name, *module.path.relative_to(root).parts)
    return any(not _MOCKS.isdisjoint(words_of(part)) for part in parts)


def fixture_decorator(resolver: Resolver, function: Function) -> ast.expr | None:
    """The decorator that makes a function a fixture; `None` if it is none."""
    node = function.node
    if isinstance(node, ast.Lambda):
        return None
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        value = resolver.resolve(function.module, target)
        if isinstance(value, External) and value.name in _FIXTURES:
            return decorator
    return None


def fixture_scope(resolver: Resolver, function: Function) -> str | None:
    """The scope of a fixture (`function` by default); `None` when it cannot be told."""
    decorator = fixture_decorator(resolver, function)
    if not isinstance(decorator, ast.Call):
        return "function"
    for keyword in decorator.keywords:
        if keyword.arg == "scope":
            value = resolver.resolve(function.module, keyword.value)
            return value.value if isinstance(value, Constant) else None
    return "function"


def uses_fixtures(resolver: Resolver, module: Module, function: FunctionNode) -> bool:
    """Whether pytest fills in the parameters of a function: a test or a fixture."""
    if is_test_module(module) and function.name.startswith("test"):
        return True
    return (
        "fixture" in module.source.text
        and fixture_decorator(resolver, Function(module, function)) is not None
    )


def is_set_up(module: Module, function: FunctionNode) -> bool:
    """Whether a function prepares tests in the style of xunit."""
    is_for_tests = is_test_module(module) or "tests" in module.path.parent.parts[-2:]
    return is_for_tests and function.name in SET_UPS


def tear_downs_of(module: Module, function: FunctionNode) -> tuple[FunctionNode, ...]:
    """The functions that clean up after a test or its preparation in the style of xunit."""
    index = module.index
    owner = index.class_of(function)
    return tuple(
        each
        for each in index.functions
        if each.name in TEAR_DOWNS and index.class_of(each) in {None, owner}
    )


def fixture_named(
    resolver: Resolver, module: Module, name: str, asking: FunctionNode | None = None
) -> Function | None:
    """The fixture that a parameter asks for, in `module` or in a `conftest.py` above.

    Parameters:
        asking: whose parameter it is: the fixtures of its class come first.
    """
    owner = module.index.class_of(asking) if asking is not None else None
    for node in owner.body if owner is not None else ():
        if isinstance(node, FUNCTIONS) and node.name == name:
            own = Function(module, node, Class(module, owner), bound=True) if owner else None
            if own is not None and fixture_decorator(resolver, own) is not None:
                return own
    found = _own_fixture(resolver, module, name)
    if found is not None:
        return found
    folder = module.folder
    for _ in range(_LEVELS):
        conftest = resolver.modules.load(folder / "conftest.py")
        if conftest is not None and conftest is not module:
            found = _own_fixture(resolver, conftest, name)
            if found is not None:
                return found
        if folder.parent == folder or os.path.exists(folder / ".git"):
            return None
        folder = folder.parent
    return None


def _own_fixture(resolver: Resolver, module: Module, name: str) -> Function | None:
    for binding in reversed(module.index.module_scope.bindings.get(name, ())):
        if isinstance(binding.node, FUNCTIONS):
            function = Function(module, binding.node)
            if fixture_decorator(resolver, function) is not None:
                return function
    for node in module.index.functions:  # `@pytest.fixture(name="client")`
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and any(
                keyword.arg == "name"
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value == name
                for keyword in decorator.keywords
            ):
                return Function(module, node)
    return None
