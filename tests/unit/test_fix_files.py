"""Files written back: newlines, marks, encodings, modes, and what must be left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flake8_fastapi_rules.engine.source import SourceError
from flake8_fastapi_rules.fixes.files import NotWritten, SourceFile, unified_diff


def rewritten(folder: Path, data: bytes, old: str, new: str) -> bytes:
    path = folder / "a.py"
    path.write_bytes(data)
    file = SourceFile.read(path)
    file.write(file.source.text.replace(old, new))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"x = old\ny = 2\n", b"x = new\nz = 3\ny = 2\n"),
        (b"x = old\r\ny = 2\r\n", b"x = new\r\nz = 3\r\ny = 2\r\n"),
        (b"x = old\ry = 2\r", b"x = new\rz = 3\ry = 2\r"),
        (b"\xef\xbb\xbfx = old\r\n", b"\xef\xbb\xbfx = new\r\nz = 3\r\n"),
        (b"x = old", b"x = new\nz = 3"),
        (b"a\r\nx = old\nc\r\n", b"a\r\nx = new\nz = 3\nc\r\n"),
        (b"a\r\nb\r\nx = old\nc\r\nd", b"a\r\nb\r\nx = new\nz = 3\nc\r\nd"),
        (
            "# coding: latin-1\nx = old  # é\n".encode("latin-1"),
            "# coding: latin-1\nx = new\nz = 3  # é\n".encode("latin-1"),
        ),
        ("x = 'ö', old\n".encode(), "x = 'ö', new\nz = 3\n".encode()),
    ],
)
def test_written_as_it_was(tmp_path: Path, before: bytes, after: bytes) -> None:
    assert rewritten(tmp_path, before, "old", "new\nz = 3") == after


def test_mixed_ends_of_untouched_and_replaced_lines(tmp_path: Path) -> None:
    before = b"a\r\nold\nb\rc\n"
    assert rewritten(tmp_path, before, "old", "new") == b"a\r\nnew\nb\rc\n"


ends = st.sampled_from(["\n", "\r\n", "\r"])


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a = 1", "", "b", "  # ä", '"""']), ends)), st.data())
def test_any_mixture_of_ends(lines: list[tuple[str, str]], data: st.DataObject) -> None:
    raw = "".join(text + end for text, end in lines)
    file = SourceFile.of(Path("a.py"), raw.encode())
    assert file.encoded(file.source.text) == raw.encode()
    # Inserting a line leaves the others as they are, whatever precedes and follows it.
    new = file.source.text.split("\n")
    at = data.draw(st.integers(0, len(new) - 1))
    new.insert(at, "unique_line")
    written = file.raw("\n".join(new))
    head, _, tail = written.partition("unique_line")
    assert raw.startswith(head)
    assert raw.endswith(tail.lstrip("\r\n"))


def test_characters_without_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: latin-1\nx = 1\n")
    file = SourceFile.read(path)
    with pytest.raises(NotWritten, match="has no"):
        file.write(file.source.text.replace("1", "'€'"))
    assert path.read_bytes() == b"# coding: latin-1\nx = 1\n"


def test_undecodable(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        SourceFile.of(tmp_path / "a.py", b"x = '\xff'\n")


def test_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\n")
    path.chmod(0o751)
    SourceFile.read(path).write("x = 2\n")
    assert path.stat().st_mode & 0o777 == 0o751
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("case", ["symlink", "read-only", "hard link", "changed", "gone"])
def test_left_alone(tmp_path: Path, case: str) -> None:
    target = tmp_path / "target.py"
    target.write_bytes(b"x = 1\n")
    path = target
    reason = {
        "symlink": "symbolic link",
        "read-only": "read-only",
        "hard link": "hard links",
        "changed": "changed meanwhile",
        "gone": "cannot be written",
    }[case]
    if case == "symlink":
        path = tmp_path / "link.py"
        path.symlink_to(target)
    elif case == "read-only":
        path.chmod(0o444)
    elif case == "hard link":
        os.link(target, tmp_path / "other.py")
    file = SourceFile.read(path)
    if case == "changed":
        path.write_bytes(b"x = 3\n")
    elif case == "gone":
        path.unlink()
    kept = target.read_bytes() if target.exists() else None
    with pytest.raises(NotWritten, match=reason):
        file.write("x = 2\n")
    assert (target.read_bytes() if target.exists() else None) == kept
    assert path.is_symlink() == (case == "symlink")
    assert not list(tmp_path.glob(".*"))


def test_an_interrupted_write_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\n")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        SourceFile.read(path).write("x = 2\n")
    assert path.read_bytes() == b"x = 1\n"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import sys
from pathlib import Path
from flake8_fastapi_rules.fixes.files import SourceFile
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    file = SourceFile.read(path)
    letter = "b" if "a" in file.source.text else "a"
    file.write(letter * 300_000 + "\\n")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    whole = {letter * 300_000 + "\n" for letter in "ab"}
    path.write_text("a" * 300_000 + "\n")
    for attempt in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.005 + 0.004 * attempt)
        process.kill()
        process.wait()
        process.stdout.close()
        assert path.read_text() in whole


def test_diff() -> None:
    before, after = "a\r\nb\r\nc", "a\r\nB\r\nc"
    assert unified_diff(before, after, "/x/a.py") == (
        "--- a/x/a.py\n+++ b/x/a.py\n@@ -1,3 +1,3 @@\n a\r\n-b\r\n+B\r\n c\n"
        "\\ No newline at end of file\n"
    )
    assert unified_diff(before, before, "a.py") == ""


@pytest.mark.parametrize("data", [b"a\nold\nb\n", b"a\r\nold\r\nb\r\n", b"a\nold", b"old\n"])
def test_git_takes_the_diff(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    file = SourceFile.read(path, "a.py")
    diff = file.diff(file.source.text.replace("old", "new\nmore"))
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"], cwd=tmp_path, input=diff.encode(), check=True
    )
    end = b"\r\n" if b"\r" in data else b"\n"
    assert path.read_bytes() == data.replace(b"old", b"new" + end + b"more")
