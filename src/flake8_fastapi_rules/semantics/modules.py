"""The project's modules: found by their dotted names, parsed when a question needs them."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

from flake8_fastapi_rules.engine.index import ModuleIndex
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.semantics.files import (
    SKIPPED_FOLDERS,
    ProjectFiles,
    has_project_file,
    is_small,
    read_source,
    workspace_members,
)
from flake8_fastapi_rules.semantics.names import (
    NEVER_FIRST_PARTY,
    STDLIB_MODULES_WITHOUT_SUBMODULES,
    USUAL_OWN_MODULES,
)

#: How far above the nearest project file an enclosing one still belongs to it (a monorepo's).
_LEVELS = 4
#: What the text of a file that declares, includes or injects anything must contain: one of these
#: words or a decorator. Each word is looked for by itself, which is faster than one expression.
_FASTAPI = re.compile(rb"ast[aA][pP][iI](?<=[fF].{6})")
_WORDS = (
    b"starlette", b"APIRouter", b"Depends(", b"include_router", b"add_api_route", b".mount(",
    b"_overrides", b"add_middleware", b"exception_handler", b"on_event", b"event_handler",
    b"uvicorn", b"App(", b"Application(", b"Router(", b"_app(", b"_application(",
)  # fmt: skip
_DECORATOR = re.compile(
    rb"@[\w.]+(?:\.(?:get|post|put|patch|delete|head|options|trace|websocket|api_route|route)\b"
    rb"|\([^\n()]*[\"']/)"
)
#: `from .web import Service` and `app = Service()` say nothing else of the framework.
_ASSIGNED = re.compile(rb"^ *(?:app|application|router)(?::[^=\n]+)? *= *\w", re.MULTILINE)
#: What the text of a file that starts something in the background must contain.
_ROUTINES = (
    "create_task", "ensure_future", "add_task", "add_job", "start_soon", "BackgroundTask",
    "repeat_", "scheduled_job",
)  # fmt: skip
#: What binds a name at a module's top level: the name of a function, a class, or anything else.
_TOP_LEVEL = re.compile(
    r"^(?:(?:async[ \t]+)?def[ \t]+(\w+)|class[ \t]+(\w+)|(\w+)[ \t]*[:=])", re.MULTILINE
)
#: A class at a module's top level, with what stands between its brackets.
_CLASS = re.compile(r"^class[ \t]+(\w+)[ \t]*(?:\(([^()]*)\))?[ \t]*:", re.MULTILINE)
#: An import of names from a module, with the names in brackets or without.
_IMPORT = re.compile(
    r"^[ \t]*from[ \t]+(\.*)([.\w]*)[ \t]+import[ \t]+(?:\(([^)]*)\)|([^\n(]*))", re.MULTILINE
)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_COMMENT = re.compile(r"#[^\n]*")


class Size:
    """How much text has been parsed: trees and indexes take fifty times the room of the text."""

    def __init__(self) -> None:
        self.characters = 0


class Module:
    """A module of the project (or a folder that acts as a namespace package).

    Its text is parsed when a question first needs the tree: of most modules that others import
    only the name matters. A text that cannot be parsed has an empty tree.

    Parameters:
        path: the file; for a namespace package the folder.
        name: the dotted name, as seen from the source root it was found under.
        source: the text.
        is_package: it is an `__init__.py` or a namespace package.
        size: what is parsed is counted there.
    """

    __slots__ = (
        "__dict__",
        "error",
        "folder",
        "folder_text",
        "is_package",
        "name",
        "path",
        "size",
        "source",
    )

    def __init__(
        self, path: Path, name: str, source: Source, is_package: bool, size: Size | None = None
    ) -> None:
        self.path = path
        self.size = size
        self.name = name
        self.source = source
        self.is_package = is_package
        #: Why the text could not be parsed.
        self.error: SourceError | None = None
        #: The folder that relative imports start from.
        self.folder = path.parent if path.suffix else path
        self.folder_text = str(self.folder)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        self._count()
        try:
            return self.source.parse()
        except SourceError as error:
            self.error = error
            return ast.Module([], [])

    def take(self, tree: ast.Module) -> None:
        """Use a tree of the text that the caller has, unless there is one already."""
        if "tree" not in self.__dict__:
            self._count()
            self.__dict__["tree"] = tree

    def _count(self) -> None:
        if self.size is not None:
            self.size.characters += len(self.source.text)

    @cached_property
    def index(self) -> ModuleIndex:
        """Names, scopes and nodes of the module."""
        return ModuleIndex(self.tree)

    @cached_property
    def mentions_framework(self) -> bool:
        """Whether the text could declare or inject anything for FastAPI."""
        text = self.source.text.encode(errors="replace")
        return _matters(text, 0, len(text))

    @cached_property
    def mentions_signatures(self) -> bool:
        """Whether the text could give functions another signature than they are written with."""
        return "__signature__" in self.source.text

    @cached_property
    def mentions_routines(self) -> bool:
        """Whether the text could start something in the background."""
        text = self.source.text
        return any(word in text for word in _ROUTINES)

    @cached_property
    def _shown(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        functions: set[str] = set()
        classes: set[str] = set()
        others: set[str] = set()
        for function, cls, other in _TOP_LEVEL.findall(self.source.text):
            functions.add(function)
            classes.add(cls)
            others.add(other)
        for names in (functions, classes, others):
            names.discard("")
        return (
            frozenset(functions - classes - others),
            frozenset(functions | classes) - others,
            frozenset(others),
        )

    @property
    def shown_functions(self) -> frozenset[str]:
        """The names that the text, without being parsed, shows to be functions and nothing else."""
        return self._shown[0]

    @property
    def shown_definitions(self) -> frozenset[str]:
        """The names that the text, without being parsed, shows to be functions or classes."""
        return self._shown[1]

    @property
    def shown_variables(self) -> frozenset[str]:
        """The names that the text, without being parsed, shows to be assigned to."""
        return self._shown[2]

    @cached_property
    def shown_bases(self) -> dict[str, tuple[str, ...]]:
        """The names of the bases of classes, as far as the text, without being parsed, shows them.

        Only for names that it shows to be functions or classes and nothing else.
        """
        found: dict[str, tuple[str, ...]] = {}
        for name, text in _CLASS.findall(self.source.text):
            while "[" in text and (shorter := _BRACKETS.sub("", text)) != text:
                text = shorter
            bases = tuple(base.strip() for base in text.split(",") if base.strip())
            if name not in found and name in self.shown_definitions and "=" not in text:
                found[name] = bases
        return found

    @cached_property
    def shown_imports(self) -> dict[str, tuple[int, str, str] | None]:
        """What names are imported from: level, module, name; `None` when from several places."""
        found: dict[str, tuple[int, str, str] | None] = {}
        for dots, module, inside, plain in _IMPORT.findall(self.source.text):
            for item in _COMMENT.sub("", inside or plain).split(","):
                name, _, alias = item.strip().partition(" as ")
                origin = (len(dots), module, name.strip())
                local = alias.strip() or name.strip()
                found[local] = origin if found.get(local, origin) == origin else None
        return found

    def may_have(self, name: str) -> bool:
        """Whether the text leaves it possible that the module has a name, `*` imports included."""
        return name in self.source.text or "import *" in self.source.text

    def binds(self, name: str) -> bool:
        """Whether a statement of the module itself binds a name."""
        return name in self.source.text and name in self.index.module_scope.bindings

    def __repr__(self) -> str:
        return f"Module({self.name!r}, {str(self.path)!r})"


class Modules:
    """Loads modules and finds them by name, each file once.

    Parameters:
        src: folders given in the settings as source roots.
        size: how much of their text was parsed and is kept, with its trees.
    """

    def __init__(self, src: Iterable[str] = ()) -> None:
        self.size = Size()
        self._src = tuple(Path(folder).resolve() for folder in src)
        #: By absolute path, as a text: that is compared far more cheaply than a `Path`.
        self._by_path: dict[str, Module | None] = {}
        #: Told of each text that takes the place of another one, with both modules.
        self.readers: list[Callable[[Module, Module], None]] = []
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._overrides: defaultdict[str, set[str]] = defaultdict(set)
        self._roots: dict[Path, tuple[Path, ...]] = {}
        self._project_roots: dict[str, Path] = {}
        self._workspaces: dict[Path, tuple[Path, ...]] = {}
        self._files: dict[Path, ProjectFiles] = {}
        #: What the imports of a folder name: by level and dotted name.
        self._imported: dict[tuple[str, int, str | None], Module | None] = {}
        self._tops: dict[tuple[str, str], tuple[str, ...]] = {}
        self._listings: dict[str, frozenset[str]] = {}
        self._bases: dict[Path, Path] = {}

    # -- loading ----------------------------------------------------------------------------

    def add(self, source: Source, tree: ast.Module | None = None) -> Module:
        """The module for a text that the caller has at hand (a file as flake8 sees it, or stdin).

        Raises:
            SourceError: when it cannot be parsed.
        """
        name = os.path.abspath(source.path)
        known = module = self._by_path.get(name)
        if module is not None and module.source.text == source.text:
            module.source.path = source.path
        else:
            path = Path(name)
            is_package = path.name == "__init__.py"
            module = Module(path, self.name_of(path), source, is_package, self.size)
            folder = os.path.dirname(name)
            if name in self._by_path or path.name not in self._listing(folder):
                self._imported.clear()
            self._by_path[name] = module
            self._overrides[folder].add(path.name)
        if tree is not None:
            module.take(tree)
        _ = module.tree
        if module.error is not None:
            raise module.error
        if known is not None and known is not module:
            for renew in tuple(self.readers):
                renew(known, module)
        return module

    def load(self, path: Path) -> Module | None:
        """The module in a file, not parsed yet; `None` when it cannot be read."""
        key = str(path)
        if key in self._by_path:
            return self._by_path[key]
        module: Module | None = None
        try:
            data = read_source(path)
            if data is not None:
                source = Source.from_bytes(display_path(path), data)
                is_package = path.name == "__init__.py"
                module = Module(path, self.name_of(path), source, is_package, self.size)
        except SourceError:
            module = None
        self._by_path[key] = module
        return module

    def _namespace(self, folder: Path) -> Module:
        known = self._by_path.get(str(folder))
        if known is None:
            source = Source(display_path(folder), "")
            known = Module(folder, self.name_of(folder), source, True)
            self._by_path[str(folder)] = known
        return known

    # -- finding ----------------------------------------------------------------------------

    def find(self, name: str, importer: Module) -> Module | None:
        """The project's module with an absolute name, as `importer` would get it.

        `None` for what is not the project's own: libraries and the standard library.
        """
        top, _, rest = name.partition(".")
        if top in NEVER_FIRST_PARTY or top in sys.stdlib_module_names:
            # A service that is started in its own folder has a package `profile` of its own.
            if not rest or top not in STDLIB_MODULES_WITHOUT_SUBMODULES:
                return None
        key = (importer.folder_text, 0, name)
        if key not in self._imported:
            self._imported[key] = self._at(self._find(name, top, importer))
        return self._imported[key]

    def _at(self, path: str | None) -> Module | None:
        if path is None:
            return None
        if path in self._by_path:
            return self._by_path[path]
        return self.load(Path(path)) if path.endswith(".py") else self._namespace(Path(path))

    def _find(self, name: str, top: str, importer: Module) -> str | None:
        key = (importer.folder_text, top)
        roots = self._tops.get(key)
        if roots is None:
            roots = self._tops[key] = tuple(
                root
                for root in map(str, self.roots_for(importer.path))
                if top in self._listing(root) or f"{top}.py" in self._listing(root)
            )
        parts = name.split(".")
        folder: str | None = None
        for root in roots:
            found = self._below(root, parts)
            if found is not None and found.endswith(".py"):
                return found
            folder = folder or found  # no package anywhere in the path comes behind it
        return folder or self._inside_package(parts, importer)

    def _inside_package(self, parts: list[str], importer: Module) -> str | None:
        """A module that is found only when a package's folder is on the path itself.

        `uvicorn main:app` from inside of a package does that: `from routes.users import router`
        then names what other tools call `app.routes.users`. Single names are left alone, for they
        are far more often those of installed packages, but for such as `schemas` or `database`.
        """
        folder = importer.folder_text
        if len(parts) == 1 and parts[0] not in USUAL_OWN_MODULES:
            return None
        top = str(self.project_root(importer.path))
        while "__init__.py" in self._listing(folder) or len(folder) > len(top):
            # Folders on the way, `app/routes` perhaps, are packages without an `__init__.py`, too.
            if "__init__.py" in self._listing(folder) and not (
                {parts[0], f"{parts[0]}.py"}.isdisjoint(self._listing(folder))
            ):
                found = self._below(folder, parts)
                if found is not None and found != str(importer.path):
                    return found
            if os.path.dirname(folder) == folder:
                break
            folder = os.path.dirname(folder)
        return None

    def relative(self, level: int, name: str | None, importer: Module) -> Module | None:
        """The module that `from ..name import` in `importer` names."""
        key = (importer.folder_text, level, name)
        if key not in self._imported:
            folder = importer.folder_text
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            parts = name.split(".") if name else []
            self._imported[key] = self._at(self._below(folder, parts))
        return self._imported[key]

    def named(self, level: int, name: str | None, importer: Module) -> Module | None:
        """The module that `level` dots and a dotted name stand for in `importer`."""
        if level:
            return self.relative(level, name, importer)
        return self.find(name or "", importer)

    def home_of(self, node: ast.ImportFrom, importer: Module) -> Module | None:
        """The module that a `from` statement in `importer` names."""
        return self.named(node.level, node.module, importer)

    def submodule(self, package: Module, name: str) -> Module | None:
        """The module `name` inside of a package."""
        if not package.is_package:
            return None
        return self.relative(1, name, package)

    def _below(self, folder: str, parts: list[str]) -> str | None:
        for part in parts[:-1]:
            if part not in self._listing(folder):
                return None
            folder = os.path.join(folder, part)
        if parts:
            listing = self._listing(folder)
            last = parts[-1]
            inner = os.path.join(folder, last)
            if last in listing and "__init__.py" in self._listing(inner):
                return os.path.join(inner, "__init__.py")
            if f"{last}.py" in listing:
                return f"{inner}.py"
            return inner if last in listing and self._listing(inner) else None
        package = os.path.join(folder, "__init__.py")
        return package if "__init__.py" in self._listing(folder) else folder

    def _listing(self, folder: str) -> frozenset[str]:
        listing = self._listings.get(folder)
        if listing is None:
            try:
                with os.scandir(folder) as entries:
                    names = {
                        entry.name
                        for entry in entries
                        if entry.name.endswith(".py") or ("." not in entry.name and entry.is_dir())
                    }
            except OSError:
                names = set()
            names |= self._overrides.get(folder, set())
            listing = self._listings[folder] = frozenset(names)
        return listing

    def roots_for(self, path: Path) -> tuple[Path, ...]:
        """The folders in which an absolute import of a file in `path`'s folder is looked up.

        First the settings' `src`, then the parent of the file's own top package, then the folders
        above up to the project's top, each with its `src`. A folder that is itself inside a
        package is a root only at the project's top or with a project file, and the last: servers
        are started there whether it has an `__init__.py` or not. This is the order in which tests,
        servers and editors set up a path.
        """
        folder = path.parent if path.suffix else path
        known = self._roots.get(folder)
        if known is not None:
            return known
        top = self.project_root(path)
        roots: list[Path] = list(self._src)
        last: list[Path] = []
        chain = [folder, *folder.parents]
        for ancestor in chain:
            if "__init__.py" in self._listing(str(ancestor)):
                # The `src` of an installed project is no package, whatever lies in it.
                if ancestor == top or ancestor.name == "src" or has_project_file(ancestor):
                    last.append(ancestor)
            else:
                roots.append(ancestor)
                roots.extend(
                    ancestor / name
                    for name in ("src", "lib", "python", "backend", "server", "app", "api")
                    if name in self._listing(str(ancestor))
                    and "__init__.py" not in self._listing(str(ancestor / name))
                )
                if "src" in self._listing(str(ancestor)):
                    last.append(ancestor / "src")
            if ancestor == top:
                break
        roots.extend(self._workspace_roots(top))
        roots.extend(last)
        unique = tuple(dict.fromkeys(roots))
        self._roots[folder] = unique
        return unique

    def _workspace_roots(self, top: Path) -> tuple[Path, ...]:
        """The source roots of a monorepo's other members."""
        known = self._workspaces.get(top)
        if known is None:
            known = self._workspaces[top] = tuple(self._find_workspace_roots(top))
        return known

    def _find_workspace_roots(self, top: Path) -> Iterator[Path]:
        """Those two levels down, and those deeper that the top's project file names."""
        for first in sorted(self._listing(str(top))):
            for base in (
                top / first,
                *(top / first / s for s in sorted(self._listing(str(top / first)))),
            ):
                yield from self._root_of_member(base)
        for base in workspace_members(top):
            yield from self._root_of_member(base)

    def _root_of_member(self, base: Path) -> Iterator[Path]:
        if base.suffix or base.name.startswith(".") or base.name in SKIPPED_FOLDERS:
            return
        if os.path.isfile(base / "pyproject.toml") or os.path.isfile(base / "setup.py"):
            yield base / "src" if os.path.isdir(base / "src") else base

    def project_root(self, path: Path) -> Path:
        """The top folder of the project that a file belongs to.

        The repository's top (`.git`) if there is one; else the outermost folder with a project
        file, a few levels above the nearest one at most and never the user's home (the folder above
        the package, if it lies inside of one and of the working directory); else the working
        directory if the file is below it and it holds no more than a project does, else the parent
        of the file's top package.
        """
        known = self._project_roots.get(str(path))
        if known is None:
            folder = path.parent if path.suffix else path
            known = self._project_roots.get(str(folder)) or self._find_project_root(path, folder)
            self._project_roots[str(folder)] = self._project_roots[str(path)] = known
        return known

    def _find_project_root(self, path: Path, folder: Path) -> Path:
        marked: Path | None = None
        levels = 0
        home = Path.home()
        for ancestor in (folder, *folder.parents):
            if os.path.exists(ancestor / ".git"):
                return ancestor
            levels += marked is not None
            if ancestor != home and levels <= _LEVELS and has_project_file(ancestor):
                marked = ancestor
        here = Path.cwd()
        if marked is not None:
            # `app/requirements.txt` beside `app/__init__.py`: the package is the project's own.
            above = _package_parent(marked)
            return above if here != home and here in (above, *above.parents) else marked
        inside = here in (folder, *folder.parents) and here != home
        return here if inside and is_small(here) else package_parent(path)

    def name_of(self, path: Path) -> str:
        """The dotted name of a file: its path below the parent of its top package.

        The settings' `src` goes first: below it folders without `__init__.py` are packages too.
        A file in no package gets its path below the nearest project file (or the `src` there).
        """
        if path.suffix:
            base = self._bases.get(path.parent)
            if base is None:
                base = self._bases[path.parent] = self._find_base(path)
        else:
            base = self._find_base(path)
        parts = list(path.relative_to(base).with_suffix("").parts)
        if parts and parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts) or path.stem

    def _find_base(self, path: Path) -> Path:
        base = package_parent(path)
        given = [root for root in self._src if root in path.parents]
        if given:
            base = max(given, key=lambda root: len(root.parts))
        elif base == (path.parent if path.suffix else path):
            root = self.project_root(path)
            inside = [root / "src", root] if root in base.parents or root == base else [base]
            for above in (base, *base.parents):  # a member of a monorepo has a name of its own
                if above in inside:
                    break
                if has_project_file(above):
                    inside[:0] = [above / "src", above]
                    break
            base = next((r for r in inside if r == base or r in base.parents), base)
        return base

    # -- scanning ---------------------------------------------------------------------------

    def that_matter(self, root: Path) -> list[Module]:
        """The modules below `root` that could matter to FastAPI, in path order."""
        loaded = (self.load(path) for path in self.files_that_matter(root))
        return [module for module in loaded if module is not None]

    def files_mentioning(self, root: Path, word: str) -> tuple[Path, ...]:
        """The Python files below `root` whose text contains a word, in sorted order."""
        return self._files_of(root).mentioning(word)

    def are_many_mentioning(self, root: Path, word: str, limit: int) -> bool:
        """Whether more Python files below `root` than a limit contain a word; told soon."""
        return self._files_of(root).are_many_mentioning(word, limit)

    def files_calling(self, root: Path, name: str) -> tuple[Path, ...]:
        """The Python files below `root` whose text may call a name, in sorted order."""
        return self._files_of(root).calling(name)

    def files_that_matter(self, root: Path) -> Iterator[Path]:
        """The Python files below `root` whose text could matter to FastAPI, in sorted order."""
        for path, matters in self._files_of(root).tested(_matters):
            known = self._by_path.get(str(path))
            if matters if known is None else known.mentions_framework:
                yield path

    def files_with_routines(self, root: Path) -> Iterator[Path]:
        """The Python files below `root` whose text could start something in the background."""
        for path, starts in self._files_of(root).searched(_ROUTINES):
            known = self._by_path.get(str(path))
            if starts if known is None else known.mentions_routines:
                yield path

    def _files_of(self, root: Path) -> ProjectFiles:
        files = self._files.get(root)
        if files is None:
            files = self._files[root] = ProjectFiles(root)
        return files


def _matters(text: bytes, start: int, end: int) -> bool:
    """Whether what stands between two places of a text could declare anything for FastAPI."""
    return (
        _FASTAPI.search(text, start, end) is not None
        or any(text.find(word, start, end) >= 0 for word in _WORDS)
        or _DECORATOR.search(text, start, end) is not None
        or (
            (text.find(b"app", start, end) >= 0 or text.find(b"router", start, end) >= 0)
            and _ASSIGNED.search(text, start, end) is not None
        )
    )


def package_parent(path: Path) -> Path:
    """The folder above the topmost regular package around a file."""
    return _package_parent(path.parent)


@cache
def _package_parent(folder: Path) -> Path:
    if os.path.isfile(folder / "__init__.py") and folder.parent != folder:
        return _package_parent(folder.parent)
    return folder


def absolute(path: str) -> Path:
    """An absolute path without symbolic links resolved, so that it matches what users name."""
    return Path(os.path.abspath(path))


def display_path(path: Path) -> str:
    """A path as users would name it: relative to the working directory when below it."""
    text = str(path)
    return text.removeprefix(os.path.join(os.getcwd(), ""))
