"""What the README and the pages show is what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from flake8_fastapi_rules import __version__, reporters
from flake8_fastapi_rules.commands import COMMANDS
from flake8_fastapi_rules.reporters import FORMATS
from tests.end_to_end.running import BAD, Far, project, run, script

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_output_on_the_first_screen(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app/main.py": BAD})
    ran = run_far("check", "--format", "full", "--select", "FAR101")
    (shown,) = blocks(README, "text")
    assert ran.out.startswith(shown)


def test_the_json_of_the_page(run_far: Far, tmp_path: Path) -> None:
    project(tmp_path, {"app/main.py": BAD})
    ran = run_far("check", "--format", "json", "--select", "FAR101")
    (shown,) = blocks((ROOT / "docs/formats.md").read_text("utf-8"), "json")
    document = json.loads(shown)
    schema = json.loads(Path(reporters.__file__).with_name("far.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    document["tool"]["version"] = __version__
    assert document == json.loads(ran.out)


def test_every_command_and_format_is_named() -> None:
    for command in COMMANDS:
        assert f"`far {command}" in README, command
    formats = (ROOT / "docs/formats.md").read_text("utf-8")
    for name in FORMATS:
        assert f"| `{name}` |" in formats, name


def test_hooks_that_are_named_exist() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    named = re.findall(r"- id: (far-[a-z]+)", README)
    assert sorted(set(named)) == sorted(re.findall(r"^- id: (.+)$", hooks, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_page_of_configuration_in_flake8_syntax(run_far: Far, tmp_path: Path) -> None:
    """Every line shown for flake8's file is understood by flake8 and by far."""
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    lines = re.findall(r"^flake8: `(far-.+)`$", text, re.MULTILINE)
    assert len(lines) > 10
    project(tmp_path, {"app.py": "x = 1\n", ".flake8": "[flake8]\n" + "\n".join(lines) + "\n"})
    assert run_far("check").err == ""
    assert run(script("flake8"), "app.py", cwd=tmp_path).status == 0
    data = json.loads(run_far("config", "--format", "json").out)["settings"]
    for line in lines:
        key = line.partition(" = ")[0].removeprefix("far-")
        assert data[key]["origin"] == ".flake8", key
