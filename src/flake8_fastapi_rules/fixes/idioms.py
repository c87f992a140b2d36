"""Rewrites that are more than one edit and that several rules share."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType

from flake8_fastapi_rules.engine.findings import Edit
from flake8_fastapi_rules.fixes.edit import (
    Argument,
    Edits,
    delete_statement,
    insert_into_body,
    item_of,
    remove_argument,
    rename,
    replace_range,
    replace_statement,
    wrap,
)
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.signature import replace_default
from flake8_fastapi_rules.fixes.text import FileText
from flake8_fastapi_rules.semantics.values import FunctionNode


def change_verb(text: FileText, call: ast.Call, verb: str, *without: Argument) -> Edits | None:
    """Call another method of the same object: `router.api_route(p, methods=["GET"])` → `get`.

    Parameters:
        verb: the method's new name.
        without: arguments that the other method does not need.
    """
    if not isinstance(call.func, ast.Attribute):
        return None
    renamed = rename(text, call.func, verb)
    removed: Edits | None = remove_argument(text, call, *without) if without else ()
    return None if renamed is None or removed is None else (renamed, *removed)


def wrap_in_list(text: FileText, node: ast.expr) -> Edits | None:
    """Turn `x` into `[x]`, and a tuple in brackets into a list."""
    if isinstance(node, ast.Tuple):
        start, end = text.start(node), text.end(node)
        if text.text[start] != "(" or text.closing(start) != end - 1:
            return None
        return Edit(start, start + 1, "["), Edit(end - 1, end, "]")
    if isinstance(node, ast.Starred | ast.GeneratorExp):
        return None
    return wrap(text, node, "[", "]")


def replace_mutable_default(
    text: FileText, function: FunctionNode, parameter: ast.arg, default: ast.expr
) -> Edits | None:
    """Turn `x: list[int] = []` into `x: list[int] | None = None` and `if x is None: x = []`.

    The annotation is widened where there is one that does not allow `None` yet. `None` when the
    default spans lines, or the body stands on the line of the `def`.
    """
    code = text.segment(default)
    made_none = replace_default(text, function, parameter, "None")
    unit = text.indent_unit
    guard = f"if {parameter.arg} is None:\n{unit}{parameter.arg} = {code}"
    inserted = insert_into_body(text, function, guard)
    if made_none is None or inserted is None or "\n" in code:
        return None
    widened = allow_none(text, parameter.annotation) if parameter.annotation else ()
    return None if widened is None else (made_none, inserted, *widened)


def allow_none(text: FileText, annotation: ast.expr) -> Edits | None:
    """Make an annotation allow `None`: `T | None`, also within `Annotated` and strings.

    No edits when it does already; `None` when it cannot be told.
    """
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        code = text.segment(annotation)
        if code[1:-1] != annotation.value or not annotation.value.isidentifier():
            return None
        return (Edit(text.end(annotation) - 1, text.end(annotation) - 1, " | None"),)
    if isinstance(annotation, ast.Subscript):
        name = _last_name(annotation.value)
        if name == "Optional":
            return ()
        if name == "Annotated":
            inner = annotation.slice
            if not isinstance(inner, ast.Tuple) or not inner.elts:
                return None
            return allow_none(text, inner.elts[0])
        if name == "Union":
            members = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
            if any(isinstance(m, ast.Constant) and m.value is None for m in members):
                return ()
            if not members:
                return None
            end = text.span(members[-1])[1]
            return (Edit(end, end, ", None"),)
    if isinstance(annotation, ast.Constant):
        return () if annotation.value is None else None
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        for side in (annotation.left, annotation.right):
            if isinstance(side, ast.Constant) and side.value is None:
                return ()
            if isinstance(side, ast.BinOp) and allow_none(text, side) == ():
                return ()
    elif not isinstance(annotation, ast.Name | ast.Attribute | ast.Subscript):
        return None
    if _last_name(annotation) in ("Any", "object"):
        return ()
    end = text.span(annotation)[1]
    return (Edit(end, end, " | None"),)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def call_async(text: FileText, call: ast.Call) -> Edits | None:
    """Put `await` in front of a call, in brackets where its result is used at once."""
    parent = text.index.parents.get(call)
    function = text.index.function_of(call)
    if not isinstance(function, ast.AsyncFunctionDef) or not text.is_editable(call):
        return None
    start, end = text.start(call), text.end(call)
    for above in text.index.ancestors(call):
        if isinstance(above, ast.GeneratorExp):
            return None  # it would become an asynchronous one
        if above is function:
            break
    tight = (isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is call) or (
        isinstance(parent, ast.Call) and parent.func is call
    )
    if tight and text.span(call) == (start, end):
        return Edit(start, start, "(await "), Edit(end, end, ")")
    return (Edit(start, start, "await "),)


def split_called_argument(text: FileText, call: ast.Call, argument: ast.Call) -> Edit | None:
    """Turn `run(f(a, k=b))` into `run(f, a, k=b)`: the function and its arguments handed over.

    Parameters:
        call: the outer call, which must take the arguments of the function it is given.
        argument: its argument that is called too early.
    """
    brackets = text.call_brackets(argument)
    outer = text.call_brackets(call)
    item = item_of(text, outer, argument) if outer else None
    if (
        brackets is None
        or item is None
        or (item.start, item.end)
        != (
            text.start(argument),
            text.end(argument),
        )
    ):
        return None
    items = text.items(*brackets)
    opening, closing = brackets
    if not items:
        return replace_range(text, opening, closing + 1, "")
    if text.has_comment(opening, closing + 1):
        return None
    function_end = text.span(argument.func)[1]
    inner = text.text[items[0].start : items[-1].end]
    return Edit(function_end, closing + 1, f", {inner}")


# -- Pydantic -------------------------------------------------------------------------------


def config_to_model_config(
    text: FileText,
    model: ast.ClassDef,
    config: ast.ClassDef,
    renamed: Mapping[str, str],
    *,
    values: Mapping[str, str] = MappingProxyType({}),
    settings: bool = False,
) -> Edits | None:
    """Turn a model's `class Config` into `model_config = ConfigDict(...)`.

    Parameters:
        renamed: old key to new key; an empty new key means that the setting is gone for good.
        values: old key to the code of its new value, where that is another one.
        settings: use `SettingsConfigDict` of `pydantic_settings`.

    Returns:
        `None` when the class has bases, methods, anything but assignments of names, comments on
        lines of their own, or when a key is set that is not a plain name.
    """
    if config.bases or config.keywords or config.decorator_list or config not in model.body:
        return None
    entries: list[str] = []
    comments: list[str] = []
    own_names = text.index.scopes[config].bindings
    for statement in config.body:
        if isinstance(statement, ast.Pass):
            continue
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                return None
        start, end = text.span(value)
        if text.has_comment(text.start(statement), end) or "\n" in text.text[start:end]:
            return None
        key = renamed.get(name, name)
        comment = _trailing_comment(text, end)
        comments.append(comment)
        if any(isinstance(n, ast.Name) and n.id in own_names for n in ast.walk(value)):
            return None  # one setting made of another
        if key:
            entries.append(f"{key}={values.get(name, text.text[start:end])}")
        elif comment:
            return None
        else:
            comments.pop()
    end_of_class = text.line_end(text.end(config))
    own = [comment for comment in comments if comment]
    present = text.comments_in(text.start(config), end_of_class)
    if len(present) != len(own):
        return None
    if not entries:
        return _without(text, config)
    package, name = (
        ("pydantic_settings", "SettingsConfigDict") if settings else ("pydantic", "ConfigDict")
    )
    imported = ensure_import(text, package, name, model)
    if imported is None:
        return None
    head = f"model_config = {imported.name}("
    if own or len(entries) > 3:
        unit = text.indent_unit
        lines = [
            f"{unit}{entry},{f'  {comment}' if comment else ''}"
            for entry, comment in zip(entries, comments, strict=True)
        ]
        code = "\n".join([head, *lines, ")"])
    else:
        code = f"{head}{', '.join(entries)})"
    if not text.own_line(config):
        return None
    edit = replace_statement(text, config, code)
    if edit is None:
        return None
    # The comment of the last line stands behind the class and has come along.
    end = end_of_class if comments[-1] else edit.end
    return (*imported.edits, Edit(edit.start, end, edit.text))


def _without(text: FileText, config: ast.ClassDef) -> Edits | None:
    edit = delete_statement(text, config)
    return None if edit is None else (edit,)


def _trailing_comment(text: FileText, end: int) -> str:
    comments = text.comments_in(end, text.line_end(end))
    return comments[0].string if comments else ""
