"""The linter behind both doors: which rules are on for a file, and what they find in it."""

from __future__ import annotations

import ast
import dataclasses
import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from weakref import finalize

from flake8_fastapi_rules.config import (
    ConfigError,
    Configuration,
    Settings,
    SettingsLoader,
    suggestion,
)
from flake8_fastapi_rules.engine.findings import Finding, Unfixable
from flake8_fastapi_rules.engine.memory import give_up, lasting
from flake8_fastapi_rules.engine.plan import Plan
from flake8_fastapi_rules.engine.results import Problem, Results, placed_fix
from flake8_fastapi_rules.engine.runner import INTERNAL_ERROR, crash_finding, run, unique
from flake8_fastapi_rules.engine.source import Source, SourceError
from flake8_fastapi_rules.engine.suppress import unsuppressed
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.rules.base import Context, Rule
from flake8_fastapi_rules.semantics.files import read_source
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module

RuleClass = type[Rule]


class ModelLike(Protocol):
    """What the linter needs of the semantic model."""

    @property
    def characters(self) -> int:
        """How much text the model keeps."""

    @property
    def texts(self) -> object:
        """The texts that the model keeps; models for parts of one project share them."""

    def anew(self, first: Any = None) -> ModelLike:
        """A model of the same texts that has drawn no conclusions from them yet.

        Parameters:
            first: another one of these texts, to share conclusions with.
        """

    def beside(self, settings: Settings, path: str) -> ModelLike | None:
        """A model of the same texts for a file with other settings; `None` if it needs others."""

    def leave(self) -> None:
        """Stop listening to changes of texts: nobody will ask any more."""

    def load(self, source: Source, tree: ast.Module | None) -> Module:
        """The module for a text."""

    def may_have(self, module: Module, kind: type[Any]) -> bool:
        """Whether there may be facts of one kind, or nodes of one type, in a module."""

    def facts(self, module: Module, kind: type[Any]) -> Iterable[Any]:
        """The facts of one kind in a module."""


#: So many characters of source may be parsed on top of what the first file of a model needs: about
#: 1 GB of memory. Few repositories have as many.
MODEL_LIMIT = 25_000_000


@dataclass(frozen=True, slots=True)
class Flake8Choices:
    """The codes that flake8's configuration selects and ignores, for runs without flake8.

    Only what speaks of our codes counts (`FAR` and longer). Of a selected and an ignored prefix
    the longer one decides, as in flake8.

    Parameters:
        selected: prefixes in `select` and `extend-select`.
        ignored: prefixes in `ignore` and `extend-ignore`.
        per_file: pairs of a path glob and the prefixes ignored there.
        restricted: what no prefix selects is left out: `select` names some of our codes only.
    """

    selected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    restricted: bool = False

    def hides(self, code: str, path: str) -> bool:
        """Whether flake8 would leave out findings of `code` in a file."""
        if not self.ignored and not self.per_file and not self.restricted:
            return False
        selected = max((len(p) for p in self.selected if code.startswith(p)), default=0)
        if self.restricted and not selected and code != INTERNAL_ERROR:
            return True
        ignored = list(self.ignored)
        absolute = os.path.abspath(path)
        for glob, prefixes in self.per_file:
            if any(fnmatch.fnmatch(p, glob) for p in (os.path.basename(path), absolute)):
                ignored += prefixes
        longest = max((len(p) for p in ignored if code.startswith(p)), default=0)
        return 0 < longest >= selected


NO_CHOICES = Flake8Choices()


