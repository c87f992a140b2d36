"""The `far` command: options, output, exit statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from flake8_fastapi_rules import __version__, cli, reporters
from flake8_fastapi_rules.rules import all_rules
from flake8_fastapi_rules.rules.base import on
from flake8_fastapi_rules.semantics.facts import App
from tests.end_to_end.running import (
    BAD,
    GOOD,
    NEIGHBOURS,
    REPORTED,
    Far,
    Ran,
    far,
    project,
    run,
    script,
)


def test_nothing_found(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": GOOD})
    assert run_far("check") == Ran(0, "", "")


def test_findings(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "sub/good.py": GOOD})
    ran = run_far("check")
    assert ran.status == 1
    assert len(ran.lines) == 1
    assert ran.lines[0].startswith(REPORTED)


def test_exit_zero(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    assert run_far("check", "--exit-zero").status == 0


def test_usage_errors(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "bad.json": "{}"})
    for arguments, word in (
        (("check", "--profile", "stritc"), "stritc"),
        (("check", "--select", "FAR999"), "unknown rule `FAR999`"),
        (("check", "--select", "FAR1011"), "unknown rule `FAR1011`"),
        (("check", "--select", "FAX"), "unknown rule `FAX`"),
        (("check", "--src", "nosuch"), "--src: no such directory: `nosuch`"),
        (("check", "--enable", "module-levl-app"), "did you mean `module-level-app`?"),
        (("check", "--fastapi-version", "new"), "`fastapi-version` must be a version"),
        (("check", "nosuch.py"), "error: nosuch.py: no such file or directory"),
        (("check", "--baseline", "nosuch.json"), "nosuch.json: No such file"),
        (("check", "--baseline", "bad.json"), "bad.json: not a baseline file"),
        (("check", "--jobs", "0"), "expected a positive number"),
        (("check", "--output-file", "no/such/file"), "no/such/file: No such file or directory"),
        (("explain", "FAR999"), "unknown rule `FAR999`"),
        (("explain", "FAR000"), "the linter itself failed"),
        (("frobnicate",), "frobnicate"),
        ((), "COMMAND"),
    ):
        ran = run_far(*arguments)
        assert ran.status == 2, arguments
        assert word in ran.err, (arguments, ran.err)


def test_profile_select_enable_disable(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    assert run_far("check", "--disable", "FAR1").status == 0
    assert run_far("check", "--select", "module-level-app").status == 1
    ran = run_far("check", "--disable", "FAR", "--enable", "FAR101")
    assert [line.split()[1] for line in ran.lines] == ["FAR101"]


def test_select_is_not_all_the_rest(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    other = next(rule.code for rule in all_rules() if not rule.code.startswith("FAR1"))
    assert run_far("check", "--select", other).status == 0


def test_configuration_of_the_project(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "pyproject.toml": ""})
    (tmp_path / "pyproject.toml").write_text("[tool.flake8-fastapi-rules]\ndisable = ['FAR101']\n")
    assert run_far("check").status == 0
    assert run_far("check", "--isolated").status == 1
    assert run_far("check", "--disable", "FAR4").status == 1


def test_configuration_in_flake8s_file(run_far: Far, tmp_path: Path) -> None:
    for text, status in (
        ("far-disable = FAR101", 0),
        ("extend-ignore = FAR1", 0),
        ("ignore = E,W", 1),
        ("ignore = FA", 1),
        ("ignore = FAR1\nextend-select = FAR101", 1),
        ("per-file-ignores =\n  app.py: FAR101, E501\n  b.py,c.py: FAR1", 0),
        ("per-file-ignores = b.py: FAR101", 1),
        ("per-file-ignores = app.py: E501", 1),
        ("select = E, W", 1),
        ("select = E, FAR2", 0),
    ):
        project(tmp_path, {"app.py": BAD, ".flake8": f"[flake8]\n{text}\n"})
        assert run_far("check").status == status, text
        shown = json.loads(run_far("config", "app.py", "--format", "json").out)
        assert ("FAR101" in shown["rules"]) is bool(status), text
    assert run_far("check", "--select", "FAR101").status == 1


def test_a_mistake_in_one_project_does_not_hide_the_others(run_far: Far, tmp_path: Path) -> None:
    project(
        tmp_path,
        {
            "a/app.py": BAD,
            "b/app.py": BAD,
            "b/other.py": BAD,
            "b/pyproject.toml": "[tool.flake8-fastapi-rules]\nprofil = 'x'\n",
        },
    )
    ran = run_far("check")
    assert ran.status == 2
    assert [line.partition(":")[0] for line in ran.lines] == ["a/app.py"]
    assert ran.err == ("error: b/pyproject.toml: unknown key `profil`; did you mean `profile`?\n")


def test_exclude(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "old/a/x.py": BAD, "gen_x.py": BAD})
    ran = run_far("check", "--exclude", "old/**", "--exclude", "gen_*.py")
    assert [line.partition(":")[0] for line in ran.lines] == ["app.py"]


def test_statistics(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"a.py": BAD, "b.py": BAD})
    assert run_far("check", "--statistics").lines[-1] == "     2 FAR101 module-level-app"
    ran = run_far("check", "--statistics", "--format", "json")
    json.loads(ran.out)
    assert "2 FAR101" in ran.err


@pytest.mark.parametrize("name", sorted(reporters.FORMATS))
def test_output_file(run_far: Far, tmp_path: Path, name: str) -> None:
    project(tmp_path, {"app.py": BAD})
    ran = run_far("check", "--format", name, "--output-file", "out")
    assert (ran.status, ran.out) == (1, "")
    assert "FAR101" in (tmp_path / "out").read_text("utf-8")


def test_json_of_everything(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "broken.py": "def (:\n"})
    ran = run_far("check", "--format", "json")
    document = json.loads(ran.out)
    schema = Path(reporters.__file__).with_name("far.schema.json")
    jsonschema.validate(document, json.loads(schema.read_text("utf-8")))
    assert ran.status == 2
    assert document["errors"][0]["path"] == "broken.py"
    assert document["summary"]["files"] == 2


def test_jobs_change_nothing(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {f"p{n}/app{n}.py": BAD for n in range(7)} | {"x.py": "def (:\n"})
    one = run_far("check", "--format", "json")
    assert run_far("check", "--format", "json", "--jobs", "3") == one
    assert one.out.count("FAR101") == 8
    assert run_far("check", "--jobs", "auto").status == 2


def test_stdin(tmp_path: Path) -> None:
    project(tmp_path, {"pyproject.toml": "[tool.flake8-fastapi-rules]\n"})
    ran = far("check", "-", "--stdin-filename", "app.py", cwd=tmp_path, stdin=BAD.encode())
    assert ran.status == 1
    assert ran.out.startswith(REPORTED)
    ran = far("check", "-", "--format", "full", cwd=tmp_path, stdin=BAD.encode())
    assert "3 | app = FastAPI()" in ran.out
    assert ran.out.startswith("FAR101")


def test_stdin_sees_its_neighbours(tmp_path: Path) -> None:
    project(tmp_path, NEIGHBOURS)
    text = b"from .our_fastapi import Web\napp = Web()\n"
    ran = far("check", "-", "--stdin-filename", "pkg/app.py", cwd=tmp_path, stdin=text)
    assert ran.out.startswith("pkg/app.py:2:7: FAR101")


def test_noqa(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD.replace("()", "()  # noqa: FAR101")})
    assert run_far("check").status == 0
    assert run_far("check", "--disable-noqa").status == 1


def test_baseline(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    ran = run_far("baseline")
    assert (ran.status, ran.out) == (0, "1 finding written to .far-baseline.json\n")
    assert run_far("check", "--baseline", ".far-baseline.json").status == 0
    project(tmp_path, {"app.py": "'''doc'''\n\n" + BAD + "\nother = FastAPI()\n"})
    ran = run_far("check", "--baseline", ".far-baseline.json")
    assert [line.partition(" ")[0] for line in ran.lines] == ["app.py:7:9:"]
    document = json.loads(
        run_far("check", "--baseline", ".far-baseline.json", "--format", "json").out
    )
    assert document["summary"]["hidden"] == 1


def test_explain(run_far: Far) -> None:
    by_code, by_name = run_far("explain", "FAR101"), run_far("explain", "module-level-app")
    assert by_code == by_name
    assert by_code.out.startswith("# FAR101 module-level-app\n")
    assert "## Why it matters" in by_code.out
    (data,) = json.loads(run_far("explain", "far101", "--format", "json").out)
    assert data["code"] == "FAR101"
    assert data["sections"]["Example"].startswith("```python")
    group = run_far("explain", "FAR1", "--format", "json").out
    assert {rule["code"][:4] for rule in json.loads(group)} == {"FAR1"}


def test_rules(run_far: Far) -> None:
    assert run_far("rules").lines[0].split()[:2] == ["FAR101", "module-level-app"]
    data = json.loads(run_far("rules", "--format", "json").out)
    assert [rule["code"] for rule in data] == [rule.code for rule in all_rules()]
    strict = json.loads(run_far("rules", "--profile", "strict", "--format", "json").out)
    assert all({"recommended", "strict"} & set(rule["profiles"]) for rule in strict)
    assert run_far("rules", "--format", "markdown").lines[0].startswith("| Code | Name |")


def test_config(run_far: Far, tmp_path: Path) -> None:
    project(
        tmp_path,
        {
            "app.py": BAD,
            "test_app.py": BAD,
            "requirements.txt": "fastapi==0.116.1\n",
            ".flake8": "[flake8]\nfar-path-case = snake\n",
            "pyproject.toml": "[tool.flake8-fastapi-rules]\nprofile = 'strict'\nsrc = ['lib']\n",
        },
    )
    text = run_far("config", "app.py", "--disable", "FAR101").out
    for line in (
        'profile              = "strict"  # pyproject.toml',
        'path-case            = "snake"  # .flake8',
        'disable              = ["FAR101"]  # command line',
        'fastapi-version      = "0.116.1"  # requirement in requirements.txt',
        'starlette-version    = "0.47.3"  # the newest that this FastAPI accepts',
        "dependency-depth     = 3  # default",
    ):
        assert line in text.splitlines()
    data = json.loads(run_far("config", "test_app.py", "--format", "json").out)
    assert data["is_test"]
    assert "FAR101" not in data["rules"]
    assert data["settings"]["src"]["value"] == [str(tmp_path / "lib")]
    assert not json.loads(run_far("config", "--format", "json").out)["is_test"]


def test_version(run_far: Far) -> None:
    assert run_far("--version") == Ran(0, f"far {__version__}\n", "")


def test_help_of_every_command(run_far: Far) -> None:
    assert "examples:" in run_far("--help").out
    for name in cli.COMMANDS:
        ran = run_far(name, "--help")
        assert ran.status == 0
        assert "usage: far " + name in ran.out


def test_internal_errors_end_with_3(
    run_far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, {"app.py": BAD, "b.py": BAD, "broken.py": "def (:\n"})
    (rule,) = [rule for rule in all_rules() if rule.code == "FAR101"]
    _, method, _ = next(iter(rule.handlers()))
    crash = on(App)(lambda self, subject, context: 1 / 0)
    monkeypatch.setattr(rule, method, crash)
    ran = run_far("check", "--select", "FAR101")
    assert [line.split()[1] for line in ran.lines] == ["FAR000", "FAR000"]
    assert ran.status == 3
    assert "ZeroDivisionError" in ran.out
    assert run_far("check", "--select", "FAR101", "--exit-zero").status == 3


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    project(tmp_path, {f"app{n}.py": BAD for n in range(300)})
    process = subprocess.Popen(
        [script("far"), "check", "--format", "full"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are a thing of POSIX")
def test_on_a_terminal(tmp_path: Path) -> None:
    import pty

    project(tmp_path, {"app.py": BAD})

    def on_terminal(**env: str) -> str:
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [script("far"), "check"],
            cwd=tmp_path,
            stdout=child,
            env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env},
        )
        os.close(child)
        output = b""
        while True:
            try:
                block = os.read(parent, 4096)
            except OSError:
                break
            if not block:
                break
            output += block
        os.close(parent)
        process.wait(60)
        return output.decode()

    colored = on_terminal(TERM="xterm")
    assert "\x1b[1;31mFAR101\x1b[0m" in colored
    assert "^^^^^^^^^" in colored
    assert "1 finding in 1 file" in colored
    assert "\x1b[" not in on_terminal(TERM="xterm", NO_COLOR="1")


def test_output_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD.replace("app =", "приложение =")})
    ran = far("check", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert ran.status == 1
    assert "\\u043f" in ran.out


def test_every_command_suits_the_terminal(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    for arguments in (("explain", "FAR"), ("rules",), ("routes",), ("config",), ("fix", "--diff")):
        ran = far(*arguments, cwd=tmp_path, PYTHONIOENCODING="ascii")
        assert ran.status in {0, 1}, arguments
        assert "Traceback" not in ran.err, arguments


@pytest.mark.skipif(os.name == "nt", reason="the shell of POSIX")
def test_standard_output_that_is_closed(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    ran = run("/bin/sh", "-c", f"exec '{script('far')}' check . >&-", cwd=tmp_path)
    assert ran == Ran(1, "", "")
    ran = run("/bin/sh", "-c", f"exec '{script('far')}' check nosuch.py 2>&-", cwd=tmp_path)
    assert ran == Ran(2, "", "")


def test_a_failure_outside_of_rules(
    run_far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("flake8_fastapi_rules.commands.check.make_loader", fail)
    ran = run_far("check")
    assert ran.status == 3
    assert "RuntimeError: unforeseen" in ran.err
    assert ran.err.endswith("error: far itself failed; please report this\n")


def test_python_m(tmp_path: Path) -> None:
    ran = run(sys.executable, "-m", "flake8_fastapi_rules", "--version", cwd=tmp_path)
    assert ran == Ran(0, f"far {__version__}\n", "")
