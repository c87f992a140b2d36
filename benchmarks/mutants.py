"""The reference service with one convention broken: what to change is data, see `mutations/`."""

from __future__ import annotations

import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flake8_fastapi_rules.config import Layer, SettingsLoader
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Source
from flake8_fastapi_rules.linter import Linter
from flake8_fastapi_rules.rules import all_rules

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "mutations"
FUTURE = "from __future__ import annotations\n"
#: What is copied: the service, and its tests where a mutation concerns them.
SERVICE, TESTS = "example_app", "tests/example_app"


class MutationError(Exception):
    """A mutation that cannot be applied as it is written."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file.

    Parameters:
        file: relative to the copy.
        old: a text that occurs once (behind `after`); empty: nothing is replaced.
        new: what takes its place; the whole text of a file that does not exist yet.
        after: a text that stands before `old`, to tell similar places apart.
        imports: lines that are put behind the `__future__` import.
        append: lines that are put at the end.
        copy: a file beside the descriptions whose text a new file begins with.
    """

    file: str
    old: str = ""
    new: str = ""
    after: str = ""
    imports: str = ""
    append: str = ""
    copy: str = ""

    def apply(self, text: str | None) -> str:
        """The text after the change.

        Parameters:
            text: the text before; `None` when there is no such file.

        Raises:
            MutationError: when the place is not found or not the only one.
        """
        if text is None and self.copy:
            text = (DATA / self.copy).read_text("utf-8")
        if text is None:
            if self.old or self.append or self.imports or not self.new:
                raise MutationError(f"{self.file}: there is no such file")
            return self.new
        if self.old:
            start = text.find(self.after)
            if start < 0:
                raise MutationError(f"{self.file}: not found: {self.after!r}")
            start += len(self.after)
            count = text.count(self.old, start)
            if count == 0 or (count > 1 and not self.after):
                raise MutationError(f"{self.file}: found {count} times: {self.old!r}")
            start = text.index(self.old, start)
            text = text[:start] + self.new + text[start + len(self.old) :]
        if self.imports:
            if FUTURE not in text:
                raise MutationError(f"{self.file}: no place for imports")
            text = text.replace(FUTURE, f"{FUTURE}\n{self.imports.strip()}\n", 1)
        if self.append:
            text = f"{text}\n\n{self.append.strip()}\n"
        return text


@dataclass(frozen=True, slots=True)
class Mutation:
    """A way to break one convention.

    Parameters:
        code: what must be reported.
        about: what is done.
        edits: the changes.
        also: other codes that the same change must lead to, each with the reason.
        tests: the tests of the service are there too, because one of them is changed.
        settings: changes to the settings (besides switching on an opt-in rule).
        breaks: the service cannot be imported any more, which is what the rule says.
    """

    code: str
    about: str
    edits: tuple[Edit, ...]
    also: Mapping[str, str] = field(default_factory=dict)
    tests: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    breaks: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.about}"

    def options(self) -> dict[str, Any]:
        """The settings: everything that is on for the service, and the rule itself."""
        rule = next(rule for rule in all_rules() if rule.code == self.code)
        enable = [self.code] if rule.profiles == ("opt-in",) else []
        return {"profile": "strict", "enable": enable, **self.settings}


def _path(name: str) -> str:
    """Where a file lies in the copy: names are relative to the service or to its tests."""
    if name.startswith("tests/"):
        return f"{TESTS}/{name.removeprefix('tests/')}"
    return f"{SERVICE}/{name}"


def _edit(entry: Mapping[str, Any]) -> Edit:
    values = {key: value for key, value in entry.items() if key in Edit.__dataclass_fields__}
    return Edit(**{**values, "file": _path(entry["file"])})


@cache
def mutations() -> tuple[Mutation, ...]:
    """All mutations, in the order of their codes."""
    return tuple(sorted(_read(), key=lambda mutation: mutation.code))


def _read() -> Iterator[Mutation]:
    for file in sorted(DATA.glob("*.toml")):
        for code, entries in tomllib.loads(file.read_text("utf-8")).items():
            for entry in entries:
                known = {*Edit.__dataclass_fields__, *Mutation.__dataclass_fields__, "more"}
                if unknown := entry.keys() - known:
                    raise MutationError(f"{file.name}: {code}: unknown keys {sorted(unknown)}")
                edits = (_edit(entry), *(_edit(other) for other in entry.get("more", ())))
                yield Mutation(
                    code,
                    entry["about"],
                    edits,
                    entry.get("also", {}),
                    any(edit.file.startswith(TESTS) and not edit.copy for edit in edits),
                    entry.get("settings", {}),
                    entry.get("breaks", False),
                )


