"""Markers of parameters: which of them count, what they say of defaults, and those further down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flake8_fastapi_rules.engine.index import is_ellipsis
from flake8_fastapi_rules.semantics.values import Function

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.facts import Marker, Parameter
    from flake8_fastapi_rules.semantics.model import Model

_DEPENDENCIES = ("Depends", "Security")
#: Names that stand for "no default" where a value is expected.
_NO_DEFAULT = ("Undefined", "PydanticUndefined", "Ellipsis")


def called_markers(parameter: Parameter) -> tuple[Marker | None, Marker | None]:
    """The called marker in `Annotated` that counts, and the one that is the default."""
    inside = [m for m in parameter.markers if m.in_annotated and m.call is not None]
    outside = [m for m in parameter.markers if not m.in_annotated and m.call is not None]
    return (inside[-1] if inside else None), (outside[0] if outside else None)


def is_default_overlooked(inside: Marker, outside: Marker) -> bool:
    """Whether FastAPI overlooks the default: a parameter function beside a dependency.

    Parameters:
        inside, outside: the marker in `Annotated`, and the one that is the default.
    """
    return inside.name in _DEPENDENCIES and outside.name not in _DEPENDENCIES


def has_own_default(marker: Marker) -> bool:
    """Whether a marker's call gives a default other than `...`."""
    default = marker.argument("default", 0)
    if default is None or is_ellipsis(default):
        return False
    name = default.attr if isinstance(default, ast.Attribute) else getattr(default, "id", "")
    return name not in _NO_DEFAULT


def is_written_in(parameter: Parameter, marker: Marker) -> bool:
    """Whether a marker is written in the parameter itself rather than in an alias."""
    annotation = parameter.annotation
    if isinstance(annotation, ast.Constant):  # the whole annotation in quotes
        return True
    return annotation is not None and any(c is marker.node for c in ast.walk(annotation))


def parameters_behind(model: Model, parameter: Parameter) -> Iterator[tuple[Function, Parameter]]:
    """The parameters of the dependency that fills a parameter, and of all dependencies below it.

    Each with its function; none of what cannot be seen.
    """
    dependency = model.dependency_of(parameter)
    target = model.callable_of(dependency.target) if dependency else None
    if target is None:
        return
    below = [each.function for each in model.all_dependencies(target)[0]]
    for function in (target, *below):
        if function is not None:
            for inner in model.parameters(function):
                yield function, inner
