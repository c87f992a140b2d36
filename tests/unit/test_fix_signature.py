"""Signatures: every way in which a parameter can be written, before and after."""

from __future__ import annotations

import ast
import textwrap
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flake8_fastapi_rules.engine.index import all_arguments
from flake8_fastapi_rules.fixes.signature import (
    add_default,
    add_parameter,
    annotate,
    default_of,
    remove_default,
    remove_parameter,
    replace_default,
    signature_group,
    use_annotated,
)
from tests.unit.fixing import comments_of, edited, file_text

MARKERS = {"Depends", "Security", "Query", "Path", "Header", "Cookie", "Body", "Form", "File"}
NAMES = "from fastapi import Body, Depends, Query, Security\n"
HEAD = f"from typing import Annotated\n{NAMES}"


def convert_one(code: str, *, keyword_only: bool, is_endpoint: bool) -> str | None:
    text = file_text(code)
    for function in text.index.nodes(ast.FunctionDef) + text.index.nodes(ast.AsyncFunctionDef):
        for argument in all_arguments(function.args):
            default = default_of(function, argument)
            called = default.func if isinstance(default, ast.Call) else default
            name = getattr(called, "id", getattr(called, "attr", ""))
            if default is None or name not in MARKERS:
                continue
            result = edited(
                code,
                partial(
                    use_annotated,
                    text,
                    function,
                    argument,
                    default,
                    name,
                    keyword_only=keyword_only,
                    is_endpoint=is_endpoint,
                ),
            )
            if result is not None:
                return result
    return None


def convert(code: str, *, keyword_only: bool = True, is_endpoint: bool = False) -> str:
    """Convert parameter after parameter until nothing is left to do."""
    for _ in range(50):
        result = convert_one(code, keyword_only=keyword_only, is_endpoint=is_endpoint)
        if result is None:
            return code
        code = result
    raise AssertionError(f"does not end: {code}")


