"""Output formats."""

from __future__ import annotations

import ast
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from flake8_fastapi_rules import reporters
from flake8_fastapi_rules.engine.findings import Finding, Related
from flake8_fastapi_rules.engine.results import PlacedEdit, PlacedFix, Problem, Results
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.reporters.view import View, printable
from flake8_fastapi_rules.rules import all_rules

TEXT = "from fastapi import FastAPI\n\nä = '日本'; app = FastAPI()\n\tb = [\n1,\n]\n"


@pytest.fixture
def results() -> Results:
    app = Finding(
        "app/main, 1.py",
        Range(3, 16, 3, 25),
        "FAR101",
        "App `ä` & <b> 100%\nis built",
        (Related("app/main, 1.py", Range(1, 20, 1, 27), "imported here"),),
    )
    crash = Finding("app/main, 1.py", Range(4, 1, 6, 1), "FAR000", "internal error")
    edits = (PlacedEdit(3, 16, 3, 25, "make(ä)"), PlacedEdit(1, 0, 1, 0, "import x\n"))
    return Results(
        [app, crash],
        [Problem("broken.py", 2, 4, "invalid syntax"), Problem("lost.py", 0, 0, "no such file")],
        {app: PlacedFix("Make it", "safe", edits)},
        files=4,
        hidden=2,
    )


@pytest.fixture
def written(results: Results) -> Callable[..., str]:
    def write(name: str, color: bool = False) -> str:
        stream = io.StringIO()
        source = Source("app/main, 1.py", TEXT)
        view = View("1.2.3", {r.code: r for r in all_rules()}, color, {source.path: source})
        reporters.write(name, results, stream, view)
        return stream.getvalue()

    return write


def test_concise(written: Callable[..., str]) -> None:
    assert written("concise").splitlines() == [
        "app/main, 1.py:3:17: FAR101 App `ä` & <b> 100%\\x0ais built",
        "app/main, 1.py:4:2: FAR000 internal error",
    ]


def test_full(written: Callable[..., str]) -> None:
    lines = written("full").splitlines()
    assert lines[:9] == [
        "FAR101 App `ä` & <b> 100%\\x0ais built",
        " --> app/main, 1.py:3:17",
        "  |",
        "3 | ä = '日本'; app = FastAPI()",
        "  |                   ^^^^^^^^^",
        "note: imported here",
        " --> app/main, 1.py:1:21",
        "  |",
        "1 | from fastapi import FastAPI",
    ]
    assert "(far explain FAR101)" in lines[10]
    assert lines[12:] == [
        "FAR000 internal error",
        " --> app/main, 1.py:4:2",
        "  |",
        "4 | \tb = [",
        "  | \t^^^^^",
        "5 | 1,",
        "  | ^^",
        "6 | ]",
        "  | ^",
        "",
    ]


def test_full_of_places_that_are_gone(results: Results) -> None:
    stream = io.StringIO()
    source = Source("app/main, 1.py", "x")
    reporters.write("full", results, stream, View("1", {}, sources={source.path: source}))
    assert " --> app/main, 1.py:3:17\n" in stream.getvalue()


def test_full_cuts_long_lines_and_long_ranges() -> None:
    text = "x = '" + "a" * 500 + "' + FastAPI() + '" + "b" * 500 + "'\n" + "y\n" * 30
    source = Source("a.py", text)
    long = Finding("a.py", Range(1, 509, 1, 518), "FAR000", "long line")
    tall = Finding("a.py", Range(2, 0, 30, 1), "FAR000", "tall")
    stream = io.StringIO()
    results = Results([long, tall])
    reporters.write("full", results, stream, View("1", {}, sources={"a.py": source}))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) < 180
    excerpt, carets = lines[3], lines[4]
    assert excerpt[carets.index("^") :].startswith("FastAPI() +")
    assert "..." in lines
    assert len(lines) < 30


def test_colours_only_when_asked_for(written: Callable[..., str]) -> None:
    assert "\x1b[" not in written("full") + written("concise")
    assert "\x1b[1;31mFAR101\x1b[0m" in written("full", color=True)


def test_terminals_are_not_steered() -> None:
    assert printable("a\x1b[2Jb\u202ec\td") == "a\\x1b[2Jb\\x202ec\td"


def test_source_lines_do_not_steer_terminals() -> None:
    source = Source("a.py", "x = '\x1b[2J'\n")
    finding = Finding("a.py", Range(1, 0, 1, 1), "FAR000", "m")
    stream = io.StringIO()
    reporters.write("full", Results([finding]), stream, View("1", {}, sources={"a.py": source}))
    assert "\x1b" not in stream.getvalue()


