"""Signatures: old-style parameters into `Annotated`, defaults, parameters added and removed.

FastAPI passes everything by keyword, so a parameter that loses its default behind one that has
one becomes keyword-only by a `*` in front of it: names and meaning stay. Whoever asks says with
`keyword_only` whether that is allowed (nobody calls the function with positional arguments).

All fixes of one signature must carry the group `signature_group(function)`: each is made for the
signature as it stands, and they are applied one per round.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.engine.index import SCOPES, all_arguments
from flake8_fastapi_rules.fixes.edit import (
    COMMENT,
    IN_STRING,
    UNREADABLE,
    Edits,
    append_item,
    argument_of,
    insert_item,
    item_of,
    remove_items,
    replace_range,
)
from flake8_fastapi_rules.fixes.imports import ensure_import
from flake8_fastapi_rules.fixes.text import FileText, Item
from flake8_fastapi_rules.semantics.values import FunctionNode

_QUOTED = "its annotation is a string that cannot take in the marker"
#: Markers whose first argument is a dependency, not a default value.
_INJECTING = frozenset({"Depends", "Security"})
#: Names that stand for "no default" in places where a value is expected.
_NO_VALUE = frozenset({"Undefined", "PydanticUndefined", "Required", "RequiredParam"})


NO_ORDER = "it would stand behind a parameter with a default, and may be passed by position"
POSITIONAL_ONLY = "it is positional-only"


def signature_group(function: FunctionNode) -> str:
    """The group of all fixes that change this function's parameters."""
    return f"signature:{function.lineno}:{function.col_offset}"


@dataclass(frozen=True, slots=True)
class _Slot:
    """A parameter in the text: where its parts are."""

    item: Item
    index: int
    default: ast.expr | None
    is_keyword_only: bool
    is_positional_only: bool


def use_annotated(
    text: FileText,
    function: FunctionNode,
    parameter: ast.arg,
    marker: ast.expr,
    kind: str,
    *,
    keyword_only: bool,
    is_endpoint: bool = False,
) -> Edits:
    """Move the marker that is a parameter's default into `Annotated[...]`.

    `db: Session = Depends(get_db)` becomes `db: Annotated[Session, Depends(get_db)]`, and
    `q: str = Query("x", max_length=5)` becomes `q: Annotated[str, Query(max_length=5)] = "x"`.
    Metadata that the annotation has already stays in front of the marker.

    Parameters:
        marker: the default: a call of a marker, or its bare name, which is then called.
        kind: the marker's canonical name (`Depends`, `Query`, ...; `Marker.name`).
        keyword_only: whether parameters may become keyword-only, because all callers are known
            to pass them by keyword.
        is_endpoint: FastAPI reads the signature once per route. It reads a dependency's once per
            use; with annotations kept as strings each reading would make a new `Depends(f())`.

    Raises:
        Unfixable: for what cannot be moved: no annotation, `*`-arguments in the marker, no legal
            order, an annotation or a marker that would no longer be evaluated where it is now, a
            type's metadata that FastAPI ignores now and would obey then.
    """
    keeps_default, written = _moved(
        text, function, parameter, marker, kind, is_endpoint=is_endpoint
    )
    order = () if keeps_default else _make_order_legal(text, function, parameter, keyword_only)
    return *order, *written


def use_annotated_everywhere(
    text: FileText,
    function: FunctionNode,
    markers: Sequence[tuple[ast.arg, ast.expr, str]],
    *,
    keyword_only: Callable[[ast.arg], bool],
    is_endpoint: bool = False,
) -> tuple[Edits, dict[ast.arg, str]]:
    """Move the markers of several parameters into `Annotated[...]`, in one go.

    What `use_annotated` cannot move stays; one `*` makes the order legal for all.

    Parameters:
        markers: parameters with the markers that are their defaults, and the markers' names.
        keyword_only: whether a parameter, and those behind it, may become keyword-only.
        is_endpoint: as for `use_annotated`.

    Returns:
        The edits, and why parameters stay as they are.
    """
    moved: dict[ast.arg, tuple[bool, Edits]] = {}
    staying: dict[ast.arg, str] = {}
    for parameter, marker, kind in markers:
        try:
            moved[parameter] = _moved(
                text, function, parameter, marker, kind, is_endpoint=is_endpoint
            )
        except Unfixable as reason:
            staying[parameter] = str(reason)
    order: Edits = ()
    follows_default = False
    for parameter in (*function.args.posonlyargs, *function.args.args):
        if parameter in moved and not moved[parameter][0]:
            if not follows_default:
                continue
            try:
                if not keyword_only(parameter):
                    raise Unfixable(NO_ORDER)
                order = _make_keyword_only(text, function, parameter)
                break
            except Unfixable as reason:
                staying[parameter] = str(reason)
                del moved[parameter]
        follows_default = follows_default or default_of(function, parameter) is not None
    edits = [edit for _, written in moved.values() for edit in written]
    return ((*order, *dict.fromkeys(edits)) if edits else ()), staying


