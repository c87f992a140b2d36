"""Imports go one way, files stay short, and only one module reads `app.state`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "example_app"
FILES = sorted(APP.rglob("*.py"))
FORBIDDEN = {
    "core": ("api", "services", "db", "schemas", "storage", "realtime", "background", "config"),
    "schemas": ("api", "services", "db", "storage", "realtime", "background"),
    "db": ("api", "services", "schemas", "storage", "realtime", "background"),
    "storage": ("api", "services", "db", "schemas", "realtime", "background"),
    "services": ("api", "realtime", "background"),
    "realtime": ("api", "background"),
    "background": ("api",),
    "middleware": ("api", "services", "db", "schemas", "storage", "realtime", "background"),
}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
    }


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_imports_go_one_way(layer: str) -> None:
    wrong = {
        f"{path.relative_to(APP)} imports {module}"
        for path in (APP / layer).rglob("*.py")
        for module in imports(path)
        if module.startswith(tuple(f"example_app.{name}" for name in FORBIDDEN[layer]))
    }
    assert not wrong


def test_files_are_short() -> None:
    assert all(len(path.read_text().splitlines()) < 250 for path in FILES)


def test_one_module_reads_the_state_of_the_application() -> None:
    readers = {str(path.relative_to(APP)) for path in FILES if "app.state" in strip_strings(path)}
    assert readers == {"api/dependencies.py", "lifespan.py"}, "the lifespan only writes it"


def strip_strings(path: Path) -> str:
    """The code without comments and texts."""
    tree = ast.parse(path.read_text())
    return "\n".join(
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    )


def test_endpoints_catch_nothing() -> None:
    for path in (*(APP / "api" / "v1").glob("*.py"), *(APP / "api" / "rpc").glob("*.py")):
        assert not [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Try)
        ]


def test_nothing_is_suppressed() -> None:
    for path in FILES:
        assert "noqa" not in path.read_text(), path
