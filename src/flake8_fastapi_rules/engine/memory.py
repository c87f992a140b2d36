"""Spares the garbage collector what lives as long as the process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Characters of source whose trees cost more memory than the collector's walk costs time.
_WORTH_COLLECTING = 2_000_000
#: Characters of source given up since the collector last went through everything.
_given_up: list[int] = []


@contextmanager
def lasting() -> Iterator[None]:
    """Work whose results stay until the end: trees, indexes, answers.

    The collector would go through all of them again and again and find nothing; it costs more
    than the work itself. It rests meanwhile, and leaves alone what there is afterwards, until
    enough of it has been given up.
    """
    if sum(_given_up) >= _WORTH_COLLECTING:
        discard()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.freeze()


def give_up(characters: int) -> None:
    """Say that the trees of so much text are let go; their memory comes back when it is worth it.

    Parameters:
        characters: of source.
    """
    _given_up.append(characters)


def discard() -> None:
    """Give back the memory of what was to last and is not referred to any more."""
    _given_up.clear()
    gc.unfreeze()
    gc.collect()