SIGNATURES = {
    "dependency": ("x: T = Depends(f)", "x: Annotated[T, Depends(f)]"),
    "no spaces": ("x:T=Depends(f)", "x:Annotated[T, Depends(f)]"),
    "default": ("x: T = Query(5, ge=1)", "x: Annotated[T, Query(ge=1)] = 5"),
    "default, no spaces": ("x: T=Query(5)", "x: Annotated[T, Query()]=5"),
    "default by name": ("x: T = Query(default=5, ge=1)", "x: Annotated[T, Query(ge=1)] = 5"),
    "default by name, last": ("x: T = Query(ge=1, default=5)", "x: Annotated[T, Query(ge=1)] = 5"),
    "ellipsis": ("x: T = Query(...)", "x: Annotated[T, Query()]"),
    "ellipsis by name": ("x: T = Path(default=..., ge=1)", "x: Annotated[T, Path(ge=1)]"),
    "none": ("x: T | None = Query(None)", "x: Annotated[T | None, Query()] = None"),
    "no default": ("x: T = Header()", "x: Annotated[T, Header()]"),
    "factory": (
        "x: T = Query(default_factory=list)",
        "x: Annotated[T, Query(default_factory=list)]",
    ),
    "factory before optional": (
        "a: int = 1, x: T = Query(default_factory=list)",
        "a: int = 1, *, x: Annotated[T, Query(default_factory=list)]",
    ),
    "class": ("x: T = Depends()", "x: Annotated[T, Depends()]"),
    "not called": ("x: T = Depends", "x: Annotated[T, Depends()]"),
    "security": (
        'x: T = Security(f, scopes=["a", "b"])',
        'x: Annotated[T, Security(f, scopes=["a", "b"])]',
    ),
    "options": (
        'x: T = Depends(f, use_cache=False, scope="function")',
        'x: Annotated[T, Depends(f, use_cache=False, scope="function")]',
    ),
    "attribute": ("x: m.T = fastapi.Depends(f)", "x: Annotated[m.T, fastapi.Depends(f)]"),
    "union": ("x: A | B = Body(...)", "x: Annotated[A | B, Body()]"),
    "subscript": ("x: dict[str, int] = Body({})", "x: Annotated[dict[str, int], Body()] = {}"),
    "mutable default": (
        "x: list[int] = Query([1, 2])",
        "x: Annotated[list[int], Query()] = [1, 2]",
    ),
    "expression": ("x: int = Query(A * (1 + 2))", "x: Annotated[int, Query()] = A * (1 + 2)"),
    "default in brackets": ("x: int = Query((1), le=2)", "x: Annotated[int, Query(le=2)] = (1)"),
    "all in brackets": ("x: (T) = (Depends(f))", "x: Annotated[(T), (Depends(f))]"),
    "metadata": (
        'x: Annotated[T, Doc("y")] = Query(1, ge=0)',
        'x: Annotated[T, Doc("y"), Query(ge=0)] = 1',
    ),
    "metadata for a dependency": (
        "x: Annotated[T, Whatever()] = Depends(f)",
        "x: Annotated[T, Whatever(), Depends(f)]",
    ),
    "metadata with a comma": (
        'x: Annotated[T, Doc("y"),] = Query()',
        'x: Annotated[T, Doc("y"), Query(),]',
    ),
    "string": ('x: "T" = Depends(f)', 'x: Annotated["T", Depends(f)]'),
    "string for a class": ('x: "int" = Depends()', 'x: "Annotated[int, Depends()]"'),
    "string for a value": ("x: 'int' = Query(1)", "x: 'Annotated[int, Query()]' = 1"),
    "string in a value": (
        "x: 'int' = Query(1, alias='a')",
        "x: \"Annotated[int, Query(alias='a')]\" = 1",
    ),
    "partly a string": ('x: list["T"] = Body()', 'x: Annotated[list["T"], Body()]'),
    "after optional": (
        "a: int = 1, x: T = Depends(f)",
        "a: int = 1, *, x: Annotated[T, Depends(f)]",
    ),
    "several after optional": (
        "a: int = 1, x: T = Depends(f), b: str = 'b', y: T = Depends(g)",
        "a: int = 1, *, x: Annotated[T, Depends(f)], b: str = 'b', y: Annotated[T, Depends(g)]",
    ),
    "in front of optional": (
        "x: T = Depends(f), a: int = 1",
        "x: Annotated[T, Depends(f)], a: int = 1",
    ),
    "keyword-only": (
        "*, a: int = 1, x: T = Depends(f)",
        "*, a: int = 1, x: Annotated[T, Depends(f)]",
    ),
    "star moves": (
        "a: int = 1, x: T = Depends(f), *, k: int",
        "a: int = 1, *, x: Annotated[T, Depends(f)], k: int",
    ),
    "behind args": ("*args, x: T = Depends(f)", "*args, x: Annotated[T, Depends(f)]"),
    "before kwargs": (
        "a=1, x: T = Depends(f), **kw",
        "a=1, *, x: Annotated[T, Depends(f)], **kw",
    ),
    "method": ("self, x: T = Depends(f)", "self, x: Annotated[T, Depends(f)]"),
    "method after optional": (
        "self, a=1, x: T = Depends(f)",
        "self, a=1, *, x: Annotated[T, Depends(f)]",
    ),
    "all kinds converge": (
        "db: S = Depends(f), q: str = Query(None), c: C = Depends(), b: B = Body(...)",
        "db: Annotated[S, Depends(f)], q: Annotated[str, Query()] = None, *, "
        "c: Annotated[C, Depends()], b: Annotated[B, Body()]",
    ),
    "known options": ("x: T = Query(5, **kw)", "x: Annotated[T, Query(**kw)] = 5"),
}

