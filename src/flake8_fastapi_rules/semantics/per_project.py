"""Knowledge that takes a look at all modules of a project, gathered once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from flake8_fastapi_rules.semantics.model import Model
    from flake8_fastapi_rules.semantics.modules import Module
    from flake8_fastapi_rules.semantics.uses import Uses

T = TypeVar("T")


class PerProject(Generic[T]):
    """A question to a whole project, whose answer is kept until one of its modules changes.

    Parameters:
        gather: computes the answer.
    """

    def __init__(self, gather: Callable[[Model, Uses], T]) -> None:
        self._gather = gather
        self._known: WeakKeyDictionary[Uses, tuple[list[Module], T]] = WeakKeyDictionary()

    def __call__(self, model: Model, module: Module) -> T:
        """The answer for the project around `module`."""
        uses = model.uses(module)
        known = self._known.get(uses)
        if known is not None and known[0] == uses.modules:
            return known[1]
        found = self._gather(model, uses)
        self._known[uses] = list(uses.modules), found
        return found
