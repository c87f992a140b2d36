"""The plugin inside real flake8, and its agreement with `far`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from flake8_fastapi_rules import plugin
from flake8_fastapi_rules.config import option_fields
from flake8_fastapi_rules.plugin import FastAPIRules
from flake8_fastapi_rules.rules import all_rules
from tests.end_to_end.running import BAD, NEIGHBOURS, REPORTED, far, findings, flake8, project


def test_reports(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    ran = flake8("--select", "FAR", cwd=tmp_path)
    assert ran.status == 1
    assert ran.out.removeprefix("./").startswith(REPORTED)


def test_on_without_any_option(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    assert "FAR101" in flake8(cwd=tmp_path).out


def test_registered_and_described(tmp_path: Path) -> None:
    assert "flake8-fastapi-rules:" in flake8("--version", cwd=tmp_path).out
    text = flake8("--help", cwd=tmp_path).out
    for option in option_fields():
        if option.name not in ("layers", "per_path_profiles", "exclude"):
            assert f"--far-{option.name.replace('_', '-')}" in text


def test_stdin(tmp_path: Path) -> None:
    project(tmp_path, NEIGHBOURS)
    text = b"from .our_fastapi import Web\napp = Web()\n"
    ran = flake8("--select=FAR", "--stdin-display-name=pkg/app.py", "-", cwd=tmp_path, stdin=text)
    assert ran.out.startswith("pkg/app.py:2:7: FAR101")


def test_several_processes(tmp_path: Path) -> None:
    project(tmp_path, {f"app{n}.py": BAD for n in range(5)})
    one = flake8("--select=FAR", "-j1", "--far-disable=FAR4", cwd=tmp_path)
    two = flake8("--select=FAR", "-j2", "--far-disable=FAR4", cwd=tmp_path)
    assert one == two
    assert len(one.lines) == 5


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("far-disable = FAR101", False),
        ("far-disable = FAR2, FAR101", False),
        ("far_disable =\n  FAR2\n  FAR101", False),
        ("extend-ignore = FAR1", False),
        ("ignore = FAR1\nextend-select = FAR101", True),
        ("far-disable = FAR101\nextend-select = FAR101", False),
        ("per-file-ignores = app.py: FAR101", False),
        ("per-file-ignores = b.py: FAR101", True),
        ("far-test-paths = app.py", False),
        ("select = FAR2, FAR3", False),
        ("select = E, W\nextend-select = FAR2", False),
        ("select = E, FAR1", True),
        ("select = F", True),
        ("extend-select = FAR2", True),
        ("", True),
    ],
)
def test_flake8s_file_counts_for_both(tmp_path: Path, text: str, reported: bool) -> None:
    project(tmp_path, {"app.py": BAD, ".flake8": f"[flake8]\n{text}\n"})
    inside, alone = flake8("-j1", cwd=tmp_path), far("check", cwd=tmp_path)
    assert findings(inside.out) == findings(alone.out)
    assert ("FAR101" in inside.out) is reported


def test_selecting_an_opt_in_rule_switches_it_on(tmp_path: Path) -> None:
    """A rule outside of the profile runs when a selector longer than `FAR` names it."""
    project(tmp_path, {"app.py": BAD, "pyproject.toml": ""})
    (tmp_path / "pyproject.toml").write_text("[tool.flake8-fastapi-rules]\ndisable = ['FAR1']\n")
    assert "FAR101" not in flake8("--select=FAR", cwd=tmp_path).out
    assert "FAR101" in flake8("--select=FAR101", cwd=tmp_path).out
    assert "FAR101" in flake8("--extend-select=FAR101", cwd=tmp_path).out
    assert "FAR101" not in flake8("--select=FAR1", cwd=tmp_path).out


def test_prefixes_of_other_plugins(tmp_path: Path) -> None:
    """What the README warns of."""
    project(tmp_path, {"app.py": BAD})
    assert "FAR101" in flake8("--select=F", cwd=tmp_path).out
    assert "FAR101" not in flake8("--extend-ignore=FA", cwd=tmp_path).out
    assert "FAR101" in flake8("--extend-ignore=FA1", cwd=tmp_path).out
    assert "FAR101" not in flake8("--select=E,W", cwd=tmp_path).out


def test_mistakes_in_the_configuration_end_flake8(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD})
    for option, message in (
        ("--far-profile=stritc", "unknown profile `stritc`"),
        ("--far-enable=FAR999", "unknown rule `FAR999`"),
        ("--far-dependency-depth=x", "`dependency-depth` must be a whole number"),
    ):
        ran = flake8(option, cwd=tmp_path)
        assert ran.status == 1
        assert message in ran.out + ran.err
        assert "FAR101" not in ran.out
        assert "Traceback" not in ran.out + ran.err
    project(tmp_path, {"pyproject.toml": "[tool.flake8-fastapi-rules]\nprofil = 1\n"})
    ran = flake8("app.py", cwd=tmp_path)
    assert "pyproject.toml: unknown key `profil`; did you mean `profile`?" in ran.out + ran.err


def test_keys_that_flake8_itself_passes_over(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "setup.cfg": "[flake8]\nfar-enabel = FAR104\n"})
    ran = flake8("app.py", cwd=tmp_path)
    assert ran.status == 1
    assert "setup.cfg: unknown key `enabel`; did you mean `enable`?" in ran.out + ran.err
    assert "FAR101" not in ran.out
    assert "FAR101" in flake8("--isolated", "app.py", cwd=tmp_path).out
    project(tmp_path, {"setup.cfg": "[flake8]\nfar-exclude = old/*\n"})
    assert "FAR101" in flake8("app.py", cwd=tmp_path).out


def test_a_mistake_further_down_is_reported_in_its_files(tmp_path: Path) -> None:
    project(tmp_path, {"app.py": BAD, "sub/app.py": BAD, "sub/pyproject.toml": "[tool"})
    ran = flake8("--select=FAR", cwd=tmp_path)
    lines = findings(ran.out)
    assert lines[0].startswith("app.py:3:7: FAR101")
    assert lines[1].startswith(
        "sub/app.py:1:1: FAR000 configuration error: sub/pyproject.toml:1:6: invalid TOML"
    )


class TestNeverRaises:
    def results(self, text: str) -> list[tuple[int, int, str, type]]:
        lines = text.splitlines(keepends=True)
        return list(FastAPIRules(ast.parse(text), lines, "app.py").run())

    def test_without_options(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(FastAPIRules, "_linter", None)
        ((line, column, message, kind),) = self.results(BAD)
        assert (line, column, kind) == (3, 6, FastAPIRules)
        assert message.startswith("FAR101 App `app`")

    def test_when_everything_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Broken:
            def check(self, *arguments: Any) -> None:
                raise RecursionError

        monkeypatch.setattr(FastAPIRules, "_linter", Broken())
        ((line, column, message, _),) = self.results(BAD)
        assert (line, column) == (1, 0)
        assert message.startswith("FAR000 internal error in the linter: RecursionError")

    def test_when_the_linter_cannot_be_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FastAPIRules, "_linter", None)
        monkeypatch.setattr(plugin, "Linter", lambda loader: 1 / 0)
        assert "ZeroDivisionError" in self.results(BAD)[0][2]


def test_both_doors_agree(tmp_path: Path) -> None:
    """Every example of every rule, and odd texts, in one tree; finding for finding."""
    files: dict[str, str | bytes] = {}
    for rule in all_rules():
        for section in ("Example", "Use instead"):
            for number, example in enumerate(rule.documentation().examples(section)):
                folder = f"{rule.code.lower()}_{section[0].lower()}{number}"
                files |= {f"{folder}/{name}": text for name, text in example.items()}
    hundreds = sorted({rule.code[:4] for rule in all_rules()})
    files |= {
        "text/bom.py": b"\xef\xbb\xbf" + BAD.encode(),
        "text/crlf.py": BAD.replace("\n", "\r\n"),
        "text/cr.py": BAD.replace("\n", "\r"),
        "text/latin.py": b"# coding: latin-1\n# \xe9\n" + BAD.encode(),
        "text/wide.py": BAD.replace("app =", "'日本'; app ="),
        "text/feed.py": BAD.replace("\n\n", "\n\x0c\n"),
        "text/no_end.py": BAD.rstrip(),
        "text/noqa.py": BAD.replace("()", "(\n    title='''\n'''\n)  # noqa"),
        "text/noqa2.py": BAD.replace("()", "(title='''\n''')  # noqa: FAR1"),
        "text/noqa3.py": "# flake8: noqa: E501\n" + BAD,
        "text/empty.py": "",
        "tests/test_app.py": BAD,
        "pyproject.toml": (
            f"[tool.flake8-fastapi-rules]\nprofile = 'strict'\nenable = {hundreds}\n"
            "per-path-profiles = { 'text/**' = 'recommended' }\n"
        ),
    }
    project(tmp_path, files)
    inside = findings(flake8("--select=FAR", "-j1", cwd=tmp_path).out)
    alone = findings(far("check", cwd=tmp_path).out)
    assert inside == alone
    # Some rules about whole projects are satisfied by the example of another rule.
    codes = {line.split()[1] for line in alone}
    assert len(codes) > 0.8 * len([rule for rule in all_rules() if not rule.tests_only])
