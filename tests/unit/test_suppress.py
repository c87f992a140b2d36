"""`# noqa` is what flake8 takes it for: generated files, judged by flake8's own code."""

from __future__ import annotations

import argparse
import ast
import io
import logging

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation
from hypothesis import given, settings
from hypothesis import strategies as st

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.engine.suppress import Suppressions, unsuppressed

logging.getLogger("flake8").setLevel(logging.ERROR)

CODES = ("FAR101", "FAR201", "FAR301")


def flake8_hides(text: str, code: str, line: int) -> bool:
    """Whether flake8 itself would hide a violation."""
    options = argparse.Namespace(
        hang_closing=False, indent_size=4, max_line_length=79, max_doc_length=None, verbose=0,
        disable_noqa=False, stdin_display_name="x.py",
    )  # fmt: skip
    lines = list(io.StringIO(text))
    processor = FileProcessor("x.py", options, lines)
    if processor.should_ignore_file():
        return True
    physical = processor.noqa_line_for(line)
    return Violation(code, "x.py", line, 1, "text", physical).is_inline_ignored(False)


COMMENTS = st.sampled_from(
    [
        "", "", "", "  # noqa", "  # NoQA", "  #noqa", "  # noqa: FAR101", "  # noqa:FAR101",
        "  # noqa: FAR1", "  # noqa: FAR", "  # noqa: far101", "  # noqa : FAR101",
        "  # noqa: E501,FAR101", "  # noqa: E501 FAR201", "  # noqa: FAR101,", "  # noqa: X",
        "  # noqa: FAR101 because", "  # noqa:  FAR101", "  # noqa:FAR101FAR201",
        "  # noqa FAR101", "  # why # noqa: FAR301",
        "  # noqa: FAR101 # noqa: FAR201", "  # noqa-not", "  # noqa: 101",
        "  # flake8: noqa: FAR101", "  # noqa:\tFAR101, FAR301",
    ]
)  # fmt: skip

STATEMENTS = st.sampled_from(
    [
        ["x = 1@"],
        ["x = (", "    1,@", ")@"],
        ['x = """', "a@", 'b"""@'],
        ['x = f"""', "{1}@", '"""@'],
        ["x = 1 + \\", "    2@"],
        ["def f(", "    a,@", "    b='''", "    ''',@", "):@", "    return a@"],
        ["x = 1; y = '''", "'''; z = 2@"],
        ["", "@"],
        ["if x:@", "    y = [", "        'a'@", "        'b',@", "    ]@"],
        ["    # indented@"],
        ['"""# noqa"""@'],
        ["# flake8: noqa@"],
        ["x = 2  # flake8: noqa@"],
        ["'''", "  # flake8: NOQA", "'''@"],
        ["x = '\\u2028 \\x0c'@", "\x0c", "y = 1@"],
    ]
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> str:
    rare = draw(st.integers(0, 4)) == 0  # file-level comments would hide everything else
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 6))):
        statement = draw(STATEMENTS)
        if not rare and any("flake8:" in line.lower() for line in statement):
            continue
        for line in statement:
            if "@" in line:
                comment = draw(COMMENTS)
                line = line.replace("@", comment if rare or "flake8" not in comment else "")
            lines.append(line)
    end = draw(st.sampled_from(["\n", "", "\n\n"]))
    return "\n".join(lines) + end


@settings(max_examples=400, deadline=None)
@given(files())
def test_as_flake8(text: str) -> None:
    suppressions = Suppressions(Source("x.py", text))
    try:
        ast.parse(text)
    except SyntaxError:  # neither of them reports our codes then
        return
    for line in range(1, text.count("\n") + 1):
        for code in CODES:
            expected = flake8_hides(text, code, line)
            assert suppressions.covers(code, line) == expected, (text, line, code)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("x = 1  # noqa\n", True),
        ("x = 1  # noqa: FAR101\n", True),
        ("x = 1  # noqa: FAR1\n", True),
        ("x = 1  # noqa: FAR102\n", False),
        ("x = 1  # noqa: far101\n", False),
        ("x = (  # noqa\n)\n", True),
        ("x = (\n)  # noqa\n", False),
        ('x = """\n"""  # noqa\n', True),
        ("x = \\\n    1  # noqa\n", True),
        ("x = 1\n# flake8: noqa: E501\n", True),
        ("x = 1  # flake8: noqa\n", False),
    ],
)
def test_plain_cases(text: str, hidden: bool) -> None:
    finding = Finding("x.py", Range(1, 0, 1, 1), "FAR101", "message")
    assert (unsuppressed(Source("x.py", text), [finding]) == []) is hidden
    assert flake8_hides(text, "FAR101", 1) is hidden


def test_lines_beyond_the_text() -> None:
    suppressions = Suppressions(Source("x.py", "# noqa"))
    assert not suppressions.covers("FAR101", 9)
    assert not suppressions.covers("FAR101", 0)


def test_text_that_cannot_be_tokenized_falls_back_to_lines() -> None:
    suppressions = Suppressions(Source("x.py", "x = (  # noqa\n"))
    assert suppressions.covers("FAR101", 1)