def _moved(
    text: FileText,
    function: FunctionNode,
    parameter: ast.arg,
    marker: ast.expr,
    kind: str,
    *,
    is_endpoint: bool,
) -> tuple[bool, Edits]:
    """Whether the parameter keeps a default, and the edits that move its marker.

    The edits leave the order of the parameters to the caller.
    """
    slot = _slot(text, function, parameter)
    if slot.is_positional_only:
        raise Unfixable(POSITIONAL_ONLY)
    if parameter.annotation is None:
        raise Unfixable("the parameter has no type")
    if slot.default is not marker or not text.is_editable(marker):
        raise Unfixable(UNREADABLE)
    injects = kind in _INJECTING
    value = _Value("", ()) if injects else _default_value(text, marker)
    if _is_evaluated_later(text, parameter, marker, injects):
        if not _is_evaluable_later(text, function, parameter, marker):
            raise Unfixable("its annotation is a string, and FastAPI would not find the names")
        if not is_endpoint and _makes_new_objects(marker):
            raise Unfixable("its annotation is a string: each use would make another dependency")
    return bool(value.code), _write_annotated(text, parameter, marker, injects, value)


# -- the marker and its default -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Value:
    """A default that leaves its marker: its text, and the edits that take it out."""

    code: str
    removal: Edits


def _default_value(text: FileText, marker: ast.expr) -> _Value:
    """The default inside `Query(...)`, `Form(default=...)` and so on."""
    if not isinstance(marker, ast.Call):
        return _Value("", ())
    if any(isinstance(argument, ast.Starred) for argument in marker.args) or len(marker.args) > 1:
        raise Unfixable("the marker's arguments cannot be told apart")
    argument = argument_of(marker, "default", 0)
    if argument is None:
        # `**options` could hold a default.
        if any(keyword.arg is None for keyword in marker.keywords):
            raise Unfixable("`**` may hold its default")
        return _Value("", ())
    node = argument.value if isinstance(argument, ast.keyword) else argument
    if isinstance(node, ast.GeneratorExp | ast.Lambda | ast.NamedExpr):
        raise Unfixable("its default is no plain expression")
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    if name in _NO_VALUE:
        raise Unfixable("its default stands for none")
    brackets = text.call_brackets(marker)
    item = item_of(text, brackets, argument) if brackets else None
    if brackets is None or item is None:
        raise Unfixable(UNREADABLE)
    start, end = text.span(node)
    if text.has_comment(item.start, item.end):
        raise Unfixable(COMMENT)
    removal = remove_items(text, brackets, [item])
    required = isinstance(node, ast.Constant) and node.value is ...
    return _Value("" if required else text.text[start:end], removal)


def _write_annotated(
    text: FileText, parameter: ast.arg, marker: ast.expr, injects: bool, value: _Value
) -> Edits:
    assert parameter.annotation is not None
    annotation = parameter.annotation
    type_start, type_end = text.span(annotation)
    start, end = text.span(marker)
    equals = text.token_before(start)
    if equals is None or equals.string != "=" or equals.start < type_end:
        raise Unfixable(UNREADABLE)
    between = text.text[type_end:start]
    assign = between if between.strip() == "=" and "\n" not in between else " = "
    tail = f"{assign}{value.code}" if value.code else ""
    called = () if isinstance(marker, ast.Call) else (Edit(end, end, "()"),)
    edits: list[Edit] = [*value.removal, *called]
    quoted = _string_of(annotation)
    if quoted is not None and not (injects and _has_target(marker)):
        code = _apply(text.text[start:end], start, edits)
        return _write_string(text, annotation, quoted, code, Edit(type_start, end, tail))
    present = _annotated_brackets(text, annotation)
    if present is not None:
        subscript, close = present
        if not injects and not _has_inert_metadata(subscript):
            raise Unfixable("FastAPI would obey metadata of its type that it ignores now")
        # `Annotated[T, Doc("x")] = Query(1)`: the marker's text moves behind the last element.
        if text.has_comment(type_end, end) or text.has_comment(text.start(subscript), close):
            raise Unfixable(COMMENT)
        code = _apply(text.text[start:end], start, edits)
        elements = text.items(text.start(subscript.slice) - 1, close)
        comma = elements[-1].comma if elements else None
        place = elements[-1].end if elements else close
        added = f", {code}"
        return (
            Edit(place, place, added) if comma is None else Edit(comma, comma + 1, f"{added},"),
            Edit(type_end, end, tail),
        )
    imported = ensure_import(text, "typing", "Annotated", parameter)
    comma_edit = (
        Edit(equals.start, equals.end, ",")
        if text.has_comment(type_end, start)
        else Edit(type_end, start, ", ")
    )
    edits += [
        *imported.edits,
        Edit(type_start, type_start, f"{imported.name}["),
        comma_edit,
        Edit(end, end, f"]{tail}"),
    ]
    if called:
        edits.remove(called[0])
        edits[-1] = Edit(end, end, f"()]{tail}")
    return tuple(edits)


