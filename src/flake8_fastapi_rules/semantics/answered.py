"""What becomes of the result of a project's function in FastAPI code that calls it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS, mentions
from flake8_fastapi_rules.semantics.facts import Role
from flake8_fastapi_rules.semantics.responses import returns_of
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.callers import DirectCall
    from flake8_fastapi_rules.semantics.model import Model

_ANSWERING = frozenset({Role.ENDPOINT})


def is_answered_with(model: Model, function: Function) -> bool:
    """Whether some endpoint answers with what a function gives, or drops it, without a look."""
    return any(_is_unseen(model, call) for call in model.direct_calls(function))


def _is_unseen(model: Model, call: DirectCall) -> bool:
    index = call.module.index
    around = index.function_of(call.node)
    if not call.is_certain or not isinstance(around, FUNCTIONS):
        return False
    if _ANSWERING.isdisjoint(model.roles(Function(call.module, around))):
        return False
    parent = index.parents.get(call.node)
    if isinstance(parent, ast.Await):
        parent = index.parents.get(parent)
    match parent:
        case ast.Return() | ast.Expr():
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            is_tested = any(
                mentions(node.test if isinstance(node, ast.If | ast.IfExp) else node, {name})
                for node in index.own_nodes(around)
                if isinstance(node, ast.If | ast.IfExp | ast.Match | ast.Raise)
            )
            return not is_tested and any(
                isinstance(each.value, ast.Name) and each.value.id == name
                for each in returns_of(call.module, around)
            )
    return False
