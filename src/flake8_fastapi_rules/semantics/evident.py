"""Functions that show by themselves what FastAPI uses them for, wherever that is said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.semantics.facts import Dependency, Role
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import FunctionNode

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.uses import Uses

_BASE = "starlette.middleware.base.BaseHTTPMiddleware"
_ASGI = ["self", "scope", "receive", "send"]


def evident_roles(model: Model, uses: Uses, module: Module) -> Iterator[tuple[FunctionNode, Role]]:
    """The functions of a module that are middleware or dependencies by the way they are written.

    A module may be read without the one that uses it, and an app may be put together where
    nothing can be followed.
    """
    text = module.source.text
    if "BaseHTTPMiddleware" in text or "receive, send" in text or "receive: " in text:
        for node in module.index.functions:
            if _is_middleware(model, module, node):
                yield node, Role.MIDDLEWARE
    aliases: set[str] = set()
    takers: dict[FunctionNode, None] = {}
    for dependency in model.local(module, Dependency):
        function = _taken_by(module, dependency.node)
        if function is not None:
            takers[function] = None
        elif alias := _alias_of(model, module, dependency.node):
            aliases.add(alias)
    if aliases:
        takers |= dict.fromkeys(_annotated_with(module, aliases))
    for function in takers:
        if _is_unused(model, uses, module, function):
            yield function, Role.DEPENDENCY


def _taken_by(module: Module, marker: ast.expr) -> FunctionNode | None:
    """The function that has a marker in its signature."""
    for above in module.index.ancestors(marker):
        if not isinstance(above, ast.Tuple | ast.Subscript | ast.arg | ast.arguments):
            return above if isinstance(above, FUNCTIONS) else None
    return None


def _alias_of(model: Model, module: Module, marker: ast.expr) -> str | None:
    """The name of `Name = Annotated[T, <marker>]`."""
    parents = module.index.parents
    annotated = parents.get(parents.get(marker) or marker)
    if not isinstance(annotated, ast.Subscript):
        return None
    return model.name_of_alias(module, annotated)


def _annotated_with(module: Module, names: set[str]) -> Iterator[FunctionNode]:
    """The functions that annotate a parameter with one of some names."""
    for node in module.index.functions:
        given = node.args
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            if isinstance(each.annotation, ast.Name) and each.annotation.id in names:
                yield node
                break


def _is_middleware(model: Model, module: Module, node: FunctionNode) -> bool:
    """Whether it is `dispatch` of a `BaseHTTPMiddleware` or `__call__` of an ASGI class."""
    if not isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        return False
    cls = module.index.class_of(node)
    if cls is None:
        return False
    if node.name == "__call__":
        return [each.arg for each in node.args.args] == _ASGI and any(
            isinstance(each, FUNCTIONS)
            and each.name == "__init__"
            and [given.arg for given in each.args.args[1:2]] == ["app"]
            for each in cls.body
        )
    return node.name == "dispatch" and model.is_subclass(model.resolve(module, cls), _BASE)


def _is_unused(model: Model, uses: Uses, module: Module, node: FunctionNode) -> bool:
    """Whether nothing in the project names a plain function that takes dependencies."""
    if node.decorator_list or module.index.parents.get(node) is not module.tree:
        return False
    if node in uses.roles or len(re.findall(rf"\b{node.name}\b", module.source.text)) > 1:
        return False
    own = str(module.path)
    return not any(
        str(path) != own for path in model.modules.files_mentioning(uses.root, node.name)
    ) and not any(each is not module and node.name in each.source.text for each in uses.modules)
