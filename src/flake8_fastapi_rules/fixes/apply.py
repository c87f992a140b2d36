"""The loop that applies fixes to one text until nothing is left to fix."""

from __future__ import annotations

import io
import token
import tokenize
import warnings
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, TypeVar

from flake8_fastapi_rules.engine.findings import Edit, Finding, Fix, Unfixable
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.fixes.imports import imports_left_over

#: Gives the findings of a text: those that count, with `noqa` and selection considered.
Check = Callable[[Source], list[Finding]]
#: Gives them for several texts, each in the presence of the others; or why one has none.
CheckAll = Callable[[Sequence[Source]], Sequence[list[Finding] | Exception]]

T = TypeVar("T")

#: After so many rounds fixes chase each other.
MAX_ROUNDS = 50

NO_FIX = "the rule has no fix"
BLOCKED = "another fix of the same place goes first"
UNSAFE = "the fix is unsafe; `--unsafe-fixes` applies it"
NOT_CONVERGED = "fixes undo each other"


@dataclass(frozen=True, slots=True)
class Applied:
    """A finding that was fixed, as it was reported in the round in which that happened."""

    finding: Finding
    fix: Fix


@dataclass(frozen=True, slots=True)
class Left:
    """A finding of the final text, and why it is still there.

    Parameters:
        reason: a clause: "a comment is in the way".
        is_rejected: whether it has a fix that would have been applied, but was not good.
    """

    finding: Finding
    reason: str
    is_rejected: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """Fixes that were applied at once.

    Parameters:
        before, after: the texts.
        applied: the fixes, whose edits speak of `before`.
        tidied: edits that drop imports which the fixes of earlier rounds left without a use.
    """

    before: Source
    after: Source
    applied: tuple[Applied, ...] = ()
    tidied: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """What became of one file.

    Parameters:
        before, after: the texts.
        rounds: what was done, in order.
        left: what remains, in source order.
        converged: `False` when it was given up because fixes undo each other.
    """

    before: Source
    after: Source
    rounds: tuple[Round, ...] = ()
    left: tuple[Left, ...] = ()
    converged: bool = True

    @property
    def applied(self) -> tuple[Applied, ...]:
        """What was fixed, in order."""
        return tuple(applied for each in self.rounds for applied in each.applied)

    @property
    def changed(self) -> bool:
        """Whether the text is another one."""
        return self.before.text != self.after.text


def apply_fixes(
    source: Source,
    check: Check,
    *,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] = lambda _: True,
    max_rounds: int = MAX_ROUNDS,
) -> FixOutcome:
    """Fix a text.

    In each round all fixes that do not touch each other are applied at once, of each group one.
    The result must parse, keep every comment and bring no new finding; if not, the fixes that are
    to blame are found by halving, and only those are dropped.

    Parameters:
        check: gives the findings of a text; it is called with the text of each round.
        unsafe: apply unsafe fixes too.
        wanted: which findings to fix; the others are not mentioned in the outcome.
    """

    def check_all(sources: Sequence[Source]) -> list[list[Finding] | Exception]:
        return [check(source) for source in sources]

    (outcome,) = apply_all_fixes(
        [source], check_all, unsafe=unsafe, wanted=wanted, max_rounds=max_rounds
    )
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def apply_all_fixes(
    sources: Sequence[Source],
    check_all: CheckAll,
    *,
    unsafe: bool = False,
    wanted: Callable[[Finding], bool] = lambda _: True,
    max_rounds: int = MAX_ROUNDS,
) -> list[FixOutcome | Exception]:
    """Fix several texts of a project, all in step.

    What takes the time is to find out what a project means after a change. So the next text of
    each file is tried together with those of the others.

    Parameters:
        check_all: gives the findings of texts; it is called with those of one round of each file.
        unsafe, wanted, max_rounds: as for `apply_fixes`.

    Returns:
        For each text the outcome, or the exception that ended it.
    """
    loops = [_Loop(source, unsafe, wanted).run(max_rounds) for source in sources]
    outcomes: list[FixOutcome | Exception | None] = [None] * len(loops)
    answers: dict[int, list[Finding] | Exception | None] = dict.fromkeys(range(len(loops)))
    while answers:
        asked: dict[int, Source] = {}
        for position, answer in answers.items():
            try:
                if isinstance(answer, Exception):
                    asked[position] = loops[position].throw(answer)
                else:
                    asked[position] = loops[position].send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                outcomes[position] = end.value
            except Exception as error:
                outcomes[position] = error
        answers = dict(zip(asked, check_all(list(asked.values())), strict=True)) if asked else {}
    return [outcome for outcome in outcomes if outcome is not None]