@dataclass(frozen=True, slots=True)
class Reported:
    """What is kept of a finding."""

    path: str
    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation led to.

    Parameters:
        mutation: the mutation.
        new: the findings that the unchanged service does not have.
    """

    mutation: Mutation
    new: tuple[Reported, ...]

    @property
    def found(self) -> bool:
        """Whether the broken convention is reported."""
        return any(finding.code == self.mutation.code for finding in self.new)

    @property
    def extra(self) -> set[str]:
        """The codes that should not be reported besides."""
        return {f.code for f in self.new} - {self.mutation.code} - self.mutation.also.keys()

    @property
    def missing(self) -> set[str]:
        """The codes that should be reported besides, and are not."""
        return set(self.mutation.also) - {finding.code for finding in self.new}

    @property
    def exact(self) -> bool:
        """Whether just what was to be reported is reported."""
        return self.found and not self.extra and not self.missing


class Workbench:
    """A copy of the service, in which one mutation after the other is tried.

    Parameters:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._baselines: dict[str, Counter[tuple[str, str, str]]] = {}
        shutil.copy(ROOT / "pyproject.toml", folder)
        self._put(SERVICE)
        self._has_tests = False

    def _put(self, name: str) -> None:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, self.folder / name, ignore=ignore)

    def _with_tests(self, wanted: bool) -> None:
        if wanted != self._has_tests:
            if wanted:
                self._put(TESTS)
            else:
                shutil.rmtree(self.folder / "tests")
            self._has_tests = wanted

    def texts(self, mutation: Mutation) -> dict[str, str]:
        """The changed files of a mutation, by path.

        Raises:
            MutationError: when a place is not found, or the result is no Python.
        """
        changed: dict[str, str] = {}
        for edit in mutation.edits:
            before = changed.get(edit.file)
            if before is None and (ROOT / edit.file).exists():
                before = (ROOT / edit.file).read_text("utf-8")
            changed[edit.file] = edit.apply(before)
        for file, text in changed.items():
            try:
                compile(text, file, "exec", dont_inherit=True)
            except SyntaxError as error:
                raise MutationError(f"{file}:{error.lineno}: {error.msg}") from error
        return changed

    def apply(self, mutation: Mutation) -> dict[str, str]:
        """Write the changed files of a mutation; `restore` takes them back."""
        changed = self.texts(mutation)
        self._with_tests(mutation.tests)
        for file, text in changed.items():
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_text(text, "utf-8")
        return changed

    def restore(self, files: Mapping[str, str]) -> None:
        """Give files back the text that they have in the service."""
        for file in files:
            if (ROOT / file).exists():
                shutil.copy(ROOT / file, self.folder / file)
            else:
                (self.folder / file).unlink()

    def lint(self, mutation: Mutation) -> list[Finding]:
        """The findings in the whole copy, as it is."""
        linter = Linter(SettingsLoader([Layer("benchmark", mutation.options())]))
        found: list[Finding] = []
        for file in sorted(self.folder.rglob("*.py")):
            found += linter.check(Source.from_bytes(str(file), file.read_bytes()))
        return found

    def _key(self, finding: Finding) -> tuple[str, str, str]:
        return finding.path, finding.code, finding.message

    def baseline(self, mutation: Mutation) -> Counter[tuple[str, str, str]]:
        """What the unchanged service has under the settings of a mutation."""
        self._with_tests(mutation.tests)
        key = f"{mutation.options()} {mutation.tests}"
        if key not in self._baselines:
            self._baselines[key] = Counter(map(self._key, self.lint(mutation)))
        return self._baselines[key]

    def outcome(self, mutation: Mutation) -> Outcome:
        """Try one mutation.

        Raises:
            MutationError: when it cannot be applied.
        """
        known = self.baseline(mutation).copy()
        changed = self.apply(mutation)
        try:
            new = []
            for finding in self.lint(mutation):
                if known[self._key(finding)] > 0:
                    known[self._key(finding)] -= 1
                else:
                    new.append(Reported(finding.path, finding.line, finding.code, finding.message))
        finally:
            self.restore(changed)
        return Outcome(mutation, tuple(new))
