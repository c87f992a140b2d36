"""Which of many words occur in a text, without searching it for each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

#: Turns everything that cannot stand in a name into spaces.
_SEPARATED = bytes(
    byte if byte > 127 or chr(byte).isalnum() or byte == ord("_") else ord(" ")
    for byte in range(256)
)
#: Words without any name in them have an empty core.
_ALWAYS = (b"",)


class WordFinder:
    """Looks for words in the texts of a run.

    A word is found inside of longer names, too. Texts of one project repeat a few thousand names,
    and only a name that is new has to be compared with the words.

    Parameters:
        words: what to look for. They may hold other characters than those of names.
    """

    def __init__(self, words: Iterable[str]) -> None:
        #: The longest name in each word, with the words that hold it.
        self._by_core: defaultdict[bytes, list[str]] = defaultdict(list)
        for word in dict.fromkeys(words):
            self._by_core[max(_names_in(word), key=len, default=b"")].append(word)
        self._cores = [core for core in self._by_core if core]
        self._seen: set[bytes] = set()
        self._telling: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._told: set[bytes] = set()

    def found_in(self, text: str) -> frozenset[str]:
        """The words that occur in a text."""
        names = set(_names_in(text))
        self._learn(names - self._seen)
        cores: set[bytes] = set(_ALWAYS)
        for name in names & self._told:
            cores.update(self._telling[name])
        found: set[str] = set()
        for core in cores:
            for word in self._by_core.get(core, ()):
                if len(word) == len(core) or word in text:
                    found.add(word)
        return frozenset(found)

    def _learn(self, names: set[bytes]) -> None:
        """Note which of some new names contain the cores of words."""
        self._seen |= names
        together = b" ".join(names)
        for core in self._cores:
            if core in together:
                for name in names:
                    if core in name:
                        self._telling[name].append(core)
                        self._told.add(name)


def _names_in(text: str) -> list[bytes]:
    """The names and numbers in a text, in order (much faster than a regular expression)."""
    return text.encode(errors="replace").translate(_SEPARATED).split()
