"""The same program written in other styles, with the places of its findings mapped.

Import styles keep the number of lines (but for lines inserted at one place, for which
`Variant.line` accounts), so findings must stand on the same lines. Text styles keep columns or map
them.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO

from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source

REEXPORTS = "far_reexports.py"
#: Names and modules that keep their import: the language itself gives them a meaning.
_KEPT = ("__future__", "TYPE_CHECKING")


@dataclass(frozen=True, slots=True)
class Variant:
    """A file written in another style.

    Parameters:
        text: the new text.
        inserted: the original lines (1-based) before which a line was inserted each.
        column: maps (line, column) of the original to the new column.
        renamed: names that were changed, old to new (they may occur in messages).
        siblings: further files that it needs.
    """

    text: str
    inserted: tuple[int, ...] = ()
    column: Callable[[int, int], int] = field(default=lambda line, column: column)
    renamed: Mapping[str, str] = field(default_factory=dict)
    siblings: Mapping[str, str] = field(default_factory=dict)

    def line(self, line: int) -> int:
        """Where an original line stands now."""
        return line + sum(1 for before in self.inserted if line >= before)

    def expected(self, finding: Finding) -> tuple[int, int, int, int, str, str]:
        """The place, code and message that a finding of the original must have here."""
        where = finding.range
        message = finding.message
        for old, new in self.renamed.items():
            message = re.sub(rf"\b{re.escape(old)}\b", new, message)
        return (
            self.line(where.line),
            self.column(where.line, where.column),
            self.line(where.end_line),
            self.column(where.end_line, where.end_column),
            finding.code,
            message,
        )


@dataclass(slots=True)
class _Import:
    """A name imported at module level: `from module import name as bound`."""

    node: ast.ImportFrom
    name: str
    bound: str
    uses: list[ast.Name] = field(default_factory=list)


@dataclass(slots=True)
class _Edits:
    """Replacements of stretches of one line each, or of whole import statements."""

    source: Source
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def name(self, node: ast.Name, text: str) -> None:
        self.edits.append((self.source.start(node), self.source.end(node), text))

    def statement(self, node: ast.stmt, text: str) -> None:
        """Replace a statement, keeping the number of its lines."""
        padding = "\n" * ((node.end_lineno or node.lineno) - node.lineno - text.count("\n"))
        end = self.source.end(node)
        stop = self.source.text.find("\n", end)
        rest = self.source.text[end : len(self.source.text) if stop < 0 else stop]
        self.edits.append((self.source.start(node), end + len(rest), text + rest + padding))

    def apply(self) -> str:
        text = self.source.text
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def import_styles(
    text: str,
    flagged_lines: Iterable[int] = (),
    exported: Iterable[str] = (),
    own: Iterable[str] = (),
) -> Iterator[tuple[str, Variant]]:
    """The variants of how names are imported that make sense for a text.

    Parameters:
        text: the program.
        flagged_lines: lines with findings; an import that is itself reported is not rewritten.
        exported: names that other files import from this one; they keep their names.
        own: the project's own modules, whose imports are left alone.
    """
    source = Source("example.py", text)
    tree = source.parse()
    imports = [
        entry
        for entry in _imports(tree, set(exported), set(own))
        if not set(range(entry.node.lineno, (entry.node.end_lineno or 0) + 1)) & set(flagged_lines)
    ]
    if not imports:
        return
    yield "module-alias", _module_alias(source, imports)
    yield "name-alias", _name_alias(source, imports)
    statements = list(dict.fromkeys(entry.node for entry in imports))
    listed = [_listing(node, imports) for node in statements]
    sibling = "\n".join(f"from {node.module} import {names}" for node, names in listed if names)
    # `import *` leaves out names that begin with an underscore.
    public = [entry for entry in imports if not entry.bound.startswith("_")]
    yield "re-export", _re_export(source, imports, sibling, star=False)
    if public:
        yield "star", _re_export(source, public, sibling, star=True)
    annotations_only = [entry for entry in imports if _only_annotates(tree, entry)]
    if annotations_only:
        yield "type-checking", _type_checking(source, annotations_only)


def _imports(tree: ast.Module, exported: set[str], own: set[str]) -> list[_Import]:
    """Names imported from libraries at module level, bound once and spelled out nowhere else."""
    entries: dict[str, _Import] = {}
    bindings: dict[str, int] = {}
    for node in ast.walk(tree):
        for name in _bound_names(node):
            bindings[name] = bindings.get(name, 0) + 1
    for statement in tree.body:
        if not isinstance(statement, ast.ImportFrom) or statement.level or not statement.module:
            continue
        if statement.module.partition(".")[0] in own:
            continue
        for alias in statement.names:
            bound = alias.asname or alias.name
            if alias.name in ("*", *_KEPT) or statement.module in _KEPT:
                continue
            if bindings.get(bound) == 1 and bound not in exported:
                entries[bound] = _Import(statement, alias.name, bound)
    spelled = {word for text in _strings_read_as_names(tree) for word in re.findall(r"\w+", text)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in entries:
            entries[node.id].uses.append(node)
    return [
        entry
        for name, entry in entries.items()
        if name not in spelled and entry.uses and not any(_in_fstring(tree, u) for u in entry.uses)
    ]


def _bound_names(node: ast.AST) -> list[str]:
    """The names that a node binds in whatever scope."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.arg(arg=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return [name]
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return list(names)
        case _ if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
            return [node.name]  # type: ignore[attr-defined]
    return []


