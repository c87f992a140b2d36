"""Fixes of one parameter that need to know who calls its function."""

from __future__ import annotations

from flake8_fastapi_rules.engine.findings import Fix
from flake8_fastapi_rules.fixes.edit import fix_of
from flake8_fastapi_rules.fixes.signature import signature_group, use_annotated
from flake8_fastapi_rules.fixes.text import text_of
from flake8_fastapi_rules.semantics.facts import Parameter, Role
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


def annotated_marker(model: Model, function: Function, parameter: Parameter) -> Fix | None:
    """Move the marker that is a parameter's default into `Annotated[...]`.

    `None` when the signature cannot be rewritten, or when a call in the project relies on it.
    """
    marker = parameter.marker
    node = function.node
    if marker is None or marker.call is None or marker.in_annotated:
        return None
    if not (marker.is_direct or isinstance(marker.node, type(marker.call))):
        return None  # a shared `CurrentUser = Depends(...)` stays a name, which is no call
    if not hasattr(node, "name"):
        return None
    loses_default = marker.name in ("Depends", "Security") or parameter.is_required
    if loses_default and is_left_out(model, function, parameter):
        return None
    roles = model.roles(function)
    text = text_of(function.module)
    return fix_of(
        "Use `Annotated`",
        "safe",
        use_annotated(
            text,
            node,
            parameter.node,
            marker.node,
            marker.name,
            keyword_only=may_be_keyword_only(model, function, parameter),
            is_endpoint=Role.DEPENDENCY not in roles and Role.ENDPOINT in roles,
        ),
        group=signature_group(node),
    )
