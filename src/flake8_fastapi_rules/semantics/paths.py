"""Paths as Starlette matches them: converters, patterns, and which paths hide which."""

from __future__ import annotations

import re
import string
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")

#: A first parameter that matches slashes, also the one between it and a router's prefix.
_TAKES_SLASHES = re.compile(r"\{\w+:path\}")
#: The converters that Starlette has by itself.
CONVERTERS = frozenset({"str", "path", "int", "float", "uuid"})
#: How many states of a comparison are looked at before it is given up.
_STATES = 20_000


@dataclass(frozen=True, slots=True)
class PathParameter:
    """One `{name:converter}` of a path."""

    name: str
    converter: str


def names_in(path: str) -> tuple[str, ...]:
    """The names of a path's parameters, in order."""
    return tuple(match.group(1) for match in _PARAMETER.finditer(path))


def repeated_names_in(path: str) -> tuple[str, ...]:
    """The names that more than one parameter of a path has, in order."""
    return tuple(name for name, count in Counter(names_in(path)).items() if count > 1)


def misses_slash(path: str) -> bool:
    """Whether a path was meant to begin with `/`.

    `/skills` with `:upload` (a custom method) or `.json` is meant to be glued, and so is a first
    parameter that takes slashes (`/ui` with `{path:path}`); the path of a callback is an expression
    (`{$request.body.url}/done`) or a URL.
    """
    if _TAKES_SLASHES.match(path):
        return False
    starts_with_a_name = path[:1].isalnum() or path[:1] in {"_", "{"}
    return starts_with_a_name and "$" not in path and "://" not in path


def makes_plural(prefix: str, path: str) -> bool:
    """Whether a path makes the plural of a prefix on purpose: `/api/user` and `s/bulk`."""
    return prefix[-1].isalpha() and re.match(r"e?s(?:/|$)", path) is not None


def parameters_in(path: str) -> tuple[PathParameter, ...]:
    """The parameters of a path, in order."""
    return tuple(
        PathParameter(match.group(1), (match.group(2) or ":str")[1:])
        for match in _PARAMETER.finditer(path)
    )


def format_of(path: str) -> str:
    """The path without converters: Starlette's `path_format`."""
    return _PARAMETER.sub(lambda match: "{" + match.group(1) + "}", path)


def has_known_converters(path: str) -> bool:
    """Whether all converters of a path are Starlette's own."""
    return all(parameter.converter in CONVERTERS for parameter in parameters_in(path))


def pattern_of(path: str) -> str | None:
    """The path with parameter names erased, so that equal patterns match the same paths.

    `None` when a converter is not one of Starlette's own.
    """
    if not has_known_converters(path):
        return None
    return _PARAMETER.sub(lambda match: "{" + (match.group(2) or ":str") + "}", path)


def mounted_pattern(path: str) -> str:
    """The path that a mount at `path` matches."""
    return path.rstrip("/") + "/{path:path}"


def is_health_path(path: str | None, health_paths: Iterable[str]) -> bool:
    """Whether a path, with whatever prefix, is one that health checks ask for."""
    if path is None:
        return False
    path = path.rstrip("/")
    return any(path.endswith(f"/{known.strip('/')}") for known in health_paths)


# -- which paths a pattern matches ----------------------------------------------------------

_Test = Callable[[str], bool]


