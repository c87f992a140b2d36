"""Rewrites of one statement with libcst."""

from __future__ import annotations

import ast
import subprocess
import sys

import libcst
import pytest

from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.fixes.cst import transform_statement
from tests.unit.fixing import edited, file_text

METHOD = '''
class A:
  @d  # c
  def f(self):
    s = """
old
"""
    old()

    # end
x = 1
'''


class Renamer(libcst.CSTTransformer):
    def leave_Name(
        self, original_node: libcst.Name, updated_node: libcst.Name
    ) -> libcst.BaseExpression:
        return (
            updated_node.with_changes(value="new") if original_node.value == "old" else updated_node
        )


class Forgetful(libcst.CSTTransformer):
    def leave_Comment(
        self, original_node: libcst.Comment, updated_node: libcst.Comment
    ) -> libcst.Comment:
        return libcst.Comment("# gone")


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("old = 1  # c\n", "new = 1  # c\n"),
        ("x = 1; old = 2\n", None),
        ("other = 1\n", None),
        (
            METHOD,
            METHOD.replace("old()", "new()"),
        ),
        ("if x:\n\tif y:\n\t\told(\n1,\n\t\t)\n", "if x:\n\tif y:\n\t\tnew(\n1,\n\t\t)\n"),
    ],
)  # fmt: skip
def test_one_statement(code: str, after: str | None) -> None:
    text = file_text(code)
    names = [node for node in text.index.nodes(ast.Name) if node.id == "old"]
    statement = text.index.statement_of(names[0]) if names else text.tree.body[0]
    assert statement is not None
    assert edited(code, lambda: transform_statement(text, statement, Renamer())) == after


def test_lost_comments_are_noticed() -> None:
    text = file_text("x = [  # c\n]\n")
    with pytest.raises(Unfixable, match="comment"):
        transform_statement(text, text.tree.body[0], Forgetful())


def test_libcst_is_imported_late() -> None:
    code = (
        "import sys; import flake8_fastapi_rules.fixes.cst, flake8_fastapi_rules.fixes.apply; "
        "sys.exit('libcst' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
