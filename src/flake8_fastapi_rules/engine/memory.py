"""Spares the garbage collector what lives as long as the process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Work whose results stay until the end: trees, indexes, answers.

    The collector would go through all of them again and again and find nothing; it costs more
    than the work itself. It rests meanwhile, and leaves alone for good what there is afterwards.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.freeze()


def discard() -> None:
    """Give back the memory of what was to last and is not referred to any more."""
    gc.unfreeze()
    gc.collect()
