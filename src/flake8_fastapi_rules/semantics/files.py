"""The files of a project, and their texts, which are searched all at once."""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import islice
from pathlib import Path

#: Files that mark the top of a project.
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "requirements.txt")
#: A working directory with more Python files than this, and no project file, is no project.
_SHELF = 3000
#: Folders that hold no first-party code.
SKIPPED_FOLDERS = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "dist-packages", "venv", "env",
        "virtualenv", "build", "dist", "__pypackages__", "bower_components",
    }
)  # fmt: skip
#: A larger file is data or generated code, and costs more than it can tell.
SIZE_LIMIT = 2_000_000


class ProjectFiles:
    """The Python files below a folder with their texts, each read once.

    Parameters:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mentioning: dict[str, tuple[Path, ...]] = {}

    @cached_property
    def _texts(self) -> tuple[tuple[Path, ...], list[int], bytes]:
        """The files, where each one's text starts, and all texts one behind the other."""
        paths: list[Path] = []
        starts: list[int] = []
        texts: list[bytes] = []
        size = 0
        for path in python_files(self.root):
            data = read_source(path)
            if data is not None:
                paths.append(path)
                starts.append(size)
                texts.append(data)
                size += len(data) + 1
        return tuple(paths), [*starts, size], b"\n".join(texts)

    def mentioning(self, word: str) -> tuple[Path, ...]:
        """The files whose text contains a word, sorted."""
        known = self._mentioning.get(word)
        if known is None:
            paths, _, _ = self._texts
            known = self._mentioning[word] = tuple(paths[i] for i in self._positions(word))
        return known

    def calling(self, name: str) -> Iterator[Path]:
        """The files where a name may be called, be it by `partial(name, ...)`, sorted."""
        paths, starts, text = self._texts
        called = re.compile(rb"\b%b[ \t]*\(" % name.encode())
        for i in self._positions(name):
            start, end = starts[i], starts[i + 1]
            if called.search(text, start, end) or text.find(b"partial", start, end) >= 0:
                yield paths[i]

    def _positions(self, word: str) -> Iterator[int]:
        _, starts, text = self._texts
        wanted = word.encode()
        at = text.find(wanted)
        while at >= 0:
            position = bisect_right(starts, at) - 1
            yield position
            at = text.find(wanted, starts[position + 1])

    def tested(self, test: Callable[[bytes, int, int], bool]) -> Iterator[tuple[Path, bool]]:
        """The files, sorted, with whether their text passes a test.

        Parameters:
            test: is given all texts, and where the one starts and ends that it is to look at.
        """
        paths, starts, text = self._texts
        for path, start, end in zip(paths, starts, starts[1:], strict=False):
            yield path, test(text, start, end)


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
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        if only_packages and here != root and "__init__.py" not in files:
            folders.clear()
            continue
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith(".")
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
