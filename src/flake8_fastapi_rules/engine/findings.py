"""What a rule reports: findings, the places related to them, and fixes made of text edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from flake8_fastapi_rules.engine.source import Range

Safety = Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters `start` to `end` (offsets into `Source.text`) by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Text edits of one file that belong together.

    Parameters:
        title: what the fix does, as an imperative ("Use `Annotated`").
        safety: `safe` keeps behaviour, OpenAPI schema and comments as they are.
        edits: edits that do not overlap, in any order; identical insertions at one place by
            several fixes (imports) are applied once.
        group: fixes that share a group (such as one signature) are not applied in one round.
        leads_to: codes of findings that may appear once it is applied, because what they are
            about could not be told before; any other new finding rejects the fix.
    """

    title: str
    safety: Safety
    edits: tuple[Edit, ...]
    group: str | None = None
    leads_to: tuple[str, ...] = ()


class Unfixable(Exception):  # noqa: N818 - it is an outcome that is reported, not a failure
    """A finding is left as it is; the text says why, as a clause: "a comment is in the way".

    It names no place and quotes no code where it can do without: findings that are left for the
    same reason are counted together.
    """


FixMaker = Callable[[], Fix]


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """Another place that a finding speaks of."""

    path: str
    range: Range
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One report of one rule in one file.

    Parameters:
        path: the file, as it was named on the command line or by flake8.
        range: what is reported; its first line is where `# noqa` counts.
        code: such as `FAR101`.
        message: one clause in plain words, without a final dot.
        related: other places that explain it.
        make_fix: computes the fix when one is wanted; `None` if there is none. It raises
            `Unfixable` when this case cannot be fixed.
        unfixable: why there is no fix, where the rule has one for other cases.
    """

    path: str
    range: Range
    code: str
    message: str
    related: tuple[Related, ...] = ()
    make_fix: FixMaker | None = field(default=None, compare=False, repr=False)
    unfixable: str = field(default="", compare=False, repr=False)

    @property
    def line(self) -> int:
        """The 1-based line where the finding is reported."""
        return self.range.line

    @property
    def column(self) -> int:
        """The 0-based character column where the finding is reported."""
        return self.range.column
