"""Which handlers want to see which kind of subject."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from flake8_fastapi_rules.engine.findings import FixMaker, Related, Unfixable
from flake8_fastapi_rules.engine.source import Range
from flake8_fastapi_rules.engine.words import WordFinder


class ReportLike(Protocol):
    """What a handler yields."""

    @property
    def place(self) -> ast.AST | Range: ...
    @property
    def message(self) -> str: ...
    @property
    def related(self) -> tuple[Related, ...]: ...
    @property
    def fix(self) -> FixMaker | Unfixable | None: ...


class RuleLike(Protocol):
    """What the engine needs to know of a rule."""

    code: ClassVar[str]

    @classmethod
    def name(cls) -> str: ...
    @classmethod
    def handlers(cls) -> Iterator[tuple[type, str, Condition]]: ...


Handler = Callable[[Any, Any], Iterable[ReportLike] | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a file's text must hold for a handler to have something to look at.

    Parameters:
        framework_only: it must mention the framework.
        hints: words of which one must occur; empty: no condition.
        called: of calls, only those of something with such a name (or that may stand for it) are
            of interest; empty: all. The text must hold one of the names.
    """

    framework_only: bool = False
    hints: tuple[str, ...] = ()
    called: frozenset[str] = frozenset()

    def holds(self, words: frozenset[str], mentions_framework: bool) -> bool:
        """Whether a text with some of the words asked for may be of interest."""
        return (
            (mentions_framework or not self.framework_only)
            and (not self.hints or not words.isdisjoint(self.hints))
            and (not self.called or not words.isdisjoint(self.called))
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One method of one rule.

    Parameters:
        code, name: of the rule.
        condition: what it asks of the file's text.
        handler: called as `handler(subject, context)`.
    """

    code: str
    name: str
    condition: Condition
    handler: Handler


@dataclass(frozen=True, slots=True)
class Plan:
    """Subject types with the steps that want them, in the order of the rules' codes."""

    steps: tuple[tuple[type, tuple[Step, ...]], ...]
    finder: WordFinder

    @classmethod
    def of(cls, rules: Iterable[RuleLike]) -> Plan:
        """The plan for instances of rules."""
        table: dict[type, list[Step]] = {}
        for rule in sorted(rules, key=lambda rule: str(rule.code)):
            for subject, method, condition in rule.handlers():
                condition = replace(condition, hints=_shortest(condition.hints))
                step = Step(rule.code, rule.name(), condition, getattr(rule, method))
                table.setdefault(subject, []).append(step)
        conditions = [step.condition for steps in table.values() for step in steps]
        finder = WordFinder(
            (word for condition in conditions for word in condition.hints),
            (name for condition in conditions for name in condition.called),
        )
        return cls(tuple((subject, tuple(steps)) for subject, steps in table.items()), finder)

    def for_text(
        self,
        text: str,
        may_have: Callable[[type], bool] = lambda subject: True,
        *,
        mentions_framework: bool = True,
    ) -> Plan:
        """The plan without the steps that have nothing to look at in `text`.

        Parameters:
            may_have: whether there may be subjects of a type, told without a look at the tree.
            mentions_framework: whether the text mentions the framework.
        """
        words = self.finder.found_in(text)
        kept: list[tuple[type, tuple[Step, ...]]] = []
        for subject, steps in self.steps:
            if not may_have(subject):
                continue
            chosen = [s for s in steps if s.condition.holds(words, mentions_framework)]
            if chosen:
                kept.append((subject, tuple(chosen)))
        return Plan(tuple(kept), self.finder)

    def __bool__(self) -> bool:
        return bool(self.steps)


def _shortest(hints: tuple[str, ...]) -> tuple[str, ...]:
    """The hints without those that contain another one, which is found wherever they are."""
    return tuple(
        hint for hint in hints if not any(other in hint and other != hint for other in hints)
    )