def _strings_read_as_names(tree: ast.Module) -> Iterator[str]:
    """Strings whose words may be names: in annotations, subscripts, casts and `__all__`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            parts: list[ast.AST | None] = [node.annotation]
        elif isinstance(node, ast.arg):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [node.returns]
        elif isinstance(node, ast.Subscript):
            parts = [node.slice]
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            parts = [node.value]
        else:
            continue
        for part in parts:
            for inner in ast.walk(part) if part is not None else ():
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                    yield inner.value


def _in_fstring(tree: ast.Module, name: ast.Name) -> bool:
    """Whether a name stands in an f-string, where Python 3.11 knows no positions."""
    return any(
        isinstance(node, ast.JoinedStr) and any(inner is name for inner in ast.walk(node))
        for node in ast.walk(tree)
    )


def _left(statement: ast.ImportFrom, taken: list[_Import]) -> str:
    """What remains of an import statement without some of its names."""
    gone = {entry.bound for entry in taken if entry.node is statement}
    return ", ".join(
        f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        for alias in statement.names
        if (alias.asname or alias.name) not in gone
    )


def _listing(statement: ast.ImportFrom, taken: list[_Import]) -> tuple[ast.ImportFrom, str]:
    names = [
        f"{entry.name} as {entry.bound}" if entry.name != entry.bound else entry.name
        for entry in taken
        if entry.node is statement
    ]
    return statement, ", ".join(names)


def _replace_imports(
    source: Source, imports: list[_Import], new: Callable[[ast.ImportFrom, str], str]
) -> _Edits:
    """Replace the statements that import `imports`; names not taken stay in a `from` import."""
    edits = _Edits(source)
    for statement in dict.fromkeys(entry.node for entry in imports):
        left = _left(statement, imports)
        text = new(statement, _listing(statement, imports)[1])
        if left:
            text += f"; from {statement.module} import {left}"
        edits.statement(statement, text)
    return edits


def _module_alias(source: Source, imports: list[_Import]) -> Variant:
    """`from fastapi import X` becomes `import fastapi as far_fastapi`, `far_fastapi.X`."""

    def alias(module: str) -> str:
        return "far_" + module.replace(".", "_")

    edits = _replace_imports(
        source, imports, lambda node, _: f"import {node.module} as {alias(node.module or '')}"
    )
    for entry in imports:
        for use in entry.uses:
            edits.name(use, f"{alias(entry.node.module or '')}.{entry.name}")
    return Variant(edits.apply())


def _name_alias(source: Source, imports: list[_Import]) -> Variant:
    """`from fastapi import X` becomes `from fastapi import X as _X`."""

    def renamed(node: ast.ImportFrom, _: str) -> str:
        names = [f"{e.name} as _far_{e.bound}" for e in imports if e.node is node]
        return f"from {node.module} import {', '.join(names)}"

    edits = _replace_imports(source, imports, renamed)
    for entry in imports:
        for use in entry.uses:
            edits.name(use, f"_far_{entry.bound}")
    return Variant(edits.apply(), renamed={e.bound: f"_far_{e.bound}" for e in imports})


def _re_export(source: Source, imports: list[_Import], sibling: str, *, star: bool) -> Variant:
    """The names come from a module of the project that imports them."""
    module = REEXPORTS.removesuffix(".py")

    def moved(node: ast.ImportFrom, names: str) -> str:
        if star:
            return f"from {module} import *"
        bound = ", ".join(e.bound for e in imports if e.node is node)
        return f"from {module} import {bound}"

    edits = _replace_imports(source, imports, moved)
    return Variant(edits.apply(), siblings={REEXPORTS: sibling + "\n"})


def _only_annotates(tree: ast.Module, entry: _Import) -> bool:
    """Whether all uses are plain parts of annotations of parameters and results.

    What stands inside of a call in an annotation (`Annotated[T, Depends(f)]`) runs.
    """
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            annotation = node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            annotation = node.returns
        else:
            continue
        if annotation is not None and not any(
            isinstance(inner, ast.Call) for inner in ast.walk(annotation)
        ):
            inside.update(ast.walk(annotation))
    return all(use in inside for use in entry.uses)


def _type_checking(source: Source, imports: list[_Import]) -> Variant:
    """Names that only annotate are imported under `if TYPE_CHECKING`."""
    statements = list(dict.fromkeys(entry.node for entry in imports))
    edits = _Edits(source)
    for statement in statements:
        left = _left(statement, imports)
        edits.statement(statement, f"from {statement.module} import {left}" if left else "pass")
    listed = [_listing(statement, imports) for statement in statements]
    moved = "; ".join(f"from {node.module} import {names}" for node, names in listed)
    first = min(statement.lineno for statement in statements)
    lines = edits.apply().split("\n")
    lines[first - 1 : first - 1] = [
        "import typing as far_typing",
        f"if far_typing.TYPE_CHECKING: {moved}",
    ]
    return Variant("\n".join(lines), inserted=(first, first))


# -- text styles ----------------------------------------------------------------------------------


def text_styles(text: str, findings: list[Finding]) -> Iterator[tuple[str, Variant, bytes]]:
    """The variants of how a text is encoded and laid out, with the bytes to write."""
    same = Variant(text)
    yield "crlf", same, text.replace("\n", "\r\n").encode()
    yield "bom", same, b"\xef\xbb\xbf" + text.encode()
    tabs = _tabs(text)
    if tabs is not None:
        yield "tabs", tabs, tabs.text.encode()
    non_ascii = _non_ascii(text, findings)
    if non_ascii is not None:
        yield "non-ascii", non_ascii, non_ascii.text.encode()


def _tabs(text: str) -> Variant | None:
    """Indent with one tab for four spaces; `None` when nothing is indented that way."""
    frozen = _lines_inside_strings(text)
    lines = text.split("\n")
    widths: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        spaces = len(line) - len(line.lstrip(" "))
        if number not in frozen and spaces >= 4 and line.strip():
            lines[number - 1] = "\t" * (spaces // 4) + " " * (spaces % 4) + line[spaces:]
            widths[number] = spaces
    if not widths:
        return None

    def column(line: int, column: int) -> int:
        spaces = widths.get(line, 0)
        return column - (spaces // 4) * 3 if column >= spaces else column // 4 + column % 4

    return Variant("\n".join(lines), column=column)


def _lines_inside_strings(text: str) -> set[int]:
    """The lines that begin inside of a string."""
    inside: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif kind in ("FSTRING_START", "TSTRING_START"):
            starts.append(token.start[0])
        elif kind in ("FSTRING_END", "TSTRING_END"):
            inside.update(range(starts.pop() + 1, token.end[0] + 1))
    return inside


def _non_ascii(text: str, findings: list[Finding]) -> Variant | None:
    """Put characters of two, three and four bytes before the reported columns.

    A simple statement gets a tuple before it, a `def` a longer name. `None` when neither is
    possible on any reported line.
    """
    source = Source("example.py", text)
    tree = source.parse()
    prefix = '("\u00e9\u20ac\U0001d11e",); '
    edits: list[tuple[int, int, str]] = []
    shifts: dict[int, list[tuple[int, int]]] = {}
    renamed: dict[str, str] = {}
    lines = {finding.line for finding in findings}
    compound = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or node.lineno not in lines:
            continue
        where = source.range_of(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            behind = source.name_range(node).end_column
            if any(f.line == where.line and f.column >= behind for f in findings):
                renamed[node.name] = f"{node.name}_\u00e9\u6f22"
        elif not hasattr(node, "body") and not isinstance(node, (*compound, ast.Match, ast.Global)):
            before = source.lines[where.line - 1][: where.column]
            if before.strip() or _is_docstring(node) or _is_future(node):
                continue
            edits.append((source.start(node), source.start(node), prefix))
            shifts.setdefault(where.line, []).append((where.column, len(prefix)))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in renamed:
            if node.name in names or node.name.startswith("__"):
                renamed.pop(node.name)
                continue
            where = source.name_range(node)
            start = source.offset(where.line, where.column)
            edits.append((start, start + len(node.name), renamed[node.name]))
            shifts.setdefault(where.line, []).append((where.end_column, 3))
    if not edits:
        return None
    new = text
    for start, end, replacement in sorted(edits, reverse=True):
        new = new[:start] + replacement + new[end:]

    def column(line: int, column: int) -> int:
        return column + sum(width for start, width in shifts.get(line, ()) if column >= start)

    return Variant(new, column=column, renamed=renamed)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def with_noqa(text: str, findings: list[Finding]) -> str:
    """Put a `# noqa: CODE` on every reported line, in place of its marker.

    A line that ends inside of a string cannot hold it; the line where the string ends can.
    """
    lines = text.split("\n")
    inside = _lines_inside_strings(text)
    codes: dict[int, set[str]] = {}
    for finding in findings:
        line = finding.line
        while line + 1 in inside:
            line += 1
        codes.setdefault(line, set()).add(finding.code)
    for number, found in codes.items():
        line = re.sub(r"\s*#\s*(FAR[0-9]{3}|noqa)\b.*$", "", lines[number - 1])
        lines[number - 1] = f"{line}  # noqa: {','.join(sorted(found))}"
    return "\n".join(lines)


def with_comments(text: str) -> tuple[str, list[str]]:
    """Put a comment of its own on every line that can hold one; gives the comments too."""
    lines = text.split("\n")
    ends: set[int] = set()
    has_comment: set[int] = set()
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type in (tokenize.NEWLINE, tokenize.NL) and token.string:
            ends.add(token.start[0])
        elif token.type == tokenize.COMMENT:
            has_comment.add(token.start[0])
    comments = []
    for number in sorted(ends - has_comment):
        if lines[number - 1].strip():
            comments.append(f"# keep {number}")
            lines[number - 1] += f"  # keep {number}"
    return "\n".join(lines), comments


def comments_of(text: str) -> list[str]:
    """The comments of a text."""
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]
