"""What the tests of the matrix share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.rules.judge import Judge, running_judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """FastAPI, asked in processes of their own."""
    with running_judge() as running:
        yield running


@pytest.fixture(scope="session")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes names of folders that do not exist yet."""
    base = tmp_path_factory.mktemp("cases")
    numbers = count()
    return lambda: base / str(next(numbers))
