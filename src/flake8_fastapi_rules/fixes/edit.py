"""Edits of statements, expressions, arguments, decorators and lists.

Every function takes a `FileText` first and returns an `Edit` or a tuple of them. It raises
`Unfixable`, with the reason, when the change cannot be made without losing a comment or touching
what it should not. `fix_of` puts the parts together.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from flake8_fastapi_rules.engine.findings import Edit, Fix, Safety, Unfixable
from flake8_fastapi_rules.engine.index import FUNCTIONS
from flake8_fastapi_rules.fixes.text import FileText, Item
from flake8_fastapi_rules.semantics.values import FunctionNode

Edits: TypeAlias = tuple[Edit, ...]
Argument: TypeAlias = ast.expr | ast.keyword

COMMENT = "a comment is in the way"
IN_STRING = "it stands in a string"
SHARED_LINE = "it shares a line with other code"
UNREADABLE = "its brackets cannot be told"


def fix_of(
    title: str,
    safety: Safety,
    *parts: Edit | Iterable[Edit],
    group: str | None = None,
    leads_to: tuple[str, ...] = (),
) -> Fix:
    """The fix made of all `parts`.

    Parameters:
        title: what it does, as an imperative ("Use `Annotated`").
        parts: edits, or tuples of them, that do not overlap.
        group, leads_to: see `Fix`.

    Raises:
        Unfixable: when nothing is left to do.
    """
    edits: list[Edit] = []
    for part in parts:
        edits.extend([part] if isinstance(part, Edit) else part)
    if not edits:
        raise Unfixable("there is nothing to change")
    return Fix(title, safety, tuple(dict.fromkeys(edits)), group, leads_to)


# -- expressions ----------------------------------------------------------------------------


def replace(text: FileText, node: ast.expr, code: str) -> Edit:
    """Replace an expression; parentheses around it stay."""
    _require_editable(text, node)
    return replace_range(text, text.start(node), text.end(node), code)


def replace_range(text: FileText, start: int, end: int, code: str) -> Edit:
    """Replace `start` to `end`; a comment in there must be in `code`."""
    if any(comment.string not in code for comment in text.comments_in(start, end)):
        raise Unfixable(COMMENT)
    return Edit(start, end, code)


def _require_editable(text: FileText, node: ast.AST) -> None:
    if not text.is_editable(node):
        raise Unfixable(IN_STRING)


def wrap(text: FileText, node: ast.expr, before: str, after: str) -> Edits:
    """Put text around an expression, outside of its own parentheses: `wrap(t, n, "[", "]")`."""
    _require_editable(text, node)
    if isinstance(node, ast.GeneratorExp) and text.text[text.start(node)] == "(":
        start, end = text.start(node), text.end(node)
        return Edit(start, start, before), Edit(end, end, after)
    start, end = text.span(node)
    return Edit(start, start, before), Edit(end, end, after)


def rename(text: FileText, node: ast.Name | ast.Attribute, name: str) -> Edit:
    """Replace the identifier of a name, or the part of an attribute behind its last dot."""
    _require_editable(text, node)
    end = text.end(node)
    start = end - len(node.attr if isinstance(node, ast.Attribute) else node.id)
    old = node.attr if isinstance(node, ast.Attribute) else node.id
    if text.text[start:end] != old:
        raise Unfixable(f"`{old}` is written otherwise")
    return Edit(start, end, name)


def rename_definition(text: FileText, node: FunctionNode | ast.ClassDef, name: str) -> Edit:
    """Replace the name in a `def` or `class` line."""
    found = text.token_at(text.start(node))
    while found is not None and found.string in ("async", "def", "class"):
        found = text.token_at(found.end)
    if found is None or found.string != node.name:
        raise Unfixable(f"`{node.name}` is written otherwise")
    return Edit(found.start, found.end, name)


# -- statements -----------------------------------------------------------------------------


def delete_statement(text: FileText, statement: ast.stmt, *, leave_comment: bool = False) -> Edit:
    """Delete a statement with its decorators and its line.

    `pass` takes its place when its block would be empty. No comment may be in it or follow it on
    its last line, unless `leave_comment` is to leave that one there on a line of its own.
    """
    if leave_comment:
        start, end = text.start_of_statement(statement), text.end(statement)
        kept = _leaving_comment(text, start, end)
        if kept is not None and len(text.block_of(statement) or ()) > 1:
            return kept
    return delete_statements(text, [statement])[0]


def _leaving_comment(text: FileText, start: int, end: int) -> Edit | None:
    """Delete what stands before a comment, and the blanks between; `None` without a comment."""
    behind = text.comments_in(end, text.line_end(end))
    if not behind or text.has_comment(start, end):
        return None
    if not text.is_first_on_line(start) or not text.is_last_on_line(end):
        return None
    return Edit(start, behind[0].start, "")


def delete_statements(text: FileText, statements: Sequence[ast.stmt]) -> Edits:
    """Delete several statements; see `delete_statement`."""
    going = {id(statement) for statement in statements}
    edits: list[Edit] = []
    filled: set[int] = set()
    for statement in statements:
        block = text.block_of(statement)
        if block is None:
            raise Unfixable(UNREADABLE)
        start, end = text.start_of_statement(statement), text.end(statement)
        if text.has_comment(start, end):
            raise Unfixable(COMMENT)
        parent = text.index.parents.get(statement)
        empties = not isinstance(parent, ast.Module) and all(id(item) in going for item in block)
        if empties and id(block) not in filled:
            filled.add(id(block))
            edits.append(Edit(start, end, "pass"))
            continue
        edits.append(_without_statement(text, block, statement, start, end))
    return tuple(edits)


def _without_statement(
    text: FileText, block: list[ast.stmt], statement: ast.stmt, start: int, end: int
) -> Edit:
    after = text.token_at(end)
    stop = end
    if after is not None and after.string == ";":
        stop = after.end
    if text.is_first_on_line(start) and text.is_last_on_line(stop):
        line_end = text.line_end(stop)
        if text.has_comment(stop, line_end):
            raise Unfixable(COMMENT)
        if line_end < len(text.text):
            return Edit(text.line_start(start), line_end + 1, "")
        return Edit(max(text.line_start(start) - 1, 0), line_end, "")
    position = next(i for i, item in enumerate(block) if item is statement)
    if stop > end and position + 1 < len(block):
        return replace_range(text, start, text.start(block[position + 1]), "")
    if position:
        return replace_range(text, text.end(block[position - 1]), end, "")
    raise Unfixable(SHARED_LINE)


def indented(code: str, indentation: str) -> str:
    """Statements as a text of their own, dedented and then indented; without a last newline.

    Lines inside of a multi-line string are indented as well: give no such code.
    """
    return textwrap.indent(textwrap.dedent(code).strip("\n"), indentation)


def replace_statement(text: FileText, statement: ast.stmt, code: str) -> Edit:
    """Replace a statement (decorators included) by the statements in `code`.

    It must have its lines for itself, and no comment that `code` lacks.
    """
    start = text.start_of_statement(statement)
    if not text.own_line(statement):
        raise Unfixable(SHARED_LINE)
    new = indented(code, text.indentation(start))
    return replace_range(text, text.line_start(start), text.end(statement), new)


def insert_before(text: FileText, statement: ast.stmt, code: str, *, blank: int = 0) -> Edit:
    """Insert statements in lines before `statement`, above comments that belong to it.

    Parameters:
        code: one or more lines, indented as suits the statement.
        blank: how many blank lines stand between them and the statement.
    """
    start = text.start_of_statement(statement)
    if not text.is_first_on_line(start):
        raise Unfixable(SHARED_LINE)
    line = text.line_start(start)
    above = _above_comments(text, line, text.indentation(start))
    new = indented(code, text.indentation(start))
    return Edit(above, above, new + "\n" * (blank + 1))


def _above_comments(text: FileText, line: int, indentation: str) -> int:
    """The beginning of the comment lines directly above a line, unless they begin the file."""
    current = line
    while current:
        previous = text.line_start(current - 1)
        content = text.text[previous : current - 1]
        if not (content.startswith(indentation + "#")):
            break
        current = previous
    return current or line


def insert_after(text: FileText, statement: ast.stmt, code: str, *, blank: int = 0) -> Edit:
    """Insert statements in lines after `statement`, with `blank` blank lines between."""
    start, end = text.start_of_statement(statement), text.end(statement)
    if not text.is_first_on_line(start) or not text.is_last_on_line(end):
        raise Unfixable(SHARED_LINE)
    line_end = text.line_end(end)
    new = indented(code, text.indentation(start))
    return Edit(line_end, line_end, "\n" * (blank + 1) + new)


def move_before(
    text: FileText, moved: ast.stmt, anchor: ast.stmt, *, blank: int = 0
) -> tuple[Edit, Edit]:
    """Move a statement, with the comments at it, in front of another one of its block.

    Parameters:
        blank: how many blank lines stand between the two then.
    """
    removal, code = _taken_out(text, moved)
    start = text.start_of_statement(anchor)
    if not text.is_first_on_line(start):
        raise Unfixable(SHARED_LINE)
    above = _above_comments(text, text.line_start(start), text.indentation(start))
    return removal, Edit(above, above, code + "\n" * (blank + 1))


def move_after(text: FileText, moved: ast.stmt, anchor: ast.stmt) -> tuple[Edit, Edit]:
    """Move a statement, with the comments at it, behind another one of its block."""
    removal, code = _taken_out(text, moved)
    end = text.end(anchor)
    if not text.is_last_on_line(end):
        raise Unfixable(SHARED_LINE)
    line_end = text.line_end(end)
    return removal, Edit(line_end, line_end, "\n" + code)


def _taken_out(text: FileText, statement: ast.stmt) -> tuple[Edit, str]:
    """The removal of a statement's lines and the comments directly above, and these lines."""
    start, end = text.start_of_statement(statement), text.end(statement)
    if not text.is_first_on_line(start) or not text.is_last_on_line(end):
        raise Unfixable(SHARED_LINE)
    block = text.block_of(statement) or []
    position = next((i for i, item in enumerate(block) if item is statement), 0)
    top = _above_comments(text, text.line_start(start), text.indentation(start))
    stop = text.line_end(end)
    is_last = position + 1 == len(block)
    if position and (is_last or not text.text[stop + 1 : text.line_end(stop + 1)].strip()):
        # Blank lines follow, or nothing: those in front of it are not needed.
        before = text.line_end(text.end(block[position - 1]))
        if not text.text[before:top].strip():
            return Edit(before, stop, ""), text.text[top:stop]
    return Edit(top, min(stop + 1, len(text.text)), ""), text.text[top:stop]