def schema() -> dict[str, object]:
    text = resources.files("flake8_fastapi_rules.reporters").joinpath("far.schema.json")
    loaded: dict[str, object] = json.loads(text.read_text("utf-8"))
    return loaded


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_json(written: Callable[..., str]) -> None:
    document = json.loads(written("json"))
    jsonschema.validate(document, schema())
    finding = document["findings"][0]
    assert (finding["line"], finding["column"]) == (3, 17)
    assert (finding["end_line"], finding["end_column"]) == (3, 26)
    assert finding["name"] == "module-level-app"
    assert finding["severity"] == "warning"
    assert finding["related"][0]["column"] == 21
    assert finding["fix"]["edits"][0] == {
        "line": 3, "column": 17, "end_line": 3, "end_column": 26, "text": "make(ä)",
    }  # fmt: skip
    assert document["findings"][1]["name"] == "internal-error"
    assert document["findings"][1]["severity"] == "error"
    assert document["errors"] == [
        {"path": "broken.py", "line": 2, "column": 5, "message": "invalid syntax"},
        {"path": "lost.py", "line": None, "column": None, "message": "no such file"},
    ]
    assert document["summary"] == {
        "files": 4, "findings": 2, "hidden": 2, "by_code": {"FAR000": 1, "FAR101": 1},
    }  # fmt: skip


def test_schema_refuses_what_is_not_described() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": 1, "findings": []}, schema())


def test_sarif(written: Callable[..., str]) -> None:
    (run,) = json.loads(written("sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    result = run["results"][0]
    assert rules[result["ruleIndex"]]["id"] == "FAR101" == result["ruleId"]
    assert rules[result["ruleIndex"]]["name"] == "module-level-app"
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "app/main%2C%201.py"
    assert location["region"] == {
        "startLine": 3, "startColumn": 17, "endLine": 3, "endColumn": 26,
    }  # fmt: skip
    assert run["columnKind"] == "unicodeCodePoints"
    assert result["relatedLocations"][0]["message"]["text"] == "imported here"
    replacement = result["fixes"][0]["artifactChanges"][0]["replacements"][1]
    assert replacement["insertedContent"]["text"] == "import x\n"
    invocation = run["invocations"][0]
    assert not invocation["executionSuccessful"]
    notes = invocation["toolExecutionNotifications"]
    assert "region" in notes[0]["locations"][0]["physicalLocation"]
    assert "region" not in notes[1]["locations"][0]["physicalLocation"]


def test_github(written: Callable[..., str]) -> None:
    lines = written("github").splitlines()
    assert lines[0] == (
        "::warning title=FAR101 module-level-app,file=app/main%2C 1.py,line=3,endLine=3,col=17,"
        "endColumn=26::app/main, 1.py:3:17: FAR101 App `ä` & <b> 100%25%0Ais built"
    )
    assert lines[1].startswith("::error title=FAR000 internal-error,")
    assert "col=" not in lines[1]
    assert lines[2:] == [
        "::error file=broken.py,line=2,col=5::invalid syntax",
        "::error file=lost.py::no such file",
    ]


def test_gitlab(written: Callable[..., str], results: Results) -> None:
    entries = json.loads(written("gitlab"))
    assert [e["severity"] for e in entries] == ["minor", "major", "critical", "critical"]
    assert entries[0]["location"]["positions"]["begin"] == {"line": 3, "column": 17}
    assert len({e["fingerprint"] for e in entries}) == 4


def test_gitlab_fingerprints_survive_moves() -> None:
    def fingerprints(text: str, line: int) -> list[str]:
        source = Source("a.py", text)
        findings = [Finding("a.py", Range(line, c, line, c + 1), "FAR101", "m") for c in (0, 4)]
        stream = io.StringIO()
        view = View("1", {}, sources={"a.py": source})
        reporters.write("gitlab", Results(findings), stream, view)
        return [entry["fingerprint"] for entry in json.loads(stream.getvalue())]

    assert fingerprints("x = y\n", 1) == fingerprints("\n\n  x = y\n", 3)
    assert len(set(fingerprints("x = y\n", 1))) == 2


def test_rdjson_counts_bytes(written: Callable[..., str]) -> None:
    document = json.loads(written("rdjson"))
    first = document["diagnostics"][0]
    # `ä` takes two bytes, each of the two Japanese characters three.
    assert first["location"]["range"]["start"] == {"line": 3, "column": 22}
    assert first["code"] == {"value": "FAR101"}
    assert first["suggestions"][0]["text"] == "make(ä)"
    assert first["related_locations"][0]["message"] == "imported here"
    assert document["diagnostics"][2]["location"]["range"]["start"] == {"line": 2, "column": 5}


def test_junit(written: Callable[..., str]) -> None:
    root = ET.fromstring(written("junit"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "2", "2")
    assert [suite.get("name") for suite in root] == ["app/main, 1.py", "broken.py", "lost.py"]
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "App `ä` & <b> 100% is built"


@pytest.mark.parametrize("name", ["json", "sarif", "gitlab", "rdjson", "junit"])
def test_nothing_found_is_a_whole_document(name: str) -> None:
    stream = io.StringIO()
    reporters.write(name, Results(), stream, View("1", {}))
    text = stream.getvalue()
    if name == "junit":
        assert ET.fromstring(text).get("tests") == "0"
    else:
        json.loads(text)


def test_formats_that_need_libcst_are_known() -> None:
    assert set(reporters.FORMATS) >= reporters.WITH_FIXES | reporters.FOR_PEOPLE


def test_reporters_do_not_import_libcst() -> None:
    folder = Path(reporters.__file__).parent
    for file in folder.glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        assert not any(name.startswith("libcst") for name in names)
