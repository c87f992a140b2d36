"""Imports: reuse what a module has, add what it lacks in the right place, drop what is unused."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.engine.findings import Edit, Unfixable
from flake8_fastapi_rules.engine.index import Binding, is_type_checking
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.fixes.edit import (
    UNREADABLE,
    Edits,
    append_item,
    delete_statement,
    insert_after,
    insert_before,
    insert_item,
    is_docstring,
    remove_items,
    replace,
)
from flake8_fastapi_rules.fixes.text import FileText, text_of
from flake8_fastapi_rules.semantics.modules import Module

#: Packages whose names nobody imports from elsewhere than from them.
_LIBRARIES = sys.stdlib_module_names | {
    "fastapi", "pydantic", "pydantic_settings", "starlette", "typing_extensions",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_FUTURE, _STANDARD, _THIRD, _LOCAL = range(4)
#: Modules that offer the same names.
_SAME: dict[str, tuple[str, ...]] = {
    "typing": ("typing_extensions",),
    "collections.abc": ("typing",),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """How to write an imported name at some place, and what must be added for it.

    Parameters:
        name: such as `Annotated`, `A` or `typing.Annotated`.
        edits: the new import; empty when there is one already.
    """

    name: str
    edits: Edits


def ensure_import(
    text: FileText, module: str, name: str, at: ast.AST, *, alias: str = "", is_dotted: bool = False
) -> Imported:
    """Make `name` of `module` usable at the node `at`.

    A binding that is in effect there is reused. Otherwise an import is added at the top of the
    file: as a name, or, when that name means something else already, as `import module`.

    Parameters:
        module: an absolute dotted name, such as `typing`.
        name: what to import from it; `""` for the module itself.
        alias: the name it is usually given where its own means something else.
        is_dotted: write `module.name` where the module is imported, even if names of it are, too.

    Raises:
        Unfixable: when every way of writing it is taken.
    """
    is_free = bool(name) and _is_free(text, name, at, lambda b: _imports(b, module, name))
    for candidate in (module, *_SAME.get(module, ())):
        found = find_import(text, candidate, name, at)
        if found is None:
            continue
        if (
            is_free
            and not is_dotted
            and "." in found
            and _statement_of(text, candidate, at) is not None
        ):
            break  # other names of it are imported one by one: so will this be
        return Imported(found, ())
    if is_free:
        return Imported(name, _add_from(text, module, name, at))
    if alias and _is_free(text, alias, at, lambda b: _imports(b, module, name)):
        return Imported(alias, _add_from(text, module, f"{name} as {alias}", at))
    root = module.partition(".")[0]
    if _is_free(text, root, at, lambda b: b.kind == "import" and _root(b) == root):
        edit = _new_line(text, f"import {module}", module, False, at)
        return Imported(f"{module}.{name}" if name else module, (edit,))
    raise Unfixable(f"`{name or module}` means something else here")


def ensure_imports(
    text: FileText, wanted: Sequence[tuple[str, str]], at: ast.AST
) -> tuple[tuple[str, ...], Edits]:
    """`ensure_import` for several (module, name) pairs in one fix.

    Returns:
        How to write each of them, and the edits for all.
    """
    names: list[str] = []
    edits: list[Edit] = []
    for module, name in wanted:
        imported = ensure_import(text, module, name, at)
        names.append(imported.name)
        edits += imported.edits
    return tuple(names), join_insertions(edits)


def join_insertions(edits: Collection[Edit]) -> Edits:
    """Make one edit of several new lines at one place, without blank lines between them."""
    places: dict[tuple[int, int], list[str]] = {}
    for edit in sorted(set(edits)):
        places.setdefault((edit.start, edit.end), []).append(edit.text)
    joined: list[Edit] = []
    for (start, end), texts in places.items():
        if len(texts) == 1 or not all("\n" in each for each in texts):
            joined += [Edit(start, end, each) for each in texts]
            continue
        before = max((each[: len(each) - len(each.lstrip("\n"))] for each in texts), key=len)
        behind = max((each[len(each.rstrip("\n")) :] for each in texts), key=len)
        code = "\n".join(each.strip("\n") for each in texts)
        joined.append(Edit(start, end, f"{before}{code}{behind}"))
    return tuple(joined)


def find_import(text: FileText, module: str, name: str, at: ast.AST) -> str | None:
    """How `name` of `module` can be written at the node `at` with the imports there are.

    Imports for type checkers only, in functions, in one branch of an `if`, or behind `at` do not
    count, nor do names that are bound to something else as well, or hidden by an inner scope.
    """
    scope = text.index.module_scope
    dotted: str | None = None
    for local, bindings in scope.bindings.items():
        for binding in bindings:
            alias = binding.alias
            if alias is None:
                continue
            written: str | None = None
            if name and _imports(binding, module, name):
                written = local
            elif binding.kind == "import" and alias.name == module:
                base = alias.asname or module
                written = f"{base}.{name}" if name else base
            elif not name and "." in module:
                package, _, last = module.rpartition(".")
                if _imports(binding, package, last):
                    written = local
            if written is None or not _in_effect(text, local, bindings, binding, at):
                continue
            if "." not in written:
                return written
            dotted = dotted or written
    return dotted


def _imports(binding: Binding, module: str, name: str) -> bool:
    node = binding.node
    return (
        binding.alias is not None
        and isinstance(node, ast.ImportFrom)
        and not node.level
        and node.module == module
        and binding.alias.name == name
    )


def _root(binding: Binding) -> str | None:
    """What an `import a.b` without `as` binds."""
    alias = binding.alias
    if alias is None or alias.asname or binding.kind != "import":
        return None
    return alias.name.partition(".")[0]


def _in_effect(
    text: FileText, local: str, bindings: list[Binding], binding: Binding, at: ast.AST
) -> bool:
    node = binding.node
    if binding.deferred or text.end(node) > _start(text, at):
        return False
    parent = text.index.parents.get(node)
    if isinstance(parent, ast.Try) and text.index.parents.get(parent) is text.tree:
        if node not in parent.body or not _all_equal(bindings, binding):
            return False
        if not all(
            isinstance(handler.body[-1], ast.Raise)
            or any(other.node in handler.body for other in bindings)
            for handler in parent.handlers
        ):
            return False
    elif parent is not text.tree or not _all_equal(bindings, binding):
        return False
    found = text.index.lookup(local, at)
    return found is not None and found[0] is text.index.module_scope


def _all_equal(bindings: list[Binding], binding: Binding) -> bool:
    """Whether a name is bound to one and the same thing wherever it is bound."""
    root = _root(binding)
    for other in bindings:
        if other is binding:
            continue
        if root is not None:
            if _root(other) != root:
                return False
        elif (
            other.alias is None
            or binding.alias is None
            or other.alias.name != binding.alias.name
            or other.kind != binding.kind
        ):
            return False
    return True


def _start(text: FileText, at: ast.AST) -> int:
    return text.start(at) if hasattr(at, "lineno") else len(text.text)


def _is_free(text: FileText, name: str, at: ast.AST, same: Callable[[Binding], bool]) -> bool:
    """Whether a module-level import may bind `name` for the use at `at`."""
    scope = text.index.module_scope
    found = text.index.lookup(name, at)
    if found is not None and found[0] is not scope:
        return False
    bindings = scope.bindings.get(name, ())
    if bindings:
        return all(same(binding) for binding in bindings)
    if hasattr(builtins, name) or scope.stars:
        return not any(
            node.id == name and text.index.lookup(name, node) is None
            for node in text.index.nodes(ast.Name)
        )
    return True


# -- adding ---------------------------------------------------------------------------------


def _add_from(text: FileText, module: str, name: str, at: ast.AST) -> Edits:
    statement = _statement_of(text, module, at)
    edits = _extend(text, statement, name) if statement is not None else None
    return edits or (_new_line(text, f"from {module} import {name}", module, True, at),)


def _statement_of(text: FileText, module: str, at: ast.AST) -> ast.ImportFrom | None:
    """The import at the top of the file that a name of `module` can be added to."""
    for statement in _leading_imports(text, at):
        if (
            isinstance(statement, ast.ImportFrom)
            and statement.module == module
            and not statement.level
            and statement.names[0].name != "*"
            and _import_brackets(text, statement) is not None
        ):
            return statement
    return None


def _import_brackets(text: FileText, statement: ast.ImportFrom) -> tuple[int, int] | None:
    """Where the names of a `from` import stand: in brackets or behind `import`."""
    end = text.end(statement)
    # `from import_ import x`: the keyword is a token of its own.
    for found in text.tokens_in(text.start(statement), end):
        if found.string == "import":
            opening = text.token_at(found.end)
            if opening is not None and opening.string == "(":
                return opening.start, end - 1
            return found.end - 1, end
    return None


def _extend(text: FileText, statement: ast.ImportFrom, name: str) -> Edits | None:
    brackets = _import_brackets(text, statement)
    if brackets is None:
        return None
    names = [alias.name for alias in statement.names]
    for key in (_by_type, str.lower, str):
        keys: list[Any] = [key(each) for each in names]
        if keys == sorted(keys):
            return insert_item(text, brackets, bisect_left(keys, key(name)), name)
    return append_item(text, brackets, name)


def _by_type(name: str) -> tuple[int, str]:
    """Isort's default order of members: constants, classes, the rest."""
    if name.isupper() and len(name) > 1:
        return 0, name.lower()
    return (1 if name[:1].isupper() else 2), name.lower()