def _write_string(
    text: FileText, annotation: ast.expr, quoted: str, marker: str, place: Edit
) -> Edits:
    """Write `x: "Annotated[T, Query()]" = 1`: inside of a string FastAPI resolves the type.

    `place` is the whole of annotation and default, and what follows the new annotation.
    """
    literal = text.segment(annotation)
    quote = literal[0]
    if text.has_comment(place.start, place.end):
        raise Unfixable(COMMENT)
    imported = ensure_import(text, "typing", "Annotated", annotation)
    if literal != f"{quote}{quoted}{quote}" or "\n" in marker or "\\" in marker:
        raise Unfixable(_QUOTED)
    new = f"{imported.name}[{quoted}, {marker}]"
    if quote in new:
        quote = '"' if quote == "'" else "'"
        if quote in new:
            raise Unfixable(_QUOTED)
    return (*imported.edits, Edit(place.start, place.end, f"{quote}{new}{quote}{place.text}"))


def _string_of(annotation: ast.expr) -> str | None:
    """What stands in an annotation that is a string as a whole."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return None


def _has_target(marker: ast.expr) -> bool:
    """Whether a `Depends` names what it calls, rather than taking the annotation's class."""
    return isinstance(marker, ast.Call) and argument_of(marker, "dependency", 0) is not None


def _annotated_brackets(text: FileText, annotation: ast.expr) -> tuple[ast.Subscript, int] | None:
    """The annotation itself when it is an `Annotated[...]`, and where its bracket closes."""
    if not isinstance(annotation, ast.Subscript):
        return None
    base = annotation.value
    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    if name != "Annotated":
        found = text.index.lookup(name, annotation) if isinstance(base, ast.Name) else None
        aliases = [binding.alias for binding in found[1]] if found else []
        if not any(alias is not None and alias.name == "Annotated" for alias in aliases):
            return None
    return annotation, text.end(annotation) - 1


def _has_inert_metadata(annotation: ast.Subscript) -> bool:
    """Whether `Annotated` holds nothing but documentation.

    FastAPI takes the bare type when the marker is the default: constraints in the `Annotated`
    are ignored now, and would be obeyed next to the marker.
    """
    if not isinstance(annotation.slice, ast.Tuple):
        return False
    for element in annotation.slice.elts[1:]:
        function = element.func if isinstance(element, ast.Call) else element
        name = function.attr if isinstance(function, ast.Attribute) else None
        name = function.id if isinstance(function, ast.Name) else name
        if name not in ("Doc", "doc") and not isinstance(element, ast.Constant):
            return False
    return True


def _apply(code: str, offset: int, edits: list[Edit]) -> str:
    """Apply edits that lie in a piece of the text beginning at `offset`."""
    for edit in sorted(edits, reverse=True):
        start, end = edit.start - offset, edit.end - offset
        code = code[:start] + edit.text + code[end:]
    return code


# -- where annotations are evaluated --------------------------------------------------------


def _is_evaluated_later(
    text: FileText, parameter: ast.arg, marker: ast.expr, injects: bool
) -> bool:
    """Whether the marker would stand in an annotation that is a string.

    A default is evaluated in the scope around the function. An annotation is too, unless it is a
    string, by quotes or `from __future__ import annotations`: then FastAPI evaluates it later,
    with the module's globals only, and gives up the whole annotation if a name is missing.
    """
    if text.index.annotations_are_text:
        return True
    quoted = parameter.annotation is not None and _string_of(parameter.annotation) is not None
    return quoted and not (injects and _has_target(marker))


