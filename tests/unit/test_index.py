"""Questions to the index of one tree, answered as a walk over the tree would."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flake8_fastapi_rules.engine.index import FUNCTIONS, ModuleIndex

FIXTURES = Path(__file__).parents[2] / "fixtures" / "rules"
KINDS = (
    ast.Name, ast.Call, ast.IfExp, ast.ListComp, ast.NamedExpr, ast.Assign, ast.AnnAssign, ast.If,
    ast.Expr, ast.Global,
)  # fmt: skip
CODE = '''
@given(first(1), key=second)
def outer(a=third(2), *, b: Kind = fourth(3)) -> fifth(4):
    """Text."""
    x = [y for y in a if y] if b else f"{a!r:>{b}} {call(f'{a}')}"

    @inner(x)
    class Local(Base, metaclass=made(x)):
        value: int = (z := x)

        def method(self, w=x) -> outer:
            global x
            return lambda v=w: v(self)

    return Local(x); done()
after(outer)
'''


def decorators(node: ast.AST) -> list[ast.AST]:
    return list(getattr(node, "decorator_list", ()))


def in_walk(outer: ast.AST, kind: type[ast.AST]) -> set[ast.AST]:
    hidden = {each for given in decorators(outer) for each in ast.walk(given)}
    return {each for each in ast.walk(outer) if type(each) is kind and each not in hidden}


def check(text: str) -> int:
    tree = ast.parse(text)
    index = ModuleIndex(tree)
    functions = [n for n in ast.walk(tree) if isinstance(n, (*FUNCTIONS, ast.ClassDef, ast.Lambda))]
    for function in functions:
        for kind in KINDS:
            found = index.nodes_in(function, kind)
            assert set(found) == in_walk(function, kind), (function.lineno, kind)
            assert len(found) == len(set(found))
    return len(functions)


def test_nodes_in_a_function() -> None:
    assert check(CODE) == 4


@pytest.mark.parametrize("folder", sorted(FIXTURES.glob("FAR[2-7]0*")), ids=lambda path: path.name)
def test_nodes_in_the_functions_of_fixtures(folder: Path) -> None:
    assert sum(check(path.read_text()) for path in sorted(folder.glob("[cf]*.py")))