class Linter:
    """Checks files, one at a time, with one semantic model for the whole run.

    Parameters:
        loader: gives the settings for a file.
        only: selectors; when given, no other rule runs.
        choices: what flake8's configuration says, for runs without flake8.
        rules: the rules to choose from (default: all).
        make_model: makes the semantic model for settings.
    """

    def __init__(
        self,
        loader: SettingsLoader,
        *,
        only: Sequence[str] = (),
        choices: Flake8Choices = NO_CHOICES,
        rules: Sequence[RuleClass] | None = None,
        make_model: Callable[[Settings], ModelLike] = Model,
    ) -> None:
        self._loader = loader
        self._only = tuple(map(normalized, only))
        self._also: tuple[str, ...] = ()
        self._choices = choices
        self.rules = tuple(all_rules() if rules is None else rules)
        self._make_model = make_model
        self._instances = {rule: rule() for rule in self.rules}
        self._plans: dict[tuple[object, ...], Plan] = {}
        self._models: dict[str, ModelLike] = {}
        self._limits: dict[object, int] = {}
        self._latest = ""
        self._model_keys: dict[int, tuple[Settings, str]] = {}
        self._validated: set[int] = set()
        check_selectors(only, self.rules, "command line")
        # Trees and indexes refer to each other: they do not go with the last linter that had them.
        finalize(self, _give_up_all, self._models).atexit = False

    def enable_also(self, selectors: Iterable[str]) -> None:
        """Switch on what flake8's `select` names: a selector longer than `FAR` that fits a rule."""
        self._also = tuple(
            selector
            for selector in selectors
            if selector != "FAR" and any(best_match(r, (selector,)) for r in self.rules)
        )
        self._plans.clear()

    @cached_property
    def without_files(self) -> Linter:
        """The same linter with the defaults, for code whose own settings cannot be read."""
        linter = Linter(
            self._loader.without_files(),
            only=self._only,
            choices=self._choices,
            rules=self.rules,
            make_model=self._make_model,
        )
        linter.enable_also(self._also)
        return linter

    def settings(self, path: str) -> Settings:
        """The settings for a file.

        Raises:
            ConfigError: for a mistake in the configuration.
        """
        return self.configuration(path).settings

    def configuration(self, path: str) -> Configuration:
        """The configuration for a file, with its selectors checked.

        Raises:
            ConfigError: for a mistake in the configuration.
        """
        configuration = self._loader.load(path)
        if id(configuration) not in self._validated:
            settings, origins = configuration.settings, configuration.origins
            check_selectors(settings.enable, self.rules, origins["enable"])
            check_selectors(settings.disable, self.rules, origins["disable"])
            self._validated.add(id(configuration))
        return configuration

    def rules_for(self, path: str) -> tuple[RuleClass, ...]:
        """The rules whose findings are reported for a file.

        Raises:
            ConfigError: for a mistake in the configuration.
        """
        settings = self.configuration(path).settings
        rules = self._rules_for(settings, settings.is_test_path(path))
        return tuple(rule for rule in rules if not self._choices.hides(rule.code, path))

    def _rules_for(self, settings: Settings, is_test: bool) -> tuple[RuleClass, ...]:
        named = (*settings.enable, *self._also, *self._only)
        enable = [s for s in map(normalized, named) if s != "FAR"]  # that alone names no rule
        disable = tuple(map(normalized, settings.disable))
        return tuple(
            rule
            for rule in self.rules
            if (not self._only or best_match(rule, self._only))
            and is_on(rule, settings.profile, enable, disable, is_test)
        )

    def _plan_for(self, settings: Settings, is_test: bool) -> Plan:
        key = (settings.profile, settings.enable, settings.disable, is_test)
        plan = self._plans.get(key)
        if plan is None:
            rules = self._rules_for(settings, is_test)
            plan = self._plans[key] = Plan.of(self._instances[rule] for rule in rules)
        return plan

    def model_for(self, settings: Settings, path: str = "") -> ModelLike:
        """The semantic model for files with such settings (profiles do not matter to it).

        Parameters:
            path: one of these files; its project may have been read for other settings.
        """
        known = self._model_keys.get(id(settings))
        if known is None:
            common = dataclasses.replace(
                settings, profile="", enable=(), disable=(), per_path_profiles={}
            )
            known = self._model_keys[id(settings)] = (settings, repr(common))
        model = self._models.get(known[1])
        if model is None:
            others = reversed(self._models.values()) if path else ()
            shared = (other.beside(settings, path) for other in others)
            model = next(filter(None, shared), None) or self._make_model(settings)
            self._models[known[1]] = model
        return model

    def _bound_memory(self, settings: Settings, model: ModelLike) -> None:
        """Give up models of projects that are done, and one that has grown too large.

        What the first file of a model needs (the whole project, mostly) will be needed again and
        does not count.
        """
        key = self._model_keys[id(settings)][1]
        limit = self._limits.setdefault(model.texts, model.characters + MODEL_LIMIT)
        if key != self._latest:
            self._latest = key
            self._models[key] = self._models.pop(key)  # the one that was used last is the last
        if len(self._limits) == 1 and model.characters <= limit:
            return
        total = _characters(self._models.values())
        for old in list(self._models):
            if total <= limit:
                break
            gone = self._models.pop(old)
            gone.leave()
            left = _characters(self._models.values())
            if left < total:
                self._limits.pop(gone.texts, None)
                give_up(total - left)
                total = left

    def check(self, source: Source, tree: ast.Module | None = None) -> list[Finding]:
        """Check one file, without regard to `noqa` comments.

        Parameters:
            source: its text.
            tree: its syntax tree, when the caller has it; it is not changed.

        Raises:
            ConfigError: for a mistake in the configuration.
            SourceError: when the text cannot be parsed.
        """
        settings = self.configuration(source.path).settings
        plan = self._plan_for(settings, settings.is_test_path(source.path))
        with lasting():
            return self._run(plan, source, tree, settings)

    def _run(
        self, plan: Plan, source: Source, tree: ast.Module | None, settings: Settings
    ) -> list[Finding]:
        model = self.model_for(settings, source.path)
        try:
            module = model.load(source, tree)
        except SourceError:
            raise
        except Exception as error:
            return [crash_finding(source, "loading the module", error)]

        def may_have(kind: type) -> bool:
            try:
                return model.may_have(module, kind)
            except Exception:
                return True  # reported when the facts themselves are asked for

        plan = plan.for_text(source.text, may_have, mentions_framework=module.mentions_framework)

        def subjects_of(kind: type, called: frozenset[str]) -> Iterable[Any]:
            if kind is Module:
                return (module,)
            if called:
                return module.index.calls_of(called)
            if issubclass(kind, ast.AST):
                return module.index.nodes(kind)
            return model.facts(module, kind)

        context = Context(module, model, settings)  # type: ignore[arg-type]
        try:
            return run(plan, source, subjects_of, context)
        finally:
            self._bound_memory(settings, model)

    def start_anew(self) -> None:
        """Draw all conclusions again, from the texts that were loaded last."""
        first: dict[object, ModelLike] = {}
        for key, model in self._models.items():
            fresh = self._models[key] = model.anew(first.get(model.texts))
            first.setdefault(model.texts, fresh)

    def load(self, sources: Iterable[Source]) -> None:
        """Make texts known before any of them is checked: each then sees the others as they are.

        What cannot be loaded is left out; it is reported when it is checked.
        """
        with lasting():
            for source in sources:
                # What goes wrong here is reported by `check`, which meets it again.
                with suppress(Exception):
                    settings = self.configuration(source.path).settings
                    self.model_for(settings, source.path).load(source, None)

    def prepare(self, paths: Iterable[str]) -> None:
        """Read the project of the first of these files that says anything to FastAPI.

        Processes that are forked off afterwards share what is known of it, instead of each
        reading the same files.
        """
        for path in paths:
            # What goes wrong here is reported by `check`, which meets it again.
            with suppress(Exception):
                data = read_source(Path(path))
                if data is None:
                    continue
                source = Source.from_bytes(path, data)
                settings = self.configuration(path).settings
                if self.model_for(settings, path).load(source, None).mentions_framework:
                    self.check(source)
                    return

    def check_text(self, source: Source, *, noqa: bool = True, fixes: bool = False) -> Results:
        """Check one file completely: `noqa` comments, problems with its text, fixes.

        Parameters:
            source: its text.
            noqa: leave out what `# noqa` comments hide.
            fixes: compute the fixes too.

        Raises:
            ConfigError: for a mistake in the configuration.
        """
        results = Results(files=1)
        try:
            findings = self.check(source)
        except SourceError as error:
            results.problems.append(Problem(source.path, error.line, error.column, error.message))
            return results
        if fixes:
            findings = self._compute_fixes(source, findings, results)
        if noqa:
            findings = unsuppressed(source, findings)
        results.findings = [f for f in findings if not self._choices.hides(f.code, f.path)]
        return results

    def _compute_fixes(
        self, source: Source, findings: list[Finding], results: Results
    ) -> list[Finding]:
        crashes: dict[str, Finding] = {}
        for finding in findings:
            try:
                if fix := placed_fix(source, finding):
                    results.fixes[finding] = fix
            except Unfixable as reason:
                results.unfixable[finding] = str(reason)
            except Exception as error:
                where = f"the fix of {finding.code}"
                crashes.setdefault(finding.code, crash_finding(source, where, error))
        return unique([*findings, *crashes.values()])


