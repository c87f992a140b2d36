"""The files of a project, and their texts, which are searched all at once."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from flake8_fastapi_rules.engine.discovery import is_left_out

#: Files that mark the top of a project.
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "requirements.txt")
#: What names members of a workspace: no path from the root, and none of any depth (`**`), which
#: would take a walk through the whole repository.
_MEMBERS = re.compile(r"(?!/)(?:(?!\*\*|\.\./).)+")
#: A working directory with more Python files than this, and no project file, is no project.
_SHELF = 3000
#: Folders that hold no first-party code.
SKIPPED_FOLDERS = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "dist-packages", "venv", "env",
        "virtualenv", "build", "dist", "__pypackages__", "bower_components",
    }
)  # fmt: skip
#: A folder with no more files than this is an excerpt.
_SNIPPET = 2
#: A larger file is data or generated code, and costs more than it can tell.
SIZE_LIMIT = 2_000_000
#: More text than this is read again for each question, rather than kept: in bytes.
_KEPT = 200_000_000


class ProjectFiles:
    """The Python files below a folder with their texts, each read once.

    Parameters:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mentioning: dict[str, tuple[Path, ...]] = {}
        self._calling: dict[str, tuple[Path, ...]] = {}
        self._kept: _Texts | None = None

    @property
    def _texts(self) -> _Texts:
        texts = self._kept or _Texts.below(self.root)
        if len(texts.text) <= _KEPT:
            self._kept = texts
        return texts

    def mentioning(self, word: str) -> tuple[Path, ...]:
        """The files whose text contains a word, sorted."""
        known = self._mentioning.get(word)
        if known is None:
            texts = self._texts
            found = (texts.paths[i] for i in texts.positions(word))
            known = self._mentioning[word] = tuple(found)
        return known

    def are_many_mentioning(self, word: str, limit: int) -> bool:
        """Whether more files than a limit contain a word: common ones are found at once."""
        if word not in self._mentioning:
            texts = self._texts
            found = tuple(texts.paths[i] for i in islice(texts.positions(word), limit + 1))
            if len(found) > limit:
                return True
            self._mentioning[word] = found
        return len(self._mentioning[word]) > limit

    def calling(self, name: str) -> tuple[Path, ...]:
        """The files where a name may be called, be it by `partial(name, ...)`, sorted."""
        known = self._calling.get(name)
        if known is None:
            known = self._calling[name] = tuple(self._find_calling(name))
        return known

    def _find_calling(self, name: str) -> Iterator[Path]:
        texts = self._texts
        text = texts.text
        called = re.compile(rb"\b%b[ \t]*\(" % name.encode())
        for i in texts.positions(name):
            start, end = texts.starts[i], texts.starts[i + 1]
            if called.search(text, start, end) or text.find(b"partial", start, end) >= 0:
                yield texts.paths[i]

    def searched(self, words: Iterable[str]) -> Iterator[tuple[Path, bool]]:
        """The files, sorted, with whether their text contains one of the words."""
        texts = self._texts
        found = {i for word in words for i in texts.positions(word)}
        for i, path in enumerate(texts.paths):
            yield path, i in found

    def tested(self, test: Callable[[bytes, int, int], bool]) -> Iterator[tuple[Path, bool]]:
        """The files, sorted, with whether their text passes a test.

        Parameters:
            test: is given all texts, and where the one starts and ends that it is to look at.
        """
        texts = self._texts
        for path, start, end in zip(texts.paths, texts.starts, texts.starts[1:], strict=False):
            yield path, test(texts.text, start, end)


@dataclass(frozen=True, slots=True)
class _Texts:
    """All texts of a project one behind the other, with the place in bytes where each starts."""

    paths: tuple[Path, ...]
    starts: tuple[int, ...]
    text: bytes

    @classmethod
    def below(cls, root: Path) -> _Texts:
        """Read the files that can be read."""
        paths: list[Path] = []
        starts = [0]
        texts: list[bytes] = []
        for path in python_files(root):
            data = read_source(path)
            if data is not None:
                paths.append(path)
                texts.append(data)
                starts.append(starts[-1] + len(data) + 1)
        return cls(tuple(paths), tuple(starts), b"\n".join(texts))

    def positions(self, word: str) -> Iterator[int]:
        """The files whose text contains a word, by their positions among `paths`."""
        wanted = word.encode()
        at = self.text.find(wanted)
        while at >= 0:
            position = bisect_right(self.starts, at) - 1
            yield position
            at = self.text.find(wanted, self.starts[position + 1])


def read_source(path: Path) -> bytes | None:
    """The bytes of a source file; `None` for what cannot be read, is too large, or is no file.

    A pipe is no file: reading it would never end.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT:
            return None
        return path.read_bytes()
    except OSError:
        return None


@cache
def is_snippet(root: Path) -> bool:
    """Whether a directory holds a file or two only: code that is shown by itself."""
    return sum(1 for _ in islice(python_files(root), _SNIPPET + 1)) <= _SNIPPET


def python_files(root: Path) -> Iterator[Path]:
    """The Python files of a project, sorted, without virtual environments and hidden folders.

    Symbolic links to folders are not followed, so a loop of links cannot trap the walk. Of a folder
    that is no project but holds many (a home, `/tmp`), only its own files and packages count.
    """
    is_project = os.path.exists(root / ".git") or has_project_file(root)
    return _files_below(root, only_packages=not is_project and not is_small(root))


def _files_below(root: Path, *, only_packages: bool = False) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        if "pyvenv.cfg" in files and here != root:  # some make the environment around the project
            folders.clear()
            continue
        if only_packages and here != root and "__init__.py" not in files:
            folders.clear()
            continue
        folders[:] = sorted(
            name for name in folders if not is_left_out(folder, name, SKIPPED_FOLDERS)
        )
        for name in sorted(files):
            if name.endswith(".py"):
                yield here / name


def has_project_file(folder: Path) -> bool:
    return any(os.path.isfile(os.path.join(folder, name)) for name in _MARKERS)


@cache
def is_small(folder: Path) -> bool:
    """Whether a folder without any project file could be one project, and not a shelf of them."""
    return next(islice(_files_below(folder), _SHELF, None), None) is None


def workspace_members(top: Path) -> list[Path]:
    """The folders that the project file at a monorepo's top names as members of its workspace."""
    try:
        table = tomllib.loads((top / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    patterns: list[object] = []
    match table:
        case {"tool": {"uv": {"workspace": {"members": [*members]}}}}:
            patterns = members
        case {"tool": {"rye": {"workspace": {"members": [*members]}}}}:
            patterns = members
    return [
        folder
        for pattern in patterns
        if isinstance(pattern, str) and _MEMBERS.fullmatch(pattern)
        for folder in sorted(top.glob(pattern))
    ]
