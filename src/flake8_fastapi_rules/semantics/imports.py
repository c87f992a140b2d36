"""Which modules of a project import which others while they are imported themselves."""

from __future__ import annotations

import ast
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flake8_fastapi_rules.semantics.modules import Module

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model


@dataclass(frozen=True, slots=True, eq=False)
class ImportEdge:
    """An import that runs when `source` is imported."""

    source: Module
    node: ast.Import | ast.ImportFrom
    target: Module


class ImportGraph:
    """The import-time imports of first-party modules, followed as far as asked.

    Parameters:
        model: finds modules.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._edges: dict[Module, tuple[ImportEdge, ...]] = {}
        self._words: dict[Module, frozenset[str]] = {}
        self._by_word: dict[Module, dict[str, list[ast.Import | ast.ImportFrom]]] = {}

    def edges(self, module: Module) -> tuple[ImportEdge, ...]:
        """What importing a module imports directly, in source order, each module once."""
        known = self._edges.get(module)
        if known is None:
            found: dict[Module, ImportEdge] = {}
            for edge in self._edges_of(module, _statements_of(module)):
                if edge.target is not module:
                    found.setdefault(edge.target, edge)
            known = self._edges[module] = tuple(found.values())
        return known

    def imports(self, module: Module, target: Module) -> bool:
        """Whether importing a module imports another one directly."""
        if module in self._edges:
            return any(edge.target is target for edge in self._edges[module])
        words = self._by_word.get(module)
        if words is None:
            if not self._may_import(module, target):
                return False
            words = self._by_word[module] = _statements_by_word(module)
        naming = words.get(word_of(target), [])
        if target.is_package:
            naming = naming + words.get("", [])
        return any(edge.target is target for edge in self._edges_of(module, naming))

    def _may_import(self, module: Module, target: Module) -> bool:
        words = self._words.get(module)
        if words is None:
            words = self._words[module] = _words_in_imports(module.source.text)
        return word_of(target) in words or (target.is_package and "" in words)

    def _edges_of(
        self, module: Module, statements: Iterable[ast.Import | ast.ImportFrom]
    ) -> Iterator[ImportEdge]:
        index, modules = module.index, self._model.modules
        for node in statements:
            if not index.runs_at_import(node):
                continue
            if isinstance(node, ast.Import):
                for alias in node.names:
                    target = modules.find(alias.name, module)
                    if target is not None:
                        yield ImportEdge(module, node, target)
                continue
            home = modules.home_of(node, module)
            if home is None:
                continue
            for alias in node.names:
                inner = modules.submodule(home, alias.name) if home.is_package else None
                if inner is not None and alias.name not in home.index.module_scope.bindings:
                    yield ImportEdge(module, node, inner)
                elif not self._contains(home, module) or self._is_own(home, alias.name):
                    yield ImportEdge(module, node, home)

    def _contains(self, package: Module, module: Module) -> bool:
        return package.is_package and str(module.path).startswith(f"{package.folder}{os.sep}")

    def _is_own(self, package: Module, name: str) -> bool:
        """Whether a package's `__init__` itself binds a name (so that it must have run)."""
        return name in package.index.module_scope.bindings

    def cycle_from(self, module: Module) -> tuple[ImportEdge, ...]:
        """The shortest cycle through a module; empty when there is none."""
        before: dict[Module, ImportEdge] = {}
        queue = deque([module])
        while queue:
            current = queue.popleft()
            for edge in self.edges(current):
                if edge.target is module:
                    path = [edge]
                    while path[-1].source is not module:
                        path.append(before[path[-1].source])
                    return tuple(reversed(path))
                if edge.target not in before:
                    before[edge.target] = edge
                    queue.append(edge.target)
        return ()


def _statements_of(module: Module) -> list[ast.Import | ast.ImportFrom]:
    """The imports of a module, in source order."""
    index = module.index
    statements: list[ast.Import | ast.ImportFrom] = [
        *index.nodes(ast.Import),
        *index.nodes(ast.ImportFrom),
    ]
    return sorted(statements, key=lambda node: (node.lineno, node.col_offset))


def _statements_by_word(module: Module) -> dict[str, list[ast.Import | ast.ImportFrom]]:
    """The imports of a module by the words that they write; `from . import` by the empty one."""
    found: dict[str, list[ast.Import | ast.ImportFrom]] = {}
    for node in _statements_of(module):
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        for word in {word for name in names for word in name.split(".")}:
            found.setdefault(word, []).append(node)
    return found


_WORD = re.compile(r"\w+")


def _words_in_imports(text: str) -> frozenset[str]:
    """The words in the imports of a text, and more; told without parsing it.

    With the empty one where a package may be named by dots, as `from .. import` does.
    """
    words: set[str] = set()
    at = text.find("import")
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        opened = text.find("(", at, end if end >= 0 else len(text))
        if opened >= 0:
            end = text.find(")", opened)
            while end >= 0 and "#" in text[text.rfind("\n", 0, end) + 1 : end]:
                end = text.find(")", end + 1)  # that one stands in a comment
        while end > 0 and text[end - 1] == "\\":  # it goes on in the next line
            end = text.find("\n", end + 1)
        end = len(text) if end < 0 else end
        words.update(_WORD.findall(text, start, end))
        if "." in text[start:at]:
            words.add("")
        at = text.find("import", end)
    return frozenset(words)


def word_of(module: Module) -> str:
    """The last part of a module's dotted name, which whatever imports it has to write."""
    return module.path.parent.name if module.is_package else module.path.stem