def _is_evaluable_later(
    text: FileText, function: FunctionNode, parameter: ast.arg, marker: ast.expr
) -> bool:
    """Whether every name of annotation and marker is a global, and the same one later."""
    annotation = parameter.annotation
    assert annotation is not None
    quoted = _string_of(annotation)
    parsed = annotation if quoted is None else _parse_annotation(quoted)
    if parsed is None or _is_in_loop(text, function):
        return False
    names = (*_free_names(marker), *_free_names(parsed))
    return all(_is_runtime_global(text, name, annotation) for name in names)


def _makes_new_objects(marker: ast.expr) -> bool:
    """Whether each evaluation of `Depends(f())` gives another dependency."""
    return any(
        isinstance(node, ast.Call | ast.Lambda) for node in ast.walk(marker) if node is not marker
    )


def _parse_annotation(code: str) -> ast.expr | None:
    try:
        return ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _free_names(node: ast.expr) -> Iterator[ast.Name]:
    """The names in an expression that it does not bind itself."""
    bound = {
        child.id
        for child in ast.walk(node)
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
    }
    for child in ast.walk(node):
        if isinstance(child, ast.Lambda):
            bound |= {argument.arg for argument in all_arguments(child.args)}
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and child.id not in bound:
            yield child


def _is_runtime_global(text: FileText, name: ast.Name, at: ast.AST) -> bool:
    """Whether a name seen at `at` is found in the module's globals when the program runs."""
    found = text.index.lookup(name.id, at)
    if found is None:
        return hasattr(builtins, name.id) or bool(text.index.module_scope.stars)
    scope, _ = found
    if scope is not text.index.module_scope:
        return False
    return any(
        not any(text.index.is_for_checkers(above) for above in text.index.ancestors(binding.node))
        for binding in scope.bindings[name.id]
        if binding.kind != "delete"
    )


def _is_in_loop(text: FileText, function: FunctionNode) -> bool:
    """Whether a definition is repeated, so that names change under an annotation kept as text."""
    for above in text.index.ancestors(function):
        if isinstance(above, ast.For | ast.AsyncFor | ast.While):
            return True
        if isinstance(above, SCOPES):
            return False
    return False


# -- order ----------------------------------------------------------------------------------


def _slot(text: FileText, function: FunctionNode, parameter: ast.arg) -> _Slot:
    brackets = text.signature_brackets(function)
    if brackets is None:
        raise Unfixable(UNREADABLE)
    start = text.start(parameter)
    for index, item in enumerate(text.items(*brackets)):
        if item.start == start:
            arguments = function.args
            return _Slot(
                item,
                index,
                default_of(function, parameter),
                any(each is parameter for each in arguments.kwonlyargs),
                any(each is parameter for each in arguments.posonlyargs),
            )
    raise Unfixable(UNREADABLE)


def default_of(function: FunctionNode | ast.Lambda, parameter: ast.arg) -> ast.expr | None:
    """A parameter's default as written."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for each, default in zip(positional, defaults, strict=True):
        if each is parameter:
            return default
    for each, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if each is parameter:
            return keyword_default
    return None


def _make_order_legal(
    text: FileText, function: FunctionNode, parameter: ast.arg, keyword_only: bool
) -> Edits:
    """What lets `parameter` stand without a default: nothing, or a `*` in front of it."""
    arguments = function.args
    if any(each is parameter for each in arguments.kwonlyargs):
        return ()
    for each in (*arguments.posonlyargs, *arguments.args):
        if each is parameter:
            return ()
        if default_of(function, each) is not None:
            break
    if not keyword_only:
        raise Unfixable(NO_ORDER)
    return _make_keyword_only(text, function, parameter)


def _make_keyword_only(text: FileText, function: FunctionNode, parameter: ast.arg) -> Edits:
    """Put a bare `*` in front of a positional parameter; one that stands behind it moves."""
    arguments = function.args
    brackets = text.signature_brackets(function)
    if brackets is None:
        raise Unfixable(UNREADABLE)
    if arguments.vararg is not None:
        raise Unfixable("the function takes `*` arguments")
    if any(each is parameter for each in arguments.posonlyargs):
        raise Unfixable(POSITIONAL_ONLY)
    items = text.items(*brackets)
    moved: Edits = ()
    if arguments.kwonlyargs:
        stars = [item for item in items if text.text[item.start : item.end] == "*"]
        if len(stars) != 1:
            raise Unfixable(UNREADABLE)
        moved = remove_items(text, brackets, stars)
    index = _index_of(text, items, parameter)
    return (*moved, *insert_item(text, brackets, index, "*"))


def _index_of(text: FileText, items: Sequence[Item], parameter: ast.arg) -> int:
    start = text.start(parameter)
    for index, item in enumerate(items):
        if item.start == start:
            return index
    raise Unfixable(UNREADABLE)


def remove_default(
    text: FileText, function: FunctionNode, parameter: ast.arg, *, keyword_only: bool
) -> Edits:
    """Drop `= default`, and keep the order of the parameters legal (see `use_annotated`)."""
    default = default_of(function, parameter)
    if default is None:
        raise Unfixable("it has no default")
    if _slot(text, function, parameter).is_positional_only:
        raise Unfixable(POSITIONAL_ONLY)
    order = _make_order_legal(text, function, parameter, keyword_only)
    _, end = text.span(default)
    return *order, replace_range(text, _declared_end(text, parameter), end, "")


def replace_default(text: FileText, function: FunctionNode, parameter: ast.arg, code: str) -> Edit:
    """Replace a parameter's default value."""
    default = default_of(function, parameter)
    if default is None:
        raise Unfixable("it has no default")
    if not text.is_editable(default):
        raise Unfixable(IN_STRING)
    return replace_range(text, *text.span(default), code)


