"""The Python files that the paths on the command line stand for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

#: Directories that hold no code of the project; hidden ones are left out too.
EXCLUDED_DIRECTORIES = frozenset(
    {
        "__pycache__",
        "__pypackages__",
        "build",
        "dist",
        "node_modules",
        "site-packages",
        "venv",
    }
)

#: Of these, the ones that packages may be called as well.
_PACKAGE_NAMES = frozenset({"build", "dist", "env"})


def is_left_out(folder: str, name: str, names: frozenset[str] = EXCLUDED_DIRECTORIES) -> bool:
    """Whether a directory in a folder holds no code of the project.

    A package called `build`, or a folder of that name inside of one, does.

    Parameters:
        names: what such directories are called.
    """
    if name not in _PACKAGE_NAMES or name not in names:
        return name in names or name.startswith(".")
    return not any(
        os.path.isfile(os.path.join(package, "__init__.py"))
        for package in (folder, os.path.join(folder, name))
    )


def python_files(
    paths: Iterable[str],
    is_excluded: Callable[[str], bool] = lambda path: False,
    on_error: Callable[[OSError], None] = lambda error: None,
) -> list[str]:
    """The files to check, sorted within each path, each file once.

    A path that is a file stands for itself, whatever its name. Directories are searched for
    `*.py` without virtual environments, hidden and excluded directories; links to directories are
    not followed, so that loops of links end.

    Parameters:
        paths: files, directories or `-` for standard input.
        is_excluded: whether a file or directory below a path is left out.
        on_error: told of directories that cannot be listed.
    """
    found: dict[str, str] = {}
    for path in paths:
        inside = _walk(path, is_excluded, on_error) if os.path.isdir(path) else (path,)
        for file in inside:
            found.setdefault("-" if file == "-" else os.path.abspath(file), file)
    return list(found.values())


def _walk(
    top: str, is_excluded: Callable[[str], bool], on_error: Callable[[OSError], None]
) -> Iterator[str]:
    for folder, folders, files in os.walk(top, onerror=on_error):
        if folder != top and "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(
            name
            for name in folders
            if not is_left_out(folder, name) and not is_excluded(os.path.join(folder, name))
        )
        for name in sorted(files):
            file = os.path.normpath(os.path.join(folder, name))
            if name.endswith(".py") and not is_excluded(file):
                yield file
