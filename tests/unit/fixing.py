"""What the tests of fixes share: a module from a text, and edits put into it."""

from __future__ import annotations

import ast
import io
import itertools
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.fixes.text import FileText, text_of
from flake8_fastapi_rules.semantics.modules import Module


def module_of(code: str, path: str = "app.py") -> Module:
    source = Source(path, code)
    return Module(Path(path), Path(path).stem, source, path == "__init__.py")


def file_text(code: str, path: str = "app.py") -> FileText:
    return text_of(module_of(code, path))


Made = Edit | Iterable[Edit]


def edited(code: str, edits: Made | Callable[[], Made]) -> str | None:
    """The text after the edits; it must parse and have the same comments.

    `None` when what makes the edits refuses to, for a reason that it gives.
    """
    if callable(edits):
        try:
            edits = edits()
        except Unfixable:
            return None
    flat = sorted([edits] if isinstance(edits, Edit) else edits)
    for first, second in itertools.pairwise(flat):
        assert first.end <= second.start, (first, second)
    result = code
    for edit in reversed(flat):
        result = result[: edit.start] + edit.text + result[edit.end :]
    ast.parse(result)
    assert comments_of(code) <= comments_of(result)
    return result


def comments_of(code: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(code, newline="\n").readline)
    return Counter(found.string for found in tokens if found.type == tokenize.COMMENT)


def first(text: FileText, kind: type[ast.AST], index: int = 0) -> ast.AST:
    return text.index.nodes(kind)[index]
