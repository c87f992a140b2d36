"""The tokens of a file, and what `ast` has no positions for: commas, brackets, comments.

All positions are character offsets into `Source.text`.
"""

from __future__ import annotations

import ast
import io
import token
import tokenize
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache

from flake8_fastapi_rules.engine.index import ModuleIndex
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import FunctionNode

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_INSIGNIFICANT = frozenset(
    {
        token.COMMENT,
        token.NL,
        token.NEWLINE,
        token.INDENT,
        token.DEDENT,
        token.ENDMARKER,
        token.ENCODING,
    }
)
#: From Python 3.12 on, the text between the braces of an f-string is a token, such as `(`.
_LITERAL_TEXT = frozenset(
    getattr(token, name) for name in ("FSTRING_MIDDLE", "TSTRING_MIDDLE") if hasattr(token, name)
)
_BLOCK_FIELDS = ("body", "orelse", "finalbody", "handlers")


@dataclass(frozen=True, slots=True)
class Token:
    """A token that carries meaning (no comment, newline or indentation)."""

    string: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its `#` to the end of its line."""

    string: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """An element of a comma-separated list in brackets.

    Parameters:
        start, end: from its first to behind its last token, parentheses included.
        comma: where the comma behind it stands; `None` when there is none.
    """

    start: int
    end: int
    comma: int | None

    @property
    def after(self) -> int:
        """The offset behind the element and its comma."""
        return self.end if self.comma is None else self.comma + 1


class FileText:
    """One module's text, its tokens and its tree, for making edits.

    Use `text_of(module)`, which keeps the last few.
    """

    def __init__(self, source: Source, tree: ast.Module, index: ModuleIndex) -> None:
        self.source = source
        self.text = source.text
        self.tree = tree
        self.index = index

    # -- tokens -----------------------------------------------------------------------------

    @cached_property
    def _scanned(self) -> tuple[list[Token], list[Comment]]:
        offset = self.source.offset
        significant: list[Token] = []
        comments: list[Comment] = []
        try:
            # Only `\n` ends a line: a form feed or `\x1c` must not, as it does for splitlines().
            reader = io.StringIO(self.text, newline="\n").readline
            for found in tokenize.generate_tokens(reader):
                if found.type == token.COMMENT:
                    comments.append(Comment(found.string, offset(*found.start), offset(*found.end)))
                elif found.type not in _INSIGNIFICANT:
                    string = "" if found.type in _LITERAL_TEXT else found.string
                    significant.append(Token(string, offset(*found.start), offset(*found.end)))
        except (tokenize.TokenError, SyntaxError, IndexError):
            # The parser takes some texts that the tokenizer does not (a form feed in an
            # indentation, say): what was read so far serves, and helpers that miss a token give up.
            pass
        return significant, comments

    @property
    def tokens(self) -> list[Token]:
        """The meaningful tokens, in order."""
        return self._scanned[0]

    @property
    def comments(self) -> list[Comment]:
        """The comments, in order."""
        return self._scanned[1]

    @cached_property
    def _starts(self) -> list[int]:
        return [found.start for found in self.tokens]

    @cached_property
    def _comment_starts(self) -> list[int]:
        return [found.start for found in self.comments]

    def tokens_in(self, start: int, end: int) -> list[Token]:
        """The tokens that begin in `start` (included) to `end` (excluded)."""
        return self.tokens[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def token_at(self, offset: int) -> Token | None:
        """The first token that begins at `offset` or later."""
        position = bisect_left(self._starts, offset)
        return self.tokens[position] if position < len(self.tokens) else None

    def token_before(self, offset: int) -> Token | None:
        """The last token that begins before `offset`."""
        position = bisect_left(self._starts, offset)
        return self.tokens[position - 1] if position else None

    def comments_in(self, start: int, end: int) -> list[Comment]:
        """The comments that begin in `start` (included) to `end` (excluded)."""
        return self.comments[
            bisect_left(self._comment_starts, start) : bisect_left(self._comment_starts, end)
        ]

    def has_comment(self, start: int, end: int) -> bool:
        """Whether a comment begins between the offsets."""
        return bool(self.comments_in(start, end))

    # -- lines ------------------------------------------------------------------------------

    def line_start(self, offset: int) -> int:
        """The offset of the first character of the line that `offset` is in."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The offset of the newline that ends the line (or of the text's end)."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def is_first_on_line(self, offset: int) -> bool:
        """Whether only blanks stand before `offset` on its line."""
        return not self.text[self.line_start(offset) : offset].strip()

    def is_last_on_line(self, offset: int) -> bool:
        """Whether only blanks and a comment follow `offset` on its line."""
        rest = self.text[offset : self.line_end(offset)].lstrip()
        return not rest or rest.startswith("#")

    def indentation(self, offset: int) -> str:
        """The blanks at the beginning of the line that `offset` is in."""
        line = self.text[self.line_start(offset) : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip())]

    @cached_property
    def indent_unit(self) -> str:
        """One step of indentation, as the file's first block has it."""
        for node in self.tree.body:
            for child in ast.walk(node):
                body = getattr(child, "body", None)
                if isinstance(child, ast.stmt) and isinstance(body, list) and body:
                    outer, inner = child.lineno, self.start_of_statement(body[0])
                    unit = self.indentation(inner).removeprefix(
                        self.indentation(self.source.line_starts[outer - 1])
                    )
                    if unit and self.is_first_on_line(inner):
                        return unit
        return "    "

    # -- nodes ------------------------------------------------------------------------------

    def start(self, node: ast.AST) -> int:
        """Where a node begins, without parentheses around it."""
        return self.source.start(node)

    def end(self, node: ast.AST) -> int:
        """Where a node ends, without parentheses around it."""
        return self.source.end(node)

    def segment(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Where an expression begins and ends with the parentheses that belong to it alone.

        The brackets of a call or a definition belong to those, not to their only argument.
        """
        start, end = self.start(node), self.end(node)
        low, high = self._room_of(node)
        while True:
            before, after = self.token_before(start), self.token_at(end)
            if (
                before is None
                or after is None
                or before.string != "("
                or after.string != ")"
                or before.start < low
                or after.end > high
            ):
                return start, end
            start, end = before.start, after.end

    def _room_of(self, node: ast.expr) -> tuple[int, int]:
        parent = self.index.parents.get(node)
        if isinstance(parent, ast.keyword | ast.Starred):
            above = self.index.parents.get(parent)
            limit = self.end(parent)
            if isinstance(parent, ast.keyword) and isinstance(above, ast.Call | ast.ClassDef):
                limit = self.end(above) - 1
            return self.start(parent), limit
        if isinstance(parent, ast.Call) and node is not parent.func:
            brackets = self.call_brackets(parent)
            return (
                (brackets[0] + 1, brackets[1]) if brackets else (self.start(node), self.end(node))
            )
        if isinstance(parent, ast.ClassDef) and node not in parent.decorator_list:
            return self.start(node), self.end(node)
        if isinstance(parent, ast.arg | ast.arguments):
            function = self.index.parents.get(parent)
            while function is not None and not isinstance(
                function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
            ):
                function = self.index.parents.get(function)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                brackets = self.signature_brackets(function)
                if brackets:
                    return brackets[0] + 1, brackets[1]
            return 0, len(self.text)
        if parent is None or isinstance(parent, ast.Module | ast.stmt):
            return 0, len(self.text)
        if hasattr(parent, "lineno"):
            return self.start(parent), self.end(parent)
        return 0, len(self.text)

    def is_editable(self, node: ast.AST) -> bool:
        """Whether positions inside of `node` can be trusted: not within an f-string.

        Nor within a string annotation: what is parsed out of it has the place of the whole string.
        """
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant | ast.JoinedStr):
            first = self.token_at(self.start(node))
            if first and first.string[-1] in "\"'" and first.end == self.end(node):
                return False
        current: ast.AST | None = node
        while current is not None:
            if isinstance(current, ast.JoinedStr) or type(current).__name__ == "TemplateStr":
                return False
            if current is self.tree:
                return True
            above = self.index.parents.get(current)
            if isinstance(above, ast.Constant):
                return False
            current = above
        return False

    def call_brackets(self, call: ast.Call) -> tuple[int, int] | None:
        """The offsets of the brackets around a call's arguments."""
        close = self.end(call) - 1
        last = self.token_at(close)
        if last is None or last.start != close or last.string != ")":
            return None
        for found in self.tokens_in(self.end(call.func), close):
            if found.string == "(":
                return found.start, close
            if found.string != ")":
                break
        return None

    def signature_brackets(self, function: FunctionNode) -> tuple[int, int] | None:
        """The offsets of the brackets around a function's parameters."""
        position = bisect_left(self._starts, self.start(function))
        keywords = 2 if isinstance(function, ast.AsyncFunctionDef) else 1
        depth = 0
        for found in self.tokens[position + keywords + 1 :]:
            # PEP 695: `def f[T: (int, str)](x)`.
            if found.string == "[":
                depth += 1
            elif found.string == "]":
                depth -= 1
            elif found.string == "(" and not depth:
                close = self.closing(found.start)
                return None if close is None else (found.start, close)
            elif found.string == ":" and not depth:
                break
        return None

    def closing(self, opening: int) -> int | None:
        """The offset of the bracket that closes the one at `opening`."""
        stack: list[str] = []
        for found in self.tokens[bisect_left(self._starts, opening) :]:
            if found.string in _CLOSING:
                stack.append(_CLOSING[found.string])
            elif stack and found.string == stack[-1]:
                stack.pop()
                if not stack:
                    return found.start
        return None

    def items(self, opening: int, closing: int) -> list[Item]:
        """The comma-separated elements between two brackets."""
        found: list[Item] = []
        depth = 0
        start: int | None = None
        end = opening
        # A lambda's own commas are not in brackets: `f(lambda a, b: a, c)`.
        lambdas: list[int] = []
        for current in self.tokens_in(opening + 1, closing):
            text = current.string
            if text in _CLOSING:
                depth += 1
            elif text in (")", "]", "}"):
                depth -= 1
            elif text == "lambda":
                lambdas.append(depth)
            elif text == ":" and lambdas and lambdas[-1] == depth:
                lambdas.pop()
            elif text == "," and depth == 0 and not lambdas:
                if start is not None:
                    found.append(Item(start, end, current.start))
                start = None
                continue
            if start is None:
                start = current.start
            end = current.end
        if start is not None:
            found.append(Item(start, end, None))
        return found

    # -- statements -------------------------------------------------------------------------

    def start_of_statement(self, statement: ast.stmt) -> int:
        """Where a statement begins, its decorators included."""
        decorators = getattr(statement, "decorator_list", None)
        if decorators:
            first = self.span(decorators[0])[0]
            at = self.token_before(first)
            return at.start if at is not None and at.string == "@" else first
        return self.start(statement)

    def block_of(self, statement: ast.stmt) -> list[ast.stmt] | None:
        """The list of statements that `statement` stands in."""
        parent = self.index.parents.get(statement)
        for name in _BLOCK_FIELDS:
            block = getattr(parent, name, None)
            if isinstance(block, list) and any(item is statement for item in block):
                return block
        return None

    def own_line(self, statement: ast.stmt) -> bool:
        """Whether a statement shares its first and last line with no other."""
        return self.is_first_on_line(self.start_of_statement(statement)) and self.is_last_on_line(
            self.end(statement)
        )


@lru_cache(maxsize=4)
def _cached_text(module: Module) -> FileText:
    return FileText(module.source, module.tree, module.index)


def text_of(module: Module) -> FileText:
    """The text of a module, ready for edits."""
    return _cached_text(module)
