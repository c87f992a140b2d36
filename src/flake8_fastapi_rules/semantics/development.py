"""What only runs where the service is worked on."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_fastapi_rules.engine.index import ModuleIndex
    from flake8_fastapi_rules.semantics.modules import Module

#: What conditions say of where they hold. Developers, `local_path` and `test_case` are things of
#: the domain as a rule.
_DEVELOPMENT = re.compile(
    r"(?i)debug|(?:\b|_)dev(?:\b|_|elop(?!ers?(?:\b|_(?!mode))))"
    r"|(?:\b|_)local(?:\b|host|_(?:dev|env|infra|mode|only|run)[a-z]*)"
    r"|(?:\b|_)test(?:\b|s\b|ing|_(?:env|mode|run)[a-z]*)"
)
_PRODUCTION = re.compile(r"(?i)(?:\b|_|(?<=is))prod(?:\b|_|uction)|staging")


def is_for_development(module: Module, node: ast.AST) -> bool:
    """Whether a condition lets this run only where the service is worked on."""
    index = module.index
    child = node
    for parent in index.ancestors(node):
        if isinstance(parent, ast.If | ast.IfExp) and child is not parent.test:
            body = parent.body if isinstance(parent.body, list) else [parent.body]
            if _says_development(index.condition(parent.test), child in body):
                return True
        if _is_behind_production(index, parent, child):
            return True
        child = parent
    return False


def _says_development(test: ast.expr, holds: bool) -> bool:
    """Whether one only works on the service where a condition holds, or does not."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.IsNot):
        return False  # `test is None`: something of that name is there, or is not
    negated = isinstance(test, ast.UnaryOp) or (
        isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotEq | ast.NotIn)
    )
    text = ast.unparse(test)
    if _DEVELOPMENT.search(text) and holds is not negated:
        return True
    if isinstance(test, ast.Compare) and (named := _strings(test)):
        text = named  # `production == "Demo"`
    return _PRODUCTION.search(text) is not None and holds is negated


def _strings(test: ast.Compare) -> str:
    """The texts that something is compared with."""
    return " ".join(
        node.value
        for compared in test.comparators
        for node in ast.walk(compared)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_behind_production(index: ModuleIndex, parent: ast.AST, statement: ast.AST) -> bool:
    """Whether a block is left in front of a statement wherever this is not development."""
    for block in (getattr(parent, "body", ()), getattr(parent, "orelse", ())):
        if not isinstance(block, list) or statement not in block:
            continue
        for each in block[: block.index(statement)]:
            if (
                isinstance(each, ast.If)
                and isinstance(each.body[-1], ast.Return | ast.Raise | ast.Continue)
                and _says_development(index.condition(each.test), holds=False)
            ):
                return True
    return False