def _give_up_all(models: Mapping[str, ModelLike]) -> None:
    give_up(_characters(models.values()))


def _characters(models: Iterable[ModelLike]) -> int:
    """How much text some models keep, each text once."""
    return sum({model.texts: model.characters for model in models}.values())


def is_on(
    rule: RuleClass, profile: str, enable: Sequence[str], disable: Sequence[str], is_test: bool
) -> bool:
    """Whether a rule is on.

    Rules about tests are on in test files only, conventions everywhere else only. Of selectors
    that switch a rule on and off the longest counts; of two of one length, the one that is off.
    """
    if is_test and not (rule.is_bug or rule.tests_only):
        return False
    if not is_test and rule.tests_only:
        return False
    on, off = best_match(rule, enable), best_match(rule, disable)
    if on or off:
        return on > off
    return in_profile(rule, profile)


def in_profile(rule: RuleClass, profile: str) -> bool:
    """Whether a profile contains a rule."""
    if profile in rule.not_in:
        return False
    return "recommended" in rule.profiles or profile in rule.profiles


def best_match(rule: RuleClass, selectors: Iterable[str]) -> int:
    """The length of the longest selector that names the rule; a name counts as a whole code."""
    best = 0
    for selector in selectors:
        if selector == rule.name():
            best = len(rule.code)
        elif rule.code.startswith(selector):
            best = max(best, len(selector))
    return best


def normalized(selector: str) -> str:
    """A selector as it is compared: codes in upper case, names in lower case with hyphens."""
    text = selector.strip()
    if re.fullmatch(r"(?i)far\d{0,3}", text):
        return text.upper()
    return text.lower().replace("_", "-")


def check_selectors(selectors: Iterable[str], rules: Sequence[RuleClass], origin: str) -> None:
    """Refuse selectors that name no rule.

    Raises:
        ConfigError: with a suggestion.
    """
    for selector in selectors:
        if not any(best_match(rule, (normalized(selector),)) for rule in rules):
            known = [name for rule in rules for name in (rule.code, rule.name())]
            hint = suggestion(selector, known)
            written = selector.upper() if re.fullmatch(r"far\d+", selector) else selector
            raise ConfigError(f"unknown rule `{written}`{hint}", origin)


__all__ = ["INTERNAL_ERROR", "Flake8Choices", "Linter", "in_profile", "is_on"]
