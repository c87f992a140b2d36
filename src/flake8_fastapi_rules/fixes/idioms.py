"""Rewrites that are more than one edit and that several rules share."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.engine.index import all_arguments, terminal_name
from flake8_fastapi_rules.fixes.edit import (
    COMMENT,
    IN_STRING,
    SHARED_LINE,
    UNREADABLE,
    Argument,
    Edits,
    delete_statement,
    insert_after,
    insert_into_body,
    is_docstring,
    item_of,
    remove_argument,
    rename,
    replace_range,
    replace_statement,
    wrap,
)
from flake8_fastapi_rules.fixes.imports import ensure_import, find_import, replace_reference
from flake8_fastapi_rules.fixes.signature import replace_default
from flake8_fastapi_rules.fixes.text import FileText
from flake8_fastapi_rules.semantics.values import FunctionNode, Value, qualified_name

#: The annotations of plain generators and of asynchronous ones.
_GENERATORS = [
    {"Generator", "AsyncGenerator"}, {"Iterator", "AsyncIterator"}, {"Iterable", "AsyncIterable"},
]  # fmt: skip
_UNCLEAR = "it cannot be told whether its type allows `None`"


def change_verb(text: FileText, call: ast.Call, verb: str, *without: Argument) -> Edits:
    """Call another method of the same object: `router.api_route(p, methods=["GET"])` → `get`.

    Parameters:
        verb: the method's new name.
        without: arguments that the other method does not need.
    """
    if not isinstance(call.func, ast.Attribute):
        raise Unfixable("the method is not called on an object")
    removed = remove_argument(text, call, *without) if without else ()
    return rename(text, call.func, verb), *removed


def annotate_generator(
    text: FileText, function: FunctionNode, resolve: Callable[[ast.expr], Value]
) -> Edits:
    """Make the annotation of a generator that of an asynchronous one, or the other way round.

    Parameters:
        resolve: answers what a name in the annotation is.
    """
    annotation = function.returns
    if annotation is None:
        return ()
    name = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    old = (qualified_name(resolve(name)) or "").removeprefix("collections.abc.")
    is_async = old.startswith("Async")
    new = old.removeprefix("Async") if is_async else f"Async{old}"
    if {old, new} not in _GENERATORS:
        raise Unfixable("its annotation is no plain type of generators")
    module = "collections.abc"
    for each in (module, "typing"):
        if find_import(text, each, old, name) is not None:
            module = each
    edits = replace_reference(text, name, module, new)
    if old.endswith("Generator") and isinstance(annotation, ast.Subscript):
        given = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
        end = text.end(given[-1]) if given else 0
        if not is_async and len(given) == 3:  # an asynchronous generator returns nothing
            edits = (*edits, replace_range(text, text.end(given[1]), end, ""))
        elif is_async and len(given) == 2:
            edits = (*edits, Edit(end, end, ", None"))
        else:
            raise Unfixable("the arguments of its annotation cannot be told")
    return edits


def wrap_in_list(text: FileText, node: ast.expr) -> Edits:
    """Turn `x` into `[x]`, and a tuple in brackets into a list."""
    if isinstance(node, ast.Tuple):
        start, end = text.start(node), text.end(node)
        if text.text[start] != "(" or text.closing(start) != end - 1:
            raise Unfixable("the tuple has no brackets")
        return Edit(start, start + 1, "["), Edit(end - 1, end, "]")
    if isinstance(node, ast.Starred | ast.GeneratorExp):
        raise Unfixable("it is a generator")
    return wrap(text, node, "[", "]")


def replace_mutable_default(
    text: FileText, function: FunctionNode, parameter: ast.arg, default: ast.expr
) -> Edits:
    """Turn `x: list[int] = []` into `x: list[int] | None = None` and `if x is None: x = []`.

    The annotation is widened where there is one that does not allow `None` yet. The default must
    not span lines, nor the body stand on the line of the `def`.
    """
    code = text.segment(default)
    if "\n" in code:
        raise Unfixable("the default spans several lines")
    made_none = replace_default(text, function, parameter, "None")
    unit = text.indent_unit
    guard = f"if {parameter.arg} is None:\n{unit}{parameter.arg} = {code}"
    above = _guards_above(function, parameter)
    inserted = (
        insert_after(text, above[-1], guard) if above else insert_into_body(text, function, guard)
    )
    widened = allow_none(text, parameter.annotation) if parameter.annotation else ()
    return made_none, inserted, *widened


def _guards_above(function: FunctionNode, parameter: ast.arg) -> list[ast.stmt]:
    """The statements at the top of a body that do the same for parameters in front of this one."""
    names: set[str] = set()
    for argument in all_arguments(function.args):
        if argument is parameter:
            break
        names.add(argument.arg)
    body = function.body[1:] if is_docstring(function.body[0]) else function.body
    found: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.If(
                test=ast.Compare(
                    left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Constant(value=None)]
                ),
                orelse=[],
            ) if name in names:
                found.append(statement)
            case _:
                break
    return found


def allow_none(text: FileText, annotation: ast.expr) -> Edits:
    """Make an annotation allow `None`: `T | None`, also within `Annotated` and strings.

    No edits when it does already.

    Raises:
        Unfixable: when it cannot be told.
    """
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        code = text.segment(annotation)
        if code[1:-1] != annotation.value or not annotation.value.isidentifier():
            raise Unfixable("the type is written as a string")
        return (Edit(text.end(annotation) - 1, text.end(annotation) - 1, " | None"),)
    if isinstance(annotation, ast.Subscript):
        name = terminal_name(annotation.value)
        if name == "Optional":
            return ()
        if name == "Annotated":
            inner = annotation.slice
            if not isinstance(inner, ast.Tuple) or not inner.elts:
                raise Unfixable(_UNCLEAR)
            return allow_none(text, inner.elts[0])
        if name == "Union":
            members = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
            if any(isinstance(m, ast.Constant) and m.value is None for m in members):
                return ()
            if not members:
                raise Unfixable(_UNCLEAR)
            end = text.span(members[-1])[1]
            return (Edit(end, end, ", None"),)
    if isinstance(annotation, ast.Constant):
        if annotation.value is not None:
            raise Unfixable(_UNCLEAR)
        return ()
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        for side in (annotation.left, annotation.right):
            if isinstance(side, ast.Constant) and side.value is None:
                return ()
            if isinstance(side, ast.BinOp) and allow_none(text, side) == ():
                return ()
    elif not isinstance(annotation, ast.Name | ast.Attribute | ast.Subscript):
        raise Unfixable(_UNCLEAR)
    if terminal_name(annotation) in ("Any", "object"):
        return ()
    end = text.span(annotation)[1]
    return (Edit(end, end, " | None"),)


def call_async(text: FileText, call: ast.Call) -> Edits:
    """Put `await` in front of a call, in brackets where its result is used at once."""
    parent = text.index.parents.get(call)
    function = text.index.function_of(call)
    if not isinstance(function, ast.AsyncFunctionDef):
        raise Unfixable("it is called outside of an `async def`")
    if not text.is_editable(call):
        raise Unfixable(IN_STRING)
    start, end = text.start(call), text.end(call)
    for above in text.index.ancestors(call):
        if isinstance(above, ast.GeneratorExp):
            raise Unfixable("its generator would become an asynchronous one")
        if above is function:
            break
    tight = (isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is call) or (
        isinstance(parent, ast.Call) and parent.func is call
    )
    if tight and text.span(call) == (start, end):
        return Edit(start, start, "(await "), Edit(end, end, ")")
    return (Edit(start, start, "await "),)


def split_called_argument(text: FileText, call: ast.Call, argument: ast.Call) -> Edit:
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
        raise Unfixable(UNREADABLE)
    items = text.items(*brackets)
    opening, closing = brackets
    if not items:
        return replace_range(text, opening, closing + 1, "")
    if text.has_comment(opening, closing + 1):
        raise Unfixable(COMMENT)
    function_end = text.span(argument.func)[1]
    inner = text.text[items[0].start : items[-1].end]
    return Edit(function_end, closing + 1, f", {inner}")


# -- Pydantic -------------------------------------------------------------------------------


def _outdented(text: FileText, config: ast.ClassDef, start: int, end: int) -> str:
    """The text of a value in `Config`, as it stands in a call in that class's place."""
    if any("\n" in text.text[found.start : found.end] for found in text.tokens_in(start, end)):
        raise Unfixable("a text in `Config` spans several lines")
    first, *others = text.text[start:end].split("\n")
    indentation = text.indentation(text.start(config))
    return "\n".join([first, *(line.removeprefix(indentation) for line in others)])


