"""Known findings stay hidden when code moves, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_fastapi_rules.engine.baseline import Baseline, BaselineError
from flake8_fastapi_rules.engine.findings import Finding
from flake8_fastapi_rules.engine.source import Range, Source


def finding(path: Path, line: int, code: str = "FAR101", column: int = 0) -> Finding:
    return Finding(str(path), Range(line, column, line, column + 1), code, f"message of {line}")


def round_trip(file: Path, findings: list[Finding], text: str) -> Baseline:
    Baseline.of(file, findings, lambda path: Source(path, text)).write(file)
    return Baseline.read(file)


def new_codes(baseline: Baseline, findings: list[Finding], text: str) -> list[tuple[str, int]]:
    new, _ = baseline.unknown(findings, lambda path: Source(path, text))
    return [(f.code, f.line) for f in new]


def test_moved_and_indented_lines_stay_known(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    baseline = round_trip(tmp_path / "b.json", [finding(app, 1)], "app = FastAPI()\n")
    assert new_codes(baseline, [finding(app, 3)], "\n\n    app  =  FastAPI()\n") == []


def test_other_lines_codes_and_files_are_new(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    text = "a = 1\nb = 2\n"
    baseline = round_trip(tmp_path / "b.json", [finding(app, 1)], text)
    found = [finding(app, 1), finding(app, 1, "FAR102"), finding(app, 2)]
    found.append(finding(tmp_path / "other.py", 1))
    new = new_codes(baseline, found, text)
    assert new == [("FAR102", 1), ("FAR101", 2), ("FAR101", 1)]


def test_only_as_many_as_were_known(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    baseline = round_trip(tmp_path / "b.json", [finding(app, 1), finding(app, 2)], "x\nx\nx\n")
    found = [finding(app, 1), finding(app, 2), finding(app, 3)]
    assert new_codes(baseline, found, "x\nx\nx\n") == [("FAR101", 3)]


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    baseline = round_trip(Path("b.json"), [finding(Path("sub/app.py"), 1)], "x\n")
    assert '"sub/app.py"' in (tmp_path / "b.json").read_text()
    monkeypatch.chdir(tmp_path / "sub")
    assert new_codes(baseline, [finding(Path("app.py"), 1)], "x\n") == []


def test_internal_errors_are_never_known(tmp_path: Path) -> None:
    baseline = round_trip(tmp_path / "b.json", [finding(tmp_path / "a.py", 1, "FAR000")], "x\n")
    assert baseline.counts.total() == 0


def test_the_file_is_the_same_each_time(tmp_path: Path) -> None:
    app, file = tmp_path / "app.py", tmp_path / "b.json"
    findings = [finding(app, 2), finding(app, 1), finding(app, 1, "FAR102")]
    round_trip(file, findings, "b\na\n")
    first = file.read_bytes()
    round_trip(file, findings[::-1], "b\na\n")
    assert file.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["b.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"version": 1}', '{"version": 1, "findings": []}', "[" * 99999]
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)
    with pytest.raises(BaselineError, match=r"b\.json: not a baseline file"):
        Baseline.read(file)


def test_other_versions_and_missing_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    with pytest.raises(BaselineError, match="No such file"):
        Baseline.read(file)
    file.write_text('{"version": 9, "findings": {}}')
    with pytest.raises(BaselineError, match="another version"):
        Baseline.read(file)
    with pytest.raises(BaselineError, match="No such file"):
        Baseline(tmp_path, Baseline.of(file, [], lambda path: None).counts).write(
            tmp_path / "no/b.json"
        )
