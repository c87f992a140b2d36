"""What only runs where the service is worked on."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.modules import Module

#: What conditions say of where they hold.
_DEVELOPMENT = re.compile(r"(?i)debug|(?:\b|_)dev(?:\b|_|elop)|(?:\b|_)local|(?:\b|_)test")
_PRODUCTION = re.compile(r"(?i)prod|staging")


def is_for_development(module: Module, node: ast.AST) -> bool:
    """Whether a condition lets this run only where the service is worked on."""
    child = node
    for parent in module.index.ancestors(node):
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
            test = parent.test
            negated = isinstance(test, ast.UnaryOp) or (
                isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotEq)
            )
            body = parent.body if isinstance(parent.body, list) else [parent.body]
            text = ast.unparse(test)
            if _DEVELOPMENT.search(text) and (child in body) is not negated:
                return True
            if _PRODUCTION.search(text) and (child in body) is negated:
                return True
        child = parent
    return False