def _leading_imports(text: FileText, at: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    """The imports at the top of the file, in front of `at`."""
    found: list[ast.Import | ast.ImportFrom] = []
    limit = _start(text, at)
    for position, statement in enumerate(text.tree.body):
        if text.end(statement) > limit:
            break
        if isinstance(statement, ast.Import | ast.ImportFrom):
            found.append(statement)
        elif not ((position == 0 and is_docstring(statement)) or _only_prepares(statement)):
            break
    return found


def _only_prepares(statement: ast.stmt) -> bool:
    """Whether a statement may stand among imports: a guarded import, or a dunder."""
    if isinstance(statement, ast.If):
        return is_type_checking(statement.test) or all(
            isinstance(child, ast.Import | ast.ImportFrom) or _only_prepares(child)
            for child in (*statement.body, *statement.orelse)
        )
    if isinstance(statement, ast.Try):
        return all(isinstance(child, ast.Import | ast.ImportFrom) for child in statement.body)
    return isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Name) and target.id.startswith("__") for target in statement.targets
    )


def _new_line(text: FileText, code: str, module: str, is_from: bool, at: ast.AST) -> Edit:
    """A new import in a line of its own, where isort would put it."""
    imports = [item for item in _leading_imports(text, at) if text.own_line(item)]
    group = _group_of(module, 0)
    same = [item for item in imports if _group(item) == group]
    lower = [item for item in same if _key(item) < (is_from, module.lower())]
    if lower:
        return insert_after(text, lower[-1], code)
    if same:
        return insert_before(text, same[0], code)
    before = [item for item in imports if _group(item) < group]
    behind = [item for item in imports if _group(item) > group]
    if before and (not behind or before[-1].lineno < behind[0].lineno):
        edit = insert_after(text, before[-1], code, blank=1)
        following = text.source.lines[before[-1].end_lineno or 0 :][:1]
        if following and following[0].strip():
            edit = Edit(edit.start, edit.end, f"{edit.text}\n")
        return edit
    if behind:
        return insert_before(text, behind[0], code, blank=1)
    body = text.tree.body
    if is_docstring(body[0]):
        return insert_after(text, body[0], code, blank=1)
    return insert_before(text, body[0], code, blank=1)


