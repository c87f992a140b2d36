"""Edits of statements, calls, displays and decorators, before and after."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.fixes import edit
from flake8_fastapi_rules.fixes.text import FileText
from tests.unit.fixing import edited, file_text

Make = Callable[[FileText, Any], Any]


def change(code: str, kind: type[ast.AST], make: Make, index: int = 0) -> str | None:
    text = file_text(code)
    return edited(code, lambda: make(text, text.index.nodes(kind)[index]))


# -- calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("f()", "f(k=1)"),
        ("f( )", "f(k=1 )"),
        ("f(a)", "f(a, k=1)"),
        ("f(a,)", "f(a, k=1)"),
        ("f((a))", "f((a), k=1)"),
        ("(f)(a)", "(f)(a, k=1)"),
        ("f(*a, **b)", "f(*a, **b, k=1)"),
        ("f(lambda x, y: (x, y))", "f(lambda x, y: (x, y), k=1)"),
        ("f(x for x in y)", None),
        ("f((x for x in y))", "f((x for x in y), k=1)"),
        ("f(\n    a,\n    b,  # why\n)", "f(\n    a,\n    b,  # why\n    k=1,\n)"),
        ("f(\n    a,\n    b  # why\n)", "f(\n    a,\n    b,  # why\n    k=1\n)"),
        ("f(\n    a\n)", "f(\n    a,\n    k=1\n)"),
        ("f(\n    a,\n    # last\n)", "f(\n    a,\n    k=1,\n    # last\n)"),
        ("f(a,\n  b)", "f(a,\n  b, k=1)"),
        ("f(a, b,  # c\n)", "f(a, b, k=1,  # c\n)"),
        ("f(\n    # none\n)", "f(k=1\n    # none\n)"),
        ("f(a)(b)", "f(a)(b, k=1)"),
        ("f'{g(a)}'", None),
    ],
)
def test_add_argument(code: str, after: str | None) -> None:
    assert change(code, ast.Call, lambda t, c: edit.add_argument(t, c, "k=1")) == after


@pytest.mark.parametrize(
    ("code", "name", "after"),
    [
        ("f(a=1)", "a", "f()"),
        ("f(a=1,)", "a", "f()"),
        ("f(a=1, b=2)", "a", "f(b=2)"),
        ("f(a=1, b=2)", "b", "f(a=1)"),
        ("f(a=1, b=2,)", "b", "f(a=1,)"),
        ("f(a=1, b=(2, 3), c=4)", "b", "f(a=1, c=4)"),
        ("f(\n    a=1,\n    b=2,\n)", "a", "f(\n    b=2,\n)"),
        ("f(\n    a=1,\n    b=2,\n)", "b", "f(\n    a=1,\n)"),
        ("f(\n    a=1,\n    b=2\n)", "b", "f(\n    a=1\n)"),
        ("f(\n    a=1,  # a\n    b=2,  # b\n)", "b", "f(\n    a=1,  # a\n    # b\n)"),
        ("f(\n    a=1,\n    b=2,  # b\n)", "b", "f(\n    a=1,\n    # b\n)"),
        ("f(\n    a=1,\n    b=2  # b\n)", "b", "f(\n    a=1,\n    # b\n)"),
        ("f(a=1,\n  b=2)  # b", "b", "f(a=1)  # b"),
        ("f(\n    a=1,  # a\n    b=2,\n)", "b", "f(\n    a=1,  # a\n)"),
        ("f(\n    a=1,  # a\n    b=2,\n)", "a", "f(\n    # a\n    b=2,\n)"),
        ("f(\n    a=[  # in\n    ],\n    b=2,\n)", "a", None),
        ("f(  # here\n    a=1\n)", "a", "f(  # here\n    \n)"),
        ("f(a=1  # here\n, b=2)", "a", None),
        ("f(\n    a=1,  # here\n)", "a", "f(\n    # here\n)"),
    ],
)
def test_remove_argument(code: str, name: str, after: str | None) -> None:
    def make(text: FileText, call: ast.Call) -> Any:
        argument = edit.argument_of(call, name)
        assert argument is not None
        return edit.remove_argument(text, call, argument)

    assert change(code, ast.Call, make) == after


@pytest.mark.parametrize(
    ("code", "going", "after"),
    [
        ("f(a=1, b=2, c=3)", "ab", "f(c=3)"),
        ("f(a=1, b=2, c=3)", "bc", "f(a=1)"),
        ("f(a=1, b=2, c=3)", "ac", "f(b=2)"),
        ("f(a=1, b=2, c=3)", "abc", "f()"),
        ("f(\n    a=1,\n    b=2,\n    c=3,\n)", "ac", "f(\n    b=2,\n)"),
    ],
)
def test_remove_several_arguments(code: str, going: str, after: str) -> None:
    def make(text: FileText, call: ast.Call) -> Any:
        return edit.remove_argument(
            text, call, *(k for k in call.keywords if k.arg and k.arg in going)
        )

    assert change(code, ast.Call, make) == after


def test_other_changes_of_calls() -> None:
    def check(code: str, after: str | None, make: Make) -> None:
        assert change(code, ast.Call, make) == after

    check("f(regex=r)", "f(pattern=r)", lambda t, c: edit.rename_argument(t, c, "regex", "pattern"))
    check("f(a=1, b=2)", None, lambda t, c: edit.rename_argument(t, c, "a", "b"))
    check("f(b=2)", None, lambda t, c: edit.rename_argument(t, c, "a", "c"))
    check("f(a=(1))", "f(a=(2))", lambda t, c: edit.set_argument(t, c, "a", "2"))
    check("f(1)", "f(2)", lambda t, c: edit.set_argument(t, c, "a", "2", 0))
    check("f(b=1)", "f(b=1, a=2)", lambda t, c: edit.set_argument(t, c, "a", "2", 0))
    check("f(a=[  # why\n1])", None, lambda t, c: edit.replace_argument(t, c, c.keywords[0], "b=2"))
    check(
        "f(1, example=(x))",
        "f(1, examples=[x])",
        lambda t, c: edit.replace_argument(t, c, c.keywords[0], "examples=[x]"),
    )


# -- expressions ----------------------------------------------------------------------------


def test_expressions() -> None:
    assert change("x = (a)", ast.Name, lambda t, n: edit.replace(t, n, "b"), 1) == "x = (b)"
    assert change("x = (a)", ast.Name, lambda t, n: edit.wrap(t, n, "[", "]"), 1) == "x = [(a)]"
    assert change("f((a))", ast.Name, lambda t, n: edit.wrap(t, n, "str(", ")"), 1) == "f(str((a)))"
    assert change("f(k=(a))", ast.Name, lambda t, n: edit.wrap(t, n, "[", "]"), 1) == "f(k=[(a)])"
    assert change("class A(B): x", ast.Name, lambda t, n: edit.wrap(t, n, "(", ")")) == (
        "class A((B)): x"
    )
    assert change("a.b.c", ast.Attribute, lambda t, n: edit.rename(t, n, "d")) == "a.b.d"
    assert change("(a).\\\n b", ast.Attribute, lambda t, n: edit.rename(t, n, "d")) == "(a).\\\n d"
    assert change("x = [1,  # c\n2]", ast.List, lambda t, n: edit.replace(t, n, "y")) is None
    assert change("ä = 'ö', b", ast.Name, lambda t, n: edit.rename(t, n, "c"), 1) == "ä = 'ö', c"
    assert change("f'{a}'", ast.Name, lambda t, n: edit.replace(t, n, "b")) is None
    assert change(
        "async  def f(): ...", ast.AsyncFunctionDef, lambda t, n: edit.rename_definition(t, n, "g")
    ) == ("async  def g(): ...")


# -- statements -----------------------------------------------------------------------------


def statement(code: str, make: Make) -> str | None:
    """Change the statement that the name `x` stands in."""
    text = file_text(code)
    name = next(node for node in text.index.nodes(ast.Name) if node.id == "x")
    return edited(code, lambda: make(text, text.index.statement_of(name)))


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("a\nx\nb\n", "a\nb\n"),
        ("a\nx", "a"),
        ("x", ""),
        ("a; x; b\n", "a; b\n"),
        ("x; b\n", "b\n"),
        ("a; x\n", "a\n"),
        ("a; x;\n", "a;\n"),
        ("x;\nb\n", "b\n"),
        ("def f():\n    x\n", "def f():\n    pass\n"),
        ("def f():\n    '''Doc.'''\n    x\n", "def f():\n    '''Doc.'''\n"),
        ("if a: x\n", "if a: pass\n"),
        ("if a: b; x\n", "if a: b\n"),
        ("try:\n  a\nfinally:\n  x\n", "try:\n  a\nfinally:\n  pass\n"),
        ("x(\n  1,\n)\nb\n", "b\n"),
        ("a\nx  # why\n", None),
        ("a\nx(  # why\n)\n", None),
        ("# above\nx\nb\n", "# above\nb\n"),
        ("if a:\n    b\nelse:\n    x\n", "if a:\n    b\nelse:\n    pass\n"),
    ],
)
def test_delete_statement(code: str, after: str | None) -> None:
    assert statement(code, edit.delete_statement) == after


def test_delete_all_of_a_block() -> None:
    code = "def f():\n    a\n    b\nc\n"
    text = file_text(code)
    body = text.index.nodes(ast.FunctionDef)[0].body
    assert edited(code, lambda: edit.delete_statements(text, body)) == "def f():\n    pass\nc\n"


def test_insert_around_statements() -> None:
    code = "if a:\n\n    # about x\n    x = 1  # end\n    b\n"
    new = "if c:\n    d"
    assert statement(code, lambda t, s: edit.insert_before(t, s, new)) == (
        "if a:\n\n    if c:\n        d\n    # about x\n    x = 1  # end\n    b\n"
    )
    assert statement(code, lambda t, s: edit.insert_after(t, s, new, blank=1)) == (
        "if a:\n\n    # about x\n    x = 1  # end\n\n    if c:\n        d\n    b\n"
    )
    assert statement("a; x", lambda t, s: edit.insert_before(t, s, new)) is None
    assert statement("x; a", lambda t, s: edit.insert_after(t, s, new)) is None
    assert (
        statement("# header\nx\n", lambda t, s: edit.insert_before(t, s, "n")) == "# header\nn\nx\n"
    )


def test_insert_into_body() -> None:
    def make(text: FileText, node: ast.FunctionDef) -> Any:
        return edit.insert_into_body(text, node, "if a is None:\n    a = []")

    assert change("def f():\n  '''Doc.'''\n  return\n", ast.FunctionDef, make) == (
        "def f():\n  '''Doc.'''\n  if a is None:\n      a = []\n  return\n"
    )
    assert change("def f():\n\t# c\n\treturn\n", ast.FunctionDef, make) == (
        "def f():\n\tif a is None:\n\t    a = []\n\t# c\n\treturn\n"
    )
    assert change("def f(): return\n", ast.FunctionDef, make) is None


def test_replace_statement_and_return() -> None:
    assert statement(
        "def f():\n    x = 1\n", lambda t, s: edit.replace_statement(t, s, "a\nb")
    ) == ("def f():\n    a\n    b\n")
    assert (
        statement("def f():\n    return x\n", edit.delete_return_value) == "def f():\n    return\n"
    )
    assert statement("def f():\n  return(x)\n", edit.delete_return_value) == "def f():\n  return\n"
    assert statement("def f():\n  g()\n\n  return x\n", edit.delete_return_value) == (
        "def f():\n  g()\n"
    )
    assert statement("def f():\n  g()\n  return x  # why\n", edit.delete_return_value) == (
        "def f():\n  g()\n  return  # why\n"
    )
    assert statement("def f():\n  return x[  # c\n1]\n", edit.delete_return_value) is None


# -- decorators and displays ----------------------------------------------------------------


def test_decorators() -> None:
    code = "class A:\n    @a\n    @b(\n        1\n    )\n    @c  # why\n    def f(self): ...\n"

    def remove(index: int) -> Make:
        return lambda t, f: edit.remove_decorator(t, f, f.decorator_list[index])

    assert change(code, ast.FunctionDef, remove(1)) == (
        "class A:\n    @a\n    @c  # why\n    def f(self): ...\n"
    )
    assert change(code, ast.FunctionDef, remove(2)) == code.replace("@c  # why", "# why")
    assert change(code, ast.FunctionDef, lambda t, f: edit.add_decorator(t, f, "d")) == (
        code.replace("    def", "    @d\n    def")
    )
    outermost = change(
        code, ast.FunctionDef, lambda t, f: edit.add_decorator(t, f, "d", outermost=True)
    )
    assert outermost == code.replace("    @a", "    @d\n    @a")


def test_displays() -> None:
    def check(code: str, after: str | None, make: Make, kind: type[ast.AST] = ast.List) -> None:
        assert change(code, kind, make) == after

    check("[]", "[n]", lambda t, n: edit.append_element(t, n, "n"))
    check("[a]", "[a, n]", lambda t, n: edit.append_element(t, n, "n"))
    check("a, b", None, lambda t, n: edit.append_element(t, n, "n"), ast.Tuple)
    check("(a, b)", "(a, b, n)", lambda t, n: edit.append_element(t, n, "n"), ast.Tuple)
    check("{1: 2}", "{1: 2, 3: 4}", lambda t, n: edit.append_element(t, n, "3: 4"), ast.Dict)
    check("{a: 1, b: 2}", "{b: 2}", lambda t, n: edit.remove_element(t, n, n.keys[0]), ast.Dict)
    check("[a, b]", "[a]", lambda t, n: edit.remove_element(t, n, n.elts[1]))
    check("(a, b)", None, lambda t, n: edit.remove_element(t, n, n.elts[1]), ast.Tuple)
    check("[a, (b)]", "[a, c]", lambda t, n: edit.replace_element(t, n, n.elts[1], "c"))


def test_fix_of_joins_edits() -> None:
    one, two = edit.Edit(0, 1, "a"), edit.Edit(2, 3, "b")
    fix = edit.fix_of("Do", "safe", one, (two, one), group="g")
    assert fix.edits == (one, two)
    with pytest.raises(Unfixable, match="nothing to change"):
        edit.fix_of("Do", "safe")


def test_form_feeds_and_odd_line_ends() -> None:
    code = textwrap.dedent('a = 1\n\x0c\ndef f(x="\x1c\u2028"): return g(x)\n')
    text = file_text(code)
    call = text.index.nodes(ast.Call)[0]
    assert edited(code, lambda: edit.add_argument(text, call, "k=1")) == code.replace(
        "g(x)", "g(x, k=1)"
    )


def test_brackets_in_f_strings() -> None:
    code = "f(f'({a}) {{ [', f\"{b:(>{c}}\", g(h))\n"
    text = file_text(code)
    call = text.index.nodes(ast.Call)[0]
    assert edited(code, lambda: edit.add_argument(text, call, "k=1")) == code.replace(
        "h))", "h), k=1)"
    )
    removed = edited(code, lambda: edit.remove_argument(text, call, call.args[1]))
    assert removed == "f(f'({a}) {{ [', g(h))\n"


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("x = 0\n\n\na = 1\nb = 2\n", "x = 0\n\n\nb = 2\na = 1\n"),
        ("x = 0\n\n\n# why\na = 1\nb = 2\n", "x = 0\n\n\nb = 2\n# why\na = 1\n"),
        ("x = 0\n\n\na = 1\n\n\nb = 2\n", "x = 0\n\n\nb = 2\na = 1\n"),
        ("x = 0\na = 1\n\nb = 2\n", "x = 0\n\nb = 2\na = 1\n"),
    ],
)
def test_move_after(code: str, after: str) -> None:
    def make(text: FileText, module: ast.Module) -> Any:
        return edit.move_after(text, module.body[1], module.body[2])

    assert change(code, ast.Module, make) == after