def insert_into_body(text: FileText, owner: FunctionNode | ast.ClassDef, code: str) -> Edit:
    """Insert statements at the beginning of a body, behind its docstring.

    The body must not stand on the line of its `def` or `class`.
    """
    first = owner.body[0]
    if not text.is_first_on_line(text.start_of_statement(first)):
        raise Unfixable(SHARED_LINE)
    if is_docstring(first):
        return insert_after(text, first, code)
    return insert_before(text, first, code)


def is_docstring(statement: ast.stmt) -> bool:
    """Whether a statement is nothing but a string."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def delete_return_value(text: FileText, statement: ast.Return) -> Edit:
    """Turn `return x` into `return`, or drop it where a function ends with it anyway."""
    if statement.value is None:
        raise Unfixable("it returns no value")
    block = text.block_of(statement) or []
    ends_function = isinstance(text.index.parents.get(statement), FUNCTIONS)
    if ends_function and len(block) > 1 and block[-1] is statement:
        before, line_end = text.line_end(text.end(block[-2])), text.line_end(text.end(statement))
        if not text.has_comment(before, line_end) and text.own_line(statement):
            return Edit(before, line_end, "")
    _, end = text.span(statement.value)
    keyword_end = text.start(statement) + len("return")
    return replace_range(text, keyword_end, end, "")


# -- decorators -----------------------------------------------------------------------------


def remove_decorator(
    text: FileText, node: FunctionNode | ast.ClassDef, decorator: ast.expr
) -> Edit:
    """Delete a decorator's lines; a comment behind it stays there, none may be in it."""
    start, end = text.span(decorator)
    at = text.token_before(start)
    if decorator not in node.decorator_list or at is None or at.string != "@":
        raise Unfixable(UNREADABLE)
    line, line_end = text.line_start(at.start), text.line_end(end)
    if text.has_comment(line, end):
        raise Unfixable(COMMENT)
    if not text.is_first_on_line(at.start) or not text.is_last_on_line(end):
        raise Unfixable(SHARED_LINE)
    return _leaving_comment(text, at.start, end) or Edit(line, line_end + 1, "")