class _Automaton:
    """The paths that one pattern matches, as a machine that reads them character by character."""

    def __init__(self, path: str) -> None:
        self.literals: set[str] = set()
        self.moves: list[list[tuple[_Test, int]]] = [[]]
        self.free: list[list[int]] = [[]]
        self._end = 0
        position = 0
        for match in _PARAMETER.finditer(path):
            self._text(path[position : match.start()])
            getattr(self, f"_{(match.group(2) or ':str')[1:]}")()
            position = match.end()
        self._text(path[position:])
        self.start = self.closed([0])
        self.accepting = self._end
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def step(self, states: frozenset[int], character: str) -> frozenset[int]:
        """The states behind one more character."""
        key = states, character
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self.closed(
                target for state in states for test, target in self.moves[state] if test(character)
            )
        return found

    def closed(self, states: Iterable[int]) -> frozenset[int]:
        found: set[int] = set()
        stack = list(states)
        while stack:
            state = stack.pop()
            if state not in found:
                found.add(state)
                stack.extend(self.free[state])
        return frozenset(found)

    def _new(self) -> int:
        self.moves.append([])
        self.free.append([])
        return len(self.moves) - 1

    def _one(self, test: _Test) -> None:
        following = self._new()
        self.moves[self._end].append((test, following))
        self._end = following

    def _many(self, test: _Test) -> None:
        self._one(test)
        self.moves[self._end].append((test, self._end))

    def _text(self, text: str) -> None:
        for character in text:
            self.literals.add(character)
            self._one(character.__eq__)

    def _str(self) -> None:
        self._many("/".__ne__)

    def _path(self) -> None:
        here = self._new()
        self.free[self._end].append(here)
        self.moves[here].append((lambda _: True, here))
        self._end = here

    def _int(self) -> None:
        self._many(_is_digit)

    def _float(self) -> None:
        self._many(_is_digit)
        whole = self._end
        self._one(".".__eq__)
        self._many(_is_digit)
        end = self._new()
        self.free[whole].append(end)
        self.free[self._end].append(end)
        self._end = end

    def _uuid(self) -> None:
        for position, length in enumerate((8, 4, 4, 4, 12)):
            if position:
                before = self._end
                self._one("-".__eq__)
                self.free[before].append(self._end)
            for _ in range(length):
                self._one(_is_hex)


def _is_digit(character: str) -> bool:
    return character in string.digits


def _is_hex(character: str) -> bool:
    return character in string.hexdigits


@lru_cache(maxsize=4096)
def _automaton(path: str) -> _Automaton:
    return _Automaton(path)


def unmatched(path: str, others: Iterable[str]) -> str | None:
    """A path that `path` matches and none of `others` does; `None` when there is none.

    Parameters:
        path, others: patterns with Starlette's own converters only.

    Returns:
        The shortest such path. When the search is too large, `path` itself, as if it were one.
    """
    own = _automaton(path)
    machines = [_automaton(other) for other in others]
    characters = _characters([own, *machines])
    start = own.start, tuple(machine.start for machine in machines)
    seen = {start}
    queue: deque[tuple[frozenset[int], tuple[frozenset[int], ...], str]] = deque([(*start, "")])
    while queue:
        states, theirs, text = queue.popleft()
        if own.accepting in states and not any(
            machine.accepting in their for machine, their in zip(machines, theirs, strict=True)
        ):
            return text
        if len(seen) > _STATES:
            return path
        for character in characters:
            following = own.step(states, character)
            if not following:
                continue
            configuration = (
                following,
                tuple(
                    machine.step(their, character)
                    for machine, their in zip(machines, theirs, strict=True)
                ),
            )
            if configuration not in seen:
                seen.add(configuration)
                queue.append((*configuration, text + character))
    return None


def overlaps(path: str, other: str) -> bool:
    """Whether some path is matched by both patterns."""
    if ":path}" in path or ":path}" in other:
        return _overlap(path, other)
    # Nothing but `path` matches a slash, so the parts between slashes can be compared in pairs.
    parts, theirs = path.split("/"), other.split("/")
    if len(parts) != len(theirs):
        return False
    unequal = [pair for pair in zip(parts, theirs, strict=True) if pair[0] != pair[1]]
    if any("{" not in part and "{" not in their for part, their in unequal):
        return False
    return all(_overlap(part, their) for part, their in unequal)


@lru_cache(maxsize=4096)
def _overlap(path: str, other: str) -> bool:
    first, second = _automaton(path), _automaton(other)
    characters = _characters([first, second])
    seen = {(first.start, second.start)}
    stack = [(first.start, second.start)]
    while stack:
        left, right = stack.pop()
        if first.accepting in left and second.accepting in right:
            return True
        for character in characters:
            following = first.step(left, character), second.step(right, character)
            if following[0] and following[1] and following not in seen:
                if len(seen) > _STATES:
                    return True
                seen.add(following)
                stack.append(following)
    return False


def _characters(machines: Iterable[_Automaton]) -> list[str]:
    """Enough characters to tell the patterns apart: their own, and one of each further kind."""
    literals = {"/", ".", "-"}.union(*(machine.literals for machine in machines))
    kinds = (string.digits, "abcdefABCDEF", "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", "~!@$&+=")
    return sorted(literals | set(_firsts(kinds, literals)))


def _firsts(kinds: Iterable[str], taken: set[str]) -> Iterator[str]:
    for kind in kinds:
        found = next((character for character in kind if character not in taken), None)
        if found is not None:
            yield found