def _group(statement: ast.Import | ast.ImportFrom) -> int:
    if isinstance(statement, ast.ImportFrom):
        return _group_of(statement.module or "", statement.level)
    return _group_of(statement.names[0].name, 0)


def _group_of(module: str, level: int) -> int:
    if level:
        return _LOCAL
    root = module.partition(".")[0]
    if root == "__future__":
        return _FUTURE
    return _STANDARD if root in sys.stdlib_module_names else _THIRD


def _key(statement: ast.Import | ast.ImportFrom) -> tuple[bool, str]:
    if isinstance(statement, ast.ImportFrom):
        return True, (statement.module or "").lower()
    return False, statement.names[0].name.lower()


# -- dropping -------------------------------------------------------------------------------


def import_group(local: str) -> str:
    """The group for fixes that take uses of one imported name away.

    With it they are applied one by one, and the last of them also drops the import.
    """
    return f"import:{local}"


def remove_unused_import(text: FileText, local: str, without: Collection[ast.AST] = ()) -> Edits:
    """Drop the import that binds `local` if nothing uses it once the nodes `without` are gone.

    Parameters:
        local: the name as bound in this module.
        without: nodes that the same fix removes or replaces; uses inside of them do not count.

    Returns:
        No edits when it is used, exported, marked with `noqa`, or in an `__init__.py`.
    """
    bindings = text.index.module_scope.bindings.get(local, [])
    if len(bindings) != 1 or bindings[0].alias is None or _may_be_exported(text.source.path, local):
        return ()
    statement, alias = bindings[0].node, bindings[0].alias
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return ()
    gone = {id(child) for node in without for child in ast.walk(node)}
    if any(node.id == local and id(node) not in gone for node in text.index.nodes(ast.Name)):
        return ()
    word = re.compile(rf"\b{re.escape(local)}\b")
    for node in text.index.nodes(ast.Constant):
        if isinstance(node.value, str) and id(node) not in gone and word.search(node.value):
            if not is_docstring(text.index.parents.get(node, node)):  # type: ignore[arg-type]
                return ()
    for comment in text.comments:
        if "type:" in comment.string and word.search(comment.string):
            return ()
    start, line_end = text.start(statement), text.line_end(text.end(statement))
    if any("noqa" in comment.string for comment in text.comments_in(start, line_end)):
        return ()
    try:
        return _without_aliases(text, statement, [alias])
    except Unfixable:
        return ()


