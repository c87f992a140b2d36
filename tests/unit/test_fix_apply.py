"""The loop: which fixes are applied together, which are refused, and when it ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.findings import Edit, Finding, Fix, Unfixable
from flake8_fastapi_rules.engine.source import Range, Source, SourceError
from flake8_fastapi_rules.fixes import apply
from flake8_fastapi_rules.fixes.apply import apply_all_fixes, apply_fixes, select, splice
from flake8_fastapi_rules.linter import Linter

Maker = Callable[[re.Match[str]], Fix | None]


def rule(code: str, pattern: str, make: Maker | None) -> Callable[[Source], list[Finding]]:
    """A rule that reports each match of a pattern and fixes it with `make`."""

    def check(source: Source) -> list[Finding]:
        found = []
        for match in re.finditer(pattern, source.text):
            line, column = source.position(match.start())
            place = Range(line, column, line, column + 1)
            fix = (lambda m=match: make(m)) if make else None
            found.append(Finding(source.path, place, code, f"`{match[0]}`", (), fix))
        return found

    return check


def to(text: str, safety: str = "safe", group: str | None = None, **more: object) -> Maker:
    def make(match: re.Match[str]) -> Fix:
        edit = Edit(match.start(), match.end(), text)
        return Fix("Change", safety, (edit,), group, **more)  # type: ignore[arg-type]

    return make


def fix(
    code: str, *rules: Callable[[Source], list[Finding]], unsafe: bool = False
) -> apply.FixOutcome:
    def check(source: Source) -> list[Finding]:
        return sorted(finding for each in rules for finding in each(source))

    return apply_fixes(Source("a.py", code), check, unsafe=unsafe)


def test_all_at_once() -> None:
    outcome = fix("old = old + old\n", rule("FAR301", "old", to("new")))
    assert outcome.after.text == "new = new + new\n"
    assert (len(outcome.rounds), len(outcome.applied), outcome.left) == (1, 3, ())
    assert outcome.changed
    assert outcome.converged


def test_groups_go_one_by_one() -> None:
    outcome = fix("old + old + old\n", rule("FAR301", "old", to("new", group="g")))
    assert outcome.after.text == "new + new + new\n"
    assert len(outcome.rounds) == 3


def test_one_bad_fix_is_left_alone() -> None:
    def make(match: re.Match[str]) -> Fix:
        bad = match[0] == "old7"
        return Fix("Change", "safe", (Edit(*match.span(), "new(" if bad else "new"),))

    code = "".join(f"old{number}\n" for number in range(12))
    outcome = fix(code, rule("FAR301", r"old\d+", make))
    assert outcome.after.text == "".join(
        "old7\n" if number == 7 else "new\n" for number in range(12)
    )
    assert [(left.finding.line, left.reason) for left in outcome.left] == [
        (8, "the result would not parse: invalid syntax: '(' was never closed")
    ]


def test_a_rejected_fix_makes_way_for_its_neighbours() -> None:
    def make(match: re.Match[str]) -> Fix:
        return Fix("Change", "safe", (Edit(*match.span(), match[1] or "("),), "g")

    outcome = fix("old\noldx\n", rule("FAR301", r"old(\w?)", make))
    assert outcome.after.text == "old\nx\n"


def test_comments_must_survive() -> None:
    outcome = fix("x = [  # why\n]\n", rule("FAR301", r"\[[^]]*\]", to("[]")))
    assert not outcome.changed
    assert outcome.left[0].reason == "a comment would be lost"


def test_no_new_findings() -> None:
    new = rule("FAR302", "new", None)
    outcome = fix("old\n", rule("FAR301", "old", to("new")), new)
    assert not outcome.changed
    assert outcome.left[0].reason == "it would lead to FAR302 `new`"
    outcome = fix("old\n", rule("FAR301", "old", to("new", leads_to=("FAR302",))), new)
    assert outcome.after.text == "new\n"
    assert [left.reason for left in outcome.left] == [apply.NO_FIX]


def test_what_compiles_must_go_on_compiling() -> None:
    outcome = fix("def f(): old\n", rule("FAR301", "old", to("await x")))
    assert outcome.left[0].reason == "the result would not compile"


def test_unsafe_fixes_on_request() -> None:
    check = rule("FAR301", "old", to("new", "unsafe"))
    outcome = fix("old\n", check)
    assert not outcome.changed
    assert outcome.left[0].reason == apply.UNSAFE
    assert fix("old\n", check, unsafe=True).after.text == "new\n"


def test_reasons() -> None:
    def crash(match: re.Match[str]) -> Fix:
        raise ValueError("oh")

    def refuse(match: re.Match[str]) -> Fix:
        raise Unfixable("a comment is in the way")

    def overlapping(match: re.Match[str]) -> Fix:
        return Fix("Change", "safe", (Edit(0, 2, "a"), Edit(1, 3, "b")))

    for make, reason in (
        (None, apply.NO_FIX),
        (refuse, "a comment is in the way"),
        (crash, "the fix failed with ValueError: oh"),
        (overlapping, "the fix has edits that overlap"),
        (to("old"), "the fix changes nothing"),
    ):
        outcome = fix("old\n", rule("FAR301", "old", make))
        assert [left.reason for left in outcome.left] == [reason]
        assert [left.is_rejected for left in outcome.left] == [make not in (None, refuse)]


def test_fixes_that_undo_each_other_end() -> None:
    outcome = fix(
        "one\n",
        rule("FAR301", "one", to("two", leads_to=("FAR302",))),
        rule("FAR302", "two", to("one", leads_to=("FAR301",))),
    )
    assert not outcome.converged
    assert outcome.left[0].reason == apply.NOT_CONVERGED


def test_a_fix_that_grows_forever_ends() -> None:
    grow = rule("FAR301", "x+", lambda m: to(m[0] + "x", leads_to=("FAR301",))(m))
    outcome = fix("x\n", grow)
    assert not outcome.converged
    assert len(outcome.rounds) == apply.MAX_ROUNDS


def test_later_rounds_see_earlier_ones() -> None:
    outcome = fix(
        "one\n",
        rule("FAR301", "one", to("two", leads_to=("FAR302",))),
        rule("FAR302", "two", to("three")),
    )
    assert outcome.after.text == "three\n"
    assert [item.finding.code for item in outcome.applied] == ["FAR301", "FAR302"]


def candidate(line: int, *edits: Edit, group: str | None = None) -> tuple[Finding, Fix]:
    return (
        Finding("a.py", Range(line, 0, line, 1), "FAR301", "m"),
        Fix("Change", "safe", edits, group),
    )


def test_selection() -> None:
    shared = Edit(0, 0, "import x\n")
    one = candidate(1, shared, Edit(10, 12, "a"))
    two = candidate(2, shared, Edit(20, 22, "b"))
    touching = candidate(3, Edit(22, 25, "c"))
    inside = candidate(4, Edit(11, 11, "d"))
    around = candidate(5, Edit(5, 40, "e"))
    other_import = candidate(6, Edit(0, 0, "import y\n"))
    apart = candidate(7, Edit(30, 31, "f"))
    assert select([apart, other_import, around, inside, touching, two, one]) == [one, two, apart]
    assert splice("0" * 30, [*one[1].edits, *two[1].edits]) == (
        "import x\n" + "0" * 10 + "a" + "0" * 8 + "b" + "0" * 8
    )


def test_only_what_is_wanted() -> None:
    check = rule("FAR301", "old", to("new"))
    outcome = apply_fixes(Source("a.py", "old\n"), check, wanted=lambda f: f.code == "FAR302")
    assert not outcome.changed
    assert outcome.left == ()


@pytest.mark.parametrize("code", ["", "\n", "x = 1", "# only\n"])
def test_nothing_to_do(code: str) -> None:
    outcome = fix(code, rule("FAR301", "old", to("new")))
    assert outcome.after.text == code
    assert not outcome.changed


def test_the_final_text_is_checked_last() -> None:
    checked: list[str] = []
    old = rule("FAR301", "old", to("new("))

    def check(source: Source) -> list[Finding]:
        checked.append(source.text)
        return [*old(source), *rule("FAR302", "new", None)(source)]

    apply_fixes(Source("a.py", "old\n"), check)
    assert checked[-1] == "old\n"
    leads = rule("FAR301", "old", to("new"))

    def check_more(source: Source) -> list[Finding]:
        checked.append(source.text)
        return [*leads(source), *rule("FAR302", "new", None)(source)]

    outcome = apply_fixes(Source("a.py", "old\n"), check_more)
    assert not outcome.changed
    assert checked[-1] == "old\n"


def test_imports_that_fixes_leave_without_a_use(tmp_path: Path) -> None:
    """Those of the framework and the standard library go, the project's own and others stay."""
    before = (
        "from typing import List, Optional, Sequence\n"
        "from pydantic import BaseModel, validator\n"
        "from typing import Any  # noqa: F401\n"
        "from shop.db import unused, used\n"
        "\n\n"
        "class Item(BaseModel):\n"
        "    name: str\n\n"
        '    @validator("name")\n'
        "    def checked(cls, v: str, values: Sequence[Any]) -> str:\n"
        "        return v\n\n\n"
        "names: List[str] = used\n"
    )
    path = tmp_path / "app.py"
    linter = Linter(SettingsLoader([Layer("test", {"enable": "FAR509"})], isolated=True))
    outcome = apply_fixes(Source(str(path), before), linter.check)
    assert outcome.after.text.startswith(
        "from typing import List, Optional\n"
        "from pydantic import BaseModel, field_validator\n"
        "from typing import Any  # noqa: F401\n"
        "from shop.db import unused, used\n"
    )
    assert [bool(each.tidied) for each in outcome.rounds] == [False, True]
    assert apply_fixes(outcome.after, linter.check).rounds == ()
    package = apply_fixes(Source(str(tmp_path / "__init__.py"), before), linter.check)
    assert "Sequence" in package.after.text


