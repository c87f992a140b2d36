"""What models and dependencies take from a request for an operation, and what they give it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.facts import ParameterKind
from flake8_fastapi_rules.semantics.per_project import PerProject
from flake8_fastapi_rules.semantics.values import Class, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_fastapi_rules.semantics.facts import Parameter
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.uses import Uses


def provider_of(model: Model, parameter: Parameter) -> Function | Class | None:
    """The function or class that fills a parameter, if it is a dependency."""
    if parameter.kind is not ParameterKind.DEPENDENCY:
        return None
    dependency = model.dependency_of(parameter)
    target = dependency.target if dependency is not None else None
    return target if isinstance(target, Function | Class) else None


def request_parameters(
    model: Model, function: Function, path_names: frozenset[str]
) -> Iterator[Parameter]:
    """A function's parameters, those of its direct dependencies and the fields of its models.

    Parameters:
        path_names: the parameters of the paths that the function serves.
    """
    for parameter in model.parameters(function, path_names):
        yield parameter
        target: object = provider_of(model, parameter)
        if parameter.kind is ParameterKind.QUERY and parameter.marker is not None:
            target = model.resolve(parameter.type_module, parameter.type_node)
            if not model.is_subclass(target, "pydantic.BaseModel"):
                continue
        if isinstance(target, Class):
            yield from model.class_parameters(target, path_names) or ()
        elif isinstance(target, Function):
            yield from model.parameters(target, path_names)


def returned_items(function: Function | Class) -> Iterator[tuple[str, ast.expr]]:
    """The items of the dictionaries that a dependency returns, as they are written."""
    for node in function.module.index.own_nodes(function.node):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


def _gather_takers(model: Model, uses: Uses) -> dict[ast.AST, list[tuple[Function, Parameter]]]:
    found: dict[ast.AST, list[tuple[Function, Parameter]]] = {}
    for functions in uses.by_module.values():
        for function in functions:
            for parameter in model.parameters(function):
                target = provider_of(model, parameter)
                called = model.callable_of(target) if target is not None else None
                if called is not None:
                    found.setdefault(called.node, []).append((function, parameter))
    return found


_takers = PerProject(_gather_takers)


def takers_of(model: Model, dependency: Function) -> list[tuple[Function, Parameter]]:
    """The functions that are given what a dependency returns, each with the parameter for it."""
    if dependency.node not in model.uses(dependency.module).dependencies:
        return []
    return _takers(model, dependency.module).get(dependency.node, [])
