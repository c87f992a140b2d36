"""One file's text, its lines, and the conversion between byte columns and characters."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

#: `except A, B:` and `except* A, B:` without parentheses, as Python 3.14 has it.
_UNPARENTHESIZED = re.compile(
    r"^(?P<head>[ \t]*except\*?) (?P<names>[\w.]+(?:, ?[\w.]+)*), (?P<last>[\w.]+)"
    r"(?P<tail>[ \t]*:)",
    re.MULTILINE,
)


def _parenthesized(match: re.Match[str]) -> str:
    """The same clause in parentheses and at the same length, so that columns stay true."""
    return "{head}({names},{last}){tail}".format(**match.groupdict())


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """A stretch of source.

    Lines are 1-based. Columns are 0-based and count characters, not the UTF-8 bytes of `ast`.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class SourceError(Exception):
    """A file that cannot be read as Python source.

    `line` (1-based) and `column` (0-based characters) say where, as far as that is known.
    """

    def __init__(self, message: str, line: int = 1, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class Source:
    r"""The text of one file, with `\n` line ends as Python's tokenizer sees them.

    Parameters:
        path: the name under which findings are reported.
        text: the decoded text, without a byte order mark, newlines normalised to `\\n`.
    """

    __slots__ = ("__dict__", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> Source:
        """Decode `data` as Python does: by its byte order mark or coding comment.

        Raises:
            SourceError: for null bytes, an unknown encoding or bytes that it cannot decode.
        """
        if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            line = data[: data.index(b"\0")].count(b"\n") + 1
            raise SourceError("source contains a null byte", line)
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise SourceError(f"cannot decode the file as {error.encoding}", line) from error
        except (SyntaxError, LookupError) as error:
            # Without a declaration the file ought to be UTF-8: say where it is not.
            if "missing encoding declaration" in str(error):
                line = _line_that_is_not_utf8(data)
                raise SourceError("cannot decode the file as utf-8", line) from error
            raise SourceError(str(error) or "unknown encoding") from error
        if text.startswith("\ufeff"):
            text = text[1:]
        return cls(path, text.replace("\r\n", "\n").replace("\r", "\n"))

    def parse(self) -> ast.Module:
        """The syntax tree; the text is parsed once, so nobody may change the tree.

        `except A, B:` (PEP 758, Python 3.14) is understood by older interpreters too.

        Raises:
            SourceError: for a syntax error, too deep nesting, or text the parser refuses.
        """
        return self._tree

    @cached_property
    def _tree(self) -> ast.Module:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a linted file's "\\d" is no concern of ours
                try:
                    return ast.parse(self.text, self.path)
                except SyntaxError:
                    older = _UNPARENTHESIZED.sub(_parenthesized, self.text)
                    if older == self.text:
                        raise
                    return ast.parse(older, self.path)
        except SyntaxError as error:
            column = max((error.offset or 1) - 1, 0)
            detail = error.msg.removeprefix("invalid syntax").lstrip(". ")
            message = f"invalid syntax: {detail}" if detail else "invalid syntax"
            raise SourceError(message, error.lineno or 1, column) from error
        except (RecursionError, MemoryError) as error:
            raise SourceError("too deeply nested to be parsed") from error
        except ValueError as error:
            raise SourceError(str(error)) from error

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; index 0 is line 1."""
        return self.text.split("\n")

    @cached_property
    def line_starts(self) -> list[int]:
        """For each line, the character offset of its first character."""
        starts = [0]
        for line in self.lines[:-1]:
            starts.append(starts[-1] + len(line) + 1)
        return starts

    @cached_property
    def _is_ascii(self) -> bool:
        return self.text.isascii()

    def column(self, line: int, byte_column: int) -> int:
        """The character column for a 1-based line and a 0-based UTF-8 byte column."""
        if self._is_ascii:
            return byte_column
        text = self.lines[line - 1]
        if text.isascii():
            return byte_column
        return len(text.encode()[:byte_column].decode(errors="replace"))

    def offset(self, line: int, column: int) -> int:
        """The character offset for a 1-based line and a 0-based character column."""
        return self.line_starts[line - 1] + column

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and the 0-based character column of a character offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1]

    def range_of(self, node: ast.expr | ast.stmt | ast.AST) -> Range:
        """The range that `node` covers (decorators of a definition are not part of it)."""
        line: int = getattr(node, "lineno", 1)
        end_line: int = getattr(node, "end_lineno", None) or line
        end: int = getattr(node, "end_col_offset", None) or 0
        return Range(
            line,
            self.column(line, getattr(node, "col_offset", 0)),
            end_line,
            self.column(end_line, end),
        )

    def name_range(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Range:
        """The range of the name in a `def` or `class` line."""
        whole = self.range_of(node)
        text = self.lines[whole.line - 1]
        column = text.find(
            node.name, whole.column + (3 if isinstance(node, ast.FunctionDef) else 5)
        )
        if column < 0:  # the name stands on a continuation line: fall back to the keyword
            return Range(whole.line, whole.column, whole.line, len(text))
        return Range(whole.line, column, whole.line, column + len(node.name))

    def keyword_range(self, node: ast.stmt) -> Range:
        """The range of the word that a compound statement begins with (`try`, `with`, `for`)."""
        whole = self.range_of(node)
        text = self.lines[whole.line - 1]
        end = whole.column
        while end < len(text) and text[end].isalpha():
            end += 1
        return Range(whole.line, whole.column, whole.line, end)

    def start(self, node: ast.AST) -> int:
        """The character offset where `node` begins."""
        return self.offset(node.lineno, self.column(node.lineno, node.col_offset))  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """The character offset just behind `node`."""
        line: int = node.end_lineno  # type: ignore[attr-defined]
        return self.offset(line, self.column(line, node.end_col_offset))  # type: ignore[attr-defined]

    def segment(self, node: ast.AST) -> str:
        """The source text of `node`."""
        return self.text[self.start(node) : self.end(node)]


def _line_that_is_not_utf8(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data[: error.start].count(b"\n") + 1
    return 1
