"""What every rule is: a class whose docstring is its documentation page."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeVar

from flake8_fastapi_rules.config import Settings
from flake8_fastapi_rules.engine.findings import FixMaker, Related, Safety, Unfixable
from flake8_fastapi_rules.engine.plan import Condition
from flake8_fastapi_rules.engine.source import Range, Source
from flake8_fastapi_rules.semantics.model import Model
from flake8_fastapi_rules.semantics.modules import Module
from flake8_fastapi_rules.semantics.values import External, Value

Profile = Literal["recommended", "strict", "clean-architecture", "opt-in"]
Scope = Literal["module", "project"]

PROFILES: tuple[Profile, ...] = ("recommended", "strict", "clean-architecture", "opt-in")
SECTIONS = ("What it does", "Why it matters", "Example", "Use instead", "Leaves alone", "Source")
MESSAGE_LIMIT = 100

_EMPTY_SECTION = re.compile(r"\n    ## [^\n]+\s+(?:## |\Z)")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule's handler yields: a place in the module at hand and what to say of it."""

    place: ast.AST | Range
    message: str
    related: tuple[Related, ...] = ()
    fix: FixMaker | Unfixable | None = None


def on(
    *subjects: type, framework_only: bool = False, hints: tuple[str, ...] = ()
) -> Callable[[F], F]:
    """Tag a method of a rule with the facts or `ast` node types that it wants to see.

    The method is called as `method(subject, context)` for each of them in a module and yields
    `Report`s. `Module` as a subject means once per module.

    Parameters:
        framework_only: only in modules whose text mentions the framework.
        hints: words as in `Rule.hints`, for rules without any for all of their methods.
    """

    def tag(method: F) -> F:
        return _tagged(method, subjects, Condition(framework_only, hints))

    return tag


