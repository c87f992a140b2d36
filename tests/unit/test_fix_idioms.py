"""Rewrites that several rules share."""

from __future__ import annotations

import ast
import textwrap

import pytest

from flake8_fastapi_rules.engine.findings import Unfixable
from flake8_fastapi_rules.fixes.idioms import (
    allow_none,
    call_async,
    change_verb,
    config_to_model_config,
    replace_mutable_default,
    split_called_argument,
    wrap_in_list,
)
from tests.unit.fixing import edited, file_text


def test_verbs() -> None:
    code = "router.api_route('/x', methods=['GET'], name='n')\n"
    text = file_text(code)
    call = text.index.nodes(ast.Call)[0]
    assert edited(code, lambda: change_verb(text, call, "get", call.keywords[0])) == (
        "router.get('/x', name='n')\n"
    )
    assert edited(code, lambda: change_verb(text, call, "get")) == code.replace("api_route", "get")


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("f(x)", "f([x])"),
        ("f(k='x')", "f(k=['x'])"),
        ("f((x))", "f([(x)])"),
        ("f((x, y))", "f([x, y])"),
        ("f((x,))", "f([x,])"),
        ("f(*x)", None),
        ("f(y for y in x)", None),
    ],
)
def test_lists(code: str, after: str | None) -> None:
    text = file_text(code)
    call = text.index.nodes(ast.Call)[0]
    node = call.args[0] if call.args else call.keywords[0].value
    assert edited(code, lambda: wrap_in_list(text, node)) == after


@pytest.mark.parametrize(
    ("annotation", "after"),
    [
        ("int", "int | None"),
        ("list[int]", "list[int] | None"),
        ("a.B", "a.B | None"),
        ("int | str", "int | str | None"),
        ("int | None", "int | None"),
        ("None | int | str", "None | int | str"),
        ("Optional[int]", "Optional[int]"),
        ("t.Optional[int]", "t.Optional[int]"),
        ("Union[int, str]", "Union[int, str, None]"),
        ("Union[int, None]", "Union[int, None]"),
        ("Annotated[list[int], Query()]", "Annotated[list[int] | None, Query()]"),
        ("Annotated[int | None, Query()]", "Annotated[int | None, Query()]"),
        ("Any", "Any"),
        ("'int'", "'int | None'"),
        ("'List[int]'", None),
        ("f()", None),
    ],
)
def test_allow_none(annotation: str, after: str | None) -> None:
    code = f"x: {annotation} = y\n"
    text = file_text(code)
    result = edited(code, lambda: allow_none(text, text.index.nodes(ast.AnnAssign)[0].annotation))
    assert result == (None if after is None else f"x: {after} = y\n")


@pytest.mark.parametrize(
    ("code", "after"),
    [
        (
            "def f(a, x: list[int] = [], y=1):\n    '''Doc.'''\n    return x\n",
            "def f(a, x: list[int] | None = None, y=1):\n    '''Doc.'''\n    if x is None:\n"
            "        x = []\n    return x\n",
        ),
        (
            "def f(*, x={}):\n\treturn x\n",
            "def f(*, x=None):\n\tif x is None:\n\t\tx = {}\n\treturn x\n",
        ),
        (
            "def f(a, x=[]):\n    if a is None:\n        a = 1\n    return x\n",
            "def f(a, x=None):\n    if a is None:\n        a = 1\n    if x is None:\n"
            "        x = []\n    return x\n",
        ),
        (
            "def f(a, x=[]):\n    if a is None:\n        return x\n    else:\n        return a\n",
            "def f(a, x=None):\n    if x is None:\n        x = []\n    if a is None:\n"
            "        return x\n    else:\n        return a\n",
        ),
        ("def f(x=[]): return x\n", None),
        ("def f(x=[\n]):\n    return x\n", None),
    ],
)
def test_mutable_default(code: str, after: str | None) -> None:
    text = file_text(code)
    function = text.index.nodes(ast.FunctionDef)[0]
    parameter = next(node for node in text.index.nodes(ast.arg) if node.arg == "x")
    default = (*function.args.defaults, *function.args.kw_defaults)[0]
    assert default is not None
    assert (
        edited(code, lambda: replace_mutable_default(text, function, parameter, default)) == after
    )


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("g()", "await g()"),
        ("x = [g(), 1]", "x = [await g(), 1]"),
        ("g().x", "(await g()).x"),
        ("(g()).x", "(await g()).x"),
        ("g()[0]", "(await g())[0]"),
        ("g() ** 2", "await g() ** 2"),
        ("x = lambda: g()", None),
        ("f(g() for x in y)", None),
        ("f([g() for x in y])", "f([await g() for x in y])"),
    ],
)
def test_await(code: str, after: str | None) -> None:
    before = f"async def f():\n    {code}\n"
    text = file_text(before)
    call = next(node for node in text.index.nodes(ast.Call) if text.segment(node.func) == "g")
    wanted = None if after is None else f"async def f():\n    {after}\n"
    assert edited(before, lambda: call_async(text, call)) == wanted
    plain = f"def f():\n    {code}\n"
    text = file_text(plain)
    with pytest.raises(Unfixable, match="outside of an `async def`"):
        call_async(text, text.index.nodes(ast.Call)[0])


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ("run(f())", "run(f)"),
        ("run(f(a, k=b))", "run(f, a, k=b)"),
        ("run(f(a, ), x)", "run(f, a, x)"),
        ("run(o.f(*a, **b))", "run(o.f, *a, **b)"),
        ("run(\n    f(\n        a,\n        b,\n    )\n)", "run(\n    f, a,\n        b\n)"),
        ("run(f(a,  # why\n))", None),
        ("run(f()())", "run(f())"),
        ("run(x or f())", None),
    ],
)
def test_called_argument(code: str, after: str | None) -> None:
    text = file_text(code)
    outer = text.index.nodes(ast.Call)[0]
    inner = text.index.nodes(ast.Call)[1]
    assert edited(code, lambda: split_called_argument(text, outer, inner)) == after


