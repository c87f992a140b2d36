"""Fixes of one parameter that need to know who calls its function."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from flake8_fastapi_rules.engine.findings import Fix, Safety, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.engine.suppress import Suppressions
from flake8_fastapi_rules.fixes.edit import (
    IN_STRING,
    UNREADABLE,
    Edits,
    argument_of,
    fix_of,
    remove_argument,
)
from flake8_fastapi_rules.fixes.signature import (
    add_default,
    remove_default,
    signature_group,
    use_annotated_everywhere,
)
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.semantics.facts import Marker, Parameter, Role
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
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
    model: Model, function: Function, parameters: Sequence[Parameter], wanted: Parameter, code: str
) -> Fix:
    """Move the markers that are defaults of `parameters` into `Annotated[...]`.

    All of one signature in one go: one by one they would take a round each. What a `noqa` comment
    hides is left alone.

    Parameters:
        wanted: the one that must be among those that can be moved.
        code: the rule that reports them.
    """
    node = function.node
    if not isinstance(node, FUNCTIONS):
        raise Unfixable("it is a lambda")
    by_argument = {parameter.node: parameter for parameter in parameters}
    hidden = Suppressions(function.module.source)
    markers = []
    staying: dict[ast.arg, str] = {}
    for parameter in parameters:
        if parameter is not wanted and hidden.covers(code, parameter.node.lineno):
            continue
        marker = parameter.marker
        reason = _why_not_movable(model, function, parameter)
        if reason or marker is None:
            staying[parameter.node] = reason
        else:
            markers.append((parameter.node, marker.node, marker.name))
    roles = model.roles(function)
    edits, left = use_annotated_everywhere(
        text_of(function.module),
        node,
        markers,
        keyword_only=lambda each: may_be_keyword_only(model, function, by_argument[each]),
        is_endpoint=Role.ENDPOINT in roles and Role.DEPENDENCY not in roles,
    )
    staying |= left
    if wanted.node in staying:
        raise Unfixable(staying[wanted.node])
    return fix_of(
        "Use `Annotated`",
        "safe",
        edits,
        group=signature_group(node),
        leads_to=("FAR307", "FAR506"),
    )


def move_default_out(model: Model, function: Function, parameter: Parameter, marker: Marker) -> Fix:
    """Move the default out of `Annotated[T, Query(1)]`, behind `=`.

    Where the parameter has a default already, FastAPI takes that one.
    """
    node, call = function.node, marker.call
    argument = argument_of(call, "default", 0) if call is not None else None
    if not isinstance(node, FUNCTIONS) or call is None or argument is None:
        raise Unfixable(UNREADABLE)
    text = text_of(function.module)
    if not text.is_editable(call):
        raise Unfixable(IN_STRING)
    value = argument.value if isinstance(argument, ast.keyword) else argument
    added: Edits = ()
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


def without_default(model: Model, function: Function, parameter: Parameter) -> Fix:
    """Drop a parameter's default."""
    node = function.node
    if not isinstance(node, FUNCTIONS):
        raise Unfixable("it is a lambda")
    keyword_only = may_be_keyword_only(model, function, parameter)
    edits = remove_default(
        text_of(function.module), node, parameter.node, keyword_only=keyword_only
    )
    # FastAPI takes `Annotated[str, Query()] = ...` for a default: the request may leave it out.
    default, marker = parameter.default, parameter.marker
    is_ellipsis = isinstance(default, ast.Constant) and default.value is ...
    if is_ellipsis and marker is not None and marker.in_annotated:
        safety: Safety = "safe" if marker.name in ("Depends", "Security") else "unsafe"
    else:
        safety = "safe"
    return fix_of("Drop the default", safety, edits, group=signature_group(node))


def without_default_of_marker(module: Module, marker: Marker) -> Fix:
    """Drop the default from `Path(1)`, where `module` is the one that makes the marker."""
    call = marker.call
    argument = argument_of(call, "default", 0) if call is not None else None
    if call is None or argument is None or marker.call_module is not module:
        raise Unfixable("the marker is made in another module")
    return fix_of("Drop the default", "safe", remove_argument(text_of(module), call, argument))


def _why_not_movable(model: Model, function: Function, parameter: Parameter) -> str:
    """Why the default cannot be written in an annotation as it stands; empty when it can.

    The default value inside of a `Query(...)` can be taken out only where it is seen; a helper
    that returns a `Depends(...)` may be called in the annotation as well.
    """
    marker = parameter.marker
    if marker is None or marker.in_annotated or not isinstance(marker.node, ast.Call):
        return "the marker is a name, made elsewhere"
    if marker.name not in ("Depends", "Security"):
        if marker.call is not marker.node:
            return "the marker is made elsewhere"
        # With the marker as default FastAPI ignores what an alias such as
        # `Name = Annotated[str, ...]` says of the type; next to the marker it would obey.
        if parameter.has_metadata and not isinstance(parameter.annotation, ast.Subscript):
            return "FastAPI would obey metadata of its type that it ignores now"
    if not _keeps_default(marker) and is_left_out(model, function, parameter):
        return "the project calls the function without this argument"
    return ""


def _keeps_default(marker: Marker) -> bool:
    """Whether the parameter can be left out of a call once its marker has moved."""
    if marker.name in ("Depends", "Security"):
        return False
    default = marker.argument("default", 0)
    return default is not None and not (isinstance(default, ast.Constant) and default.value is ...)