def add_decorator(
    text: FileText, node: FunctionNode | ast.ClassDef, code: str, *, outermost: bool = False
) -> Edit:
    """Add the decorator `@code`, nearest to the definition, or as the outermost one."""
    start = text.start_of_statement(node) if outermost else text.start(node)
    if not text.is_first_on_line(start):
        raise Unfixable(SHARED_LINE)
    line = text.line_start(start)
    return Edit(line, line, f"{text.indentation(start)}@{code}\n")


# -- comma-separated lists -----------------------------------------------------------------


def remove_items(text: FileText, brackets: tuple[int, int], going: Sequence[Item]) -> Edits:
    """Remove elements between two brackets with their commas and, when left empty, their lines.

    No comment may stand inside of an element.
    """
    opening, closing = brackets
    items = text.items(opening, closing)
    if any(text.has_comment(item.start, item.end) for item in going):
        raise Unfixable(COMMENT)
    if len(going) == len(items) and not text.has_comment(opening, closing):
        return (Edit(opening + 1, closing, ""),)
    edits: list[Edit] = []
    position = 0
    while position < len(items):
        first = position
        while position < len(items) and items[position] in going:
            position += 1
        if position == first:
            position += 1
            continue
        run = items[first:position]
        if position < len(items):
            start, end = run[0].start, items[position].start
        elif first and _have_lines_with_comment(text, run):
            edits += [_without_line_of(text, item) for item in run]
            continue
        elif first:
            start, end = items[first - 1].end, run[-1].end
        else:
            start, end = run[0].start, run[-1].after
            comments = text.comments_in(end, text.line_end(end))
            if comments and text.is_first_on_line(start):
                end = comments[0].start
        if not text.has_comment(start, end):
            edits.append(Edit(start, end, ""))
            continue
        edits += [_without_line_of(text, item) for item in run]
    return tuple(edits)