def add_default(
    text: FileText, function: FunctionNode, parameter: ast.arg, code: str, *, keyword_only: bool
) -> Edits:
    """Give a parameter a default; those behind it that have none become keyword-only."""
    slot = _slot(text, function, parameter)
    if slot.default is not None:
        raise Unfixable("it has a default")
    if slot.is_positional_only:
        raise Unfixable(POSITIONAL_ONLY)
    order: Edits = ()
    if not slot.is_keyword_only:
        positional = function.args.args
        position = next(i for i, each in enumerate(positional) if each is parameter)
        for each in positional[position + 1 :]:
            if default_of(function, each) is None:
                if not keyword_only:
                    raise Unfixable("parameters behind it have no default")
                order = _make_keyword_only(text, function, each)
                break
    end = _declared_end(text, parameter)
    equals = " = " if parameter.annotation is not None else "="
    return (*order, Edit(end, end, f"{equals}{code}"))


def _declared_end(text: FileText, parameter: ast.arg) -> int:
    """The end of `name` or `name: annotation`."""
    if parameter.annotation is not None:
        return text.span(parameter.annotation)[1]
    return text.end(parameter)


def annotate(text: FileText, parameter: ast.arg, annotation: str) -> Edit:
    """Annotate a parameter that has no annotation; `x=1` becomes `x: int = 1`."""
    if parameter.annotation is not None:
        raise Unfixable("it has a type")
    end = text.end(parameter)
    equals = text.token_at(end)
    if equals is not None and equals.string == "=" and equals.start == end:
        following = text.token_at(equals.end)
        if following is not None and following.start == equals.end:
            return Edit(end, equals.end, f": {annotation} = ")
    return Edit(end, end, f": {annotation}")


def add_parameter(
    text: FileText, function: FunctionNode, code: str, *, has_default: bool = False
) -> Edits:
    """Add a parameter that FastAPI fills in, where it disturbs no other.

    Behind a `*` if there is one; else behind the positional parameters, or, when it has no
    default and they do, in front of the first that has one.

    Raises:
        Unfixable: for functions with positional-only parameters or `*args`.
    """
    arguments = function.args
    brackets = text.signature_brackets(function)
    if brackets is None:
        raise Unfixable(UNREADABLE)
    if arguments.vararg is not None or arguments.posonlyargs:
        raise Unfixable("the function has positional-only parameters or `*` arguments")
    items = text.items(*brackets)
    before: ast.arg | None = None
    if not arguments.kwonlyargs and not has_default:
        before = next((a for a in arguments.args if default_of(function, a) is not None), None)
    if before is not None:
        return insert_item(text, brackets, _index_of(text, items, before), code)
    if arguments.kwarg is not None:
        # The last element is `**kwargs`.
        return insert_item(text, brackets, len(items) - 1, code)
    return append_item(text, brackets, code)


def remove_parameter(text: FileText, function: FunctionNode, parameter: ast.arg) -> Edits:
    """Remove a parameter, and a bare `*` that would be left with nothing behind it."""
    brackets = text.signature_brackets(function)
    slot = _slot(text, function, parameter)
    if brackets is None:
        raise Unfixable(UNREADABLE)
    if slot.is_positional_only:
        raise Unfixable(POSITIONAL_ONLY)
    going = [slot.item]
    keywords = function.args.kwonlyargs
    if slot.is_keyword_only and len(keywords) == 1 and function.args.vararg is None:
        items = text.items(*brackets)
        going += [item for item in items if text.text[item.start : item.end] == "*"]
    return remove_items(text, brackets, going)
