"""What comments say about the code that they stand at."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module


def comments_on(module: Module, node: ast.expr | ast.stmt) -> str:
    """The comments inside of an expression or statement, behind it, and right above it.

    A `#` in a text counts as one, too.
    """
    lines = module.source.lines
    first = node.lineno - 1
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    last = node.end_lineno or node.lineno
    return "\n".join(line.partition("#")[2] for line in lines[first:last])