def _have_lines_with_comment(text: FileText, items: Sequence[Item]) -> bool:
    """Whether each element has its lines for itself, and a comment stands behind one of them.

    On the line of the element above it would seem to speak of that one.
    """
    own = all(
        text.is_first_on_line(item.start) and text.is_last_on_line(item.after) for item in items
    )
    return own and any(text.has_comment(item.after, text.line_end(item.after)) for item in items)


def _without_line_of(text: FileText, item: Item) -> Edit:
    """Delete an element that has its lines for itself; a comment behind it stays."""
    if not text.is_first_on_line(item.start) or not text.is_last_on_line(item.after):
        raise Unfixable(COMMENT)
    if text.has_comment(item.end, item.after):
        raise Unfixable(COMMENT)
    line_end = text.line_end(item.after)
    comments = text.comments_in(item.after, line_end)
    if comments:
        return Edit(item.start, comments[0].start, "")
    return Edit(text.line_start(item.start), line_end + 1, "")


def append_item(text: FileText, brackets: tuple[int, int], code: str) -> Edits:
    """Add an element behind the last one, on a line of its own if that one has one."""
    opening, closing = brackets
    items = text.items(opening, closing)
    if not items:
        return (Edit(opening + 1, opening + 1, code),)
    last = items[-1]
    own_line = text.is_first_on_line(last.start) and text.is_first_on_line(closing)
    if not own_line:
        if last.comma is None:
            return (Edit(last.end, last.end, f", {code}"),)
        # `(a,)` becomes `(a, b)`, and a magic trailing comma on a later line stays.
        if text.text[last.after : closing].strip():
            return (Edit(last.after, last.after, f" {code},"),)
        return (Edit(last.after, last.after, f" {code}"),)
    indentation = text.indentation(last.start)
    if last.comma is None:
        line_end = text.line_end(last.end)
        if text.has_comment(last.end, line_end):
            return Edit(last.end, last.end, ","), Edit(line_end, line_end, f"\n{indentation}{code}")
        return (Edit(last.end, last.end, f",\n{indentation}{code}"),)
    line_end = text.line_end(last.comma)
    if closing < line_end:
        line_end = last.after
    return (Edit(line_end, line_end, f"\n{indentation}{code},"),)


def insert_item(text: FileText, brackets: tuple[int, int], index: int, code: str) -> Edits:
    """Insert an element in front of the one at `index`, on a line of its own if that has one."""
    items = text.items(*brackets)
    if index >= len(items):
        return append_item(text, brackets, code)
    start = items[index].start
    if not text.is_first_on_line(start):
        return (Edit(start, start, f"{code}, "),)
    indentation = text.indentation(start)
    line = text.line_start(start)
    above = _above_comments(text, line, indentation)
    return (Edit(above, above, f"{indentation}{code},\n"),)


def item_of(text: FileText, brackets: tuple[int, int], node: ast.AST) -> Item | None:
    """The element between two brackets that `node` is, or is a part of."""
    start = text.start(node)
    for item in text.items(*brackets):
        if item.start <= start < item.end:
            return item
    return None


