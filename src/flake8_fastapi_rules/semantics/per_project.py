"""Knowledge that takes a look at all modules of a project, gathered once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.uses import Uses
    from flake8_fastapi_rules.semantics.values import Class

T = TypeVar("T")


class PerProject(Generic[T]):
    """A question to a whole project, whose answer is kept until one of its modules changes.

    What it is asked about keeps the answers: they mention it, so a table of their own would keep
    both for ever.

    Parameters:
        gather: computes the answer.
    """

    def __init__(self, gather: Callable[[Model, Uses], T]) -> None:
        self._gather = gather

    def __call__(self, model: Model, module: Module) -> T:
        """The answer for the project around `module`."""
        return self.of(model, model.uses(module))

    def of(self, model: Model, uses: Uses) -> T:
        """The answer for the project that has these uses."""
        known: tuple[int, T] | None = uses.answers.get(self)
        if known is not None and known[0] == uses.version:
            return known[1]
        found = self._gather(model, uses)
        uses.answers[self] = uses.version, found
        return found


class PerClass(Generic[T]):
    """A question about a class of the project, whose answers are kept for the run.

    Parameters:
        gather: gives the parts of the answer.
    """

    def __init__(self, gather: Callable[[Model, Class], Iterable[T]]) -> None:
        self._gather = gather

    def __call__(self, model: Model, cls: Class) -> tuple[T, ...]:
        """The answer for one class."""
        known: dict[ast.ClassDef, tuple[T, ...]] = model.answers.setdefault(self, {})
        found = known.get(cls.node)
        if found is None:
            found = known[cls.node] = tuple(self._gather(model, cls))
        return found


def modules_mentioning(model: Model, module: Module, word: str) -> Iterator[Module]:
    """All modules of the project around `module` whose text contains a word."""
    if word in module.source.text:
        yield module
    for path in model.modules.files_mentioning(model.modules.project_root(module.path), word):
        found = model.modules.load(path)
        if found is not None and found is not module:
            yield found


def is_variable_read(model: Model, module: Module, name: str) -> bool:
    """Whether anything in the project reads a module's variable, or may do so."""
    if any(n.id == name and isinstance(n.ctx, ast.Load) for n in module.index.nodes(ast.Name)):
        return True
    for other in modules_mentioning(model, module, name):
        if other is module:
            continue
        if any(n.attr == name for n in other.index.nodes(ast.Attribute)):
            return True
        for node in other.index.nodes(ast.ImportFrom):
            if any(alias.name in {name, "*"} for alias in node.names):
                home = model.modules.home_of(node, other)
                if home is None or home is module:
                    return True
    return False