RENAMED = {"orm_mode": "from_attributes", "smart_union": "", "allow_mutation": "frozen"}
CONFIGS = {
    "one": (
        "class Config:\n    orm_mode = True",
        "model_config = ConfigDict(from_attributes=True)",
    ),
    "on one line": (
        "class Config: orm_mode = True",
        "model_config = ConfigDict(from_attributes=True)",
    ),
    "several": (
        "class Config:\n    orm_mode: bool = True\n    smart_union = True\n    title = 'x'",
        "model_config = ConfigDict(from_attributes=True, title='x')",
    ),
    "other value": (
        "class Config:\n    allow_mutation = False",
        "model_config = ConfigDict(frozen=True)",
    ),
    "many": (
        "class Config:\n    a = 1\n    b = 2\n    c = 3\n    d = 4",
        "model_config = ConfigDict(\n    a=1,\n    b=2,\n    c=3,\n    d=4,\n)",
    ),
    "comments": (
        "class Config:\n    a = 1  # one\n    b = 2  # two",
        "model_config = ConfigDict(\n    a=1,  # one\n    b=2,  # two\n)",
    ),
    "empty": ("class Config:\n    pass", None),
    "gone": ("class Config:\n    smart_union = True", ""),
    "method": ("class Config:\n    def f(): ...", None),
    "docstring": ("class Config:\n    '''Doc.'''\n    a = 1", None),
    "base": ("class Config(Base):\n    a = 1", None),
    "own comment": (
        "class Config:\n    # why\n\n    # so\n    a = 1",
        "model_config = ConfigDict(\n    # why\n    # so\n    a=1,\n)",
    ),
    "head comment": (
        "class Config:  # why\n    a = 1",
        "model_config = ConfigDict(  # why\n    a=1,\n)",
    ),
    "comment below": (
        "class Config:\n    a = 1\n    # b = 2\n# of y",
        "model_config = ConfigDict(\n    a=1,\n    # b = 2\n)\n# of y",
    ),
    "one line": (
        "class Config: a = 1  # why",
        "model_config = ConfigDict(\n    a=1,  # why\n)",
    ),
    "comment over what goes": ("class Config:\n    # why\n    smart_union = True", None),
    "comment of what goes": ("class Config:\n    smart_union = True  # why", None),
    "made of another": ("class Config:\n    a = 1\n    b = a", None),
    "several lines": (
        "class Config:\n    a = {\n    }",
        "model_config = ConfigDict(\n    a={\n    },\n)",
    ),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_model_config(case: str) -> None:
    config, after = CONFIGS[case]
    head = "from pydantic import BaseModel{}\n\nclass M(BaseModel):\n    x: int\n"
    tail = "\n    y: int\n"
    before = head.format("") + textwrap.indent(config, "    ") + tail
    text = file_text(before)
    model, inner = text.index.nodes(ast.ClassDef)
    values = {"allow_mutation": "True"}
    result = edited(
        before, lambda: config_to_model_config(text, model, inner, RENAMED, values=values)
    )
    if case == "empty":
        assert result == head.format("") + tail.lstrip("\n")
    elif after is None:
        assert result is None
    elif not after:
        assert result == head.format("") + tail.lstrip("\n")
    else:
        wanted = head.format(", ConfigDict") + textwrap.indent(after, "    ") + tail
        assert result == wanted


def test_settings_config() -> None:
    code = "class S(BaseSettings):\n    class Config:\n        env_file = '.env'\n"
    text = file_text(code)
    model, config = text.index.nodes(ast.ClassDef)
    assert edited(code, lambda: config_to_model_config(text, model, config, {}, settings=True)) == (
        "from pydantic_settings import SettingsConfigDict\n\nclass S(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_file='.env')\n"
    )