def test_several_texts_in_step() -> None:
    """One question for all texts of a round; each text has its own end."""
    first = rule("FAR301", "old", to("new", leads_to=("FAR302",)))
    second = rule("FAR302", r"new\b", to("newest"))
    asked: list[list[str]] = []

    def check_all(sources: Sequence[Source]) -> list[list[Finding] | Exception]:
        asked.append([source.path for source in sources])
        answers: list[list[Finding] | Exception] = []
        for source in sources:
            if source.path == "broken.py":
                answers.append(SourceError("invalid syntax"))
            elif source.path == "twice.py":
                answers.append([*first(source), *second(source)])
            else:
                answers.append(first(source))
        return answers

    texts = {"once.py": "old\n", "broken.py": "old\n", "clean.py": "x\n", "twice.py": "old\n"}
    outcomes = apply_all_fixes(
        [Source(path, text) for path, text in texts.items()], check_all, max_rounds=3
    )
    once, broken, clean, twice = outcomes
    assert isinstance(broken, SourceError)
    assert isinstance(once, apply.FixOutcome)
    assert isinstance(clean, apply.FixOutcome)
    assert isinstance(twice, apply.FixOutcome)
    assert once.after.text == "new\n"
    assert not clean.changed
    assert twice.after.text == "newest\n"
    assert asked[:2] == [list(texts), ["once.py", "twice.py"]]


def test_in_step_as_one_by_one(tmp_path: Path) -> None:
    """Files of a project fixed together become what they become one after the other."""
    fixtures = Path(__file__).parents[2] / "fixtures" / "rules"
    texts = {
        str(tmp_path / f"{folder.name}.py"): (folder / "flagged.py").read_text()
        for folder in sorted(fixtures.glob("FAR3*"))
        if (folder / "flagged.py").is_file()
    }
    sources = [Source(path, text) for path, text in texts.items()]
    assert len(sources) > 10
    alone = [apply_fixes(each, Linter(SettingsLoader(isolated=True)).check) for each in sources]
    linter = Linter(SettingsLoader(isolated=True))

    def check_all(given: Sequence[Source]) -> list[list[Finding] | Exception]:
        linter.load(given)
        return [linter.check(each) for each in given]

    together = apply_all_fixes(sources, check_all)
    assert [each.after.text for each in alone] == [
        each.after.text for each in together if isinstance(each, apply.FixOutcome)
    ]
