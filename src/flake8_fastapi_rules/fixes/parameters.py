"""Fixes of one parameter that need to know who calls its function."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.edit import Edits, argument_of, fix_of, remove_argument
from flake8_fastapi_rules.fixes.signature import (
    add_default,
    remove_default,
    signature_group,
    use_annotated_everywhere,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.semantics.facts import Marker, Parameter, Role
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.values import Function


def may_be_keyword_only(model: Model, function: Function, parameter: Parameter) -> bool:
    """Whether no call in the project fills a parameter, or one behind it, by position.

    FastAPI passes everything by keyword.
    """
    calls = model.direct_calls(function)
    return not any(call.may_pass_by_position(parameter.node) for call in calls)


def is_left_out(model: Model, function: Function, parameter: Parameter) -> bool:
    """Whether the project itself calls a function without one of its arguments."""
    calls = model.direct_calls(function)
    return any(call.is_certain and call.omits(parameter.node) for call in calls)


def annotated_markers(
    model: Model, function: Function, parameters: Sequence[Parameter]
) -> Fix | None:
    """Move the markers that are defaults of `parameters` into `Annotated[...]`.

    All of one signature in one go: one by one they would take a round each. `None` when nothing
    can be rewritten; calls in the project that rely on a default keep it.
    """
    node = function.node
    if not isinstance(node, FUNCTIONS):
        return None
    by_argument = {parameter.node: parameter for parameter in parameters}
    markers = [
        (parameter.node, marker.node, marker.name)
        for parameter in parameters
        if (marker := parameter.marker) is not None
        and _is_movable(parameter, marker)
        and (_keeps_default(marker) or not is_left_out(model, function, parameter))
    ]
    roles = model.roles(function)
    return fix_of(
        "Use `Annotated`",
        "safe",
        use_annotated_everywhere(
            text_of(function.module),
            node,
            markers,
            keyword_only=lambda each: may_be_keyword_only(model, function, by_argument[each]),
            is_endpoint=Role.ENDPOINT in roles and Role.DEPENDENCY not in roles,
        ),
        group=signature_group(node),
        leads_to=("FAR307", "FAR506"),
    )


def move_default_out(
    model: Model, function: Function, parameter: Parameter, marker: Marker
) -> Fix | None:
    """Move the default out of `Annotated[T, Query(1)]`, behind `=`.

    Where the parameter has a default already, FastAPI takes that one.
    """
    node, call = function.node, marker.call
    argument = argument_of(call, "default", 0) if call is not None else None
    if not isinstance(node, FUNCTIONS) or call is None or argument is None:
        return None
    text = text_of(function.module)
    value = argument.value if isinstance(argument, ast.keyword) else argument
    added: Edits | None = ()
    if parameter.default is None:
        keyword_only = all(
            may_be_keyword_only(model, function, each) for each in model.parameters(function)
        )
        code = text.segment(value)
        added = add_default(text, node, parameter.node, code, keyword_only=keyword_only)
    return fix_of(
        "Move the default behind `=`",
        "safe",
        remove_argument(text, call, argument),
        added,
        group=signature_group(node),
    )


def without_default(model: Model, function: Function, parameter: Parameter) -> Fix | None:
    """Drop a parameter's default."""
    node = function.node
    if not isinstance(node, FUNCTIONS):
        return None
    keyword_only = may_be_keyword_only(model, function, parameter)
    edits = remove_default(
        text_of(function.module), node, parameter.node, keyword_only=keyword_only
    )
    return fix_of("Drop the default", "safe", edits, group=signature_group(node))


def _is_movable(parameter: Parameter, marker: Marker) -> bool:
    """Whether the default is a call that can be written in an annotation as it stands.

    The default value inside of a `Query(...)` can be taken out only where it is seen; a helper
    that returns a `Depends(...)` may be called in the annotation as well.
    """
    if marker.in_annotated or not isinstance(marker.node, ast.Call):
        return False
    if marker.name in ("Depends", "Security"):
        return True
    # With the marker as default FastAPI ignores what an alias such as `Name = Annotated[str, ...]`
    # says of the type; next to the marker it would obey.
    is_alias = parameter.has_metadata and not isinstance(parameter.annotation, ast.Subscript)
    return marker.call is marker.node and not is_alias


def _keeps_default(marker: Marker) -> bool:
    """Whether the parameter can be left out of a call once its marker has moved."""
    if marker.name in ("Depends", "Security"):
        return False
    default = marker.argument("default", 0)
    return default is not None and not (isinstance(default, ast.Constant) and default.value is ...)
