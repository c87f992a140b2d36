"""Which of many words occur in a text, without searching it for each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

#: Turns everything that cannot stand in a name into spaces.
_SEPARATED = bytes(
    byte if byte > 127 or chr(byte).isalnum() or byte == ord("_") else ord(" ")
    for byte in range(256)
)


class WordFinder:
    """Looks for words in the texts of a run.

    Texts of one project repeat a few thousand names, and only a name that is new has to be compared
    with the words.

    Parameters:
        words: what to look for, inside of longer names, too. They may hold other characters than
            those of names.
        names: what to look for as whole names.
    """

    def __init__(self, words: Iterable[str], names: Iterable[str] = ()) -> None:
        self._names = {name.encode(): name for name in names}
        #: The longest name in each word, with the words that are just that, and those with more.
        self._whole: dict[bytes, str] = {}
        self._longer: defaultdict[bytes, list[str]] = defaultdict(list)
        for word in dict.fromkeys(words):
            core = max(_names_in(word), key=len, default=b"")
            if core.decode() == word:
                self._whole[core] = word
            else:
                self._longer[core].append(word)
        self._always = tuple(self._longer.pop(b"", ()))
        self._cores = tuple({**self._whole, **self._longer})
        self._seen: set[bytes] = set()
        #: The words that a name contains, and those that may stand where it does.
        self._contained: defaultdict[bytes, list[str]] = defaultdict(list)
        self._possible: defaultdict[bytes, list[str]] = defaultdict(list)

    def found_in(self, text: str) -> frozenset[str]:
        """The words and names that occur in a text."""
        names = set(_names_in(text))
        self._learn(names - self._seen)
        found: set[str] = set()
        for name in names & self._contained.keys():
            found.update(self._contained[name])
        possible = set(self._always)
        for name in names & self._possible.keys():
            possible.update(self._possible[name])
        found.update(word for word in possible if word in text)
        found.update(self._names[name] for name in names & self._names.keys())
        return frozenset(found)

    def _learn(self, names: set[bytes]) -> None:
        """Note which of some new names contain the cores of words."""
        self._seen |= names
        together = b" %b " % b" ".join(names)
        for core in self._cores:
            at = together.find(core)
            while at >= 0:
                end = together.index(b" ", at)
                name = together[together.rindex(b" ", 0, at) + 1 : end]
                if core in self._whole:
                    self._contained[name].append(self._whole[core])
                if core in self._longer:
                    self._possible[name] += self._longer[core]
                at = together.find(core, end)


def _names_in(text: str) -> list[bytes]:
    """The names and numbers in a text, in order (much faster than a regular expression)."""
    return text.encode(errors="replace").translate(_SEPARATED).split()