@dataclass
class _State:
    """A text that was found to be good, with what is needed to judge the next one."""

    source: Source
    findings: list[Finding]
    is_rechecked: bool = False

    # Most files have nothing to fix: nobody asks for their comments.

    @cached_property
    def comments(self) -> Counter[str] | None:
        return comments_of(self.source.text)

    @cached_property
    def compiles(self) -> bool:
        return _compiles(self.source)

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        return Counter((finding.code, finding.message) for finding in self.findings)


def _new_findings(before: _State, after: _State, allowed: Collection[str]) -> list[tuple[str, str]]:
    """Codes and messages of what is found now and was not before.

    A message may quote what a fix has changed; that makes no new finding of an old one. So there
    must be more findings of the code than there were.
    """
    more = Counter(f.code for f in after.findings) - Counter(f.code for f in before.findings)
    return [
        (code, message)
        for code, message in after.counts - before.counts
        if code in more and code not in allowed
    ]


Candidate = tuple[Finding, Fix]

#: Asks for the findings of texts, one after the other.
_Asking: TypeAlias = "Generator[Source, list[Finding], T]"


@dataclass(slots=True)
class _Loop:
    original: Source
    unsafe: bool
    wanted: Callable[[Finding], bool]
    reasons: dict[tuple[str, str, str], str] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    checked: Source | None = None
    first: Counter[tuple[str, str]] = field(default_factory=Counter)

    def _findings(self, source: Source) -> _Asking[list[Finding]]:
        self.checked = source
        return (yield source)

    def run(self, max_rounds: int) -> _Asking[FixOutcome]:
        """Fix the text."""
        source = self.original
        findings = yield from self._findings(source)
        state = _State(source, findings)
        self.first = state.counts
        seen = {source.text}
        converged = True
        while True:
            following, used = yield from self._next(state)
            if following is None:
                break
            if following.source.text in seen or len(self.rounds) >= max_rounds:
                converged = False
                break
            seen.add(following.source.text)
            applied = tuple(Applied(finding, fix) for finding, fix in used)
            self.rounds.append(Round(state.source, following.source, applied))
            state = following
        if self.rounds:
            state = yield from self._tidied(state)
        if self.checked is not state.source:
            # Whoever checks remembers the last text of a path: let that be the one that stays.
            yield from self._findings(state.source)
        left = tuple(
            self._left(state, finding, converged)
            for finding in state.findings
            if self.wanted(finding)
        )
        return FixOutcome(self.original, state.source, tuple(self.rounds), left, converged)

    def _key(self, state: _State, finding: Finding) -> tuple[str, str, str]:
        lines = state.source.lines
        line = lines[finding.line - 1].strip() if 0 < finding.line <= len(lines) else ""
        return finding.code, finding.message, line

    def _candidates(self, state: _State) -> list[Candidate]:
        found: list[Candidate] = []
        for finding in state.findings:
            if finding.make_fix is None or not self.wanted(finding):
                continue
            key = self._key(state, finding)
            if key in self.reasons:
                continue
            try:
                fix = finding.make_fix()
            except Unfixable:
                continue  # another fix may change that
            except Exception as error:
                self.reasons[key] = f"the fix failed with {type(error).__name__}: {error}"
                continue
            if not _is_well_formed(fix, len(state.source.text)):
                self.reasons[key] = "the fix has edits that overlap"
            elif fix.safety == "safe" or self.unsafe:
                found.append((finding, fix))
        return found

    def _next(self, state: _State) -> _Asking[tuple[_State | None, list[Candidate]]]:
        """The text with as many fixes as are good together, and those; `None` if none is."""
        good: list[Candidate] = []
        best: _State | None = None

        def keep(part: Sequence[Candidate]) -> _Asking[None]:
            nonlocal best
            result = yield from self._judge(state, [*good, *part])
            if isinstance(result, _State):
                good.extend(part)
                best = result
            elif len(part) == 1:
                self.reasons[self._key(state, part[0][0])] = result
            else:
                middle = len(part) // 2
                yield from keep(part[:middle])
                yield from keep(part[middle:])

        # Rejected ones are not candidates any more: others, kept waiting by them, get their turn.
        while best is None and (chosen := select(self._candidates(state))):
            yield from keep(chosen)
        return best, good

    def _tidied(self, state: _State) -> _Asking[_State]:
        """The text without the imports that have no use any more."""
        edits = imports_left_over(self.original, state.source)
        if not edits:
            return state
        last = self.rounds[-1].applied[-1].finding
        result = yield from self._judge(state, [(last, Fix("Drop imports", "safe", edits))])
        if isinstance(result, str):
            return state
        self.rounds.append(Round(state.source, result.source, tidied=edits))
        return result

    def _judge(self, state: _State, candidates: Sequence[Candidate]) -> _Asking[_State | str]:
        """The text with these fixes, or why it must not be."""
        edits = [edit for _, fix in candidates for edit in fix.edits]
        source = Source(state.source.path, splice(state.source.text, edits))
        if source.text == state.source.text:
            return "the fix changes nothing"
        try:
            source.parse()
        except SourceError as error:
            return f"the result would not parse: {error.message}"
        result = _State(source, [])
        if state.compiles and not result.compiles:
            return "the result would not compile"
        if state.comments is not None and result.comments != state.comments:
            return "a comment would be lost"
        result.findings = yield from self._findings(source)
        allowed = {code for _, fix in candidates for code in fix.leads_to}
        new = _new_findings(state, result, allowed)
        if new and not state.is_rechecked:
            # What is known of other modules may be more by now than when this text was checked.
            state.findings = yield from self._findings(state.source)
            state.is_rechecked = True
            new = _new_findings(state, result, allowed)
        # What was found at first is not new, even if a check in between did not see it.
        now = result.counts
        new = [pair for pair in new if now[pair] > self.first[pair]]
        if new:
            return f"it would lead to {' '.join(min(new))}"
        return result

    def _left(self, state: _State, finding: Finding, converged: bool) -> Left:
        known = self.reasons.get(self._key(state, finding))
        if known:
            return Left(finding, known, is_rejected=True)
        if finding.make_fix is None:
            return Left(finding, finding.unfixable or NO_FIX)
        try:
            fix = finding.make_fix()
        except Unfixable as reason:
            return Left(finding, str(reason))
        except Exception as error:
            failure = f"the fix failed with {type(error).__name__}: {error}"
            return Left(finding, failure, is_rejected=True)
        if fix.safety == "unsafe" and not self.unsafe:
            return Left(finding, UNSAFE)
        return Left(finding, BLOCKED if converged else NOT_CONVERGED, is_rejected=True)