def _item_of(text: FileText, brackets: tuple[int, int], node: ast.AST) -> Item:
    item = item_of(text, brackets, node)
    if item is None:
        raise Unfixable(UNREADABLE)
    return item


# -- calls ----------------------------------------------------------------------------------


def argument_of(call: ast.Call, name: str, position: int | None = None) -> Argument | None:
    """A call's argument: the keyword `name`, or the positional one at `position`."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword
    if position is not None and position < len(call.args):
        head = call.args[: position + 1]
        if not any(isinstance(argument, ast.Starred) for argument in head):
            return head[-1]
    return None


def _brackets(text: FileText, call: ast.Call) -> tuple[int, int]:
    """The brackets of a call whose arguments can be changed."""
    _require_editable(text, call)
    brackets = text.call_brackets(call)
    if brackets is None:
        raise Unfixable(UNREADABLE)
    if len(call.args) == 1 and isinstance(call.args[0], ast.GeneratorExp):
        # `f(x for x in y)`: the brackets are the generator's as well.
        if text.start(call.args[0]) == brackets[0]:
            raise Unfixable("the only argument is a generator without brackets of its own")
    return brackets


def add_argument(text: FileText, call: ast.Call, code: str) -> Edits:
    """Add an argument (`name=value`, say) behind the others."""
    return append_item(text, _brackets(text, call), code)


def set_argument(
    text: FileText, call: ast.Call, name: str, value: str, position: int | None = None
) -> Edits:
    """Give the argument `name` a value: replace the one it has, or add `name=value`."""
    present = argument_of(call, name, position)
    if present is None:
        return add_argument(text, call, f"{name}={value}")
    node = present.value if isinstance(present, ast.keyword) else present
    return (replace(text, node, value),)


def rename_argument(text: FileText, call: ast.Call, old: str, new: str) -> Edit:
    """Rename a keyword: `regex=x` becomes `pattern=x`; `new` must not be given already."""
    _require_editable(text, call)
    if any(keyword.arg == new for keyword in call.keywords):
        raise Unfixable(f"`{new}` is given already")
    for keyword in call.keywords:
        if keyword.arg == old:
            start = text.start(keyword)
            return Edit(start, start + len(old), new)
    raise Unfixable(f"`{old}` is not given by name")


def replace_argument(text: FileText, call: ast.Call, argument: Argument, code: str) -> Edit:
    """Replace a whole argument, its name included, by `code`."""
    item = _item_of(text, _brackets(text, call), argument)
    return replace_range(text, item.start, item.end, code)


def remove_argument(text: FileText, call: ast.Call, *arguments: Argument) -> Edits:
    """Remove arguments, with their commas."""
    brackets = _brackets(text, call)
    going = [_item_of(text, brackets, argument) for argument in arguments]
    return remove_items(text, brackets, going)


def remove_named_argument(text: FileText, call: ast.Call, name: str) -> Edits:
    """Remove the keyword argument `name`."""
    argument = argument_of(call, name)
    if argument is None:
        raise Unfixable(f"`{name}` is not given by name")
    return remove_argument(text, call, argument)


# -- lists ----------------------------------------------------------------------------------

Display: TypeAlias = ast.List | ast.Tuple | ast.Set | ast.Dict


def _display_brackets(text: FileText, node: Display) -> tuple[int, int]:
    _require_editable(text, node)
    start, end = text.start(node), text.end(node)
    if text.text[start] not in "([{" or text.closing(start) != end - 1:
        raise Unfixable("the tuple has no brackets")
    return start, end - 1


def append_element(text: FileText, node: Display, code: str) -> Edits:
    """Add an element behind the last one of a list, tuple, set or dict display."""
    return append_item(text, _display_brackets(text, node), code)


def remove_element(text: FileText, node: Display, element: ast.expr) -> Edits:
    """Remove an element of a display (of a dict: give the key)."""
    brackets = _display_brackets(text, node)
    if isinstance(node, ast.Tuple) and len(node.elts) <= 2:  # a tuple of one needs its comma
        raise Unfixable("a tuple of one would be left")
    return remove_items(text, brackets, [_item_of(text, brackets, element)])


def replace_element(text: FileText, node: Display, element: ast.expr, code: str) -> Edit:
    """Replace an element of a display with its parentheses (of a dict: key and value)."""
    item = _item_of(text, _display_brackets(text, node), element)
    return replace_range(text, item.start, item.end, code)