def _without_aliases(
    text: FileText, statement: ast.Import | ast.ImportFrom, going: Collection[ast.alias]
) -> Edits:
    start = text.start(statement)
    if len(statement.names) == len(going):
        return (_with_blank_lines(text.text, delete_statement(text, statement)),)
    if isinstance(statement, ast.Import):
        first = text.token_at(start)
        brackets = (first.end - 1, text.end(statement)) if first else None
    else:
        brackets = _import_brackets(text, statement)
    if brackets is None:
        return ()
    items = text.items(*brackets)
    if len(items) != len(statement.names):
        return ()
    positions = [i for i, each in enumerate(statement.names) if any(each is a for a in going)]
    return remove_items(text, brackets, [items[position] for position in positions])


def _with_blank_lines(text: str, edit: Edit) -> Edit:
    """The deletion of a line, with the blank lines that only set it apart from others."""
    if edit.text or not text[edit.start : edit.end].endswith("\n"):
        return edit
    above = len(text[: edit.start]) - len(text[: edit.start].rstrip("\n")) - 1
    below = len(text[edit.end :]) - len(text[edit.end :].lstrip("\n"))
    return Edit(edit.start, edit.end + (min(above, below) if edit.start else below), "")


def imports_left_over(before: Source, after: Source) -> Edits:
    """Drop the imports that fixes left without a use.

    Only those from the standard library and the framework: a name of the project's own may be
    imported from here by others. One that had no use before is none of the fixes'. A name has a use
    wherever its word stands, be it in a comment or a string.
    """
    if _may_be_exported(after.path, ""):
        return ()
    words_before, words_after = (Counter(_WORD.findall(each.text)) for each in (before, after))
    edits: list[Edit] = []
    for statement in after.parse().body:
        if not isinstance(statement, ast.ImportFrom) or statement.level or not statement.module:
            continue
        if statement.module.partition(".")[0] not in _LIBRARIES:
            continue
        going = [
            alias
            for alias in statement.names
            for local in [alias.asname or alias.name]
            if words_after[local] == 1 and words_before[local] != 1
        ]
        if not going:
            continue
        text = text_of(Module(Path(after.path), Path(after.path).stem, after, False))
        start, line_end = text.start(statement), text.line_end(text.end(statement))
        if any("noqa" in comment.string for comment in text.comments_in(start, line_end)):
            continue
        try:
            edits += _without_aliases(text, statement, going)
        except Unfixable:
            continue
    return tuple(edits)


