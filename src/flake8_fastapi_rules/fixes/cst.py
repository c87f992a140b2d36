"""Rewrites of one statement with libcst, which is imported when the first one is wanted."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.fixes.edit import COMMENT, SHARED_LINE
from flake8_fastapi_rules.fixes.text import FileText

if TYPE_CHECKING:
    import libcst


def transform_statement(
    text: FileText, statement: ast.stmt, transformer: libcst.CSTTransformer
) -> Edit:
    """Parse one statement, transform it, and replace it; its lines keep their indentation.

    The transformer sees the statement with its decorators, nothing of the rest of the file, and
    not the comments around it. It must give back one statement.

    Raises:
        Unfixable: when it shares a line with another statement, cannot be parsed by libcst
            (syntax newer than libcst), is not changed, or would lose a comment.
    """
    import libcst

    if not text.own_line(statement):
        raise Unfixable(SHARED_LINE)
    start = text.line_start(text.start_of_statement(statement))
    end = text.end(statement)
    code = text.text[start:end]
    indentation = text.indentation(start)
    # Dedenting would change multi-line strings: an `if` around it gives it a level to stand on.
    head = "if True:\n" if indentation else ""
    try:
        module = libcst.parse_module(f"{head}{code}\n")
    except libcst.ParserSyntaxError:
        raise Unfixable("libcst cannot parse the statement") from None
    outer = module.body[0]
    if indentation:
        if not isinstance(outer, libcst.If) or len(outer.body.body) != 1:
            raise Unfixable(SHARED_LINE)
        old = outer.body.body[0]
        new = old.visit(transformer)
        if not isinstance(new, libcst.BaseStatement):
            raise Unfixable("more than one statement would take its place")
        changed = module.with_changes(
            body=[outer.with_changes(body=outer.body.with_changes(body=[new]))]
        )
    else:
        if len(module.body) != 1:
            raise Unfixable(SHARED_LINE)
        new = outer.visit(transformer)
        if not isinstance(new, libcst.BaseStatement):
            raise Unfixable("more than one statement would take its place")
        changed = module.with_changes(body=[new])
    result = changed.code.removeprefix(head).rstrip("\n")
    comments = text.comments_in(start, end)
    if result == code:
        raise Unfixable("there is nothing to change")
    if any(comment.string not in result for comment in comments):
        raise Unfixable(COMMENT)
    return Edit(start, end, result)
