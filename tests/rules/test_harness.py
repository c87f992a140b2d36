"""The harness itself: it reads markers rightly, and it fails when findings differ."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Range
from tests.rules.cases import (
    Case,
    Expectation,
    FormatError,
    Header,
    difference,
    header_of,
    markers_of,
    without_markers,
)
from tests.rules.judge import Judge, Verdict, contradiction
from tests.rules.variants import (
    Variant,
    import_styles,
    text_styles,
    with_comments,
    with_noqa,
)

PROGRAM = '''\
# far: profile=strict page-size-names=limit,count
# far-judge: import-fails TypeError ValueError: too much
# far-skip: star because
from fastapi import (
    APIRouter,
    Depends as Dep,
)
from fastapi import FastAPI, Request

app = FastAPI()  # FAR101
router = APIRouter()


@router.get("/")
def read_it(request: Request, first: int = Dep(), x: "Request" = 1):  # FAR301: part FAR302
    return f"""
    {app}
    """  # FAR303@-2
'''


def finding(line: int, column: int, end: int, code: str = "FAR101", message: str = "m") -> Finding:
    """A finding on one line."""
    return Finding("example.py", Range(line, column, line, end), code, message)


def case(text: str) -> Case:
    """A case of one file."""
    return Case("x", {"example.py": text}, ("FAR101",), Header(), Path("x.py"))


def test_header() -> None:
    header = header_of(PROGRAM)
    assert header.options == {"profile": "strict", "page-size-names": "limit,count"}
    assert header.verdict == Verdict("import-fails", ("TypeError", "ValueError"), "too much")
    assert header.skips == {"star": "because"}


@pytest.mark.parametrize(
    "text", ["# far-skip: star", "# far-skip: nothing x", "# far-judge: bad", "# far: alone"]
)
def test_bad_header(text: str) -> None:
    with pytest.raises(FormatError):
        header_of(text)


def test_unknown_setting() -> None:
    wrong = Case("x", {}, ("FAR101",), Header({"nonsense": "1"}), Path("x.py"))
    with pytest.raises(FormatError, match="nonsense"):
        wrong.settings()


def test_markers() -> None:
    assert list(markers_of(PROGRAM)) == [
        Expectation(10, "FAR101"),
        Expectation(15, "FAR301", "part"),
        Expectation(15, "FAR302"),
        Expectation(16, "FAR303"),
    ]


def test_carets() -> None:
    text = 'x = f(a, b)  # FAR101 FAR102\n#     ^  ^\ny = "# FAR103"\n#^^ FAR104: part\n'
    assert list(markers_of(text)) == [
        Expectation(1, "FAR101", "", (6, 7)),
        Expectation(1, "FAR102", "", (9, 10)),
        Expectation(3, "FAR104", "part", (0, 3)),
    ]


def test_carets_without_codes() -> None:
    with pytest.raises(FormatError):
        list(markers_of("x = 1\n#   ^\n"))


def test_without_markers() -> None:
    assert without_markers("# far: a=b\nx = 1  # FAR101: part\n#   ^\n# kept\n") == (
        "x = 1\n# kept\n"
    )


def test_difference_is_empty_when_all_is_as_announced() -> None:
    good = case("x = 1  # FAR101\n#   ^\n")
    assert difference(good, {"example.py": [finding(1, 4, 5)]}) == ""


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ([], "not reported"),
        ([finding(1, 4, 5), finding(1, 4, 5, "FAR102")], "not expected"),
        ([finding(1, 3, 5)], "columns"),
        ([finding(1, 4, 5, message="other")], "lacks"),
        ([finding(2, 4, 5)], "not expected"),
    ],
)
def test_difference(found: list[Finding], word: str) -> None:
    text = "x = 1  # FAR101: m\n#   ^\n"
    assert word in difference(case(text), {"example.py": found})


def test_import_styles_parse_and_keep_lines() -> None:
    styles = dict(import_styles(PROGRAM))
    assert set(styles) == {"module-alias", "name-alias", "re-export", "star"}
    original = ast.parse(PROGRAM)
    for style, variant in styles.items():
        tree = ast.parse(variant.text)
        assert tree.body[-1].lineno == original.body[-1].lineno, style
    assert "first: int = far_fastapi.Depends()" in styles["module-alias"].text
    # A name that a string annotation spells keeps its import.
    assert "from fastapi import Request" in styles["module-alias"].text
    assert "_far_Dep()" in styles["name-alias"].text
    assert "Depends as Dep" in styles["re-export"].siblings["far_reexports.py"]


def test_type_checking_style() -> None:
    text = "from fastapi import FastAPI, Request\n\n\ndef f(r: Request):\n    FastAPI()\n"
    variant = dict(import_styles(text))["type-checking"]
    assert variant.text.split("\n")[:3] == [
        "import typing as far_typing",
        "if far_typing.TYPE_CHECKING: from fastapi import Request",
        "from fastapi import FastAPI",
    ]
    assert variant.line(4) == 6
    ast.parse(variant.text)


def test_reported_imports_are_left_alone() -> None:
    assert not list(import_styles("from fastapi import FastAPI\nFastAPI()\n", [1]))


def test_text_styles_map_columns() -> None:
    text = "def f(x=1):\n    y = '\u00e4', 1\n    return y\n"
    findings = [finding(1, 8, 9), finding(2, 13, 14)]
    styles = {name: (variant, data) for name, variant, data in text_styles(text, findings)}
    assert set(styles) == {"crlf", "bom", "tabs", "non-ascii"}
    tabs = styles["tabs"][0]
    assert tabs.text.split("\n")[1] == "\ty = '\u00e4', 1"
    assert tabs.expected(findings[1])[1] == 10
    moved: Variant = styles["non-ascii"][0]
    for each in findings:
        line, column, _, end, _, _ = moved.expected(each)
        assert moved.text.split("\n")[line - 1][column:end] == "1"
    assert moved.renamed == {"f": "f_\u00e9\u6f22"}


def test_noqa_goes_where_the_string_ends() -> None:
    text = 'x = """\n"""  # FAR101@-1\n'
    assert with_noqa(text, [finding(1, 4, 7)]) == 'x = """\n"""  # noqa: FAR101\n'


def test_comments_go_where_they_can() -> None:
    text = 'x = (  # have\n    1,\n)\ny = """\n"""\nz = 1 + \\\n    2\n'
    commented, comments = with_comments(text)
    assert comments == ["# keep 2", "# keep 3", "# keep 5", "# keep 7"]
    ast.parse(commented)


@pytest.mark.parametrize(
    ("text", "verdict", "agrees"),
    [
        ("from fastapi import FastAPI\napp = FastAPI()\n", Verdict("imports"), True),
        ("import nowhere\nnowhere.thing(1).other\n", Verdict("imports"), True),
        ("x = 1\ny = x.z\n", Verdict("imports"), False),
        ("x = 1\ny = x.z  # FAR101\nz = 2\n", Verdict("import-fails", ("AttributeError",)), True),
        ("x = 1\ny = x.z  # FAR101\nz = 2\n", Verdict("import-fails", ("TypeError",)), False),
        ("x = 1\ny = x.z\nz = 2  # FAR101\n", Verdict("import-fails"), False),
        (
            "import warnings\nwarnings.warn('old', DeprecationWarning)\n",
            Verdict("warns", ("DeprecationWarning",), "old"),
            True,
        ),
        ("x = 1\n", Verdict("warns", ("DeprecationWarning",)), False),
    ],
)
def test_judge_decides(
    text: str, verdict: Verdict, agrees: bool, judge: Judge, tmp_path: Path
) -> None:
    program = case(text)
    program.write(tmp_path, {})
    assert (contradiction(program, verdict, judge, tmp_path) == "") is agrees


def test_judge_forgets(judge: Judge, tmp_path: Path) -> None:
    """No program sees what another one did."""
    for text in ("import fastapi\nfastapi.left = 1\n", "import fastapi\nfastapi.left\n"):
        case(text).write(tmp_path, {})
        problem = judge.ask(tmp_path, "example").problem()
    assert "AttributeError" in problem


def test_judge_describes_apps(judge: Judge, tmp_path: Path) -> None:
    text = (
        "from fastapi import APIRouter, FastAPI\n"
        "router = APIRouter()\n"
        "@router.get('/items')\ndef items() -> list[int]: ...\n"
        "def create_app() -> FastAPI:\n"
        "    app = FastAPI()\n    app.include_router(router, prefix='/v1')\n    return app\n"
    )
    case(text).write(tmp_path, {})
    apps = judge.ask(tmp_path, "example").apps
    assert list(apps) == ["create_app()"]
    assert "/v1/items" in apps["create_app()"]["openapi"]["paths"]
    assert "/v1/items" in [route[1] for route in apps["create_app()"]["routes"]]