def import_from_elsewhere(
    text: FileText, statement: ast.ImportFrom, names: Collection[str], module: str
) -> Edits:
    """Import some of a statement's names from another module, in a statement in front of it."""
    brackets = _import_brackets(text, statement)
    items = text.items(*brackets) if brackets is not None else []
    if brackets is None or len(items) != len(statement.names):
        raise Unfixable(UNREADABLE)
    going = [
        item for item, alias in zip(items, statement.names, strict=True) if alias.name in names
    ]
    code = ", ".join(text.text[item.start : item.end] for item in going)
    added = insert_before(text, statement, f"from {module} import {code}")
    return (added, *remove_items(text, brackets, going))


def _may_be_exported(path: str, local: str) -> bool:
    return path.replace("\\", "/").rpartition("/")[2] == "__init__.py" or local == "*"


def _exchange(text: FileText, local: str, module: str, name: str) -> Edit | None:
    """Replace the name that binds `local` in a `from module import ...` by another of its names."""
    binding = text.index.module_scope.bindings[local][0]
    statement = binding.node
    if not isinstance(statement, ast.ImportFrom) or statement.level or statement.module != module:
        return None
    brackets = _import_brackets(text, statement)
    items = text.items(*brackets) if brackets else []
    if len(items) != len(statement.names):
        return None
    position = next(i for i, alias in enumerate(statement.names) if alias is binding.alias)
    start, end = items[0].start, items[-1].end
    keys = [_by_type(alias.name) for alias in statement.names]
    if "\n" in text.text[start:end] or keys != sorted(keys):
        return Edit(items[position].start, items[position].end, name)
    written = [text.text[item.start : item.end] for item in items]
    del keys[position], written[position]
    written.insert(bisect_left(keys, _by_type(name)), name)
    return Edit(start, end, ", ".join(written))


def replace_reference(text: FileText, node: ast.expr, module: str, name: str) -> Edits:
    """Replace a name or dotted name by `name` of `module`, with its import.

    The import of the old name is dropped when this was its last use. Give the fix the group
    `import_group(old)` when there can be more of them in the file.
    """
    return replace_references(text, [node], module, name)


def replace_references(
    text: FileText, nodes: Sequence[ast.expr], module: str, name: str, *, alias: str = ""
) -> Edits:
    """Replace all of `nodes`, which name the same thing, as `replace_reference` does with one.

    For `alias` see `ensure_import`.
    """
    first = min(nodes, key=text.start)
    is_dotted = isinstance(first, ast.Attribute)
    imported = ensure_import(text, module, name, first, alias=alias, is_dotted=is_dotted)
    new = tuple(replace(text, node, imported.name) for node in nodes)
    root = first
    while isinstance(root, ast.Attribute):
        root = root.value
    dropped: Edits = ()
    if isinstance(root, ast.Name) and root.id != imported.name.partition(".")[0]:
        dropped = remove_unused_import(text, root.id, nodes)
        if dropped and imported.edits:
            exchanged = _exchange(text, root.id, module, name)
            if exchanged is not None:
                return *new, exchanged
    if any(
        drop.start < new_import.start < drop.end
        for drop in dropped
        for new_import in imported.edits
    ):
        # The new line would follow the deleted one: put it in that one's place.
        code = "".join(edit.text for edit in imported.edits).strip("\n")
        dropped = tuple(Edit(edit.start, edit.end, f"{code}\n") for edit in dropped)
        return (*new, *dropped)
    return (*new, *imported.edits, *dropped)
