"""The first command of the README, with nothing but Python: it installs into an empty environment.

What `dev.py test` does is what runs this test.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.end_to_end.running import BAD, REPORTED, project, run

ROOT = Path(__file__).parents[2]


def test_check_from_nothing(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    environment = tmp_path / "environment"
    command = (sys.executable, str(ROOT / "dev.py"), "check")
    env = {"FAR_DEV_ENVIRONMENT": str(environment)}
    ran = run(*command, "app.py", cwd=tmp_path, env=env, timeout=400)
    assert ran.status == 1, ran.err
    assert ran.out.startswith(REPORTED)
    assert "the same by flake8: environment/" in ran.err
    assert "flake8 --select FAR --far-profile strict app.py" in ran.err
    again = run(*command, "--select", "FAR301", "app.py", cwd=tmp_path, env=env)
    assert (again.status, again.out) == (0, "")
    assert "installing" not in again.err
    example = run(*command, cwd=tmp_path, env=env)
    assert (example.status, example.out) == (0, ""), example.out
    assert "nothing found" in example.err


def test_mistakes(tmp_path: Path) -> None:
    ran = run(sys.executable, str(ROOT / "dev.py"), "lint", cwd=tmp_path)
    assert ran.status == 2
    assert "invalid choice: 'lint'" in ran.err
    ran = run(sys.executable, str(ROOT / "dev.py"), cwd=tmp_path)
    assert ran.status == 2