def on_calls(names: Iterable[str], *, hints: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Tag a method of a rule that wants to see only the calls of something with such a name.

    The method is also given calls by names that may stand for something else: aliases of imports
    and variables. It has to resolve what is called.

    Parameters:
        names: last names, such as `run` for `uvicorn.run`.
        hints: words as in `Rule.hints`, for rules without any for all of their methods. The text
            must hold one of them and one of the names.
    """
    condition = Condition(hints=hints, called=frozenset(names))

    def tag(method: F) -> F:
        return _tagged(method, (ast.Call,), condition)

    return tag


def _tagged(method: F, subjects: tuple[type, ...], condition: Condition) -> F:
    method.__far_subjects__ = subjects  # type: ignore[attr-defined]
    method.__far_condition__ = condition  # type: ignore[attr-defined]
    return method


@dataclass(slots=True)
class Context:
    """What a rule may ask about the module at hand."""

    module: Module
    model: Model
    settings: Settings

    @property
    def source(self) -> Source:
        """The module's text."""
        return self.module.source

    @property
    def path(self) -> str:
        """The name under which the module's findings are reported."""
        return self.module.source.path

    def resolve(self, node: ast.AST | None) -> Value:
        """What an expression of this module means."""
        return self.model.resolve(self.module, node)

    def library_object(self, node: ast.AST) -> External | None:
        """What an expression of this module names, when that is something of a library."""
        return self.model.library_object(self.module, node)

    def facts(self, kind: type[Any]) -> tuple[Any, ...]:
        """The facts of one kind in this module, in source order."""
        return self.model.facts(self.module, kind)

    def shown(self, node: ast.AST, limit: int = 40, *, module: Module | None = None) -> str:
        """The text of an expression as a message may quote it, on one line.

        Of a text longer than `limit` characters only the name before its brackets is kept.

        Parameters:
            module: where the expression stands, if not in the module that is checked.
        """
        source = self.source if module is None else module.source
        text = source.segment(node)
        if "\n" in text:
            text = ast.unparse(node)
        text = " ".join(text.split())
        if len(text) <= limit:
            return text
        inner = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
        opening, closing = ("(", ")") if isinstance(node, ast.Call) else ("[", "]")
        if isinstance(node, ast.Call | ast.Subscript) and inner is not None:
            return f"{source.segment(inner)}{opening}...{closing}"
        return f"{text[: limit - 3]}..."

    def related(self, module: Module, node: ast.AST | Range, message: str) -> Related:
        """Another place, possibly in another module, that a finding speaks of."""
        where = node if isinstance(node, Range) else module.source.range_of(node)
        return Related(module.source.path, where, message)


class Rule:
    """The base of all rules.

    A rule declares its code, its message templates (`{name}` placeholders are filled by
    `report`), the profiles it belongs to, whether it reports bugs (also in tests) or conventions
    (tests are left alone), and the safety of its fix, if it has one. Its name is its module's
    name, its group the package. Methods tagged with `@on(...)` do the work. One instance serves
    all files of a run, so rules keep no state.

    Raises:
        TypeError: at class creation, for a rule that is incomplete.
    """

    code: ClassVar[str]
    message: ClassVar[str]
    variants: ClassVar[Mapping[str, str]] = {}
    profiles: ClassVar[tuple[Profile, ...]]
    #: Profiles that leave the rule out although they contain it otherwise.
    not_in: ClassVar[tuple[Profile, ...]] = ()
    is_bug: ClassVar[bool] = False
    tests_only: ClassVar[bool] = False
    scope: ClassVar[Scope] = "module"
    fix: ClassVar[Safety | None] = None
    #: Its fix may change what is found in modules that the fixed one imports.
    fix_reaches_imported: ClassVar[bool] = False
    #: The same in modules that import the fixed one.
    fix_reaches_importers: ClassVar[bool] = False
    #: Words of which at least one must occur in a file's text for the rule to look at it.
    hints: ClassVar[tuple[str, ...]] = ()
    registry: ClassVar[dict[str, type[Rule]]] = {}

    def __init_subclass__(cls) -> None:
        """Refuse an incomplete rule and register a complete one."""
        super().__init_subclass__()
        problem = _problem_of(cls)
        if problem:
            raise TypeError(f"{cls.__module__}.{cls.__name__}: {problem}")
        other = Rule.registry.get(cls.code)
        if other and (other.__module__, other.__name__) != (cls.__module__, cls.__name__):
            raise TypeError(f"{cls.__name__}: {cls.code} is {other.__name__} already")
        Rule.registry[cls.code] = cls

    @classmethod
    def name(cls) -> str:
        """The rule's name, such as `module-level-app`."""
        return cls.__module__.rpartition(".")[2].replace("_", "-")

    @classmethod
    def group(cls) -> str:
        """The group, such as `application`."""
        return cls.__module__.split(".")[-2]

    @classmethod
    def documentation(cls) -> Documentation:
        """The parts of the rule's documentation page."""
        return Documentation.of(cls)

    @classmethod
    def handlers(cls) -> Iterator[tuple[type, str, Condition]]:
        """The subjects of the rule, each with a method's name and its condition."""
        names = {name for base in cls.__mro__ for name in vars(base)}
        for name in sorted(names):
            method = getattr(cls, name)
            for subject in getattr(method, "__far_subjects__", ()):
                condition: Condition = method.__far_condition__
                yield subject, name, replace(condition, hints=cls.hints or condition.hints)

    def report(
        self,
        place: ast.AST | Range,
        variant: str | None = None,
        *,
        related: Iterable[Related] = (),
        fix: FixMaker | Unfixable | None = None,
        **values: object,
    ) -> Report:
        """Report `place`.

        Parameters:
            place: the node or range, in the module at hand.
            variant: the key of another message in `variants`.
            related: other places.
            fix: computes the fix when one is wanted, or why this case has none although others
                of the rule have.
        """
        template = self.variants[variant] if variant else self.message
        return Report(place, template.format(**values), tuple(related), fix)


@dataclass(frozen=True, slots=True)
class Documentation:
    """A rule's page, taken from its docstring.

    Parameters:
        summary: the first line.
        sections: section title to its text, in order.
    """

    summary: str
    sections: Mapping[str, str]

    @classmethod
    def of(cls, rule: type[Rule]) -> Documentation:
        """Split the docstring of `rule` at its `## ` headings."""
        text = inspect.cleandoc(rule.__doc__ or "")
        head, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        titles, bodies = parts[::2], parts[1::2]
        return cls(
            head.strip(), {t.strip(): b.strip() for t, b in zip(titles, bodies, strict=True)}
        )

    def examples(self, section: str) -> list[dict[str, str]]:
        """The projects of code shown in a section: file name to code.

        A fenced block whose info string names a file (```` ```python title="app/main.py" ````)
        belongs to the project of the blocks before it; an unnamed block is a project of its own.
        """
        projects: list[dict[str, str]] = []
        pattern = r'^```python(?: title="([^"]+)")?\n(.*?)^```'
        named: dict[str, str] | None = None
        for file, code in re.findall(pattern, self.sections[section], re.MULTILINE | re.DOTALL):
            if not file:
                projects.append({"example.py": code})
                named = None
            elif named is None or file in named:
                named = {file: code}
                projects.append(named)
            else:
                named[file] = code
        return projects


def _problem_of(cls: type[Rule]) -> str | None:
    """Why `cls` is not a complete rule, or `None`."""
    for attribute in ("code", "message", "profiles"):
        if not hasattr(cls, attribute):
            return f"`{attribute}` is missing"
    if not re.fullmatch(r"FAR[0-9]{3}", cls.code):
        return f"bad code {cls.code!r}"
    for message in (cls.message, *cls.variants.values()):
        if len(message) > MESSAGE_LIMIT:
            return f"message longer than {MESSAGE_LIMIT} characters: {message!r}"
        if message.endswith("."):
            return f"message ends with a dot: {message!r}"
    if not cls.profiles or any(profile not in PROFILES for profile in cls.profiles):
        return f"bad profiles {cls.profiles!r}"
    if sys.flags.optimize >= 2:  # `-OO` strips docstrings
        return None
    wanted = (*SECTIONS, *(("Fix safety",) if cls.fix else ()))
    # This runs for every rule at every start: pages are taken apart only to say what is wrong.
    text = cls.__doc__ or ""
    if (
        not text.lstrip().startswith("##")
        and all(f"\n    ## {title}\n" in text for title in wanted)
        and text.count("```python") > 1
        and not _EMPTY_SECTION.search(text)
    ):
        return None
    documentation = Documentation.of(cls)
    missing = [title for title in wanted if not documentation.sections.get(title)]
    if missing or not documentation.summary:
        return f"documentation lacks {', '.join(missing) or 'a summary'}"
    for section in ("Example", "Use instead"):
        if not documentation.examples(section):
            return f"section {section!r} shows no code"
    return None