UNCHANGED = {
    "no annotation": "x=Depends(f)",
    "hidden default": "x: T = Query(**kw)",
    "starred": "x: T = Query(*args)",
    "positional-only": "x: T = Depends(f), /",
    "args in the way": "a=1, x: T = Depends(f), *args",
    "no value": "x: T = Query(Undefined)",
    "obeyed metadata": "x: Annotated[int, Gt(1)] = Query(5)",
    "unknown type in a string": 'x: "Nowhere" = Query(1)',
    "comment in the default": "x: T = Query(\n    [  # why\n        1,\n    ]\n)",
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_signature(case: str) -> None:
    before, after = SIGNATURES[case]
    assert convert(f"{HEAD}def f({before}): ...\n") == f"{HEAD}def f({after}): ...\n"


@pytest.mark.parametrize("case", UNCHANGED)
def test_left_alone(case: str) -> None:
    code = f"{HEAD}def f({UNCHANGED[case]}): ...\n"
    assert convert(code) == code


@pytest.mark.parametrize("keyword_only", [False, True])
def test_order_needs_permission(keyword_only: bool) -> None:
    code = f"{HEAD}def f(a=1, x: T = Depends(f)): ...\n"
    assert (convert(code, keyword_only=keyword_only) != code) is keyword_only
    legal = f"{HEAD}def f(x: T = Depends(f), a=1): ...\n"
    assert convert(legal, keyword_only=keyword_only) != legal


MULTI_LINE = '''
async def read(
    item_id: int,
    skip: int = 0,  # where to begin
    # the session
    db: Session = Depends(
        get_db,  # one per request
        use_cache=False,
    ),  # db
    q: str | None
    # the question
    = Query(
        None,  # nothing
        max_length=50,
    ),
    *,
    token: str = Header(...)  # last
):  # end
    """Read."""
'''
MULTI_LINE_AFTER = '''
async def read(
    item_id: int,
    skip: int = 0,  # where to begin
    *,
    # the session
    db: Annotated[Session, Depends(
        get_db,  # one per request
        use_cache=False,
    )],  # db
    q: Annotated[str | None
    # the question
    , Query(
        # nothing
        max_length=50,
    )] = None,
    token: Annotated[str, Header()]  # last
):  # end
    """Read."""
'''


def test_lines_and_comments_stay() -> None:
    assert convert(HEAD + MULTI_LINE) == HEAD + MULTI_LINE_AFTER


def test_own_line_of_the_star() -> None:
    code = f"{HEAD}def f(\n    a=1,\n    x: T = Depends(f),\n    *,\n    k=2,\n): ...\n"
    wanted = f"{HEAD}def f(\n    a=1,\n    *,\n    x: Annotated[T, Depends(f)],\n    k=2,\n): ...\n"
    assert convert(code) == wanted


FUTURE = f"from __future__ import annotations\n{HEAD}"
EVALUATED = {
    "global": ("def g(): ...\ndef f(x: int = Depends(g)): ...\n", True),
    "defined later": ("def f(x: int = Depends(g)): ...\ndef g(): ...\n", True),
    "local": ("def o():\n    def g(): ...\n    def f(x: int = Depends(g)): ...\n", False),
    "parameter": ("def o(g):\n    def f(x: int = Depends(g)): ...\n", False),
    "local type": ("def o():\n    class T: ...\n    def f(x: T = Depends(len)): ...\n", False),
    "class scope": (
        "class A:\n    def g(): ...\n    def f(self, x: int = Depends(g)): ...\n",
        False,
    ),
    "for type checkers": (
        "if TYPE_CHECKING:\n    from m import T\ndef g(): ...\ndef f(x: T = Depends(g)): ...\n",
        False,
    ),
    "in a loop": ("for g in gs:\n    def f(x: int = Depends(g)): ...\n", False),
    "new object": ("def g(): ...\ndef f(x: int = Depends(g())): ...\n", False),
    "unknown name": ("def f(x: int = Depends(nowhere)): ...\n", False),
}


@pytest.mark.parametrize("case", EVALUATED)
def test_annotations_kept_as_strings(case: str) -> None:
    code, fixable = EVALUATED[case]
    assert (convert(FUTURE + code) != FUTURE + code) is fixable
    # Annotations that are evaluated in place see what defaults see.
    assert convert(HEAD + code) != HEAD + code


def test_a_route_reads_its_signature_once() -> None:
    code = FUTURE + "def g(): ...\ndef f(x: int = Depends(g())): ...\n"
    assert "Annotated[int, Depends(g())]" in convert(code, is_endpoint=True)


def test_type_parameters_and_decorators() -> None:
    code = f"{HEAD}@app.get('/(')\nasync def f (x: T = Depends(f)) -> None: ...\n"
    assert "async def f (x: Annotated[T, Depends(f)]) -> None" in convert(code)


def test_non_ascii_in_front() -> None:
    code = f"{HEAD}def f(ä: str = 'ö', x: T = Depends(f)): ...  # é\n"
    assert convert(code) == f"{HEAD}def f(ä: str = 'ö', *, x: Annotated[T, Depends(f)]): ...  # é\n"


def test_groups_tell_signatures_apart() -> None:
    text = file_text("def f(): ...\ndef g(): ...\n")
    one, two = text.index.nodes(ast.FunctionDef)
    assert signature_group(one) != signature_group(two)


# -- single changes -------------------------------------------------------------------------


def change(signature: str, name: str, action: str, value: str = "") -> str | None:
    code = f"def f({signature}): ...\n"
    text = file_text(code)
    function = text.index.nodes(ast.FunctionDef)[0]
    argument = next((a for a in all_arguments(function.args) if a.arg == name), None)
    if action == "add":
        result = edited(code, lambda: add_parameter(text, function, name))
    else:
        assert argument is not None
        edits = {
            "drop default": lambda: remove_default(text, function, argument, keyword_only=True),
            "default": lambda: add_default(text, function, argument, value, keyword_only=True),
            "other default": lambda: replace_default(text, function, argument, value),
            "annotate": lambda: annotate(text, argument, value),
            "remove": lambda: remove_parameter(text, function, argument),
        }[action]
        result = edited(code, edits)
    return None if result is None else result.removeprefix("def f(").removesuffix("): ...\n")


@pytest.mark.parametrize(
    ("signature", "name", "action", "value", "wanted"),
    [
        ("a: int = ...", "a", "drop default", "", "a: int"),
        ("a=..., b=2", "a", "drop default", "", "a, b=2"),
        ("b=2, a: int = ...", "a", "drop default", "", "b=2, *, a: int"),
        ("b=2, a: int = (...), *, k", "a", "drop default", "", "b=2, *, a: int, k"),
        ("a: int | None", "a", "default", "None", "a: int | None = None"),
        ("a, b", "a", "default", "None", "a=None, *, b"),
        ("a, *, b", "a", "default", "None", "a=None, *, b"),
        ("a, b=1", "a", "default", "None", "a=None, b=1"),
        ("*, a, b", "a", "default", "None", "*, a=None, b"),
        ("a=[]", "a", "other default", "None", "a=None"),
        ("a=([])", "a", "other default", "None", "a=None"),
        ("ws", "ws", "annotate", "WebSocket", "ws: WebSocket"),
        ("ws=None", "ws", "annotate", "WebSocket", "ws: WebSocket = None"),
        ("ws = None", "ws", "annotate", "WebSocket", "ws: WebSocket = None"),
        ("", "a: int", "add", "", "a: int"),
        ("b", "a: int", "add", "", "b, a: int"),
        ("b, c=1", "a: int", "add", "", "b, a: int, c=1"),
        ("b=1, *, c", "a: int", "add", "", "b=1, *, c, a: int"),
        ("b=1, **kw", "a: int", "add", "", "a: int, b=1, **kw"),
        ("b, **kw", "a: int", "add", "", "b, a: int, **kw"),
        ("*args", "a: int", "add", "", None),
        ("a, b, c", "a", "remove", "", "b, c"),
        ("a, b, c", "c", "remove", "", "a, b"),
        ("a, *, c", "c", "remove", "", "a"),
        ("*, c", "c", "remove", "", ""),
        ("*, b, c", "c", "remove", "", "*, b"),
        ("a: T = Depends(f)", "a", "remove", "", ""),
    ],
)
def test_single_changes(
    signature: str, name: str, action: str, value: str, wanted: str | None
) -> None:
    assert change(signature, name, action, value) == wanted


# -- properties -----------------------------------------------------------------------------

gaps = st.sampled_from(
    ["", " ", "  ", "\n        ", "  # c1\n    ", "\n    # c2, (\n    ", " \\\n  "]
)
annotations = st.sampled_from(
    ["int", "list[int]", "'int'", "A | None", "(int)", "Annotated[int, Doc('x')]"]
)
defaults = st.sampled_from(
    [
        "Depends(f)",
        "Depends()",
        "Query(1)",
        "Query(...)",
        "Query(default=2, ge=1)",
        "Query(None,\n le=3 # q\n)",
        "Body({'a': [1]})",
        "Security(f, scopes=['a'])",
        "Depends(lambda x=1: (x, 2))",
        "5",
        "",
    ]
)


@st.composite
def signatures(draw: st.DrawFn) -> str:
    parts: list[str] = []
    seen_default = False
    count = draw(st.integers(1, 5))
    star = draw(st.integers(0, 8))
    for number in range(count):
        if number == star:
            parts.append("*" + draw(gaps))
            seen_default = False
        default = draw(defaults)
        if seen_default and not default:
            default = "7"
        seen_default = seen_default or (bool(default) and number < star)
        text = f"{draw(gaps)}p{number}{draw(gaps)}:{draw(gaps)}{draw(annotations)}{draw(gaps)}"
        if default:
            text += f"={draw(gaps)}{default}{draw(gaps)}"
        parts.append(text)
    return ",".join(parts) + draw(st.sampled_from(["", ",", ",  # last\n", "\n"]))


def is_legal(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(signatures())
def test_any_signature(signature: str) -> None:
    code = f"{HEAD}before = 1   # left  alone\ndef f({signature}):\n    return 1\nafter = [ 2 ]\n"
    if not is_legal(code):
        return
    result = convert(code)
    assert comments_of(result) == comments_of(code)
    assert convert(result) == result
    assert result.startswith(f"{HEAD}before = 1   # left  alone\ndef f(")
    assert result.endswith("):\n    return 1\nafter = [ 2 ]\n")
    old, new = (ast.parse(each).body[3].args for each in (code, result))  # type: ignore[attr-defined]
    assert [a.arg for a in all_arguments(old)] == [a.arg for a in all_arguments(new)]
    # Whatever is left in the old style has a reason: a comment in a place that must go.
    left = [d for d in [*new.defaults, *new.kw_defaults] if isinstance(d, ast.Call)]
    assert not left or "#" in signature or "\n" in signature or "Annotated" in signature


def test_the_result_means_the_same() -> None:
    code = textwrap.dedent(
        """
        from typing import Annotated
        from fastapi import Body, Depends, FastAPI, Header, Query

        def dep(q: str = Query("d", max_length=5)): return q

        app = FastAPI()

        @app.post("/{item}")
        def f(item: int, a: int = 1, db: str = Depends(dep), h: "str" = Header(...),
              b: dict[str, int] = Body(None), o: list[int] | None = Query([1], le=3)):
            return [item, a, db, h, b, o]
        """
    )
    result = convert(code)
    assert result != code
    schemas = []
    for each in (code, result):
        space: dict[str, object] = {}
        exec(compile(each, "app.py", "exec"), space)
        schemas.append(space["app"].openapi())  # type: ignore[attr-defined]
    assert schemas[0] == schemas[1]
