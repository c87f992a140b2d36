"""Files: read and written back in one piece, with their newlines, mark and encoding."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import stat
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flake8_fastapi_rules.engine.source import Source, SourceError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = re.compile(r"\r\n|\r|\n")


class NotWritten(Exception):  # noqa: N818 - it is an outcome that is reported, not a failure
    """A file that is left as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was read.

    Parameters:
        path: where it is.
        data: its bytes.
        source: its text as the linter sees it.
        encoding: as detected; `utf-8-sig` when there is a byte order mark.
        text: its text with its own newlines, without a byte order mark.
    """

    path: Path
    data: bytes
    source: Source
    encoding: str
    text: str

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> SourceFile:
        """Read a file.

        Parameters:
            name: the name for reports (default: the path).

        Raises:
            OSError: when it cannot be read.
            SourceError: when it cannot be decoded.
        """
        return cls.of(path, path.read_bytes(), name)

    @classmethod
    def of(cls, path: Path, data: bytes, name: str | None = None) -> SourceFile:
        """A file from its bytes.

        Raises:
            SourceError: when they cannot be decoded.
        """
        source = Source.from_bytes(name if name is not None else str(path), data)
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            text = data.decode(encoding)
        except (SyntaxError, LookupError, UnicodeDecodeError) as error:
            raise SourceError(str(error)) from error
        return cls(path, data, source, encoding, text.removeprefix("\ufeff"))

    def raw(self, text: str) -> str:
        """A changed text with the newlines that its lines had in the file.

        A new line gets the end of the line that it replaces or follows.
        """
        ends = Counter(_END.findall(self.text))
        if not ends:
            return text
        common = ends.most_common(1)[0][0]
        if len(ends) == 1:
            return text if common == "\n" else text.replace("\n", common)
        old, new = _LINE.findall(self.text), _LINE.findall(text)
        old_texts = [line.rstrip("\r\n") for line in old]
        new_texts = [line.rstrip("\n") for line in new]
        for tag, start, end, new_start, new_end in _changes(old_texts, new_texts):
            for theirs in range(new_start, new_end):
                ours = start - 1 if tag == "insert" else min(start + theirs - new_start, end - 1)
                end_of_line = old[ours][len(old_texts[ours]) :] if ours >= 0 else ""
                if new[theirs].endswith("\n"):
                    new[theirs] = new_texts[theirs] + (end_of_line or common)
        return "".join(new)

    def encoded(self, text: str) -> bytes:
        """The bytes of a changed text.

        Raises:
            NotWritten: when the file's encoding has no bytes for it.
        """
        try:
            return self.raw(text).encode(self.encoding)
        except UnicodeEncodeError as error:
            bad = error.object[error.start : error.end]
            raise NotWritten(f"its encoding ({self.encoding}) has no {bad!r}") from error

    def write(self, text: str) -> None:
        """Put a changed text in the place of the file, at once or not at all.

        Mode, owner and extended attributes stay. Whatever ends the process, the path holds either
        the old file or the new one.

        Raises:
            NotWritten: for symbolic links, several hard links, read-only files and folders, and
                files that were changed since they were read.
        """
        data = self.encoded(text)
        if self.encoded(self.source.text) != self.data:
            raise NotWritten("its text cannot be written back byte by byte")
        try:
            status = self.path.lstat()
            _refuse(self.path, status)
            if self.path.read_bytes() != self.data:
                raise NotWritten("it was changed meanwhile")
            _replace(self.path, data, status)
        except OSError as error:
            raise NotWritten(f"it cannot be written: {error.strerror or error}") from error

    def require_writable(self) -> None:
        """Refuse what `write` would refuse for what the file is.

        Raises:
            NotWritten: for symbolic links, several hard links and read-only files.
        """
        try:
            _refuse(self.path, self.path.lstat())
        except OSError as error:
            raise NotWritten(f"it cannot be written: {error.strerror or error}") from error

    def diff(self, text: str) -> str:
        """A unified diff from the file to a changed text, with the file's own newlines."""
        name = self.source.path.replace(os.sep, "/")
        return unified_diff(self.text, self.raw(text), name)


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """How one list of lines becomes another, as `difflib` has it.

    `difflib` looks for the longest run of equal lines first, and may so pair a repeated line with
    the wrong one of its like: what is the same at both ends is set apart.
    """
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    old_end, new_end = len(old) - tail, len(new) - tail
    yield "equal", 0, head, 0, head
    matcher = difflib.SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False)
    for tag, i, j, k, n in matcher.get_opcodes():
        yield tag, i + head, j + head, k + head, n + head
    yield "equal", old_end, len(old), new_end, len(new)


def unified_diff(before: str, after: str, name: str) -> str:
    """A unified diff that `patch` and `git apply` take; empty when nothing differs."""
    lines: list[str] = []
    label = name.removeprefix("./").removeprefix("/")
    for line in difflib.unified_diff(
        _LINE.findall(before), _LINE.findall(after), f"a/{label}", f"b/{label}"
    ):
        lines.append(line)
        if not line.endswith(("\n", "\r")):
            lines.append("\n\\ No newline at end of file\n")
    return "".join(lines)


def _refuse(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise NotWritten("it is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise NotWritten("it is no regular file")
    if status.st_nlink > 1:
        raise NotWritten("it has several hard links")
    # A superuser may write read-only files as well, but did not mean to.
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise NotWritten("it is read-only")


def _replace(path: Path, data: bytes, status: os.stat_result) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _keep_attributes(path, name, status)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(path.parent)


def _keep_attributes(path: Path, name: str, status: os.stat_result) -> None:
    if hasattr(os, "chown"):
        made = os.stat(name)
        if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
            os.chown(name, status.st_uid, status.st_gid)
    os.chmod(name, stat.S_IMODE(status.st_mode))
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for attribute in os.listxattr(path):
                os.setxattr(name, attribute, os.getxattr(path, attribute))


def _sync_folder(folder: Path) -> None:
    """Make the renaming last; where folders cannot be opened, the system does it by itself."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