def select(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The fixes that can be applied together, the earlier ones first.

    Two fixes of one group exclude each other, as do edits that overlap or touch. The same edit
    wanted by several fixes (a new import) is no conflict.
    """
    chosen: list[Candidate] = []
    groups: dict[str, Fix] = {}
    taken: list[Edit] = []
    for finding, fix in sorted(candidates, key=lambda candidate: candidate[0]):
        if fix.group is not None and fix.group in groups:
            # The fix of several findings at once: all of them are fixed by it.
            if fix == groups[fix.group]:
                chosen.append((finding, fix))
            continue
        if any(_conflicts(taken, edit) for edit in fix.edits):
            continue
        chosen.append((finding, fix))
        if fix.group is not None:
            groups[fix.group] = fix
        for edit in fix.edits:
            position = bisect_left(taken, edit)
            if taken[position : position + 1] != [edit]:
                taken.insert(position, edit)
    return chosen


def _conflicts(taken: list[Edit], edit: Edit) -> bool:
    """Whether an edit touches one of those taken (sorted, apart from each other)."""
    position = bisect_left(taken, edit)
    if taken[position : position + 1] == [edit]:
        return False
    neighbours = taken[max(position - 1, 0) : position + 1]
    return any(other.start <= edit.end and edit.start <= other.end for other in neighbours)


def _is_well_formed(fix: Fix, length: int) -> bool:
    end = 0
    for edit in sorted(fix.edits):
        if edit.start < end or edit.end < edit.start or edit.end > length:
            return False
        end = edit.end
    return True


def splice(text: str, edits: Sequence[Edit]) -> str:
    """Apply edits that do not overlap; the same edit given twice counts once."""
    parts: list[str] = []
    position = 0
    for edit in sorted(set(edits)):
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    parts.append(text[position:])
    return "".join(parts)


def comments_of(text: str) -> Counter[str] | None:
    """The comments of a text and how often each occurs; `None` when it cannot be tokenized."""
    try:
        reader = io.StringIO(text, newline="\n").readline
        return Counter(
            found.string
            for found in tokenize.generate_tokens(reader)
            if found.type == token.COMMENT
        )
    except (tokenize.TokenError, SyntaxError, IndexError):
        return None


def _compiles(source: Source) -> bool:
    """Whether Python takes the text: more than parsing asks for, such as `await` in its place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source.parse(), source.path, "exec", dont_inherit=True)
    except (SourceError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
