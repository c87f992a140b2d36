"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_fastapi_rules import cli
from tests.end_to_end.running import Far, Ran


@pytest.fixture
def run_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Far:
    """Runs `far` in this process and in `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ran:
        try:
            status = cli.main(arguments)
        except SystemExit as error:
            status = int(error.code or 0)
        out, err = capfd.readouterr()
        return Ran(status, out, err)

    return call