def config_to_model_config(
    text: FileText,
    model: ast.ClassDef,
    config: ast.ClassDef,
    renamed: Mapping[str, str],
    *,
    values: Mapping[str, str] = MappingProxyType({}),
    settings: bool = False,
    inherited: Collection[ast.expr] = (),
) -> Edits:
    """Turn a model's `class Config` into `model_config = ConfigDict(...)`.

    Parameters:
        renamed: old key to new key; an empty new key means that the setting is gone for good.
        values: old key to the code of its new value, where that is another one.
        settings: use `SettingsConfigDict` of `pydantic_settings`.
        inherited: bases of the class whose settings the model inherits anyway.

    Raises:
        Unfixable: when the class has other bases, methods, anything but assignments of names,
            or a comment at what has no successor, or when a key is set that is not a plain name.
    """
    bases = [base for base in config.bases if base not in inherited]
    if bases or config.keywords or config.decorator_list or config not in model.body:
        raise Unfixable("`Config` has bases or a decorator")
    entries: list[str] = []
    comments: list[str] = []
    above: list[list[str]] = []
    head_end = text.line_end(text.start(config))
    heading = [each.string for each in text.comments_in(text.start(config), head_end)]
    if text.start(config.body[0]) < head_end:
        heading = []  # it speaks of the only setting
    behind = head_end
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
                raise Unfixable("`Config` holds more than plain assignments")
        start, end = text.span(value)
        if text.has_comment(text.start(statement), end):
            raise Unfixable(COMMENT)
        key = renamed.get(name, name)
        comment = _trailing_comment(text, end)
        comments.append(comment)
        over = [each.string for each in text.comments_in(behind, text.start(statement))]
        above.append(over)
        behind = text.line_end(end)
        if any(isinstance(n, ast.Name) and n.id in own_names for n in ast.walk(value)):
            raise Unfixable("one value in `Config` is made of another")
        if key:
            entries.append(f"{key}={values.get(name) or _outdented(text, config, start, end)}")
        elif comment or over:
            raise Unfixable(COMMENT)
        else:
            comments.pop()
            above.pop()
    last = text.line_end(text.end(config))
    end_of_class = _end_of_comments(text, last, text.indentation(text.start(config)))
    below = [each.string for each in text.comments_in(last, end_of_class)]
    own = [comment for comment in comments if comment]
    own += [*heading, *(line for lines in above for line in lines), *below]
    present = text.comments_in(text.start(config), end_of_class)
    if len(present) != len(own):
        raise Unfixable(COMMENT)
    if not entries:
        return (delete_statement(text, config),)
    package, name = (
        ("pydantic_settings", "SettingsConfigDict") if settings else ("pydantic", "ConfigDict")
    )
    imported = ensure_import(text, package, name, model)
    head = f"model_config = {imported.name}("
    if own or len(entries) > 3 or any("\n" in entry for entry in entries):
        unit = text.indent_unit
        lines = ["  ".join([head, *heading])]
        for entry, comment, over in zip(entries, comments, above, strict=True):
            lines += [f"{unit}{each}" for each in over]
            lines.append(f"{unit}{entry},{f'  {comment}' if comment else ''}")
        code = "\n".join([*lines, *(f"{unit}{each}" for each in below), ")"])
    else:
        code = f"{head}{', '.join(entries)})"
    if not text.own_line(config):
        raise Unfixable(SHARED_LINE)
    edit = replace_statement(text, config, code)
    # The comments behind its last statement stand behind the class and have come along.
    end = end_of_class if comments[-1] or below else edit.end
    return (*imported.edits, Edit(edit.start, end, edit.text))


def _end_of_comments(text: FileText, line_end: int, indentation: str) -> int:
    """The end of the comment lines below a line that are indented deeper than `indentation`."""
    while line_end < len(text.text):
        below = text.line_end(line_end + 1)
        line = text.text[line_end + 1 : below]
        inner = line.removeprefix(indentation)
        if not (line.startswith(indentation) and inner[:1] in " \t" and inner.strip()[:1] == "#"):
            break
        line_end = below
    return line_end


def _trailing_comment(text: FileText, end: int) -> str:
    comments = text.comments_in(end, text.line_end(end))
    return comments[0].string if comments else ""
