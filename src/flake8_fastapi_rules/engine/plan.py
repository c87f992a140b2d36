"""Which handlers want to see which kind of subject."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from flake8_fastapi_rules.engine.findings import FixMaker, Related, Unfixable
from flake8_fastapi_rules.engine.source import Range


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
    hints: ClassVar[tuple[str, ...]]

    @classmethod
    def name(cls) -> str: ...
    @classmethod
    def handlers(cls) -> Iterator[tuple[type, str]]: ...


Handler = Callable[[Any, Any], Iterable[ReportLike] | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One method of one rule.

    Parameters:
        code, name: of the rule.
        hints: words of which one must occur in the file's text; empty: no condition.
        handler: called as `handler(subject, context)`.
    """

    code: str
    name: str
    hints: tuple[str, ...]
    handler: Handler


@dataclass(frozen=True, slots=True)
class Plan:
    """Subject types with the steps that want them, in the order of the rules' codes."""

    steps: tuple[tuple[type, tuple[Step, ...]], ...]

    @classmethod
    def of(cls, rules: Iterable[RuleLike]) -> Plan:
        """The plan for instances of rules."""
        table: dict[type, list[Step]] = {}
        for rule in sorted(rules, key=lambda rule: str(rule.code)):
            for subject, method in rule.handlers():
                step = Step(rule.code, rule.name(), tuple(rule.hints), getattr(rule, method))
                table.setdefault(subject, []).append(step)
        return cls(tuple((subject, tuple(steps)) for subject, steps in table.items()))

    def for_text(self, text: str) -> Plan:
        """The plan without the steps whose hints do not occur in `text`."""
        wanted: dict[tuple[str, ...], bool] = {(): True}
        words: dict[str, bool] = {}
        kept: list[tuple[type, tuple[Step, ...]]] = []
        for subject, steps in self.steps:
            chosen = []
            for step in steps:
                is_wanted = wanted.get(step.hints)
                if is_wanted is None:
                    is_wanted = False
                    for hint in step.hints:
                        if hint not in words:
                            words[hint] = hint in text
                        if words[hint]:
                            is_wanted = True
                            break
                    wanted[step.hints] = is_wanted
                if is_wanted:
                    chosen.append(step)
            if chosen:
                kept.append((subject, tuple(chosen)))
        return Plan(tuple(kept))

    def __bool__(self) -> bool:
        return bool(self.steps)
